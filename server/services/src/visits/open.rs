//! Opening a lab: the portal makes a pass and gives the browser its ticket, which is good once and for 30 seconds.

use domain::{
    Error, Problem, Result,
    access::{Action, Actor, Resource},
    catalogue::Entrance,
    ids::{LabId, PassId, ShareId},
    labs::{
        Lab, LabState,
        host::{self, host_label, port_label},
    },
    notifications::Notice,
    people::PersonRef,
    secret::Secret,
    texts,
    time::Timestamp,
    visits::{REASON_MAX, REASON_MIN, VisitRole},
};
use serde_json::json;
use storage::{script::Script, visits::NewPass};

use super::{ENTER_PATH, record, site};
use crate::{
    Caller, Services,
    audit::{self, Entry as Record},
    digest::hex_sha256,
    error::OrDomain,
    notifications::{Told, notify},
    secret,
};

/// Seconds in which a ticket must be taken.
pub(super) const TICKET_SECONDS: i64 = 30;
/// Longest path that is kept for after the entry.
const NEXT_MAX: usize = 2_000;

/// Where the browser posts the ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    pub lab_name: String,
    /// `{site}/.lectern/enter`
    pub action: String,
    /// Origin of the lab's site.
    pub site: String,
    pub ticket: Secret,
    /// Path on the lab's site that is shown first.
    pub next: String,
}

/// The browser that a pass is for, and the place that it goes to.
#[derive(Debug, Clone, Copy)]
pub struct Way<'a> {
    /// The stored id of the caller's session.
    pub session: &'a str,
    /// The portal's own origin, as the browser names it.
    pub origin: &'a str,
    /// Path and query on the lab's site; `/` in the place of anything else.
    pub next: &'a str,
    /// Of the lab's pod; 0 for the lab's own.
    pub port: u16,
}

/// Where Open leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    Site(Opening),
    /// A place of the portal: the lab's own port is never asked for pages. No pass was made.
    Elsewhere(Entrance),
}

/// Makes a pass where the lab has pages. `reason`: for a break-glass visit.
///
/// Errors: `NotFound`, `Forbidden`; `Invalid` on `reason` and `port`; `InvalidTransition` for a lab that is destroyed, and with a reason for
/// one that is down; `Unavailable` where labs have no site.
pub async fn open(services: &Services, caller: &Caller, lab: LabId, way: Way<'_>, reason: Option<&str>) -> Result<Opened> {
    let seen = {
        let mut read = services.db.read().await.or_domain()?;
        storage::labs::get(&mut read, lab).await.or_domain()?
    };
    if way.port == 0
        && let Some(entrance) = seen.as_ref().and_then(|lab| elsewhere(caller, lab))
    {
        return Ok(Opened::Elsewhere(entrance));
    }
    audit::recording(services, caller, || attempt(caller, lab, seen.as_ref(), reason.is_some()), async {
        let lab = seen.as_ref().ok_or(Error::NotFound)?;
        let role = authorise(caller, lab, reason.is_some())?;
        let reason = reason.map(check_reason).transpose()?;
        issue(services, caller, lab, way, As { role, reason, share: None }).await.map(Opened::Site)
    })
    .await
}

/// As what somebody enters.
pub(super) struct As {
    pub role: VisitRole,
    pub reason: Option<String>,
    pub share: Option<ShareId>,
}

/// The pass, its ticket and the record, after the right was checked.
pub(super) async fn issue(services: &Services, caller: &Caller, lab: &Lab, way: Way<'_>, who: As) -> Result<Opening> {
    let Way { session, origin, next, port } = way;
    let As { role, reason, share } = who;
    // In an emergency one goes into what runs: such a pass ends when the lab goes down.
    let is_down = matches!(lab.state, LabState::Stopping | LabState::Stopped | LabState::Failed) && role == VisitRole::BreakGlass;
    if is_down || matches!(lab.state, LabState::Destroying | LabState::Destroyed) {
        return Err(Error::InvalidTransition { state: lab.state.as_str().into(), event: "open".into() });
    }
    // The lab's own port has one host.
    let port = if port == lab.spec.port { 0 } else { port };
    let has_pages = if port == 0 { lab.spec.has_pages() } else { host::is_port(port) };
    if !has_pages {
        return Err(Error::field("port", Problem::OutOfRange { min: (*host::PORTS.start()).into(), max: (*host::PORTS.end()).into() }));
    }
    let label = port_label(&host_label(&lab.name, lab.id), port);
    let site = site(services, &label).ok_or(Error::Unavailable { retry_after_seconds: 60 })?;
    let now = services.clock.now();
    let pass = NewPass {
        id: PassId::from_uuid(services.entropy.uuid()),
        tenant: lab.tenant,
        lab: lab.id,
        user: caller.actor.user,
        session: session.to_owned(),
        role,
        reason,
        share,
        port,
        origin: origin.to_owned(),
        next: safe_next(next).to_owned(),
        created_at: now,
        ticket_expires_at: now.plus_seconds(TICKET_SECONDS),
    };
    let ticket = make(services, caller, lab, &pass).await?;
    Ok(Opening { lab_name: lab.name.clone(), action: format!("{site}{ENTER_PATH}"), site, ticket, next: pass.next })
}

