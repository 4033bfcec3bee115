//! A month's bills: of every course in sums, or of one course with the lines that lead to the labs.

use axum::{Json, extract::State};
use domain::{
    billing::{Bill as DomainBill, BillLine, BillSummary},
    time::Month,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    dto::{Course, List, Money, moment},
    problem::Problem,
    query::{Parameters, page_of},
};
use crate::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub struct Bill {
    pub course: Course,
    #[schema(example = "2026-11")]
    pub month: String,
    pub total: Money,
    /// How many labs are on it.
    pub labs: usize,
    /// Only when one course is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<BillLineShown>>,
    /// Usage is counted up to here; only when one course is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted_to: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct BillLineShown {
    /// Id of the lab.
    pub lab: String,
    pub lab_name: String,
    pub owner_name: String,
    pub meter: String,
    /// Quantity times seconds, over all intervals.
    pub unit_seconds: i64,
    pub amount: Money,
    /// Still counting.
    pub open: bool,
}

impl From<BillSummary> for Bill {
    fn from(BillSummary { course, month, total, labs }: BillSummary) -> Self {
        Self { course: course.into(), month: month.to_string(), total: total.into(), labs: labs as usize, lines: None, counted_to: None }
    }
}

impl From<DomainBill> for Bill {
    fn from(DomainBill { course, month, currency: _, lines, total, counted_to }: DomainBill) -> Self {
        let labs: std::collections::BTreeSet<_> = lines.iter().map(|line| line.lab).collect();
        let labs = labs.len();
        let line = |BillLine { lab, lab_name, owner_name, meter, unit_seconds, amount, open }: BillLine| BillLineShown {
            lab: lab.to_string(),
            lab_name,
            owner_name,
            meter: meter.to_string(),
            unit_seconds,
            amount: amount.into(),
            open,
        };
        Self {
            course: course.into(),
            month: month.to_string(),
            total: total.into(),
            labs,
            lines: Some(lines.into_iter().map(line).collect()),
            counted_to: Some(moment(counted_to)),
        }
    }
}

/// The bills of a month, this month's unless another is asked for.
#[utoipa::path(get, path = "/api/v1/bills", tag = "billing",
    params(("month" = Option<String>, Query, example = "2026-11"), ("course" = Option<String>, Query, description = "Code or id: that course's bill with its lines"),
        ("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Bill>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<Bill>>, Problem> {
    let (month, course) = (query.parsed::<Month>("month", "2026-11"), query.text("course"));
    let page = query.page();
    query.finish()?;
    let month = month.unwrap_or_else(|| state.services.clock.now().campus_month());
    if let Some(course) = course {
        let bill = services::billing::bill(&state.services, &caller, &course, month).await?;
        return Ok(Json(List { items: vec![bill.into()], next: None }));
    }
    let bills = services::billing::bills(&state.services, &caller, month).await?;
    Ok(Json(List::of(page_of(bills, &page, |bill| bill.course.code.clone()), Bill::from)))
}
