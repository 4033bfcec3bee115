//! Keyset paging: a page of items and the cursor of the next one. Never an offset, never a total that must be counted.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Problem};

/// One page of a list, newest first unless its function says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Opaque; pass it back to get the page after this one. `None` on the last page.
    pub next: Option<String>,
}

impl<T> Page<T> {
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}

/// One page of a list that can be walked both ways, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window<T> {
    pub items: Vec<T>,
    /// Opaque; `None` on the newest page.
    pub newer: Option<String>,
    /// Opaque; `None` on the oldest page.
    pub older: Option<String>,
}

/// Which page is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRequest {
    /// 1 to 200.
    pub limit: u32,
    /// `next` of the page before; `None` for the first.
    pub after: Option<String>,
}

pub const DEFAULT_LIMIT: u32 = 50;
pub const MAX_LIMIT: u32 = 200;

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, after: None }
    }
}

impl PageRequest {
    /// How many rows to read: one more than wanted, which tells whether there is a next page. Errors: [`Error::Invalid`] on `limit`.
    pub fn rows(&self) -> Result<u32, Error> {
        if (1..=MAX_LIMIT).contains(&self.limit) {
            Ok(self.limit + 1)
        } else {
            Err(Error::field("limit", Problem::OutOfRange { min: 1, max: MAX_LIMIT.into() }))
        }
    }

    /// Where the page begins; `None` for the first. Errors: [`Error::Invalid`] on `after` for what `parse` does not know.
    pub fn cursor<C>(&self, parse: impl FnOnce(&str) -> Option<C>) -> Result<Option<C>, Error> {
        self.after.as_deref().map(|text| parse(text).ok_or_else(|| Error::field("after", Problem::NoSuch))).transpose()
    }

    /// The page of [`Self::rows`] that were read; `cursor` of its last one is where the next begins.
    pub fn page<T>(&self, mut read: Vec<T>, cursor: impl FnOnce(&T) -> String) -> Page<T> {
        let more = read.len() > self.limit as usize;
        read.truncate(self.limit as usize);
        let next = read.last().filter(|_| more).map(cursor);
        Page { items: read, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_more_than_wanted_is_the_next_page() {
        let wanted = PageRequest { limit: 2, after: Some("7".into()) };
        assert_eq!((wanted.rows(), wanted.cursor(|text| text.parse().ok())), (Ok(3), Ok(Some(7))));
        assert_eq!(wanted.page(vec![8, 9, 10], i32::to_string), Page { items: vec![8, 9], next: Some("9".into()) });
        assert_eq!(wanted.page(vec![8, 9], i32::to_string), Page { items: vec![8, 9], next: None });
    }

    #[test]
    fn a_bad_page_is_named_by_its_field() {
        let bad = PageRequest { limit: 201, after: Some("x".into()) };
        assert_eq!(bad.rows(), Err(Error::field("limit", Problem::OutOfRange { min: 1, max: 200 })));
        assert_eq!(bad.cursor(|text| text.parse::<u32>().ok()), Err(Error::field("after", Problem::NoSuch)));
    }
}
