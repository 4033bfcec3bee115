//! `/api/v1`: the REST API, for programs. Bearer tokens only; cookies are ignored. One file for each resource; a new operation is a
//! handler with its `utoipa::path`, a line in [`operations`] and one in [`openapi`], which a test holds against each other.

pub mod adjustments;
pub mod again;
pub mod announcements;
pub mod audit;
pub mod audit_more;
pub mod bearer;
pub mod bills;
pub mod body;
pub mod class_orders;
pub mod cost_estimate;
pub mod courses;
pub mod decisions;
pub mod delegations;
pub mod dto;
mod examples;
pub mod imports;
pub mod lab_changes;
pub mod lab_logs;
pub mod lab_shares;
pub mod lab_visits;
pub mod labs;
pub mod nodes;
pub mod notifications;
pub mod offering_versions;
pub mod offerings;
pub mod openapi;
pub mod orders;
pub mod people;
pub mod policies;
pub mod prices;
pub mod problem;
pub mod query;
pub mod quotas;
pub mod rosters;
pub mod scopes;
pub mod search;
pub mod ssh_keys;
pub mod tenants;
pub mod usage;

use axum::{
    Router,
    middleware::from_fn,
    routing::{MethodRouter, delete, get, post, put},
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
fn setting(path: &'static str, route: MethodRouter<AppState>) -> Operation {
    Operation { method: Method::PUT, path, route }
}

/// Every operation there is.
pub fn operations() -> Vec<Operation> {
    vec![
        reading("/openapi.json", get(openapi::show)),
        reading("/offerings", get(offerings::list)),
        changing("/offerings", post(offering_versions::create)),
        changing("/offerings/preview", post(offering_versions::preview)),
        reading("/offerings/{slug}", get(offerings::show)),
        reading("/offerings/{slug}/versions", get(offering_versions::list)),
        changing("/offerings/{slug}/versions", post(offering_versions::save)),
        changing("/offerings/{slug}/publish", post(offering_versions::publish)),
        changing("/offerings/{slug}/retire", post(offering_versions::retire)),
        changing("/offerings/{slug}/restore", post(offering_versions::restore)),
        reading("/orders", get(orders::list)),
        changing("/orders", post(orders::submit)),
        reading("/orders/{id}", get(orders::show)),
        changing("/orders/{id}/approve", post(orders::approve)),
        changing("/orders/{id}/reject", post(orders::reject)),
        changing("/orders/{id}/cancel", post(orders::cancel)),
        changing("/orders/{id}/again", post(again::again)),
        changing("/class-orders/{id}/approve", post(class_orders::approve)),
        changing("/class-orders/{id}/reject", post(class_orders::reject)),
        changing("/class-orders/{id}/cancel", post(class_orders::cancel)),
        reading("/orders/{id}/decisions", get(decisions::list)),
        changing("/orders/{id}/ask", post(decisions::ask)),
        changing("/orders/{id}/answer", post(decisions::answer)),
        changing("/orders/{id}/accept-changes", post(decisions::accept)),
        changing("/orders/{id}/decline-changes", post(decisions::decline)),
        changing("/orders/{id}/withdraw-changes", post(decisions::withdraw)),
        changing("/approvals/approve", post(decisions::approve_all)),
        changing("/approvals/reject", post(decisions::reject_all)),
        reading("/delegations", get(delegations::list)),
        changing("/delegations", post(delegations::create)),
        Operation { method: Method::DELETE, path: "/delegations/{id}", route: delete(delegations::end) },
        reading("/policies", get(policies::show)),
        Operation { method: Method::PUT, path: "/policies", route: put(policies::replace) },
        changing("/policies/dry-run", post(policies::dry_run)),
        reading("/labs", get(labs::list)),
        reading("/labs/{id}", get(labs::show)),
        reading("/labs/{id}/logs", get(lab_logs::show)),
        reading("/labs/{id}/visits", get(lab_visits::list)),
        reading("/labs/{id}/shares", get(lab_shares::list)),
        changing("/labs/{id}/shares", post(lab_shares::create)),
        Operation { method: Method::DELETE, path: "/labs/{id}/shares/{share}", route: delete(lab_shares::withdraw) },
        changing("/labs/{id}/start", post(labs::start)),
        changing("/labs/{id}/stop", post(labs::stop)),
        changing("/labs/{id}/destroy", post(labs::destroy)),
        changing("/labs/{id}/restart", post(lab_changes::restart)),
        changing("/labs/{id}/retry", post(lab_changes::retry)),
        changing("/labs/{id}/extend", post(lab_changes::extend)),
        changing("/labs/{id}/resize", post(lab_changes::resize)),
        changing("/labs/{id}/keep", post(lab_changes::keep)),
        changing("/labs/{id}/keep-running", post(lab_changes::keep_running)),
        setting("/labs/{id}/autostop", put(lab_changes::autostop)),
        reading("/ssh-keys", get(ssh_keys::list)),
        changing("/ssh-keys", post(ssh_keys::add)),
        Operation { method: Method::DELETE, path: "/ssh-keys/{id}", route: delete(ssh_keys::remove) },
        reading("/usage", get(usage::list)),
        reading("/bills", get(bills::list)),
        reading("/bills/{id}/lines", get(bills::lines)),
        reading("/bills/export", get(bills::export)),
        changing("/bills/close", post(bills::close)),
        reading("/cost-estimate", get(cost_estimate::show)),
        reading("/prices", get(prices::list)),
        changing("/prices", post(prices::set)),
        changing("/prices/preview", post(prices::preview)),
        changing("/prices/withdraw", post(prices::withdraw)),
        reading("/discounts", get(prices::discounts)),
        changing("/discounts", post(prices::grant)),
        changing("/discounts/{id}/end", post(prices::end)),
        reading("/adjustments", get(adjustments::list)),
        changing("/adjustments", post(adjustments::add)),
        reading("/quotas", get(quotas::list)),
        reading("/gpu-inventory", get(nodes::inventory)),
        reading("/nodes", get(nodes::list)),
        reading("/nodes/{name}", get(nodes::show)),
        reading("/audit/events", get(audit::list)),
        reading("/audit/searches", get(audit_more::saved)),
        changing("/audit/searches", post(audit_more::save)),
        changing("/audit/searches/{id}/delete", post(audit_more::delete)),
        reading("/audit/export", get(audit_more::export)),
        reading("/audit/chain", get(audit_more::chain)),
        changing("/audit/verify", post(audit_more::verify)),
        reading("/notifications", get(notifications::list)),
        changing("/notifications/read", post(notifications::read_all)),
        changing("/notifications/{id}/read", post(notifications::read)),
        reading("/search", get(search::find)),
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
        reading("/courses/{id}/roster", get(rosters::show)),
        setting("/courses/{id}/roster", put(rosters::set)),
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
