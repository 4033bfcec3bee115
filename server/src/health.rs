//! `/healthz`: the process answers. `/readyz`: the database answers too, and accepts writes.

use std::time::{Duration, Instant};

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};
use tokio::sync::Mutex;

use crate::state::AppState;

/// Anybody may call `/readyz`, so a result is reused for this time, and the database is tried at most once in it.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// The result of the last try. A request during a try waits for it.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<(Instant, bool)>>);

pub async fn healthz() -> &'static str {
    "ok\n"
}

pub async fn readyz(State(state): State<AppState>) -> Response {
    if is_ready(&state).await {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")], "the database does not answer or takes no changes\n").into_response()
    }
}

async fn is_ready(state: &AppState) -> bool {
    let mut last = state.readiness.0.lock().await;
    if let Some((at, ready)) = *last
        && at.elapsed() < GOOD_FOR
    {
        return ready;
    }
    let tried = services::readiness::try_write(&state.services).await;
    if let Err(error) = &tried {
        tracing::warn!(%error, "not ready: the database does not answer or takes no changes");
    }
    *last = Some((Instant::now(), tried.is_ok()));
    tried.is_ok()
}
