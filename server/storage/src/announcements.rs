//! What is announced, and who put what away.

use std::collections::BTreeSet;

use domain::{
    announcements::{Announcement, Level},
    catalogue::Localized,
    courses::DepartmentRef,
    ids::{AnnouncementId, TenantId, UserId},
    people::PersonRef,
    time::Timestamp,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{error::Result, row::Row};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.tenant_id, a.department_id, d.name AS department_name, a.level, a.text_zh, a.text_en, a.from_at, a.to_at, a.created_by, ",
            "u.login, u.name, a.created_at, a.ended_at FROM announcements a JOIN users u ON u.id = a.created_by ",
            "LEFT JOIN tenants d ON d.id = a.department_id ",
            $rest
        )
    };
}

fn read(row: &AnyRow) -> Result<(TenantId, Announcement)> {
    let row = Row::of("announcements", row);
    let department = match row.optional_parse("department_id")? {
        Some(id) => Some(DepartmentRef { id, name: row.text("department_name")? }),
        None => None,
    };
    let announcement = Announcement {
        id: row.parse("id")?,
        level: row.state("level", Level::parse)?,
        text: Localized { zh: row.text("text_zh")?, en: row.text("text_en")? },
        from: row.timestamp("from_at")?,
        to: row.timestamp("to_at")?,
        department,
        by: PersonRef { id: row.parse("created_by")?, login: row.text("login")?, name: row.text("name")? },
        created_at: row.timestamp("created_at")?,
        ended_at: row.optional_timestamp("ended_at")?,
    };
    Ok((row.parse("tenant_id")?, announcement))
}

pub async fn insert(connection: &mut AnyConnection, tenant: TenantId, announcement: &Announcement) -> Result<()> {
    sqlx::query(
        "INSERT INTO announcements (id, tenant_id, department_id, level, text_zh, text_en, from_at, to_at, created_by, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(announcement.id.to_string())
    .bind(tenant.to_string())
    .bind(announcement.department.as_ref().map(|department| department.id.to_string()))
    .bind(announcement.level.as_str())
    .bind(announcement.text.zh.clone())
    .bind(announcement.text.en.clone())
    .bind(announcement.from.micros())
    .bind(announcement.to.micros())
    .bind(announcement.by.id.to_string())
    .bind(announcement.created_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn by_id(connection: &mut AnyConnection, id: AnnouncementId) -> Result<Option<(TenantId, Announcement)>> {
    sqlx::query(select!("WHERE a.id = $1")).bind(id.to_string()).fetch_optional(connection).await?.as_ref().map(read).transpose()
}

/// Those that are not over at `now`, of every college, latest first.
pub async fn open(connection: &mut AnyConnection, now: Timestamp) -> Result<Vec<(TenantId, Announcement)>> {
    let rows = sqlx::query(select!("WHERE a.to_at > $1 AND a.ended_at IS NULL ORDER BY a.id DESC LIMIT 200"))
        .bind(now.micros())
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// Of a college, latest first.
pub async fn list(connection: &mut AnyConnection, tenant: TenantId, after: Option<AnnouncementId>, limit: u32) -> Result<Vec<Announcement>> {
    let rows = sqlx::query(select!("WHERE a.tenant_id = $1 AND ($2 IS NULL OR a.id < $2) ORDER BY a.id DESC LIMIT $3"))
        .bind(tenant.to_string())
        .bind(after.map(|id| id.to_string()))
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| read(row).map(|(_, announcement)| announcement)).collect()
}

/// `false` when it was ended before.
pub async fn end(connection: &mut AnyConnection, id: AnnouncementId, at: Timestamp) -> Result<bool> {
    let done = sqlx::query("UPDATE announcements SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL")
        .bind(at.micros())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Doing it again is no error.
pub async fn dismiss(connection: &mut AnyConnection, user: UserId, id: AnnouncementId) -> Result<()> {
    sqlx::query("INSERT INTO announcement_dismissals (user_id, announcement_id) VALUES ($1, $2) ON CONFLICT (user_id, announcement_id) DO NOTHING")
        .bind(user.to_string())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// What a person put away, of those that are not over.
pub async fn dismissed(connection: &mut AnyConnection, user: UserId, now: Timestamp) -> Result<BTreeSet<AnnouncementId>> {
    let rows = sqlx::query(
        "SELECT d.announcement_id AS id FROM announcement_dismissals d JOIN announcements a ON a.id = d.announcement_id \
         WHERE d.user_id = $1 AND a.to_at > $2",
    )
    .bind(user.to_string())
    .bind(now.micros())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Row::of("announcement_dismissals", row).parse("id")).collect()
}

#[cfg(test)]
mod tests;
