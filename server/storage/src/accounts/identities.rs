//! Who people are at the identity provider that they sign in through.

use domain::{ids::UserId, time::Timestamp};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{error::Result, row::Row};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    /// The provider's lasting name for the person.
    pub subject: String,
    pub user: UserId,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
}

fn read(row: &AnyRow) -> Result<Identity> {
    let row = Row::of("identities", row);
    Ok(Identity {
        issuer: row.text("issuer")?,
        subject: row.text("subject")?,
        user: row.parse("user_id")?,
        created_at: row.timestamp("created_at")?,
        last_used_at: row.timestamp("last_used_at")?,
    })
}

/// Errors: `NotUnique` when either side is joined to another.
pub async fn insert(connection: &mut AnyConnection, identity: &Identity) -> Result<()> {
    sqlx::query("INSERT INTO identities (issuer, subject, user_id, created_at, last_used_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(identity.issuer.clone())
        .bind(identity.subject.clone())
        .bind(identity.user.to_string())
        .bind(identity.created_at.micros())
        .bind(identity.last_used_at.micros())
        .execute(connection)
        .await?;
    Ok(())
}

pub async fn by_subject(connection: &mut AnyConnection, issuer: &str, subject: &str) -> Result<Option<Identity>> {
    let row = sqlx::query("SELECT issuer, subject, user_id, created_at, last_used_at FROM identities WHERE issuer = $1 AND subject = $2")
        .bind(issuer.to_owned())
        .bind(subject.to_owned())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

pub async fn of_user(connection: &mut AnyConnection, user: UserId, issuer: &str) -> Result<Option<Identity>> {
    let row = sqlx::query("SELECT issuer, subject, user_id, created_at, last_used_at FROM identities WHERE user_id = $1 AND issuer = $2")
        .bind(user.to_string())
        .bind(issuer.to_owned())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

pub async fn set_used(connection: &mut AnyConnection, issuer: &str, subject: &str, at: Timestamp) -> Result<()> {
    sqlx::query("UPDATE identities SET last_used_at = $1 WHERE issuer = $2 AND subject = $3")
        .bind(at.micros())
        .bind(issuer.to_owned())
        .bind(subject.to_owned())
        .execute(connection)
        .await?;
    Ok(())
}

/// `false` when there was none.
pub async fn remove(connection: &mut AnyConnection, user: UserId, issuer: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM identities WHERE user_id = $1 AND issuer = $2")
        .bind(user.to_string())
        .bind(issuer.to_owned())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}
