//! Price books: one for everybody, and one for each tenant that has prices of its own (E4).

use domain::{
    ids::{PriceBookId, TenantId},
    money::Currency,
    pricing::{Price, PriceBook},
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
            Ok((row.optional_parse("tenant_id")?, PriceBook { id: row.parse("id")?, currency: row.parse("currency")?, prices: Vec::new() }))
        })
        .collect::<Result<Vec<_>>>()?;
    let rows = sqlx::query("SELECT book_id, meter, from_at, unit_micros FROM prices ORDER BY book_id, meter, from_at").fetch_all(connection).await?;
    for row in &rows {
        let row = Row::of("prices", row);
        let id: PriceBookId = row.parse("book_id")?;
        let price = Price { meter: row.parse("meter")?, unit_micros: row.integer("unit_micros")?, from: row.timestamp("from_at")? };
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

/// Adds a dated price. A price once there is never changed, since bills rest on it: a new one begins later.
pub async fn insert_price(connection: &mut AnyConnection, book: PriceBookId, price: &Price) -> Result<()> {
    sqlx::query("INSERT INTO prices (book_id, meter, from_at, unit_micros) VALUES ($1, $2, $3, $4)")
        .bind(book.to_string())
        .bind(price.meter.to_string())
        .bind(price.from.micros())
        .bind(price.unit_micros)
        .execute(connection)
        .await?;
    Ok(())
}
