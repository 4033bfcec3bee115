//! The audit record, for auditors. Reading it is itself recorded.

use axum::{Json, extract::State};
use domain::{
    audit::{Filter, Listed, Outcome, Range, Via, Who},
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    dto::{List, moment},
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEvent {
    pub id: String,
    /// A tenant's id, or `system`.
    pub chain: String,
    pub at: String,
    pub who: Actor,
    /// `web`, `api`, `cli` or `job`.
    #[schema(value_type = String)]
    pub via: Via,
    /// IP address of the client.
    pub address: Option<String>,
    pub request_id: Option<String>,
    #[schema(example = "order.submit")]
    pub action: String,
    pub object: AuditObject,
    /// Id of the course, if it concerns one.
    pub course: Option<String>,
    /// `success`, `refused` or `failed`.
    #[schema(value_type = String)]
    pub outcome: Outcome,
    /// Code of the error, when it was refused or failed.
    pub code: Option<String>,
    /// What changed; secrets appear as `***`.
    pub before: Option<serde_json::Value>,
    pub after: Option<serde_json::Value>,
    /// How many attempts the record stands for.
    pub count: u32,
    /// Its place in the chain; `null` until it is sealed, within a second.
    pub seal: Option<Seal>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Actor {
    /// `person`, `system` or `anonymous`.
    pub kind: &'static str,
    /// Login, job, or what was typed.
    pub label: String,
    pub id: Option<String>,
    pub name: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AuditObject {
    pub kind: String,
    pub id: String,
    pub label: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Seal {
    /// Counts from 1 within the chain.
    pub seq: i64,
    /// SHA-256 of the record before it, and its own.
    pub prev: String,
    pub hash: String,
}

impl From<Who> for Actor {
    fn from(who: Who) -> Self {
        let (kind, label) = (who.kind(), who.label().to_owned());
        let (id, name) = match who {
            Who::Person { id, login: _, name } => (Some(id.to_string()), Some(name)),
            Who::System { .. } | Who::Anonymous { .. } => (None, None),
        };
        Self { kind, label, id, name }
    }
}

impl From<Listed> for AuditEvent {
    fn from(Listed { event, seal }: Listed) -> Self {
        let domain::audit::Event { id, chain, at, who, via, address, request_id, action, object, course, outcome, code, before, after, count } =
            event;
        let domain::audit::Object { kind, id: object_id, label } = object;
        Self {
            id: id.to_string(),
            chain: chain.to_string(),
            at: moment(at),
            who: who.into(),
            via,
            address,
            request_id,
            action,
            object: AuditObject { kind, id: object_id, label },
            course: course.map(|id| id.to_string()),
            outcome,
            code,
            before,
            after,
            count,
            seal: seal.map(|(seq, prev, hash)| Seal { seq, prev: prev.to_string(), hash: hash.to_string() }),
        }
    }
}

/// A date and time with its offset.
struct Instant(Timestamp);

impl std::str::FromStr for Instant {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Timestamp::parse_rfc3339(text).map(Self).ok_or(())
    }
}

/// The conditions of a search, as its parameters.
pub(super) fn filter(query: &mut Parameters) -> Filter {
    let mut instant = |name| query.parsed::<Instant>(name, "2026-11-21T08:00:00Z").map(|Instant(at)| at);
    let (from, to) = (instant("from"), instant("to"));
    Filter {
        person: query.text("person"),
        action: query.text("action"),
        object: query.text("object"),
        outcome: query.choice("outcome", Outcome::parse, || Outcome::ALL.map(|outcome| outcome.as_str().to_owned()).to_vec()),
        via: query.choice("via", Via::parse, || Via::ALL.map(|via| via.as_str().to_owned()).to_vec()),
        address: query.text("address"),
        text: query.text("text"),
        from,
        to,
        range: query.choice("range", Range::parse, || Range::ALL.map(|range| range.as_str().to_owned()).to_vec()),
        own_reads: query.flag("own_reads"),
        not_read_by: None,
    }
}

/// Searches the audit record, newest first.
#[utoipa::path(get, path = "/api/v1/audit/events", tag = "audit",
    params(("person" = Option<String>, Query, description = "Login"), ("action" = Option<String>, Query, description = "`order.submit`, or a prefix with its dot: `order.`"),
        ("object" = Option<String>, Query, description = "Label or id"), ("outcome" = Option<String>, Query), ("via" = Option<String>, Query, description = "`web`, `api`, `cli` or `job`"),
        ("address" = Option<String>, Query, description = "IP address"), ("text" = Option<String>, Query, description = "Words that must all occur"),
        ("from" = Option<String>, Query, description = "RFC 3339"), ("to" = Option<String>, Query, description = "RFC 3339"),
        ("range" = Option<String>, Query, description = "`today`, `week`, `month` or `term`, ending now"),
        ("own_reads" = Option<bool>, Query, description = "Also your own readings of the record, which are left out otherwise"), ("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<AuditEvent>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<AuditEvent>>, Problem> {
    let filter = filter(&mut query);
    let page = query.page();
    query.finish()?;
    let events = services::audit::search(&state.services, &caller, &filter, &page).await?;
    Ok(Json(List::of(events, AuditEvent::from)))
}
