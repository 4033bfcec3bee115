//! Lists in pages: `limit` and `continue`. Every page shows the store as it was when the first one was read.

use crate::{
    error::{ApiError, Result},
    registry::Kind,
    rest::query::Query,
    store::{Object, Store},
    value,
};

/// A page of a list.
pub struct Page {
    pub objects: Vec<Object>,
    pub version: u64,
    /// `continue` of the next page; `""` for the last.
    pub next: String,
    /// How many more there are, where nothing is selected.
    pub remaining: Option<usize>,
}

/// What a `continue` says: a version, and the last object of the page before. Opaque to clients.
struct Token {
    version: u64,
    after: (String, String),
}

impl Token {
    fn read(text: &str) -> Option<Self> {
        let (version, place) = text.split_once('.')?;
        let (namespace, name) = place.split_once('.')?;
        Some(Self { version: version.parse().ok()?, after: (unhex(namespace)?, unhex(name)?) })
    }

    fn write(version: u64, last: &Object) -> String {
        format!("{version}.{}.{}", hex(value::namespace(last)), hex(value::name(last)))
    }
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| out + &format!("{byte:02x}"))
}

fn unhex(text: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect();
    String::from_utf8(bytes?).ok()
}

/// The page that a query asks for, of the objects that are wanted.
pub fn read(store: &Store, kind: &Kind, namespace: &str, query: &Query) -> Result<Page> {
    let (labels, fields) = query.selectors(kind)?;
    let limit = query.number("limit").filter(|limit| *limit > 0).and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let token = match query.get("continue").filter(|text| !text.is_empty()) {
        Some(text) => Some(
            Token::read(text)
                .ok_or_else(|| ApiError::bad_request("invalid continue token: continue key is not valid: illegal base64 data at input byte 0"))?,
        ),
        None => None,
    };
    let is_after = |object: &Object| {
        let place = (value::namespace(object), value::name(object));
        token.as_ref().is_none_or(|token| place > (token.after.0.as_str(), token.after.1.as_str()))
    };
    let (all, version) = if let Some(token) = &token {
        (store.list_at(kind.resource, namespace, token.version).ok_or_else(ApiError::page_expired)?, token.version)
    } else {
        let txn = store.write();
        (txn.list(kind.resource, namespace), txn.version())
    };
    let mut found = all.into_iter().filter(is_after).filter(|object| labels.matches(object) && fields.matches(object));
    let objects: Vec<Object> = found.by_ref().take(limit).collect();
    let remaining = found.count();
    let next = match objects.last() {
        Some(last) if remaining > 0 => Token::write(version, last),
        _ => String::new(),
    };
    let remaining = (remaining > 0 && labels.is_empty() && fields.is_empty()).then_some(remaining);
    Ok(Page { objects, version, next, remaining })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_comes_back_as_it_was_written() {
        let last: Object = json!({"metadata": {"namespace": "a.b", "name": "ü"}}).into();
        let token = Token::read(&Token::write(7, &last)).expect("a token");
        assert_eq!((token.version, token.after), (7, ("a.b".to_owned(), "ü".to_owned())));
        for wrong in ["", "7", "7.zz.61", "x.61.61", "7.6.6"] {
            assert!(Token::read(wrong).is_none(), "{wrong}");
        }
    }
}
