//! `/api/v1`: the REST API, for programs. Bearer tokens only; cookies are ignored. One file for each resource; a new operation is a
//! handler with its `utoipa::path`, a line in [`operations`] and one in [`openapi`], which a test holds against each other.

pub mod announcements;
pub mod audit;
pub mod bearer;
pub mod bills;
pub mod body;
pub mod courses;
pub mod dto;
pub mod imports;
pub mod labs;
pub mod offerings;
pub mod openapi;
pub mod orders;
pub mod people;
pub mod problem;
pub mod query;
pub mod quotas;
pub mod tenants;
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
        reading("/tenants", get(tenants::list)),
        changing("/tenants", post(tenants::create)),
        changing("/tenants/{id}", post(tenants::change)),
        reading("/courses", get(courses::list)),
        changing("/courses", post(courses::create)),
        reading("/courses/{id}", get(courses::show)),
        changing("/courses/{id}", post(courses::change)),
        changing("/courses/{id}/quota", post(courses::set_quota)),
        changing("/courses/{id}/budget", post(courses::set_budget)),
        changing("/courses/{id}/members", post(courses::add_member)),
        changing("/courses/{id}/members/{user}/remove", post(courses::remove_member)),
        changing("/courses/{id}/archive", post(courses::archive)),
        changing("/courses/{id}/restore", post(courses::restore)),
        reading("/people", get(people::list)),
        changing("/people", post(people::invite)),
        reading("/people/{id}", get(people::show)),
        changing("/people/{id}/invite", post(people::invite_again)),
        changing("/people/{id}/reset", post(people::reset)),
        changing("/people/{id}/access", post(people::set_access)),
        changing("/people/{id}/disable", post(people::disable)),
        changing("/people/{id}/enable", post(people::enable)),
        reading("/announcements", get(announcements::list)),
        changing("/announcements", post(announcements::create)),
        changing("/announcements/{id}/end", post(announcements::end)),
        reading("/imports", get(imports::list)),
        changing("/imports", post(imports::create)),
        reading("/imports/{id}", get(imports::show)),
        reading("/imports/{id}/rows", get(imports::rows)),
        changing("/imports/{id}/start", post(imports::start)),
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
