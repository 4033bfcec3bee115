//! Figures of the first page: one statement for each role, whatever there is to count.

use domain::{
    dashboard::{Administering, Overruns, Starts, Teaching},
    ids::{TenantId, UserId},
    labs::idle::FLAG_MINUTES,
    time::Timestamp,
};
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// A person's own orders that are on their way.
pub async fn teaching(connection: &mut AnyConnection, owner: UserId, now: Timestamp) -> Result<Teaching> {
    let row = sqlx::query(
        "SELECT (SELECT COUNT(*) FROM orders WHERE owner_id = $1 AND state = 'pending_approval') AS undecided, \
         (SELECT COUNT(*) FROM orders WHERE owner_id = $1 AND state = 'queued' AND queued_at <= $2) AS queued",
    )
    .bind(owner.to_string())
    .bind(now.micros())
    .fetch_one(connection)
    .await?;
    let row = Row::of("orders", &row);
    Ok(Teaching { waiting_for_decision: row.count("undecided")?, waiting_for_cards: row.count("queued")? })
}

/// Approved orders and restarted labs of a tenant that wait for cards.
pub async fn waiting_for_cards(connection: &mut AnyConnection, tenant: TenantId, now: Timestamp) -> Result<u32> {
    let row = sqlx::query(
        "SELECT (SELECT COUNT(*) FROM orders WHERE tenant_id = $1 AND state = 'queued' AND queued_at <= $2) \
         + (SELECT COUNT(*) FROM labs l LEFT JOIN reservations r ON r.lab_id = l.id \
            WHERE l.tenant_id = $1 AND l.state = 'pending' AND r.lab_id IS NULL) AS queued",
    )
    .bind(tenant.to_string())
    .bind(now.micros())
    .fetch_one(connection)
    .await?;
    Row::of("orders", &row).count("queued")
}

/// Attempts that were refused in a tenant and at its doors since `from`.
pub async fn refused_since(connection: &mut AnyConnection, tenant: TenantId, from: Timestamp) -> Result<i64> {
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(attempts), 0) AS BIGINT) AS refused FROM audit_events \
         WHERE chain IN ($1, 'system') AND outcome = 'refused' AND at >= $2",
    )
    .bind(tenant.to_string())
    .bind(from.micros())
    .fetch_one(connection)
    .await?;
    Row::of("audit_events", &row).integer("refused")
}

/// What the operator of the cluster looks after: all tenants', since they share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    pub labs_running: u32,
    pub labs_failed: u32,
    /// Running labs whose cards are unused.
    pub labs_unused: u32,
    /// Orders and restarted labs that wait for cards.
    pub queue: u32,
    /// Pieces of background work that are due.
    pub work: u32,
    pub starts: Starts,
    pub overruns: Overruns,
}

/// `since`: how far the figures of starts look back. One statement.
pub async fn load(connection: &mut AnyConnection, now: Timestamp, since: Timestamp) -> Result<Load> {
    // A lab counts by its first outcome. The median is the lower one of two in the middle. What is for a lesson is asked for at its time.
    let row = sqlx::query(
        "SELECT (SELECT COUNT(*) FROM labs WHERE state = 'running') AS running, \
         (SELECT COUNT(*) FROM labs WHERE state = 'failed') AS failed, \
         (SELECT COUNT(*) FROM labs l LEFT JOIN lab_use y ON y.lab_id = l.id WHERE l.state = 'running' AND l.cards > 0 \
            AND (y.last_used_at IS NULL OR y.last_used_at <= $3) \
            AND (SELECT MAX(h.at) FROM lab_changes h WHERE h.lab_id = l.id AND h.to_state = 'running') <= $3) AS unused, \
         (SELECT COUNT(*) FROM orders WHERE state = 'queued' AND queued_at <= $1) \
         + (SELECT COUNT(*) FROM labs l LEFT JOIN reservations r ON r.lab_id = l.id WHERE l.state = 'pending' AND r.lab_id IS NULL) AS queued, \
         (SELECT COUNT(*) FROM outbox WHERE not_before <= $1) AS work, \
         (SELECT took FROM (SELECT took, ROW_NUMBER() OVER (ORDER BY took) AS place, COUNT(*) OVER () AS total \
            FROM (SELECT l.first_running_at - CASE WHEN o.starts_at > o.submitted_at THEN o.starts_at ELSE o.submitted_at END AS took \
              FROM labs l JOIN orders o ON o.id = l.order_id WHERE l.first_running_at >= $2) AS taken) AS ranked WHERE place = (total + 1) / 2) AS median, \
         (SELECT COUNT(*) FROM lab_changes c WHERE c.at >= $2 AND c.to_state = 'running' AND NOT EXISTS \
            (SELECT 1 FROM lab_changes p WHERE p.lab_id = c.lab_id AND p.seq < c.seq AND p.to_state IN ('running', 'failed'))) AS good, \
         (SELECT COUNT(*) FROM lab_changes c WHERE c.at >= $2 AND c.to_state = 'failed' AND NOT EXISTS \
            (SELECT 1 FROM lab_changes p WHERE p.lab_id = c.lab_id AND p.seq < c.seq AND p.to_state IN ('running', 'failed'))) AS bad, \
         (SELECT COUNT(DISTINCT lab_id) FROM lab_changes WHERE ran_until >= $2) AS overrun_labs, \
         (SELECT CAST(COALESCE(SUM(ran_until - at), 0) AS BIGINT) FROM lab_changes WHERE ran_until >= $2) AS overrun",
    )
    .bind(now.micros())
    .bind(since.micros())
    .bind(now.plus_minutes(-FLAG_MINUTES).micros())
    .fetch_one(connection)
    .await?;
    let row = Row::of("labs", &row);
    Ok(Load {
        labs_running: row.count("running")?,
        labs_failed: row.count("failed")?,
        labs_unused: row.count("unused")?,
        queue: row.count("queued")?,
        work: row.count("work")?,
        starts: Starts {
            median_seconds: row.optional_integer("median")?.map(|micros| micros / domain::time::MICROS_PER_SECOND),
            succeeded: row.integer("good")?,
            failed: row.integer("bad")?,
        },
        overruns: Overruns { labs: row.count("overrun_labs")?, seconds: row.integer("overrun")? / domain::time::MICROS_PER_SECOND },
    })
}

