//! Connections that become another protocol, WebSockets above all. The browser is answered 101 only if the lab was; then bytes are copied
//! both ways until one side ends, the pass ends, the pod is gone or the server stops.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{body::Body, response::Response};
use domain::visits::real_use::Talk;
use http::{HeaderMap, HeaderValue, StatusCode, Version, header, request::Parts};
use http_body::Body as _;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;

use crate::{
    Asked, Inner,
    counts::{OpenSocket, PASSED},
    headers::{self, list},
    ports::SharedPass,
    proxy::{self, Line},
    relay,
    watch::Watch,
    words::Matter,
};

/// After one side has ended, the other side gets this long to do the same: not every way to a pod carries half an end.
const LINGER: Duration = Duration::from_secs(10);
/// The same for a WebSocket whose client closed its connection without a word of the protocol: it is gone, and its place is wanted. In bytes
/// without messages such an end may be a program that has said all and still listens.
const LINGER_GONE: Duration = Duration::from_millis(500);

/// After a refusal with a longer body the connection stays as it is: hyper would cut what a slow client has not taken yet.
const SHORT: u64 = 16 * 1_024;

/// The protocols that a request asks to change to. None for HTTP/2 over plain text: requests inside would not pass the door.
pub fn wanted(parts: &Parts) -> Option<HeaderValue> {
    // Browsers send `Connection` with every request: it is read only where there is an upgrade.
    let may_ask = parts.version == Version::HTTP_11 && parts.headers.contains_key(header::UPGRADE);
    let asks = may_ask && list(&parts.headers, &header::CONNECTION).iter().any(|element| element == "upgrade");
    let protocols = list(&parts.headers, &header::UPGRADE);
    let is_known = |protocol: &String| protocol != "h2c" && !protocol.starts_with("http/") && !protocol.starts_with("tls/");
    if !asks || protocols.is_empty() || !protocols.iter().all(is_known) || parts.extensions.get::<OnUpgrade>().is_none() {
        return None;
    }
    let mut values = parts.headers.get_all(header::UPGRADE).iter();
    values.next().filter(|_| values.next().is_none()).cloned()
}

pub async fn forward(door: &Inner, asked: &Asked, mut parts: Parts, body: Body, protocol: &HeaderValue, line: Line) -> Response {
    let near = parts.extensions.remove::<OnUpgrade>();
    let talk = Talk::of_socket(parts.uri.path());
    let request = proxy::for_lab(door, asked, parts, body, &line, Some(protocol));
    let answer = line.until_over(door.upstream.send_alone(request, &line.pod, line.port)).await;
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(broken) => return proxy::broken_off(door, asked, &line, &broken).await,
    };
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        door.counts.outcome(PASSED);
        let mut refusal = proxy::for_browser(answer, line);
        if refusal.body().size_hint().exact().is_some_and(|bytes| bytes <= SHORT) {
            refusal.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        return refusal;
    }
    let (Some(near), Some(far)) = (near, answer.extensions_mut().remove::<OnUpgrade>()) else {
        return door.no_answer(asked, &line.pass, Matter::NoAnswer);
    };
    let Some(chosen) = chosen(answer.headers(), protocol) else { return door.no_answer(asked, &line.pass, Matter::NoAnswer) };
    let talk = if chosen.as_bytes().eq_ignore_ascii_case(b"websocket") { talk } else { Talk::Bytes };
    let mut headers = std::mem::take(answer.headers_mut());
    headers::for_browser(&mut headers);
    headers::switch(&mut headers, chosen);
    let mut switching = Response::new(Body::empty());
    *switching.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *switching.headers_mut() = headers;
    let both = async move {
        let (Ok(near), Ok(far)) = tokio::join!(near, far) else { return None };
        Some((near, TokioIo::new(far)))
    };
    tokio::spawn(tunnel(both, line, talk, door.counts.open_socket(), door.stopping.clone()));
    switching
}

