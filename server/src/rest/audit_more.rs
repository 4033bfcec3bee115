//! Around the audit record: saved searches, exports, the state of its chains.

use axum::{
    Extension, Json,
    extract::{Path, State},
    response::Response,
};
use domain::{
    Error,
    audit::{
        SavedSearch as Saved,
        run::{ChainCard, Run as Ran},
    },
};
use serde::Serialize;
use services::audit::{Format, runs, searches};
use utoipa::ToSchema;

use super::{
    audit::filter,
    bearer::{Bearer, OfToken},
    body::{Fields, Raw},
    dto::{List, Person, moment},
    problem::Problem,
    query::Parameters,
};
use crate::{audit_export, reading::Reader, state::AppState};

#[derive(Debug, Serialize, ToSchema)]
pub struct SavedSearch {
    pub id: String,
    pub name: String,
    /// Whether every auditor of the tenant sees it.
    pub shared: bool,
    pub owner: Person,
    /// Members as the parameters of the search, without what was not asked for; instants in microseconds UTC.
    #[schema(value_type = Value, example = json!({"action": "order.", "outcome": "refused", "range": "week"}))]
    pub filter: domain::audit::Filter,
    pub created_at: String,
}

impl From<Saved> for SavedSearch {
    fn from(Saved { id, owner, name, shared, filter, created_at }: Saved) -> Self {
        Self { id: id.to_string(), name, shared, owner: owner.into(), filter, created_at: moment(created_at) }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Chains {
    /// The tenant's chain and the system's.
    pub chains: Vec<ChainState>,
    /// The last verification that is over.
    pub last: Option<Run>,
    /// One that is on its way.
    pub current: Option<Run>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ChainState {
    /// A tenant's id, or `system`.
    #[schema(example = "system")]
    pub chain: String,
    /// Place of the last sealed record, and its hash.
    #[schema(example = 31_877)]
    pub sealed: i64,
    pub head: String,
    pub unsealed: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Run {
    pub id: String,
    pub asked_by: Person,
    pub asked_at: String,
    /// `waiting`, `running`, `good` or `broken`.
    #[schema(example = "good")]
    pub state: &'static str,
    /// Records checked so far, of `total`.
    pub checked: i64,
    pub total: i64,
    pub finished_at: Option<String>,
    /// What is wrong, at the first bad record of each chain.
    #[schema(example = json!([]))]
    pub broken: Vec<String>,
}

impl From<Ran> for Run {
    fn from(Ran { id, asked_by, asked_at, state, checked, total, finished_at, chains }: Ran) -> Self {
        let broken = chains.iter().filter_map(|chain| chain.broken.as_ref().map(|broken| format!("{}: {broken}", chain.chain))).collect();
        Self {
            id: id.to_string(),
            asked_by: asked_by.into(),
            asked_at: moment(asked_at),
            state: state.as_str(),
            checked,
            total,
            finished_at: finished_at.map(moment),
            broken,
        }
    }
}

impl From<ChainCard> for Chains {
    fn from(ChainCard { chains, last, current }: ChainCard) -> Self {
        let chains = chains
            .into_iter()
            .map(|state| ChainState { chain: state.chain.to_string(), sealed: state.sealed, head: state.head.to_string(), unsealed: state.unsealed })
            .collect();
        Self { chains, last: last.map(Into::into), current: current.map(Into::into) }
    }
}

/// Searches kept under a name: one's own and those that are shared.
#[utoipa::path(get, path = "/api/v1/audit/searches", tag = "audit", params(("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<SavedSearch>)))]
pub async fn saved(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<SavedSearch>>, Problem> {
    let page = query.page();
    query.finish()?;
    let all = searches::list(&state.services, &caller).await?;
    Ok(Json(List::of(page.cut("audit_searches", all, |search| (search.name.clone(), search.id))?, SavedSearch::from)))
}

#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only described here; bodies are read member by member")]
pub struct SaveSearch {
    #[schema(example = "被拒的操作")]
    name: String,
    /// For every auditor of the tenant; `false` when left out.
    shared: Option<bool>,
}

/// Keeps a search: its name in the body, its conditions as parameters, like those of the search itself.
#[utoipa::path(post, path = "/api/v1/audit/searches", tag = "audit", request_body = SaveSearch,
    params(("person" = Option<String>, Query), ("action" = Option<String>, Query, example = "order."), ("object" = Option<String>, Query), ("outcome" = Option<String>, Query, example = "refused"),
        ("via" = Option<String>, Query), ("address" = Option<String>, Query), ("text" = Option<String>, Query), ("from" = Option<String>, Query), ("to" = Option<String>, Query), ("range" = Option<String>, Query, example = "week"), ("own_reads" = Option<bool>, Query, description = "Also your own readings of the record, which are left out otherwise")),
    responses((status = 201, body = SavedSearch)))]
pub async fn save(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    mut query: Parameters,
    raw: Raw,
) -> Result<(http::StatusCode, Json<SavedSearch>), Problem> {
    let filter = filter(&mut query);
    query.finish()?;
    let mut body = Fields::parse(&raw)?;
    let name = body.text("name");
    let shared = body.optional_flag("shared");
    body.finish()?;
    Ok((http::StatusCode::CREATED, Json(searches::save(&state.services, &caller, &name, &filter, shared).await?.into())))
}

/// Drops a search of one's own.
#[utoipa::path(post, path = "/api/v1/audit/searches/{id}/delete", tag = "audit", params(("id" = String, Path)),
    responses((status = 204, description = "It is gone")))]
pub async fn delete(State(state): State<AppState>, Bearer(caller): Bearer, Path(id): Path<String>, raw: Raw) -> Result<http::StatusCode, Problem> {
    Fields::parse(&raw)?.finish()?;
    searches::delete(&state.services, &caller, id.parse().map_err(|_| Error::NotFound)?).await?;
    Ok(http::StatusCode::NO_CONTENT)
}

/// Everything that a search finds: JSON lines with proof (for `lectern audit verify FILE`), or CSV.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit",
    params(("format" = Option<String>, Query, description = "`jsonl` or `csv`", example = "jsonl"), ("person" = Option<String>, Query), ("action" = Option<String>, Query), ("object" = Option<String>, Query),
        ("outcome" = Option<String>, Query), ("via" = Option<String>, Query), ("address" = Option<String>, Query), ("text" = Option<String>, Query), ("from" = Option<String>, Query), ("to" = Option<String>, Query), ("range" = Option<String>, Query), ("own_reads" = Option<bool>, Query, description = "Also your own readings of the record, which are left out otherwise")),
    responses((status = 200, body = String, description = "The file, as it is read", content_type = "application/x-ndjson")))]
