//! The approval policy: read, replaced as a whole, and tried on past orders.

use axum::{Json, extract::State};
use domain::{
    approvals::Policy,
    policies::{DryRun, StoredPolicy},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    problem::Problem,
};
use crate::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyDocument {
    /// Of what is in force.
    pub version: i64,
    /// Rules in order: the first that matches decides; when none does a manager is asked.
    #[schema(value_type = Object, example = json!({
        "rules": [
            {"name": {"zh": "大任务和 H100", "en": "Large jobs and H100"},
             "when": {"any": [{"cards_over": 6720}, {"model_in": ["h100-80g"]}]},
             "then": {"stages": ["manager", "administrator", "operator"]}, "enabled": true},
            {"name": {"zh": "其余免审批", "en": "Everything else"}, "when": "always", "then": "automatic", "enabled": true}
        ],
        "same_person_twice": false
    }))]
    pub policy: Policy,
    /// What is being edited in the portal; `null` when nobody edits.
    #[schema(value_type = Option<Object>)]
    pub draft: Option<Policy>,
    /// Of the policy in force; empty if there is nothing to say. Ignored in a body.
    pub warnings: Vec<Warning>,
}

/// A rule that is allowed and most likely a mistake.
#[derive(Debug, Serialize, ToSchema)]
pub struct Warning {
    /// `never_matches`: the rule comes after one that matches all of its orders.
    #[schema(example = "never_matches")]
    pub code: &'static str,
    /// Number of the rule, from 0.
    #[schema(example = 2)]
    pub rule: usize,
    /// Number of the earlier rule that matches them.
    #[schema(example = 1)]
    pub after: usize,
}

impl From<StoredPolicy> for PolicyDocument {
    fn from(StoredPolicy { tenant: _, version, policy, draft, revision: _ }: StoredPolicy) -> Self {
        let never = policy.never_matching().into_iter().map(|(rule, after)| Warning { code: "never_matches", rule, after });
        Self { version, warnings: never.collect(), policy, draft }
    }
}

/// Body of a new policy. Conditions: `always`, `{"all": [...]}`, `{"any": [...]}`, `{"not": ...}`, `{"cards_over": 840}` (840 is one whole
/// card), `over_cards_per_order`, `over_starts_per_day`, `{"cost_over": 500000000}` (millionths), `{"minutes_over": 480}`,
/// `{"card_in": ["a100-80g"]}`, `{"model_in": ["a100-80g"]}`, `{"requester_has": "teacher"}`, `{"budget_left_under": 10}` (percent).
/// Outcomes: `automatic`, `{"stages": ["manager"]}`, `{"refuse": {"zh": "…", "en": "…"}}`.
/// The document as it was read is accepted too: an unchanged `draft`, and `warnings`, which are ignored.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"policy": {"rules": [{"name": {"zh": "其余", "en": "Rest"}, "when": "always", "then": {"stages": ["manager"]}}]}, "version": 1}))]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct NewPolicy {
    #[schema(value_type = Object)]
    policy: Value,
    /// The `version` in force that it replaces.
    #[schema(example = 1)]
    version: Option<i64>,
}

/// Body of a policy that is only tried; see that of a new one.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"policy": {"rules": [{"name": {"zh": "其余", "en": "Rest"}, "when": "always", "then": {"stages": ["manager"]}}]}}))]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct TriedPolicy {
    #[schema(value_type = Object)]
    policy: Value,
}

/// The policy in force and its draft.
#[utoipa::path(get, path = "/api/v1/policies", tag = "policies", responses((status = 200, body = PolicyDocument)))]
pub async fn show(State(state): State<AppState>, Bearer(caller): Bearer) -> Result<Json<PolicyDocument>, Problem> {
    Ok(Json(services::policies::get(&state.services, &caller).await?.stored.into()))
}

/// Puts another policy in force at once; a draft in the portal is dropped.
#[utoipa::path(put, path = "/api/v1/policies", tag = "policies", request_body = NewPolicy,
    responses((status = 200, body = PolicyDocument), (status = 409, description = "`stale`"), (status = 422, description = "`invalid`: `rules[2].when`, …")))]
pub async fn replace(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<PolicyDocument>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let policy = policy(&mut body);
    let version = body.optional_integer("version");
    body.ignore(&["warnings"]);
    if body.has_more() {
        let stored = services::policies::get(&state.services, &caller).await?.stored;
        body.unchanged(&PolicyDocument::from(stored));
    }
    body.finish()?;
    Ok(Json(services::policies::replace(&state.services, &caller, &policy, version.unwrap_or_default()).await?.into()))
}

/// What a policy would have done to the orders of the last 90 days, beside what is in force. Changes nothing.
#[utoipa::path(post, path = "/api/v1/policies/dry-run", tag = "policies", request_body = TriedPolicy,
    responses((status = 200, body = Object, description = "Counts for what is in force (`now`) and for this policy (`then`), orders matched by each rule, and up to 50 orders that differ",
        example = json!({"orders": 1284, "now": {"automatic": 1102, "asked": 182, "refused": 0}, "then": {"automatic": 1143, "asked": 141, "refused": 0},
            "matched": [1143, 141, 0], "different": 41, "rejected_then_automatic": 6, "differences": []}))))]
pub async fn dry_run(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<DryRun>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let policy = policy(&mut body);
    body.finish()?;
    Ok(Json(services::policies::dry_run(&state.services, &caller, &policy).await?))
}

const EXAMPLE: &str = r#"{"rules": [{"name": {"zh": "…", "en": "…"}, "when": "always", "then": "automatic"}]}"#;

fn policy(body: &mut Fields) -> Policy {
    let Some(value) = body.value("policy") else { return Policy::default() };
    serde_json::from_value(value).unwrap_or_else(|error| {
        body.refuse("policy", &format!("{EXAMPLE} ({error})"));
        Policy::default()
    })
}
