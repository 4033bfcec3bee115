//! The secret store: values that operators enter and only labs receive. Documents hold references (`SecretValue::Stored`), the store holds
//! ciphertexts. For another kind of secret add a variant of `OwnerKind`, and call `keep` and `open`.

mod clear;
mod keys;
pub(crate) mod own;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Problem, Result,
    catalogue::{LabSpec, Offering},
    error::FieldErrors,
    ids::{OfferingId, SecretId},
    offerings::{OfferingHistory, OfferingVersion, VersionState},
    secret::{Secret, SecretValue},
};
use storage::{
    AnyConnection, Write,
    secrets::{Owner, OwnerKind, StoredSecret},
};

pub use self::{
    clear::{Moved, encrypt_clear},
    keys::{KeyError, adopt, register, renew},
};
use crate::{
    Services,
    encryption::{EncryptionError, Sealed},
    error::{OrDomain, internal},
};

/// The name that a ciphertext is bound to: its row and its owner.
fn binding(id: SecretId, owner: &Owner, name: &str) -> String {
    format!("{id}\n{}\n{}\n{name}", owner.kind.as_str(), owner.id)
}

pub(crate) fn of_offering(id: OfferingId) -> Owner {
    Owner { kind: OwnerKind::Offering, id: id.to_string() }
}

/// Encrypts and stores a value. Errors: `Internal` without a key.
pub(crate) async fn keep(services: &Services, write: &mut Write, owner: &Owner, name: &str, value: &Secret, was_clear: bool) -> Result<SecretId> {
    let id = SecretId::from_uuid(services.entropy.uuid());
    let sealed = services.settings.keyring.seal(&*services.entropy, &binding(id, owner, name), value).map_err(|error| internal(&error))?;
    let Sealed { key_id, text } = sealed;
    let created_at = services.clock.now();
    let secret = StoredSecret { id, owner: owner.clone(), name: name.to_owned(), key_id, sealed: text, was_clear, created_at };
    storage::secrets::insert(write, &secret).await.or_domain()?;
    Ok(id)
}

fn open(services: &Services, secret: &StoredSecret) -> Result<Secret, EncryptionError> {
    let sealed = Sealed { key_id: secret.key_id.clone(), text: secret.sealed.clone() };
    services.settings.keyring.open(&binding(secret.id, &secret.owner, &secret.name), &sealed)
}

/// Compares the submitted secrets with the stored ones. Afterwards each secret of `offering` is a reference, except new values, which stay
/// typed. A typed value that equals the stored one is not a change.
///
/// Errors: `Invalid` on `base.secrets.NAME`: `missing` if there is no value to keep, `no_such` for a reference to another offering's
/// secret.
pub(crate) async fn compare(services: &Services, connection: &mut AnyConnection, history: &OfferingHistory, offering: &mut Offering) -> Result<()> {
    if offering.base.secrets.is_empty() {
        return Ok(());
    }
    let stored = |version: &OfferingVersion, name: &str| version.offering.base.secrets.get(name).and_then(SecretValue::stored);
    let latest: BTreeMap<String, SecretId> = history.latest().map(|latest| references(&latest.offering.base)).unwrap_or_default();
    let known = storage::secrets::several(connection, latest.values().copied()).await.or_domain()?;
    let mut errors = FieldErrors::default();
    for (name, value) in &mut offering.base.secrets {
        let before = latest.get(name).copied();
        match value {
            SecretValue::Kept => match before {
                Some(id) => *value = SecretValue::Stored(id),
                None => errors.push(format!("base.secrets.{name}"), Problem::Missing),
            },
            SecretValue::Stored(id) => {
                if !history.versions.iter().any(|version| stored(version, name) == Some(*id)) {
                    errors.push(format!("base.secrets.{name}"), Problem::NoSuch);
                }
            }
            SecretValue::Typed(typed) => {
                if let Some(secret) = before.and_then(|id| known.get(&id))
                    && open(services, secret).is_ok_and(|stored| stored == *typed)
                {
                    *value = SecretValue::Stored(secret.id);
                }
            }
        }
    }
    errors.finish()
}

