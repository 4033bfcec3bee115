//! `GET /audit/export`: what a search finds, as a file that is sent while it is read. The API answers the same under its own path.

use std::collections::BTreeMap;

use app::audit::{api::Query, filters};
use axum::{
    Extension,
    body::Body,
    extract::{Query as Parameters, State},
    response::{IntoResponse as _, Response},
};
use domain::{Error, audit::Filter};
use futures::{StreamExt as _, TryStreamExt as _};
use http::{HeaderMap, HeaderValue, header};
use services::{Caller, audit::Format};
use tower_sessions::Session;

use crate::{error_page, reading::Reader, state::AppState};

pub async fn download(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    session: Session,
    Parameters(mut given): Parameters<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let mut take = |name: &str| given.remove(name).unwrap_or_default();
    let format = Format::parse(&take("format")).unwrap_or(Format::Jsonl);
    let query = Query::read(take);
    let answer = async {
        let reader = Reader::of_session(&state.services, &caller, &session).await?;
        file(&state, &caller, reader, &filters::parse(&query)?, format).await
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&headers, &error))
}

/// The file, begun. What goes wrong later ends it early, which JSON lines show by the end that is missing. So does the end of the reader's right.
pub async fn file(state: &AppState, caller: &Caller, reader: Reader, filter: &Filter, format: Format) -> Result<Response, Error> {
    let pieces = services::audit::export(&state.services, caller, filter, format).await?;
    let stopping = state.stopping.clone();
    let body = reader.reads(pieces).take_until(async move { stopping.cancelled().await });
    let body = body.inspect_err(|error| tracing::warn!(%error, "an audit export ended early"));
    let day = state.services.clock.now().on_campus().date();
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let name = format!("attachment; filename=\"lectern-audit-{day}.{}\"", format.as_str());
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