pub async fn export(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Extension(OfToken(token)): Extension<OfToken>,
    mut query: Parameters,
) -> Result<Response, Problem> {
    let filter = filter(&mut query);
    let formats = || Format::ALL.map(|format| format.as_str().to_owned()).to_vec();
    let format = query.choice("format", Format::parse, formats).unwrap_or(Format::Jsonl);
    query.finish()?;
    let reader = Reader::of_token(&state.services, &caller, token);
    Ok(audit_export::file(&state, &caller, reader, &filter, format).await?)
}

/// How far the chains are sealed, and what the last verification found.
#[utoipa::path(get, path = "/api/v1/audit/chain", tag = "audit", responses((status = 200, body = Chains)))]
pub async fn chain(State(state): State<AppState>, Bearer(caller): Bearer, query: Parameters) -> Result<Json<Chains>, Problem> {
    query.finish()?;
    Ok(Json(runs::chain_card(&state.services, &caller).await?.into()))
}

/// Has the chains verified in the background; `GET /audit/chain` shows how far it is. One that is on its way is given back.
#[utoipa::path(post, path = "/api/v1/audit/verify", tag = "audit", responses((status = 202, body = Run)))]
pub async fn verify(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<(http::StatusCode, Json<Run>), Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok((http::StatusCode::ACCEPTED, Json(runs::ask(&state.services, &caller).await?.into())))
}
