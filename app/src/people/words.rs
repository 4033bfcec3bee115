//! Words for people.

use domain::{
    access::Role,
    people::{Person, PersonState, device},
};
use std::collections::BTreeSet;

use crate::{components::StatusKind, i18n::td_string, language::Language};

/// The role as a title; `orders::words::role_text` is the subject of a sentence.
pub fn role_name(language: Language, role: Role) -> &'static str {
    match role {
        Role::Teacher => td_string!(language, people.role_teacher),
        Role::Manager => td_string!(language, people.role_manager),
        Role::Auditor => td_string!(language, people.role_auditor),
        Role::Operator => td_string!(language, people.role_operator),
        Role::Administrator => td_string!(language, people.role_administrator),
    }
}

pub fn state_text(language: Language, state: PersonState) -> &'static str {
    match state {
        PersonState::Active => td_string!(language, people.active),
        PersonState::Invited => td_string!(language, people.invited),
        PersonState::Disabled => td_string!(language, people.disabled),
    }
}

pub const fn state_kind(state: PersonState) -> StatusKind {
    match state {
        PersonState::Active => StatusKind::Ok,
        PersonState::Invited => StatusKind::Wait,
        PersonState::Disabled => StatusKind::Off,
    }
}

pub fn roles_text(language: Language, roles: &BTreeSet<Role>) -> String {
    roles.iter().map(|role| role_name(language, *role)).collect::<Vec<_>>().join(td_string!(language, common.list_comma))
}

/// Roles at the college, then those at departments with their names.
pub fn all_roles_text(language: Language, person: &Person) -> String {
    let mut parts: Vec<_> = person.roles.iter().map(|role| role_name(language, *role).to_owned()).collect();
    parts.extend(person.posts.iter().map(|post| {
        let (roles, department) = (roles_text(language, &post.roles), post.department.name.as_str());
        td_string!(language, people.roles_at, roles = roles, department = department).to_string()
    }));
    parts.join(td_string!(language, common.list_comma))
}

/// `Firefox, Windows`; what the browser says of itself where that is not known.
pub fn device_text(language: Language, agent: &str) -> String {
    match device(agent) {
        ("", "") if agent.is_empty() => td_string!(language, people.unknown_device).to_owned(),
        ("", "") => agent.chars().take(40).collect(),
        (one, "") | ("", one) => one.to_owned(),
        (browser, system) => format!("{browser}{}{system}", td_string!(language, common.list_comma)),
    }
}
