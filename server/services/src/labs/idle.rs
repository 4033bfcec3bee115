//! Labs that nobody uses: their owners are warned, then they are stopped (B4, E7). Which traffic is use is in
//! `domain::visits::real_use`, the times are in `domain::labs::idle`. Before anything is done the lab itself is asked whether it works (`look`).

mod kernels;
mod look;

use std::collections::BTreeMap;

use domain::{
    Error, Result,
    access::Action,
    ids::LabId,
    labs::{
        Lab, LabState, LabView,
        idle::{FLAG_MINUTES, IdleStep, MINUTES, lead, step},
    },
    notifications::Notice,
    time::Timestamp,
    visits::UseKind,
};
use futures::future::join_all;
use serde_json::json;
use storage::{
    Write,
    lab_use::Use,
    labs::{IDLE_WARNING, Unused},
};

use self::look::{Look, look};
use super::{load, read, transition};
use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
    hub::News,
    jobs::lease,
    notifications::notify,
    visits,
};

pub(crate) use look::Looks;

const JOB: &str = "stop_idle";
/// Labs that are looked at together; [`storage::visits::observations`] takes no more.
const BATCH: u32 = 32;
/// Seconds between two rounds: a lab is flagged by the round after its time.
const ROUND_SECONDS: i64 = 60;
/// A second click within so many seconds changes nothing.
const SAME_CLICK_SECONDS: i64 = 60;

/// Labs of one round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IdleRound {
    pub warned: u32,
    pub stopped: u32,
    /// Not used over the door, but they work.
    pub working: u32,
}

/// What is to be done about a lab.
struct Due {
    unused: Unused,
    /// The setting that holds, where there is one.
    minutes: Option<u32>,
    step: IdleStep,
}

/// Warns owners of running labs that nobody uses, and stops those that they were warned of.
pub async fn stop_idle(services: &Services) -> Result<IdleRound> {
    let now = services.clock.now();
    services.looks.tidy(now);
    let before = now.plus_minutes(-i64::from(MINUTES.start() - lead(*MINUTES.start())));
    let (mut round, mut after) = (IdleRound::default(), None);
    loop {
        let unused = {
            let mut read = services.db.read().await.or_domain()?;
            storage::labs::unused(&mut read, before, after, BATCH).await.or_domain()?
        };
        let Some(last) = unused.last() else { return Ok(round) };
        after = Some(last.lab.id);
        for unused in &unused {
            tell_flagged(services, unused, now);
        }
        let due: Vec<_> = unused.into_iter().filter_map(|unused| due(services, unused, now)).collect();
        if !work(services, &due, now, &mut round).await? {
            // The cluster does not answer; the next round comes soon.
            return Ok(round);
        }
    }
}

/// `None` for a lab that is not even looked at now.
fn due(services: &Services, mut unused: Unused, now: Timestamp) -> Option<Due> {
    if let Some(used) = visits::last_use(services, unused.lab.id) {
        // Not written yet.
        unused.since = unused.since.max(used.at);
    }
    let minutes = unused.lab.lifecycle.autostop.idle_minutes.or(services.settings.idle_minutes);
    let step = minutes.map_or(IdleStep::Wait, |minutes| step(unused.since, minutes, unused.warned, now));
    let is_flagged = unused.lab.spec.cards() > 0 && now.seconds_since(unused.since) >= FLAG_MINUTES * 60 - ROUND_SECONDS;
    let is_looked_at = step != IdleStep::Wait || is_flagged && services.looks.is_due(unused.lab.id, now);
    is_looked_at.then_some(Due { unused, minutes, step })
}

/// `false` if the cluster does not answer.
async fn work(services: &Services, due: &[Due], now: Timestamp, round: &mut IdleRound) -> Result<bool> {
    if due.is_empty() {
        return Ok(true);
    }
    let labs: Vec<_> = due.iter().map(|due| due.unused.lab.id).collect();
    let observations: BTreeMap<_, _> = {
        let mut read = services.db.read().await.or_domain()?;
        let found = storage::visits::observations(&mut read, &labs).await.or_domain()?;
        found.into_iter().map(|(lab, seen, _)| (lab, seen.members)).collect()
    };
    let looking: Vec<_> = due
        .iter()
        .map(|due| {
            let members = observations.get(&due.unused.lab.id).map(Vec::as_slice).unwrap_or_default();
            look(services, &due.unused.lab, members, now)
        })
        .collect();
    let seen = join_all(looking).await;
    note_uses(services, due, &seen, now, round).await?;
    for (due, look) in due.iter().zip(&seen) {
        if *look != Look::Quiet {
            continue;
        }
        let minutes = due.minutes.unwrap_or_default();
        match due.step {
            IdleStep::Wait => {}
            IdleStep::Warn(about) => round.warned += u32::from(warn(services, &due.unused, about).await?),
            IdleStep::Stop => round.stopped += u32::from(stop(services, &due.unused, minutes).await?),
        }
    }
    Ok(!seen.contains(&Look::Away))
}

