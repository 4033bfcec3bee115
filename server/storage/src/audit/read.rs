//! Searching the record: dynamic filters, pages by the key (at, id), newest first.

use std::{cmp::Reverse, collections::BTreeSet};

use domain::{
    audit::{Chain, Event, Filter, Hash, Listed, Object, Outcome, Sealed, Via, Who},
    ids::{AuditEventId, CourseId},
    time::Timestamp,
};
use sea_query::{Cond, Expr, ExprTrait, Order, PostgresQueryBuilder, Query, SelectStatement};
use sea_query_sqlx::SqlxBinder;
use sqlx::{AnyConnection, any::AnyRow};

use crate::{
    database::Engine,
    dialect,
    error::{Error, Result},
    ids_list,
    row::Row,
};

const COLUMNS: [&str; 23] = [
    "id",
    "chain",
    "at",
    "who_kind",
    "who_id",
    "who_label",
    "who_name",
    "via",
    "address",
    "request_id",
    "action",
    "object_kind",
    "object_id",
    "object_label",
    "course_id",
    "outcome",
    "code",
    "before_json",
    "after_json",
    "attempts",
    "seq",
    "prev",
    "hash",
];

/// The action under which a record is shown that cannot be read.
pub const UNREADABLE: &str = "audit.unreadable";

/// The end of the year 9999, in microseconds.
const END_OF_TIME: i64 = 253_402_300_799_000_000;

/// A sealed record that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    pub id: String,
    /// The first column that cannot be read.
    pub column: &'static str,
}

/// Where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub at: Timestamp,
    pub id: AuditEventId,
}

/// Which page of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Newest,
    /// The newest of those that are older.
    Older(Cursor),
    /// The oldest of those that are newer: the page before.
    Newer(Cursor),
}

pub(super) fn select() -> SelectStatement {
    Query::select().columns(COLUMNS).from("audit_events").take()
}

fn who(row: Row<'_>) -> Result<Who> {
    Ok(match row.text("who_kind")?.as_str() {
        "person" => Who::Person {
            id: row.optional_parse("who_id")?.ok_or_else(|| row.fail("who_id", "missing"))?,
            login: row.text("who_label")?,
            name: row.text("who_name")?,
        },
        "system" => Who::System { job: row.text("who_label")? },
        "anonymous" => {
            let login = row.text("who_label")?;
            Who::Anonymous { login: (!login.is_empty()).then_some(login) }
        }
        other => return Err(row.fail("who_kind", format!("unknown value {other:?}"))),
    })
}

/// The event of a row, whether sealed or not.
pub(super) fn event(row: &AnyRow) -> Result<Event> {
    let row = Row::of("audit_events", row);
    let who = who(row)?;
    Ok(Event {
        id: row.parse("id")?,
        chain: row.parse("chain")?,
        at: row.timestamp("at")?,
        who,
        via: row.state("via", Via::parse)?,
        address: row.optional_text("address")?,
        request_id: row.optional_text("request_id")?,
        action: row.text("action")?,
        object: Object { kind: row.text("object_kind")?, id: row.text("object_id")?, label: row.text("object_label")? },
        course: row.optional_parse("course_id")?,
        outcome: row.state("outcome", Outcome::parse)?,
        code: row.optional_text("code")?,
        before: row.optional_json("before_json")?,
        after: row.optional_json("after_json")?,
        count: row.count("attempts")?,
    })
}

/// Place, previous hash and hash of a sealed row.
pub(super) fn seal(row: &AnyRow) -> Result<Option<(i64, Hash, Hash)>> {
    let row = Row::of("audit_events", row);
    let Some(seq) = row.optional_integer("seq")? else { return Ok(None) };
    Ok(Some((seq, row.parse("prev")?, row.parse("hash")?)))
}

/// The record of a row of this chain. A row that cannot be read is shown as such in its place: one damaged row must not hide the others.
fn listed(row: &AnyRow, chain: Chain) -> Listed {
    match event(row).and_then(|event| Ok(Listed { event, seal: seal(row)? })) {
        Ok(listed) => listed,
        Err(error) => damaged(row, chain, &error),
    }
}

