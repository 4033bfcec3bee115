//! Ordering again from history: the body for `POST /orders`, fitted to the offering of today.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::{
    orders::OrderForm,
    orders::again::{Again, Note},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    orders::id,
    problem::Problem,
};
use crate::state::AppState;

/// A filled order, and what is not as it was.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderAgain {
    /// Number of the order that it is made from.
    #[schema(example = 2047)]
    pub number: i64,
    /// Send it to `POST /orders` with an idempotency key of its own.
    pub order: FilledOrder,
    /// `version`, `price`, `value` (no longer allowed, the default stands), `gone` (no longer a parameter) or `duration`, each with its
    /// own members.
    #[schema(value_type = Vec<Object>, example = json!([{"note": "version", "from": 1, "to": 2}]))]
    pub notes: Vec<Note>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct FilledOrder {
    #[schema(example = "jupyterlab-slice")]
    pub offering: String,
    #[schema(example = "CV2402")]
    pub course: String,
    pub parameters: std::collections::BTreeMap<String, String>,
    #[schema(example = "90")]
    pub duration_minutes: String,
    pub purpose: String,
}

impl From<Again> for OrderAgain {
    fn from(Again { number, form, notes }: Again) -> Self {
        // The form of one lab at once: a lesson of the past is not ordered again.
        let OrderForm { offering, course, parameters, duration_minutes, purpose, class: _ } = form;
        Self { number, order: FilledOrder { offering, course, parameters, duration_minutes, purpose }, notes }
    }
}

/// Fills an order as this one was. Nothing is ordered by it.
#[utoipa::path(post, path = "/api/v1/orders/{id}/again", tag = "orders", params(("id" = String, Path)),
    responses((status = 200, body = OrderAgain), (status = 422, description = "`invalid`: the offering is no longer on sale")))]
pub async fn again(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<OrderAgain>, Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok(Json(services::orders::again(&state.services, &caller, id(&text)?).await?.into()))
}
