//! The application that all proxies stand before: a small answer, a download of any length, and a WebSocket that gives back what it gets.

use std::{convert::Infallible, future::ready, iter::repeat_n};

use anyhow::Result;
use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;

/// About the length of the answers to a notebook's polls.
const SMALL: &[u8] = &[b'x'; 1_024];
/// Bytes of one piece of a download.
const PIECE: usize = 64 * 1_024;
/// The answer to the only key that the bench sends.
const ACCEPTED: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

pub async fn serve(address: &str) -> Result<()> {
    let socket = crate::bind(address).await?;
    loop {
        let (stream, _) = socket.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let service = service_fn(|request| ready(Ok::<_, Infallible>(answer(request))));
            // An error is that of a client which left.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
        });
    }
}

fn answer(request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path();
    if path == "/socket" {
        return socket(request);
    }
    match path.strip_prefix("/download/") {
        Some(pieces) => download(pieces.parse().unwrap_or_default()),
        None => Response::new(Body::from(Bytes::from_static(SMALL))),
    }
}

fn download(pieces: usize) -> Response<Body> {
    let piece = Bytes::from(vec![b'x'; PIECE]);
    let mut response = Response::new(Body::from_stream(stream::iter(repeat_n(Ok::<_, Infallible>(piece), pieces))));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(pieces * PIECE));
    response
}

fn socket(request: Request<Incoming>) -> Response<Body> {
    tokio::spawn(async move {
        if let Ok(upgraded) = hyper::upgrade::on(request).await {
            let (mut from, mut to) = tokio::io::split(TokioIo::new(upgraded));
            let _ = tokio::io::copy(&mut from, &mut to).await;
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, HeaderValue::from_static(ACCEPTED));
    response
}
