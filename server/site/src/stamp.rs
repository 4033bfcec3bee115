//! A note in the built site of what it was built from, so that nothing is bound and compressed twice.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Result;
use sha2::{Digest as _, Sha256};

use crate::files::hex;

const FILE: &str = ".stamp";
/// Raise when this tool writes something else from the same input.
const FORMAT: &str = "2";

/// A fingerprint of all input.
pub fn of(profile: &str, wasm: &[u8], style: &str, public: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        // The length keeps two parts from being taken for one.
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    };
    part(FORMAT.as_bytes());
    part(profile.as_bytes());
    part(wasm);
    part(style.as_bytes());
    for (name, bytes) in public {
        part(name.as_bytes());
        part(bytes);
    }
    hex(&hash.finalize())
}

pub fn matches(out: &Path, stamp: &str) -> bool {
    fs::read_to_string(out.join(FILE)).is_ok_and(|written| written == stamp)
}

pub fn save(out: &Path, stamp: &str) -> Result<()> {
    fs::write(out.join(FILE), stamp)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_of_input_changes_the_stamp() {
        let public = |name: &str| BTreeMap::from([(name.to_owned(), Vec::new())]);
        let base = of("wasm", b"w", "s", &public("p"));
        assert_eq!(base, of("wasm", b"w", "s", &public("p")));
        for other in [
            of("dev", b"w", "s", &public("p")),
            of("wasm", b"x", "s", &public("p")),
            of("wasm", b"w", "t", &public("p")),
            of("wasm", b"w", "s", &public("q")),
            of("wasm", b"ws", "", &public("p")),
        ] {
            assert_ne!(base, other);
        }
    }
}
