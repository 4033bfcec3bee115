//! Announcements: list, make, end.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::announcements::{Announcement as DomainAnnouncement, AnnouncementForm};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    dto::{List, Localized, Person, moment},
    orders::id,
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub struct Announcement {
    #[schema(example = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e")]
    pub id: String,
    /// `info` or `maintenance`.
    #[schema(example = "maintenance")]
    pub level: &'static str,
    pub text: Localized,
    pub from: String,
    pub to: String,
    /// Id of the department that it is for; `null` for everybody.
    pub department: Option<String>,
    pub by: Person,
    /// When somebody ended it early.
    pub ended_at: Option<String>,
}

impl From<DomainAnnouncement> for Announcement {
    fn from(announcement: DomainAnnouncement) -> Self {
        let DomainAnnouncement { id, level, text, from, to, department, by, created_at: _, ended_at } = announcement;
        Self {
            id: id.to_string(),
            level: level.as_str(),
            text: text.into(),
            from: moment(from),
            to: moment(to),
            department: department.map(|department| department.id.to_string()),
            by: by.into(),
            ended_at: ended_at.map(moment),
        }
    }
}

/// Body of a new announcement. In place of `zh` and `en` it may have `text`, as an announcement is shown; `id`, `by` and `ended_at` are
/// ignored.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct NewAnnouncement {
    #[schema(example = "周六 8:00 至 12:00 停机维护。")]
    zh: String,
    #[schema(example = "Maintenance on Saturday from 8:00 to 12:00.")]
    en: String,
    /// `info` or `maintenance`.
    #[schema(example = "maintenance")]
    level: String,
    /// RFC 3339, or campus time without a zone; left out for now.
    #[schema(example = "2026-11-21T08:00")]
    from: Option<String>,
    #[schema(example = "2026-11-21T12:00")]
    to: String,
    /// Id of a department; left out for everybody.
    department: Option<String>,
}

/// Announcements of the college, latest first, also those that are over.
#[utoipa::path(get, path = "/api/v1/announcements", tag = "announcements",
    params(("limit" = Option<u32>, Query), ("after" = Option<String>, Query)), responses((status = 200, body = List<Announcement>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<Announcement>>, Problem> {
    let page = query.page();
    query.finish()?;
    Ok(Json(List::of(services::announcements::list(&state.services, &caller, &page).await?, Announcement::from)))
}

/// Announces something.
#[utoipa::path(post, path = "/api/v1/announcements", tag = "announcements", request_body = NewAnnouncement,
    responses((status = 200, body = Announcement)))]
pub async fn create(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<Announcement>, Problem> {
    let mut body = Fields::parse(&raw)?;
    body.ignore(&["id", "by", "ended_at"]);
    let mut nested = if body.has("zh") || body.has("en") { None } else { body.nested("text") };
    let texts = nested.as_mut().unwrap_or(&mut body);
    let (zh, en) = (texts.optional_text("zh"), texts.optional_text("en"));
    body.absorb("text", nested);
    let form = AnnouncementForm {
        zh,
        en,
        level: body.optional_text("level"),
        from: body.optional_text("from"),
        to: body.optional_text("to"),
        department: body.optional_text("department"),
    };
    body.finish()?;
    Ok(Json(services::announcements::create(&state.services, &caller, &form).await?.into()))
}

/// Ends an announcement now.
#[utoipa::path(post, path = "/api/v1/announcements/{id}/end", tag = "announcements", params(("id" = String, Path)),
    responses((status = 204, description = "It is over")))]
pub async fn end(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<http::StatusCode, Problem> {
    Fields::parse(&raw)?.finish()?;
    services::announcements::end(&state.services, &caller, id(&text)?).await?;
    Ok(http::StatusCode::NO_CONTENT)
}
