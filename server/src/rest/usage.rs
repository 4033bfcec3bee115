//! Metered usage, line by line.

use axum::{Json, extract::State};
use domain::{
    courses::CourseRef,
    ids::LabId,
    metering::{UsageLine, UsageRecord},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    dto::{Course, List, Money, moment},
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

/// One meter of one lab for one stretch of time at one price.
#[derive(Debug, Serialize, ToSchema)]
pub struct Usage {
    /// Id of the lab.
    pub lab: String,
    pub lab_name: String,
    pub course: Course,
    #[schema(example = "gpu-a100-80g-hour")]
    pub meter: String,
    /// Cards, cores, GiB.
    pub quantity: i64,
    pub from: String,
    pub to: String,
    pub seconds: i64,
    pub unit_price: Money,
    pub amount: Money,
    /// On campus time.
    #[schema(example = "2026-11")]
    pub month: String,
    /// Still counting.
    pub open: bool,
}

impl Usage {
    #[expect(clippy::needless_pass_by_value, reason = "takes the line apart without `..`, so that a new field is thought about")]
    pub fn of(lab: LabId, lab_name: &str, course: CourseRef, line: UsageLine) -> Self {
        let UsageLine { meter, quantity, from, to, seconds, unit_price, amount, month, open } = line;
        Self {
            lab: lab.to_string(),
            lab_name: lab_name.to_owned(),
            course: course.into(),
            meter: meter.to_string(),
            quantity,
            from: moment(from),
            to: moment(to),
            seconds,
            unit_price: unit_price.into(),
            amount: amount.into(),
            month: month.to_string(),
            open,
        }
    }
}

/// Usage that the token may read, newest first.
#[utoipa::path(get, path = "/api/v1/usage", tag = "billing",
    params(("course" = Option<String>, Query, description = "Code or id"), ("lab" = Option<String>, Query, description = "Name or id"),
        ("month" = Option<String>, Query, example = "2026-11"), ("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Usage>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<Usage>>, Problem> {
    let (course, lab, month) = (query.text("course"), query.text("lab"), query.parsed("month", "2026-11"));
    let page = query.page();
    query.finish()?;
    let records = services::billing::usage(&state.services, &caller, course.as_deref(), lab.as_deref(), month, &page).await?;
    Ok(Json(List::of(records, |UsageRecord { lab, lab_name, course, line }| Usage::of(lab, &lab_name, course, line))))
}
