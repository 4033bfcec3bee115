//! One's public keys for SSH. Everybody has their own and sees no others'; by a token it takes the scopes of labs. A change is brought into the
//! running labs of its owner by `jobs/step/keys.rs`.

mod parse;

use domain::{
    Error, Problem, Result,
    access::Action,
    error::FieldErrors,
    ids::{SshKeyId, UserId},
    names,
    ssh_keys::{KEYS_MAX, NAME_MAX, SshKey, SshKeyForm},
};
use serde_json::{Value, json};
use storage::{Write, ssh_keys as table};

use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
    jobs::want_keys,
};

/// The caller's, newest first. Errors: `ScopeMissing`.
pub async fn list(services: &Services, caller: &Caller) -> Result<Vec<SshKey>> {
    in_scope(caller, Action::LabRead)?;
    let mut read = services.db.read().await.or_domain()?;
    table::of_user(&mut read, caller.actor.user).await.or_domain()
}

/// The newest key of this person.
pub(crate) async fn newest(services: &Services, user: UserId) -> Result<Option<SshKey>> {
    let mut read = services.db.read().await.or_domain()?;
    Ok(table::of_user(&mut read, user).await.or_domain()?.into_iter().next())
}

/// A key for the caller; the same again gives the one that there is.
///
/// Errors: `Invalid` on `public_key` (`PrivateKey`, `WeakKey`, `BadFormat`, `Taken` under another name, `TooMany`) and `name`; `ScopeMissing`.
pub async fn add(services: &Services, caller: &Caller, form: &SshKeyForm) -> Result<SshKey> {
    let label = || form.name.trim().chars().take(NAME_MAX as usize).collect::<String>();
    audit::recording(services, caller, || Entry::new("ssh_key.add", "ssh_key", "", label()), async {
        in_scope(caller, Action::LabEnter)?;
        let (name, key) = check(form)?;
        let user = caller.actor.user;
        let mut write = services.db.begin_write().await.or_domain()?;
        table::lock(&mut write, user).await.or_domain()?;
        let known = table::of_user(&mut write, user).await.or_domain()?;
        if let Some(same) = known.iter().find(|known| known.fingerprint == key.fingerprint) {
            return if same.name == name { Ok(same.clone()) } else { Err(Error::field("public_key", Problem::Taken)) };
        }
        if known.len() >= KEYS_MAX as usize {
            return Err(Error::field("public_key", Problem::TooMany { max: KEYS_MAX }));
        }
        let key = SshKey {
            id: SshKeyId::from_uuid(services.entropy.uuid()),
            name,
            public_key: key.text,
            fingerprint: key.fingerprint,
            created_at: services.clock.now(),
        };
        table::insert(&mut write, user, &key).await.or_domain()?;
        want_in_labs(services, &mut write, user).await?;
        audit::success(services, &mut write, caller, about(&key, "ssh_key.add").after(tracked(&key))).await?;
        write.commit().await.or_domain()?;
        services.hub.wake();
        Ok(key)
    })
    .await
}

/// Removes one of the caller's. Errors: `NotFound`, also for other people's; `ScopeMissing`.
pub async fn remove(services: &Services, caller: &Caller, id: SshKeyId) -> Result<()> {
    audit::recording(services, caller, || Entry::new("ssh_key.remove", "ssh_key", id, ""), async {
        in_scope(caller, Action::LabEnter)?;
        let user = caller.actor.user;
        let mut write = services.db.begin_write().await.or_domain()?;
        let known = table::of_user(&mut write, user).await.or_domain()?;
        let key = known.into_iter().find(|key| key.id == id).ok_or(Error::NotFound)?;
        if !table::delete(&mut write, id).await.or_domain()? {
            return Err(Error::NotFound);
        }
        // An order may name it too.
        table::note_removed(&mut write, user, &key.public_key, services.clock.now()).await.or_domain()?;
        want_in_labs(services, &mut write, user).await?;
        audit::success(services, &mut write, caller, about(&key, "ssh_key.remove").before(tracked(&key))).await?;
        write.commit().await.or_domain()?;
        services.hub.wake();
        Ok(())
    })
    .await
}

/// Has the keys brought into the running labs of this person.
async fn want_in_labs(services: &Services, write: &mut Write, user: UserId) -> Result<()> {
    for lab in table::labs_of(write, user).await.or_domain()? {
        want_keys(services, write, lab).await?;
    }
    Ok(())
}

fn check(form: &SshKeyForm) -> Result<(String, parse::PublicKey)> {
    let mut errors = FieldErrors::default();
    let key = parse::parse(&form.public_key).map_err(|problem| errors.push("public_key", problem)).ok();
    let comment = key.as_ref().map(|key| key.comment.as_str()).unwrap_or_default();
    let name = if form.name.trim().is_empty() && !comment.is_empty() { comment } else { form.name.as_str() };
    let name = match names::check(name, NAME_MAX) {
        Ok(name) => Some(name),
        // Without a name it is that of the key, so the key alone is at fault.
        Err(Problem::Missing) if key.is_none() => None,
        Err(problem) => {
            errors.push("name", problem);
            None
        }
    };
    errors.finish()?;
    name.zip(key).ok_or_else(|| Error::field("public_key", Problem::Missing))
}

/// Whoever the caller is, they have keys; a token for other things does not touch them.
fn in_scope(caller: &Caller, action: Action) -> Result<()> {
    match caller.actor.extent(action) {
        Err(error @ Error::ScopeMissing { .. }) => Err(error),
        _ => Ok(()),
    }
}

fn about(key: &SshKey, action: &str) -> Entry {
    Entry::new(action, "ssh_key", key.id, key.name.clone())
}

/// Without `..`: a new field must be classed before this compiles.
fn tracked(key: &SshKey) -> Value {
    let SshKey { id: _, name, public_key: _, fingerprint, created_at: _ } = key;
    json!({"name": name, "kind": key.kind(), "fingerprint": fingerprint})
}

#[cfg(test)]
mod tests;
