//! The college with its departments, projects and outside customers.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::courses::Department as DomainDepartment;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    dto::List,
    orders::id,
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

/// A department, project or outside customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tenant {
    #[schema(example = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e")]
    pub id: String,
    #[schema(example = "软件技术系")]
    pub name: String,
    /// `department`, `project` or `customer`.
    #[schema(example = "department")]
    pub kind: &'static str,
}

impl From<DomainDepartment> for Tenant {
    fn from(DomainDepartment { id, tenant: _, kind, name }: DomainDepartment) -> Self {
        Self { id: id.to_string(), name, kind: kind.as_str() }
    }
}

/// Body of a new department, or of a changed one, which may have its `id`.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct NewTenant {
    #[schema(example = "软件技术系")]
    name: String,
    /// `department`, `project` or `customer`.
    #[schema(example = "department")]
    kind: String,
}

/// Departments that the token may see, by name.
#[utoipa::path(get, path = "/api/v1/tenants", tag = "tenants", params(("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Tenant>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<Tenant>>, Problem> {
    let page = query.page();
    query.finish()?;
    let tree = services::departments::tree(&state.services, &caller).await?;
    Ok(Json(List::of(page.cut("tenants", tree.departments, |department| (department.name.clone(), department.id))?, Tenant::from)))
}

/// Makes a department.
#[utoipa::path(post, path = "/api/v1/tenants", tag = "tenants", request_body = NewTenant, responses((status = 200, body = Tenant)))]
pub async fn create(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<Tenant>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let (name, kind) = (body.optional_text("name"), body.optional_text("kind"));
    body.finish()?;
    Ok(Json(services::departments::create(&state.services, &caller, &name, &kind).await?.into()))
}

/// Renames a department or changes its kind.
#[utoipa::path(post, path = "/api/v1/tenants/{id}", tag = "tenants", params(("id" = String, Path)), request_body = NewTenant,
    responses((status = 200, body = Tenant)))]
pub async fn change(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Tenant>, Problem> {
    let mut body = Fields::parse(&raw)?;
    body.unchanged(&serde_json::json!({ "id": text }));
    let (name, kind) = (body.optional_text("name"), body.optional_text("kind"));
    body.finish()?;
    Ok(Json(services::departments::change(&state.services, &caller, id(&text)?, &name, &kind).await?.into()))
}
