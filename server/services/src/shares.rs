//! Links by which a lab's owner lets people of the college in (B12). The database has only the SHA-256 of a link's secret; the link is shown
//! once to its maker, who passes it on. Coming in by one is `visits::open_shared`; its passes are ended by the watch over passes.

use std::fmt;

use domain::{
    Error, Problem, Result,
    access::{Action, Resource},
    courses::CourseRef,
    ids::{LabId, ShareId},
    labs::{Lab, LabState},
    people::PersonRef,
    shares::{SHARES_MAX, Share, ShareForm},
    time::Timestamp,
};
use serde_json::json;
use storage::shares::NewShare;

use crate::{
    Caller, Services,
    audit::{self, Entry},
    digest::hex_sha256,
    error::OrDomain,
    hub::News,
    secret, visits,
};

const MARK: &str = secret::SHARE;
/// Most links that are listed, the newest ones.
const LISTED: u32 = 50;
/// Most people who are listed with the links of a lab.
const VISITORS: u32 = 500;

/// A link with its secret; its text is nowhere else.
#[derive(Clone)]
pub struct NewLink {
    pub share: Share,
    secret: String,
}

impl NewLink {
    /// `/labs/shared/shr_...`
    pub fn path(&self) -> String {
        format!("/labs/shared/{}", self.secret)
    }
}

impl fmt::Debug for NewLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewLink").field("share", &self.share).field("secret", &"***").finish()
    }
}

/// A lab as somebody with a good link to it sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    pub id: ShareId,
    pub lab: Lab,
    pub course: CourseRef,
    pub owner: PersonRef,
    pub view_only: bool,
    pub ends_at: Timestamp,
}

/// Makes a link.
///
/// Errors: `NotFound`, `Forbidden`; `Invalid` on `lasts`, also `TooMany`, and on `until`; `InvalidTransition` for a lab that is destroyed,
/// whose time is over or that has no pages, and where labs have no site.
pub async fn create(services: &Services, caller: &Caller, lab: LabId, form: &ShareForm) -> Result<NewLink> {
    let seen = seen(services, lab).await?;
    audit::recording(services, caller, || attempt(caller, "lab.share", lab, seen.as_ref()), async {
        let lab = authorise(caller, seen.as_ref())?;
        let now = services.clock.now();
        let is_gone = matches!(lab.state, LabState::Destroying | LabState::Destroyed);
        if is_gone || lab.is_over(now) || services.settings.labs_url.is_none() || !lab.spec.has_pages() {
            return Err(Error::InvalidTransition { state: lab.state.as_str().into(), event: "share".into() });
        }
        let wanted = form.check(now, lab.ends_at)?;
        let new = NewShare {
            id: ShareId::from_uuid(services.entropy.uuid()),
            tenant: lab.tenant,
            lab: lab.id,
            user: caller.actor.user,
            view_only: wanted.view_only,
            created_at: now,
            ends_at: wanted.ends_at,
        };
        let secret = secret::random(&*services.entropy, MARK);
        let mut write = services.db.begin_write().await.or_domain()?;
        if storage::shares::good(&mut write, lab.id, now).await.or_domain()? >= SHARES_MAX {
            return Err(Error::field("lasts", Problem::TooMany { max: SHARES_MAX }));
        }
        storage::shares::insert(&mut write, &new, &hex_sha256(&secret)).await.or_domain()?;
        let after = json!({"share": new.id.to_string(), "view_only": new.view_only, "ends_at": new.ends_at.to_rfc3339(), "link": "***"});
        audit::success(services, &mut write, caller, about("lab.share", lab).after(after)).await?;
        write.commit().await.or_domain()?;
        let NewShare { id, view_only, created_at, ends_at, .. } = new;
        Ok(NewLink { share: Share { id, view_only, created_at, ends_at, withdrawn_at: None, visitors: Vec::new() }, secret })
    })
    .await
}

/// Keeps a link for the page that its maker sees next.
pub fn keep(services: &Services, caller: &Caller, link: &NewLink) {
    services.cache.shares.keep(services.clock.now(), caller.actor.user, link.share.id, link.clone());
}

/// Gives a kept link to its maker; the second look finds nothing.
pub fn take(services: &Services, caller: &Caller, id: ShareId) -> Option<NewLink> {
    services.cache.shares.take(services.clock.now(), caller.actor.user, &id)
}

/// The links of one's own lab with those who came by them, newest first, also those that are over. Errors: `NotFound`, `Forbidden`.
pub async fn list(services: &Services, caller: &Caller, lab: LabId) -> Result<Vec<Share>> {
    let seen = seen(services, lab).await?;
    audit::recording(services, caller, || attempt(caller, "lab.share", lab, seen.as_ref()), async { authorise(caller, seen.as_ref()).map(drop) })
        .await?;
    visits::catch_up(services, lab).await;
    let mut read = services.db.read().await.or_domain()?;
    let mut shares = storage::shares::of_lab(&mut read, lab, LISTED).await.or_domain()?;
    for (id, visitor) in storage::shares::visitors(&mut read, lab, VISITORS).await.or_domain()? {
        if let Some(share) = shares.iter_mut().find(|share| share.id == id) {
            share.visitors.push(visitor);
        }
    }
    Ok(shares)
}

