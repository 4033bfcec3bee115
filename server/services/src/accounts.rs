//! One's own account: who is behind a session, signing out, changing the password, the page's frame. Signing in has
//! files of its own: with a password, and through an identity provider (`external`).

pub mod devices;
pub mod external;
mod limits;
mod password_change;
mod reset;
pub mod sessions;
mod sign_in;
mod slowing;
pub mod visits;

pub(crate) use limits::{Bucket, count_try, forgive, wait};
pub use password_change::change_password;
pub(crate) use reset::end_access;
pub use reset::{disable, reset_password};
pub use sessions::{end_other_sessions, end_session, list_sessions};
pub use sign_in::{SignedIn, sign_in};
pub use slowing::Slowed;

use domain::{
    Error, Result,
    access::{Action, Actor},
    courses::Tenant,
    ids::{TenantId, UserId},
    people::{Post, Viewer, check_name},
};
use serde_json::json;
use storage::{
    AnyConnection,
    accounts::{members, roles, users},
};

use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
};

/// Records it; the session's row is the store's to delete.
pub async fn sign_out(services: &Services, caller: &Caller) -> Result<()> {
    let mut write = services.db.begin_write().await.or_domain()?;
    audit::success(services, &mut write, caller, about(caller, "session.sign_out")).await?;
    write.commit().await.or_domain()
}

/// The person behind a session; `None` when disabled, gone, or the password was changed since. Cached for a few seconds at most,
/// and dropped from the cache at once by a change in this process.
pub async fn actor(services: &Services, user: UserId, credentials_version: i64) -> Result<Option<Actor>> {
    let current = current(services, user).await?;
    Ok(current.filter(|(_, version)| *version == credentials_version).map(|(actor, _)| actor))
}

/// The person as they are now and their credentials version; `None` for disabled or gone. Cached as [`actor`] says.
pub(crate) async fn current(services: &Services, user: UserId) -> Result<Option<(Actor, i64)>> {
    let load = async {
        let mut connection = services.db.read().await.or_domain()?;
        match users::by_id(&mut connection, user).await.or_domain()? {
            Some(user) if user.disabled_at.is_none() => Ok(Some((load_actor(&mut connection, &user).await?, user.credentials_version))),
            _ => Ok(None),
        }
    };
    let cached = services.cache.actors.get_or_load(user, services.clock.now(), load).await?;
    Ok((*cached).clone())
}

/// The account with its roles and courses. Three statements.
pub(crate) async fn load_actor(connection: &mut AnyConnection, user: &users::User) -> Result<Actor> {
    let roles::AtDepartments { roles: department_roles, departments } = roles::at_departments(connection, user.id).await.or_domain()?;
    Ok(Actor {
        user: user.id,
        login: user.login.clone(),
        name: user.name.clone(),
        tenant: user.tenant,
        roles: roles::of_user(connection, user.id).await.or_domain()?,
        department_roles,
        departments,
        courses: members::of_user(connection, user.id).await.or_domain()?,
        scopes: None,
    })
}

/// A college as it was a few seconds ago at most. No statement as a rule.
pub(crate) async fn tenant(services: &Services, id: TenantId) -> Result<Tenant> {
    let kept = services.cache.tenants.get_or_load(id, services.clock.now(), async {
        let mut connection = services.db.read().await.or_domain()?;
        storage::courses::tenant(&mut connection, id).await.or_domain()
    });
    (*kept.await?).clone().ok_or(Error::NotFound)
}

/// For the page's frame. Four statements at most.
pub async fn viewer(services: &Services, caller: &Caller) -> Result<Viewer> {
    let actor = &caller.actor;
    let tenant = tenant(services, actor.tenant).await?;
    let away = crate::delegations::away(services, actor).await?;
    let pending_approvals = if actor.reach(Action::OrderDecide) == domain::access::Reach::Nothing && away.is_empty() {
        0
    } else {
        let mut connection = services.db.read().await.or_domain()?;
        storage::orders::pending_count(&mut connection, &crate::orders::decider(actor, &away), 100).await.or_domain()?
    };
    let cluster = crate::cluster_status::current(services).await?;
    Ok(Viewer {
        user_id: actor.user,
        login: actor.login.clone(),
        name: actor.name.clone(),
        roles: actor.roles.clone(),
        department_roles: actor.department_roles.keys().copied().collect(),
        tenant_name: tenant.name,
        simulated_cluster: services.settings.simulated_cluster,
        labs_are_processes: services.settings.labs_are_processes,
        portal_url: services.settings.public_url.clone(),
        ssh_user: services.settings.ssh_user.clone(),
        cluster_away_since: cluster.away_since,
        pending_approvals,
        stands_in: !away.is_empty(),
        banners: crate::announcements::banners(services, actor).await?,
    })
}

/// One's own roles at departments, by their names.
pub async fn posts(services: &Services, caller: &Caller) -> Result<Vec<Post>> {
    let user = caller.actor.user;
    let mut connection = services.db.read().await.or_domain()?;
    let mut people = roles::of_people(&mut connection, &[user].into()).await.or_domain()?;
    Ok(people.remove(&user).unwrap_or_default().1)
}

/// One's own name. Errors: `Invalid` on `name`.
pub async fn rename(services: &Services, caller: &Caller, name: &str) -> Result<()> {
    let name = check_name(name).map_err(|problem| Error::field("name", problem))?;
    if name == caller.actor.name {
        return Ok(());
    }
    let mut write = services.db.begin_write().await.or_domain()?;
    users::set_name(&mut write, caller.actor.user, &name).await.or_domain()?;
    let entry = about(caller, "people.rename").before(json!({"name": caller.actor.name})).after(json!({"name": name}));
    audit::success(services, &mut write, caller, entry).await?;
    write.commit().await.or_domain()?;
    services.access_changed(caller.actor.user);
    Ok(())
}

/// An entry whose object is the caller's own account.
fn about(caller: &Caller, action: &str) -> Entry {
    Entry::new(action, "user", caller.actor.user, caller.actor.login.as_str())
}

#[cfg(test)]
mod tests;
