//! Personal access tokens: only the SHA-256 of each secret is here.

use domain::{
    ids::{TokenId, UserId},
    time::Timestamp,
    tokens::TokenView,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{
    error::Result,
    row::{Row, json},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub user: UserId,
    pub view: TokenView,
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, user_id, name, scopes, created_at, expires_at, last_used_at, revoked_at FROM tokens ", $rest)
    };
}

fn read(row: &AnyRow) -> Result<Token> {
    let row = Row::of("tokens", row);
    let view = TokenView {
        id: row.parse("id")?,
        name: row.text("name")?,
        scopes: row.json("scopes")?,
        created_at: row.timestamp("created_at")?,
        expires_at: row.optional_timestamp("expires_at")?,
        last_used_at: row.optional_timestamp("last_used_at")?,
        revoked_at: row.optional_timestamp("revoked_at")?,
    };
    Ok(Token { user: row.parse("user_id")?, view })
}

/// `secret_hash`: hexadecimal SHA-256.
pub async fn insert(connection: &mut AnyConnection, token: &Token, secret_hash: &str) -> Result<()> {
    let TokenView { id, name, scopes, created_at, expires_at, .. } = &token.view;
    sqlx::query("INSERT INTO tokens (id, user_id, name, secret_hash, scopes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(id.to_string())
        .bind(token.user.to_string())
        .bind(name.clone())
        .bind(secret_hash.to_owned())
        .bind(json(scopes))
        .bind(created_at.micros())
        .bind(expires_at.map(Timestamp::micros))
        .execute(connection)
        .await?;
    Ok(())
}

/// Whatever its state; the caller looks at expiry and revocation.
pub async fn by_secret_hash(connection: &mut AnyConnection, secret_hash: &str) -> Result<Option<Token>> {
    sqlx::query(select!("WHERE secret_hash = $1")).bind(secret_hash.to_owned()).fetch_optional(connection).await?.as_ref().map(read).transpose()
}

pub async fn by_id(connection: &mut AnyConnection, id: TokenId) -> Result<Option<Token>> {
    sqlx::query(select!("WHERE id = $1")).bind(id.to_string()).fetch_optional(connection).await?.as_ref().map(read).transpose()
}

/// A person's, newest first, revoked ones too.
pub async fn of_user(connection: &mut AnyConnection, user: UserId) -> Result<Vec<Token>> {
    let rows = sqlx::query(select!("WHERE user_id = $1 ORDER BY id DESC")).bind(user.to_string()).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

/// Writes the time of use unless it was written since `not_since`.
pub async fn used(connection: &mut AnyConnection, id: TokenId, at: Timestamp, not_since: Timestamp) -> Result<()> {
    sqlx::query("UPDATE tokens SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at <= $3)")
        .bind(at.micros())
        .bind(id.to_string())
        .bind(not_since.micros())
        .execute(connection)
        .await?;
    Ok(())
}

/// `false` when it was revoked before.
pub async fn revoke(connection: &mut AnyConnection, id: TokenId, at: Timestamp) -> Result<bool> {
    let done = sqlx::query("UPDATE tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL")
        .bind(at.micros())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Revokes all that a person has; returns how many were good until now.
pub async fn revoke_all(connection: &mut AnyConnection, user: UserId, at: Timestamp) -> Result<u64> {
    let done = sqlx::query("UPDATE tokens SET revoked_at = $1 WHERE user_id = $2 AND revoked_at IS NULL")
        .bind(at.micros())
        .bind(user.to_string())
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
mod tests;