/// Withdraws a link: those who came by it are out within seconds. A link that is over stays so, which is no error. Errors: `NotFound`,
/// `Forbidden`.
pub async fn withdraw(services: &Services, caller: &Caller, lab: LabId, id: ShareId) -> Result<()> {
    let seen = seen(services, lab).await?;
    audit::recording(services, caller, || attempt(caller, "lab.unshare", lab, seen.as_ref()), async {
        let lab = authorise(caller, seen.as_ref())?;
        let mut write = services.db.begin_write().await.or_domain()?;
        storage::shares::get(&mut write, lab.id, id).await.or_domain()?.ok_or(Error::NotFound)?;
        if !storage::shares::withdraw(&mut write, id, services.clock.now()).await.or_domain()? {
            return Ok(());
        }
        audit::success(services, &mut write, caller, about("lab.unshare", lab).after(json!({"share": id.to_string()}))).await?;
        write.commit().await.or_domain()?;
        // The passes are looked at by this.
        services.hub.tell(News::lab(lab));
        Ok(())
    })
    .await
}

/// The lab that a link opens now. Errors: `NotFound` for a link that is unknown, over, withdrawn or of another college, and for one whose
/// owner may not share the lab any more or whose lab is destroyed; never which of these.
pub async fn find(services: &Services, caller: &Caller, secret: &str) -> Result<Shared> {
    if !is_link(secret) {
        return Err(Error::NotFound);
    }
    let mut read = services.db.read().await.or_domain()?;
    let link = storage::shares::by_secret(&mut read, &hex_sha256(secret)).await.or_domain()?.ok_or(Error::NotFound)?;
    let lab = storage::labs::get(&mut read, link.lab).await.or_domain()?.ok_or(Error::NotFound)?;
    let course = storage::courses::by_id(&mut read, lab.course).await.or_domain()?.ok_or(Error::NotFound)?.brief();
    let owner = storage::visits::actors(&mut read, &[lab.owner]).await.or_domain()?.remove(&lab.owner);
    let is_good = domain::shares::is_good(link.ends_at, link.withdrawn_at, services.clock.now());
    let is_there = lab.tenant == caller.actor.tenant && !matches!(lab.state, LabState::Destroying | LabState::Destroyed);
    let may_share = !link.owner_disabled && owner.is_some_and(|owner| owner.can(Action::LabShare, &resource(&lab)).is_ok());
    if !is_good || !is_there || !may_share {
        return Err(Error::NotFound);
    }
    Ok(Shared { id: link.id, owner: link.owner, view_only: link.view_only, ends_at: link.ends_at, lab, course })
}

/// The owner whom to ask for a new link, if this one was good once: it has ended or was withdrawn, or its lab is destroyed. `None` for a
/// text that was never a link, and for people of another college.
pub async fn ended(services: &Services, caller: &Caller, secret: &str) -> Result<Option<PersonRef>> {
    if !is_link(secret) {
        return Ok(None);
    }
    let mut read = services.db.read().await.or_domain()?;
    let Some(link) = storage::shares::by_secret(&mut read, &hex_sha256(secret)).await.or_domain()? else { return Ok(None) };
    let lab = storage::labs::get(&mut read, link.lab).await.or_domain()?;
    Ok(lab.filter(|lab| lab.tenant == caller.actor.tenant).map(|_| link.owner))
}

fn is_link(secret: &str) -> bool {
    secret.starts_with(MARK) && secret.len() == MARK.len() + secret::LENGTH
}

async fn seen(services: &Services, id: LabId) -> Result<Option<Lab>> {
    let mut read = services.db.read().await.or_domain()?;
    storage::labs::get(&mut read, id).await.or_domain()
}

fn resource(lab: &Lab) -> Resource {
    Resource::owned(lab.tenant, lab.course, lab.owner)
}

/// The lab, if it is the caller's to share.
fn authorise<'l>(caller: &Caller, seen: Option<&'l Lab>) -> Result<&'l Lab> {
    let lab = seen.ok_or(Error::NotFound)?;
    caller.actor.can(Action::LabShare, &resource(lab))?;
    Ok(lab)
}

fn about(action: &str, lab: &Lab) -> Entry {
    Entry::new(action, "lab", lab.id, lab.name.clone()).course(lab.course)
}

/// The record of an attempt that was refused. It names the lab only to people of its tenant.
fn attempt(caller: &Caller, action: &str, id: LabId, seen: Option<&Lab>) -> Entry {
    match seen {
        Some(lab) if lab.tenant == caller.actor.tenant => about(action, lab),
        _ => Entry::new(action, "lab", id, ""),
    }
}
