//! Audit records: added in the transaction of what they describe. Nothing here changes or deletes one; the schema refuses it too.

pub mod around;
pub mod chain;
pub mod floods;
pub mod read;
pub mod runs;
pub mod searches;

use domain::audit::{Event, Who};
use sqlx::AnyConnection;

use crate::{
    dialect,
    error::{Error, Result},
    script::{Insert, Script},
};

/// Adds a record, unsealed, and its words to the search index. Errors: `Lost` when the database took it without a word and did not keep it.
pub async fn insert(connection: &mut AnyConnection, event: &Event) -> Result<()> {
    let mut script = Script::default();
    script.extend(new(event));
    if script.run(connection).await? { Ok(()) } else { Err(Error::Lost("audit_events")) }
}

/// A new record and its words; see [`insert`].
pub fn new(event: &Event) -> [Insert; 2] {
    let id = event.id.to_string();
    let (who_id, who_name) = match &event.who {
        Who::Person { id, name, .. } => (Some(id.to_string()), name.clone()),
        Who::System { .. } | Who::Anonymous { .. } => (None, String::new()),
    };
    let record = Insert::new(
        "INSERT INTO audit_events (id, chain, at, who_kind, who_id, who_label, who_name, via, address, request_id, action, \
         object_kind, object_id, object_label, course_id, outcome, code, before_json, after_json, attempts) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
    )
    .bind(id.clone())
    .bind(event.chain.to_string())
    .bind(event.at.micros())
    .bind(event.who.kind())
    .bind(who_id)
    .bind(event.who.label().to_owned())
    .bind(who_name)
    .bind(event.via.as_str())
    .bind(event.address.clone())
    .bind(event.request_id.clone())
    .bind(event.action.clone())
    .bind(event.object.kind.clone())
    .bind(event.object.id.clone())
    .bind(event.object.label.clone())
    .bind(event.course.map(|id| id.to_string()))
    .bind(event.outcome.as_str())
    .bind(event.code.clone())
    .bind(event.before.as_ref().map(domain::audit::canonical_json))
    .bind(event.after.as_ref().map(domain::audit::canonical_json))
    .bind(i64::from(event.count));
    [record, dialect::words(&id, index_text(event))]
}

/// The searchable text of a record, as it is indexed.
fn index_text(event: &Event) -> String {
    let who_name = match &event.who {
        Who::Person { name, .. } => name.as_str(),
        Who::System { .. } | Who::Anonymous { .. } => "",
    };
    let after = event.after.as_ref().map(domain::audit::canonical_json);
    let words = [
        event.who.label(),
        who_name,
        event.action.as_str(),
        event.object.label.as_str(),
        event.address.as_deref().unwrap_or_default(),
        event.code.as_deref().unwrap_or_default(),
        after.as_deref().unwrap_or_default(),
    ]
    .join(" ");
    dialect::index_text(&words)
}

#[cfg(test)]
mod tests;
