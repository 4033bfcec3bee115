//! The life of a pass: made with a ticket, entered once, ended once.

use domain::{
    ids::{LabId, PassId, ShareId, TenantId, TokenId, UserId},
    time::Timestamp,
    visits::{PassEnd, VisitRole},
};
use sqlx::AnyConnection;

use crate::{error::Result, row::Row, script::Insert};

/// A pass before its ticket is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPass {
    pub id: PassId,
    pub tenant: TenantId,
    pub lab: LabId,
    pub user: UserId,
    /// `sessions.id` of the portal's session.
    pub session: String,
    pub role: VisitRole,
    pub reason: Option<String>,
    /// Only with the role of a share.
    pub share: Option<ShareId>,
    /// The port of the pod that it is for; 0 for the lab's own.
    pub port: u16,
    pub origin: String,
    pub next: String,
    pub created_at: Timestamp,
    pub ticket_expires_at: Timestamp,
}

/// `ticket_hash`: hexadecimal SHA-256.
pub fn new(pass: &NewPass, ticket_hash: &str) -> Insert {
    let NewPass { id, tenant, lab, user, session, role, reason, share, port, origin, next, created_at, ticket_expires_at } = pass;
    Insert::new(
        "INSERT INTO lab_passes (id, tenant_id, lab_id, user_id, session_id, role, reason, origin, next, ticket_hash, ticket_expires_at, created_at, \
         share_id, port) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(id.to_string())
    .bind(tenant.to_string())
    .bind(lab.to_string())
    .bind(user.to_string())
    .bind(session.clone())
    .bind(role.as_str())
    .bind(reason.clone())
    .bind(origin.clone())
    .bind(next.clone())
    .bind(ticket_hash.to_owned())
    .bind(ticket_expires_at.micros())
    .bind(created_at.micros())
    .bind(share.map(|id| id.to_string()))
    .bind(i64::from(*port))
}

/// A pass of an access token, which needs no ticket: its connections are made by the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPass {
    pub id: PassId,
    pub tenant: TenantId,
    pub lab: LabId,
    pub user: UserId,
    pub token: TokenId,
    pub role: VisitRole,
    pub address: Option<String>,
    pub at: Timestamp,
}

/// Writes the pass as one that was entered. `ticket_hash`: the hash of a ticket that was given to nobody.
pub async fn insert_of_token(connection: &mut AnyConnection, pass: &TokenPass, ticket_hash: &str) -> Result<()> {
    let TokenPass { id, tenant, lab, user, token, role, address, at } = pass;
    sqlx::query(
        "INSERT INTO lab_passes (id, tenant_id, lab_id, user_id, session_id, token_id, role, origin, next, ticket_hash, ticket_expires_at, \
         address, created_at, entered_at) VALUES ($1, $2, $3, $4, '', $5, $6, '', '', $7, $8, $9, $8, $8)",
    )
    .bind(id.to_string())
    .bind(tenant.to_string())
    .bind(lab.to_string())
    .bind(user.to_string())
    .bind(token.to_string())
    .bind(role.as_str())
    .bind(ticket_hash.to_owned())
    .bind(at.micros())
    .bind(address.clone())
    .execute(connection)
    .await?;
    Ok(())
}

/// The lab with this name; names are never used again.
pub async fn lab_named(connection: &mut AnyConnection, name: &str) -> Result<Option<LabId>> {
    let row = sqlx::query("SELECT id FROM labs WHERE name = $1").bind(name.to_owned()).fetch_optional(connection).await?;
    row.as_ref().map(|row| Row::of("labs", row).parse("id")).transpose()
}

/// How a ticket is taken. Hashes are hexadecimal SHA-256.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    pub ticket_hash: &'a str,
    pub lab: LabId,
    /// Of the host that it was posted to; 0 for the lab's own.
    pub port: u16,
    /// Of the page that posted the ticket.
    pub origin: &'a str,
    pub cookie_hash: &'a str,
    pub address: Option<&'a str>,
    pub at: Timestamp,
}

