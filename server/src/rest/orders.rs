//! Orders: submit, read, decide, cancel.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use domain::{
    Error,
    courses::CourseKey,
    decisions::ChangeForm,
    ids::OrderId,
    orders::{ChangeTo, ClassForm, ClassRef, OrderFilter, OrderForm, OrderState, OrderView, class::LESSONS},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use services::orders::IdempotencyKey;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    dto::{Course, List, Localized, Money, Person, Spec, moment},
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub struct Order {
    pub id: String,
    /// For people: `2047`.
    pub number: i64,
    /// `pending_approval`, `awaiting_requester`, `approved`, `queued`, `rejected`, `cancelled`, `fulfilled` or `failed`.
    #[schema(value_type = String, example = "pending_approval")]
    pub state: OrderState,
    pub offering: OrderedOffering,
    pub course: Course,
    pub owner: Person,
    /// The owner may not order for the course any more: the order cannot be approved, and is cancelled soon.
    pub owner_left: bool,
    pub parameters: BTreeMap<String, String>,
    pub spec: Spec,
    pub duration_minutes: u32,
    pub purpose: String,
    pub estimate: Estimate,
    pub approval: Approval,
    /// Ids of the labs that the order became.
    pub labs: Vec<String>,
    /// When its lab comes up, 10 minutes before its lesson; `null` for at once.
    pub starts_at: Option<String>,
    /// When its lesson is over, whenever its lab comes up; `null` for at once.
    pub ends_at: Option<String>,
    /// Whose it is in a class: a student, or `3/30` without names.
    #[schema(example = "2024010117 李华")]
    pub seat: Option<String>,
    /// What it was made together with.
    pub class: Option<ClassOrder>,
    /// What it changes of a lab that exists; `null` for an order that makes a lab.
    pub change: Option<LabChange>,
    /// 1 is next; only while queued, and not before its time.
    pub queue_position: Option<u32>,
    pub submitted_at: String,
    /// When an undecided order is cancelled by itself.
    pub expires_at: String,
    pub decided_at: Option<String>,
    /// `null` when the policy decided.
    pub decided_by: Option<Person>,
    pub reason: Option<String>,
    /// Counts changes; give it back with a decision to be told when somebody was faster.
    pub version: i64,
}

/// What an order has in common with those that were made together with it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClassOrder {
    /// `GET /orders?class=…` lists them.
    #[schema(example = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e")]
    pub id: String,
    #[schema(example = 30)]
    pub seats: u32,
    #[schema(example = 4)]
    pub lessons: u32,
    /// Which of the lessons it is for, from 1.
    #[schema(example = 1)]
    pub lesson: u32,
}

impl From<ClassRef> for ClassOrder {
    fn from(ClassRef { id, seats, lessons, lesson }: ClassRef) -> Self {
        Self { id: id.to_string(), seats, lessons, lesson }
    }
}

/// More time or another size for a lab that exists.
#[derive(Debug, Serialize, ToSchema)]
pub struct LabChange {
    /// Id of the lab.
    pub lab: String,
    #[schema(example = "lab-2047")]
    pub name: String,
    /// Minutes that are added; `null` for another size.
    #[schema(example = 30)]
    pub minutes: Option<u32>,
    /// The parameters of the other size; empty for more time.
    pub parameters: BTreeMap<String, String>,
}