/// As much of a damaged row as can be read, under an action of its own; what it was and what is wrong with it are its data.
fn damaged(row: &AnyRow, chain: Chain, error: &Error) -> Listed {
    let cells = Row::of("audit_events", row);
    let text = |column: &'static str| cells.text(column).unwrap_or_default();
    let event = Event {
        id: cells.parse("id").unwrap_or_else(|_| AuditEventId::from_uuid(uuid::Uuid::nil())),
        chain,
        // SQLite sorts a text behind every number, so that a page goes on where it should.
        at: cells.timestamp("at").unwrap_or(Timestamp::from_micros(END_OF_TIME)),
        who: who(cells).unwrap_or(Who::Anonymous { login: None }),
        via: cells.state("via", Via::parse).unwrap_or(Via::Job),
        address: cells.optional_text("address").unwrap_or_default(),
        request_id: cells.optional_text("request_id").unwrap_or_default(),
        action: UNREADABLE.to_owned(),
        object: Object { kind: text("object_kind"), id: text("object_id"), label: text("object_label") },
        course: cells.optional_parse("course_id").unwrap_or_default(),
        outcome: cells.state("outcome", Outcome::parse).unwrap_or(Outcome::Failed),
        code: cells.optional_text("code").unwrap_or_default(),
        before: None,
        after: Some(serde_json::json!({ "action": text("action"), "unreadable": column_of(error) })),
        count: cells.count("attempts").unwrap_or(1),
    };
    Listed { event, seal: seal(row).unwrap_or_default() }
}

/// The column that cannot be read, without what is in it.
const fn column_of(error: &Error) -> &'static str {
    match error {
        Error::Unreadable { column, .. } => column,
        _ => "",
    }
}

/// `None` also for a record of a name that is no chain: nobody may read it.
pub async fn by_id(connection: &mut AnyConnection, id: AuditEventId) -> Result<Option<Listed>> {
    let (sql, values) = select().and_where(Expr::col("id").eq(id.to_string())).build_sqlx(PostgresQueryBuilder);
    let row = sqlx::query_with(sqlx::AssertSqlSafe(sql), values).fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(None) };
    let chain = Row::of("audit_events", &row).parse("chain").ok();
    Ok(chain.map(|chain| listed(&row, chain)))
}

/// At most `limit` records of these chains (and of these courses, when given) that all of `filter` fits, those first that are nearest to
/// `side`: newest first, but oldest first with [`Side::Newer`].
///
/// One statement a chain: each walks an index in order, which a condition on several chains would not.
pub async fn search(
    connection: &mut AnyConnection,
    engine: Engine,
    chains: &[Chain],
    courses: Option<&BTreeSet<CourseId>>,
    filter: &Filter,
    side: Side,
    limit: u32,
) -> Result<Vec<Listed>> {
    let Some(condition) = condition(engine, filter) else { return Ok(Vec::new()) };
    let order = if matches!(side, Side::Newer(_)) { Order::Asc } else { Order::Desc };
    let mut found = Vec::new();
    for chain in chains {
        let mut query = select();
        query
            .and_where(Expr::col("chain").eq(chain.to_string()))
            .cond_where(condition.clone())
            .order_by("at", order.clone())
            .order_by("id", order.clone())
            .limit(limit.into());
        if let Some(courses) = courses {
            query.and_where(Expr::cust_with_values("$1 LIKE '%' || course_id || '%'", [ids_list::list(courses)]));
        }
        let bound = match side {
            Side::Newest => None,
            Side::Older(cursor) => Some(("(at, id) < ($1, $2)", cursor)),
            Side::Newer(cursor) => Some(("(at, id) > ($1, $2)", cursor)),
        };
        if let Some((condition, Cursor { at, id })) = bound {
            query.and_where(Expr::cust_with_values(condition, [sea_query::Value::from(at.micros()), id.to_string().into()]));
        }
        let (sql, values) = query.build_sqlx(PostgresQueryBuilder);
        let rows = sqlx::query_with(sqlx::AssertSqlSafe(sql), values).fetch_all(&mut *connection).await?;
        found.extend(rows.iter().map(|row| listed(row, *chain)));
    }
    let key = |listed: &Listed| (listed.event.at, listed.event.id);
    match side {
        Side::Newer(_) => found.sort_by_key(key),
        Side::Newest | Side::Older(_) => found.sort_by_key(|listed| Reverse(key(listed))),
    }
    found.truncate(limit as usize);
    Ok(found)
}

