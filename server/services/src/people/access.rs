//! What a person may do: roles and courses, and whether they may sign in at all. Each change takes effect at once in this process
//! and within the cache's life on other replicas.

use std::collections::BTreeSet;

use domain::{
    Error, Problem, Result,
    access::{Action, Resource, Role},
    courses::Department,
    ids::{CourseId, TenantId, UserId},
    people::{Person, PersonState},
};
use serde_json::json;
use storage::{
    AnyConnection, Write,
    accounts::{members, roles, users},
    dialect, sessions,
};

use super::{about, known_courses, people, readers, tracked};
use crate::{
    Caller, Services,
    accounts::end_access,
    audit::{self, Entry},
    error::OrDomain,
};

/// Roles at the college, and courses, as they shall be. An administrator cannot take that role from themselves, nor from the last one.
///
/// Errors: `Forbidden`; `LastAdministrator`; `OwnRole`; `NotFound` also for another tenant's people; `Invalid` on `courses`.
pub async fn set_access(services: &Services, caller: &Caller, user: UserId, roles: BTreeSet<Role>, courses: BTreeSet<CourseId>) -> Result<Person> {
    let entry = || Entry::new("people.set_access", "user", user, "");
    let person = audit::recording(services, caller, entry, async {
        may_write(caller)?;
        if user == caller.actor.user && !roles.contains(&Role::Administrator) {
            return Err(Error::Forbidden);
        }
        let mut write = services.db.begin_write().await.or_domain()?;
        lock(&mut write, caller).await?;
        let before = load(&mut write, caller, user).await?;
        if user == caller.actor.user {
            may_hold(&before.roles, &roles)?;
        }
        if before.roles.contains(&Role::Administrator) && !roles.contains(&Role::Administrator) {
            keep_one(&mut write, caller, user).await?;
        }
        let courses = known_courses(&mut write, caller.actor.tenant, &courses).await?;
        roles::set(&mut write, user, &roles).await.or_domain()?;
        let told = readers::role_given(services, &mut write, caller, &before.person, &before.roles, &roles).await?;
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
        told.tell(services);
        Ok(after)
    })
    .await?;
    services.access_changed(user);
    Ok(person)
}

/// Roles at a department as they shall be; none takes the person away from there.
///
/// Errors: `Forbidden`; `OwnRole`; `NotFound` also for another college's people; `Invalid` on `department`.
pub async fn set_post(services: &Services, caller: &Caller, user: UserId, department: TenantId, roles: BTreeSet<Role>) -> Result<Person> {
    let entry = || Entry::new("people.set_access", "user", user, "");
    let person = audit::recording(services, caller, entry, async {
        may_write(caller)?;
        let mut write = services.db.begin_write().await.or_domain()?;
        let before = load(&mut write, caller, user).await?;
        department_of(&mut write, caller, department).await?;
        let held = before.posts.iter().find(|post| post.department.id == department).map(|post| post.roles.clone()).unwrap_or_default();
        if user == caller.actor.user {
            may_hold(&held, &roles)?;
        }
        roles::set_at(&mut write, user, department, &roles).await.or_domain()?;
        let told = readers::role_given(services, &mut write, caller, &before.person, &held, &roles).await?;
        let after = load(&mut write, caller, user).await?;
        if after != before {
            let entry = about(&after.person, "people.set_access").before(tracked(&before)).after(tracked(&after));
            audit::success(services, &mut write, caller, entry).await?;
        }
        write.commit().await.or_domain()?;
        told.tell(services);
        Ok(after)
    })
    .await?;
    services.access_changed(user);
    Ok(person)
}

/// A person cannot give themselves a role that reads the audit record: another administrator has to. Roles that they already hold are kept.
/// A second account of theirs is not stopped by this, but seen: see [`readers`].
///
/// Errors: `OwnRole`.
pub(crate) fn may_hold(held: &BTreeSet<Role>, wanted: &BTreeSet<Role>) -> Result<()> {
    match wanted.difference(held).find(|role| readers::reads(**role)) {
        Some(role) => Err(Error::OwnRole { role: *role }),
        None => Ok(()),
    }
}

