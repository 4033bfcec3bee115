//! Credits, charges and corrections on bills.

use axum::{Json, extract::State};
use domain::billing::{Adjustment as DomainAdjustment, AdjustmentForm};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    dto::{Course, List, Money, moment},
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

/// An amount on a bill that nobody metered.
#[derive(Debug, Serialize, ToSchema)]
pub struct Adjustment {
    pub id: String,
    pub course: Course,
    /// On whose bill it stands.
    #[schema(example = "2026-11")]
    pub month: String,
    /// `credit`, `charge`, or `correction` for usage of a closed month that came to light later.
    #[schema(example = "credit")]
    pub kind: &'static str,
    /// Negative for what is given back.
    pub amount: Money,
    pub reason: String,
    /// Id of the lab that a correction is about.
    pub lab: Option<String>,
    /// The closed month that a correction belongs to.
    pub of_month: Option<String>,
    pub at: String,
    /// Name of the person; `null` for a correction by metering.
    pub by: Option<String>,
}

impl From<DomainAdjustment> for Adjustment {
    fn from(DomainAdjustment { id, course, month, kind, amount, reason, lab, of_month, at, by }: DomainAdjustment) -> Self {
        Self {
            id: id.to_string(),
            course: course.into(),
            month: month.to_string(),
            kind: kind.as_str(),
            amount: amount.into(),
            reason,
            lab: lab.map(|(id, _)| id.to_string()),
            of_month: of_month.map(|month| month.to_string()),
            at: moment(at),
            by,
        }
    }
}

/// Adjustments that the token may read, newest first.
#[utoipa::path(get, path = "/api/v1/adjustments", tag = "billing",
    params(("course" = Option<String>, Query, description = "Code or id"), ("month" = Option<String>, Query, example = "2026-11"),
        ("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Adjustment>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<Adjustment>>, Problem> {
    let (course, month) = (query.text("course"), query.parsed("month", "2026-11"));
    let page = query.page();
    query.finish()?;
    let found = services::billing::adjustments(&state.services, &caller, course.as_deref(), month, &page).await?;
    Ok(Json(List::of(found, Adjustment::from)))
}

/// Body of a new adjustment.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct NewAdjustment {
    /// Code or id.
    #[schema(example = "CV2402")]
    course: String,
    /// `credit` or `charge`.
    #[schema(example = "credit")]
    kind: String,
    /// Decimal and above zero; the kind gives the sign.
    #[schema(example = "12.50", format = "decimal")]
    amount: String,
    /// 1 to 200 characters; stands on the bill.
    #[schema(example = "The cards were away on Tuesday")]
    reason: String,
    /// A UUID of yours: a repetition with the same id adds nothing.
    id: Option<String>,
}

/// Adds a credit or a charge to the bill of the running month.
#[utoipa::path(post, path = "/api/v1/adjustments", tag = "billing", request_body = NewAdjustment,
    responses((status = 200, body = Adjustment), (status = 422, description = "`invalid`")))]
pub async fn add(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<Adjustment>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let form = AdjustmentForm {
        course: body.optional_text("course"),
        kind: body.optional_text("kind"),
        amount: body.optional_number("amount"),
        reason: body.optional_text("reason"),
    };
    let id = body.optional_text("id");
    body.finish()?;
    Ok(Json(services::billing::adjust(&state.services, &caller, &form, id.parse().ok()).await?.into()))
}
