//! The label of a lab's host: `lab-2047-1f0c9a33be`. The suffix depends on the lab's id, which is never used again, so an old tab or cookie
//! never meets another lab.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::ids::LabId;

/// Characters of the suffix.
const SUFFIX: usize = 10;

/// The first label of the lab's host: its name, `-`, and the first 10 digits of the hexadecimal SHA-256 of its id.
pub fn host_label(name: &str, id: LabId) -> String {
    format!("{name}-{}", suffix(id))
}

/// The lab's name and the suffix. `None` for a text that is no label of a lab.
pub fn split_label(label: &str) -> Option<(&str, &str)> {
    let (name, suffix) = label.rsplit_once('-')?;
    let is_suffix = suffix.len() == SUFFIX && suffix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_suffix && !name.is_empty()).then_some((name, suffix))
}

/// The suffix of the lab with this id.
pub fn suffix(id: LabId) -> String {
    Sha256::digest(id.to_string()).iter().take(SUFFIX / 2).fold(String::with_capacity(SUFFIX), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_label_gives_the_lab_name_back() {
        let id = LabId::from_uuid(Uuid::from_u128(1));
        let label = host_label("lab-2047", id);
        assert_eq!(label.len(), "lab-2047-".len() + SUFFIX);
        assert_eq!(split_label(&label), Some(("lab-2047", suffix(id).as_str())));
    }

    #[test]
    fn two_labs_have_two_labels() {
        let [first, second] = [1, 2].map(|number| LabId::from_uuid(Uuid::from_u128(number)));
        assert_ne!(host_label("lab-2047", first), host_label("lab-2047", second));
    }

    #[test]
    fn other_texts_are_no_labels() {
        for text in [
            "",
            "-",
            "lab-2047",
            "lab-2047-",
            "-0123456789",
            "lab-2047-0123456789a",
            "lab-2047-01234567",
            "lab-2047-01234567ZZ",
            "lab-2047-01234567A9",
        ] {
            assert_eq!(split_label(text), None, "{text:?}");
        }
    }
}
