//! Metered usage, line by line.

use std::cmp::Reverse;

use axum::{Json, extract::State};
use domain::{
    billing::{Dimension, Group},
    courses::CourseRef,
    ids::LabId,
    metering::{UsageLine, UsageRecord},
    time::Month,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    dto::{Course, List, Localized, Money, moment},
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
    /// Before the discount.
    pub unit_price: Money,
    /// Hundredths of a percent, as granted when it was used.
    pub discount_basis_points: u32,
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
        let UsageLine { meter, card: _, quantity, from, to, seconds, unit_price, discount, amount, month, open } = line;
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
            discount_basis_points: discount.get(),
            amount: amount.into(),
            month: month.to_string(),
            open,
        }
    }
}

/// A part of a month's usage: a course, an offering, a kind of card or a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageGroup {
    /// Code of the course, id of the offering, kind of card, id of the person.
    pub key: String,
    pub name: Localized,
    pub labs: u32,
    /// Cards times seconds, a share counting as one of its kind.
    pub card_seconds: i64,
    pub amount: Money,
}

impl From<Group> for UsageGroup {
    fn from(Group { key, name, labs, card_seconds, amount }: Group) -> Self {
        Self { key, name: name.into(), labs, card_seconds, amount: amount.into() }
    }
}

/// Single intervals, or parts of a month when `group_by` is given.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Shown {
    Intervals(List<Usage>),
    Groups(List<UsageGroup>),
}

/// Usage that the token may read, newest first; or a month of it by `group_by`, the dearest first.
#[utoipa::path(get, path = "/api/v1/usage", tag = "billing",
    params(("course" = Option<String>, Query, description = "Code or id"), ("lab" = Option<String>, Query, description = "Name or id; not with `group_by`"),
        ("month" = Option<String>, Query, example = "2026-11"),
        ("group_by" = Option<String>, Query, description = "`course`, `offering`, `card` or `person`", example = "card"),
        ("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = Shown)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<Shown>, Problem> {
    let (course, lab, month) = (query.text("course"), query.text("lab"), query.parsed::<Month>("month", "2026-11"));
    let names = || Dimension::ALL.map(|by| by.as_str().to_owned()).to_vec();
    let by = query.choice("group_by", Dimension::parse, names);
    let page = query.page();
    query.finish()?;
    if let Some(by) = by {
        let month = month.unwrap_or_else(|| state.services.clock.now().campus_month());
        let groups = services::billing::groups(&state.services, &caller, month, course.as_deref(), by).await?;
        return Ok(Json(Shown::Groups(List::of(
            page.cut("usage_groups", groups, |group| (Reverse(group.amount.micros), group.key.clone()))?,
            UsageGroup::from,
        ))));
    }
    let records = services::billing::usage(&state.services, &caller, course.as_deref(), lab.as_deref(), month, &page).await?;
    Ok(Json(Shown::Intervals(List::of(records, |UsageRecord { lab, lab_name, course, line }| Usage::of(lab, &lab_name, course, line)))))
}
