//! Sets of ids as one bound value: ids are of fixed length and hold no wildcard, so `$1 LIKE '%' || id || '%'` is membership on
//! both engines, and a statement stays one text whatever the number.

use std::fmt::Display;

/// The value for `$1`.
pub fn list<I: Display>(ids: impl IntoIterator<Item = I>) -> String {
    ids.into_iter().map(|id| id.to_string()).collect::<Vec<_>>().join(" ")
}
