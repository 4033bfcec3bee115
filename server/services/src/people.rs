//! People of a tenant, for administrators: list, add, change roles and courses, disable and enable.

mod access;

pub use access::{disable, enable, set_access};

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Error, Problem, Result,
    access::{Action, Resource, Role},
    courses::CourseRef,
    error::FieldErrors,
    ids::{CourseId, TenantId, UserId},
    people::{NewPerson, Person, PersonRef},
};
use serde_json::{Value, json};
use storage::{
    AnyConnection,
    accounts::{members, roles, users},
};

use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
    password,
};

/// Everybody of the caller's tenant, in order of login. Three statements, whatever the number. Errors: `Forbidden`.
pub async fn list(services: &Services, caller: &Caller) -> Result<Vec<Person>> {
    let tenant = caller.actor.tenant;
    let entry = || Entry::new(audit::action(Action::PeopleRead), "user", "", "");
    audit::recording(services, caller, entry, async {
        caller.actor.can(Action::PeopleRead, &Resource::tenant(tenant))?;
        let mut connection = services.db.read().await.or_domain()?;
        let all = users::list(&mut connection, tenant).await.or_domain()?;
        let mut roles = roles::of_tenant(&mut connection, tenant).await.or_domain()?;
        let mut courses = members::of_tenant(&mut connection, tenant).await.or_domain()?;
        let person = |user: users::User| {
            let (roles, courses) = (roles.remove(&user.id).unwrap_or_default(), courses.remove(&user.id).unwrap_or_default());
            view(user, roles, courses)
        };
        Ok(all.into_iter().map(person).collect())
    })
    .await
}

/// Errors: `Forbidden`; `Invalid` on `login` (also `Taken`), `name`, `password`, `courses` (`NoSuch`).
pub async fn create(services: &Services, caller: &Caller, person: &NewPerson, roles: BTreeSet<Role>, courses: BTreeSet<CourseId>) -> Result<Person> {
    let tenant = caller.actor.tenant;
    let entry = || Entry::new("people.create", "user", "", person.login.trim().chars().take(64).collect::<String>());
    audit::recording(services, caller, entry, async {
        caller.actor.can(Action::PeopleWrite, &Resource::tenant(tenant))?;
        let mut errors = FieldErrors::default();
        let login = errors.take(person.check())?;
        if person.name.chars().any(char::is_control) {
            errors.push("name", Problem::BadFormat { example: "李华".into() });
        }
        errors.finish()?;
        let login = login.ok_or(Error::NotFound)?;
        let password_hash = password::hash(services, &person.password).await?;

        let mut write = services.db.begin_write().await.or_domain()?;
        let courses = known_courses(&mut write, tenant, &courses).await?;
        let user = users::User {
            id: UserId::from_uuid(services.entropy.uuid()),
            tenant,
            login,
            name: person.name.trim().to_owned(),
            password_hash,
            credentials_version: 1,
            disabled_at: None,
            created_at: services.clock.now(),
            last_sign_in_at: None,
        };
        users::insert(&mut write, &user).await.map_err(|error| {
            let taken = error.is_not_unique("users", "login");
            if taken { Error::field("login", Problem::Taken) } else { crate::error::from_storage(error) }
        })?;
        roles::set(&mut write, user.id, &roles).await.or_domain()?;
        members::set(&mut write, user.id, &courses.keys().copied().collect()).await.or_domain()?;
        let person = view(user, roles, courses.into_values().collect());
        let entry = about(&person.person, "people.create").after(tracked(&person));
        audit::success(services, &mut write, caller, entry).await?;
        write.commit().await.or_domain()?;
        Ok(person)
    })
    .await
}

/// The courses of these ids, all of the tenant. Errors: `Invalid` on `courses`.
async fn known_courses(connection: &mut AnyConnection, tenant: TenantId, ids: &BTreeSet<CourseId>) -> Result<BTreeMap<CourseId, CourseRef>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let all = storage::courses::list(connection, tenant).await.or_domain()?;
    let known: BTreeMap<_, _> = all.iter().filter(|course| ids.contains(&course.id)).map(|course| (course.id, course.brief())).collect();
    if known.len() == ids.len() { Ok(known) } else { Err(Error::field("courses", Problem::NoSuch)) }
}

fn view(user: users::User, roles: BTreeSet<Role>, mut courses: Vec<CourseRef>) -> Person {
    courses.sort_by(|a, b| a.code.cmp(&b.code));
    Person {
        person: PersonRef { id: user.id, login: user.login, name: user.name },
        roles,
        courses,
        disabled: user.disabled_at.is_some(),
        last_sign_in_at: user.last_sign_in_at,
    }
}

fn about(person: &PersonRef, action: &str) -> Entry {
    Entry::new(action, "user", person.id, person.login.as_str())
}

/// What the audit record keeps of a person. Without `..`: a new field must be classed before this compiles.
fn tracked(person: &Person) -> Value {
    let Person { person: PersonRef { id: _, login, name }, roles, courses, disabled, last_sign_in_at: _ } = person;
    let courses: Vec<_> = courses.iter().map(|course| &course.code).collect();
    json!({"login": login, "name": name, "roles": roles, "courses": courses, "disabled": disabled})
}

#[cfg(test)]
mod tests;
