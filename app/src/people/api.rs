//! People and what they may do.

use domain::{
    page::Page,
    people::{Person, PersonDetail},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// The search as it stands in the URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Query {
    pub text: String,
    pub role: String,
    pub state: String,
    pub after: String,
}

impl Query {
    /// Whether anything narrows the list.
    pub fn is_narrow(&self) -> bool {
        [&self.text, &self.role, &self.state].into_iter().any(|text| !text.is_empty())
    }
}

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
pub async fn people(#[server(default)] query: Query) -> Result<Page<Person>, AppError> {
    use domain::{
        access::Role,
        people::{PersonFilter, PersonState},
    };

    use crate::caller::{caller, services};
    let filter = PersonFilter { text: Some(query.text), role: Role::parse(&query.role), state: PersonState::parse(&query.state) };
    let page = domain::page::PageRequest { after: Some(query.after).filter(|after| !after.is_empty()), ..Default::default() };
    Ok(services::people::search(&services()?, &caller()?, &filter, &page).await?)
}

#[server(GetPerson, endpoint = "people/get", input = GetUrl)]
pub async fn person(id: String) -> Result<PersonDetail, AppError> {
    use crate::caller::{caller, id_of, services};
    Ok(services::people::get(&services()?, &caller()?, id_of(&id)?).await?)
}

/// A link that was made a moment ago, whole, for its maker; the second look finds nothing. Posted, so that it stands in no address.
#[server(TakeLink, endpoint = "people/take-link")]
#[cfg_attr(feature = "ssr", allow(clippy::unused_async, reason = "the macro writes it twice, and only one of the two never waits"))]
pub async fn take_link(id: String) -> Result<Option<String>, AppError> {
    use crate::caller::{caller, id_of, services, site};
    let link = services::people::links::take(&services()?, &caller()?, id_of(&id)?);
    link.map(|link| Ok(format!("{}{}", site()?, link.path()))).transpose()
}

#[server(InvitePerson, endpoint = "people/invite")]
pub async fn invite(
    #[server(default)] login: String,
    #[server(default)] name: String,
    #[server(default)] department: String,
    #[server(default)] access: Access,
) -> Result<String, AppError> {
    use domain::courses::department_choice;
    use services::people::links;

    use crate::{caller::*, routes};
    let typed = typed([("login", &login), ("name", &name), ("department", &department)]);
    let result = async {
        let (services, caller) = (services()?, caller()?);
        let department = department_choice(&department).map_err(|problem| domain::Error::field("department", problem))?;
        let access = links::Access { department, roles: access.roles(), courses: ids(&access.courses)? };
        let invitation = domain::people::Invitation { login, name };
        let (person, link) = links::invite(&services, &caller, &invitation, &access).await?;
        links::keep(&services, &caller, &link);
        Ok(routes::with_query(&routes::person(person.person.id), &[("link", &link.open.id.to_string())]))
    }
    .await;
    answer("invite", routes::PEOPLE, typed, result, Clone::clone).await
}

/// A new link in place of the one before: an invitation or a reset.
#[server(ReissueLink, endpoint = "people/link")]
pub async fn reissue(id: String) -> Result<String, AppError> {
    use services::people::links;

    use crate::{caller::*, routes};
    let result = async {
        let (services, caller) = (services()?, caller()?);
        let link = links::reissue(&services, &caller, id_of(&id)?).await?;
        links::keep(&services, &caller, &link);
        Ok(routes::with_query(&routes::person(&id), &[("link", &link.open.id.to_string())]))
    }
    .await;
    answer("person", routes::PEOPLE, typed([]), result, Clone::clone).await
}

#[server(RevokeLink, endpoint = "people/revoke-link")]
pub async fn revoke_link(id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async { Ok(services::people::links::revoke(&services()?, &caller()?, id_of(&id)?).await?) }.await;
    answer("person", routes::PEOPLE, typed([]), result, |()| routes::person(&id)).await
}

#[server(SetAccess, endpoint = "people/set-access")]
pub async fn set_access(id: String, #[server(default)] access: Access) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async {
        services::people::set_access(&services()?, &caller()?, id_of(&id)?, access.roles(), ids(&access.courses)?).await?;
        Ok(())
    }
    .await;
    answer("person", routes::PEOPLE, typed([]), result, |()| routes::person(&id)).await
}

/// Roles at a department.
#[server(SetPost, endpoint = "people/set-post")]
pub async fn set_post(id: String, #[server(default)] department: String, #[server(default)] access: Access) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async {
        services::people::set_post(&services()?, &caller()?, id_of(&id)?, id_of(&department)?, access.roles()).await?;
        Ok(())
    }
    .await;
    answer("person", routes::PEOPLE, typed([]), result, |()| routes::person(&id)).await
}

#[server(EndSessionsOf, endpoint = "people/end-sessions")]
pub async fn end_sessions(id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async {
        services::people::end_sessions(&services()?, &caller()?, id_of(&id)?).await?;
        Ok(())
    }
    .await;
    answer("person", routes::PEOPLE, typed([]), result, |()| routes::person(&id)).await
}

#[server(DisablePerson, endpoint = "people/disable")]
pub async fn disable(id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async { Ok(services::people::disable(&services()?, &caller()?, id_of(&id)?).await?) }.await;
    answer("person", routes::PEOPLE, typed([]), result, |()| routes::person(&id)).await
}

#[server(EnablePerson, endpoint = "people/enable")]
pub async fn enable(id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async { Ok(services::people::enable(&services()?, &caller()?, id_of(&id)?).await?) }.await;
    answer("person", routes::PEOPLE, typed([]), result, |()| routes::person(&id)).await
}

#[cfg(feature = "ssr")]
fn ids(texts: &[String]) -> Result<std::collections::BTreeSet<domain::ids::CourseId>, AppError> {
    texts.iter().map(|text| crate::caller::id_of(text)).collect()
}
