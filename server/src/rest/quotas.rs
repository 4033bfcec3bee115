//! What each course may use and what is left.

use axum::{Json, extract::State};
use domain::{courses::CourseRef, quotas::QuotaStatus};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    dto::{Course, List, Money, cards},
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub struct Quota {
    pub course: Course,
    pub limits: Amounts,
    /// By labs that exist.
    pub used: Amounts,
    /// By orders that wait for a decision or for cards.
    pub held: Amounts,
    pub budget: Budget,
    /// Whole-card equivalents started today on campus time; more than `starts_per_day` asks for approval.
    pub started_today: f64,
    pub starts_per_day: f64,
    /// More in one order asks for approval.
    pub cards_per_order: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Amounts {
    /// Whole-card equivalents.
    pub cards: f64,
    pub cpu_cores: i64,
    pub memory_gib: i64,
    pub storage_gib: i64,
    pub running_labs: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Budget {
    pub limit: Money,
    /// Metered so far.
    pub spent: Money,
    /// The rest of what live orders were estimated at.
    pub held: Money,
    pub left: Money,
}

impl From<domain::quotas::Amounts> for Amounts {
    fn from(amounts: domain::quotas::Amounts) -> Self {
        let domain::quotas::Amounts { cards: share, cpu_cores, memory_gib, storage_gib, running_labs } = amounts;
        Self { cards: cards(share), cpu_cores, memory_gib, storage_gib, running_labs }
    }
}

impl From<(CourseRef, QuotaStatus)> for Quota {
    fn from((course, status): (CourseRef, QuotaStatus)) -> Self {
        let left = status.budget.left();
        let QuotaStatus { course: _, limits, used, held, budget, started_today, starts_per_day, cards_per_order, booked: _, ends: _ } = status;
        Self {
            course: course.into(),
            limits: limits.into(),
            used: used.into(),
            held: held.into(),
            budget: Budget { limit: budget.limit.into(), spent: budget.spent.into(), held: budget.held.into(), left: left.into() },
            started_today: cards(started_today),
            starts_per_day: cards(starts_per_day),
            cards_per_order: cards(cards_per_order),
        }
    }
}

/// Quotas and budgets of the courses that the token may read, by code.
#[utoipa::path(get, path = "/api/v1/quotas", tag = "quotas", params(("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Quota>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<Quota>>, Problem> {
    let page = query.page();
    query.finish()?;
    let quotas = services::quotas::list(&state.services, &caller).await?;
    Ok(Json(List::of(page.cut("quotas", quotas, |(course, _)| course.code.clone())?, Quota::from)))
}
