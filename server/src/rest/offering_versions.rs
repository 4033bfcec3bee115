//! Writing offerings: drafts, publishing, retiring. For operators and administrators, with the scope `admin`. Bodies are the document
//! of `docs/offering.schema.json` as JSON.

use std::cmp::Reverse;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use domain::{
    Error,
    catalogue::Offering,
    offerings::{FieldChange, OfferingPreview, OfferingVersion, changes},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services::offerings::yaml;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    dto::{List, Money, moment},
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

/// A version of an offering.
#[derive(Debug, Serialize, ToSchema)]
pub struct Version {
    #[schema(example = "vscode")]
    pub slug: String,
    #[schema(example = 2)]
    pub version: u32,
    /// `draft`, `published` or `retired`.
    #[schema(example = "draft")]
    pub state: &'static str,
    /// Counts changes; give it back when you change or publish the draft.
    #[schema(example = 1)]
    pub revision: i64,
    pub changed_at: String,
    /// `null` for what came with Lectern.
    pub changed_by: Option<String>,
    pub published_at: Option<String>,
    pub retired_at: Option<String>,
    /// Labs that exist and were made from this version; `null` where it was not asked.
    pub labs: Option<u32>,
    /// What differs from the version before; empty for the first.
    pub changes: Vec<ChangedField>,
    /// The document.
    #[schema(value_type = Object)]
    pub offering: Offering,
}

/// A field that differs; `null` where the version has no such field.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedField {
    #[schema(example = "parameters.cpu_cores.max")]
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl From<FieldChange> for ChangedField {
    fn from(FieldChange { field, before, after }: FieldChange) -> Self {
        Self { field, before, after }
    }
}

impl From<OfferingVersion> for Version {
    fn from(version: OfferingVersion) -> Self {
        let OfferingVersion { offering, state, revision, changed_at, changed_by, published_at, retired_at } = version;
        Self {
            slug: offering.slug.clone(),
            version: offering.version,
            state: state.as_str(),
            revision,
            changed_at: moment(changed_at),
            changed_by,
            published_at: published_at.map(moment),
            retired_at: retired_at.map(moment),
            labs: None,
            changes: Vec::new(),
            offering,
        }
    }
}

/// What a lab with the defaults would cost and be made of.
#[derive(Debug, Serialize, ToSchema)]
pub struct LabPreview {
    /// `null` when the price book lacks a price.
    pub per_hour: Option<Money>,
    /// For the default duration.
    pub total: Option<Money>,
    /// The meter without a price.
    pub price_missing: Option<String>,
    pub objects: Vec<Object>,
}

/// A Kubernetes object; values of variables that look like secrets are `***`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Object {
    #[schema(example = "Deployment")]
    pub kind: String,
    pub yaml: String,
}

impl From<OfferingPreview> for LabPreview {
    fn from(preview: OfferingPreview) -> Self {
        let OfferingPreview { problems: _, estimate, price_missing, objects } = preview;
        Self {
            per_hour: estimate.as_ref().map(|estimate| estimate.per_hour.into()),
            total: estimate.map(|estimate| estimate.total.into()),
            price_missing,
            objects: objects.into_iter().map(|(kind, yaml)| Object { kind, yaml }).collect(),
        }
    }
}

/// Body of a publication; all of it may be left out.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct Publish {
    /// The draft's `revision` that was looked at.
    #[schema(example = 1)]
    revision: Option<i64>,
}

/// The document of an offering, and the revision of the draft that it replaces. A version as shown is accepted too: its `offering` is the
/// document, its `revision` counts if it is a draft, and the rest is ignored.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read as a document")]
#[schema(example = json!({
    "slug": "vscode-large", "name": {"zh": "VS Code，整卡", "en": "VS Code, whole card"},
    "summary": {"zh": "一张 A100 的编辑器。", "en": "An editor with one A100."},
    "icon": "code", "workload": "code_editor",
    "audience": {"tenants": [], "roles": ["teacher"]},
    "base": {"image": "docker.io/codercom/code-server:4.104.1", "port": 8080, "health_path": "/healthz", "card": "a100-80g", "cards_per_node": 1,
        "nodes": 1, "cpu_cores": 8, "memory_gib": 32, "storage_gib": 20},
    "duration": {"default": 90, "min": 30, "max": 720},
    "parameters": [{"key": "cpu_cores", "label": {"zh": "CPU", "en": "CPU"}, "target": "cpu_cores", "default": "8",
        "kind": {"integer": {"min": 2, "max": 16, "step": 2, "unit": "cores"}}}]
}))]
pub struct Document {
    slug: String,
    name: Value,
    summary: Value,
    /// `book`, `code`, `lab`, `batch`, `ddp`, `serve` or `screen`.
    icon: String,
    /// `notebook`, `code_editor`, `shell`, `batch_job`, `distributed_job` or `inference`.
    workload: String,
    /// Who sees it; left out: everybody.
    audience: Option<Value>,
    base: Value,
    duration: Value,
    parameters: Vec<Value>,
    /// Of the draft that was read, 0 for none; without it whatever draft there is gets replaced.
    revision: Option<i64>,
}

