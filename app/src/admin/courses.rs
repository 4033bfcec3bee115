//! Courses with what they may use, and a form for a new one.

use leptos::{prelude::*, server_fn::ServerFn};

use super::api::CreateCourse;
use crate::{
    caller_view::use_viewer,
    components::{Button, ButtonKind, Card, ErrorNotice, PageHead, TextField},
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language,
    quotas::meters::CourseQuotas,
};

#[component]
pub fn CoursesPage() -> impl IntoView {
    let language = language::current();
    let failed = flash("course");
    let viewer = use_viewer();
    view! {
        <PageHead title=td_string!(language, admin.courses) lead=td_string!(language, admin.courses_lead)/>
        <div class="cols main-side">
            <div class="stack"><CourseQuotas/></div>
            <aside class="stack">
                <Suspense>
                    {move || {
                        let may_add = viewer.person().is_some_and(|person| person.has_role("administrator"));
                        failed.get().filter(|_| may_add).map(|failed| view! { <NewCourse failed/> })
                    }}
                </Suspense>
            </aside>
        </div>
    }
}

#[component]
fn NewCourse(failed: Flash) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let typed = failed.clone();
    let value = move |field| typed.value(field).to_owned();
    let problem = move |field| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    view! {
        <Card title=td_string!(language, admin.new_course)>
            <form class="stack" method="post" action=CreateCourse::PATH>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                <TextField
                    name="code"
                    label=td_string!(language, admin.code)
                    help=td_string!(language, admin.code_help)
                    value=value("code")
                    error=problem("code")
                    maxlength=24
                />
                <TextField name="name" label=td_string!(language, admin.course_name) value=value("name") error=problem("name") maxlength=100/>
                <TextField
                    name="budget"
                    label=td_string!(language, admin.budget)
                    value=value("budget")
                    error=problem("budget")
                    input_mode="numeric"
                    unit="CNY"
                />
                <TextField
                    name="cards"
                    label=td_string!(language, admin.cards)
                    help=td_string!(language, admin.cards_help)
                    value=value("cards")
                    error=problem("cards")
                    input_mode="numeric"
                    unit=td_string!(language, common.cards)
                />
                <Button kind=ButtonKind::Primary>{td_string!(language, admin.add_course)}</Button>
            </form>
        </Card>
    }
    .into_any()
}
