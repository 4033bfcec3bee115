//! Taking a list over: each row in a transaction of its own with its result, so that a kill at any point repeats nothing and loses
//! nothing. A row is held against what is there once more before it is taken. What a list does not name stays as it is. Rows are taken over
//! in the name of whoever started the list.

use domain::{
    Error, Problem, Result,
    access::Role,
    courses::{Course, namespace},
    gpu::CardShare,
    ids::{CourseId, OutboxId, UserId},
    imports::{CellChange, Import, ImportKind, ImportRow, ImportState, RowResult, Verdict},
    money::Money,
    people::PersonRef,
    quotas::{BudgetTerms, QuotaSettings, check_limits},
};
use serde_json::{Value, json};
use storage::{
    Write,
    accounts::{members, roles, users},
    courses::Place,
    imports as table,
    imports::Stored,
    outbox,
};

use super::{
    about,
    check::{Ground, Person, PlannedCourse, outcome},
    may,
};
use crate::{
    Caller, Origin, Services,
    accounts::load_actor,
    audit::{self, Entry},
    courses,
    error::OrDomain,
    jobs::lease,
    notifications::Told,
    people::{links, may_hold, readers},
};

/// Rows of one round.
const BATCH: u32 = 100;

/// Goes on with the list that has been running for longest; returns how many rows were taken.
pub async fn run(services: &Services) -> Result<u32> {
    let (stored, caller) = {
        let mut read = services.db.read().await.or_domain()?;
        let Some(stored) = table::running(&mut read).await.or_domain()? else { return Ok(0) };
        let starter = stored.started_by.unwrap_or(stored.import.by.id);
        let user = users::by_id(&mut read, starter).await.or_domain()?.filter(|user| user.disabled_at.is_none());
        let caller = match user {
            Some(user) => Some(Caller { actor: load_actor(&mut read, &user).await?, origin: Origin::job() }),
            None => None,
        };
        (stored, caller)
    };
    let Stored { import, .. } = stored;
    // Whoever started it may do so no more: what is left stays for somebody else to start.
    let Some(caller) = caller.filter(|caller| may(caller, import.kind).is_ok()) else {
        finish(services, &import).await?;
        return Ok(0);
    };
    let rows = {
        let mut read = services.db.read().await.or_domain()?;
        table::waiting(&mut read, import.id, BATCH).await.or_domain()?
    };
    let taken = u32::try_from(rows.len()).unwrap_or(BATCH);
    for table::Waiting { row, mended_by } in rows {
        let author = mended_by.unwrap_or(import.by.id);
        one(services, &caller, &import, author, row).await?;
    }
    if taken < BATCH {
        finish(services, &import).await?;
    }
    // Roles and courses of many changed.
    services.access_of_many_changed();
    Ok(taken)
}

async fn finish(services: &Services, import: &Import) -> Result<()> {
    let mut write = lease::begin_write(services).await?;
    table::set_state(&mut write, import.id, ImportState::Done, Some(services.clock.now())).await.or_domain()?;
    let tenant = table::by_id(&mut write, import.id).await.or_domain()?;
    if let Some(Stored { tenant, import, .. }) = tenant {
        let after = json!({"done": import.counts.done, "failed": import.counts.failed, "errors": import.counts.error});
        let entry = about(&import, "import.finish").after(after);
        audit::by_job(services, &mut write, "imports", tenant, entry, domain::audit::Outcome::Success).await?;
    }
    write.commit().await.or_domain()
}

/// `author`: who typed the row.
async fn one(services: &Services, caller: &Caller, import: &Import, author: UserId, mut row: ImportRow) -> Result<()> {
    let mut write = lease::begin_write(services).await?;
    match take(services, &mut write, caller, import, author, &row).await {
        Ok((verdict, subject, told)) => {
            // What became so meanwhile is done as well.
            row.verdict = if verdict == Verdict::Unchanged { row.verdict } else { verdict };
            row.result = Some(RowResult::Done);
            table::finish_row(&mut write, import.id, &row, Some(&subject), services.clock.now()).await.or_domain()?;
            write.commit().await.or_domain()?;
            told.tell(services);
            Ok(())
        }
        Err(error) => {
            // Nothing of the row stays; why is written by itself.
            write.rollback().await.or_domain()?;
            (row.verdict, row.problems) = outcome(Err(as_problem(import.kind, error)?))?;
            row.result = None;
            let mut write = lease::begin_write(services).await?;
            table::finish_row(&mut write, import.id, &row, None, services.clock.now()).await.or_domain()?;
            write.commit().await.or_domain()
        }
    }
}

