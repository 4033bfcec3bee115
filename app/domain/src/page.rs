//! Keyset paging: a page of items and the cursor of the next one. Never an offset, never a total that must be counted.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

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

    /// One page of a list that is short enough to be read as a whole, ordered by `key`, which is unique. A page begins after the key in the
    /// cursor, so the cursor stays valid when its item is deleted.
    ///
    /// `list`: the list's name; a cursor of another list is refused. Errors: [`Error::Invalid`] on `limit`, `after`.
    pub fn cut<T, K: Ord + Serialize + DeserializeOwned>(&self, list: &str, mut items: Vec<T>, key: impl Fn(&T) -> K) -> Result<Page<T>, Error> {
        let rows = self.rows()?;
        let after = self.cursor(|text| read_cursor::<K>(list, text))?;
        items.sort_by_cached_key(&key);
        let begin = after.map_or(0, |after| items.partition_point(|item| key(item) <= after));
        let read = items.into_iter().skip(begin).take(rows as usize).collect();
        Ok(self.page(read, |last| write_cursor(list, &key(last))))
    }

    /// The page of [`Self::rows`] that were read; `cursor` of its last one is where the next begins.
    pub fn page<T>(&self, mut read: Vec<T>, cursor: impl FnOnce(&T) -> String) -> Page<T> {
        let more = read.len() > self.limit as usize;
        read.truncate(self.limit as usize);
        let next = read.last().filter(|_| more).map(cursor);
        Page { items: read, next }
    }
}

/// A key as a cursor that [`read_cursor`] accepts for the same list only. It is hexadecimal, so a URL needs no escaping.
pub fn write_cursor<K: Serialize>(list: &str, key: &K) -> String {
    // Keys are plain values, which serialise without error.
    let document = serde_json::to_vec(&(list, key)).unwrap_or_default();
    document.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `None` for a text that [`write_cursor`] did not write for this list.
pub fn read_cursor<K: DeserializeOwned>(list: &str, text: &str) -> Option<K> {
    let digits = text.as_bytes();
    let byte = |pair: &[u8]| {
        let [high, low] = [pair.first()?, pair.get(1)?].map(|digit| char::from(*digit).to_digit(16));
        u8::try_from(high? * 16 + low?).ok()
    };
    let document: Vec<u8> = digits.chunks(2).map(byte).collect::<Option<_>>()?;
    // No text of Lectern's holds a NUL, and PostgreSQL refuses it.
    let nul = document.windows(6).any(|escape| escape == b"\\u0000");
    let (name, key): (String, K) = serde_json::from_slice(&document).ok()?;
    (name == list && !nul).then_some(key)
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use super::*;

    /// All pages, two items each; `gone` is deleted from the list before the second page is read.
    fn walk(mut items: Vec<&'static str>, gone: &str) -> Vec<&'static str> {
        let mut request = PageRequest { limit: 2, after: None };
        let mut seen = Vec::new();
        loop {
            let page = request.cut("letters", items.clone(), |item| (*item).to_owned()).expect("a page");
            seen.extend(page.items);
            items.retain(|item| *item != gone);
            match page.next {
                Some(next) => request.after = Some(next),
                None => return seen,
            }
        }
    }

    #[test]
    fn pages_of_a_list_in_memory_follow_each_other_without_gaps() {
        assert_eq!(walk(vec!["e", "a", "c", "b", "d"], ""), ["a", "b", "c", "d", "e"]);
        assert_eq!(walk(vec!["a", "b", "c", "d", "e"], "b"), ["a", "b", "c", "d", "e"], "the cursor's own item is gone");
    }

    #[test]
    fn a_list_in_memory_is_in_the_order_of_its_key() {
        let request = PageRequest { limit: 2, after: None };
        let key = |item: &(u32, &str)| (Reverse(item.0), item.1.to_owned());
        let page = request.cut("groups", vec![(1, "a"), (3, "c"), (3, "b")], key).expect("a page");
        assert_eq!(page.items, [(3, "b"), (3, "c")]);
        let rest = PageRequest { limit: 2, after: page.next }.cut("groups", vec![(2, "new"), (1, "a")], key).expect("a page");
        assert_eq!(rest, Page { items: vec![(2, "new"), (1, "a")], next: None });
    }

    #[test]
    fn what_is_no_cursor_of_the_list_is_refused() {
        let refused = Err(Error::field("after", Problem::NoSuch));
        let other = write_cursor("others", &"a");
        let (number, nul) = (write_cursor("letters", &1), write_cursor("letters", &"\0"));
        for after in ["unknown", "a", "00", "é", "0", "", &other, &number, &nul] {
            let request = PageRequest { limit: 2, after: Some(after.to_owned()) };
            assert_eq!(request.cut("letters", vec!["a", "b"], |item| (*item).to_owned()), refused, "{after:?}");
        }
        let last = PageRequest { limit: 2, after: Some(write_cursor("letters", &"zz")) };
        assert_eq!(last.cut("letters", vec!["a"], |item| (*item).to_owned()), Ok(Page { items: vec![], next: None }));
    }

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
