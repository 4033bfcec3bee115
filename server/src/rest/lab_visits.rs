//! The connection log of a lab.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::{ids::LabId, visits::Visit as DomainVisit};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    dto::{List, Person, moment},
    orders::id,
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

/// A span of time in which a person used a lab's own site.
#[derive(Debug, Serialize, ToSchema)]
pub struct Visit {
    pub id: String,
    pub person: Person,
    /// `owner`, `teacher`, `manager`, `break_glass`, or `share` for somebody with a link.
    #[schema(example = "owner")]
    pub role: &'static str,
    /// `browser`, the lab's own site; `terminal`, the terminal on the portal; `ssh`, a program with a token such as `lectern ssh`.
    #[schema(example = "browser")]
    pub way: &'static str,
    /// The port of the lab that was opened; null for its own.
    pub port: Option<u16>,
    /// Of a break-glass visit.
    pub reason: Option<String>,
    pub from: String,
    /// `null` while it lasts.
    pub until: Option<String>,
    /// `left`, `lab_stopped` or `pass_ended`.
    #[schema(example = "left")]
    pub ended_by: Option<&'static str>,
    /// IP address of the browser.
    #[schema(example = "10.12.1.11")]
    pub address: Option<String>,
    /// Bytes to the lab.
    pub bytes_in: i64,
    /// Bytes from the lab.
    pub bytes_out: i64,
    pub last_used_at: String,
}

impl From<DomainVisit> for Visit {
    fn from(visit: DomainVisit) -> Self {
        let DomainVisit { id, person, role, way, port, reason, from, until, ended_by, address, bytes_in, bytes_out, last_used_at } = visit;
        Self {
            id: id.to_string(),
            person: person.into(),
            role: role.as_str(),
            way: way.as_str(),
            port,
            reason,
            from: moment(from),
            until: until.map(moment),
            ended_by: ended_by.map(domain::visits::VisitEnd::as_str),
            address,
            bytes_in,
            bytes_out,
            last_used_at: moment(last_used_at),
        }
    }
}

/// Visits to the lab, newest first.
#[utoipa::path(get, path = "/api/v1/labs/{id}/visits", tag = "labs",
    params(("id" = String, Path), ("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Visit>)))]
pub async fn list(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    mut query: Parameters,
) -> Result<Json<List<Visit>>, Problem> {
    let page = query.page();
    query.finish()?;
    let visits = services::visits::list(&state.services, &caller, id::<LabId>(&text)?, &page).await?;
    Ok(Json(List::of(visits, Visit::from)))
}
