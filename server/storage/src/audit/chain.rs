//! Chains: what is not sealed, the seals, the heads, and the rows in order for a verifier.

use domain::{
    audit::{Chain, Event, Hash, Sealed, run::ChainState},
    ids::AuditEventId,
};
use sea_query::{Expr, ExprTrait, Order, PostgresQueryBuilder};
use sea_query_sqlx::SqlxBinder;
use sqlx::AnyConnection;

use super::read;
use crate::{error::Result, row::Row};

/// Unsealed records in order of id after `after`; what cannot be read is an error in its place, with its id.
pub async fn unsealed(connection: &mut AnyConnection, after: &str, limit: u32) -> Result<Vec<(String, Result<Event>)>> {
    let mut query = read::select();
    query.and_where(Expr::col("seq").is_null()).and_where(Expr::col("id").gt(after)).order_by("id", Order::Asc).limit(limit.into());
    let (sql, values) = query.build_sqlx(PostgresQueryBuilder);
    let rows = sqlx::query_with(sqlx::AssertSqlSafe(sql), values).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((Row::of("audit_events", row).text("id")?, read::event(row)))).collect()
}

/// Gives an unsealed record its place; `false` when it has one already.
pub async fn set_seal(connection: &mut AnyConnection, id: AuditEventId, seq: i64, prev: &Hash, hash: &Hash) -> Result<bool> {
    let done = sqlx::query("UPDATE audit_events SET seq = $1, prev = $2, hash = $3 WHERE id = $4 AND seq IS NULL")
        .bind(seq)
        .bind(prev.to_string())
        .bind(hash.to_string())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Place and hash of the last sealed record; zeros for a chain that has none. `chain` as stored.
pub async fn head(connection: &mut AnyConnection, chain: &str) -> Result<(i64, Hash)> {
    let row = sqlx::query("SELECT seq, hash FROM audit_heads WHERE chain = $1").bind(chain.to_owned()).fetch_optional(connection).await?;
    let Some(row) = row else { return Ok((0, Hash::ZERO)) };
    let row = Row::of("audit_heads", &row);
    Ok((row.integer("seq")?, row.parse("hash")?))
}

pub async fn set_head(connection: &mut AnyConnection, chain: &str, seq: i64, hash: &Hash) -> Result<()> {
    sqlx::query(
        "INSERT INTO audit_heads (chain, seq, hash) VALUES ($1, $2, $3) \
         ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
    )
    .bind(chain.to_owned())
    .bind(seq)
    .bind(hash.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// The hash of the first record, as stored; `None` for a chain without sealed records.
pub async fn first(connection: &mut AnyConnection, chain: &str) -> Result<Option<String>> {
    let row = sqlx::query("SELECT hash FROM audit_events WHERE chain = $1 AND seq = 1").bind(chain.to_owned()).fetch_optional(connection).await?;
    row.map_or(Ok(None), |row| Row::of("audit_events", &row).optional_text("hash"))
}

/// Every chain that has records or a head, as stored, in order.
pub async fn names(connection: &mut AnyConnection) -> Result<Vec<String>> {
    let rows = sqlx::query("SELECT chain FROM audit_events UNION SELECT chain FROM audit_heads ORDER BY chain").fetch_all(connection).await?;
    rows.iter().map(|row| Row::of("audit_events", row).text("chain")).collect()
}

/// Sealed records of a chain from place `after` on; what cannot be read is an error in its place.
pub async fn sealed(connection: &mut AnyConnection, chain: &str, after: i64, limit: u32) -> Result<Vec<(i64, Result<Sealed>)>> {
    let mut query = read::select();
    query.and_where(Expr::col("chain").eq(chain)).and_where(Expr::col("seq").gt(after)).order_by("seq", Order::Asc).limit(limit.into());
    let (sql, values) = query.build_sqlx(PostgresQueryBuilder);
    let rows = sqlx::query_with(sqlx::AssertSqlSafe(sql), values).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let named = Row::of("audit_events", row);
            let seq = named.integer("seq")?;
            let record = read::event(row).and_then(|event| match read::seal(row)? {
                Some((seq, prev, hash)) => Ok(Sealed { event, seq, prev, hash }),
                None => Err(named.fail("seq", "missing")),
            });
            Ok((seq, record))
        })
        .collect()
}

pub async fn count_unsealed(connection: &mut AnyConnection, chain: &str) -> Result<i64> {
    let row = sqlx::query("SELECT COUNT(*) AS unsealed FROM audit_events WHERE chain = $1 AND seq IS NULL")
        .bind(chain.to_owned())
        .fetch_one(connection)
        .await?;
    Row::of("audit_events", &row).integer("unsealed")
}

/// How far each of these chains is sealed, in their order. One statement.
pub async fn states(connection: &mut AnyConnection, chains: [Chain; 2]) -> Result<Vec<ChainState>> {
    let rows = sqlx::query(
        "SELECT c.place, h.seq, h.hash, (SELECT COUNT(*) FROM audit_events e WHERE e.chain = c.name AND e.seq IS NULL) AS unsealed \
         FROM (SELECT 0 AS place, CAST($1 AS TEXT) AS name UNION ALL SELECT 1 AS place, CAST($2 AS TEXT) AS name) AS c \
         LEFT JOIN audit_heads h ON h.chain = c.name ORDER BY c.place",
    )
    .bind(chains[0].to_string())
    .bind(chains[1].to_string())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .zip(chains)
        .map(|(row, chain)| {
            let row = Row::of("audit_heads", row);
            Ok(ChainState {
                chain,
                sealed: row.optional_integer("seq")?.unwrap_or_default(),
                head: row.optional_parse("hash")?.unwrap_or(Hash::ZERO),
                unsealed: row.integer("unsealed")?,
            })
        })
        .collect()
}

/// The records before and after a place in a chain.
pub async fn neighbours(connection: &mut AnyConnection, chain: Chain, seq: i64) -> Result<(Option<AuditEventId>, Option<AuditEventId>)> {
    let row = sqlx::query(
        "SELECT (SELECT id FROM audit_events WHERE chain = $1 AND seq = $2) AS before, \
         (SELECT id FROM audit_events WHERE chain = $1 AND seq = $3) AS after",
    )
    .bind(chain.to_string())
    .bind(seq - 1)
    .bind(seq + 1)
    .fetch_one(connection)
    .await?;
    let row = Row::of("audit_events", &row);
    Ok((row.optional_parse("before")?, row.optional_parse("after")?))
}
