//! One's own public keys for SSH: list, add, remove.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::ssh_keys::{SshKey as DomainSshKey, SshKeyForm};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    dto::{List, moment},
    orders::id,
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

/// A public key by which its owner signs in to labs over SSH.
#[derive(Debug, Serialize, ToSchema)]
pub struct SshKey {
    #[schema(example = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e")]
    pub id: String,
    #[schema(example = "laptop")]
    pub name: String,
    /// As in `authorized_keys`, without a comment.
    #[schema(example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkqJQz67Fz7AMAY/mC0VMP9qFFndLTJTEhAwJFce4To")]
    pub public_key: String,
    /// As `ssh-keygen -l` shows it.
    #[schema(example = "SHA256:93NrMd2qOAOQpAmCdq9j8M0A42bnIsDbHGjopEP8PBU")]
    pub fingerprint: String,
    pub created_at: String,
}

impl From<DomainSshKey> for SshKey {
    fn from(key: DomainSshKey) -> Self {
        let DomainSshKey { id, name, public_key, fingerprint, created_at } = key;
        Self { id: id.to_string(), name, public_key, fingerprint, created_at: moment(created_at) }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct NewSshKey {
    /// Up to 100 characters; left out for the comment of the key.
    #[schema(example = "laptop")]
    name: Option<String>,
    /// One line of a `.pub` file: Ed25519, ECDSA, or RSA with 2048 bits or more.
    #[schema(example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkqJQz67Fz7AMAY/mC0VMP9qFFndLTJTEhAwJFce4To laptop")]
    public_key: String,
}

/// The public keys of the token's owner, newest first; at most 20.
#[utoipa::path(get, path = "/api/v1/ssh-keys", tag = "labs", responses((status = 200, body = List<SshKey>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, query: Parameters) -> Result<Json<List<SshKey>>, Problem> {
    query.finish()?;
    let keys = services::ssh_keys::list(&state.services, &caller).await?;
    Ok(Json(List { items: keys.into_iter().map(Into::into).collect(), next: None }))
}

/// Adds a public key of the token's owner; the same again gives the one that there is. Running labs with an SSH server take it within seconds.
#[utoipa::path(post, path = "/api/v1/ssh-keys", tag = "labs", request_body = NewSshKey, responses((status = 200, body = SshKey)))]
pub async fn add(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<SshKey>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let form = SshKeyForm { name: body.optional_text("name"), public_key: body.optional_text("public_key") };
    body.finish()?;
    Ok(Json(services::ssh_keys::add(&state.services, &caller, &form).await?.into()))
}

/// Removes a public key of the token's owner. No lab takes it any more, also if its order names it; running ones within seconds.
#[utoipa::path(delete, path = "/api/v1/ssh-keys/{id}", tag = "labs", params(("id" = String, Path)),
    responses((status = 204, description = "It is gone")))]
pub async fn remove(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>) -> Result<http::StatusCode, Problem> {
    services::ssh_keys::remove(&state.services, &caller, id(&text)?).await?;
    Ok(http::StatusCode::NO_CONTENT)
}
