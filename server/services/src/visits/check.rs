//! Whether passes still hold: the portal's session or the token, the account, the right, the lab. Looking costs three statements for 32 passes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use domain::{
    Error, Result,
    access::{Action, Actor, Resource},
    ids::UserId,
    labs::{LabPod, LabState},
    shares,
    time::Timestamp,
    visits::{BREAK_GLASS_MINUTES, PassEnd, VisitRole},
};
use storage::visits::{BATCH, Facts, TokenNow};

use super::{entry::Entry, session_data::SessionData};
use crate::{Services, error::OrDomain};

/// Longest wait for the database, so that an entry does not grow stale unnoticed.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a pass is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    /// The credentials changed and the session does not know it yet: it follows within a moment if it was there that they were changed.
    Doubtful,
    Over(PassEnd),
}

/// `actors`: of [`concerned`]; `known_until`: when the session was to end, if that is known from before.
pub(super) fn standing(facts: &Facts, actors: &BTreeMap<UserId, Actor>, known_until: Option<Timestamp>, now: Timestamp) -> Standing {
    if let Some(end) = facts.ended {
        return Standing::Over(end);
    }
    if matches!(facts.lab.state, LabState::Destroying | LabState::Destroyed) {
        return Standing::Over(PassEnd::LabDestroyed);
    }
    let Some(actor) = actors.get(&facts.user).filter(|_| !facts.disabled) else { return Standing::Over(PassEnd::AccessLost) };
    if let Some(token) = &facts.token {
        return standing_of_token(facts, token, actor, now);
    }
    let Some((data, _)) = facts.session_now.as_ref().filter(|(_, until)| *until > now) else {
        let until = facts.session_now.as_ref().map(|(_, until)| *until).or(known_until);
        return Standing::Over(if until.is_some_and(|until| until <= now) { PassEnd::Expired } else { PassEnd::SignedOut });
    };
    if let Some(end) = lost(facts, actor, actors, now) {
        return Standing::Over(end);
    }
    let version = SessionData::read(data).credentials_version;
    if version.is_some_and(|version| version != facts.credentials_version) { Standing::Doubtful } else { Standing::Good }
}

/// The same for a pass of a token. Its scopes were checked when the pass was made, and do not change.
fn standing_of_token(facts: &Facts, token: &TokenNow, actor: &Actor, now: Timestamp) -> Standing {
    if token.revoked {
        Standing::Over(PassEnd::SignedOut)
    } else if token.expires_at.is_some_and(|at| at <= now) {
        Standing::Over(PassEnd::Expired)
    } else if actor.can(Action::LabEnter, &Resource::owned(facts.tenant, facts.lab.course, facts.lab.owner)).is_err() {
        Standing::Over(PassEnd::AccessLost)
    } else {
        Standing::Good
    }
}

/// Why the person may not be in the lab any more, if so. Somebody with a link needs no right of their own, but the link's owner does.
fn lost(facts: &Facts, actor: &Actor, actors: &BTreeMap<UserId, Actor>, now: Timestamp) -> Option<PassEnd> {
    let lab = Resource::owned(facts.tenant, facts.lab.course, facts.lab.owner);
    let action = match facts.role {
        VisitRole::Owner | VisitRole::Teacher | VisitRole::Manager => Action::LabEnter,
        VisitRole::BreakGlass if facts.lab_went_down => return Some(PassEnd::LabStopped),
        VisitRole::BreakGlass if now >= facts.created_at.plus_minutes(BREAK_GLASS_MINUTES) => return Some(PassEnd::Expired),
        VisitRole::BreakGlass => Action::LabBreakGlass,
        VisitRole::Share => {
            let is_good = facts.share.is_some_and(|share| shares::is_good(share.ends_at, share.withdrawn_at, now));
            let may_share = !facts.lab.owner_disabled && actors.get(&facts.lab.owner).is_some_and(|owner| owner.can(Action::LabShare, &lab).is_ok());
            return if !is_good || !may_share {
                Some(PassEnd::ShareEnded)
            } else if actor.tenant != facts.tenant {
                Some(PassEnd::AccessLost)
            } else {
                None
            };
        }
    };
    actor.can(action, &lab).is_err().then_some(PassEnd::AccessLost)
}

/// The people whose rights decide about the pass.
pub(super) fn concerned(facts: &Facts) -> impl Iterator<Item = UserId> + use<> {
    std::iter::once(facts.user).chain((facts.role == VisitRole::Share).then_some(facts.lab.owner))
}

/// Looks at all passes that this process knows. Errors: `Unavailable`, and then passes stay as they are.
pub async fn check(services: &Services) -> Result<()> {
    let looked = of(services, &services.visits.all()).await;
    services.visits.set_database_away(matches!(looked, Err(Error::Unavailable { .. })));
    looked
}

/// Looks at these passes and tells their entries.
pub(super) async fn of(services: &Services, entries: &[Arc<Entry>]) -> Result<()> {
    for batch in entries.chunks(BATCH) {
        match tokio::time::timeout(PATIENCE, look(services, batch)).await {
            Ok(looked) => looked?,
            Err(_) => return Err(Error::Unavailable { retry_after_seconds: 5 }),
        }
    }
    Ok(())
}

async fn look(services: &Services, batch: &[Arc<Entry>]) -> Result<()> {
    let mut read = services.db.read().await.or_domain()?;
    let passes: Vec<_> = batch.iter().map(|entry| entry.pass).collect();
    let facts: BTreeMap<_, _> =
        storage::visits::of_passes(&mut read, &passes).await.or_domain()?.into_iter().map(|facts| (facts.pass, facts)).collect();
    let users: Vec<_> = facts.values().flat_map(concerned).collect::<BTreeSet<_>>().into_iter().collect();
    let mut actors = BTreeMap::new();
    for some in users.chunks(BATCH) {
        actors.extend(storage::visits::actors(&mut read, some).await.or_domain()?);
    }
    // Of labs that were reported on or changed their state since.
    let labs: BTreeSet<_> = batch
        .iter()
        .filter_map(|entry| {
            facts.get(&entry.pass).filter(|facts| entry.observed_at() != facts.lab.observed_at || entry.lab_state() != facts.lab.state)
        })
        .map(|facts| facts.lab.id)
        .collect();
    let labs: Vec<_> = labs.into_iter().collect();
    let seen: BTreeMap<_, (Vec<LabPod>, Timestamp)> =
        storage::visits::observations(&mut read, &labs).await.or_domain()?.into_iter().map(|(lab, seen, at)| (lab, (seen.members, at))).collect();
    drop(read);
    let now = services.clock.now();
    for entry in batch {
        match facts.get(&entry.pass) {
            Some(facts) => {
                let standing = standing(facts, &actors, Some(entry.session_until()), now);
                entry.renew(facts, seen.get(&facts.lab.id).cloned(), standing, now);
            }
            // Passes that were entered are not deleted.
            None => entry.end(PassEnd::AccessLost),
        }
    }
    Ok(())
}
