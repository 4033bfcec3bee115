//! Lists of people and courses: look at, start, read what came of each row.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
};
use domain::{
    Error, Problem as FieldProblem,
    imports::{CellChange, Counts as DomainCounts, Import as DomainImport, ImportKind, ImportRow, RowResult, Verdict},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    dto::{List, Person, moment},
    orders::id,
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub struct Import {
    #[schema(example = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e")]
    pub id: String,
    /// `people` or `courses`.
    #[schema(example = "people")]
    pub kind: &'static str,
    pub file_name: String,
    /// `preview`, `running` or `done`.
    #[schema(example = "preview")]
    pub state: &'static str,
    pub by: Person,
    pub created_at: String,
    pub finished_at: Option<String>,
    pub rows: Counts,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Counts {
    pub new: u32,
    pub change: u32,
    pub unchanged: u32,
    /// Left out until they are mended.
    pub error: u32,
    pub done: u32,
}

impl From<DomainImport> for Import {
    fn from(import: DomainImport) -> Self {
        let DomainImport { id, kind, file_name, state, by, created_at, finished_at, links_at: _, counts } = import;
        let DomainCounts { new, change, unchanged, error, done, failed: _ } = counts;
        Self {
            id: id.to_string(),
            kind: kind.as_str(),
            file_name,
            state: state.as_str(),
            by: by.into(),
            created_at: moment(created_at),
            finished_at: finished_at.map(moment),
            rows: Counts { new, change, unchanged, error, done },
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedRow {
    /// The first row below the header is 1.
    pub number: u32,
    /// What was typed, by field.
    pub cells: BTreeMap<String, String>,
    /// `new`, `change`, `unchanged` or `error`.
    #[schema(example = "new")]
    pub verdict: &'static str,
    /// Fields that are wrong.
    pub wrong: Vec<String>,
    /// `done`, or `null` until its turn.
    pub result: Option<&'static str>,
    /// The changes that it would make, while it waits.
    pub changes: Vec<RowChange>,
}

/// A field that a row would change.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowChange {
    #[schema(example = "name")]
    pub field: String,
    /// Values that are there; `null` where `after` holds only what is added.
    pub before: Option<Vec<String>>,
    pub after: Vec<String>,
}

impl From<CellChange> for RowChange {
    fn from(CellChange { field, before, after }: CellChange) -> Self {
        Self { field, before, after }
    }
}

impl From<ImportRow> for ImportedRow {
    fn from(ImportRow { number, cells, verdict, problems, result, changes }: ImportRow) -> Self {
        let wrong = problems.into_iter().map(|each| each.field).collect();
        let changes = changes.into_iter().map(RowChange::from).collect();
        Self { number, cells, verdict: verdict.as_str(), wrong, result: result.map(RowResult::as_str), changes }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct NewImport {
    /// `people` or `courses`.
    #[schema(example = "people")]
    kind: String,
    #[schema(example = "teachers.csv")]
    file_name: Option<String>,
    /// The list as comma separated values, with its header in Chinese or English; 1,000 rows at most.
    #[schema(example = "账号,姓名,部门,角色,课程\n20260001,示范教师甲,软件技术系,教师,CV2402\n")]
    list: String,
}

/// Lists of the college, newest first.
#[utoipa::path(get, path = "/api/v1/imports", tag = "imports", params(("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Import>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<Import>>, Problem> {
    let page = query.page();
    query.finish()?;
    Ok(Json(List::of(services::imports::list(&state.services, &caller, &page).await?, Import::from)))
}

/// Reads a list and says what each row would do; nothing is taken over yet.
#[utoipa::path(post, path = "/api/v1/imports", tag = "imports", request_body = NewImport, responses((status = 200, body = Import)))]
pub async fn create(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<Import>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let (kind, file_name, list) = (body.optional_text("kind"), body.optional_text("file_name"), body.optional_text("list"));
    body.finish()?;
    let kinds = || ImportKind::ALL.map(|kind| kind.as_str().to_owned()).to_vec();
    let kind = ImportKind::parse(&kind).ok_or_else(|| Error::field("kind", FieldProblem::NotOneOf { choices: kinds() }))?;
    Ok(Json(services::imports::preview(&state.services, &caller, kind, &file_name, &list).await?.into()))
}

/// One list and how far it is.
#[utoipa::path(get, path = "/api/v1/imports/{id}", tag = "imports", params(("id" = String, Path)), responses((status = 200, body = Import)))]
pub async fn show(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>) -> Result<Json<Import>, Problem> {
    let page = domain::page::PageRequest { limit: 1, after: None };
    Ok(Json(services::imports::get(&state.services, &caller, id(&text)?, None, &page).await?.0.into()))
}

/// The rows of a list in order, with what came of each.
#[utoipa::path(get, path = "/api/v1/imports/{id}/rows", tag = "imports",
    params(("id" = String, Path), ("verdict" = Option<String>, Query), ("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<ImportedRow>)))]
pub async fn rows(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    mut query: Parameters,
) -> Result<Json<List<ImportedRow>>, Problem> {
    let verdict = query.choice("verdict", Verdict::parse, || Verdict::ALL.map(|verdict| verdict.as_str().to_owned()).to_vec());
    let page = query.page();
    query.finish()?;
    Ok(Json(List::of(services::imports::get(&state.services, &caller, id(&text)?, verdict, &page).await?.1, ImportedRow::from)))
}

/// Has the good rows taken over in the background.
#[utoipa::path(post, path = "/api/v1/imports/{id}/start", tag = "imports", params(("id" = String, Path)),
    responses((status = 200, body = Import), (status = 409, description = "`invalid_transition` when it runs, or nothing waits")))]
pub async fn start(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Import>, Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok(Json(services::imports::start(&state.services, &caller, id(&text)?).await?.into()))
}