/// Takes the ticket and gives the pass and the path that is shown first. `None` if the ticket is unknown, taken, late, of another lab, or
/// was opened from another origin. One statement, so that two who come at once do not both enter.
pub async fn take_ticket(connection: &mut AnyConnection, taken: &Taken<'_>) -> Result<Option<(PassId, String)>> {
    let rows = sqlx::query(
        "UPDATE lab_passes SET cookie_hash = $4, entered_at = $5, address = $6 WHERE ticket_hash = $1 AND lab_id = $2 AND origin = $3 AND port = $7 \
         AND entered_at IS NULL AND ended_at IS NULL AND ticket_expires_at > $5 RETURNING id, next",
    )
    .bind(taken.ticket_hash.to_owned())
    .bind(taken.lab.to_string())
    .bind(taken.origin.to_owned())
    .bind(taken.cookie_hash.to_owned())
    .bind(taken.at.micros())
    .bind(taken.address.map(ToOwned::to_owned))
    .bind(i64::from(taken.port))
    .fetch_all(connection)
    .await?;
    rows.first()
        .map(|row| {
            let row = Row::of("lab_passes", row);
            Ok((row.parse("id")?, row.text("next")?))
        })
        .transpose()
}

/// From where the ticket may be posted; `None` if it is no ticket of this host that can be taken.
pub async fn ticket_origin(connection: &mut AnyConnection, ticket_hash: &str, (lab, port): (LabId, u16), now: Timestamp) -> Result<Option<String>> {
    let row = sqlx::query(
        "SELECT origin FROM lab_passes \
         WHERE ticket_hash = $1 AND lab_id = $2 AND port = $4 AND entered_at IS NULL AND ended_at IS NULL AND ticket_expires_at > $3",
    )
    .bind(ticket_hash.to_owned())
    .bind(lab.to_string())
    .bind(now.micros())
    .bind(i64::from(port))
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(|row| Row::of("lab_passes", row).text("origin")).transpose()
}

/// Ends the pass; `false` if it was over.
pub async fn end(connection: &mut AnyConnection, id: PassId, at: Timestamp, by: PassEnd) -> Result<bool> {
    let done = sqlx::query("UPDATE lab_passes SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at IS NULL")
        .bind(id.to_string())
        .bind(at.micros())
        .bind(by.as_str())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes passes from before `unused_before` whose ticket was not taken, and ends those whose portal session or token is gone at `now`.
/// Returns how many there were of both.
pub async fn sweep(connection: &mut AnyConnection, unused_before: Timestamp, now: Timestamp) -> Result<u64> {
    let deleted = sqlx::query("DELETE FROM lab_passes WHERE entered_at IS NULL AND ended_at IS NULL AND created_at < $1")
        .bind(unused_before.micros())
        .execute(&mut *connection)
        .await?;
    let ended = sqlx::query(
        "UPDATE lab_passes SET ended_at = $1, ended_by = 'expired' WHERE ended_at IS NULL AND entered_at IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = lab_passes.session_id AND s.expires_at > $1) \
         AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.id = lab_passes.token_id AND t.revoked_at IS NULL \
         AND (t.expires_at IS NULL OR t.expires_at > $1))",
    )
    .bind(now.micros())
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected() + ended.rows_affected())
}

/// Moves the end of a session that is not over at `now` to `until`, never to an earlier time.
pub async fn touch_session(connection: &mut AnyConnection, session: &str, user: UserId, now: Timestamp, until: Timestamp) -> Result<bool> {
    let done = sqlx::query("UPDATE sessions SET expires_at = $4 WHERE id = $1 AND user_id = $2 AND expires_at > $3 AND expires_at < $4")
        .bind(session.to_owned())
        .bind(user.to_string())
        .bind(now.micros())
        .bind(until.micros())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}
