//! What is said about an order besides yes and no: its steps, questions and answers, the requester's word on changes, many orders at once.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::{
    Error,
    decisions::{BulkRow, Changed, Step},
    ids::OrderId,
};
use serde::{Deserialize, Serialize};
use services::orders::Chosen;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    dto::{List, Person, moment},
    orders::{Order, id},
    problem::Problem,
};
use crate::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub struct Decision {
    pub id: String,
    /// Number of the stage, from 0.
    pub stage: u32,
    /// Role in which an approver acted; `null` for the requester and for time.
    #[schema(example = "manager")]
    pub role: Option<&'static str>,
    /// `null` for time.
    pub by: Option<Person>,
    /// Whose stage it was, where a stand-in acted.
    pub on_behalf_of: Option<Person>,
    pub at: String,
    /// `approve`, `change`, `propose`, `accept`, `decline`, `withdraw`, `reject`, `ask`, `answer`, `expire` or `cancel`.
    #[schema(value_type = String, example = "change")]
    pub step: Step,
    /// Reason, question or answer; may be empty.
    pub text: String,
    pub changes: Vec<ChangedValue>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedValue {
    /// `card`, `cards_per_node`, `nodes`, `cpu_cores`, `memory_gib`, `storage_gib`, `minutes` or `cost`.
    #[schema(value_type = String, example = "cards_per_node")]
    pub what: Changed,
    #[schema(example = "4")]
    pub before: String,
    #[schema(example = "2")]
    pub after: String,
}

impl From<domain::decisions::Decision> for Decision {
    fn from(decision: domain::decisions::Decision) -> Self {
        let domain::decisions::Decision { id, order: _, stage, role, by, on_behalf_of, at, step, text, changes } = decision;
        let changes = changes.into_iter().map(|each| ChangedValue { what: each.what, before: each.before, after: each.after }).collect();
        let (role, by, on_behalf_of) = (role.map(domain::access::Role::as_str), by.map(Into::into), on_behalf_of.map(Into::into));
        Self { id: id.to_string(), stage, role, by, on_behalf_of, at: moment(at), step, text, changes }
    }
}

fn listed(decisions: Vec<domain::decisions::Decision>) -> Json<List<Decision>> {
    Json(List { items: decisions.into_iter().map(Into::into).collect(), next: None })
}

/// Body of a question or an answer.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct Text {
    /// 1 to 500 characters.
    #[schema(example = "Would one card do?")]
    text: String,
}

/// Body of an agreement to changes; all of it may be left out.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct Acceptance {
    /// The order's `version` that was looked at.
    #[schema(example = 2)]
    version: Option<i64>,
}

/// Body of a refusal of changes; all of it may be left out.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct Declination {
    /// The order's `version` that was looked at.
    #[schema(example = 2)]
    version: Option<i64>,
    /// What would be right, for whoever proposed; up to 500 characters.
    text: Option<String>,
}

/// Body of a withdrawal of changes; all of it may be left out.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct Withdrawal {
    /// The order's `version` that was looked at.
    #[schema(example = 2)]
    version: Option<i64>,
    /// Why, for the requester; up to 500 characters.
    text: Option<String>,
}

/// Body of many decisions.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"orders": [{"id": "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e", "version": 1}]}))]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct Bulk {
    /// 1 to 50 of them.
    orders: Vec<BulkOrder>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"orders": [{"id": "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e", "version": 1}], "reason": "Mid-term week: use week 9"}))]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct BulkReject {
    /// 1 to 50 of them.
    orders: Vec<BulkOrder>,
    /// One for all, 1 to 500 characters.
    reason: String,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct BulkOrder {
    id: String,
    /// The `version` that was looked at.
    version: Option<i64>,
}

/// What became of one order of many.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkResult {
    pub id: String,
    /// For people; `null` for an order that the token may not read.
    pub number: Option<i64>,
    /// Its state afterwards; still `pending_approval` when another stage waits. `null` when it was refused.
    #[schema(value_type = Option<String>, example = "approved")]
    pub state: Option<domain::orders::OrderState>,
    /// Code of the problem, when it was refused.
    #[schema(example = "stale")]
    pub code: Option<&'static str>,
}

impl From<BulkRow> for BulkResult {
    fn from(BulkRow { order, number, state, starts_at: _, error }: BulkRow) -> Self {
        Self { id: order.to_string(), number, state, code: error.as_ref().map(Error::code) }
    }
}

