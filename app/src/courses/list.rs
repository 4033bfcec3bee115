//! College, departments and courses as a tree, what each course has left, and forms for new ones.

use domain::courses::{COLLEGE, Department, PlacedCourse, Tree};
use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    api::{ChangeDepartment, CreateCourse, CreateDepartment, tree},
    words::{kind_text, kinds},
};
use crate::{
    components::{Button, ButtonKind, Card, ErrorNotice, PageHead, SelectField, Skeleton, TextField},
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language::{self, Language},
    quotas::meters::CourseQuotas,
    routes,
};

#[component]
pub fn CoursesPage() -> impl IntoView {
    let language = language::current();
    let tree = Resource::new(|| (), |()| tree());
    let (course_failed, department_failed) = (flash("course"), flash("department"));
    view! {
        <PageHead title=td_string!(language, courses.title) lead=td_string!(language, courses.lead)/>
        <div class="cols main-side">
            <div class="stack">
                <Suspense fallback=|| view! { <Skeleton/> }>
                    {move || tree.get().map(|tree| match tree {
                        Ok(tree) => view! { <TreeView tree/> }.into_any(),
                        Err(error) => view! { <ErrorNotice error/> }.into_any(),
                    })}
                </Suspense>
                <CourseQuotas/>
            </div>
            <aside class="stack">
                <Suspense>
                    {move || {
                        let (tree, course, department) = (tree.get()?.ok()?, course_failed.get()?, department_failed.get()?);
                        tree.may_write.then(|| view! {
                            <NewCourse failed=course departments=tree.departments/>
                            <NewDepartment failed=department/>
                        })
                    }}
                </Suspense>
            </aside>
        </div>
    }
}

#[component]
fn TreeView(tree: Tree) -> impl IntoView {
    let language = language::current();
    let Tree { college, departments, courses, may_write } = tree;
    let of = |place: Option<&Department>| {
        let id = place.map(|department| department.id);
        courses.iter().filter(|placed| placed.department == id).map(|placed| course_item(language, placed)).collect_view()
    };
    let own = of(None);
    let below = departments
        .iter()
        .map(|department| {
            let edit = may_write.then(|| view! { <EditDepartment department=department.clone()/> });
            view! {
                <li>
                    <b>{department.name.clone()}</b>" "<span class="fine">{kind_text(language, department.kind)}</span>
                    <ul>{of(Some(department))}</ul>
                    {edit}
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title=college id="tree">
            <ul class="tree">{below}{own}</ul>
        </Card>
    }
    .into_any()
}

fn course_item(language: Language, placed: &PlacedCourse) -> impl IntoView + use<> {
    let archived = placed.archived.then(|| view! { <span class="fine">" "{td_string!(language, courses.archived)}</span> });
    view! {
        <li>
            <a href=routes::course(placed.course.id)><span class="mono">{placed.course.code.clone()}</span>" "{placed.course.name.clone()}</a>
            {archived}
        </li>
    }
}

#[component]
fn EditDepartment(department: Department) -> impl IntoView {
    let language = language::current();
    view! {
        <details class="fold">
            <summary class="btn small" data-kind="quiet">{td_string!(language, courses.rename)}</summary>
            <form class="stack tight" method="post" action=ChangeDepartment::PATH>
                <input type="hidden" name="id" value=department.id.to_string()/>
                <input
                    class="input"
                    name="name"
                    value=department.name
                    required=true
                    maxlength="60"
                    aria-label=td_string!(language, courses.department_name)
                />
                <input type="hidden" name="kind" value=department.kind.as_str()/>
                <div><Button small=true>{td_string!(language, common.save)}</Button></div>
            </form>
        </details>
    }
    .into_any()
}

#[component]
fn NewDepartment(failed: Flash) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let typed = failed.clone();
    let problem = move |field| Signal::stored(typed.problem(field).map(|problem| field_problem_text(language, problem)));
    let kind = Some(failed.value("kind").to_owned()).filter(|kind| !kind.is_empty()).unwrap_or_else(|| "department".to_owned());
    view! {
        <Card title=td_string!(language, courses.new_department) id="new-department">
            <form class="stack" method="post" action=CreateDepartment::PATH>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                <TextField
                    name="department_name"
                    label=td_string!(language, courses.department_name)
                    value=failed.value("department_name").to_owned()
                    error=problem("name")
                    maxlength=60
                />
                <SelectField name="kind" label=td_string!(language, courses.kind) choices=kinds(language) value=kind error=problem("kind")/>
                <div><Button>{td_string!(language, courses.add_department)}</Button></div>
            </form>
        </Card>
    }
    .into_any()
}

#[component]
fn NewCourse(failed: Flash, departments: Vec<Department>) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let typed = failed.clone();
    let value = move |field| typed.value(field).to_owned();
    let problem = move |field| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    let choices = places(language, &departments);
    view! {
        <Card title=td_string!(language, courses.new_course) id="new-course">
            <form class="stack" method="post" action=CreateCourse::PATH>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                <TextField
                    name="code"
                    label=td_string!(language, courses.code)
                    help=td_string!(language, courses.code_help)
                    value=value("code")
                    error=problem("code")
                    maxlength=24
                />
                <TextField name="name" label=td_string!(language, courses.course_name) value=value("name") error=problem("name") maxlength=100/>
                <SelectField
                    name="department"
                    label=td_string!(language, courses.department)
                    choices
                    value=Some(value("department")).filter(|chosen| !chosen.is_empty()).unwrap_or_else(|| COLLEGE.to_owned())
                    error=problem("department")
                />
                <TextField
                    name="budget"
                    label=td_string!(language, courses.budget)
                    value=value("budget")
                    error=problem("budget")
                    input_mode="numeric"
                    unit="CNY"
                />
                <TextField
                    name="cards"
                    label=td_string!(language, courses.cards)
                    help=td_string!(language, courses.cards_help)
                    value=value("cards")
                    error=problem("cards")
                    input_mode="numeric"
                    unit=td_string!(language, common.cards)
                />
                <Button kind=ButtonKind::Primary>{td_string!(language, courses.add_course)}</Button>
            </form>
        </Card>
    }
    .into_any()
}

/// The college itself, then its departments.
pub(super) fn places(language: Language, departments: &[Department]) -> Vec<(String, String)> {
    let college = (COLLEGE.to_owned(), td_string!(language, courses.no_department).to_owned());
    std::iter::once(college).chain(departments.iter().map(|department| (department.id.to_string(), department.name.clone()))).collect()
}