/// At most `limit` sealed records of one chain that all of `filter` fits, in order of their places, from after `after` up to `to`.
/// What cannot be read is there by its place.
pub async fn sealed(
    connection: &mut AnyConnection,
    engine: Engine,
    chain: Chain,
    filter: &Filter,
    (after, to): (i64, i64),
    limit: u32,
) -> Result<Vec<(i64, Result<Sealed, Damaged>)>> {
    let Some(condition) = condition(engine, filter) else { return Ok(Vec::new()) };
    let mut query = select();
    query
        .and_where(Expr::col("chain").eq(chain.to_string()))
        .and_where(Expr::col("seq").gt(after))
        .and_where(Expr::col("seq").lte(to))
        .cond_where(condition)
        .order_by("seq", Order::Asc)
        .limit(limit.into());
    let (sql, values) = query.build_sqlx(PostgresQueryBuilder);
    let rows = sqlx::query_with(sqlx::AssertSqlSafe(sql), values).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let cells = Row::of("audit_events", row);
            let place = cells.integer("seq")?;
            let sealed = event(row).and_then(|event| match seal(row)? {
                Some((seq, prev, hash)) => Ok(Sealed { event, seq, prev, hash }),
                None => Err(cells.fail("seq", "missing")),
            });
            Ok((place, sealed.map_err(|error| Damaged { id: cells.text("id").unwrap_or_default(), column: column_of(&error) })))
        })
        .collect()
}

/// The newest records of one chain since `from` whose action begins with any of `prefixes`, newest first. `from` bounds what is
/// looked through where there are few of them.
pub async fn latest_of(connection: &mut AnyConnection, chain: Chain, prefixes: &[&str], from: Timestamp, limit: u32) -> Result<Vec<Listed>> {
    let mut any = Cond::any();
    for prefix in prefixes {
        any = any.add(begins_with(prefix));
    }
    let mut query = select();
    query
        .and_where(Expr::col("chain").eq(chain.to_string()))
        .and_where(Expr::col("at").gte(from.micros()))
        .cond_where(any)
        .order_by("at", Order::Desc)
        .order_by("id", Order::Desc)
        .limit(limit.into());
    let (sql, values) = query.build_sqlx(PostgresQueryBuilder);
    let rows = sqlx::query_with(sqlx::AssertSqlSafe(sql), values).fetch_all(connection).await?;
    Ok(rows.iter().map(|row| listed(row, chain)).collect())
}

/// Not LIKE: it is blind to case on SQLite and `_` is a wildcard.
fn begins_with(prefix: &str) -> Expr {
    let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
    Expr::cust_with_values("substr(action, 1, CAST($1 AS INTEGER)) = $2", [sea_query::Value::from(length), prefix.into()])
}

/// `None` when nothing can fit: a text without a single word.
fn condition(engine: Engine, filter: &Filter) -> Option<Cond> {
    // Without `..`: a new filter does not compile until it has its line here.
    // The range is a beginning by now: `Filter::at`. Own readings are those of a person by now: `Filter::for_reader`.
    let Filter { person, action, object, outcome, via, address, text, from, to, range: _, own_reads: _, not_read_by } = filter;
    let mut all = Cond::all();
    if let Some(person) = person {
        all = all.add(Expr::col("who_label").eq(person.as_str()));
    }
    if let Some(action) = action {
        all = all.add(if action.ends_with('.') { begins_with(action) } else { Expr::col("action").eq(action.as_str()) });
    }
    if let Some(object) = object {
        all = all.add(Cond::any().add(Expr::col("object_id").eq(object.as_str())).add(Expr::col("object_label").eq(object.as_str())));
    }
    if let Some(outcome) = outcome {
        all = all.add(Expr::col("outcome").eq(outcome.as_str()));
    }
    if let Some(via) = via {
        all = all.add(Expr::col("via").eq(via.as_str()));
    }
    if let Some(address) = address {
        all = all.add(Expr::col("address").eq(address.as_str()));
    }
    if let Some(text) = text {
        let words = dialect::words_query(engine, text)?;
        all = all.add(Expr::cust_with_values(dialect::words_condition(engine), [words]));
    }
    if let Some(from) = from {
        all = all.add(Expr::col("at").gte(from.micros()));
    }
    if let Some(to) = to {
        all = all.add(Expr::col("at").lt(to.micros()));
    }
    if let Some(reader) = not_read_by {
        let others = "(action <> 'audit.read' OR outcome <> 'success' OR who_id IS NULL OR who_id <> $1)";
        all = all.add(Expr::cust_with_values(others, [reader.to_string()]));
    }
    Some(all)
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.at.micros(), self.id)
    }
}

impl Cursor {
    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('.')?;
        Some(Self { at: Timestamp::from_micros(at.parse().ok()?), id: id.parse().ok()? })
    }
}
