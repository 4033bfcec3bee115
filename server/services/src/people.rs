//! People of a college, for administrators: search, add, invite, change roles and courses, disable and enable.

mod access;
mod join;
pub mod links;
pub(crate) mod readers;

pub(crate) use access::{department_of, may_hold, may_write};
pub use access::{disable, enable, end_sessions, set_access, set_post};
pub use join::{join, joining};

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Error, Problem, Result,
    access::{Action, Resource, Role},
    courses::CourseRef,
    ids::{CourseId, TenantId, UserId},
    page::{Page, PageRequest, read_cursor, write_cursor},
    people::{NewPerson, Person, PersonDetail, PersonFilter, PersonRef, PersonState, Post},
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
    logins, password,
};

/// People of the caller's college, in order of login; for who has a role at departments only, those who teach there. Three statements.
///
/// Errors: `Forbidden`; `Invalid` on `limit`, `after`.
pub async fn search(services: &Services, caller: &Caller, filter: &PersonFilter, page: &PageRequest) -> Result<Page<Person>> {
    let entry = || Entry::new(audit::action(Action::PeopleRead), "user", "", "");
    audit::recording(services, caller, entry, async {
        let extent = caller.actor.extent(Action::PeopleRead)?;
        let rows = page.rows()?;
        let query = users::Query {
            tenant: caller.actor.tenant,
            teaching: extent.courses(),
            text: filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(ToOwned::to_owned),
            role: filter.role,
            state: filter.state,
            after: page.cursor(|text| read_cursor("people", text))?,
            limit: rows,
        };
        let mut connection = services.db.read().await.or_domain()?;
        let Page { items, next } = page.page(users::search(&mut connection, &query).await.or_domain()?, |user| write_cursor("people", &user.login));
        Ok(Page { items: people(&mut connection, items).await?, next })
    })
    .await
}

/// These with their roles and courses. Two statements, whatever the number.
async fn people(connection: &mut AnyConnection, found: Vec<users::User>) -> Result<Vec<Person>> {
    let ids = found.iter().map(|user| user.id).collect();
    let mut roles = roles::of_people(connection, &ids).await.or_domain()?;
    let mut courses = members::of_people(connection, &ids).await.or_domain()?;
    let person = |user: users::User| {
        let (college, posts) = roles.remove(&user.id).unwrap_or_default();
        let courses = courses.remove(&user.id).unwrap_or_default();
        view(user, college, posts, courses)
    };
    Ok(found.into_iter().map(person).collect())
}

/// Somebody with all that their page shows. Five statements. Errors: `NotFound` also for whom the caller may not see.
pub async fn get(services: &Services, caller: &Caller, id: UserId) -> Result<PersonDetail> {
    let entry = || Entry::new(audit::action(Action::PeopleRead), "user", id, "");
    audit::recording(services, caller, entry, async {
        let extent = caller.actor.extent(Action::PeopleRead)?;
        let now = services.clock.now();
        let mut connection = services.db.read().await.or_domain()?;
        let user = users::by_id(&mut connection, id).await.or_domain()?;
        let user = user.filter(|user| user.tenant == caller.actor.tenant).ok_or(Error::NotFound)?;
        let (created_at, issuer) = (user.created_at, user.issuer.clone());
        let person = people(&mut connection, vec![user]).await?.pop().ok_or(Error::NotFound)?;
        if extent.courses().is_some_and(|covered| !person.courses.iter().any(|course| covered.contains(&course.id))) {
            return Err(Error::NotFound);
        }
        let may_write = may_write(caller).is_ok();
        let (mut link, mut sessions, mut tokens) = (None, Vec::new(), 0);
        if may_write {
            (link, tokens) = storage::links::ways_in(&mut connection, id, now).await.or_domain()?;
            sessions = crate::accounts::sessions::of_user(&mut connection, id, "", now).await?;
        }
        let provider = issuer.map(|issuer| services.settings.provider_name(&issuer));
        Ok(PersonDetail { person, created_at, provider, link, sessions, tokens, may_write, own: id == caller.actor.user })
    })
    .await
}

/// Errors: `Forbidden`; `Invalid` on `login` (also `Taken`), `name`, `password`, `courses` (`NoSuch`).
pub async fn create(services: &Services, caller: &Caller, person: &NewPerson, roles: BTreeSet<Role>, courses: BTreeSet<CourseId>) -> Result<Person> {
    let tenant = caller.actor.tenant;
    let entry = || Entry::new("people.create", "user", "", person.login.trim().chars().take(64).collect::<String>());
    audit::recording(services, caller, entry, async {
        caller.actor.can(Action::PeopleWrite, &Resource::tenant(tenant))?;
        let (login, name) = logins::new_person(person)?;
        let password_hash = password::hash_chosen(services, &person.password, &[&login, &name]).await?;

        let mut write = services.db.begin_write().await.or_domain()?;
        let courses = known_courses(&mut write, tenant, &courses).await?;
        let user =
            users::User { password_hash, ..users::User::new(UserId::from_uuid(services.entropy.uuid()), tenant, login, name, services.clock.now()) };
        users::insert(&mut write, &user).await.map_err(|error| {
            let taken = error.is_not_unique("users", "login");
            if taken { Error::field("login", Problem::Taken) } else { crate::error::from_storage(error) }
        })?;
        roles::set(&mut write, user.id, &roles).await.or_domain()?;
        members::set(&mut write, user.id, &courses.keys().copied().collect()).await.or_domain()?;
        let person = view(user, roles, Vec::new(), courses.into_values().collect());
        let entry = about(&person.person, "people.create").after(tracked(&person));
        audit::success(services, &mut write, caller, entry).await?;
        let told = readers::role_given(services, &mut write, caller, &person.person, &BTreeSet::new(), &person.roles).await?;
        write.commit().await.or_domain()?;
        told.tell(services);
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

fn view(user: users::User, roles: BTreeSet<Role>, posts: Vec<Post>, mut courses: Vec<CourseRef>) -> Person {
    courses.sort_by(|a, b| a.code.cmp(&b.code));
    let state = match (user.disabled_at, user.password_hash.is_empty() && user.issuer.is_none()) {
        (Some(_), _) => PersonState::Disabled,
        (None, true) => PersonState::Invited,
        (None, false) => PersonState::Active,
    };
    Person {
        person: PersonRef { id: user.id, login: user.login, name: user.name },
        roles,
        posts,
        courses,
        state,
        last_sign_in_at: user.last_sign_in_at,
    }
}

fn about(person: &PersonRef, action: &str) -> Entry {
    Entry::new(action, "user", person.id, person.login.as_str())
}

/// What the audit record keeps of a person. Without `..`: a new field must be classed before this compiles.
fn tracked(person: &Person) -> Value {
    let Person { person: PersonRef { id: _, login, name }, roles, posts, courses, state, last_sign_in_at: _ } = person;
    let courses: Vec<_> = courses.iter().map(|course| &course.code).collect();
    let mut tracked = json!({"login": login, "name": name, "roles": roles, "courses": courses, "disabled": *state == PersonState::Disabled});
    if !posts.is_empty() {
        let posts: BTreeMap<_, _> = posts.iter().map(|post| (&post.department.name, &post.roles)).collect();
        tracked["department_roles"] = json!(posts);
    }
    tracked
}

#[cfg(test)]
mod tests;