/// The reason for which the row failed, at a field of the row. Errors: what may pass by itself; it ends the round, and the next one tries
/// the row again.
fn as_problem(kind: ImportKind, error: Error) -> Result<Error> {
    match error {
        Error::Unavailable { .. } | Error::RateLimited { .. } => Err(error),
        Error::Invalid(problems) => Ok(Error::Invalid(problems)),
        Error::LimitBelowUse(short) => {
            let min = short.first().map_or(0, |short| short.in_use / 840);
            Ok(Error::field("cards", Problem::OutOfRange { min, max: 10_000 }))
        }
        Error::OwnRole { role } => {
            let choices = Role::ALL.into_iter().filter(|other| *other != role).map(|role| role.as_str().to_owned()).collect();
            Ok(Error::field("roles", Problem::NotOneOf { choices }))
        }
        other => {
            let key = match kind {
                ImportKind::People => "login",
                ImportKind::Courses => "code",
            };
            Ok(Error::field(key, Problem::RowRefused { error: Box::new(other) }))
        }
    }
}

/// The row's verdict as it is now, the id of the person or course, and who was told of it.
async fn take(
    services: &Services,
    write: &mut Write,
    caller: &Caller,
    import: &Import,
    author: UserId,
    row: &ImportRow,
) -> Result<(Verdict, String, Told)> {
    let ground = Ground::load(services, write, caller.actor.tenant, import.kind, std::slice::from_ref(&row.cells)).await?;
    match import.kind {
        ImportKind::People => person(services, write, caller, import, author, ground.person(&row.cells)?).await,
        ImportKind::Courses => {
            let (verdict, id) = course(services, write, caller, import, &ground, ground.course(&row.cells)?).await?;
            Ok((verdict, id, Told::default()))
        }
    }
}

async fn person(
    services: &Services,
    write: &mut Write,
    caller: &Caller,
    import: &Import,
    author: UserId,
    person: Person,
) -> Result<(Verdict, String, Told)> {
    let Person { row, department, courses, there, verdict, changes } = person;
    let Some(user) = there else {
        let access = links::Access { department, roles: row.roles.clone(), courses };
        let id = links::make(services, write, caller, row.login.clone(), row.name.clone(), &access).await?;
        let after = person_facts(import, &row);
        audit::success(services, write, caller, Entry::new("people.invite", "user", id, row.login.as_str()).after(after)).await?;
        let made = PersonRef { id, login: row.login.clone(), name: row.name.clone() };
        let told = readers::invited(services, write, caller, &made, &row.roles).await?;
        return Ok((verdict, id.to_string(), told));
    };
    let mut told = Told::default();
    if verdict == Verdict::Change {
        if user.name != row.name {
            users::set_name(write, user.id, &row.name).await.or_domain()?;
        }
        let place = department.unwrap_or(caller.actor.tenant);
        let held = roles::of_people(write, &[user.id].into()).await.or_domain()?.remove(&user.id).unwrap_or_default();
        let mut held = match department {
            None => held.0,
            Some(id) => held.1.into_iter().find(|post| post.department.id == id).map(|post| post.roles).unwrap_or_default(),
        };
        let before = held.clone();
        held.extend(&row.roles);
        // A person does not give themselves such a role: neither by starting the list, nor by typing a row that a colleague starts.
        if [caller.actor.user, author].contains(&user.id) {
            may_hold(&before, &held)?;
        }
        roles::set_at(write, user.id, place, &held).await.or_domain()?;
        let changed = PersonRef { id: user.id, login: user.login.clone(), name: row.name.clone() };
        told = readers::role_given(services, write, caller, &changed, &before, &held).await?;
        for course in courses {
            members::add(write, user.id, course).await.or_domain()?;
        }
        let (mut was, mut is) = changed_facts(import, &changes);
        if row.department.is_some() {
            // Where the roles are held; it does not change.
            (was["department"], is["department"]) = (json!(row.department), json!(row.department));
        }
        let entry = Entry::new("people.set_access", "user", user.id, user.login.as_str()).before(was).after(is);
        audit::success(services, write, caller, entry).await?;
    }
    Ok((verdict, user.id.to_string(), told))
}

fn person_facts(import: &Import, row: &domain::imports::PersonRow) -> Value {
    json!({"name": row.name, "department": row.department, "roles": row.roles, "courses": row.courses, "import": import.id})
}