/// People and first steps of a tenant. One statement.
pub async fn administering(connection: &mut AnyConnection, tenant: TenantId) -> Result<Administering> {
    let row = sqlx::query(
        "SELECT (SELECT COUNT(*) FROM users WHERE tenant_id = $1) AS people, \
         (SELECT COUNT(*) FROM users WHERE tenant_id = $1 AND disabled_at IS NOT NULL) AS disabled, \
         (SELECT COUNT(*) FROM users WHERE tenant_id = $1 AND disabled_at IS NULL AND last_sign_in_at IS NULL) AS fresh, \
         (SELECT COUNT(*) FROM courses WHERE tenant_id = $1) AS courses, \
         (SELECT COUNT(*) FROM users u WHERE u.tenant_id = $1 AND u.disabled_at IS NULL \
            AND EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = u.id AND r.role = 'teacher') \
            AND EXISTS (SELECT 1 FROM course_members m WHERE m.user_id = u.id)) AS teachers, \
         (SELECT COUNT(*) FROM users u JOIN user_roles r ON r.user_id = u.id \
            WHERE u.tenant_id = $1 AND u.disabled_at IS NULL AND r.role = 'manager') AS managers, \
         (SELECT COUNT(*) FROM users u JOIN user_roles r ON r.user_id = u.id \
            WHERE u.tenant_id = $1 AND u.disabled_at IS NULL AND r.role = 'auditor') AS auditors, \
         (SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT) FROM card_pools) AS cards",
    )
    .bind(tenant.to_string())
    .fetch_one(connection)
    .await?;
    let row = Row::of("users", &row);
    Ok(Administering {
        people: row.count("people")?,
        disabled: row.count("disabled")?,
        never_signed_in: row.count("fresh")?,
        courses: row.count("courses")?,
        teachers_with_course: row.count("teachers")?,
        managers: row.count("managers")?,
        auditors: row.count("auditors")?,
        cards: row.count("cards")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::for_each_engine;

    #[tokio::test]
    async fn an_empty_installation_counts_nothing() {
        for_each_engine("storage::dashboard::empty", |test| async move {
            let mut read = test.database.read().await.expect("a connection");
            let (tenant, user) = (TenantId::from_uuid(uuid::Uuid::nil()), UserId::from_uuid(uuid::Uuid::nil()));
            let now = Timestamp::from_seconds(1_000);
            assert_eq!(teaching(&mut read, user, now).await.expect("read"), Teaching { waiting_for_decision: 0, waiting_for_cards: 0 });
            assert_eq!(waiting_for_cards(&mut read, tenant, now).await.expect("read"), 0);
            assert_eq!(refused_since(&mut read, tenant, now).await.expect("read"), 0);
            let empty =
                Load { labs_running: 0, labs_failed: 0, labs_unused: 0, queue: 0, work: 0, starts: Starts::default(), overruns: Overruns::default() };
            assert_eq!(load(&mut read, now, now).await.expect("read"), empty);
            let nobody = administering(&mut read, tenant).await.expect("read");
            assert_eq!((nobody.people, nobody.courses, nobody.cards), (0, 0, 0));
        })
        .await;
    }
}
