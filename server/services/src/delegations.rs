//! Deciding while somebody is away (C2): naming a stand-in, ending it, and for whom somebody stands in now. What a stand-in may decide is
//! `domain::delegations`; the orders' own use cases ask it.

use domain::{
    Error, Problem, Result,
    access::{Action, Actor},
    audit::Outcome,
    delegations::{Absent, DELEGATIONS_MAX, Delegation, DelegationForm},
    ids::{DelegationId, TenantId},
    notifications::Notice,
    page::{Page, PageRequest, read_cursor, write_cursor},
    people::PersonRef,
    time::Timestamp,
};
use serde_json::{Value, json};
use storage::{AnyConnection, delegations as table};

use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
    jobs::lease,
    logins,
    notifications::notify,
};

/// How many one round of the job ends; it comes again.
const BATCH: u32 = 100;

/// For whom this person stands in now. No statement as a rule, one for a stand-in: what is shown may be a few seconds old. What is decided
/// asks [`away_exactly`].
pub(crate) async fn away(services: &Services, actor: &Actor) -> Result<Vec<Absent>> {
    let now = services.clock.now();
    let load = async {
        let mut connection = services.db.read().await.or_domain()?;
        table::open(&mut connection, now).await.or_domain()
    };
    let open = services.cache.delegations.get_or_load(now, load).await?;
    if !open.iter().any(|each| each.stand_in.id == actor.user && each.holds_at(now)) {
        return Ok(Vec::new());
    }
    let mut connection = services.db.read().await.or_domain()?;
    away_exactly(services, &mut connection, actor).await
}

/// The same as the database has it now. One statement.
pub(crate) async fn away_exactly(services: &Services, connection: &mut AnyConnection, actor: &Actor) -> Result<Vec<Absent>> {
    let mut away = table::away(connection, actor.user, services.clock.now()).await.or_domain()?;
    for absent in &mut away {
        // A token does not do more for somebody else than for its owner.
        absent.actor.scopes.clone_from(&actor.scopes);
    }
    Ok(away)
}

/// The names of those for whom the caller stands in now, and until when. For a page.
pub async fn stands_in(services: &Services, caller: &Caller) -> Result<Vec<(String, Timestamp)>> {
    Ok(away(services, &caller.actor).await?.into_iter().map(|absent| (absent.actor.name, absent.until)).collect())
}

/// Errors: `Forbidden` for who decides nothing and stands in for nobody; `ScopeMissing`.
pub(crate) fn may_decide_some(actor: &Actor, away: &[Absent]) -> Result<()> {
    match actor.extent(Action::OrderDecide) {
        Err(Error::Forbidden) if !away.is_empty() => Ok(()),
        other => other.map(drop),
    }
}

/// Those of the caller, on either side, latest first, also those that are over. Errors: `ScopeMissing`; `Invalid` on `limit`, `after`.
pub async fn list(services: &Services, caller: &Caller, page: &PageRequest) -> Result<Page<Delegation>> {
    in_scope(caller)?;
    let rows = page.rows()?;
    let after = page.cursor(|text| read_cursor("delegations", text))?;
    let mut connection = services.db.read().await.or_domain()?;
    let read = table::list(&mut connection, caller.actor.user, after, rows).await.or_domain()?;
    Ok(page.page(read, |last| write_cursor("delegations", &last.id)))
}

/// Names a stand-in. The same again gives the one that there is.
///
/// Errors: `Forbidden` for who decides nothing by their own roles; `Invalid` on `stand_in` (`NoSuch` also for oneself and for who may not
/// sign in, `Taken` where the same person stands in on some of these days, `TooMany`), `from`, `until`, `note`.
pub async fn create(services: &Services, caller: &Caller, form: &DelegationForm) -> Result<Delegation> {
    let label = || form.stand_in.trim().chars().take(64).collect::<String>();
    audit::recording(services, caller, || Entry::new("delegation.create", "delegation", "", label()), async {
        let actor = &caller.actor;
        // Their own roles: what was lent to them cannot be passed on.
        actor.extent(Action::OrderDecide)?;
        let now = services.clock.now();
        let new = form.check(now)?;
        let mut write = services.db.begin_write().await.or_domain()?;
        table::lock(&mut write, actor.user).await.or_domain()?;
        let person = logins::find(&mut write, &new.stand_in).await?;
        let person = person.filter(|person| person.tenant == actor.tenant && person.disabled_at.is_none() && person.id != actor.user);
        let person = person.ok_or_else(|| Error::field("stand_in", Problem::NoSuch))?;
        let given = table::given(&mut write, actor.user, now).await.or_domain()?;
        let same = |each: &&Delegation| each.stand_in.id == person.id && each.from < new.until && new.from < each.until;
        if let Some(known) = given.iter().find(same) {
            let again = known.from == new.from && known.until == new.until && known.note == new.note;
            return if again { Ok(known.clone()) } else { Err(Error::field("stand_in", Problem::Taken)) };
        }
        if given.len() >= DELEGATIONS_MAX as usize {
            return Err(Error::field("stand_in", Problem::TooMany { max: DELEGATIONS_MAX }));
        }
        let delegation = Delegation {
            id: DelegationId::from_uuid(services.entropy.uuid()),
            absent: PersonRef { id: actor.user, login: actor.login.clone(), name: actor.name.clone() },
            stand_in: PersonRef { id: person.id, login: person.login, name: person.name },
            from: new.from,
            until: new.until,
            note: new.note,
            created_at: now,
            ended_at: None,
        };
        table::insert(&mut write, actor.tenant, &delegation).await.or_domain()?;
        audit::success(services, &mut write, caller, about(&delegation, "delegation.create").after(tracked(&delegation))).await?;
        let notice = Notice::StandInNamed {
            delegation: delegation.id,
            absent: delegation.absent.name.clone(),
            from: delegation.from,
            until: delegation.until,
        };
        let told = notify(services, &mut write, &[delegation.stand_in.id].into(), &notice).await?;
        write.commit().await.or_domain()?;
        services.cache.delegations.forget();
        told.tell(services);
        Ok(delegation)
    })
    .await
}

