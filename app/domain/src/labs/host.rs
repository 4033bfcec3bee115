//! The label of a lab's host: `lab-2047-1f0c9a33be`. The suffix depends on the lab's id, which is never used again, so an old tab or cookie
//! never meets another lab. Another port of the lab's pod has a host of its own: `8501--lab-2047-1f0c9a33be`.

use std::{fmt::Write as _, ops::RangeInclusive};

use sha2::{Digest, Sha256};

use crate::ids::LabId;

/// Characters of the suffix.
const SUFFIX: usize = 10;

/// Changes every host when it changes. Sites of the first generation could be taken by service workers of their labs, which browsers keep for as
/// long as they like: no lab has such a host any more, so a worker that was registered there sees no ticket.
const GENERATION: &str = "lab site 2";

/// The first label of the lab's host: its name, `-`, and the first 10 digits of the hexadecimal SHA-256 of the generation and its id.
pub fn host_label(name: &str, id: LabId) -> String {
    format!("{name}-{}", suffix(id))
}

/// Ports that may have a host of their own: those that a program without rights can listen on.
pub const PORTS: RangeInclusive<u16> = 1_024..=65_535;
/// By which the ranks of a training job meet; it speaks no HTTP, and a connection to it can disturb the job.
const RESERVED: [u16; 1] = [29_500];
/// Ports of SSH servers.
pub const SSH: [u16; 2] = [22, 2_222];
/// Between the port and the label of the lab's own host.
const BETWEEN: &str = "--";

/// Whether a port of a lab can be opened beside the lab's own.
pub fn is_port(port: u16) -> bool {
    PORTS.contains(&port) && has_pages(port)
}

/// Whether a port may be asked for pages: what listens on the others answers in another language, and a request can disturb it.
pub fn has_pages(port: u16) -> bool {
    !RESERVED.contains(&port) && !SSH.contains(&port)
}

/// The label of the host of a port. `port`: 0 for the lab's own.
pub fn port_label(label: &str, port: u16) -> String {
    if port == 0 { label.to_owned() } else { format!("{port}{BETWEEN}{label}") }
}

/// The port, 0 for the lab's own, and the label of the lab's own host. `None` if it names a port that has no host.
pub fn split_port(label: &str) -> Option<(u16, &str)> {
    let Some((port, rest)) = label.split_once(BETWEEN) else { return Some((0, label)) };
    let number: u16 = port.parse().ok()?;
    // One spelling for each host.
    (is_port(number) && number.to_string() == port).then_some((number, rest))
}

/// The lab's name and the suffix. `None` for a text that is no label of a lab.
pub fn split_label(label: &str) -> Option<(&str, &str)> {
    let (name, suffix) = label.rsplit_once('-')?;
    let is_suffix = suffix.len() == SUFFIX && suffix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_suffix && !name.is_empty()).then_some((name, suffix))
}

/// The suffix of the lab with this id.
pub fn suffix(id: LabId) -> String {
    Sha256::digest(format!("{GENERATION} {id}")).iter().take(SUFFIX / 2).fold(String::with_capacity(SUFFIX), |mut text, byte| {
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
    fn no_lab_has_a_host_of_the_first_generation() {
        let id = LabId::from_uuid(Uuid::from_u128(1));
        let digits = suffix(id);
        assert!(!Sha256::digest(id.to_string()).iter().zip(digits.as_bytes().chunks(2)).all(|(byte, pair)| format!("{byte:02x}").as_bytes() == pair));
    }

    #[test]
    fn two_labs_have_two_labels() {
        let [first, second] = [1, 2].map(|number| LabId::from_uuid(Uuid::from_u128(number)));
        assert_ne!(host_label("lab-2047", first), host_label("lab-2047", second));
    }

    #[test]
    fn a_port_has_a_host_of_its_own() {
        assert_eq!(port_label("lab-7-1f0c9a33be", 0), "lab-7-1f0c9a33be");
        assert_eq!(port_label("lab-7-1f0c9a33be", 8_501), "8501--lab-7-1f0c9a33be");
        assert_eq!(split_port("lab-7-1f0c9a33be"), Some((0, "lab-7-1f0c9a33be")));
        assert_eq!(split_port("8501--lab-7-1f0c9a33be"), Some((8_501, "lab-7-1f0c9a33be")));
        for port in ["22", "0", "1023", "65536", "08501", "+8501", "x", "", "29500", "2222"] {
            assert_eq!(split_port(&format!("{port}--lab-7-1f0c9a33be")), None, "{port}");
        }
        assert!(is_port(1_024) && is_port(65_535) && !is_port(443) && has_pages(443));
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
