//! Public keys by which people sign in to the SSH servers of labs.

use serde::{Deserialize, Serialize};

use crate::{ids::SshKeyId, time::Timestamp};

pub const NAME_MAX: u32 = 100;
/// Keys that one person may have.
pub const KEYS_MAX: u32 = 20;
/// Most characters of a text that is read as a key: RSA with 16,384 bits has about 2,800.
pub const TEXT_MAX: u32 = 4_000;
/// Fewest bits of an RSA key.
pub const RSA_BITS: u32 = 2_048;

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
