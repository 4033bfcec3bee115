//! Personal access tokens for the API (L1): `lct_` and 43 characters; the database has only their SHA-256.

use std::collections::BTreeSet;

use domain::{
    Result,
    access::{Actor, Scope},
    ids::TokenId,
    time::Timestamp,
};

use crate::{Caller, Origin, Services};

/// For `lectern token create`. Returns the secret, which is nowhere else. Errors: `NotFound` for an unknown login, `Invalid`.
pub async fn create_for(_services: &Services, _origin: &Origin, _login: &str, _name: &str, _scopes: BTreeSet<Scope>) -> Result<String> {
    todo!()
}

/// The person behind a bearer token, narrowed to its scopes. Errors: `Unauthenticated`.
pub async fn authenticate(_services: &Services, _secret: &str) -> Result<Actor> {
    todo!()
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TokenView {
    pub id: TokenId,
    pub name: String,
    pub scopes: BTreeSet<Scope>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

pub async fn list(_services: &Services, _caller: &Caller) -> Result<Vec<TokenView>> {
    todo!()
}

pub async fn revoke(_services: &Services, _caller: &Caller, _id: TokenId) -> Result<()> {
    todo!()
}
