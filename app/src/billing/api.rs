//! Bills of a month.

use domain::{
    billing::{Bill, BillSummary},
    time::Month,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// A month's bills, with the lines of one course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthOfBills {
    pub month: Month,
    /// The month that it is on campus now.
    pub this_month: Month,
    pub courses: Vec<BillSummary>,
    /// The chosen course, or the one that cost most; `None` when nothing was billed.
    pub bill: Option<Bill>,
}

/// `month` as `2026-11`, empty for this one; `course` by code, empty for the one that cost most.
#[server(ReadBills, endpoint = "billing/month", input = GetUrl)]
pub async fn read_bills(#[server(default)] month: String, #[server(default)] course: String) -> Result<MonthOfBills, AppError> {
    use crate::caller::{caller, services};
    let (services, caller) = (services()?, caller()?);
    let this_month = services.clock.now().campus_month();
    let month = if month.is_empty() { this_month } else { month.parse().map_err(|_| domain::Error::NotFound)? };
    let courses = services::billing::bills(&services, &caller, month).await?;
    let dearest = || courses.iter().max_by_key(|each| each.total.micros).map(|each| each.course.code.clone());
    let bill = match (!course.is_empty()).then_some(course).or_else(dearest) {
        Some(code) => Some(services::billing::bill(&services, &caller, &code, month).await?),
        None => None,
    };
    Ok(MonthOfBills { month, this_month, courses, bill })
}
