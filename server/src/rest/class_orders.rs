//! Orders that were made together: decided or cancelled all at once, each with its own result.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::decisions::BulkRow;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    decisions::BulkResult,
    dto::List,
    orders::id,
    problem::Problem,
};
use crate::state::AppState;

/// Body of a rejection.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct RejectClass {
    /// 1 to 500 characters, for the teacher.
    #[schema(example = "The course has no lessons in these weeks")]
    reason: String,
}

fn results(rows: Vec<BulkRow>) -> Json<List<BulkResult>> {
    Json(List { items: rows.into_iter().map(Into::into).collect(), next: None })
}

/// Approves every order of a class order that waits for the token's owner, all in one transaction.
#[utoipa::path(post, path = "/api/v1/class-orders/{id}/approve", tag = "orders", params(("id" = String, Path)),
    responses((status = 200, body = List<BulkResult>), (status = 409, description = "`requester_left`")))]
pub async fn approve(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    raw: Raw,
) -> Result<Json<List<BulkResult>>, Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok(results(services::orders::approve_class(&state.services, &caller, id(&text)?).await?))
}

/// Rejects them with one reason, all in one transaction.
#[utoipa::path(post, path = "/api/v1/class-orders/{id}/reject", tag = "orders", params(("id" = String, Path)), request_body = RejectClass,
    responses((status = 200, body = List<BulkResult>)))]
pub async fn reject(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    raw: Raw,
) -> Result<Json<List<BulkResult>>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let reason = body.text("reason");
    body.finish()?;
    Ok(results(services::orders::reject_class(&state.services, &caller, id(&text)?, &reason).await?))
}

/// Cancels every order of a class order that has not run; labs that have come up stay.
#[utoipa::path(post, path = "/api/v1/class-orders/{id}/cancel", tag = "orders", params(("id" = String, Path)),
    responses((status = 200, body = List<BulkResult>)))]
pub async fn cancel(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    raw: Raw,
) -> Result<Json<List<BulkResult>>, Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok(results(services::orders::cancel_class(&state.services, &caller, id(&text)?).await?))
}
