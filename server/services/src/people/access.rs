//! What a person may do: roles and courses, and whether they may sign in at all. Each change takes effect at once in this process
//! and within the cache's life on other replicas.

use std::collections::BTreeSet;

use domain::{
    Error, Result,
    access::{Action, Resource, Role},
    ids::{CourseId, UserId},
    people::Person,
};
use serde_json::json;
use storage::{
    AnyConnection,
    accounts::{members, roles, users},
    sessions, tokens,
};

use super::{about, known_courses, tracked, view};
use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
};

/// Roles and courses as they shall be. An administrator cannot take that role from themselves.
///
/// Errors: `Forbidden`; `NotFound` also for another tenant's people; `Invalid` on `courses`.
pub async fn set_access(services: &Services, caller: &Caller, user: UserId, roles: BTreeSet<Role>, courses: BTreeSet<CourseId>) -> Result<Person> {
    let entry = || Entry::new("people.set_access", "user", user, "");
    let person = audit::recording(services, caller, entry, async {
        may_write(caller)?;
        if user == caller.actor.user && !roles.contains(&Role::Administrator) {
            return Err(Error::Forbidden);
        }
        let mut write = services.db.begin_write().await.or_domain()?;
        let before = load(&mut write, caller, user).await?;
        let courses = known_courses(&mut write, caller.actor.tenant, &courses).await?;
        roles::set(&mut write, user, &roles).await.or_domain()?;
        members::set(&mut write, user, &courses.keys().copied().collect()).await.or_domain()?;
        let mut after = before.clone();
        after.roles = roles;
        after.courses = courses.into_values().collect();
        after.courses.sort_by(|a, b| a.code.cmp(&b.code));
        if after != before {
            let entry = about(&after.person, "people.set_access").before(tracked(&before)).after(tracked(&after));
            audit::success(services, &mut write, caller, entry).await?;
        }
        write.commit().await.or_domain()?;
        Ok(after)
    })
    .await?;
    services.cache.actors.forget(&user);
    Ok(person)
}

/// Disabling ends every session and token at once; one cannot disable oneself. Who is disabled already stays so.
///
/// Errors: `Forbidden`; `NotFound` also for another tenant's people.
pub async fn disable(services: &Services, caller: &Caller, user: UserId) -> Result<()> {
    let entry = || Entry::new("people.disable", "user", user, "");
    audit::recording(services, caller, entry, async {
        may_write(caller)?;
        if user == caller.actor.user {
            return Err(Error::Forbidden);
        }
        let now = services.clock.now();
        let mut write = services.db.begin_write().await.or_domain()?;
        let person = load(&mut write, caller, user).await?;
        if person.disabled {
            return Ok(());
        }
        users::set_disabled(&mut write, user, Some(now)).await.or_domain()?;
        sessions::delete_of_user(&mut write, user).await.or_domain()?;
        let revoked = tokens::revoke_all(&mut write, user, now).await.or_domain()?;
        let entry =
            about(&person.person, "people.disable").before(json!({"disabled": false})).after(json!({"disabled": true, "tokens_revoked": revoked}));
        audit::success(services, &mut write, caller, entry).await?;
        write.commit().await.or_domain()
    })
    .await?;
    services.cache.actors.forget(&user);
    Ok(())
}

/// Lets a disabled person sign in again, with the password they had; their tokens stay revoked.
///
/// Errors: `Forbidden`; `NotFound` also for another tenant's people.
pub async fn enable(services: &Services, caller: &Caller, user: UserId) -> Result<()> {
    let entry = || Entry::new("people.enable", "user", user, "");
    audit::recording(services, caller, entry, async {
        may_write(caller)?;
        let mut write = services.db.begin_write().await.or_domain()?;
        let person = load(&mut write, caller, user).await?;
        if !person.disabled {
            return Ok(());
        }
        users::set_disabled(&mut write, user, None).await.or_domain()?;
        let entry = about(&person.person, "people.enable").before(json!({"disabled": true})).after(json!({"disabled": false}));
        audit::success(services, &mut write, caller, entry).await?;
        write.commit().await.or_domain()
    })
    .await?;
    services.cache.actors.forget(&user);
    Ok(())
}

fn may_write(caller: &Caller) -> Result<()> {
    caller.actor.can(Action::PeopleWrite, &Resource::tenant(caller.actor.tenant))
}

/// Errors: `NotFound`.
async fn load(connection: &mut AnyConnection, caller: &Caller, id: UserId) -> Result<Person> {
    let user = users::by_id(connection, id).await.or_domain()?;
    let user = user.filter(|user| user.tenant == caller.actor.tenant).ok_or(Error::NotFound)?;
    let roles = roles::of_user(connection, id).await.or_domain()?;
    let courses = members::refs_of_user(connection, id).await.or_domain()?;
    Ok(view(user, roles, courses))
}
