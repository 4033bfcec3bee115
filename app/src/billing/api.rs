//! Bills: a month, its lines and intervals, the list of months, adjustments.

use domain::{
    billing::{Adjustment, BillLine, MonthBill, Overview},
    ids::LabId,
    metering::UsageLine,
    page::Page,
    time::Month,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// What the month page is asked for, as in its URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MonthQuery {
    /// `2026-11`; empty for this one.
    pub month: String,
    /// Code; empty for all.
    pub course: String,
    /// `course`, `offering`, `card` or `person`.
    pub by: String,
    /// A part of the breakdown, whose lines are wanted.
    pub key: String,
    /// The page of lines after this one.
    pub after: String,
}

/// A month with the lines of what was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthPage {
    pub overview: Overview,
    /// `None` when nothing is chosen.
    pub lines: Option<Page<BillLine>>,
}

#[server(ReadMonth, endpoint = "billing/month", input = GetUrl)]
pub async fn read_month(#[server(default)] query: MonthQuery) -> Result<MonthPage, AppError> {
    use crate::caller::{caller, services};
    use domain::{
        billing::Dimension,
        page::{DEFAULT_LIMIT, PageRequest},
    };
    use services::billing::{self, LinesOf};
    let (services, caller) = (services()?, caller()?);
    let text = |text: String| (!text.is_empty()).then_some(text);
    let month = month_of(&query.month, services.clock.now())?;
    let by = Dimension::parse(&query.by).unwrap_or_default();
    let course = text(query.course);
    let overview = billing::overview(&services, &caller, month, course.as_deref(), by).await?;
    let lines = if course.is_some() || !query.key.is_empty() {
        let of = LinesOf { month, course, by, key: query.key };
        let page = PageRequest { limit: DEFAULT_LIMIT, after: text(query.after) };
        Some(billing::lines(&services, &caller, &of, &page).await?)
    } else {
        None
    };
    Ok(MonthPage { overview, lines })
}

/// A lab's intervals of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabMonth {
    pub lab: LabId,
    pub name: String,
    pub month: Month,
    pub lines: Vec<UsageLine>,
}

#[server(ReadIntervals, endpoint = "billing/intervals", input = GetUrl)]
pub async fn read_intervals(#[server(default)] id: String, #[server(default)] month: String) -> Result<LabMonth, AppError> {
    use crate::caller::{caller, id_of, services};
    let (services, caller) = (services()?, caller()?);
    let month = month_of(&month, services.clock.now())?;
    let (lab, lines) = services::billing::lab_intervals(&services, &caller, id_of(&id)?, month).await?;
    Ok(LabMonth { lab: lab.id, name: lab.name, month, lines })
}

/// Every month and the one that it is now.
#[server(ReadMonths, endpoint = "billing/months", input = GetUrl)]
pub async fn read_months() -> Result<(Month, Vec<MonthBill>), AppError> {
    use crate::caller::{caller, services};
    let (services, caller) = (services()?, caller()?);
    Ok((services.clock.now().campus_month(), services::billing::months(&services, &caller).await?))
}

#[server(CloseMonth, endpoint = "billing/close")]
pub async fn close_month(#[server(default)] month: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async {
        let caller = caller()?;
        services::billing::may_close(&caller)?;
        let month = month.parse().map_err(|_| domain::Error::NotFound)?;
        Ok(services::billing::close(&services()?, &caller, month).await?)
    }
    .await;
    answer("close-month", routes::BILLING_MONTHS, typed([]), result, |()| routes::BILLING_MONTHS.to_owned()).await
}

/// Adjustments, and an id for the form, so that sending it twice adds one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustments {
    pub page: Page<Adjustment>,
    pub form_id: String,
}

#[server(ReadAdjustments, endpoint = "billing/adjustments", input = GetUrl)]
pub async fn read_adjustments(#[server(default)] after: String) -> Result<Adjustments, AppError> {
    use crate::caller::{caller, services};
    use domain::page::{DEFAULT_LIMIT, PageRequest};
    let (services, caller) = (services()?, caller()?);
    let request = PageRequest { limit: DEFAULT_LIMIT, after: (!after.is_empty()).then_some(after) };
    let page = services::billing::adjustments(&services, &caller, None, None, &request).await?;
    Ok(Adjustments { page, form_id: services.entropy.uuid().to_string() })
}

#[server(Adjust, endpoint = "billing/adjust")]
pub async fn adjust(
    #[server(default)] form_id: String,
    #[server(default)] course: String,
    #[server(default)] kind: String,
    #[server(default)] amount: String,
    #[server(default)] reason: String,
) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let typed = typed([("course", &course), ("kind", &kind), ("amount", &amount), ("reason", &reason)]);
    let form = domain::billing::AdjustmentForm { course, kind, amount, reason };
    let result = async {
        services::billing::adjust(&services()?, &caller()?, &form, form_id.parse().ok()).await?;
        Ok(())
    }
    .await;
    answer("adjust", routes::BILLING_ADJUSTMENTS, typed, result, |()| routes::BILLING_ADJUSTMENTS.to_owned()).await
}

#[cfg(feature = "ssr")]
fn month_of(text: &str, now: domain::time::Timestamp) -> Result<Month, AppError> {
    if text.is_empty() { Ok(now.campus_month()) } else { text.parse().map_err(|_| domain::Error::NotFound.into()) }
}