impl From<domain::orders::LabChange> for LabChange {
    fn from(domain::orders::LabChange { lab, name, to }: domain::orders::LabChange) -> Self {
        let (minutes, parameters) = match to {
            ChangeTo::Extend { minutes, until: _, seen: _ } => (Some(minutes), BTreeMap::new()),
            ChangeTo::Resize { parameters, seen: _ } => (None, parameters),
        };
        Self { lab: lab.to_string(), name, minutes, parameters }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct OrderedOffering {
    pub id: String,
    pub version: u32,
    pub name: Localized,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Estimate {
    pub per_hour: Money,
    /// For the duration.
    pub total: Money,
    pub lines: Vec<EstimateLine>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct EstimateLine {
    #[schema(example = "gpu-a100-80g-hour")]
    pub meter: String,
    /// Cards, cores, GiB.
    pub quantity: i64,
    pub unit_price: Money,
    pub total: Money,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Approval {
    /// Role whose decision it waits for; `null` when it waits for nobody's, or the policy decided.
    #[schema(example = "manager")]
    pub by: Option<&'static str>,
    /// Roles that decide one after the other; empty when the policy does.
    #[schema(example = json!(["manager", "administrator"]))]
    pub stages: Vec<&'static str>,
    /// How many of them have approved.
    pub passed: u32,
    /// The rule of the policy that says so.
    pub rule: Option<Localized>,
}

impl From<domain::pricing::Estimate> for Estimate {
    fn from(estimate: domain::pricing::Estimate) -> Self {
        let lines = estimate.lines.into_iter().map(|line| EstimateLine {
            meter: line.meter.to_string(),
            quantity: line.quantity,
            unit_price: line.unit_price.into(),
            total: line.total.into(),
        });
        Self { per_hour: estimate.per_hour.into(), total: estimate.total.into(), lines: lines.collect() }
    }
}

impl From<OrderView> for Order {
    fn from(view: OrderView) -> Self {
        let OrderView {
            order,
            owner,
            course,
            decided_by,
            labs,
            queue_position,
            owner_left,
            wait: _,
            steps: _,
            may_cancel: _,
            may_decide: _,
            may_reply: _,
            may_withdraw: _,
        } = view;
        let ends_at = order.ends_at().map(moment);
        let by = order.awaits().map(domain::access::Role::as_str);
        Self {
            id: order.id.to_string(),
            number: order.number,
            state: order.state,
            offering: OrderedOffering { id: order.offering.to_string(), version: order.offering_version, name: order.offering_name.into() },
            course: course.into(),
            owner: owner.into(),
            owner_left,
            parameters: order.parameters,
            spec: order.spec.into(),
            duration_minutes: order.minutes,
            purpose: order.purpose,
            estimate: order.estimate.into(),
            approval: Approval {
                by,
                stages: order.ruling.outcome.stages().iter().map(|role| role.as_str()).collect(),
                passed: order.stage,
                rule: order.ruling.rule.map(Into::into),
            },
            labs: labs.into_iter().map(|id| id.to_string()).collect(),
            starts_at: order.starts_at.map(moment),
            ends_at,
            seat: order.seat.clone(),
            class: order.class.map(Into::into),
            change: order.change.map(Into::into),
            queue_position,
            submitted_at: moment(order.submitted_at),
            expires_at: moment(order.expires_at),
            decided_at: order.decided_at.map(moment),
            decided_by: decided_by.map(Into::into),
            reason: order.reason,
            version: order.version,
        }
    }
}

/// Body of a new order. Numbers may also be given as text.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct NewOrder {
    /// Slug or id.
    #[schema(example = "jupyterlab-slice")]
    offering: String,
    /// Code or id.
    #[schema(example = "CV2402")]
    course: String,
    #[schema(value_type = Option<Object>, example = json!({"storage_gib": 100}))]
    parameters: Option<BTreeMap<String, String>>,
    #[schema(example = 120)]
    duration_minutes: u32,
    /// Up to 200 characters.
    #[schema(example = "Lesson 3, image segmentation")]
    purpose: Option<String>,
    /// `"roster"` for each student of the course, or a number up to 60; left out for one. Each seat of each lesson becomes an order of its
    /// own, all or none of them, 200 at most; the answer is the first one.
    #[schema(example = "roster")]
    seats: Option<String>,
    /// Left out for at once.
    lessons: Option<Lessons>,
}

/// When the labs are used: `duration_minutes` is the lesson's; each lab comes up 10 minutes before it and is stopped after it.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"first_day": "2027-03-01", "bell": "08:20", "weeks": 4}))]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct Lessons {
    /// Campus day of the first lesson.
    first_day: String,
    /// When it begins on campus.
    bell: String,
    /// 1 to 20, one lesson a week; left out for one.
    weeks: Option<u32>,
}

/// Body of a decision; all of it may be left out. With `parameters` or `duration_minutes` the order is approved as changed.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"version": 1, "parameters": {"cards": 2}, "duration_minutes": 90, "text": "Two cards are enough"}))]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct Approve {
    /// The order's `version` that was decided on.
    #[schema(example = 1)]
    version: Option<i64>,
    /// Hardware of the offering's parameters that changes: card, cards, nodes, cores, memory, storage.
    #[schema(value_type = Option<Object>)]
    parameters: Option<BTreeMap<String, String>>,
    duration_minutes: Option<u32>,
    /// Why, for the requester; up to 500 characters.
    text: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct Reject {
    /// 1 to 500 characters, for the teacher.
    #[schema(example = "The course has no lesson in that week")]
    reason: String,
    #[schema(example = 1)]
    version: Option<i64>,
}

/// What is no id names nothing.
pub(super) fn id<T: std::str::FromStr>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::NotFound)
}

/// Orders that the token may read, newest first.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders",
    params(("state" = Option<String>, Query, description = "A state of an order"), ("course" = Option<String>, Query, description = "Code or id of a course"), ("mine" = Option<bool>, Query, description = "Only one's own"), ("class" = Option<String>, Query, description = "Id of a class order: those that were made together"), ("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Order>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<Order>>, Problem> {
    let names = || OrderState::ALL.map(|state| state.as_str().to_owned()).to_vec();
    let filter = OrderFilter {
        state: query.choice("state", OrderState::parse, names),
        course: query.text("course").and_then(|text| CourseKey::read(&text)),
        mine: query.flag("mine"),
        class: query.parsed("class", ID_EXAMPLE),
    };
    let page = query.page();
    query.finish()?;
    let orders = services::orders::list(&state.services, &caller, &filter, &page).await?;
    Ok(Json(List::of(orders, Order::from)))
}

pub(super) const ID_EXAMPLE: &str = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e";

/// Orders a lab. A repetition with the same key makes no second order: it gets the first answer again, as it was then.
#[utoipa::path(post, path = "/api/v1/orders", tag = "orders", request_body = NewOrder,
    params(("Idempotency-Key" = String, Header, description = "1 to 100 visible ASCII characters, new for each order")),
    responses((status = 201, body = Order), (status = 422, description = "`invalid`, `over_quota`, `over_budget` or `idempotency_key_reused`")))]
