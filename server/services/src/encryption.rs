//! Encryption of secrets in the database: ChaCha20-Poly1305 with a key that is not in the database. A ciphertext is bound to its row, so it
//! cannot be moved to another one. A keyring may hold several keys: the first one encrypts, all of them decrypt.

use std::{fmt, sync::Arc};

use domain::secret::Secret;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::{digest::hex_sha256, ports::Entropy};

/// Bytes of a key.
pub const KEY_LENGTH: usize = 32;
/// Prefix of a line in a key file.
const MARK: &str = "lectern-key-1";

/// Why a key file cannot be used, or a ciphertext cannot be decrypted. No message holds any part of a key or value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionError {
    #[error("line {line} is not `{MARK}` and 64 hexadecimal digits")]
    BadLine { line: usize },
    #[error("it holds no key")]
    Empty,
    #[error("the key {id} is not in the key file")]
    UnknownKey { id: String },
    #[error("the stored secret {what} is damaged, or was moved from another row")]
    Damaged { what: String },
    #[error("there is no key to encrypt with")]
    NoKey,
}

/// The keys of an installation. Without any key (the default) nothing can be encrypted.
#[derive(Clone, Default)]
pub struct Keyring(Vec<Arc<Key>>);

struct Key {
    id: String,
    key: LessSafeKey,
}

/// An encrypted value, in its stored form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub key_id: String,
    /// Nonce and ciphertext in hexadecimal.
    pub text: String,
}

impl Keyring {
    /// Parses a key file: one key a line, the current one first; empty lines and lines that begin with `#` are ignored.
    pub fn parse(text: &str) -> Result<Self, EncryptionError> {
        let mut keys = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line_error = || EncryptionError::BadLine { line: at + 1 };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let digits = line.strip_prefix(MARK).ok_or_else(line_error)?.trim();
            let bytes = from_hex(digits).filter(|bytes| bytes.len() == KEY_LENGTH).ok_or_else(line_error)?;
            keys.push(Arc::new(Key::new(&bytes).ok_or_else(line_error)?));
        }
        if keys.is_empty() { Err(EncryptionError::Empty) } else { Ok(Self(keys)) }
    }

    /// The content of a key file with a new key.
    pub fn new_file(entropy: &dyn Entropy) -> Secret {
        let mut bytes = [0; KEY_LENGTH];
        entropy.fill(&mut bytes);
        Secret::new(format!(
            "# Lectern encrypts the secrets in its database with this key. Without it they are lost: back it up, apart from the database.\n\
             {MARK} {}\n",
            hex(&bytes)
        ))
    }

    /// Fingerprint of the key that encrypts.
    pub fn current(&self) -> Option<&str> {
        self.0.first().map(|key| key.id.as_str())
    }
    pub fn has(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id == id)
    }
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Encrypts. `bound_to` names the place of the value: it can be decrypted only with the same name.
    pub fn seal(&self, entropy: &dyn Entropy, bound_to: &str, value: &Secret) -> Result<Sealed, EncryptionError> {
        let key = self.0.first().ok_or(EncryptionError::NoKey)?;
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut data = value.expose().as_bytes().to_vec();
        let place = place(&key.id, bound_to);
        key.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place.as_bytes()), &mut data)
            .map_err(|_| EncryptionError::NoKey)?;
        Ok(Sealed { key_id: key.id.clone(), text: hex(&nonce) + &hex(&data) })
    }

    /// Decrypts. Errors: `UnknownKey`; `Damaged` if the ciphertext was changed or belongs elsewhere.
    pub fn open(&self, bound_to: &str, sealed: &Sealed) -> Result<Secret, EncryptionError> {
        let damaged = || EncryptionError::Damaged { what: bound_to.replace('\n', " ") };
        let key = self.0.iter().find(|key| key.id == sealed.key_id).ok_or_else(|| EncryptionError::UnknownKey { id: sealed.key_id.clone() })?;
        let mut data = from_hex(&sealed.text).filter(|bytes| bytes.len() > NONCE_LEN).ok_or_else(damaged)?;
        let mut rest = data.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&data).map_err(|_| damaged())?;
        let place = place(&key.id, bound_to);
        let opened = key.key.open_in_place(nonce, Aad::from(place.as_bytes()), &mut rest).map_err(|_| damaged())?;
        String::from_utf8(opened.to_vec()).map(Secret::new).map_err(|_| damaged())
    }

    /// A keyring with the keys of several, in this order.
    #[cfg(any(test, feature = "testing"))]
    pub fn of(rings: impl IntoIterator<Item = Self>) -> Self {
        Self(rings.into_iter().flat_map(|ring| ring.0).collect())
    }

    /// A key for tests.
    #[cfg(any(test, feature = "testing"))]
    pub fn for_testing(number: u8) -> Self {
        Self(Key::new(&[number; KEY_LENGTH]).map(Arc::new).into_iter().collect())
    }
}

