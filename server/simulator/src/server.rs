//! Serves the simulated API over TLS, and closes the port while a fault makes the cluster unreachable.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{extract::Request, response::Response};
use listener::{Limits, Listener};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::{faults::Switchboard, rest::Cut};

/// Time for requests in progress to finish; watches have ended by then.
const PATIENCE: Duration = Duration::from_millis(200);

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
pub async fn serve(socket: TcpListener, tls: TlsAcceptor, router: axum::Router, faults: Arc<Switchboard>, stopping: CancellationToken) {
    let service = ServiceExt::<Request>::map_result(router, answered);
    let listener = Listener::new(socket, Limits::default(), stopping, PATIENCE).tls(tls);
    listener.open_while(faults.turned(), move || !faults.is_away()).serve(service).await;
}

fn answered(answer: Result<Response, Infallible>) -> Result<Response, CutOff> {
    let Ok(response) = answer;
    if response.extensions().get::<Cut>().is_some() { Err(CutOff) } else { Ok(response) }
}