pub async fn submit(State(state): State<AppState>, Bearer(caller): Bearer, headers: HeaderMap, raw: Raw) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let mut body = Fields::parse(&raw)?;
    let form = OrderForm {
        offering: body.text("offering"),
        course: body.text("course"),
        parameters: body.parameters("parameters"),
        duration_minutes: body.number("duration_minutes"),
        purpose: body.optional_text("purpose"),
        class: class(&mut body),
    };
    body.finish()?;
    let key = IdempotencyKey::parse(key)?;
    let made = services::orders::submit(&state.services, &caller, &form, &key).await;
    // The body has the lessons in an object of their own.
    let order = Order::from(made.map_err(|error| LESSON.iter().fold(error, |error, name| error.at(name, &format!("lessons.{name}"))))?);
    let location = HeaderValue::from_str(&format!("{}/orders/{}", super::PREFIX, order.id)).unwrap_or(HeaderValue::from_static(""));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(order)).into_response())
}

/// The text of the header. Errors: `Malformed` for two of them, since one would silently win.
fn idempotency_key(headers: &HeaderMap) -> Result<&str, Error> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let key = keys.next().map(|value| value.to_str().unwrap_or("\u{fffd}")).unwrap_or_default();
    if keys.next().is_some() {
        return Err(Error::Malformed { reason: "the header Idempotency-Key is there twice".into() });
    }
    Ok(key)
}

/// The members of `lessons`.
const LESSON: [&str; 3] = ["first_day", "bell", "weeks"];

/// Seats and lessons, both of which may be left out.
fn class(body: &mut Fields) -> ClassForm {
    let seats = body.optional_number("seats");
    // Also an empty object asks for lessons: what is missing in it is named.
    let when = if body.has("lessons") { LESSONS.to_owned() } else { String::new() };
    let mut lessons = body.parameters("lessons");
    if lessons.get("weeks").is_some_and(String::is_empty) {
        body.no_number("lessons.weeks");
    }
    let [first_day, bell, weeks] = LESSON.map(|name| lessons.remove(name).unwrap_or_default());
    for name in lessons.keys() {
        body.unknown(&format!("lessons.{name}"));
    }
    ClassForm { seats, seat_count: String::new(), when, first_day, bell, weeks }
}

/// One order.
#[utoipa::path(get, path = "/api/v1/orders/{id}", tag = "orders", params(("id" = String, Path)), responses((status = 200, body = Order)))]
pub async fn show(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>) -> Result<Json<Order>, Problem> {
    Ok(Json(services::orders::get(&state.services, &caller, id::<OrderId>(&text)?).await?.into()))
}

/// Approves a stage of somebody else's order, as it is or with changes. After the last stage cards are reserved, or it queues; changes that
/// cost more wait for the requester first (`awaiting_requester`).
#[utoipa::path(post, path = "/api/v1/orders/{id}/approve", tag = "orders", params(("id" = String, Path)), request_body = Option<Approve>,
    responses((status = 200, body = Order), (status = 403, description = "`own_order`, `decided_before` or `forbidden`"), (status = 409, description = "`invalid_transition`, `stale` or `requester_left`"),
        (status = 422, description = "`invalid`, `over_quota`, `over_budget` or `refused_by_policy` for changes")))]
pub async fn approve(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Order>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let version = body.optional_integer("version");
    let parameters = body.parameters("parameters");
    let duration_minutes = body.optional_number("duration_minutes");
    let why = body.optional_text("text");
    body.finish()?;
    let form = ChangeForm { parameters, duration_minutes };
    Ok(Json(services::orders::approve_with(&state.services, &caller, id(&text)?, &form, &why, version).await?.into()))
}

/// Rejects an order of somebody else.
#[utoipa::path(post, path = "/api/v1/orders/{id}/reject", tag = "orders", params(("id" = String, Path)), request_body = Reject,
    responses((status = 200, body = Order), (status = 409, description = "`invalid_transition` or `stale`")))]
pub async fn reject(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Order>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let reason = body.text("reason");
    let version = body.optional_integer("version");
    body.finish()?;
    Ok(Json(services::orders::reject(&state.services, &caller, id(&text)?, &reason, version).await?.into()))
}

/// Cancels an order; what it held is free again.
#[utoipa::path(post, path = "/api/v1/orders/{id}/cancel", tag = "orders", params(("id" = String, Path)),
    responses((status = 200, body = Order), (status = 409, description = "`invalid_transition`")))]
pub async fn cancel(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Order>, Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok(Json(services::orders::cancel(&state.services, &caller, id(&text)?).await?.into()))
}
