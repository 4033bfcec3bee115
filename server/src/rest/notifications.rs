//! What Lectern tells the token's owner. Any token may read and mark its owner's own.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::{Error, notifications::Notification as Told, page::Page};
use serde::Serialize;
use services::notifications::Wanted;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    dto::{List, moment},
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub struct Notification {
    pub id: String,
    /// What happened as data, by its `kind`; the words are the client's.
    #[schema(value_type = Value, example = json!({"kind": "order_waits", "order": "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e", "number": 2047, "owner": "示范教师甲"}))]
    pub notice: domain::notifications::Notice,
    #[schema(example = "2026-11-21T02:00:00Z")]
    pub created_at: String,
    /// `null` while it is unread.
    pub read_at: Option<String>,
}

impl From<Told> for Notification {
    fn from(Told { id, notice, created_at, read_at }: Told) -> Self {
        Self { id: id.to_string(), notice, created_at: moment(created_at), read_at: read_at.map(moment) }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Unread {
    /// Counted to 100.
    #[schema(example = 3)]
    pub unread: u32,
}

/// One's own notifications, newest first; those older than 90 days are gone.
#[utoipa::path(get, path = "/api/v1/notifications", tag = "notifications",
    params(("unread" = Option<bool>, Query, description = "Only those that are not read"), ("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Notification>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<Notification>>, Problem> {
    let wanted = if query.flag("unread") { Wanted::Unread } else { Wanted::All };
    let page = query.page();
    query.finish()?;
    let told: Page<_> = services::notifications::list(&state.services, &caller, wanted, &page).await?;
    Ok(Json(List::of(told, Notification::from)))
}

/// Marks all of one's notifications as read.
#[utoipa::path(post, path = "/api/v1/notifications/read", tag = "notifications", responses((status = 200, body = Unread)))]
pub async fn read_all(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<Unread>, Problem> {
    Fields::parse(&raw)?.finish()?;
    services::notifications::mark_read(&state.services, &caller, None).await?;
    Ok(Json(Unread { unread: services::notifications::unread(&state.services, &caller).await? }))
}

/// Marks one notification as read.
#[utoipa::path(post, path = "/api/v1/notifications/{id}/read", tag = "notifications", params(("id" = String, Path)),
    responses((status = 200, body = Unread)))]
pub async fn read(State(state): State<AppState>, Bearer(caller): Bearer, Path(id): Path<String>, raw: Raw) -> Result<Json<Unread>, Problem> {
    Fields::parse(&raw)?.finish()?;
    let id = id.parse().map_err(|_| Error::NotFound)?;
    services::notifications::mark_read(&state.services, &caller, Some(id)).await?;
    Ok(Json(Unread { unread: services::notifications::unread(&state.services, &caller).await? }))
}
