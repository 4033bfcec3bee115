//! The tree of the college, and one course.

use domain::{
    courses::{CourseDetail, Tree},
    quotas::{BudgetForm, QuotaForm},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

#[server(GetTree, endpoint = "courses/tree", input = GetUrl)]
pub async fn tree() -> Result<Tree, AppError> {
    use crate::caller::{caller, services};
    Ok(services::departments::tree(&services()?, &caller()?).await?)
}

#[server(GetCourse, endpoint = "courses/get", input = GetUrl)]
pub async fn course(id: String) -> Result<CourseDetail, AppError> {
    use crate::caller::{caller, id_of, services};
    Ok(services::courses::get(&services()?, &caller()?, id_of(&id)?).await?)
}

#[server(CreateCourse, endpoint = "courses/create")]
pub async fn create_course(
    #[server(default)] code: String,
    #[server(default)] name: String,
    #[server(default)] budget: String,
    #[server(default)] cards: String,
    #[server(default)] department: String,
) -> Result<String, AppError> {
    use crate::{caller::*, routes};
    let typed = typed([("code", &code), ("name", &name), ("budget", &budget), ("cards", &cards), ("department", &department)]);
    let form = domain::courses::CourseForm { code, name, budget, cards, department };
    let result = async { Ok(routes::course(services::courses::create(&services()?, &caller()?, &form).await?.id)) }.await;
    answer("course", routes::COURSES, typed, result, Clone::clone).await
}

#[server(CreateDepartment, endpoint = "departments/create")]
pub async fn create_department(#[server(default)] department_name: String, #[server(default)] kind: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let typed = typed([("department_name", &department_name), ("kind", &kind)]);
    let result = async {
        services::departments::create(&services()?, &caller()?, &department_name, &kind).await?;
        Ok(())
    }
    .await;
    answer("department", routes::COURSES, typed, result, |()| routes::COURSES.to_owned()).await
}

#[server(ChangeDepartment, endpoint = "departments/change")]
pub async fn change_department(id: String, #[server(default)] name: String, #[server(default)] kind: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async {
        services::departments::change(&services()?, &caller()?, id_of(&id)?, &name, &kind).await?;
        Ok(())
    }
    .await;
    answer("department", routes::COURSES, typed([]), result, |()| routes::COURSES.to_owned()).await
}

/// Name and department.
#[server(ChangeCourse, endpoint = "courses/change")]
pub async fn change_course(id: String, #[server(default)] name: String, #[server(default)] department: Option<String>) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let typed = typed([("name", &name)]);
    let result = async {
        let (services, caller) = (services()?, caller()?);
        services::courses::rename(&services, &caller, id_of(&id)?, &name).await?;
        if let Some(department) = &department {
            services::courses::move_to(&services, &caller, id_of(&id)?, department).await?;
        }
        Ok(())
    }
    .await;
    answer("course-change", routes::COURSES, typed, result, |()| routes::course(&id)).await
}

#[server(ArchiveCourse, endpoint = "courses/archive")]
pub async fn archive(id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async { Ok(services::courses::archive(&services()?, &caller()?, id_of(&id)?).await?) }.await;
    answer("course-change", routes::COURSES, typed([]), result, |()| routes::course(&id)).await
}

#[server(RestoreCourse, endpoint = "courses/restore")]
pub async fn restore(id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async { Ok(services::courses::restore(&services()?, &caller()?, id_of(&id)?).await?) }.await;
    answer("course-change", routes::COURSES, typed([]), result, |()| routes::course(&id)).await
}

#[server(AddMember, endpoint = "courses/add-member")]
pub async fn add_member(id: String, #[server(default)] login: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let typed = typed([("login", &login)]);
    let result = async {
        services::courses::add_member(&services()?, &caller()?, id_of(&id)?, &login).await?;
        Ok(())
    }
    .await;
    answer("member", routes::COURSES, typed, result, |()| routes::course(&id)).await
}

#[server(RemoveMember, endpoint = "courses/remove-member")]
pub async fn remove_member(id: String, #[server(default)] user: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async { Ok(services::courses::remove_member(&services()?, &caller()?, id_of(&id)?, id_of(&user)?).await?) }.await;
    answer("member", routes::COURSES, typed([]), result, |()| routes::course(&id)).await
}

/// One student a line.
#[server(SetRoster, endpoint = "courses/set-roster")]
pub async fn set_roster(id: String, #[server(default)] roster: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let typed = typed([("roster", &roster)]);
    let result = async {
        services::courses::set_roster(&services()?, &caller()?, id_of(&id)?, &roster).await?;
        Ok(())
    }
    .await;
    answer("roster", routes::COURSES, typed, result, |()| routes::course(&id)).await
}

/// `accept`: ticked to set limits below what is in use all the same.
#[server(SetQuota, endpoint = "courses/set-quota")]
pub async fn set_quota(id: String, #[server(default)] quota: QuotaForm, #[server(default)] accept: Option<String>) -> Result<(), AppError> {
    use services::courses::Below;

    use crate::{caller::*, routes};
    let typed = typed([
        ("cards", &quota.cards),
        ("cpu_cores", &quota.cpu_cores),
        ("memory_gib", &quota.memory_gib),
        ("storage_gib", &quota.storage_gib),
        ("running_labs", &quota.running_labs),
        ("cards_per_order", &quota.cards_per_order),
        ("starts_per_day", &quota.starts_per_day),
    ]);
    let below = if accept.is_some() { Below::Accept } else { Below::Refuse };
    let result = async { Ok(services::courses::set_quota(&services()?, &caller()?, id_of(&id)?, &quota, below).await?) }.await;
    answer("quota", routes::COURSES, typed, result, |()| routes::course(&id)).await
}

#[server(SetBudget, endpoint = "courses/set-budget")]
pub async fn set_budget(id: String, #[server(default)] budget: BudgetForm) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let typed = typed([
        ("amount", &budget.amount),
        ("from", &budget.from),
        ("to", &budget.to),
        ("notify", &budget.notify),
        ("approve", &budget.approve),
        ("block", &budget.block),
    ]);
    let result = async { Ok(services::courses::set_budget(&services()?, &caller()?, id_of(&id)?, &budget, &[]).await?) }.await;
    answer("budget", routes::COURSES, typed, result, |()| routes::course(&id)).await
}
