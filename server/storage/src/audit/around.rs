//! The tables around the chains that must agree with them: the triggers that protect the records, the index of their words, and the rows
//! whose creation is recorded. For verification; read-only.

use domain::{
    audit::{Event, run::Run},
    ids::{AuditRunId, TenantId},
};
use sea_query::{Expr, ExprTrait, Order, PostgresQueryBuilder};
use sea_query_sqlx::SqlxBinder;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::{index_text, read, runs};
use crate::{Engine, dialect, error::Result, row::Row};

const SQLITE: &str = include_str!("../../../../migrations/sqlite/0007_audit.sql");
const POSTGRES: &str = include_str!("../../../../migrations/postgres/0007_audit.sql");

/// Names of triggers on the records that are missing, changed, disabled, or unknown.
pub async fn unguarded(connection: &mut AnyConnection, engine: Engine) -> Result<Vec<String>> {
    let (sql, migration) = match engine {
        Engine::Sqlite => ("SELECT name, sql AS definition FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_events'", SQLITE),
        Engine::Postgres => (
            // On, for every row and column, and at every change that it is for: 27 is before each row's update or deletion, 34 before the
            // table is emptied.
            "SELECT CAST(t.tgname AS TEXT) AS name, CASE WHEN t.tgenabled = 'O' AND t.tgqual IS NULL AND CAST(t.tgattr AS TEXT) = '' \
               AND t.tgtype = CASE t.tgname WHEN 'audit_events_fixed' THEN 27 ELSE 34 END THEN p.prosrc ELSE '' END AS definition \
             FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid = CAST('audit_events' AS regclass) AND NOT t.tgisinternal",
            POSTGRES,
        ),
    };
    let rows = sqlx::query(sql).fetch_all(connection).await?;
    let mut wanted = vec!["audit_events_fixed", "audit_events_stay"];
    let mut odd = Vec::new();
    for row in &rows {
        let row = Row::of("triggers", row);
        let (name, definition) = (row.text("name")?, plain(&row.text("definition")?));
        // Compared with the migration's text, ignoring white space, which the engine may change.
        if wanted.contains(&name.as_str()) && !definition.is_empty() && plain(migration).contains(&definition) {
            wanted.retain(|wanted| *wanted != name);
        } else {
            odd.push(name);
        }
    }
    odd.extend(
        wanted
            .into_iter()
            .filter(|name| !rows.iter().any(|row| Row::of("triggers", row).text("name").is_ok_and(|found| found == *name)))
            .map(str::to_owned),
    );
    Ok(odd)
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A page of the word index, compared with the records: where it ends, and the ids that differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPage {
    /// `None` at the end.
    pub next: Option<String>,
    pub odd: Vec<String>,
}

/// Compares the index after `place` (empty: from the beginning) with its records.
pub async fn index_page(connection: &mut AnyConnection, engine: Engine, place: &str, limit: u32) -> Result<IndexPage> {
    let sql = dialect::index_page(engine);
    let rows = sqlx::query(sql).bind(place.to_owned()).bind(i64::from(limit)).fetch_all(&mut *connection).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let row = Row::of("audit_words", row);
        found.push((row.text("place")?, row.text("id")?, row.text("words")?));
    }
    let mut events = events(connection, found.iter().map(|(_, id, _)| id.as_str())).await?;
    let odd = found.iter().filter(|(_, id, words)| events.remove(id).is_none_or(|event| index_text(&event) != *words));
    let odd = odd.map(|(_, id, _)| id.clone()).collect();
    let next = if found.len() < limit as usize { None } else { found.pop().map(|(place, ..)| place) };
    Ok(IndexPage { next, odd })
}