/// What labs do by themselves is use too.
async fn note_uses(services: &Services, due: &[Due], seen: &[Look], now: Timestamp, round: &mut IdleRound) -> Result<()> {
    let used: Vec<_> = due.iter().zip(seen).filter_map(|(due, look)| Some((&due.unused.lab, look.used()?))).collect();
    if used.is_empty() {
        return Ok(());
    }
    let mut write = lease::begin_write(services).await?;
    for (lab, kind) in &used {
        storage::lab_use::put(&mut write, lab.id, Use { at: now, kind: *kind, user: None }).await.or_domain()?;
        round.working += 1;
    }
    write.commit().await.or_domain()?;
    for (lab, _) in used {
        services.hub.tell(News::lab(lab));
    }
    Ok(())
}

/// Open pages show that the lab is flagged once it is.
fn tell_flagged(services: &Services, unused: &Unused, now: Timestamp) {
    let seconds = now.seconds_since(unused.since) - FLAG_MINUTES * 60;
    if unused.lab.spec.cards() > 0 && (0..2 * ROUND_SECONDS).contains(&seconds) {
        services.hub.tell(News::lab(&unused.lab));
    }
}

/// The lab, unless it was used or changed since it was read.
async fn still_unused(services: &Services, write: &mut Write, unused: &Unused) -> Result<Option<Lab>> {
    let lab = load::fresh(write, unused.lab.id).await?;
    let stored = storage::lab_use::last(write, lab.id).await.or_domain()?;
    let is_used = stored.into_iter().chain(visits::last_use(services, lab.id)).any(|last| last.at > unused.since);
    Ok((lab.version == unused.lab.version && !is_used).then_some(lab))
}

async fn warn(services: &Services, unused: &Unused, about: Timestamp) -> Result<bool> {
    let mut write = lease::begin_write(services).await?;
    let Some(lab) = still_unused(services, &mut write, unused).await? else { return Ok(false) };
    if !storage::labs::warn(&mut write, lab.id, IDLE_WARNING, about, services.clock.now()).await.or_domain()? {
        return Ok(false);
    }
    let notice = Notice::LabIdle { lab: lab.id, name: lab.name.clone(), since: unused.since, stops_at: about };
    let told = notify(services, &mut write, &[lab.owner].into(), &notice).await?;
    write.commit().await.or_domain()?;
    told.tell(services);
    services.hub.tell(News::lab(&lab));
    Ok(true)
}

async fn stop(services: &Services, unused: &Unused, minutes: u32) -> Result<bool> {
    let mut write = lease::begin_write(services).await?;
    let Some(mut lab) = still_unused(services, &mut write, unused).await? else { return Ok(false) };
    let last = storage::lab_use::last(&mut write, lab.id).await.or_domain()?.filter(|last| last.at == unused.since);
    let why = json!({
        "since": unused.since.to_rfc3339(),
        "minutes": minutes,
        "last_use": last.map(|last| last.kind.as_str()),
    });
    match transition::stop_unused(services, &mut write, &mut lab, JOB, &why).await {
        Ok(()) => {}
        // Somebody stopped or destroyed it first.
        Err(Error::Stale | Error::InvalidTransition { .. }) => return Ok(false),
        Err(error) => return Err(error),
    }
    storage::labs::set_queued_at(&mut write, lab.id, None).await.or_domain()?;
    let notice = Notice::LabIdleStopped { lab: lab.id, name: lab.name.clone(), minutes, at: services.clock.now() };
    let told = notify(services, &mut write, &[lab.owner].into(), &notice).await?;
    write.commit().await.or_domain()?;
    told.tell(services);
    services.hub.tell(News::lab(&lab));
    Ok(true)
}

/// Counts as use of the lab: the time without use begins anew. Errors: `InvalidTransition` unless it runs.
pub async fn keep_running(services: &Services, caller: &Caller, id: LabId) -> Result<LabView> {
    load::changing(services, caller, Action::LabAutostop, id, || keep(services, caller, id)).await?;
    read::view(services, caller, id).await
}

async fn keep(services: &Services, caller: &Caller, id: LabId) -> Result<()> {
    let mut write = services.db.begin_write().await.or_domain()?;
    let lab = load::fresh(&mut write, id).await?;
    if lab.state != LabState::Running {
        return Err(Error::InvalidTransition { state: lab.state.as_str().into(), event: "keep_running".into() });
    }
    let now = services.clock.now();
    let last = storage::lab_use::last(&mut write, id).await.or_domain()?;
    if last.is_some_and(|last| last.kind == UseKind::Kept && now.seconds_since(last.at) < SAME_CLICK_SECONDS) {
        return Ok(());
    }
    storage::lab_use::put(&mut write, id, Use { at: now, kind: UseKind::Kept, user: Some(caller.actor.user) }).await.or_domain()?;
    let record = Entry::new("lab.keep_running", "lab", id, lab.name.clone()).course(lab.course);
    audit::success(services, &mut write, caller, record).await?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(&lab));
    Ok(())
}