/// The place where the lab is used, if its own port is never asked for pages. `None` also for those who may not enter it: opening refuses
/// them.
fn elsewhere(caller: &Caller, lab: &Lab) -> Option<Entrance> {
    let on = Resource::owned(lab.tenant, lab.course, lab.owner);
    let may = || [Action::LabEnter, Action::LabBreakGlass].into_iter().any(|action| caller.actor.can(action, &on).is_ok());
    (!lab.spec.has_pages() && may()).then(|| lab.spec.entrance())
}

/// In which role the caller may enter. Errors: those of [`domain::access::Actor::can`]; `Forbidden` for tokens, which have no session.
pub(super) fn authorise(caller: &Caller, lab: &Lab, breaks_glass: bool) -> Result<VisitRole> {
    let actor = &caller.actor;
    let action = if breaks_glass { Action::LabBreakGlass } else { Action::LabEnter };
    actor.can(action, &Resource::owned(lab.tenant, lab.course, lab.owner))?;
    if actor.scopes.is_some() {
        return Err(Error::Forbidden);
    }
    Ok(if breaks_glass { VisitRole::BreakGlass } else { VisitRole::of(actor, lab.course, lab.owner) })
}

/// The pass, its record and the owner's notice of an emergency in one transaction.
pub(super) async fn make(services: &Services, caller: &Caller, lab: &Lab, pass: &NewPass) -> Result<Secret> {
    let ticket = secret::random(&*services.entropy, "");
    let mut after = json!({"role": pass.role.as_str()});
    if let Some(reason) = &pass.reason {
        after["reason"] = json!(reason);
    }
    if let Some(share) = pass.share {
        after["share"] = json!(share.to_string());
    }
    if pass.port != 0 {
        after["port"] = json!(pass.port);
    }
    let mut script = Script::default();
    script.add(storage::visits::new(pass, &hex_sha256(&ticket)));
    script.extend(audit::success_record(services, caller, record(action_code(pass.reason.is_some()), lab).after(after)));
    let mut write = services.db.begin_write().await.or_domain()?;
    if !script.run(&mut write).await.or_domain()? {
        return Err(Error::Unavailable { retry_after_seconds: 1 });
    }
    let told = match &pass.reason {
        Some(reason) => notify(services, &mut write, &[lab.owner].into(), &notice(caller, lab, reason, pass.created_at)).await?,
        None => Told::default(),
    };
    write.commit().await.or_domain()?;
    told.tell(services);
    Ok(Secret::new(ticket))
}

fn notice(caller: &Caller, lab: &Lab, reason: &str, at: Timestamp) -> Notice {
    let Actor { user, login, name, .. } = &caller.actor;
    let by = PersonRef { id: *user, login: login.clone(), name: name.clone() };
    Notice::LabBreakGlass { lab: lab.id, name: lab.name.clone(), by, reason: reason.to_owned(), at }
}

/// Break-glass has a code of its own, so that it is among what auditors see first.
const fn action_code(breaks_glass: bool) -> &'static str {
    if breaks_glass { "lab.break_glass" } else { "lab.open" }
}

/// The record of an attempt that was refused. It names the lab only to people of its tenant.
pub(super) fn attempt(caller: &Caller, id: LabId, seen: Option<&Lab>, breaks_glass: bool) -> Record {
    match seen {
        Some(lab) if lab.tenant == caller.actor.tenant => record(action_code(breaks_glass), lab),
        _ => Record::new(action_code(breaks_glass), "lab", id, ""),
    }
}

pub(super) fn check_reason(reason: &str) -> Result<String> {
    let wrong = |problem| Error::field("reason", problem);
    let reason = texts::check_some(reason, REASON_MAX).map_err(wrong)?;
    if reason.chars().count() < REASON_MIN as usize {
        return Err(wrong(Problem::TooShort { min: REASON_MIN }));
    }
    Ok(reason.to_owned())
}

/// The path, if it is one on the site itself; the way in is not a place to go to.
fn safe_next(next: &str) -> &str {
    let is_path = next.starts_with('/') && !next.starts_with("//") && !next.starts_with(ENTER_PATH);
    let is_plain = next.len() <= NEXT_MAX && next.bytes().all(|byte| matches!(byte, b'!'..=b'~') && byte != b'\\');
    if is_path && is_plain { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_on_the_site_itself_is_shown_first() {
        for good in ["/", "/lab/tree/a.ipynb?x=1&y=%20", "/.lectern/terminal"] {
            assert_eq!(safe_next(good), good);
        }
        let long = format!("/{}", "a".repeat(NEXT_MAX));
        for bad in ["", "lab", "//evil.example", "/\\evil.example", "https://evil.example/", "/a\r\nSet-Cookie: x", "/é", "/a b", ENTER_PATH, &long]
        {
            assert_eq!(safe_next(bad), "/", "{bad:?}");
        }
    }
}
