//! Accepting connections: TLS, then HTTP/1.1 or HTTP/2, each connection in a task of its own.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{extract::Request, response::Response};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::{faults::Switchboard, rest::Cut};

/// A client that does not finish its handshake by then is let go.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The connection is closed instead of an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut, as a fault has it")]
struct CutOff;

impl From<Infallible> for CutOff {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Serves until told to stop; open connections end with it. While the server is away, as `faults` say, the port stays taken and every
/// connection is closed at once: a port that is let go might be another's when the server comes back.
pub async fn serve(listener: TcpListener, tls: TlsAcceptor, router: axum::Router, faults: Arc<Switchboard>, stopping: CancellationToken) {
    let mut connections = JoinSet::new();
    let mut turned = faults.turned();
    loop {
        let accepted = tokio::select! {
            () = stopping.cancelled() => break,
            Ok(()) = turned.changed() => {
                if faults.is_away() {
                    connections.shutdown().await;
                }
                continue;
            }
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        if faults.is_away() {
            continue;
        }
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: wait instead of spinning.
                tracing::warn!(error = %error, "the simulated cluster cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Without it every small answer on a kept connection waits for the client's acknowledgement.
        let _ = stream.set_nodelay(true);
        let (tls, router) = (tls.clone(), router.clone());
        connections.spawn(async move {
            let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await else { return };
            let service = TowerToHyperService::new(ServiceExt::<Request>::map_result(router, answered));
            // A client that goes away is no fault here.
            let _ = Builder::new(TokioExecutor::new()).serve_connection_with_upgrades(TokioIo::new(stream), service).await;
        });
    }
    drop(listener);
    // What is being answered may finish; watches have ended by now.
    let _ = tokio::time::timeout(Duration::from_millis(200), async { while connections.join_next().await.is_some() {} }).await;
    connections.shutdown().await;
}

fn answered(answer: Result<Response, Infallible>) -> Result<Response, CutOff> {
    let Ok(response) = answer;
    if response.extensions().get::<Cut>().is_some() { Err(CutOff) } else { Ok(response) }
}
