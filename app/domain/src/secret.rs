//! Values that are never shown: `Secret` holds one in memory, `SecretValue` says where the value of a variable is stored. Every secret of
//! the product has one of these types, so that no log, page or stored document can show it by accident. `secret/signs.rs` tells what is a secret.

mod signs;

pub use signs::{has_secret, has_secret_argument, is_known_secret, is_secret, is_secret_name};

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use crate::ids::SecretId;

/// Shown in the place of a secret.
pub const MASK: &str = "***";

/// A value that prints and serialises as `***`. Code that needs the value calls [`Secret::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T = String>(T);

impl<T> Secret<T> {
    pub const fn new(value: T) -> Self {
        Self(value)
    }
    /// The value itself: to encrypt it, or to pass it to the system that needs it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The reader's own message would repeat the value.
        T::deserialize(deserializer).map(Self).map_err(|_| de::Error::custom("a secret is a text in quotes"))
    }
}

/// The value of a secret variable.
///
/// In a document it is `{ stored: ID }`. Operators write a text: the new value, or `""` (or `"***"`) to keep the stored one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretValue {
    /// Encrypted in the secret store.
    Stored(SecretId),
    /// Unchanged from the previous version.
    Kept,
    /// Just typed. It refuses to serialise: it must be encrypted before anything is stored.
    Typed(Secret),
}

impl SecretValue {
    /// The value that an operator typed.
    pub fn typed(text: &str) -> Self {
        if text.is_empty() || text == MASK { Self::Kept } else { Self::Typed(Secret::new(text.to_owned())) }
    }
    pub const fn stored(&self) -> Option<SecretId> {
        if let Self::Stored(id) = self { Some(*id) } else { None }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    stored: SecretId,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Reference(Reference),
    Text(String),
}

impl Serialize for SecretValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Stored(stored) => Reference { stored: *stored }.serialize(serializer),
            Self::Kept => serializer.serialize_str(""),
            Self::Typed(_) => Err(ser::Error::custom("a secret must be encrypted before it is stored")),
        }
    }
}

impl<'de> Deserialize<'de> for SecretValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Serde's own message would repeat the typed value.
        let written = Option::<Written>::deserialize(deserializer).map_err(|_| de::Error::custom("a secret is a text"))?;
        Ok(match written {
            Some(Written::Reference(Reference { stored })) => Self::Stored(stored),
            Some(Written::Text(text)) => Self::typed(&text),
            None => Self::Kept,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_neither_printed_nor_serialised() {
        let secret = Secret::new("hush".to_owned());
        let number = Secret::new(4711);
        let shown = format!("{secret:?} {number:?} {:?}", SecretValue::Typed(secret.clone()));
        assert!(!shown.contains("hush") && !shown.contains("4711"), "{shown}");
        assert_eq!(serde_json::to_string(&(&secret, &number)).expect("JSON"), r#"["***","***"]"#);
        let error = serde_json::to_string(&SecretValue::Typed(secret)).expect_err("it must be encrypted first");
        assert!(!error.to_string().contains("hush"), "{error}");
    }

    #[test]
    fn a_secret_of_the_wrong_type_is_refused_without_its_value() {
        for wrong in ["4711", "true", r#"["hush"]"#] {
            let error = serde_json::from_str::<Secret>(wrong).expect_err(wrong).to_string();
            assert!(error.contains("a text in quotes") && !error.contains("4711") && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn an_empty_text_and_the_mask_keep_what_is_stored() {
        for kept in [r#""""#, r#""***""#, "null"] {
            assert_eq!(serde_json::from_str::<SecretValue>(kept).expect(kept), SecretValue::Kept, "{kept}");
        }
        let stored = SecretValue::Stored(SecretId::from_uuid(uuid::Uuid::from_u128(7)));
        let text = serde_json::to_string(&stored).expect("JSON");
        assert_eq!(serde_json::from_str::<SecretValue>(&text).expect("read back"), stored);
        for bad in ["4711", r#"{"stored":"hush"}"#, r#"{"other":1}"#, r#"["hush"]"#] {
            let error = serde_json::from_str::<SecretValue>(bad).expect_err(bad);
            assert!(!error.to_string().contains("hush"), "{error}");
        }
    }
}
