//! The list of tests that could not run in this environment.

use std::{fs::OpenOptions, io::Write as _};

/// Records that a test could not run here, with a single write: tests of several threads and processes share the list.
pub fn skip(test: &str, reason: &str) {
    eprintln!("SKIP {test}: {reason}");
    if let Some(list) = std::env::var_os("LECTERN_SKIP_LOG") {
        let mut list = OpenOptions::new().create(true).append(true).open(list).expect("the list of skips");
        list.write_all(format!("{test}: {reason}\n").as_bytes()).expect("the list of skips");
    }
}
