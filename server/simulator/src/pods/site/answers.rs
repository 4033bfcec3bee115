//! What the paths of a simulated lab do.

use std::{collections::BTreeMap, convert::Infallible, io, time::Duration};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Query, Request},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::{SinkExt as _, StreamExt as _, stream};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::{stamp, web_socket};

/// A piece of a download: letters over and over.
const PIECE: usize = 26 * 630;
const LONGEST_SLEEP: u64 = 3600;

/// The request as it arrived.
pub async fn echo(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut headers = BTreeMap::<&str, Vec<String>>::new();
    for (name, value) in &parts.headers {
        headers.entry(name.as_str()).or_default().push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    let target = parts.uri.to_string();
    let Some(bytes) = length(body).await else { return StatusCode::BAD_REQUEST.into_response() };
    Json(json!({"method": parts.method.as_str(), "target": target, "headers": headers, "body_bytes": bytes})).into_response()
}

/// Reads a body to its end; `None` if it breaks off.
async fn length(mut body: Body) -> Option<u64> {
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        bytes += frame.ok()?.data_ref().map_or(0, |data| data.len() as u64);
    }
    Some(bytes)
}

pub async fn upload(request: Request) -> Response {
    match length(request.into_body()).await {
        Some(bytes) => Json(json!({"bytes": bytes})).into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// Gives each message back.
pub async fn web_socket_echo(mut request: Request) -> Response {
    let upgrade = hyper::upgrade::on(&mut request);
    let (response, opening) = match web_socket::accept(request.headers(), upgrade, &[]) {
        Ok(accepted) => accepted,
        Err(refusal) => return (StatusCode::BAD_REQUEST, refusal.to_string()).into_response(),
    };
    tokio::spawn(async move {
        let Some(mut socket) = opening.open().await else { return };
        while let Some(Ok(message)) = socket.next().await {
            let is_data = matches!(message, Message::Text(_) | Message::Binary(_));
            if is_data && socket.send(message).await.is_err() {
                return;
            }
        }
    });
    response
}

/// An event now and one each second.
pub async fn events() -> Response {
    let events = stream::unfold(0_u64, |number| async move {
        if number > 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let event = format!("id: {number}\ndata: {{\"number\": {number}, \"at\": \"{}\"}}\n\n", stamp::now());
        Some((Ok::<_, Infallible>(Bytes::from(event)), number + 1))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(events)).into_response()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    bytes: u64,
    seconds: u64,
}

pub async fn download(Query(asked): Query<Asked>) -> Response {
    let piece: Bytes = (b'a'..=b'z').cycle().take(PIECE).collect();
    let pieces = stream::unfold((asked.bytes, piece), |(left, piece)| async move {
        let next = piece.slice(..usize::try_from(left).unwrap_or(PIECE).min(PIECE));
        let length = next.len() as u64;
        (length > 0).then(|| (Ok::<_, Infallible>(next), (left - length, piece)))
    });
    let headers = [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_LENGTH, asked.bytes.to_string())];
    (headers, Body::from_stream(pieces)).into_response()
}

pub async fn slow(Query(asked): Query<Asked>) -> Response {
    tokio::time::sleep(Duration::from_secs(asked.seconds.min(LONGEST_SLEEP))).await;
    format!("{} s\n", asked.seconds).into_response()
}

/// Promises more than it sends.
pub async fn close() -> Response {
    let pieces = stream::iter([Ok(Bytes::from_static(b"the connection ends here")), Err(io::Error::from(io::ErrorKind::ConnectionAborted))]);
    ([(header::CONTENT_LENGTH, "1000000")], Body::from_stream(pieces)).into_response()
}

/// Sends the head of an answer and nothing more.
pub async fn idle() -> Response {
    let nothing = stream::pending::<Result<Bytes, Infallible>>();
    ([(header::CONTENT_TYPE, "text/plain")], Body::from_stream(nothing)).into_response()
}