/// Ends it now; either of the two may. What is over stays so. Errors: `NotFound`, also for other people's; `ScopeMissing`.
pub async fn end(services: &Services, caller: &Caller, id: DelegationId) -> Result<()> {
    audit::recording(services, caller, || Entry::new("delegation.end", "delegation", id, ""), async {
        in_scope(caller)?;
        let me = caller.actor.user;
        let mut write = services.db.begin_write().await.or_domain()?;
        let found = table::by_id(&mut write, id).await.or_domain()?;
        let delegation = found.filter(|found| found.absent.id == me || found.stand_in.id == me).ok_or(Error::NotFound)?;
        let now = services.clock.now();
        if !table::end(&mut write, id, now).await.or_domain()? {
            return Ok(());
        }
        let ended = Delegation { ended_at: Some(now), ..delegation.clone() };
        audit::success(services, &mut write, caller, about(&ended, "delegation.end").before(tracked(&delegation)).after(tracked(&ended))).await?;
        let (other, notice) = if me == ended.absent.id {
            (ended.stand_in.id, Notice::StandInEnded { delegation: id, absent: ended.absent.name })
        } else {
            (ended.absent.id, Notice::StandInGone { delegation: id, stand_in: ended.stand_in.name })
        };
        let told = notify(services, &mut write, &[other].into(), &notice).await?;
        write.commit().await.or_domain()?;
        services.cache.delegations.forget();
        told.tell(services);
        Ok(())
    })
    .await
}

/// Tells stand-ins whose time is over, once: for how many. That they may not decide any more needs no job.
pub async fn end_due(services: &Services) -> Result<u32> {
    let due = {
        let mut connection = services.db.read().await.or_domain()?;
        table::due(&mut connection, services.clock.now(), BATCH).await.or_domain()?
    };
    let mut done = 0;
    for (tenant, delegation) in due {
        done += u32::from(end_one(services, tenant, delegation).await?);
    }
    Ok(done)
}

async fn end_one(services: &Services, tenant: TenantId, delegation: Delegation) -> Result<bool> {
    let mut write = lease::begin_write(services).await?;
    // The end is the last day's, whenever the job comes to it.
    if !table::end(&mut write, delegation.id, delegation.until).await.or_domain()? {
        return Ok(false);
    }
    let ended = Delegation { ended_at: Some(delegation.until), ..delegation.clone() };
    let entry = about(&ended, "delegation.end").before(tracked(&delegation)).after(tracked(&ended));
    audit::by_job(services, &mut write, "delegations", tenant, entry, Outcome::Success).await?;
    let notice = Notice::StandInEnded { delegation: ended.id, absent: ended.absent.name };
    let told = notify(services, &mut write, &[ended.stand_in.id].into(), &notice).await?;
    write.commit().await.or_domain()?;
    services.cache.delegations.forget();
    told.tell(services);
    Ok(true)
}

/// Tokens for other things do not touch this.
fn in_scope(caller: &Caller) -> Result<()> {
    match caller.actor.extent(Action::OrderDecide) {
        Err(error @ Error::ScopeMissing { .. }) => Err(error),
        _ => Ok(()),
    }
}

fn about(delegation: &Delegation, action: &str) -> Entry {
    Entry::new(action, "delegation", delegation.id, format!("{} → {}", delegation.absent.login, delegation.stand_in.login))
}

/// Without `..`: a new field must be classed before this compiles.
fn tracked(delegation: &Delegation) -> Value {
    let Delegation { id: _, absent, stand_in, from, until, note, created_at: _, ended_at } = delegation;
    json!({
        "absent": absent.login,
        "stand_in": stand_in.login,
        "from": from.to_rfc3339(),
        "until": until.to_rfc3339(),
        "note": note,
        "ended_at": ended_at.map(Timestamp::to_rfc3339),
    })
}

#[cfg(test)]
mod tests;
