//! One search over everything that the token's owner may see.

use axum::{Json, extract::State};
use domain::search::Hit;
use serde::Serialize;
use services::search::Depth;
use utoipa::ToSchema;

use super::{bearer::Bearer, problem::Problem, query::Parameters};
use crate::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    /// By their `kind`: `lab`, `order`, `offering`, `course`, `person` or `audit`; at most five of each.
    #[schema(value_type = Vec<Value>, example = json!([{"kind": "course", "code": "CV2402", "name": "Computer vision"}]))]
    pub items: Vec<Hit>,
}

/// Finds labs, orders, offerings, courses, people and audit records by parts of words; kinds outside the token's scopes are left out.
#[utoipa::path(get, path = "/api/v1/search", tag = "search", params(("q" = Option<String>, Query, description = "Up to three words", example = "CV2402")),
    responses((status = 200, body = Found)))]
pub async fn find(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<Found>, Problem> {
    let text = query.text("q").unwrap_or_default();
    query.finish()?;
    Ok(Json(Found { items: services::search::search(&state.services, &caller, &text, Depth::Everything).await? }))
}
