//! Changes of a course: its name, its place in the tree, who teaches it, and its end.

use domain::{
    Error, Problem, Result,
    access::{Action, Resource},
    courses::check_course_name,
    ids::{CourseId, UserId},
    people::PersonRef,
};
use serde_json::json;
use storage::{
    accounts::{members, users},
    courses::Place,
};

use super::{detail::load, named_department};
use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
    logins,
};

/// Errors: `Forbidden`, `NotFound`; `Invalid` on `name`.
pub async fn rename(services: &Services, caller: &Caller, id: CourseId, name: &str) -> Result<()> {
    let entry = || Entry::new("course.rename", "course", id, "").course(id);
    audit::recording(services, caller, entry, async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let (course, _) = load(&mut write, caller, Action::CourseWrite, id).await?;
        let name = check_course_name(name).map_err(|problem| Error::field("name", problem))?;
        if name != course.name {
            storage::courses::set_name(&mut write, id, &name).await.or_domain()?;
            let entry = about(id, &course.code, "course.rename").before(json!({"name": course.name})).after(json!({"name": name}));
            audit::success(services, &mut write, caller, entry).await?;
        }
        write.commit().await.or_domain()
    })
    .await
}

/// To a department by its id, or with an empty text to the college itself. Who has a role at either department gains or loses the
/// course at once. Errors: `Forbidden` unless for the whole college; `NotFound`; `Invalid` on `department`.
pub async fn move_to(services: &Services, caller: &Caller, id: CourseId, department: &str) -> Result<()> {
    let entry = || Entry::new("course.move", "course", id, "").course(id);
    audit::recording(services, caller, entry, async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let (course, place) = load(&mut write, caller, Action::CourseWrite, id).await?;
        // Else somebody would push a course out of their department, or pull one in.
        caller.actor.can(Action::CourseWrite, &Resource::tenant(course.tenant))?;
        let to = named_department(&mut write, caller, department).await?;
        let from = match place.department {
            Some(from) => storage::departments::by_id(&mut write, from).await.or_domain()?,
            None => None,
        };
        if to != from {
            let place = Place { department: to.as_ref().map(|to| to.id), ..place };
            storage::courses::set_place(&mut write, id, place).await.or_domain()?;
            let entry = about(id, &course.code, "course.move")
                .before(json!({"department": from.map(|from| from.name)}))
                .after(json!({"department": to.map(|to| to.name)}));
            audit::success(services, &mut write, caller, entry).await?;
        }
        write.commit().await.or_domain()
    })
    .await?;
    services.access_of_many_changed();
    Ok(())
}

/// Takes no more orders; what was stays readable. Doing it again is no error.
///
/// Errors: `Forbidden`, `NotFound`; `InTheWay` while it has labs that are not destroyed or orders that are open.
pub async fn archive(services: &Services, caller: &Caller, id: CourseId) -> Result<()> {
    let entry = || Entry::new("course.archive", "course", id, "").course(id);
    audit::recording(services, caller, entry, async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let (course, place) = load(&mut write, caller, Action::CourseWrite, id).await?;
        if place.archived_at.is_some() {
            return Ok(());
        }
        // An order that is being submitted holds this lock.
        storage::quotas::lock(&mut write, id).await.or_domain()?;
        let (labs, orders) = storage::courses::in_the_way(&mut write, id).await.or_domain()?;
        if labs + orders > 0 {
            return Err(Error::InTheWay { labs, orders });
        }
        let place = Place { archived_at: Some(services.clock.now()), ..place };
        storage::courses::set_place(&mut write, id, place).await.or_domain()?;
        let entry = about(id, &course.code, "course.archive").before(json!({"archived": false})).after(json!({"archived": true}));
        audit::success(services, &mut write, caller, entry).await?;
        write.commit().await.or_domain()
    })
    .await
}

/// Errors: `Forbidden`, `NotFound`.
pub async fn restore(services: &Services, caller: &Caller, id: CourseId) -> Result<()> {
    let entry = || Entry::new("course.restore", "course", id, "").course(id);
    audit::recording(services, caller, entry, async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let (course, place) = load(&mut write, caller, Action::CourseWrite, id).await?;
        if place.archived_at.is_none() {
            return Ok(());
        }
        storage::courses::set_place(&mut write, id, Place { archived_at: None, ..place }).await.or_domain()?;
        let entry = about(id, &course.code, "course.restore").before(json!({"archived": true})).after(json!({"archived": false}));
        audit::success(services, &mut write, caller, entry).await?;
        write.commit().await.or_domain()
    })
    .await
}

/// Somebody teaches the course from now on. They need the role of a teacher to order. Adding again is no error.
///
/// Errors: `Forbidden`, `NotFound`; `Invalid` on `login`.
pub async fn add_member(services: &Services, caller: &Caller, id: CourseId, login: &str) -> Result<PersonRef> {
    let entry = || Entry::new("course.add_member", "course", id, "").course(id);
    let person = audit::recording(services, caller, entry, async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let (course, _) = load(&mut write, caller, Action::CourseWrite, id).await?;
        let user = logins::find(&mut write, login).await?.filter(|user| user.tenant == course.tenant);
        // Looked for first: an account from before today's rule has the login that it has.
        let user = user.ok_or_else(|| Error::field("login", logins::check(login).err().unwrap_or(Problem::NoSuch)))?;
        if members::add(&mut write, user.id, id).await.or_domain()? {
            let entry = about(id, &course.code, "course.add_member").after(json!({"member": user.login}));
            audit::success(services, &mut write, caller, entry).await?;
        }
        write.commit().await.or_domain()?;
        Ok(PersonRef { id: user.id, login: user.login, name: user.name })
    })
    .await?;
    services.access_changed(person.id);
    Ok(person)
}

/// Removes a teacher from the course: their waiting orders are cancelled (`orders::cancel_of_leavers`), and their running labs stop at
/// their end. Errors: `Forbidden`, `NotFound`.
pub async fn remove_member(services: &Services, caller: &Caller, id: CourseId, user: UserId) -> Result<()> {
    let entry = || Entry::new("course.remove_member", "course", id, "").course(id);
    audit::recording(services, caller, entry, async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let (course, _) = load(&mut write, caller, Action::CourseWrite, id).await?;
        let person = users::by_id(&mut write, user).await.or_domain()?;
        let person = person.filter(|person| person.tenant == course.tenant).ok_or(Error::NotFound)?;
        if members::remove(&mut write, user, id).await.or_domain()? {
            let entry = about(id, &course.code, "course.remove_member").before(json!({"member": person.login}));
            audit::success(services, &mut write, caller, entry).await?;
        }
        write.commit().await.or_domain()
    })
    .await?;
    services.access_changed(user);
    Ok(())
}

fn about(id: CourseId, code: &str, action: &str) -> Entry {
    Entry::new(action, "course", id, code).course(id)
}