/// The document and the revision. Who may not write learns nothing of its faults.
async fn document(state: &AppState, caller: &services::Caller, raw: &Raw) -> Result<(Offering, Option<i64>), Problem> {
    services::offerings::allowed(&state.services, caller).await?;
    let mut body = Fields::parse(raw)?;
    let revision = body.optional_integer("revision");
    if !body.has("offering") {
        let document = body.rest();
        body.finish()?;
        return Ok((yaml::from_json(document)?, revision));
    }
    let document = body.value("offering").unwrap_or_default();
    let is_draft = body.optional_text("state") == "draft";
    body.ignore(&["slug", "version", "changed_at", "changed_by", "published_at", "retired_at", "labs", "changes"]);
    body.finish()?;
    // A draft that somebody began since the published version was read is not replaced.
    Ok((yaml::from_json(document)?, if is_draft { revision } else { Some(0) }))
}

/// Makes a new offering, as a draft. The same document again gives the same draft.
#[utoipa::path(post, path = "/api/v1/offerings", tag = "offerings", request_body = Document,
    responses((status = 201, body = Version), (status = 422, description = "`invalid`: each problem at its field, `taken` for a slug in use")))]
pub async fn create(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Response, Problem> {
    let (offering, revision) = document(&state, &caller, &raw).await?;
    let saved = services::offerings::save(&state.services, &caller, None, offering, revision).await?;
    Ok((StatusCode::CREATED, Json(Version::from(saved))).into_response())
}

/// What a lab of this document would cost and make; nothing is stored.
#[utoipa::path(post, path = "/api/v1/offerings/preview", tag = "offerings", request_body = Document, responses((status = 200, body = LabPreview)))]
pub async fn preview(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<LabPreview>, Problem> {
    let (offering, _) = document(&state, &caller, &raw).await?;
    let preview = services::offerings::preview(&state.services, &caller, &offering).await?;
    if !preview.problems.is_empty() {
        return Err(Error::Invalid(preview.problems).into());
    }
    Ok(Json(preview.into()))
}

/// All versions, the newest first, each with what it changed.
#[utoipa::path(get, path = "/api/v1/offerings/{slug}/versions", tag = "offerings",
    params(("slug" = String, Path, example = "vscode"), ("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Version>)))]
pub async fn list(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(slug): Path<String>,
    mut query: Parameters,
) -> Result<Json<List<Version>>, Problem> {
    let page = query.page();
    query.finish()?;
    let history = services::offerings::history(&state.services, &caller, &slug).await?;
    let versions = (0..history.versions.len()).map(|at| {
        let version = &history.versions[at];
        let before = history.versions.get(at + 1);
        let changes = before.map(|before| changes(&before.offering, &version.offering)).unwrap_or_default();
        let labs = Some(history.labs.get(&version.offering.version).copied().unwrap_or_default());
        Version { labs, changes: changes.into_iter().map(ChangedField::from).collect(), ..Version::from(version.clone()) }
    });
    Ok(Json(List::of(page.cut("versions", versions.collect(), |version: &Version| Reverse(version.version))?, |version| version)))
}

/// Writes the draft of the next version, or the draft that is there.
#[utoipa::path(post, path = "/api/v1/offerings/{slug}/versions", tag = "offerings", params(("slug" = String, Path, example = "vscode")), request_body = Document,
    responses((status = 200, body = Version), (status = 409, description = "`stale`: the draft is not the one that was read")))]
pub async fn save(State(state): State<AppState>, Bearer(caller): Bearer, Path(slug): Path<String>, raw: Raw) -> Result<Json<Version>, Problem> {
    let (offering, revision) = document(&state, &caller, &raw).await?;
    Ok(Json(services::offerings::save(&state.services, &caller, Some(&slug), offering, revision).await?.into()))
}

/// Puts the draft on sale; new orders use it, orders and labs that exist keep their version.
#[utoipa::path(post, path = "/api/v1/offerings/{slug}/publish", tag = "offerings", params(("slug" = String, Path, example = "vscode")), request_body = Option<Publish>,
    responses((status = 200, body = Version), (status = 409, description = "`invalid_transition` or `stale`"), (status = 422, description = "`price_missing`")))]
pub async fn publish(State(state): State<AppState>, Bearer(caller): Bearer, Path(slug): Path<String>, raw: Raw) -> Result<Json<Version>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let revision = body.optional_integer("revision");
    body.finish()?;
    Ok(Json(services::offerings::publish(&state.services, &caller, &slug, revision).await?.into()))
}

/// Takes the offering off sale; labs that exist run on.
#[utoipa::path(post, path = "/api/v1/offerings/{slug}/retire", tag = "offerings", params(("slug" = String, Path, example = "vscode")),
    responses((status = 200, body = Version), (status = 409, description = "`invalid_transition`")))]
pub async fn retire(State(state): State<AppState>, Bearer(caller): Bearer, Path(slug): Path<String>, raw: Raw) -> Result<Json<Version>, Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok(Json(services::offerings::retire(&state.services, &caller, &slug).await?.into()))
}

/// Puts what was retired last on sale again.
#[utoipa::path(post, path = "/api/v1/offerings/{slug}/restore", tag = "offerings", params(("slug" = String, Path, example = "vscode")),
    responses((status = 200, body = Version), (status = 409, description = "`invalid_transition`")))]
pub async fn restore(State(state): State<AppState>, Bearer(caller): Bearer, Path(slug): Path<String>, raw: Raw) -> Result<Json<Version>, Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok(Json(services::offerings::restore(&state.services, &caller, &slug).await?.into()))
}
