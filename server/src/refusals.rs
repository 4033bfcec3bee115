//! A request that is refused leaves a record or is counted for one, whatever refused it: this sees every answer of the pages and the API.

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use domain::Error;
use http::{Method, StatusCode};
use services::{
    Origin,
    audit::{
        self,
        refusals::{Progress, Seen},
    },
};

use crate::{error_page, request::loggable, state::AppState};

pub async fn record(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    // A request for a path that does not exist is not a refusal.
    let exists = request.extensions().get::<MatchedPath>().is_some();
    let Some(origin) = request.extensions().get::<Origin>().cloned().filter(|_| exists) else { return next.run(request).await };
    let asked = format!("{} {}", request.method(), loggable(request.uri().path()));
    let progress = Progress::default();
    request.extensions_mut().insert(progress.clone());
    let wording = (request.method() == Method::POST).then(|| error_page::wording(request.headers()));
    let mut response = next.run(request).await;

    let services = &state.services;
    let recorded = origin.request_id.as_deref().is_some_and(|id| services.cache.recorded.take(id));
    let Seen { caller, code, instead } = progress.take();
    if let Some(error) = instead {
        response = error_page::answer(&wording.unwrap_or_default(), &error);
    }
    let Some(code) = code.or_else(|| code_of(response.status())).filter(|_| !recorded) else { return response };
    match caller {
        Some(caller) => audit::refusals::request_refused(services, &caller, &asked, code),
        // A page that is open to everybody and finds nothing is no refusal.
        None if code == Error::NotFound.code() => {}
        None => audit::refusals::no_session(services, &origin, code),
    }
    // Writing this record marked the request as recorded again.
    if let Some(id) = &origin.request_id {
        services.cache.recorded.take(id);
    }
    response
}

fn code_of(status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::UNAUTHORIZED => Some(Error::Unauthenticated.code()),
        StatusCode::FORBIDDEN => Some(Error::Forbidden.code()),
        StatusCode::NOT_FOUND => Some(Error::NotFound.code()),
        _ => None,
    }
}
