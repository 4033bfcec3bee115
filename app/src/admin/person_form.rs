//! The form for a new person, and the one for the access of somebody who is there.

use std::collections::BTreeSet;

use domain::{access::Role, courses::CourseRef, people::Person};
use leptos::{prelude::*, server_fn::ServerFn};

use super::api::{CreatePerson, SetAccess};
use crate::{
    components::{Button, ButtonKind, Card, CheckField, ErrorNotice, LinkButton, TextField},
    error::AppError,
    error_text::field_problem_text,
    flash::Flash,
    i18n::td_string,
    language,
    orders::words::role_text,
    routes,
};

#[component]
pub fn NewPersonForm(failed: Flash, courses: Vec<CourseRef>) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let typed = failed.clone();
    let value = move |field| typed.value(field).to_owned();
    let problem = move |field| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    view! {
        <Card title=td_string!(language, admin.new_person) id="new-person">
            <form class="stack" method="post" action=CreatePerson::PATH>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                <TextField
                    name="login"
                    label=td_string!(language, admin.login)
                    help=td_string!(language, admin.login_help)
                    value=value("login")
                    error=problem("login")
                    autocomplete="off"
                />
                <TextField name="name" label=td_string!(language, admin.name) value=value("name") error=problem("name") maxlength=100/>
                <TextField
                    name="password"
                    label=td_string!(language, admin.password)
                    help=td_string!(language, admin.password_help, min = domain::people::PASSWORD_MIN).to_string()
                    error=problem("password")
                    input_type="password"
                    autocomplete="new-password"
                />
                <AccessBoxes roles=BTreeSet::new() member_of=Vec::new() courses/>
                <Button kind=ButtonKind::Primary>{td_string!(language, admin.add_person)}</Button>
            </form>
        </Card>
    }
    .into_any()
}

#[component]
pub fn AccessForm(person: Person, courses: Vec<CourseRef>) -> impl IntoView {
    let language = language::current();
    let title = td_string!(language, admin.access_of, name = person.person.name.as_str()).to_string();
    view! {
        <Card title id="access">
            <form class="stack" method="post" action=SetAccess::PATH>
                <input type="hidden" name="id" value=person.person.id.to_string()/>
                <AccessBoxes roles=person.roles member_of=person.courses courses/>
                <div class="row">
                    <Button kind=ButtonKind::Primary>{td_string!(language, common.save)}</Button>
                    <LinkButton href=routes::PEOPLE kind=ButtonKind::Quiet>{td_string!(language, components.cancel)}</LinkButton>
                </div>
            </form>
        </Card>
    }
    .into_any()
}

#[component]
fn AccessBoxes(roles: BTreeSet<Role>, member_of: Vec<CourseRef>, courses: Vec<CourseRef>) -> impl IntoView {
    let language = language::current();
    let role_boxes = Role::ALL
        .into_iter()
        .map(|role| {
            view! {
                <CheckField name=format!("access[{}]", role.as_str()) label=role_text(language, role) checked=roles.contains(&role) value="on"/>
            }
        })
        .collect_view();
    let course_boxes = courses
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
        <fieldset class="field"><legend>{td_string!(language, admin.roles)}</legend>{role_boxes}</fieldset>
        <fieldset class="field">
            <legend>{td_string!(language, admin.courses)}</legend>
            <p class="help">{td_string!(language, admin.courses_help)}</p>
            {course_boxes}
        </fieldset>
    }
    .into_any()
}