/// What was decided, asked and answered, the oldest first.
#[utoipa::path(get, path = "/api/v1/orders/{id}/decisions", tag = "orders", params(("id" = String, Path)), responses((status = 200, body = List<Decision>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>) -> Result<Json<List<Decision>>, Problem> {
    Ok(listed(services::orders::decisions(&state.services, &caller, id::<OrderId>(&text)?).await?))
}

/// Asks the requester; the order stays as it is.
#[utoipa::path(post, path = "/api/v1/orders/{id}/ask", tag = "orders", params(("id" = String, Path)), request_body = Text,
    responses((status = 200, body = List<Decision>), (status = 409, description = "`invalid_transition`")))]
pub async fn ask(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<List<Decision>>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let question = body.text("text");
    body.finish()?;
    Ok(listed(services::orders::ask(&state.services, &caller, id(&text)?, &question).await?))
}

/// The requester answers whoever asked.
#[utoipa::path(post, path = "/api/v1/orders/{id}/answer", tag = "orders", params(("id" = String, Path)), request_body = Text,
    responses((status = 200, body = List<Decision>), (status = 409, description = "`invalid_transition`")))]
pub async fn answer(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    raw: Raw,
) -> Result<Json<List<Decision>>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let said = body.text("text");
    body.finish()?;
    Ok(listed(services::orders::answer(&state.services, &caller, id(&text)?, &said).await?))
}

/// The requester agrees to changes that cost more; only now the hold grows.
#[utoipa::path(post, path = "/api/v1/orders/{id}/accept-changes", tag = "orders", params(("id" = String, Path)), request_body = Option<Acceptance>,
    responses((status = 200, body = Order), (status = 409, description = "`invalid_transition` or `stale`"), (status = 422, description = "`over_quota` or `over_budget`")))]
pub async fn accept(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Order>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let version = body.optional_integer("version");
    body.finish()?;
    Ok(Json(services::orders::accept(&state.services, &caller, id(&text)?, version).await?.into()))
}

/// The requester declines the changes; the order goes back to the stage that it was in.
#[utoipa::path(post, path = "/api/v1/orders/{id}/decline-changes", tag = "orders", params(("id" = String, Path)), request_body = Option<Declination>,
    responses((status = 200, body = Order), (status = 409, description = "`invalid_transition` or `stale`")))]
pub async fn decline(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Order>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let why = body.optional_text("text");
    let version = body.optional_integer("version");
    body.finish()?;
    Ok(Json(services::orders::decline(&state.services, &caller, id(&text)?, &why, version).await?.into()))
}

/// Who proposed changes, or another approver of the stage, takes them back; the order waits for a decision again.
#[utoipa::path(post, path = "/api/v1/orders/{id}/withdraw-changes", tag = "orders", params(("id" = String, Path)), request_body = Option<Withdrawal>,
    responses((status = 200, body = Order), (status = 409, description = "`invalid_transition` or `stale`")))]
pub async fn withdraw(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Order>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let why = body.optional_text("text");
    let version = body.optional_integer("version");
    body.finish()?;
    Ok(Json(services::orders::withdraw(&state.services, &caller, id(&text)?, &why, version).await?.into()))
}

/// Approves many orders, each by itself: what one of them meets is in its own result.
#[utoipa::path(post, path = "/api/v1/approvals/approve", tag = "orders", request_body = Bulk, responses((status = 200, body = List<BulkResult>)))]
pub async fn approve_all(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<List<BulkResult>>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let chosen = chosen(&mut body);
    body.finish()?;
    let rows = services::orders::approve_all(&state.services, &caller, &chosen).await?;
    Ok(Json(List { items: rows.into_iter().map(Into::into).collect(), next: None }))
}

/// Rejects many orders with one reason, each by itself.
#[utoipa::path(post, path = "/api/v1/approvals/reject", tag = "orders", request_body = BulkReject, responses((status = 200, body = List<BulkResult>)))]
pub async fn reject_all(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<List<BulkResult>>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let chosen = chosen(&mut body);
    let reason = body.text("reason");
    body.finish()?;
    let rows = services::orders::reject_all(&state.services, &caller, &chosen, &reason).await?;
    Ok(Json(List { items: rows.into_iter().map(Into::into).collect(), next: None }))
}

fn chosen(body: &mut Fields) -> Vec<Chosen> {
    let Some(value) = body.value("orders") else { return Vec::new() };
    let parsed = serde_json::from_value::<Vec<BulkOrder>>(value)
        .ok()
        .and_then(|orders| orders.into_iter().map(|order| Some((order.id.parse().ok()?, order.version))).collect::<Option<Vec<_>>>());
    parsed.unwrap_or_else(|| {
        body.refuse("orders", "[{\"id\": \"01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e\", \"version\": 1}]");
        Vec::new()
    })
}
