//! Admitting requests: from memory as a rule, by three statements for a cookie that this process does not know.

use std::{slice, sync::Arc};

use domain::{
    Error, Result,
    ids::{LabId, PassId},
    labs::host,
    time::Timestamp,
    visits::PassEnd,
};
use storage::visits::Facts;

use super::{
    check::{self, Standing},
    entry::Entry,
    is_secret,
    live::Named,
};
use crate::{Services, digest::hex_sha256, error::OrDomain, secrets::own};

/// A request's right to the lab, from a cache that is at most 5 seconds old. `None`: no such lab, no pass, or the pass is over. Keep the
/// entry for as long as a connection of it is open: an entry that nobody holds is forgotten after some minutes.
///
/// Errors: `Unavailable` for an unknown cookie while the database is away; known ones are admitted then.
pub async fn admit(services: &Services, label: &str, cookie: &str) -> Result<Option<Arc<Entry>>> {
    if !is_secret(cookie) {
        return Ok(None);
    }
    let (cookie_hash, now) = (hex_sha256(cookie), services.clock.now());
    let entry = match services.visits.get(&cookie_hash) {
        Some(entry) => {
            renew(services, &entry, now).await?;
            entry
        }
        None if services.visits.is_unknown(&cookie_hash) => return Ok(None),
        // On the heap: known cookies, which nearly all are, need no room for its statements.
        None => match Box::pin(load(services, &cookie_hash)).await? {
            Some(entry) => entry,
            None => return Ok(None),
        },
    };
    let is_good = entry.is_of(label) && !entry.ended().is_cancelled();
    if is_good {
        entry.admitted(now);
    }
    Ok(is_good.then_some(entry))
}

/// Looks at the pass again if nobody did for some seconds. `keep` does so as a rule.
async fn renew(services: &Services, entry: &Arc<Entry>, now: Timestamp) -> Result<()> {
    if entry.is_fresh(now) || services.visits.is_database_away() {
        return Ok(());
    }
    match Box::pin(check::of(services, slice::from_ref(entry))).await {
        Err(Error::Unavailable { .. }) => {
            // Not every request shall wait for a database that is away.
            entry.checked(now);
            Ok(())
        }
        other => other,
    }
}

/// Reads the pass with this cookie and remembers it. `None` if there is none, or it is over.
async fn load(services: &Services, cookie_hash: &str) -> Result<Option<Arc<Entry>>> {
    let facts = {
        let mut read = services.db.read().await.or_domain()?;
        storage::visits::by_cookie(&mut read, cookie_hash).await.or_domain()?
    };
    let Some(facts) = facts else {
        services.visits.note_unknown(cookie_hash);
        return Ok(None);
    };
    remember(services, &facts, cookie_hash, Doubts::AreFollowed).await
}

/// Remembers the pass whose ticket was just taken, so that the first request finds it. `false` if its person may not enter any more; the pass
/// is over then.
pub(super) async fn taken(services: &Services, pass: PassId, cookie_hash: &str) -> Result<bool> {
    let facts = {
        let mut read = services.db.read().await.or_domain()?;
        storage::visits::of_passes(&mut read, &[pass]).await.or_domain()?.pop()
    };
    let Some(facts) = facts else { return Ok(false) };
    Ok(remember(services, &facts, cookie_hash, Doubts::End).await?.is_some())
}

/// What becomes of a pass whose session does not know yet that the credentials changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubts {
    /// It goes on, and is looked at again soon.
    AreFollowed,
    End,
}

/// Remembers the pass under this key. `None` if it is over.
pub(super) async fn remember(services: &Services, facts: &Facts, key: &str, doubts: Doubts) -> Result<Option<Arc<Entry>>> {
    let now = services.clock.now();
    let mut read = services.db.read().await.or_domain()?;
    let people: Vec<_> = check::concerned(facts).collect();
    let actors = storage::visits::actors(&mut read, &people).await.or_domain()?;
    let end = match check::standing(facts, &actors, None, now) {
        Standing::Over(end) => Some(end),
        Standing::Doubtful if doubts == Doubts::End => Some(PassEnd::AccessLost),
        Standing::Doubtful | Standing::Good => None,
    };
    if let Some(end) = end {
        drop(read);
        if facts.ended.is_none() {
            // So that it does not come back when, say, the person teaches the course again.
            let mut write = services.db.begin_write().await.or_domain()?;
            storage::visits::end(&mut write, facts.pass, now, end).await.or_domain()?;
            write.commit().await.or_domain()?;
        }
        services.visits.note_unknown(key);
        return Ok(None);
    }
    let Some(actor) = actors.get(&facts.user) else { return Ok(None) };
    let seen = storage::visits::observations(&mut read, &[facts.lab.id]).await.or_domain()?.pop();
    drop(read);
    let shown = own::shown(services, facts.lab.id, facts.lab.app_access.as_ref()).await?;
    let entry = Entry::new(services, facts, actor, shown, seen.map(|(_, seen, at)| (seen.members, at)), now);
    Ok(Some(services.visits.insert(key, entry)))
}

/// The lab with this label, whatever port of it the label is for; for the page of those without a pass. One statement the first time.
pub async fn lab_of(services: &Services, label: &str) -> Result<Option<LabId>> {
    let label = label.to_ascii_lowercase();
    let Some((_, label)) = host::split_port(&label) else { return Ok(None) };
    let Some((name, suffix)) = host::split_label(label) else { return Ok(None) };
    if let Some(Named(known)) = services.visits.lab_of(label) {
        return Ok(known);
    }
    let named = {
        let mut read = services.db.read().await.or_domain()?;
        storage::visits::lab_named(&mut read, name).await.or_domain()?
    };
    let lab = named.filter(|id| host::suffix(*id) == suffix);
    services.visits.note_lab(label, Named(lab));
    Ok(lab)
}
