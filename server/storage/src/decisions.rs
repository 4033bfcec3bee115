//! Steps in the deciding of orders: approvals, changes, questions and answers. They are only ever added.

use domain::{
    access::Role,
    decisions::{Decision, Step},
    ids::OrderId,
    people::PersonRef,
};
use sqlx::AnyConnection;

use crate::{
    error::Result,
    row::{Row, json},
};

pub async fn insert(connection: &mut AnyConnection, decision: &Decision) -> Result<()> {
    let Decision { id, order, stage, role, by, on_behalf_of, at, step, text, changes } = decision;
    sqlx::query(
        "INSERT INTO order_decisions (id, order_id, stage, role, user_id, at, step, text, changes, on_behalf_of) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(id.to_string())
    .bind(order.to_string())
    .bind(i64::from(*stage))
    .bind(role.map(Role::as_str))
    .bind(by.as_ref().map(|by| by.id.to_string()))
    .bind(at.micros())
    .bind(step.as_str())
    .bind(text.clone())
    .bind(json(changes))
    .bind(on_behalf_of.as_ref().map(|absent| absent.id.to_string()))
    .execute(connection)
    .await?;
    Ok(())
}

/// The steps of an order, the oldest first.
pub async fn of_order(connection: &mut AnyConnection, order: OrderId) -> Result<Vec<Decision>> {
    let rows = sqlx::query(
        "SELECT d.id, d.order_id, d.stage, d.role, d.user_id, d.at, d.step, d.text, d.changes, u.login AS user_login, u.name AS user_name, \
         d.on_behalf_of, a.login AS absent_login, a.name AS absent_name \
         FROM order_decisions d LEFT JOIN users u ON u.id = d.user_id LEFT JOIN users a ON a.id = d.on_behalf_of \
         WHERE d.order_id = $1 ORDER BY d.at, d.id",
    )
    .bind(order.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| read(&Row::of("order_decisions", row))).collect()
}

fn read(row: &Row<'_>) -> Result<Decision> {
    let by = match row.optional_parse("user_id")? {
        Some(id) => Some(PersonRef { id, login: row.text("user_login")?, name: row.text("user_name")? }),
        None => None,
    };
    let on_behalf_of = match row.optional_parse("on_behalf_of")? {
        Some(id) => Some(PersonRef { id, login: row.text("absent_login")?, name: row.text("absent_name")? }),
        None => None,
    };
    let role = match row.optional_text("role")? {
        Some(text) => Some(Role::parse(&text).ok_or_else(|| row.fail("role", "unknown role"))?),
        None => None,
    };
    Ok(Decision {
        id: row.parse("id")?,
        order: row.parse("order_id")?,
        stage: row.count("stage")?,
        role,
        by,
        on_behalf_of,
        at: row.timestamp("at")?,
        step: row.state("step", Step::parse)?,
        text: row.text("text")?,
        changes: row.json("changes")?,
    })
}
