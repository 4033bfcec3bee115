//! One connection: its TLS, its requests, its end.

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use http::{HeaderValue, StatusCode, header};
use http_body::Body as _;
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::{BoxError, Service, ServiceExt as _};

use crate::{
    body::{Answering, Arriving, BodyPace, Turn},
    limits::{HEAD_BYTES, Limits},
    socket::Socket,
    table::Place,
};

pub(crate) struct Connection<S> {
    pub limits: Limits,
    pub peer: SocketAddr,
    pub service: S,
    pub tls: Option<TlsAcceptor>,
    pub stop: CancellationToken,
}

impl<S> Connection<S>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Error: Into<BoxError> + Send,
    S::Future: Send,
{
    pub(crate) async fn run(self, socket: Socket) {
        let Self { limits, peer, service, tls, stop } = self;
        let place = socket.place();
        let requests = Requests { place: Arc::clone(&place), limits, peer, service, stop };
        let serving = async {
            let Some(tls) = tls else { return requests.serve_http1(socket).await };
            let Ok(stream) = tls.accept(socket).await else { return };
            requests.place.meter.start(Instant::now());
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                requests.place.meter.use_frames();
                requests.serve_http2(stream).await;
            } else {
                requests.serve_http1(stream).await;
            }
        };
        tokio::select! {
            biased;
            () = place.cut.cancelled() => {}
            () = serving => {}
        }
    }
}

struct Requests<S> {
    place: Arc<Place>,
    limits: Limits,
    peer: SocketAddr,
    service: S,
    stop: CancellationToken,
}

/// Drives a connection to its end. Errors of the client (it disconnects, or does not speak HTTP) are ignored.
macro_rules! drive {
    ($connection:expr, $place:expr, $stop:expr) => {{
        let mut connection = pin!($connection);
        let mut told = false;
        loop {
            tokio::select! {
                _ = connection.as_mut() => break,
                () = ended(&$place, &$stop), if !told => {
                    told = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }};
}

/// Ends when the server stops, or when this connection is to be closed because it was idle for long.
async fn ended(place: &Place, stop: &CancellationToken) {
    tokio::select! {
        () = place.close.cancelled() => {}
        () = stop.cancelled() => {}
    }
}

impl<S> Requests<S>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Error: Into<BoxError> + Send,
    S::Future: Send,
{
    async fn serve_http1(self, io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let (place, stop) = (Arc::clone(&self.place), self.stop.clone());
        let service = service_fn(move |request| self.answer(request));
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(None).max_header_size(HEAD_BYTES);
        drive!(builder.serve_connection(TokioIo::new(io), service).with_upgrades(), place, stop);
        // After an upgrade the socket is no longer HTTP; the limits here do not apply to it.
        place.meter.hand_over();
    }

    async fn serve_http2(self, io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let (place, stop) = (Arc::clone(&self.place), self.stop.clone());
        let service = service_fn(move |request| self.answer(request));
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new());
        drive!(builder.serve_connection(TokioIo::new(io), service), place, stop);
    }

    fn answer(&self, request: http::Request<Incoming>) -> impl Future<Output = Result<http::Response<Answering>, BoxError>> + Send + use<S> {
        let turn = Turn::begin(&self.place);
        let pace = BodyPace::default();
        let mut request = if request.body().is_end_stream() {
            request.map(Body::new)
        } else {
            request.map(|body| Body::new(Arriving::new(body, &self.place, pace.clone(), self.limits.body)))
        };
        request.extensions_mut().insert(ConnectInfo(self.peer));
        request.extensions_mut().insert(pace.clone());
        let answering = self.service.clone().oneshot(request);
        async move {
            let mut response = answering.await.map_err(Into::into)?;
            if pace.is_too_slow() {
                too_slow(&mut response);
            }
            Ok(response.map(|body| Answering::new(body, turn)))
        }
    }
}

/// Turns the answer into a 408: the handler only knows that the body cannot be read.
fn too_slow(response: &mut Response) {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    if response.status() != StatusCode::REQUEST_TIMEOUT {
        *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
        for name in [header::CONTENT_LENGTH, header::CONTENT_ENCODING] {
            response.headers_mut().remove(name);
        }
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        *response.body_mut() = Body::from("The body of the request came too slowly; nothing was done.\n");
    }
}
