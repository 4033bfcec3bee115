//! Courses of a college with their quotas and budgets: list and add here, a course's own page, changes and limits in files of their own.

mod budgets;
mod detail;
mod limits;
mod manage;
mod roster;

pub use budgets::tell_thresholds;
pub use detail::get;
pub use limits::{Below, refresh_quotas, set_budget, set_quota};
pub use manage::{add_member, archive, move_to, remove_member, rename, restore};
pub use roster::{roster, set_roster};

use domain::{
    Error, Problem, Result,
    access::{Action, Resource},
    courses::{self, Course, CourseForm, CourseRef, Department},
    gpu::CardShare,
    ids::CourseId,
    money::Money,
    quotas::QuotaSettings,
};
use serde_json::json;
use storage::{AnyConnection, courses::Place};

use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
};

/// Those that the caller may see, in order of code. One statement. Errors: `Forbidden`, `ScopeMissing`.
pub async fn list(services: &Services, caller: &Caller) -> Result<Vec<CourseRef>> {
    let actor = &caller.actor;
    let entry = || Entry::new(audit::action(Action::CourseRead), "course", "", "");
    audit::recording(services, caller, entry, async {
        actor.can(Action::CourseRead, &caller.own())?;
        let mut connection = services.db.read().await.or_domain()?;
        let all = storage::courses::list(&mut connection, actor.tenant).await.or_domain()?;
        let visible = |course: &&Course| actor.can(Action::CourseRead, &Resource::course(course.tenant, course.id)).is_ok();
        Ok(all.iter().filter(visible).map(Course::brief).collect())
    })
    .await
}

/// A course with the reference quota (D2, D3), and budget and cards as typed; the budget's currency is the price book's.
///
/// Errors: `Forbidden`; `Invalid` per field, `Taken` on `code`.
pub async fn create(services: &Services, caller: &Caller, form: &CourseForm) -> Result<Course> {
    let entry = || Entry::new("course.create", "course", "", form.code.trim().chars().take(24).collect::<String>());
    audit::recording(services, caller, entry, async {
        let tenant = caller.actor.tenant;
        caller.actor.can(Action::CourseWrite, &Resource::tenant(tenant))?;
        let (code, name, budget, cards) = form.check()?;

        let mut write = services.db.begin_write().await.or_domain()?;
        let department = named_department(&mut write, caller, &form.department).await?;
        let slug = storage::courses::tenant(&mut write, tenant).await.or_domain()?.ok_or(Error::NotFound)?.slug;
        let currency = crate::catalogue::shelf(services, &mut write).await?.book(tenant).currency;
        let mut settings = QuotaSettings::reference(Money::units(budget, currency));
        settings.limits.cards = CardShare::whole(cards);
        let course =
            Course { id: CourseId::from_uuid(services.entropy.uuid()), tenant, namespace: courses::namespace(&slug, &code), code, name, settings };
        storage::courses::insert(&mut write, &course, services.clock.now()).await.map_err(taken)?;
        let place = Place { department: department.as_ref().map(|department| department.id), archived_at: None };
        storage::courses::set_place(&mut write, course.id, place).await.or_domain()?;
        audit::success(services, &mut write, caller, created(&course, department.as_ref())).await?;
        write.commit().await.or_domain()?;
        services.access_of_many_changed();
        Ok(course)
    })
    .await
}

/// The department of a form: none for an empty text. Errors: `Invalid` on `department`.
async fn named_department(connection: &mut AnyConnection, caller: &Caller, id: &str) -> Result<Option<Department>> {
    match courses::department_choice(id).map_err(|problem| Error::field("department", problem))? {
        None => Ok(None),
        Some(id) => crate::people::department_of(connection, caller, id).await.map(Some),
    }
}

/// Codes that differ in case only would share a namespace: taken as well.
pub(crate) fn taken(error: storage::Error) -> Error {
    let on = |table, column| error.is_not_unique(table, column);
    if on("courses", "tenant_id") || on("courses", "code") || on("courses", "namespace") {
        return Error::field("code", Problem::Taken);
    }
    crate::error::from_storage(error)
}

pub(crate) fn created(course: &Course, department: Option<&Department>) -> Entry {
    // Without `..`: a new field must be classed before this compiles.
    let Course { id, tenant: _, code, name, namespace, settings } = course;
    Entry::new("course.create", "course", id, code.as_str())
        .course(*id)
        .after(json!({"code": code, "name": name, "namespace": namespace, "settings": settings, "department": department.map(|department| &department.name)}))
}

#[cfg(test)]
mod tests;
