//! Departments, projects and outside customers: the tree of a college (D1). They are made and renamed, never deleted, since the audit
//! record and roles name them.

use domain::{
    Error, Problem, Result,
    access::{Action, Resource},
    courses::{Department, DepartmentKind, Tree, check_department},
    error::FieldErrors,
    ids::TenantId,
};
use serde_json::{Value, json};

use crate::{
    Caller, Services, accounts,
    audit::{self, Entry},
    error::OrDomain,
};

/// College, departments and courses, as far as the caller may see them. Two statements. Errors: `Forbidden`.
pub async fn tree(services: &Services, caller: &Caller) -> Result<Tree> {
    let tenant = caller.actor.tenant;
    let entry = || Entry::new(audit::action(Action::CourseRead), "course", "", "");
    audit::recording(services, caller, entry, async {
        let covered = caller.actor.extent(Action::CourseRead)?.courses();
        let college = accounts::tenant(services, tenant).await?.name;
        let mut connection = services.db.read().await.or_domain()?;
        let mut departments = storage::departments::list(&mut connection, tenant).await.or_domain()?;
        let mut courses = storage::departments::courses(&mut connection, tenant).await.or_domain()?;
        if let Some(covered) = covered {
            courses.retain(|placed| covered.contains(&placed.course.id));
            departments.retain(|department| caller.actor.departments.contains(&department.id));
        }
        Ok(Tree { college, departments, courses, may_write: may_write(caller).is_ok() })
    })
    .await
}

/// Errors: `Forbidden`; `Invalid` on `name` (also `Taken`), `kind`.
pub async fn create(services: &Services, caller: &Caller, name: &str, kind: &str) -> Result<Department> {
    let entry = || Entry::new("department.create", "department", "", name.trim().chars().take(60).collect::<String>());
    audit::recording(services, caller, entry, async {
        may_write(caller)?;
        let (name, kind) = check(name, kind)?;
        let department = Department { id: TenantId::from_uuid(services.entropy.uuid()), tenant: caller.actor.tenant, kind, name };
        let mut write = services.db.begin_write().await.or_domain()?;
        free(&mut write, &department).await?;
        storage::departments::insert(&mut write, &department, services.clock.now()).await.or_domain()?;
        audit::success(services, &mut write, caller, about(&department, "department.create").after(tracked(&department))).await?;
        write.commit().await.or_domain()?;
        Ok(department)
    })
    .await
}

/// Name and kind. Errors: `Forbidden`; `NotFound` also for another college's; `Invalid` on `name` (also `Taken`), `kind`.
pub async fn change(services: &Services, caller: &Caller, id: TenantId, name: &str, kind: &str) -> Result<Department> {
    let entry = || Entry::new("department.change", "department", id, "");
    audit::recording(services, caller, entry, async {
        may_write(caller)?;
        let (name, kind) = check(name, kind)?;
        let mut write = services.db.begin_write().await.or_domain()?;
        let before = storage::departments::by_id(&mut write, id).await.or_domain()?;
        let before = before.filter(|department| department.tenant == caller.actor.tenant).ok_or(Error::NotFound)?;
        let after = Department { name, kind, ..before.clone() };
        if after != before {
            free(&mut write, &after).await?;
            storage::departments::update(&mut write, &after).await.or_domain()?;
            let entry = about(&after, "department.change").before(tracked(&before)).after(tracked(&after));
            audit::success(services, &mut write, caller, entry).await?;
        }
        write.commit().await.or_domain()?;
        Ok(after)
    })
    .await
}

fn may_write(caller: &Caller) -> Result<()> {
    caller.actor.can(Action::CourseWrite, &Resource::tenant(caller.actor.tenant))
}

fn check(name: &str, kind: &str) -> Result<(String, DepartmentKind)> {
    let mut errors = FieldErrors::default();
    let name = check_department(name).unwrap_or_else(|problem| {
        errors.push("name", problem);
        String::new()
    });
    let kind = DepartmentKind::parse(kind.trim()).unwrap_or_else(|| {
        errors.push("kind", Problem::NotOneOf { choices: DepartmentKind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect() });
        DepartmentKind::Department
    });
    errors.finish()?;
    Ok((name, kind))
}

/// Lists name departments, so two of one name would be one too many. Errors: `Invalid` on `name`.
async fn free(write: &mut storage::Write, department: &Department) -> Result<()> {
    storage::dialect::lock(write, &format!("departments:{}", department.tenant)).await.or_domain()?;
    let all = storage::departments::list(write, department.tenant).await.or_domain()?;
    let taken = all.iter().any(|other| other.id != department.id && other.name == department.name);
    if taken { Err(Error::field("name", Problem::Taken)) } else { Ok(()) }
}

fn about(department: &Department, action: &str) -> Entry {
    Entry::new(action, "department", department.id, department.name.as_str())
}

/// Without `..`: a new field must be classed before this compiles.
fn tracked(department: &Department) -> Value {
    let Department { id: _, tenant: _, kind, name } = department;
    json!({"name": name, "kind": kind})
}

#[cfg(test)]
mod tests;
