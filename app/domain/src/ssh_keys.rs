//! Public keys by which people sign in to the SSH servers of labs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{ids::SshKeyId, time::Timestamp};

pub const NAME_MAX: u32 = 100;
/// Keys that one person may have.
pub const KEYS_MAX: u32 = 20;
/// Most characters of a text that is read as a key: RSA with 16,384 bits has about 2,800.
pub const TEXT_MAX: u32 = 4_000;
/// Fewest bits of an RSA key.
pub const RSA_BITS: u32 = 2_048;

/// The variable in which a lab with an SSH server gets the key of its order. Labs that have it get the keys of their owner's account too.
pub const VARIABLE: &str = "LECTERN_AUTHORIZED_KEYS";

/// The user by whom labs with an SSH server are entered, unless they are processes of the server's machine.
pub const USER: &str = "ubuntu";

/// A public key as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshKey {
    pub id: SshKeyId,
    pub name: String,
    /// As in `authorized_keys`, without a comment: `ssh-ed25519 AAAA…`
    pub public_key: String,
    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    pub fingerprint: String,
    pub created_at: Timestamp,
}

impl SshKey {
    /// `ssh-ed25519`
    pub fn kind(&self) -> &str {
        self.public_key.split(' ').next().unwrap_or_default()
    }
}

/// Typed values of a new key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SshKeyForm {
    /// Empty for the comment of the key.
    pub name: String,
    pub public_key: String,
}

/// Why a running lab may have other keys than its owner's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeysProblem {
    /// The lab has no file of keys where Lectern looks for it, so it takes those of its order.
    NoFile,
    /// The file could not be written yet.
    NotWritten,
}

impl KeysProblem {
    pub const ALL: [Self; 2] = [Self::NoFile, Self::NotWritten];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoFile => "no_file",
            Self::NotWritten => "not_written",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.as_str() == text)
    }
}

/// The lines of a lab's `authorized_keys`: the keys of the account, and those of the order that were typed by hand, with their options. A key
/// that the account once had and has no more is left out, also if the order names it.
///
/// `removed`: the keys that the account has no more; `ordered`: the order's value of [`VARIABLE`].
pub fn authorized_keys(account: &[SshKey], removed: &[String], ordered: &str) -> Vec<String> {
    let keys = account.iter().map(|key| key.public_key.as_str()).chain(removed.iter().map(String::as_str));
    let known: BTreeSet<_> = keys.filter_map(|key| key.split(' ').nth(1)).collect();
    let is_typed = |line: &&str| is_key(line) && !line.split_whitespace().any(|word| known.contains(word));
    account.iter().map(|key| key.public_key.clone()).chain(ordered.lines().filter(is_typed).map(str::to_owned)).collect()
}

/// Whether a line may be one of `authorized_keys`: the data of every key begins with the length of a short word.
fn is_key(line: &str) -> bool {
    !line.contains(|c: char| c.is_control() && c != '\t') && line.split_whitespace().any(|word| word.starts_with("AAAA"))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const DESK: &str = "ssh-ed25519 AAAAC3desk";
    const LOST: &str = "ssh-ed25519 AAAAC3lost";

    fn account(keys: &[&str]) -> Vec<SshKey> {
        let key = |(number, text): (u128, &&str)| SshKey {
            id: SshKeyId::from_uuid(Uuid::from_u128(number)),
            name: "x".into(),
            public_key: (*text).to_owned(),
            fingerprint: String::new(),
            created_at: Timestamp::from_seconds(0),
        };
        (1..).zip(keys).map(key).collect()
    }

    #[test]
    fn a_lab_takes_the_keys_of_the_account_and_what_was_typed_by_hand() {
        let (account, removed) = (account(&[DESK]), [LOST.to_owned()]);
        let lines = |ordered: &str| authorized_keys(&account, &removed, ordered);
        assert_eq!(lines(""), [DESK]);
        assert_eq!(lines(&format!("{DESK} li@desk")), [DESK], "once");
        for typed in ["ssh-rsa AAAAB3hand by hand", "from=\"10.0.0.0/8\"\tssh-rsa AAAAB3hand $(reboot) `x` 'y' \"z\" \\"] {
            assert_eq!(lines(typed), [DESK, typed]);
        }
        assert_eq!(lines("ssh-rsa AAAAB3one\nssh-rsa AAAAB3two"), [DESK, "ssh-rsa AAAAB3one", "ssh-rsa AAAAB3two"]);
        assert_eq!(authorized_keys(&[], &removed, LOST), [""; 0], "then nobody may enter");
    }

    #[test]
    fn a_removed_key_is_left_out_however_the_order_spells_it() {
        for ordered in [LOST, "ssh-ed25519  AAAAC3lost\tli", "restrict,command=\"sh -c 'x y'\" ssh-ed25519 AAAAC3lost"] {
            assert_eq!(authorized_keys(&account(&[DESK]), &[LOST.to_owned()], ordered), [DESK], "{ordered}");
        }
        // It was added again.
        assert_eq!(authorized_keys(&account(&[LOST]), &[LOST.to_owned()], LOST), [LOST]);
    }

    #[test]
    fn lines_without_a_key_are_left_out() {
        for ordered in [".", "", "# nothing", "ssh-rsa", "ssh-rsa AAAA\u{7}", "ssh-rsa AAAA\0x", "ssh-rsa AAAA\rssh-rsa AAAB"] {
            assert_eq!(authorized_keys(&[], &[], ordered), [""; 0], "{ordered:?}");
        }
    }

    #[test]
    fn problems_are_stored_by_their_names() {
        for problem in KeysProblem::ALL {
            assert_eq!(KeysProblem::named(problem.as_str()), Some(problem));
        }
        assert_eq!(KeysProblem::named("other"), None);
    }
}
