//! What owners ask of a lab that exists: restart, retry, more time, another size, keeping it, stopping by the clock or unused. Every request may be
//! repeated: give back what was seen (`generation`, `seen_minutes`), or say the outcome (`until`, a size, a setting).

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use domain::{
    Error, Problem as FieldProblem,
    labs::{Autostop, Extension, TimeOfDay},
    time::Timestamp,
};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    labs::Lab,
    orders::id,
    problem::Problem,
};
use crate::state::AppState;

/// Body of a restart, which may be left out.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"generation": 0}))]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct Restart {
    /// As you saw it; made anew since, nothing is done again.
    generation: Option<u32>,
}

/// Body of an extension: `minutes` or `until`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"minutes": 30, "seen_minutes": 90}))]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct Extend {
    minutes: Option<u32>,
    /// RFC 3339.
    until: Option<String>,
    /// `duration_minutes` as you saw it: a repeated request adds nothing.
    seen_minutes: Option<u32>,
}

/// Body of another size: what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"parameters": {"cpu_cores": 8, "memory_gib": 32}}))]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct Resize {
    #[schema(value_type = Option<Object>)]
    parameters: Option<BTreeMap<String, String>>,
    /// For the people who must approve it, up to 200 characters.
    purpose: Option<String>,
}

/// When a lab stops by itself; what is left out is off.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"daily": "22:00"}))]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct SetAutostop {
    /// Every day at this time on campus.
    daily: Option<String>,
    /// 10 to 1440 minutes without real use. Left out, the college's setting holds, if there is one.
    idle_minutes: Option<u32>,
}

/// A number that counts something. Errors: `Invalid` on the field.
fn natural(field: &str, number: Option<i64>) -> Result<Option<u32>, Error> {
    let counted = |number: i64| u32::try_from(number).map_err(|_| Error::field(field, FieldProblem::OutOfRange { min: 0, max: u32::MAX.into() }));
    number.map(counted).transpose()
}

/// The lab; as accepted where the change waits for approval.
fn changed(view: domain::labs::LabView) -> Response {
    let status = if view.change_filed { StatusCode::ACCEPTED } else { StatusCode::OK };
    (status, Json(Lab::from(view))).into_response()
}

/// Makes the lab's pods anew: files, cards and time stay, and it counts as no start. A failed lab is tried again.
#[utoipa::path(post, path = "/api/v1/labs/{id}/restart", tag = "labs", params(("id" = String, Path)),
    request_body = Option<Restart>,
    responses((status = 200, body = Lab), (status = 409, description = "`invalid_transition`")))]
pub async fn restart(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Lab>, Problem> {
    let mut fields = Fields::parse(&raw)?;
    let generation = fields.optional_integer("generation");
    fields.finish()?;
    let generation = natural("generation", generation)?;
    Ok(Json(services::labs::restart(&state.services, &caller, id(&text)?, generation).await?.into()))
}

/// Tries a failed lab again; the records of its failures stay. It may wait for cards.
#[utoipa::path(post, path = "/api/v1/labs/{id}/retry", tag = "labs", params(("id" = String, Path)),
    responses((status = 200, body = Lab), (status = 409, description = "`invalid_transition`: it did not fail")))]
pub async fn retry(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Lab>, Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok(Json(services::labs::retry(&state.services, &caller, id(&text)?).await?.into()))
}

/// Gives a lab more time: `minutes` more, or `until` an instant. What it costs is held of the course's budget. Where somebody must approve
/// it, an order is filed (`pending_change`) and the lab gets the time once it is approved.
#[utoipa::path(post, path = "/api/v1/labs/{id}/extend", tag = "labs", params(("id" = String, Path)),
    request_body = Extend,
    responses((status = 200, body = Lab), (status = 202, description = "Somebody must approve it", body = Lab),
        (status = 409, description = "`invalid_transition`, `stale`"),
        (status = 422, description = "`invalid`, `over_budget`, `refused_by_policy`")))]