/// The ciphertext is also bound to its key and to the version of this scheme.
fn place(key_id: &str, bound_to: &str) -> String {
    format!("lectern secret 1\n{key_id}\n{bound_to}")
}

impl Key {
    fn new(bytes: &[u8]) -> Option<Self> {
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, bytes).ok()?);
        // Long enough to tell keys apart; it reveals nothing about the 256 random bits.
        let mut id = hex_sha256([b"lectern key fingerprint\n".as_slice(), bytes].concat());
        id.truncate(16);
        Some(Self { id, key })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{HandClock, HandEntropy};

    fn entropy() -> HandEntropy {
        HandEntropy::new(Arc::new(HandClock::default()))
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let (ring, entropy) = (Keyring::for_testing(1), entropy());
        let sealed = ring.seal(&entropy, "offering a HF_TOKEN", &secret("hush")).expect("sealed");
        assert!(!sealed.text.contains("hush") && !sealed.text.contains(&hex(b"hush")));
        assert_eq!(ring.open("offering a HF_TOKEN", &sealed), Ok(secret("hush")));
        assert!(matches!(ring.open("offering b HF_TOKEN", &sealed), Err(EncryptionError::Damaged { .. })), "moved to another row");
        let again = ring.seal(&entropy, "offering a HF_TOKEN", &secret("hush")).expect("sealed");
        assert_ne!(again.text, sealed.text, "equal values cannot be told to be equal");
    }

    #[test]
    fn every_changed_digit_is_noticed() {
        let ring = Keyring::for_testing(1);
        let sealed = ring.seal(&entropy(), "here", &secret("hush")).expect("sealed");
        for at in 0..sealed.text.len() {
            let mut digits: Vec<char> = sealed.text.chars().collect();
            digits[at] = if digits[at] == '0' { '1' } else { '0' };
            let changed = Sealed { text: digits.into_iter().collect(), ..sealed.clone() };
            assert!(matches!(ring.open("here", &changed), Err(EncryptionError::Damaged { .. })), "digit {at}");
        }
        for text in ["", "zz", "00", "0", "ü"] {
            assert!(ring.open("here", &Sealed { text: text.into(), ..sealed.clone() }).is_err(), "{text}");
        }
    }

    #[test]
    fn the_first_key_encrypts_and_earlier_ones_still_decrypt() {
        let line = |number: u8| format!("{MARK} {}\n", hex(&[number; KEY_LENGTH]));
        let old = Keyring::parse(&line(1)).expect("a key");
        let sealed = old.seal(&entropy(), "here", &secret("hush")).expect("sealed");
        let both = Keyring::parse(&format!("# new\n{}\n{}", line(2), line(1))).expect("two keys");
        assert_eq!(both.open("here", &sealed), Ok(secret("hush")));
        assert_eq!(both.current(), Keyring::for_testing(2).current());
        let new = Keyring::parse(&line(2)).expect("a key");
        assert_eq!(new.open("here", &sealed), Err(EncryptionError::UnknownKey { id: sealed.key_id.clone() }));
        assert_eq!(Keyring::default().seal(&entropy(), "here", &secret("hush")), Err(EncryptionError::NoKey));
    }

    #[test]
    fn a_key_file_is_read_as_it_was_written_and_a_fault_is_named_without_its_text() {
        let file = Keyring::new_file(&entropy());
        assert!(Keyring::parse(file.expose()).expect("a key").current().is_some());
        assert_eq!(Keyring::parse("# nothing\n").map(drop), Err(EncryptionError::Empty));
        for bad in ["lectern-key-1 abcd", "cafecafe", "lectern-key-1 zz"] {
            let error = Keyring::parse(&format!("\n{bad}")).map(drop).expect_err(bad);
            assert_eq!(error, EncryptionError::BadLine { line: 2 });
            assert!(!error.to_string().contains("cafe"));
        }
        let digits = file.expose().split_whitespace().last().unwrap_or_default().to_owned();
        assert!(!format!("{:?} {file:?}", Keyring::parse(file.expose())).contains(&digits));
    }
}
