//! URLs of databases: what they name, and what of them may be shown.

use std::path::{Path, PathBuf};

/// Path of the file of a SQLite URL.
pub(super) fn file_of(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    Some(rest.trim_start_matches("//").split('?').next().map(Path::new)?.to_owned())
}

/// A URL that may go into a log: without who and with which password, wherever the URL says so.
pub fn redacted(url: &str) -> String {
    // PostgreSQL takes `?user=…&password=…` as well.
    let url = match url.split_once('?') {
        Some((url, _)) if !url.starts_with("sqlite:") => &format!("{url}?***"),
        _ => url,
    };
    match (url.split_once("://"), url.rfind('@')) {
        (Some((scheme, _)), Some(at)) => format!("{scheme}://***@{}", &url[at + 1..]),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_reach_the_log() {
        assert_eq!(redacted("postgres://lectern:p@ss@db/lectern"), "postgres://***@db/lectern");
        assert_eq!(redacted("postgres://db/lectern?user=lectern&password=p@ss"), "postgres://db/lectern?***");
        assert_eq!(redacted("postgres://lectern:p@ss@db/lectern?password=other"), "postgres://***@db/lectern?***");
        assert_eq!(redacted("sqlite:data/lectern.db"), "sqlite:data/lectern.db");
    }
}
