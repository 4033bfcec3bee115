//! URLs of databases: what they name, and what of them may be shown.

use std::path::{Path, PathBuf};

/// Path of the file of a SQLite URL.
pub(super) fn file_of(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    Some(rest.trim_start_matches("//").split('?').next().map(Path::new)?.to_owned())
}

/// A URL that may go into a log: without who and with which password, wherever the URL says so. A text that is no URL may have its
/// password anywhere: nothing is shown of one that could have any.
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| *scheme != "sqlite") else {
        let is_open = url.starts_with("sqlite:") || !url.contains(['@', '?', '=']);
        return if is_open { url.to_owned() } else { "***".to_owned() };
    };
    // PostgreSQL takes `?user=…&password=…` as well.
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let shown = match place.rsplit_once('@') {
        // The question mark may be one of the password's.
        _ if query.is_some_and(|query| query.contains('@')) => "***".to_owned(),
        Some((_, host)) => format!("***@{host}"),
        None => place.to_owned(),
    };
    let more = if query.is_some() { "?***" } else { "" };
    format!("{scheme}://{shown}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_reach_the_log() {
        assert_eq!(redacted("postgres://lectern:p@ss@db/lectern"), "postgres://***@db/lectern");
        assert_eq!(redacted("postgres://db/lectern?user=lectern&password=pass"), "postgres://db/lectern?***");
        assert_eq!(redacted("postgres://db/lectern?user=lectern&password=p@ss"), "postgres://***?***");
        assert_eq!(redacted("postgres://lectern:p@ss@db/lectern?password=other"), "postgres://***@db/lectern?***");
        assert_eq!(redacted("sqlite:data/lectern.db"), "sqlite:data/lectern.db");
        assert_eq!(redacted("sqlite:///data/lectern.db?mode=ro"), "sqlite:///data/lectern.db?mode=ro");
    }

    #[test]
    fn what_is_no_url_shows_nothing_of_its_password() {
        for url in ["postgres://lectern:pa?ss@db/lectern", "lectern:pass@db/lectern", "postgres:lectern:pass@db", "postgres://lectern:pa?s@s@db"] {
            let shown = redacted(url);
            assert!(!shown.contains("pa") && !shown.contains("s@") && !shown.contains("lectern:"), "{url}: {shown}");
        }
    }
}
