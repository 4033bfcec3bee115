//! People: search, invite, change access, disable and enable. A one-time link is in the answer that made it and nowhere else.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::{Path, State},
};
use domain::{
    Error, Problem as FieldProblem,
    access::Role,
    ids::{CourseId, TenantId},
    people::{Invitation, Person as DomainPerson, PersonFilter, PersonState, Post as DomainPost},
};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use services::people::links::{self, OneTimeLink};
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    dto::{Course, List, moment},
    orders::id,
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    #[schema(example = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e")]
    pub id: String,
    #[schema(example = "li.hua")]
    pub login: String,
    #[schema(example = "李华")]
    pub name: String,
    /// `active`, `invited` or `disabled`.
    #[schema(example = "active")]
    pub state: &'static str,
    /// At the college.
    #[schema(example = json!(["teacher"]))]
    pub roles: Vec<&'static str>,
    /// At departments.
    pub department_roles: Vec<Post>,
    pub courses: Vec<Course>,
    pub last_sign_in_at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Post {
    /// Id of the department.
    pub department: String,
    #[schema(example = "软件技术系")]
    pub name: String,
    #[schema(example = json!(["manager"]))]
    pub roles: Vec<&'static str>,
}

impl From<DomainPerson> for Account {
    fn from(DomainPerson { person, roles, posts, courses, state, last_sign_in_at }: DomainPerson) -> Self {
        let words = |roles: BTreeSet<Role>| roles.into_iter().map(Role::as_str).collect();
        let post =
            |DomainPost { department, roles }: DomainPost| Post { department: department.id.to_string(), name: department.name, roles: words(roles) };
        Self {
            id: person.id.to_string(),
            login: person.login,
            name: person.name,
            state: state.as_str(),
            roles: words(roles),
            department_roles: posts.into_iter().map(post).collect(),
            courses: courses.into_iter().map(Course::from).collect(),
            last_sign_in_at: last_sign_in_at.map(moment),
        }
    }
}

/// A one-time link, shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct Link {
    /// Whoever opens it sets the person's password.
    #[schema(example = "https://lectern.example.edu/join/lnk_…")]
    pub url: String,
    pub expires_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Invited {
    pub person: Account,
    pub link: Link,
}

#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct NewInvitation {
    #[schema(example = "li.hua")]
    login: String,
    #[schema(example = "李华")]
    name: String,
    /// Id of the department where the roles hold; left out for the whole college.
    department: Option<String>,
    /// Any of `teacher`, `manager`, `auditor`, `operator`, `administrator`, separated by commas or as a list.
    roles: Option<Words>,
    /// Ids of courses, separated by commas or as a list.
    courses: Option<Words>,
}

/// Several words: a text with commas, or a list as the API shows them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Words {
    #[schema(example = "")]
    Text(String),
    List(Vec<String>),
}

/// Roles and courses as they shall be, all of them. The person as shown is accepted too: courses as objects, and what access does not set as
/// it is.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct Access {
    /// Id of the department where the roles hold; left out for the college.
    department: Option<String>,
    /// Separated by commas or as a list; empty for none.
    roles: Words,
    /// Ids of courses, separated by commas or as a list, empty for none. Required without a department, refused with one.
    courses: Option<Words>,
}