/// What the row changes, before and after it: what it only repeats is no change.
fn changed_facts(import: &Import, changes: &[CellChange]) -> (Value, Value) {
    let value = |field: &str, items: &[String]| match field {
        "roles" | "courses" | "teachers" => json!(items),
        _ => json!(items.first()),
    };
    let mut facts = (json!({}), json!({"import": import.id}));
    for CellChange { field, before, after } in changes {
        if let Some(before) = before {
            facts.0[field.as_str()] = value(field, before);
        }
        facts.1[field.as_str()] = value(field, after);
    }
    facts
}

async fn course(
    services: &Services,
    write: &mut Write,
    caller: &Caller,
    import: &Import,
    ground: &Ground,
    planned: PlannedCourse,
) -> Result<(Verdict, String)> {
    let PlannedCourse { row, department, teachers, there, verdict, changes } = planned;
    let id = match there {
        None => {
            let slug = storage::courses::tenant(write, ground.tenant).await.or_domain()?.ok_or(Error::NotFound)?.slug;
            let mut settings = QuotaSettings::reference(Money::units(row.budget.unwrap_or_default(), ground.currency));
            if let Some(parts) = row.cards {
                settings.limits.cards = CardShare::from_parts(parts);
            }
            let course = Course {
                id: CourseId::from_uuid(services.entropy.uuid()),
                tenant: ground.tenant,
                namespace: namespace(&slug, &row.code),
                code: row.code.clone(),
                name: row.name.clone(),
                settings,
            };
            storage::courses::insert(write, &course, services.clock.now()).await.map_err(courses::taken)?;
            let place = Place { department: department.as_ref().map(|department| department.id), archived_at: None };
            storage::courses::set_place(write, course.id, place).await.or_domain()?;
            audit::success(services, write, caller, courses::created(&course, department.as_ref())).await?;
            course.id
        }
        Some((course, place)) => {
            if verdict == Verdict::Change {
                let facts = changed_facts(import, &changes);
                change(services, write, caller, facts, (&course, place), &row, department.as_ref().map(|department| department.id)).await?;
            }
            course.id
        }
    };
    for teacher in teachers {
        members::add(write, teacher, id).await.or_domain()?;
    }
    Ok((verdict, id.to_string()))
}

async fn change(
    services: &Services,
    write: &mut Write,
    caller: &Caller,
    (was, is): (Value, Value),
    (course, place): (&Course, Option<domain::ids::TenantId>),
    row: &domain::imports::CourseRow,
    department: Option<domain::ids::TenantId>,
) -> Result<()> {
    let now = services.clock.now();
    storage::quotas::lock(write, course.id).await.or_domain()?;
    let status = storage::quotas::of_course(write, course.id, now).await.or_domain()?.ok_or(Error::NotFound)?.status;
    if row.name != course.name {
        storage::courses::set_name(write, course.id, &row.name).await.or_domain()?;
    }
    if department.is_some() && department != place {
        storage::courses::set_place(write, course.id, Place { department, archived_at: None }).await.or_domain()?;
    }
    if let Some(units) = row.budget {
        let terms: &BudgetTerms = &status.budget.terms;
        storage::courses::set_budget(write, course.id, Money::units(units, course.settings.budget.currency), terms).await.or_domain()?;
    }
    if let Some(parts) = row.cards.filter(|parts| *parts != course.settings.limits.cards.parts()) {
        let mut settings = course.settings.clone();
        settings.limits.cards = CardShare::from_parts(parts);
        check_limits(&settings.limits, &status.in_use())?;
        storage::courses::set_quota(write, course.id, &settings).await.or_domain()?;
        let work = OutboxId::from_uuid(services.entropy.uuid());
        outbox::want(work, outbox::SET_QUOTA, &course.id.to_string(), now).run(write).await.or_domain()?;
    }
    let entry = Entry::new("course.change", "course", course.id, course.code.as_str()).course(course.id).before(was).after(is);
    audit::success(services, write, caller, entry).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_by_itself_is_tried_again() {
        for error in Error::one_of_each() {
            let passes = matches!(error, Error::Unavailable { .. } | Error::RateLimited { .. });
            let code = error.code();
            assert_eq!(as_problem(ImportKind::People, error).is_err(), passes, "{code}");
        }
        let forbidden = Error::field("code", Problem::RowRefused { error: Box::new(Error::Forbidden) });
        assert_eq!(as_problem(ImportKind::Courses, Error::Forbidden), Ok(forbidden));
    }
}