/// The records with these ids; a record that cannot be read is left out.
async fn events<'i>(connection: &mut AnyConnection, ids: impl Iterator<Item = &'i str>) -> Result<std::collections::BTreeMap<String, Event>> {
    let mut query = read::select();
    query.and_where(Expr::col("id").is_in(ids.map(str::to_owned)));
    let (sql, values) = query.build_sqlx(PostgresQueryBuilder);
    let rows = sqlx::query_with(AssertSqlSafe(sql), values).fetch_all(connection).await?;
    let mut events = std::collections::BTreeMap::new();
    for row in &rows {
        if let Ok(event) = read::event(row) {
            events.insert(Row::of("audit_events", row).text("id")?, event);
        }
    }
    Ok(events)
}

/// A record that is missing from the index.
pub async fn unindexed(connection: &mut AnyConnection) -> Result<Option<String>> {
    let sql = "SELECT id FROM audit_events WHERE id NOT IN (SELECT id FROM audit_words) LIMIT 1";
    let row = sqlx::query(sql).fetch_optional(connection).await?;
    row.as_ref().map(|row| Row::of("audit_events", row).text("id")).transpose()
}

/// Rows without a record although one is written in the same transaction: kind and id, the first of each kind.
pub async fn unrecorded(connection: &mut AnyConnection) -> Result<Vec<(String, String)>> {
    let sql = "SELECT 'order' AS kind, (SELECT MIN(o.id) FROM orders o WHERE NOT EXISTS (SELECT 1 FROM audit_events e \
                   WHERE e.chain = o.tenant_id AND e.object_id = o.id AND e.object_kind = 'order')) AS id \
               UNION ALL SELECT 'lab', (SELECT MIN(l.id) FROM labs l WHERE l.version > 1 AND NOT EXISTS (SELECT 1 FROM audit_events e \
                   WHERE e.chain = l.tenant_id AND e.object_id = l.id AND e.object_kind = 'lab')) \
               UNION ALL SELECT 'audit_run', (SELECT MIN(r.id) FROM audit_runs r WHERE r.state IN ('good', 'broken') \
                   AND NOT EXISTS (SELECT 1 FROM audit_events e \
                       WHERE e.chain = r.tenant_id AND e.object_id = r.id AND e.action = 'audit.verified'))";
    let rows = sqlx::query(sql).fetch_all(connection).await?;
    let mut found = Vec::new();
    for row in &rows {
        let row = Row::of("unrecorded", row);
        if let Some(id) = row.optional_text("id")? {
            found.push((row.text("kind")?, id));
        }
    }
    Ok(found)
}

/// A verification that is recorded and whose row is gone.
pub async fn lost_run(connection: &mut AnyConnection) -> Result<Option<String>> {
    let sql = "SELECT MIN(e.object_id) AS id FROM audit_events e WHERE e.action IN ('audit.verify', 'audit.verified') \
                   AND e.object_kind = 'audit_run' AND NOT EXISTS (SELECT 1 FROM audit_runs r WHERE r.id = e.object_id)";
    let row = sqlx::query(sql).fetch_one(connection).await?;
    Row::of("audit_events", &row).optional_text("id")
}

/// The record of what a verification found.
pub async fn run_record(connection: &mut AnyConnection, tenant: TenantId, run: AuditRunId) -> Result<Option<Event>> {
    let mut query = read::select();
    query
        .and_where(Expr::col("chain").eq(tenant.to_string()))
        .and_where(Expr::col("action").eq("audit.verified"))
        .and_where(Expr::col("object_id").eq(run.to_string()))
        .order_by("id", Order::Asc)
        .limit(1);
    let (sql, values) = query.build_sqlx(PostgresQueryBuilder);
    sqlx::query_with(AssertSqlSafe(sql), values).fetch_optional(connection).await?.as_ref().map(read::event).transpose()
}

/// Whether there is no record at all.
pub async fn is_empty(connection: &mut AnyConnection) -> Result<bool> {
    Ok(sqlx::query("SELECT id FROM audit_events LIMIT 1").fetch_optional(connection).await?.is_none())
}

/// The last finished verification of each tenant.
pub async fn last_runs(connection: &mut AnyConnection) -> Result<Vec<(TenantId, Run)>> {
    runs::last_of_each(connection).await
}
