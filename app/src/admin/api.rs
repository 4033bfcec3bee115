//! People and courses.

use domain::{courses::CourseRef, people::Person};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// Ticked boxes: each is present (`on`) when it is ticked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Access {
    pub teacher: Option<String>,
    pub manager: Option<String>,
    pub auditor: Option<String>,
    pub operator: Option<String>,
    pub administrator: Option<String>,
    /// Ids of courses.
    pub courses: Vec<String>,
}

impl Access {
    /// The roles that are ticked.
    pub fn roles(&self) -> std::collections::BTreeSet<domain::access::Role> {
        use domain::access::Role;
        [
            (Role::Teacher, &self.teacher),
            (Role::Manager, &self.manager),
            (Role::Auditor, &self.auditor),
            (Role::Operator, &self.operator),
            (Role::Administrator, &self.administrator),
        ]
        .into_iter()
        .filter_map(|(role, ticked)| ticked.is_some().then_some(role))
        .collect()
    }
}

#[server(ListPeople, endpoint = "people/list", input = GetUrl)]
pub async fn people() -> Result<Vec<Person>, AppError> {
    use crate::caller::{caller, services};
    Ok(services::people::list(&services()?, &caller()?).await?)
}

#[server(CreatePerson, endpoint = "people/create")]
pub async fn create_person(
    #[server(default)] login: String,
    #[server(default)] name: String,
    #[server(default)] password: String,
    #[server(default)] access: Access,
) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let typed = typed([("login", &login), ("name", &name)]);
    let person = domain::people::NewPerson { login, name, password };
    let result = async {
        let courses = ids(&access.courses)?;
        services::people::create(&services()?, &caller()?, &person, access.roles(), courses).await?;
        Ok(())
    }
    .await;
    answer("person", routes::PEOPLE, typed, result, |()| routes::PEOPLE.to_owned()).await
}

#[server(SetAccess, endpoint = "people/set-access")]
pub async fn set_access(id: String, #[server(default)] access: Access) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async {
        services::people::set_access(&services()?, &caller()?, id_of(&id)?, access.roles(), ids(&access.courses)?).await?;
        Ok(())
    }
    .await;
    answer("person", routes::PEOPLE, typed([]), result, |()| routes::PEOPLE.to_owned()).await
}

#[server(DisablePerson, endpoint = "people/disable")]
pub async fn disable(id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async { Ok(services::people::disable(&services()?, &caller()?, id_of(&id)?).await?) }.await;
    answer("person", routes::PEOPLE, typed([]), result, |()| routes::PEOPLE.to_owned()).await
}

#[server(EnablePerson, endpoint = "people/enable")]
pub async fn enable(id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async { Ok(services::people::enable(&services()?, &caller()?, id_of(&id)?).await?) }.await;
    answer("person", routes::PEOPLE, typed([]), result, |()| routes::PEOPLE.to_owned()).await
}

#[server(ListCourses, endpoint = "courses/list", input = GetUrl)]
pub async fn courses() -> Result<Vec<CourseRef>, AppError> {
    use crate::caller::{caller, services};
    Ok(services::courses::list(&services()?, &caller()?).await?)
}

#[server(CreateCourse, endpoint = "courses/create")]
pub async fn create_course(
    #[server(default)] code: String,
    #[server(default)] name: String,
    #[server(default)] budget: String,
    #[server(default)] cards: String,
) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let typed = typed([("code", &code), ("name", &name), ("budget", &budget), ("cards", &cards)]);
    let form = domain::courses::CourseForm { code, name, budget, cards };
    let result = async {
        services::courses::create(&services()?, &caller()?, &form).await?;
        Ok(())
    }
    .await;
    answer("course", routes::COURSES, typed, result, |()| routes::COURSES.to_owned()).await
}

#[cfg(feature = "ssr")]
fn ids(texts: &[String]) -> Result<std::collections::BTreeSet<domain::ids::CourseId>, AppError> {
    texts.iter().map(|text| crate::caller::id_of(text)).collect()
}
