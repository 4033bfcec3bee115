//! Documents that may hold unencrypted secrets, from before secrets were stored encrypted: read and written back as text.

use domain::ids::OfferingId;
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::{error::Result, row::Row};

/// Columns with such documents. Columns of later tables need no variant: their documents hold no secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Offering,
    OrderParameters,
    OrderSpec,
    OrderProposal,
    OrderAnswer,
    Lab,
    LabSize,
}

impl Place {
    /// Offerings first, so that a value that an order copied from its offering is stored once.
    pub const ALL: [Self; 7] =
        [Self::Offering, Self::OrderParameters, Self::OrderSpec, Self::OrderProposal, Self::OrderAnswer, Self::Lab, Self::LabSize];

    /// Table and column, the two columns that identify a row (as text), the joins to the order, and its id and offering.
    const fn parts(self) -> (&'static str, &'static str, [&'static str; 2], &'static str, &'static str, &'static str) {
        const OF_ORDER: [&str; 2] = ["d.id", "d.id"];
        match self {
            Self::Offering => ("offering_versions", "document", ["d.offering_id", "CAST(d.version AS TEXT)"], "", "''", "d.offering_id"),
            Self::OrderParameters => ("orders", "parameters", OF_ORDER, "", "d.id", "d.offering_id"),
            Self::OrderSpec => ("orders", "spec", OF_ORDER, "", "d.id", "d.offering_id"),
            Self::OrderProposal => ("orders", "proposal", OF_ORDER, "", "d.id", "d.offering_id"),
            Self::OrderAnswer => {
                ("idempotency_keys", "answer", ["d.user_id", "d.key"], "JOIN orders o ON o.id = d.order_id", "o.id", "o.offering_id")
            }
            Self::Lab => ("labs", "spec", OF_ORDER, "JOIN orders o ON o.id = d.order_id", "o.id", "o.offering_id"),
            Self::LabSize => (
                "lab_sizes",
                "spec",
                ["d.lab_id", "CAST(d.until_at AS TEXT)"],
                "JOIN labs l ON l.id = d.lab_id JOIN orders o ON o.id = l.order_id",
                "o.id",
                "o.offering_id",
            ),
        }
    }
}

/// One document and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub place: Place,
    key: [String; 2],
    pub text: String,
    pub offering: OfferingId,
    /// The order that the document belongs to; empty for an offering's document.
    pub order: String,
}

/// All documents of a place that have any variables or parameters.
pub async fn documents(connection: &mut AnyConnection, place: Place) -> Result<Vec<Document>> {
    let (table, column, [one, two], joins, order, offering) = place.parts();
    let sql = format!(
        "SELECT {one} AS one, {two} AS two, d.{column} AS document, {order} AS order_id, {offering} AS offering_id FROM {table} d {joins} \
         WHERE d.{column} LIKE '%\"environment\":{{\"%' OR d.{column} LIKE '%\"target\":{{\"environment\"%' \
            OR ('{column}' = 'parameters' AND d.{column} <> '{{}}')"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("documents", row);
            let key = [row.text("one")?, row.text("two")?];
            Ok(Document { place, key, text: row.text("document")?, offering: row.parse("offering_id")?, order: row.text("order_id")? })
        })
        .collect()
}

/// Replaces the document.
pub async fn replace(connection: &mut AnyConnection, document: &Document, text: &str) -> Result<()> {
    let (table, column, [one, two], ..) = document.place.parts();
    let (one, two) = (one.replace("d.", ""), two.replace("d.", ""));
    let sql = format!("UPDATE {table} SET {column} = $3 WHERE {one} = $1 AND {two} = $2 AND {column} = $4");
    sqlx::query(AssertSqlSafe(sql))
        .bind(document.key[0].clone())
        .bind(document.key[1].clone())
        .bind(text.to_owned())
        .bind(document.text.clone())
        .execute(connection)
        .await?;
    Ok(())
}
