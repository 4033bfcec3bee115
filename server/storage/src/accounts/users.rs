//! People with their password hashes.

use domain::{
    ids::{TenantId, UserId},
    time::Timestamp,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{error::Result, row::Row};

/// An account as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub tenant: TenantId,
    /// Lower case.
    pub login: String,
    pub name: String,
    /// argon2id, PHC string.
    pub password_hash: String,
    /// Grows with every change of password and with disabling.
    pub credentials_version: i64,
    pub disabled_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub last_sign_in_at: Option<Timestamp>,
}

fn read(row: &AnyRow) -> Result<User> {
    let row = Row::of("users", row);
    Ok(User {
        id: row.parse("id")?,
        tenant: row.parse("tenant_id")?,
        login: row.text("login")?,
        name: row.text("name")?,
        password_hash: row.text("password_hash")?,
        credentials_version: row.integer("credentials_version")?,
        disabled_at: row.optional_timestamp("disabled_at")?,
        created_at: row.timestamp("created_at")?,
        last_sign_in_at: row.optional_timestamp("last_sign_in_at")?,
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, tenant_id, login, name, password_hash, credentials_version, disabled_at, created_at, last_sign_in_at FROM users ", $rest)
    };
}

/// Errors: `NotUnique` on `users.login`.
pub async fn insert(connection: &mut AnyConnection, user: &User) -> Result<()> {
    sqlx::query(
        "INSERT INTO users (id, tenant_id, login, name, password_hash, credentials_version, disabled_at, created_at, last_sign_in_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(user.id.to_string())
    .bind(user.tenant.to_string())
    .bind(user.login.clone())
    .bind(user.name.clone())
    .bind(user.password_hash.clone())
    .bind(user.credentials_version)
    .bind(user.disabled_at.map(Timestamp::micros))
    .bind(user.created_at.micros())
    .bind(user.last_sign_in_at.map(Timestamp::micros))
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn by_id(connection: &mut AnyConnection, id: UserId) -> Result<Option<User>> {
    sqlx::query(select!("WHERE id = $1")).bind(id.to_string()).fetch_optional(connection).await?.as_ref().map(read).transpose()
}

/// `login` in lower case.
pub async fn by_login(connection: &mut AnyConnection, login: &str) -> Result<Option<User>> {
    sqlx::query(select!("WHERE login = $1")).bind(login.to_owned()).fetch_optional(connection).await?.as_ref().map(read).transpose()
}

/// Everybody of a tenant, in order of login.
pub async fn list(connection: &mut AnyConnection, tenant: TenantId) -> Result<Vec<User>> {
    let rows = sqlx::query(select!("WHERE tenant_id = $1 ORDER BY login")).bind(tenant.to_string()).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

/// Whether there is any account at all.
pub async fn any(connection: &mut AnyConnection) -> Result<bool> {
    Ok(sqlx::query("SELECT id FROM users LIMIT 1").fetch_optional(connection).await?.is_some())
}

/// Gives the new credentials version. Errors: `RowNotFound` as `Sql`.
pub async fn set_password(connection: &mut AnyConnection, id: UserId, password_hash: &str) -> Result<i64> {
    let row =
        sqlx::query("UPDATE users SET password_hash = $1, credentials_version = credentials_version + 1 WHERE id = $2 RETURNING credentials_version")
            .bind(password_hash.to_owned())
            .bind(id.to_string())
            .fetch_one(connection)
            .await?;
    Row::of("users", &row).integer("credentials_version")
}

/// Disables (with the time) or enables (`None`); either way sessions made before are over.
pub async fn set_disabled(connection: &mut AnyConnection, id: UserId, at: Option<Timestamp>) -> Result<()> {
    sqlx::query("UPDATE users SET disabled_at = $1, credentials_version = credentials_version + 1 WHERE id = $2")
        .bind(at.map(Timestamp::micros))
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

pub async fn set_signed_in(connection: &mut AnyConnection, id: UserId, at: Timestamp) -> Result<()> {
    sqlx::query("UPDATE users SET last_sign_in_at = $1 WHERE id = $2").bind(at.micros()).bind(id.to_string()).execute(connection).await?;
    Ok(())
}
