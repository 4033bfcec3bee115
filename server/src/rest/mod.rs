//! `/api/v1`: the REST API, for programs. Bearer tokens only; cookies are ignored. One file for each resource; a new operation is a
//! handler with its `utoipa::path`, a line in [`operations`] and one in [`openapi`], which a test holds against each other.

pub mod audit;
pub mod bearer;
pub mod bills;
pub mod body;
pub mod dto;
mod examples;
pub mod labs;
pub mod offerings;
pub mod openapi;
pub mod orders;
pub mod problem;
pub mod query;
pub mod quotas;
pub mod usage;

use axum::{
    Router,
    middleware::from_fn,
    routing::{MethodRouter, get, post},
};
use http::Method;

use crate::state::AppState;
use problem::Problem;

pub const PREFIX: &str = "/api/v1";

/// One operation of the API; paths are below [`PREFIX`].
pub struct Operation {
    pub method: Method,
    pub path: &'static str,
    route: MethodRouter<AppState>,
}

fn reading(path: &'static str, route: MethodRouter<AppState>) -> Operation {
    Operation { method: Method::GET, path, route }
}
fn changing(path: &'static str, route: MethodRouter<AppState>) -> Operation {
    Operation { method: Method::POST, path, route }
}

/// Every operation there is.
pub fn operations() -> Vec<Operation> {
    vec![
        reading("/openapi.json", get(openapi::show)),
        reading("/offerings", get(offerings::list)),
        reading("/orders", get(orders::list)),
        changing("/orders", post(orders::submit)),
        reading("/orders/{id}", get(orders::show)),
        changing("/orders/{id}/approve", post(orders::approve)),
        changing("/orders/{id}/reject", post(orders::reject)),
        changing("/orders/{id}/cancel", post(orders::cancel)),
        reading("/labs", get(labs::list)),
        reading("/labs/{id}", get(labs::show)),
        changing("/labs/{id}/start", post(labs::start)),
        changing("/labs/{id}/stop", post(labs::stop)),
        changing("/labs/{id}/destroy", post(labs::destroy)),
        reading("/usage", get(usage::list)),
        reading("/bills", get(bills::list)),
        reading("/quotas", get(quotas::list)),
        reading("/audit/events", get(audit::list)),
    ]
}

/// Everything under [`PREFIX`], with problem documents also for paths and methods that are not there.
pub fn routes() -> Router<AppState> {
    let mut router = Router::new();
    for operation in operations() {
        router = router.route(operation.path, operation.route);
    }
    let router = router
        .method_not_allowed_fallback(|| async { Problem::MethodNotAllowed })
        .fallback(|| async { Problem::Refused(domain::Error::NotFound) })
        .layer(from_fn(problem::render));
    Router::new().nest(PREFIX, router)
}
