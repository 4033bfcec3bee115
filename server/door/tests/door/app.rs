//! The application in the lab: what it answers depends on the path.

use std::{
    convert::Infallible,
    fmt::Write as _,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Counts of the application.
#[derive(Debug, Default)]
pub struct App {
    pub requests: AtomicUsize,
    /// Connections that are open.
    pub open: AtomicUsize,
    /// Bytes of `/flood` that were taken.
    pub flooded: AtomicU64,
}

struct Open(Arc<App>);

impl Open {
    fn one(app: &Arc<App>) -> Self {
        app.open.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(app))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl App {
    pub async fn start() -> (Arc<Self>, SocketAddr) {
        let app = Arc::new(Self::default());
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("an address");
        let serving = Arc::clone(&app);
        tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let (app, open) = (Arc::clone(&serving), Open::one(&serving));
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&app), request));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
                    drop(open);
                });
            }
        });
        (app, address)
    }
}

async fn answer(app: Arc<App>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    app.requests.fetch_add(1, Ordering::SeqCst);
    let path = request.uri().path().to_owned();
    Ok(match path.as_str() {
        "/socket" | "/api/kernels/5f1c/channels" | "/terminals/websocket/1" => socket(&app, request),
        "/other-protocol" => switched("h2c"),
        "/stream" => Response::new(Body::from_stream(stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"first"))]).chain(stream::pending()))),
        "/flood" => flood(app),
        "/bytes" => Response::new(Body::from_stream(stream::iter(b"one by one").then(|byte| async move {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(Bytes::copy_from_slice(&[*byte]))
        }))),
        "/cut" => {
            let pieces = [Ok(Bytes::from_static(b"half")), Err("the application died")];
            Response::new(Body::from_stream(stream::iter(pieces).then(|piece| async move {
                tokio::task::yield_now().await;
                piece
            })))
        }
        "/silent" => std::future::pending().await,
        "/headers" => with_headers(),
        path if path.starts_with("/refuse/") => refuse(path),
        _ => echo(request).await,
    })
}

/// The request's head and body as text.
async fn echo(request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let mut text = format!("{} {}\n", head.method, head.uri);
    for (name, value) in &head.headers {
        let _ = writeln!(text, "{name}: {}", value.to_str().unwrap_or("?"));
    }
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let _ = write!(text, "\n{}", String::from_utf8_lossy(&body));
    Response::new(Body::from(text))
}

fn switched(protocol: &str) -> Response<Body> {
    let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS).header("connection", "upgrade").header("upgrade", protocol);
    response.header("set-cookie", "a=1").body(Body::empty()).expect("an answer")
}

/// Sends back what comes.
fn socket(app: &Arc<App>, request: Request<Incoming>) -> Response<Body> {
    let open = Open::one(app);
    tokio::spawn(async move {
        if let Ok(upgraded) = hyper::upgrade::on(request).await {
            let (mut from, mut to) = tokio::io::split(TokioIo::new(upgraded));
            let _ = tokio::io::copy(&mut from, &mut to).await;
        }
        drop(open);
    });
    switched("websocket")
}

/// As much as the other side takes.
fn flood(app: Arc<App>) -> Response<Body> {
    let piece = Bytes::from(vec![b'x'; 16 * 1_024]);
    let pieces = stream::repeat_with(move || {
        app.flooded.fetch_add(piece.len() as u64, Ordering::SeqCst);
        Ok::<_, Infallible>(piece.clone())
    });
    Response::new(Body::from_stream(pieces))
}

fn refuse(path: &str) -> Response<Body> {
    let status = path.rsplit('/').next().and_then(|status| status.parse::<u16>().ok()).unwrap_or(500);
    Response::builder().status(status).header("x-own", "kept").body(Body::from("no socket here")).expect("an answer")
}

fn with_headers() -> Response<Body> {
    let response = Response::builder()
        .header("strict-transport-security", "max-age=1; includeSubDomains")
        .header("alt-svc", "h3=\":443\"")
        .header("clear-site-data", "\"cookies\"")
        .header("service-worker-allowed", "/")
        .header("set-cookie", "lectern-lab=stolen")
        .header("set-cookie", "a=1; Domain=localhost")
        .header("set-cookie", "own=1; Path=/")
        .header("content-security-policy", "frame-ancestors 'self'")
        .header("content-encoding", "gzip");
    response.body(Body::from("packed")).expect("an answer")
}
