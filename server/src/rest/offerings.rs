//! The catalogue.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::catalogue::{OfferingCard, Parameter as DomainParameter, ParameterKind};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    dto::{List, Localized, Money, Spec},
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub struct Offering {
    pub id: String,
    /// Use it as `offering` in an order.
    #[schema(example = "jupyterlab-slice")]
    pub slug: String,
    pub version: u32,
    pub name: Localized,
    pub summary: Localized,
    /// With the default parameters.
    pub spec: Spec,
    pub duration: Duration,
    pub parameters: Vec<Parameter>,
    /// Price of the defaults for an hour; `null` when the price book lacks a price.
    pub per_hour: Option<Money>,
    /// Cards of the default kind that are free; `null` while the cluster has not reported.
    pub cards_free: Option<u32>,
}

/// Minutes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Duration {
    pub default: u32,
    pub min: u32,
    pub max: u32,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Parameter {
    /// Key in an order's `parameters`.
    pub key: String,
    pub label: Localized,
    pub help: Option<Localized>,
    /// What is allowed: `{"integer": {"min", "max", "step", "unit"}}`, `{"choice": {"options"}}`, `{"text": {"max_length"}}` or `"git_url"`.
    #[schema(value_type = Value)]
    pub kind: ParameterKind,
    pub default: Option<String>,
    pub required: bool,
}

impl From<DomainParameter> for Parameter {
    fn from(parameter: DomainParameter) -> Self {
        let DomainParameter { key, label, help, target: _, kind, default, optional } = parameter;
        let required = default.is_none() && !optional;
        Self { key, label: label.into(), help: help.map(Into::into), kind, default, required }
    }
}

impl From<OfferingCard> for Offering {
    fn from(card: OfferingCard) -> Self {
        let OfferingCard { offering, per_hour, parts: _, cards_free } = card;
        let domain::catalogue::Offering { id, slug, version, name, summary, icon: _, workload: _, audience: _, base, duration, parameters } =
            offering;
        Self {
            id: id.to_string(),
            slug,
            version,
            name: name.into(),
            summary: summary.into(),
            spec: base.into(),
            duration: Duration { default: duration.default, min: duration.min, max: duration.max },
            parameters: parameters.into_iter().map(Into::into).collect(),
            per_hour: per_hour.map(Into::into),
            cards_free,
        }
    }
}

/// What can be ordered.
#[utoipa::path(get, path = "/api/v1/offerings", tag = "catalogue", params(("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Offering>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<Offering>>, Problem> {
    let page = query.page();
    query.finish()?;
    let offerings = services::catalogue::list(&state.services, &caller).await?;
    Ok(Json(List::of(page.cut("offerings", offerings, |card| card.offering.slug.clone())?, Offering::from)))
}

/// One offering, by slug or id.
#[utoipa::path(get, path = "/api/v1/offerings/{slug}", tag = "catalogue", params(("slug" = String, Path, example = "jupyterlab-slice")),
    responses((status = 200, body = Offering)))]
pub async fn show(State(state): State<AppState>, Bearer(caller): Bearer, Path(slug): Path<String>) -> Result<Json<Offering>, Problem> {
    Ok(Json(services::catalogue::get(&state.services, &caller, &slug).await?.into()))
}
