//! Accepting connections: TLS, then HTTP/1.1 or HTTP/2, each connection in a task of its own.

use std::time::Duration;

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// A client that does not finish its handshake by then is let go.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Serves until told to stop; open connections end with it.
pub async fn serve(listener: TcpListener, tls: TlsAcceptor, router: axum::Router, stopping: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stopping.cancelled() => break,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
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
            let service = TowerToHyperService::new(router);
            // A client that goes away is no fault here.
            let _ = Builder::new(TokioExecutor::new()).serve_connection_with_upgrades(TokioIo::new(stream), service).await;
        });
    }
    drop(listener);
    // What is being answered may finish; watches have ended by now.
    let _ = tokio::time::timeout(Duration::from_millis(200), async { while connections.join_next().await.is_some() {} }).await;
    connections.shutdown().await;
}
