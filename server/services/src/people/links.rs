//! One-time links: the first password of somebody new, or a new one for somebody who lost theirs. The database has only the SHA-256
//! of a link's secret; the link is shown once to whoever made it, who passes it on, since nothing here sends mail.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use domain::{
    Error, Problem, Result,
    access::Role,
    ids::{CourseId, LinkId, TenantId, UserId},
    people::{Invitation, LinkKind, OpenLink, Person, PersonState},
};
use serde_json::json;
use storage::{
    Write,
    accounts::{members, roles, users},
    links::{self, Link},
};

use super::{
    about,
    access::{department_of, load, may_write},
    known_courses, readers, tracked,
};
use crate::{
    Caller, Services,
    audit::{self, Entry},
    digest::hex_sha256,
    error::OrDomain,
    logins, secret,
};

const MARK: &str = secret::LINK;

/// A link with its secret; its text is nowhere else.
#[derive(Clone)]
pub struct OneTimeLink {
    pub open: OpenLink,
    secret: String,
}

impl OneTimeLink {
    /// `/join/lnk_…`
    pub fn path(&self) -> String {
        format!("/join/{}", self.secret)
    }
}

impl fmt::Debug for OneTimeLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTimeLink").field("open", &self.open).field("secret", &"***").finish()
    }
}

/// Keeps a link for the page that its maker sees next.
pub fn keep(services: &Services, caller: &Caller, link: &OneTimeLink) {
    services.cache.links.keep(services.clock.now(), caller.actor.user, link.open.id, link.clone());
}

/// Gives a kept link to its maker; the second look finds nothing.
pub fn take(services: &Services, caller: &Caller, id: LinkId) -> Option<OneTimeLink> {
    services.cache.links.take(services.clock.now(), caller.actor.user, &id)
}

/// SHA-256 of a typed secret; `None` for what cannot be one.
pub(super) fn digest(secret: &str) -> Option<String> {
    (secret.starts_with(MARK) && secret.len() == MARK.len() + 43).then(|| hex_sha256(secret))
}

/// A new link in place of all that the person had. It is the caller's to record.
pub(crate) async fn issue(services: &Services, write: &mut Write, user: UserId, kind: LinkKind) -> Result<OneTimeLink> {
    let now = services.clock.now();
    let secret = secret::random(&*services.entropy, MARK);
    let open = OpenLink { id: LinkId::from_uuid(services.entropy.uuid()), kind, created_at: now, expires_at: now.plus_minutes(kind.hours() * 60) };
    links::revoke_all(write, user, now).await.or_domain()?;
    links::insert(write, &Link { user, open: open.clone() }, &hex_sha256(&secret)).await.or_domain()?;
    Ok(OneTimeLink { open, secret })
}

/// What somebody new may do: roles at a department, or at the college without one, and courses.
#[derive(Debug, Clone, Default)]
pub struct Access {
    pub department: Option<TenantId>,
    pub roles: BTreeSet<Role>,
    pub courses: BTreeSet<CourseId>,
}

/// An account without a password, and the link by which its owner sets one.
///
/// Errors: `Forbidden`; `Invalid` on `login` (also `Taken`), `name`, `department`, `courses`.
pub async fn invite(services: &Services, caller: &Caller, invitation: &Invitation, access: &Access) -> Result<(Person, OneTimeLink)> {
    let entry = || Entry::new("people.invite", "user", "", invitation.login.trim().chars().take(64).collect::<String>());
    audit::recording(services, caller, entry, async {
        may_write(caller)?;
        let (login, name) = logins::invitation(invitation)?;
        let mut write = services.db.begin_write().await.or_domain()?;
        let id = make(services, &mut write, caller, login, name, access).await?;
        let link = issue(services, &mut write, id, LinkKind::Invite).await?;
        let person = load(&mut write, caller, id).await?;
        audit::success(services, &mut write, caller, about(&person.person, "people.invite").after(tracked(&person))).await?;
        let told = readers::invited(services, &mut write, caller, &person.person, &access.roles).await?;
        write.commit().await.or_domain()?;
        told.tell(services);
        Ok((person, link))
    })
    .await
}

/// The account's rows. Errors: `Invalid` on `login`, `department`, `courses`.
pub(crate) async fn make(services: &Services, write: &mut Write, caller: &Caller, login: String, name: String, access: &Access) -> Result<UserId> {
    let tenant = caller.actor.tenant;
    if let Some(department) = access.department {
        department_of(write, caller, department).await?;
    }
    let courses: BTreeMap<_, _> = known_courses(write, tenant, &access.courses).await?;
    let user = users::User::new(UserId::from_uuid(services.entropy.uuid()), tenant, login, name, services.clock.now());
    users::insert(write, &user).await.map_err(|error| {
        let taken = error.is_not_unique("users", "login");
        if taken { Error::field("login", Problem::Taken) } else { crate::error::from_storage(error) }
    })?;
    roles::set_at(write, user.id, access.department.unwrap_or(tenant), &access.roles).await.or_domain()?;
    members::set(write, user.id, &courses.keys().copied().collect()).await.or_domain()?;
    Ok(user.id)
}

/// A new link for somebody: an invitation as long as they have no password, a reset afterwards. Links made before are void.
///
/// Errors: `Forbidden`; `NotFound`; `InvalidTransition` for somebody disabled.
pub async fn reissue(services: &Services, caller: &Caller, user: UserId) -> Result<OneTimeLink> {
    let entry = || Entry::new("people.reset", "user", user, "");
    audit::recording(services, caller, entry, async {
        may_write(caller)?;
        let mut write = services.db.begin_write().await.or_domain()?;
        let person = load(&mut write, caller, user).await?;
        let (kind, action) = match person.state {
            PersonState::Invited => (LinkKind::Invite, "people.invite"),
            PersonState::Active => (LinkKind::Reset, "people.reset"),
            PersonState::Disabled => return Err(Error::InvalidTransition { state: "disabled".into(), event: "reset".into() }),
        };
        let link = issue(services, &mut write, user, kind).await?;
        let entry = about(&person.person, action).after(json!({"link": "***", "expires_at": link.open.expires_at.to_rfc3339()}));
        audit::success(services, &mut write, caller, entry).await?;
        let told = readers::link_made(services, &mut write, caller, &person.person, &person.roles, &person.posts).await?;
        write.commit().await.or_domain()?;
        told.tell(services);
        Ok(link)
    })
    .await
}

/// Takes a person's links back. Without one it is no error. Errors: `Forbidden`; `NotFound`.
pub async fn revoke(services: &Services, caller: &Caller, user: UserId) -> Result<()> {
    let entry = || Entry::new("people.revoke_link", "user", user, "");
    audit::recording(services, caller, entry, async {
        may_write(caller)?;
        let mut write = services.db.begin_write().await.or_domain()?;
        let person = load(&mut write, caller, user).await?;
        if links::revoke_all(&mut write, user, services.clock.now()).await.or_domain()? > 0 {
            audit::success(services, &mut write, caller, about(&person.person, "people.revoke_link")).await?;
        }
        write.commit().await.or_domain()
    })
    .await
}
