//! Whether the rows and the audit record tell the same story, and whether the rows agree among themselves. For tests that
//! interrupt: read straight from the tables, by nothing that the product itself reads by.
//! A new promise is a statement here that selects a `text` for each row that breaks it.

use crate::{Database, row::Row};

/// Records of what was done: not of what was refused, nor of an attempt that failed (which has a code).
macro_rules! done {
    () => {
        "outcome <> 'refused' AND code IS NULL"
    };
}

const PROMISES: &[&str] = &[
    // Every change of an order counts its version up and has its record.
    concat!(
        "SELECT 'order ' || CAST(o.number AS TEXT) || ' has version ' || CAST(o.version AS TEXT) || ' and ' || \
         CAST(COALESCE(r.times, 0) AS TEXT) || ' records' AS text FROM orders o LEFT JOIN (SELECT object_id, COUNT(*) AS times \
         FROM audit_events WHERE object_kind = 'order' AND action NOT IN ('order.ask', 'order.answer') AND ",
        done!(),
        " GROUP BY object_id) r ON r.object_id = o.id WHERE o.version <> COALESCE(r.times, 0)"
    ),
    // A lab comes with its order, so it has one version more than records. Entering it and sharing it changes nothing of it.
    concat!(
        "SELECT 'lab ' || l.name || ' has version ' || CAST(l.version AS TEXT) || ' and ' || CAST(COALESCE(r.times, 0) AS TEXT) || \
         ' records' AS text FROM labs l LEFT JOIN (SELECT object_id, COUNT(*) AS times FROM audit_events WHERE object_kind = 'lab' \
         AND action NOT IN ('lab.open', 'lab.break_glass', 'lab.visit', 'lab.share', 'lab.unshare', 'lab.keep_running', 'lab.logs') AND ",
        done!(),
        " GROUP BY object_id) r ON r.object_id = l.id WHERE l.version - 1 <> COALESCE(r.times, 0)"
    ),
    concat!(
        "SELECT a.action || ' is recorded of an order that is not there' AS text FROM audit_events a \
         LEFT JOIN orders o ON o.id = a.object_id WHERE a.object_kind = 'order' AND o.id IS NULL AND a.",
        done!()
    ),
    concat!(
        "SELECT a.action || ' is recorded of a lab that is not there' AS text FROM audit_events a \
         LEFT JOIN labs l ON l.id = a.object_id WHERE a.object_kind = 'lab' AND l.id IS NULL AND a.",
        done!()
    ),
    // Every step of a lab's life has its record; the first one has the order's.
    concat!(
        "SELECT 'lab ' || c.lab_id || ' went through ' || c.cause || ' ' || CAST(c.times AS TEXT) || ' times, and records say ' || \
         CAST(COALESCE(r.times, 0) AS TEXT) AS text FROM (SELECT lab_id, cause, COUNT(*) AS times FROM lab_changes WHERE cause <> 'order' \
         GROUP BY lab_id, cause) c LEFT JOIN (SELECT object_id, action, COUNT(*) AS times FROM audit_events WHERE object_kind = 'lab' AND ",
        done!(),
        " GROUP BY object_id, action) r ON r.object_id = c.lab_id AND r.action = 'lab.' || c.cause WHERE c.times > COALESCE(r.times, 0)"
    ),
    "SELECT 'lab ' || l.name || ' is ' || l.state || ' and went to ' || c.to_state AS text FROM labs l JOIN lab_changes c ON c.lab_id = l.id \
     AND c.seq = (SELECT MAX(seq) FROM lab_changes WHERE lab_id = l.id) WHERE c.to_state <> l.state",
    "SELECT 'lab ' || l.name || ' is ' || l.state || ' and holds cards' AS text FROM labs l JOIN reservations r ON r.lab_id = l.id \
     WHERE l.state IN ('stopped', 'destroyed')",
    "SELECT 'lab ' || l.name || ' is ' || l.state || ' and holds no cards' AS text FROM labs l LEFT JOIN reservations r ON r.lab_id = l.id \
     WHERE l.state IN ('starting', 'running') AND r.lab_id IS NULL",
    "SELECT CAST(r.cards AS TEXT) || ' cards of ' || r.card || ' are held, and there are ' || CAST(COALESCE(p.total, 0) AS TEXT) AS text \
     FROM (SELECT card, CAST(SUM(cards) AS BIGINT) AS cards FROM reservations GROUP BY card) r LEFT JOIN card_pools p ON p.card = r.card \
     WHERE r.cards > COALESCE(p.total, 0)",
    "SELECT 'order ' || CAST(o.number AS TEXT) || ' is ' || o.state || ' and has no lab' AS text FROM orders o \
     LEFT JOIN labs l ON l.order_id = o.id WHERE o.state IN ('approved', 'fulfilled') AND l.id IS NULL AND o.changes_lab IS NULL",
    "SELECT 'order ' || CAST(o.number AS TEXT) || ' is ' || o.state || ' and has a lab' AS text FROM orders o \
     JOIN labs l ON l.order_id = o.id WHERE o.state IN ('pending_approval', 'awaiting_requester', 'queued', 'rejected')",
    // A number that was taken belongs to an order.
    "SELECT 'the next order number is ' || CAST(n.next AS TEXT) || ' after ' || CAST(c.orders AS TEXT) || ' orders' AS text \
     FROM order_numbers n, (SELECT COUNT(*) AS orders FROM orders) c WHERE n.next <> 1001 + c.orders",
    "SELECT 'order ' || CAST(o.number AS TEXT) || ' was made by ' || CAST(COALESCE(k.times, 0) AS TEXT) || ' keys' AS text FROM orders o \
     LEFT JOIN (SELECT order_id, COUNT(*) AS times FROM idempotency_keys GROUP BY order_id) k ON k.order_id = o.id \
     WHERE o.changes_lab IS NULL AND COALESCE(k.times, 0) <> 1",
];

/// What does not agree, as sentences; empty when all does.
///
/// # Panics
/// When the database does not answer.
pub async fn differences(database: &Database) -> Vec<String> {
    let mut connection = database.read().await.expect("a connection");
    let mut found = Vec::new();
    for promise in PROMISES {
        let rows = sqlx::query(*promise).fetch_all(&mut *connection).await.expect("a promise can be read");
        found.extend(rows.iter().map(|row| Row::of("agreement", row).text("text").expect("a sentence")));
    }
    found
}