/// Stores the values that [`compare`] left as new, under the offering's id.
pub(crate) async fn keep_new(services: &Services, write: &mut Write, offering: &mut Offering) -> Result<()> {
    let owner = of_offering(offering.id);
    for (name, value) in &mut offering.base.secrets {
        if let SecretValue::Typed(typed) = value {
            *value = SecretValue::Stored(keep(services, write, &owner, name, typed, false).await?);
        }
    }
    Ok(())
}

/// Deletes the secrets of an offering that no version refers to any more; `draft` is about to replace the current draft.
pub(crate) async fn forget_unused(write: &mut Write, history: &OfferingHistory, draft: &Offering) -> Result<()> {
    let earlier = history.versions.iter().filter(|version| version.state != VersionState::Draft).map(|version| &version.offering);
    let in_use: BTreeSet<SecretId> = earlier.chain([draft]).flat_map(|offering| references(&offering.base).into_values()).collect();
    storage::secrets::retain(write, &of_offering(draft.id), in_use).await.or_domain().map(drop)
}

fn references(spec: &LabSpec) -> BTreeMap<String, SecretId> {
    spec.secrets.iter().filter_map(|(name, value)| Some((name.clone(), value.stored()?))).collect()
}

/// The values for a lab that is about to start. A secret of its offering is taken as the version on sale has it, so that one which was
/// replaced reaches labs at their next start; else as the lab's own version has it. One that was typed into its order stays that one.
///
/// Errors: `Internal` if a value cannot be decrypted: without it the lab would run differently.
pub(crate) async fn of_lab(services: &Services, connection: &mut AnyConnection, spec: &LabSpec) -> Result<BTreeMap<String, Secret>> {
    let mut wanted = references(spec);
    let mut stored = storage::secrets::several(connection, wanted.values().copied()).await.or_domain()?;
    let offerings: BTreeSet<&str> =
        stored.values().filter(|secret| secret.owner.kind == OwnerKind::Offering).map(|secret| secret.owner.id.as_str()).collect();
    let on_sale = if offerings.is_empty() { Vec::new() } else { storage::offerings::on_sale(connection).await.or_domain()? };
    let current: BTreeMap<String, SecretId> = on_sale
        .iter()
        .filter(|offering| offerings.contains(offering.id.to_string().as_str()))
        .flat_map(|offering| references(&offering.base))
        .filter(|(name, _)| wanted.get(name).and_then(|id| stored.get(id)).is_some_and(|secret| secret.owner.kind == OwnerKind::Offering))
        .collect();
    let newer = storage::secrets::several(connection, current.values().copied()).await.or_domain()?;
    wanted.extend(current);
    stored.extend(newer);
    let mut values = BTreeMap::new();
    for (name, id) in wanted {
        let lost = || EncryptionError::Damaged { what: format!("{id} ({name}), which is not there,") };
        let secret = stored.get(&id).ok_or_else(|| internal(&lost()))?;
        values.insert(name, open(services, secret).map_err(|error| internal(&error))?);
    }
    Ok(values)
}

/// Names of an offering's secrets that were stored unencrypted before, and have to be replaced at their source.
pub async fn once_in_clear(services: &Services, offering: &Offering) -> Result<Vec<String>> {
    if offering.base.secrets.is_empty() {
        return Ok(Vec::new());
    }
    let references = references(&offering.base);
    let mut read = services.db.read().await.or_domain()?;
    let stored = storage::secrets::several(&mut read, references.values().copied()).await.or_domain()?;
    let exposed = references.into_iter().filter(|(_, id)| stored.get(id).is_some_and(|secret| secret.was_clear));
    Ok(exposed.map(|(name, _)| name).collect())
}
