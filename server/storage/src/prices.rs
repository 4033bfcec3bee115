//! Price books: one for everybody, and one for each tenant that has prices of its own (E4).

use domain::{
    ids::{DiscountId, PriceBookId, TenantId},
    money::Currency,
    pricing::{BasisPoints, Discount, Meter, Price, PriceBook, Quoted},
    time::Timestamp,
};
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// Every book with its prices; `None` marks the book for tenants without one. Two statements.
pub async fn books(connection: &mut AnyConnection) -> Result<Vec<(Option<TenantId>, PriceBook)>> {
    let rows = sqlx::query("SELECT id, tenant_id, currency FROM price_books ORDER BY id").fetch_all(&mut *connection).await?;
    let mut books = rows
        .iter()
        .map(|row| {
            let row = Row::of("price_books", row);
            Ok((row.optional_parse("tenant_id")?, PriceBook::empty(row.parse("id")?, row.parse("currency")?)))
        })
        .collect::<Result<Vec<_>>>()?;
    let rows =
        sqlx::query("SELECT book_id, meter, from_at, unit_micros, quoted FROM prices ORDER BY book_id, meter, from_at").fetch_all(connection).await?;
    for row in &rows {
        let row = Row::of("prices", row);
        let id: PriceBookId = row.parse("book_id")?;
        let price = Price {
            meter: row.parse("meter")?,
            unit_micros: row.integer("unit_micros")?,
            from: row.timestamp("from_at")?,
            quoted: row.state("quoted", Quoted::parse)?,
        };
        if let Some((_, book)) = books.iter_mut().find(|(_, book)| book.id == id) {
            book.prices.push(price);
        }
    }
    Ok(books)
}

/// Whether there is a book for everybody.
pub async fn has_default(connection: &mut AnyConnection) -> Result<bool> {
    Ok(sqlx::query("SELECT id FROM price_books WHERE tenant_id IS NULL").fetch_optional(connection).await?.is_some())
}

/// Makes an empty book.
pub async fn insert_book(connection: &mut AnyConnection, id: PriceBookId, tenant: Option<TenantId>, currency: Currency) -> Result<()> {
    sqlx::query("INSERT INTO price_books (id, tenant_id, currency) VALUES ($1, $2, $3)")
        .bind(id.to_string())
        .bind(tenant.map(|id| id.to_string()))
        .bind(currency.code())
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds a dated price, in place of one that was planned for the same instant. A price that has begun is never changed, since bills
/// rest on it: the caller sees to it that `from` is not before what is metered.
pub async fn insert_price(connection: &mut AnyConnection, book: PriceBookId, price: &Price) -> Result<()> {
    sqlx::query(
        "INSERT INTO prices (book_id, meter, from_at, unit_micros, quoted) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (book_id, meter, from_at) DO UPDATE SET unit_micros = excluded.unit_micros, quoted = excluded.quoted",
    )
    .bind(book.to_string())
    .bind(price.meter.to_string())
    .bind(price.from.micros())
    .bind(price.unit_micros)
    .bind(price.quoted.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes back a price that was planned; whether it was there.
pub async fn delete_price(connection: &mut AnyConnection, book: PriceBookId, meter: Meter, from: Timestamp) -> Result<bool> {
    let done = sqlx::query("DELETE FROM prices WHERE book_id = $1 AND meter = $2 AND from_at = $3")
        .bind(book.to_string())
        .bind(meter.to_string())
        .bind(from.micros())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Id and currency of the tenant's own book.
pub async fn own_book(connection: &mut AnyConnection, tenant: TenantId) -> Result<Option<(PriceBookId, Currency)>> {
    let row = sqlx::query("SELECT id, currency FROM price_books WHERE tenant_id = $1").bind(tenant.to_string()).fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(None) };
    let row = Row::of("price_books", &row);
    Ok(Some((row.parse("id")?, row.parse("currency")?)))
}

/// Copies everybody's prices, with all their history, into another book.
pub async fn copy_default(connection: &mut AnyConnection, into: PriceBookId) -> Result<()> {
    sqlx::query(
        "INSERT INTO prices (book_id, meter, from_at, unit_micros, quoted) \
         SELECT $1, p.meter, p.from_at, p.unit_micros, p.quoted FROM prices p JOIN price_books b ON b.id = p.book_id WHERE b.tenant_id IS NULL",
    )
    .bind(into.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Every tenant's discounts, from the first on.
pub async fn discounts(connection: &mut AnyConnection) -> Result<Vec<(TenantId, Discount)>> {
    let rows = sqlx::query("SELECT id, tenant_id, basis_points, from_at, to_at, reason FROM discounts ORDER BY tenant_id, from_at, id")
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("discounts", row);
            let points = BasisPoints::new(row.count("basis_points")?).ok_or_else(|| row.fail("basis_points", "above the whole"))?;
            let discount = Discount {
                id: row.parse("id")?,
                off: points,
                from: row.timestamp("from_at")?,
                to: row.optional_timestamp("to_at")?,
                reason: row.text("reason")?,
            };
            Ok((row.parse("tenant_id")?, discount))
        })
        .collect()
}

pub async fn insert_discount(connection: &mut AnyConnection, tenant: TenantId, discount: &Discount) -> Result<()> {
    let Discount { id, off, from, to, reason } = discount;
    sqlx::query("INSERT INTO discounts (id, tenant_id, basis_points, from_at, to_at, reason) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(id.to_string())
        .bind(tenant.to_string())
        .bind(i64::from(off.get()))
        .bind(from.micros())
        .bind(to.map(Timestamp::micros))
        .bind(reason.clone())
        .execute(connection)
        .await?;
    Ok(())
}

pub async fn end_discount(connection: &mut AnyConnection, id: DiscountId, to: Timestamp) -> Result<()> {
    sqlx::query("UPDATE discounts SET to_at = $2 WHERE id = $1").bind(id.to_string()).bind(to.micros()).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