/// Ends every session of a person; they sign in again. Returns how many. Errors: `Forbidden`, `NotFound`.
pub async fn end_sessions(services: &Services, caller: &Caller, user: UserId) -> Result<u64> {
    let entry = || Entry::new("session.end", "user", user, "");
    audit::recording(services, caller, entry, async {
        may_write(caller)?;
        let mut write = services.db.begin_write().await.or_domain()?;
        let person = load(&mut write, caller, user).await?;
        let ended = sessions::delete_of_user(&mut write, user).await.or_domain()?;
        if ended > 0 {
            audit::success(services, &mut write, caller, about(&person.person, "session.end").after(json!({"sessions": ended}))).await?;
        }
        write.commit().await.or_domain()?;
        services.access_changed(user);
        Ok(ended)
    })
    .await
}

/// Of the caller's college. Errors: `Invalid` on `department`.
pub(crate) async fn department_of(connection: &mut AnyConnection, caller: &Caller, id: TenantId) -> Result<Department> {
    let department = storage::departments::by_id(connection, id).await.or_domain()?;
    department.filter(|department| department.tenant == caller.actor.tenant).ok_or_else(|| Error::field("department", Problem::NoSuch))
}

/// Two administrators who take the role from each other at once: one of them comes too late.
async fn lock(write: &mut Write, caller: &Caller) -> Result<()> {
    dialect::lock(write, &format!("administrators:{}", caller.actor.tenant)).await.or_domain()
}

/// Errors: `LastAdministrator` when nobody else is one.
async fn keep_one(write: &mut Write, caller: &Caller, except: UserId) -> Result<()> {
    match users::other_administrators(write, caller.actor.tenant, except).await.or_domain()? {
        0 => Err(Error::LastAdministrator),
        _ => Ok(()),
    }
}

/// Disabling ends every session, token and one-time link at once; one cannot disable oneself. Who is disabled already stays so.
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
        lock(&mut write, caller).await?;
        let person = load(&mut write, caller, user).await?;
        if person.state == PersonState::Disabled {
            return Ok(());
        }
        if person.roles.contains(&Role::Administrator) {
            keep_one(&mut write, caller, user).await?;
        }
        users::set_disabled(&mut write, user, Some(now)).await.or_domain()?;
        let revoked = end_access(services, &mut write, user).await?;
        let entry =
            about(&person.person, "people.disable").before(json!({"disabled": false})).after(json!({"disabled": true, "tokens_revoked": revoked}));
        audit::success(services, &mut write, caller, entry).await?;
        write.commit().await.or_domain()
    })
    .await?;
    services.access_changed(user);
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
        if person.state != PersonState::Disabled {
            return Ok(());
        }
        users::set_disabled(&mut write, user, None).await.or_domain()?;
        let entry = about(&person.person, "people.enable").before(json!({"disabled": true})).after(json!({"disabled": false}));
        audit::success(services, &mut write, caller, entry).await?;
        write.commit().await.or_domain()
    })
    .await?;
    services.access_changed(user);
    Ok(())
}

pub(crate) fn may_write(caller: &Caller) -> Result<()> {
    caller.actor.can(Action::PeopleWrite, &Resource::tenant(caller.actor.tenant))
}

/// Errors: `NotFound`, also for another college's people.
pub(crate) async fn load(connection: &mut AnyConnection, caller: &Caller, id: UserId) -> Result<Person> {
    let user = users::by_id(connection, id).await.or_domain()?;
    let user = user.filter(|user| user.tenant == caller.actor.tenant).ok_or(Error::NotFound)?;
    people(connection, vec![user]).await?.pop().ok_or(Error::NotFound)
}
