//! Deciding while somebody is away: list, name a stand-in, end it.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::delegations::{Delegation as DomainDelegation, DelegationForm};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    dto::{List, Person, moment},
    orders::id,
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

/// Somebody decides in the name of somebody who is away.
#[derive(Debug, Serialize, ToSchema)]
pub struct Delegation {
    #[schema(example = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e")]
    pub id: String,
    pub absent: Person,
    pub stand_in: Person,
    /// The first instant of the first day on campus.
    #[schema(example = "2026-11-22T16:00:00Z")]
    pub from: String,
    /// The first instant after the last day.
    #[schema(example = "2026-11-27T16:00:00Z")]
    pub until: String,
    /// May be empty.
    pub note: String,
    pub created_at: String,
    /// When one of the two ended it, or when it was over.
    pub ended_at: Option<String>,
}

impl From<DomainDelegation> for Delegation {
    fn from(delegation: DomainDelegation) -> Self {
        let DomainDelegation { id, absent, stand_in, from, until, note, created_at, ended_at } = delegation;
        Self {
            id: id.to_string(),
            absent: absent.into(),
            stand_in: stand_in.into(),
            from: moment(from),
            until: moment(until),
            note,
            created_at: moment(created_at),
            ended_at: ended_at.map(moment),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct NewDelegation {
    /// Login of somebody in the college.
    #[schema(example = "manager")]
    stand_in: String,
    /// First day on campus; left out for today.
    #[schema(example = "2027-11-23")]
    from: Option<String>,
    /// Last day on campus, which is part of it; at most 366 days in all.
    #[schema(example = "2027-11-27")]
    until: String,
    /// Up to 200 characters.
    note: Option<String>,
}

/// Delegations in which the token's owner is one of the two, latest first, also those that are over.
#[utoipa::path(get, path = "/api/v1/delegations", tag = "orders", params(("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Delegation>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<Delegation>>, Problem> {
    let page = query.page();
    query.finish()?;
    Ok(Json(List::of(services::delegations::list(&state.services, &caller, &page).await?, Delegation::from)))
}

/// Names a stand-in, who decides in the name of the token's owner; the same again gives the one that there is.
#[utoipa::path(post, path = "/api/v1/delegations", tag = "orders", request_body = NewDelegation, responses((status = 200, body = Delegation)))]
pub async fn create(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<Delegation>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let form = DelegationForm {
        stand_in: body.optional_text("stand_in"),
        from: body.optional_text("from"),
        until: body.optional_text("until"),
        note: body.optional_text("note"),
    };
    body.finish()?;
    Ok(Json(services::delegations::create(&state.services, &caller, &form).await?.into()))
}

/// Ends a delegation now; either of the two may.
#[utoipa::path(delete, path = "/api/v1/delegations/{id}", tag = "orders", params(("id" = String, Path)),
    responses((status = 204, description = "It is over")))]
pub async fn end(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>) -> Result<http::StatusCode, Problem> {
    services::delegations::end(&state.services, &caller, id(&text)?).await?;
    Ok(http::StatusCode::NO_CONTENT)
}
