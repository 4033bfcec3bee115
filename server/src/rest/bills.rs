//! A month's bills: of every course in sums, or of one course with the lines that lead to the labs; as files; closed.

use axum::{
    Extension, Json,
    extract::{Path, State},
    response::Response,
};
use domain::{
    Error,
    access::Action,
    billing::{Bill as DomainBill, BillLine, BillSummary, Dimension, bill_id, parse_bill_id},
    time::Month,
};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use services::billing::LinesOf;
use utoipa::ToSchema;

use super::{
    bearer::{Bearer, OfToken, may_show},
    body::{Fields, Raw},
    dto::{Course, List, Money, moment},
    problem::Problem,
    query::Parameters,
};
use crate::{export::Wanted, reading::Reader, state::AppState};

#[derive(Debug, Serialize, ToSchema)]
pub struct Bill {
    /// For `/bills/{id}/lines`.
    #[schema(example = "2026-11_CV2402")]
    pub id: String,
    pub course: Course,
    #[schema(example = "2026-11")]
    pub month: String,
    /// Usage and adjustments.
    pub total: Money,
    /// Credits, charges and corrections in it.
    pub adjustments: Money,
    /// `open` or `closed`: a closed bill does not change any more.
    #[schema(example = "open")]
    pub state: &'static str,
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
    fn from(BillSummary { course, month, total, adjustments, labs, closed }: BillSummary) -> Self {
        Self {
            id: bill_id(month, &course.code),
            course: course.into(),
            month: month.to_string(),
            total: total.into(),
            adjustments: adjustments.into(),
            state: if closed { "closed" } else { "open" },
            labs: labs as usize,
            lines: None,
            counted_to: None,
        }
    }
}

impl From<BillLine> for BillLineShown {
    fn from(BillLine { lab, lab_name, owner_name, meter, unit_seconds, amount, open }: BillLine) -> Self {
        Self { lab: lab.to_string(), lab_name, owner_name, meter: meter.to_string(), unit_seconds, amount: amount.into(), open }
    }
}

impl From<DomainBill> for Bill {
    fn from(DomainBill { course, month, currency, lines, adjustments, total, closing, counted_to }: DomainBill) -> Self {
        let labs: std::collections::BTreeSet<_> = lines.iter().map(|line| line.lab).collect();
        let labs = labs.len();
        let adjusted = adjustments.iter().fold(domain::money::Money::zero(currency), |sum, each| sum.plus(each.amount));
        Self {
            id: bill_id(month, &course.code),
            course: course.into(),
            month: month.to_string(),
            total: total.into(),
            adjustments: adjusted.into(),
            state: if closing.is_some() { "closed" } else { "open" },
            labs,
            lines: Some(lines.into_iter().map(Into::into).collect()),
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
        return Ok(Json(List::of(page.cut("bills", vec![bill], |bill| bill.course.code.clone())?, Bill::from)));
    }
    let bills = services::billing::bills(&state.services, &caller, month).await?;
    Ok(Json(List::of(page.cut("bills", bills, |bill| bill.course.code.clone())?, Bill::from)))
}

/// The lines of a bill: one for each lab and meter, by lab.
#[utoipa::path(get, path = "/api/v1/bills/{id}/lines", tag = "billing",
    params(("id" = String, Path, description = "Month and course: `2026-11_CV2402`", example = "2026-11_CV2402"),
        ("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<BillLineShown>)))]
pub async fn lines(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    mut query: Parameters,
) -> Result<Json<List<BillLineShown>>, Problem> {
    let page = query.page();
    query.finish()?;
    let (month, course) = parse_bill_id(&text).ok_or(Error::NotFound)?;
    let of = LinesOf { month, course: Some(course.to_owned()), by: Dimension::Course, key: String::new() };
    Ok(Json(List::of(services::billing::lines(&state.services, &caller, &of, &page).await?, BillLineShown::from)))
}

/// A month as a file: every interval as CSV, as FOCUS 1.2, a workbook with breakdowns, lines and adjustments, or a PDF.
///
/// The format is `format`, or what `Accept` asks for; CSV when neither says. A workbook or PDF takes at most 50,000 lines of one lab and meter.
#[utoipa::path(get, path = "/api/v1/bills/export", tag = "billing",
    params(("month" = Option<String>, Query, example = "2026-11"), ("course" = Option<String>, Query, description = "Code or id"),
        ("format" = Option<String>, Query, description = "`csv`, `focus`, `pdf` or `xlsx`", example = "csv")),
    responses((status = 200, description = "The file", content((String = "text/csv"), (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (Vec<u8> = "application/pdf"))),
        (status = 422, description = "`invalid`: a workbook of too many lines, among others")))]
pub async fn export(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Extension(OfToken(token)): Extension<OfToken>,
    headers: HeaderMap,
    mut query: Parameters,
) -> Result<Response, Problem> {
    let (month, course, format) = (query.text("month"), query.text("course"), query.text("format"));
    query.finish()?;
    let header = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok()).unwrap_or_default();
    let accept = header(http::header::ACCEPT);
    let accepted = if accept.contains("spreadsheetml") {
        "xlsx"
    } else if accept.contains("application/pdf") {
        "pdf"
    } else {
        "csv"
    };
    let wanted =
        Wanted { month: month.unwrap_or_default(), course: course.unwrap_or_default(), format: format.unwrap_or_else(|| accepted.to_owned()) };
    let language = app::language::negotiate(header(http::header::ACCEPT_LANGUAGE));
    let reader = Reader::of_token(&state.services, &caller, token);
    Ok(crate::export::file(&state, &caller, reader, &wanted, language).await?)
}

/// Body that names a month.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct MonthToClose {
    #[schema(example = "2026-11")]
    month: String,
}

/// Closes a month that is over: none of its bills changes any more. Closing it again changes nothing.
#[utoipa::path(post, path = "/api/v1/bills/close", tag = "billing", request_body = MonthToClose,
    responses((status = 200, body = List<Bill>), (status = 409, description = "`invalid_transition`: it still runs or is not counted to its end")))]
pub async fn close(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<List<Bill>>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let text = body.optional_text("month");
    body.finish()?;
    services::billing::may_close(&caller)?;
    may_show(&caller, Action::BillRead)?;
    let month = text.parse::<Month>().map_err(|_| Error::field("month", domain::Problem::BadFormat { example: "2026-11".into() }))?;
    services::billing::close(&state.services, &caller, month).await?;
    let bills = services::billing::bills(&state.services, &caller, month).await?;
    Ok(Json(List { items: bills.into_iter().map(Bill::from).collect(), next: None }))
}
