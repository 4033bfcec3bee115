//! People with their password hashes.

use std::collections::BTreeSet;

use domain::{
    access::Role,
    ids::{CourseId, TenantId, UserId},
    people::PersonState,
    time::Timestamp,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{error::Result, folded, ids_list, pattern, row::Row};

/// An account as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub tenant: TenantId,
    /// Lower case.
    pub login: String,
    pub name: String,
    /// argon2id, PHC string; empty for who has no password yet.
    pub password_hash: String,
    /// Grows with every change of password and with disabling.
    pub credentials_version: i64,
    pub disabled_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub last_sign_in_at: Option<Timestamp>,
    /// The identity provider that the person signs in through, by its issuer; read only, `identities` holds it.
    pub issuer: Option<String>,
}

impl User {
    /// A new account, without a password.
    pub const fn new(id: UserId, tenant: TenantId, login: String, name: String, created_at: Timestamp) -> Self {
        Self {
            id,
            tenant,
            login,
            name,
            password_hash: String::new(),
            credentials_version: 1,
            disabled_at: None,
            created_at,
            last_sign_in_at: None,
            issuer: None,
        }
    }
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
        issuer: row.optional_text("issuer")?,
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, tenant_id, login, name, password_hash, credentials_version, disabled_at, created_at, last_sign_in_at, \
             (SELECT MIN(i.issuer) FROM identities i WHERE i.user_id = users.id) AS issuer FROM users ",
            $rest
        )
    };
}

/// Errors: `NotUnique` on `users.login`.
pub async fn insert(connection: &mut AnyConnection, user: &User) -> Result<()> {
    sqlx::query(
        "INSERT INTO users (id, tenant_id, login, name, password_hash, credentials_version, disabled_at, created_at, last_sign_in_at, folded) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
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
    .bind(folded::user(&user.login, &user.name))
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

/// Which people of a college are wanted; all that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub tenant: TenantId,
    /// Only those who teach one of these courses.
    pub teaching: Option<BTreeSet<CourseId>>,
    /// Part of the login or name.
    pub text: Option<String>,
    pub role: Option<Role>,
    pub state: Option<PersonState>,
    /// Begin after this login.
    pub after: Option<String>,
    pub limit: u32,
}

/// In order of login.
pub async fn search(connection: &mut AnyConnection, query: &Query) -> Result<Vec<User>> {
    let like = query.text.as_deref().map(pattern::contains);
    let rows = sqlx::query(select!(
        "WHERE tenant_id = $1 AND ($2 IS NULL OR folded LIKE $2 ESCAPE '!') \
         AND ($3 IS NULL OR id IN (SELECT r.user_id FROM user_roles r WHERE r.role = $3)) \
         AND ($4 IS NULL OR $4 = CASE WHEN disabled_at IS NOT NULL THEN 'disabled' \
         WHEN password_hash = '' AND NOT EXISTS (SELECT 1 FROM identities i WHERE i.user_id = users.id) THEN 'invited' ELSE 'active' END) \
         AND ($5 IS NULL OR login > $5) \
         AND ($6 IS NULL OR id IN (SELECT m.user_id FROM course_members m WHERE $6 LIKE '%' || m.course_id || '%')) \
         ORDER BY login LIMIT $7"
    ))
    .bind(query.tenant.to_string())
    .bind(like)
    .bind(query.role.map(Role::as_str))
    .bind(query.state.map(PersonState::as_str))
    .bind(query.after.clone())
    .bind(query.teaching.as_ref().map(ids_list::list))
    .bind(i64::from(query.limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// Those with one of these logins, in whatever college.
pub async fn by_logins(connection: &mut AnyConnection, logins: &BTreeSet<String>) -> Result<Vec<User>> {
    // JSON holds any login; each stands between quotes of its own.
    let list = serde_json::Value::from(logins.iter().cloned().collect::<Vec<_>>()).to_string();
    let rows = sqlx::query(select!("WHERE $1 LIKE '%\"' || REPLACE(login, '_', '!_') || '\"%' ESCAPE '!' ORDER BY login"))
        .bind(list)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// How many people other than this one are administrators of the college and can sign in.
pub async fn other_administrators(connection: &mut AnyConnection, tenant: TenantId, except: UserId) -> Result<u32> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS others FROM users u JOIN user_roles r ON r.user_id = u.id AND r.tenant_id = u.tenant_id \
         WHERE u.tenant_id = $1 AND u.id <> $2 AND r.role = 'administrator' AND u.disabled_at IS NULL \
         AND (u.password_hash <> '' OR EXISTS (SELECT 1 FROM identities i WHERE i.user_id = u.id))",
    )
    .bind(tenant.to_string())
    .bind(except.to_string())
    .fetch_one(connection)
    .await?;
    Row::of("users", &row).count("others")
}

pub async fn set_name(connection: &mut AnyConnection, id: UserId, name: &str) -> Result<()> {
    let row = sqlx::query("UPDATE users SET name = $1 WHERE id = $2 RETURNING login")
        .bind(name.to_owned())
        .bind(id.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(row) = row {
        let login = Row::of("users", &row).text("login")?;
        let query = sqlx::query("UPDATE users SET folded = $1 WHERE id = $2").bind(folded::user(&login, name)).bind(id.to_string());
        query.execute(connection).await?;
    }
    Ok(())
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
