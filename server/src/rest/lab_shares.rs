//! Links by which the owner of a lab lets people of the college in.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::{
    ids::{LabId, ShareId},
    shares::{Share as DomainShare, ShareForm, ShareVisitor},
};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    dto::{List, Person, moment},
    orders::id,
    problem::Problem,
};
use crate::state::AppState;

/// A link to a lab; its secret is shown only when it is made.
#[derive(Debug, Serialize, ToSchema)]
pub struct Share {
    #[schema(example = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e")]
    pub id: String,
    /// Whether those who come by it may look only.
    pub view_only: bool,
    pub created_at: String,
    pub ends_at: String,
    /// `null` unless it was withdrawn.
    pub withdrawn_at: Option<String>,
    /// Those who used the lab by it, the last one first.
    pub visitors: Vec<Visitor>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Visitor {
    pub person: Person,
    pub first_at: String,
    pub last_at: String,
}

impl From<DomainShare> for Share {
    fn from(share: DomainShare) -> Self {
        let DomainShare { id, view_only, created_at, ends_at, withdrawn_at, visitors } = share;
        let visitor = |ShareVisitor { person, first_at, last_at }: ShareVisitor| Visitor {
            person: person.into(),
            first_at: moment(first_at),
            last_at: moment(last_at),
        };
        Self {
            id: id.to_string(),
            view_only,
            created_at: moment(created_at),
            ends_at: moment(ends_at),
            withdrawn_at: withdrawn_at.map(moment),
            visitors: visitors.into_iter().map(visitor).collect(),
        }
    }
}

/// A new link with its address, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewShare {
    pub share: Share,
    /// Whoever is signed in at the college and opens it comes in.
    #[schema(example = "https://lectern.example.edu/labs/shared/shr_…")]
    pub url: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct ShareLab {
    /// `hour`, `day` (to its end on campus), `week`, `lab` (to the end of the lab's time) or `until`.
    #[schema(example = "hour")]
    lasts: Option<String>,
    /// With `until`, or alone: an instant until the lab's end, at most 30 days from now.
    ends_at: Option<String>,
    /// Those who come by it may look only; `false` when left out.
    #[schema(example = true)]
    view_only: Option<bool>,
}

/// Links to one's own lab, newest first, also those that are over.
#[utoipa::path(get, path = "/api/v1/labs/{id}/shares", tag = "labs", params(("id" = String, Path)), responses((status = 200, body = List<Share>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>) -> Result<Json<List<Share>>, Problem> {
    let shares = services::shares::list(&state.services, &caller, id::<LabId>(&text)?).await?;
    Ok(Json(List { items: shares.into_iter().map(Share::from).collect(), next: None }))
}

/// Makes a link to one's own lab.
#[utoipa::path(post, path = "/api/v1/labs/{id}/shares", tag = "labs", request_body = ShareLab, params(("id" = String, Path)),
    responses((status = 201, body = NewShare)))]
pub async fn create(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    headers: HeaderMap,
    raw: Raw,
) -> Result<(StatusCode, Json<NewShare>), Problem> {
    let mut body = Fields::parse(&raw)?;
    let (lasts, until, view_only) = (body.optional_text("lasts"), body.optional_text("ends_at"), body.optional_flag("view_only"));
    body.finish()?;
    let lasts = if lasts.is_empty() && !until.is_empty() { "until".to_owned() } else { lasts };
    let form = ShareForm { lasts, until, view_only };
    let link = services::shares::create(&state.services, &caller, id::<LabId>(&text)?, &form).await.map_err(|error| error.at("until", "ends_at"))?;
    let url = format!("{}{}", app::caller::site_of(&state.services, &headers), link.path());
    Ok((StatusCode::CREATED, Json(NewShare { share: link.share.into(), url })))
}

/// Withdraws a link: those who came by it are out within seconds.
#[utoipa::path(delete, path = "/api/v1/labs/{id}/shares/{share}", tag = "labs", params(("id" = String, Path), ("share" = String, Path, description = "Id of the link", example = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e")),
    responses((status = 204, description = "It is over")))]
pub async fn withdraw(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path((lab, share)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    services::shares::withdraw(&state.services, &caller, id::<LabId>(&lab)?, id::<ShareId>(&share)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
