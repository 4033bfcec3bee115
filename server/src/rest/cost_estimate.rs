//! What the running billing period has cost so far (I4).

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{bearer::Bearer, dto::moment, problem::Problem, query::Parameters};
use crate::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub struct CostEstimate {
    /// In units of the currency, to the cent: of all usage that the token may read, since the last midnight on campus.
    #[schema(example = 0.43)]
    pub current_cost: f64,
    /// ISO 4217.
    #[schema(example = "CNY")]
    pub currency: &'static str,
    /// The next midnight on campus (Asia/Shanghai), when a new billing period begins.
    #[schema(example = "2025-08-23T16:00:00Z")]
    pub next_billing_time: String,
}

/// What the running billing period has cost so far.
///
/// The period is the campus day, from midnight to midnight in Asia/Shanghai: usage is cut there. `current_cost` counts all usage that
/// the token may read (a teacher's own courses and labs, a manager's tenant) up to the last metering, a few seconds ago.
#[utoipa::path(get, path = "/api/v1/cost-estimate", tag = "billing",
    responses((status = 200, body = CostEstimate, example = json!({"current_cost": 0.43, "currency": "CNY", "next_billing_time": "2025-08-23T16:00:00Z"}))))]
pub async fn show(State(state): State<AppState>, Bearer(caller): Bearer, query: Parameters) -> Result<Json<CostEstimate>, Problem> {
    query.finish()?;
    let current = services::billing::current_cost(&state.services, &caller).await?;
    Ok(Json(CostEstimate {
        current_cost: cents(current.cost.micros),
        currency: current.cost.currency.code(),
        next_billing_time: moment(current.next_billing),
    }))
}

/// Rounded half up to the cent; the nearest number that prints so.
#[expect(clippy::cast_precision_loss, reason = "cents of a day are far below 2^52")]
fn cents(micros: i64) -> f64 {
    ((micros + 5_000).div_euclid(10_000)) as f64 / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_exactly_as_agreed() {
        let next_billing_time = "2025-08-23T16:00:00Z".to_owned();
        let answer = CostEstimate { current_cost: cents(431_234), currency: "CNY", next_billing_time };
        let text = serde_json::to_string(&answer).expect("JSON");
        assert_eq!(text, r#"{"current_cost":0.43,"currency":"CNY","next_billing_time":"2025-08-23T16:00:00Z"}"#);
    }

    #[test]
    fn cents_are_rounded_half_up() {
        assert_eq!([cents(0), cents(4_999), cents(5_000), cents(1_234_567_890)].map(|cost| cost.to_string()), ["0", "0", "0.01", "1234.57"]);
    }
}
