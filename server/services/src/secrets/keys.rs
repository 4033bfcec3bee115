//! The keys that a database needs, and those that a process has. A process that lacks one does not start: it would run labs without their
//! secrets, or encrypt with a key that the other servers do not have.

use domain::time::Timestamp;
use storage::{Database, secrets::Keys};

use super::{binding, open};
use crate::{
    Services,
    encryption::{Keyring, Sealed},
    error::OrDomain,
};

/// Secrets that are re-encrypted in one transaction.
const BATCH: u32 = 200;

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Fingerprints of the missing keys.
    #[error("the database needs the key {}, and the key file does not have it", .0.join(", "))]
    Missing(Vec<String>),
    #[error("another process made the key of this database at the same moment")]
    Raced,
    #[error(transparent)]
    Storage(#[from] storage::Error),
}

/// Checks that this process has every key that the database needs, and makes its first key the current one. `None`: there is no key file
/// yet. Then the database must need no key, and `make` is called to write a file, inside the transaction that registers its key.
///
/// Errors: `Missing`; `Raced`; the errors of `make`.
pub async fn adopt<E: From<KeyError>>(
    database: &Database,
    found: Option<Keyring>,
    now: Timestamp,
    make: impl FnOnce() -> Result<Keyring, E>,
) -> Result<Keyring, E> {
    let failed = |error: storage::Error| E::from(KeyError::Storage(error));
    let mut write = database.begin_write().await.map_err(failed)?;
    storage::dialect::lock(&mut write, "secret_keys").await.map_err(failed)?;
    let needed = storage::secrets::keys(&mut write).await.map_err(failed)?;
    let missing = missing(&needed, found.as_ref());
    if !missing.is_empty() {
        return Err(KeyError::Missing(missing).into());
    }
    let keyring = match found {
        Some(keyring) => keyring,
        None => make()?,
    };
    if let Some(current) = keyring.current()
        && needed.current.as_deref() != Some(current)
    {
        register(&mut write, current, now).await?;
    }
    write.commit().await.map_err(failed)?;
    Ok(keyring)
}

/// Makes this key the current one of a database.
pub async fn register(write: &mut storage::Write, key_id: &str, now: Timestamp) -> Result<(), KeyError> {
    storage::secrets::set_current_key(write, key_id, now).await.map_err(|error| match error {
        storage::Error::NotUnique { .. } => KeyError::Raced,
        other => KeyError::Storage(other),
    })
}

fn missing(needed: &Keys, found: Option<&Keyring>) -> Vec<String> {
    let mut all: Vec<&String> = needed.in_use.keys().chain(&needed.current).filter(|id| !found.is_some_and(|keyring| keyring.has(id))).collect();
    all.sort();
    all.dedup();
    all.into_iter().cloned().collect()
}

/// Re-encrypts secrets of earlier keys with the current key, so that the earlier keys can be removed from the file. Returns how many.
pub async fn renew(services: &Services) -> domain::Result<usize> {
    let keyring = &services.settings.keyring;
    let Some(current) = keyring.current() else { return Ok(0) };
    let mut renewed = 0;
    loop {
        let mut write = services.db.begin_write().await.or_domain()?;
        let old = storage::secrets::under_other_keys(&mut write, current, BATCH).await.or_domain()?;
        if old.is_empty() {
            return Ok(renewed);
        }
        for secret in &old {
            let value = open(services, secret).map_err(|error| crate::error::internal(&error))?;
            let place = binding(secret.id, &secret.owner, &secret.name);
            let sealed = keyring.seal(&*services.entropy, &place, &value).map_err(|error| crate::error::internal(&error))?;
            let Sealed { key_id, text } = sealed;
            storage::secrets::reseal(&mut write, secret, &key_id, &text).await.or_domain()?;
        }
        write.commit().await.or_domain()?;
        renewed += old.len();
    }
}
