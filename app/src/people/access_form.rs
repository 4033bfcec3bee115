//! Boxes for roles and courses, and the choice of a department.

use std::collections::BTreeSet;

use domain::{
    access::Role,
    courses::{COLLEGE, CourseRef, Department},
};
use leptos::prelude::*;

use crate::{
    components::CheckField,
    i18n::td_string,
    language::{self, Language},
    people::words::role_name,
};

/// A box for each role. `prefix` keeps several such groups on a page apart. `fixed` is ticked and stays so.
#[component]
pub fn RoleBoxes(roles: BTreeSet<Role>, #[prop(into)] prefix: String, #[prop(optional_no_strip)] fixed: Option<Role>) -> impl IntoView {
    let language = language::current();
    let boxes = Role::ALL
        .into_iter()
        .map(|role| {
            let stays = fixed == Some(role);
            view! {
                // A box that cannot be changed is not sent.
                {stays.then(|| view! { <input type="hidden" name=format!("access[{}]", role.as_str()) value="on"/> })}
                <label class="check">
                    <input
                        type="checkbox"
                        disabled=stays
                        id=format!("{prefix}-{}", role.as_str())
                        name=format!("access[{}]", role.as_str())
                        checked=roles.contains(&role)
                        value="on"
                    />
                    {role_name(language, role)}
                </label>
            }
        })
        .collect_view();
    let about = fixed.map(|_| view! { <p class="help">{td_string!(language, people.own_role_help)}</p> });
    view! { <fieldset class="field"><legend>{td_string!(language, people.roles)}</legend>{boxes}{about}</fieldset> }.into_any()
}

/// A box for each course.
#[component]
pub fn CourseBoxes(member_of: Vec<CourseRef>, courses: Vec<CourseRef>) -> impl IntoView {
    let language = language::current();
    let boxes = courses
        .into_iter()
        .enumerate()
        .map(|(index, course)| {
            let checked = member_of.iter().any(|own| own.id == course.id);
            view! {
                <CheckField
                    name=format!("access[courses][{index}]")
                    label=format!("{} {}", course.code, course.name)
                    checked
                    value=course.id.to_string()
                />
            }
        })
        .collect_view();
    view! {
        <fieldset class="field">
            <legend>{td_string!(language, people.courses)}</legend>
            <p class="help">{td_string!(language, people.courses_help)}</p>
            {boxes}
        </fieldset>
    }
    .into_any()
}

/// The college itself, then its departments.
pub fn places(language: Language, departments: &[Department]) -> Vec<(String, String)> {
    let college = (COLLEGE.to_owned(), td_string!(language, people.whole_college).to_owned());
    std::iter::once(college).chain(departments.iter().map(|department| (department.id.to_string(), department.name.clone()))).collect()
}