pub async fn extend(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Response, Problem> {
    let mut fields = Fields::parse(&raw)?;
    let minutes = fields.optional_integer("minutes");
    let until = fields.optional_text("until");
    let seen = fields.optional_integer("seen_minutes");
    fields.finish()?;
    let seen = natural("seen_minutes", seen)?;
    let by = match (minutes, until.as_str()) {
        (Some(minutes), "") => Extension::Minutes(u32::try_from(minutes).map_err(|_| Error::field("minutes", FieldProblem::NotANumber))?),
        (None, until) if !until.is_empty() => {
            let bad = || Error::field("until", FieldProblem::NotADate { example: "2026-11-22T13:30:00+08:00".into() });
            Extension::Until(Timestamp::parse_rfc3339(until).ok_or_else(bad)?)
        }
        _ => return Err(Error::field("minutes", FieldProblem::Missing).into()),
    };
    let view = services::labs::extend(&state.services, &caller, id(&text)?, by, seen).await?;
    Ok(changed(view))
}

/// Gives a lab another size within its offering: what is left out stays. A running lab restarts with it, a stopped one takes it at its next
/// start. Storage can only grow. Where somebody must approve it, an order is filed (`pending_change`).
#[utoipa::path(post, path = "/api/v1/labs/{id}/resize", tag = "labs", params(("id" = String, Path)),
    request_body = Option<Resize>,
    responses((status = 200, body = Lab), (status = 202, description = "Somebody must approve it", body = Lab),
        (status = 409, description = "`invalid_transition`"),
        (status = 422, description = "`invalid`, `over_quota`, `over_budget`, `over_capacity`, `refused_by_policy`")))]
pub async fn resize(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Response, Problem> {
    let mut fields = Fields::parse(&raw)?;
    let (parameters, purpose) = (fields.parameters("parameters"), fields.optional_text("purpose"));
    fields.finish()?;
    let view = services::labs::resize(&state.services, &caller, id(&text)?, &parameters, &purpose).await?;
    Ok(changed(view))
}

/// Keeps a lab that is down longer than it would be; the time begins anew.
#[utoipa::path(post, path = "/api/v1/labs/{id}/keep", tag = "labs", params(("id" = String, Path)),
    responses((status = 200, body = Lab), (status = 409, description = "`invalid_transition`")))]
pub async fn keep(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Lab>, Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok(Json(services::labs::keep(&state.services, &caller, id(&text)?).await?.into()))
}

/// Counts as use of a running lab, so that it is not stopped for want of use: the time without use begins anew.
#[utoipa::path(post, path = "/api/v1/labs/{id}/keep-running", tag = "labs", params(("id" = String, Path)),
    responses((status = 200, body = Lab), (status = 409, description = "`invalid_transition`: it does not run")))]
pub async fn keep_running(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Lab>, Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok(Json(services::labs::keep_running(&state.services, &caller, id(&text)?).await?.into()))
}

/// Sets when a lab stops by itself besides the end of its time. The whole setting: what is left out is off.
#[utoipa::path(put, path = "/api/v1/labs/{id}/autostop", tag = "labs", params(("id" = String, Path)),
    request_body = Option<SetAutostop>,
    responses((status = 200, body = Lab), (status = 409, description = "`invalid_transition`"), (status = 422, description = "`invalid`")))]
pub async fn autostop(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Lab>, Problem> {
    let mut fields = Fields::parse(&raw)?;
    let idle_minutes = fields.optional_integer("idle_minutes").map(|minutes| u32::try_from(minutes).unwrap_or_default());
    let daily = fields.optional_text("daily");
    fields.finish()?;
    let daily = match daily.as_str() {
        "" => None,
        text => Some(text.parse::<TimeOfDay>().map_err(|_| Error::field("daily", FieldProblem::BadFormat { example: "22:00".into() }))?),
    };
    let wanted = Autostop { idle_minutes, daily };
    Ok(Json(services::labs::set_autostop(&state.services, &caller, id(&text)?, wanted).await?.into()))
}