fn parted(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn roles(text: &str) -> Result<BTreeSet<Role>, Error> {
    let choices = || Role::ALL.map(|role| role.as_str().to_owned()).to_vec();
    parted(text).map(|word| Role::parse(word).ok_or_else(|| Error::field("roles", FieldProblem::NotOneOf { choices: choices() }))).collect()
}

fn courses(text: &str) -> Result<BTreeSet<CourseId>, Error> {
    parted(text).map(|word| word.parse().map_err(|_| Error::field("courses", FieldProblem::NoSuch))).collect()
}

fn department(text: &str) -> Result<Option<TenantId>, Error> {
    domain::courses::department_choice(text).map_err(|problem| Error::field("department", problem))
}

fn shown(state: &AppState, headers: &HeaderMap, link: &OneTimeLink) -> Link {
    let site = app::caller::site_of(&state.services, headers);
    Link { url: format!("{site}{}", link.path()), expires_at: moment(link.open.expires_at) }
}

/// People that the token may see, by login.
#[utoipa::path(get, path = "/api/v1/people", tag = "people",
    params(("text" = Option<String>, Query, description = "Part of the login or the name"), ("role" = Option<String>, Query),
        ("state" = Option<String>, Query, description = "`active`, `invited` or `disabled`"), ("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Account>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<Account>>, Problem> {
    let filter = PersonFilter {
        text: query.text("text"),
        role: query.choice("role", Role::parse, || Role::ALL.map(|role| role.as_str().to_owned()).to_vec()),
        state: query.choice("state", PersonState::parse, || PersonState::ALL.map(|state| state.as_str().to_owned()).to_vec()),
    };
    let page = query.page();
    query.finish()?;
    Ok(Json(List::of(services::people::search(&state.services, &caller, &filter, &page).await?, Account::from)))
}

/// One person.
#[utoipa::path(get, path = "/api/v1/people/{id}", tag = "people", params(("id" = String, Path)), responses((status = 200, body = Account)))]
pub async fn show(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>) -> Result<Json<Account>, Problem> {
    Ok(Json(services::people::get(&state.services, &caller, id(&text)?).await?.person.into()))
}

/// Makes an account without a password, and the one-time link by which its owner sets one.
#[utoipa::path(post, path = "/api/v1/people", tag = "people", request_body = NewInvitation, responses((status = 200, body = Invited)))]
pub async fn invite(State(state): State<AppState>, Bearer(caller): Bearer, headers: HeaderMap, raw: Raw) -> Result<Json<Invited>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let invitation = Invitation { login: body.optional_text("login"), name: body.optional_text("name") };
    let (place, words, taught) = (body.optional_text("department"), body.optional_words("roles"), body.optional_words("courses"));
    body.finish()?;
    let access = links::Access { department: department(&place)?, roles: roles(&words)?, courses: courses(&taught)? };
    let (person, link) = links::invite(&state.services, &caller, &invitation, &access).await?;
    Ok(Json(Invited { person: person.into(), link: shown(&state, &headers, &link) }))
}

/// Makes a new invitation for somebody without a password; links made before stop working.
#[utoipa::path(post, path = "/api/v1/people/{id}/invite", tag = "people", params(("id" = String, Path)), responses((status = 200, body = Link)))]
pub async fn invite_again(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    headers: HeaderMap,
    raw: Raw,
) -> Result<Json<Link>, Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok(Json(shown(&state, &headers, &links::reissue(&state.services, &caller, id(&text)?).await?)))
}

/// Makes a link by which somebody sets a new password; their sessions end when they do.
#[utoipa::path(post, path = "/api/v1/people/{id}/reset", tag = "people", params(("id" = String, Path)),
    responses((status = 200, body = Link), (status = 409, description = "`invalid_transition` for somebody disabled")))]
pub async fn reset(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Path(text): Path<String>,
    headers: HeaderMap,
    raw: Raw,
) -> Result<Json<Link>, Problem> {
    Fields::parse(&raw)?.finish()?;
    Ok(Json(shown(&state, &headers, &links::reissue(&state.services, &caller, id(&text)?).await?)))
}

/// Replaces somebody's roles and courses at the college, or their roles at a department.
#[utoipa::path(post, path = "/api/v1/people/{id}/access", tag = "people", params(("id" = String, Path)), request_body = Access,
    responses((status = 200, body = Account), (status = 409, description = "`last_administrator`")))]
pub async fn set_access(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Account>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let (place, words) = (body.optional_text("department"), body.words("roles"));
    let taught = if matches!(department(&place), Ok(None)) {
        body.ids_in("courses");
        body.words("courses")
    } else {
        if body.has("courses") {
            body.unknown("courses");
        }
        body.ignore(&["courses"]);
        String::new()
    };
    let user = id(&text)?;
    if body.has_more() {
        body.unchanged(&Account::from(services::people::get(&state.services, &caller, user).await?.person));
    }
    body.finish()?;
    let person = match department(&place)? {
        Some(department) => services::people::set_post(&state.services, &caller, user, department, roles(&words)?).await?,
        None => services::people::set_access(&state.services, &caller, user, roles(&words)?, courses(&taught)?).await?,
    };
    Ok(Json(person.into()))
}

/// Disables somebody: sessions and tokens end at once.
#[utoipa::path(post, path = "/api/v1/people/{id}/disable", tag = "people", params(("id" = String, Path)),
    responses((status = 200, body = Account), (status = 409, description = "`last_administrator`")))]
pub async fn disable(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Account>, Problem> {
    Fields::parse(&raw)?.finish()?;
    let user = id(&text)?;
    services::people::disable(&state.services, &caller, user).await?;
    Ok(Json(services::people::get(&state.services, &caller, user).await?.person.into()))
}

/// Lets somebody disabled sign in again.
#[utoipa::path(post, path = "/api/v1/people/{id}/enable", tag = "people", params(("id" = String, Path)), responses((status = 200, body = Account)))]
pub async fn enable(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Account>, Problem> {
    Fields::parse(&raw)?.finish()?;
    let user = id(&text)?;
    services::people::enable(&state.services, &caller, user).await?;
    Ok(Json(services::people::get(&state.services, &caller, user).await?.person.into()))
}
