//! Orders of the past, for a policy's dry run.

use domain::{
    approvals::{Facts, Ruling},
    catalogue::LabSpec,
    gpu::CardShare,
    ids::TenantId,
    orders::OrderState,
    policies::Past,
    pricing::Estimate,
    time::Timestamp,
};
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// Orders of a tenant submitted since, the newest first, as a policy looks at them.
///
/// Orders from before the facts were kept are tried on what is known: the course's figures of today, nothing started that day, a teacher's
/// order, and a budget that was never short.
pub async fn past(connection: &mut AnyConnection, tenant: TenantId, since: Timestamp, limit: u32) -> Result<Vec<Past>> {
    let rows = sqlx::query(
        "SELECT o.id, o.number, o.state, o.offering_name, o.spec, o.minutes, o.ruling, o.estimate, o.submitted_at, \
         u.name AS owner_name, c.code AS course_code, c.cards_per_order, c.starts_per_day \
         FROM orders o JOIN users u ON u.id = o.owner_id JOIN courses c ON c.id = o.course_id \
         WHERE o.tenant_id = $1 AND o.submitted_at >= $2 ORDER BY o.submitted_at DESC, o.id DESC LIMIT $3",
    )
    .bind(tenant.to_string())
    .bind(since.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| read(&Row::of("orders", row))).collect()
}

fn read(row: &Row<'_>) -> Result<Past> {
    let ruling: Ruling = row.json("ruling")?;
    let estimate: Estimate = row.json("estimate")?;
    let facts = if let Some(facts) = ruling.facts {
        facts
    } else {
        let spec: LabSpec = row.json("spec")?;
        Facts {
            card: spec.card,
            cards: spec.card_share(),
            cards_per_order: CardShare::from_parts(row.integer("cards_per_order")?),
            started_today: CardShare::ZERO,
            starts_per_day: CardShare::from_parts(row.integer("starts_per_day")?),
            cost: estimate.total,
            minutes: row.count("minutes")?,
            requester: [domain::access::Role::Teacher].into(),
            budget_left_percent: 100,
            budget_asks: false,
        }
    };
    Ok(Past {
        order: row.parse("id")?,
        number: row.integer("number")?,
        owner: row.text("owner_name")?,
        course: row.text("course_code")?,
        offering: row.json("offering_name")?,
        state: row.state("state", OrderState::parse)?,
        cost: facts.cost,
        submitted_at: row.timestamp("submitted_at")?,
        facts,
    })
}