/// The protocol that the lab chose of those that were asked for.
fn chosen(answer: &HeaderMap, asked: &HeaderValue) -> Option<HeaderValue> {
    let mut only = HeaderMap::new();
    only.insert(header::UPGRADE, asked.clone());
    let (chosen, asked) = (list(answer, &header::UPGRADE), list(&only, &header::UPGRADE));
    let good = !chosen.is_empty() && chosen.iter().all(|protocol| asked.contains(protocol));
    if good { answer.get(header::UPGRADE).cloned() } else { None }
}

/// Copies until one side, the pass, the pod or the server ends. `both`: the client's side and the lab's. Dropping both closes them.
pub async fn tunnel<F>(both: impl Future<Output = Option<(Upgraded, F)>>, line: Line, talk: Talk, open: OpenSocket, stopping: CancellationToken)
where
    F: AsyncRead + AsyncWrite + Unpin,
{
    let Line { pass, gone, place, .. } = line;
    tokio::select! {
        biased;
        () = pass.ended().cancelled() => {}
        () = gone.cancelled() => {}
        () = stopping.cancelled() => {}
        () = copy(both, &pass, talk) => {}
    }
    drop((place, open));
}

async fn copy<F>(both: impl Future<Output = Option<(Upgraded, F)>>, pass: &SharedPass, talk: Talk)
where
    F: AsyncRead + AsyncWrite + Unpin,
{
    let Some((near, far)) = both.await else { return };
    let (left, closed) = (CancellationToken::new(), CancellationToken::new());
    let mut near = Side { io: TokioIo::new(near), closed: left.clone(), pass: None, watch: None };
    let watch = Some(Watch::new(pass, talk));
    let mut far = Side { io: far, closed: closed.clone(), pass: Some(SharedPass::clone(pass)), watch };
    let copying = relay::both(&mut near, &mut far);
    let after_client = if talk == Talk::Bytes { LINGER } else { LINGER_GONE };
    let lingering = async {
        tokio::select! {
            () = left.cancelled() => tokio::time::sleep(after_client).await,
            () = closed.cancelled() => tokio::time::sleep(LINGER).await,
        }
    };
    tokio::select! {
        copied = copying => {
            if let Err(error) = copied {
                tracing::debug!(%error, "a socket of a lab broke");
            }
        }
        () = lingering => {}
    }
}

/// One end of the tunnel.
struct Side<S> {
    io: S,
    /// Cancelled when this side sends no more.
    closed: CancellationToken,
    /// On the lab's side: counts its bytes.
    pass: Option<SharedPass>,
    /// On the lab's side: looks for use in what it is sent.
    watch: Option<Watch>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Side<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (before, room) = (buffer.filled().len(), buffer.remaining());
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        let bytes = buffer.filled().len() - before;
        if bytes == 0 && room > 0 {
            self.closed.cancel();
        } else if let Some(pass) = &self.pass {
            pass.count(0, bytes as u64);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Side<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        if let Some(pass) = &self.pass {
            pass.count(written as u64, 0);
        }
        if let Some(watch) = &mut self.watch {
            watch.sent(&bytes[..written]);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lab_chooses_among_the_protocols_that_were_asked_for() {
        let answer = |value: &'static str| [(header::UPGRADE, HeaderValue::from_static(value))].into_iter().collect::<HeaderMap>();
        let asked = HeaderValue::from_static("websocket");
        assert_eq!(chosen(&answer("WebSocket"), &asked), Some(HeaderValue::from_static("WebSocket")));
        for wrong in ["h2c", "websocket, h2c", ""] {
            assert_eq!(chosen(&answer(wrong), &asked), None, "{wrong}");
        }
        assert_eq!(chosen(&HeaderMap::new(), &asked), None);
        assert_eq!(chosen(&answer("a"), &HeaderValue::from_static("a, b")), Some(HeaderValue::from_static("a")));
    }

    #[test]
    fn without_a_connection_that_can_change_there_is_no_upgrade() {
        let request = http::Request::get("/").header("connection", "upgrade").header("upgrade", "websocket");
        assert_eq!(wanted(&request.body(()).unwrap().into_parts().0), None);
    }
}
