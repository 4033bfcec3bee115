//! Who takes a course: a list to read, and for who may change it one text with a student a line.

use domain::{
    ids::CourseId,
    roster::{STUDENTS_MAX, Student, text},
};
use leptos::{prelude::*, server_fn::ServerFn};

use super::api::SetRoster;
use crate::{
    components::{Button, Card, ErrorNotice, TextArea},
    error::AppError,
    error_text::field_problem_text,
    flash::Flash,
    i18n::td_string,
    language,
};

#[component]
pub fn Roster(id: CourseId, students: Vec<Student>, may_write: bool, failed: Flash) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let count = students.len();
    let about = match count {
        0 => td_string!(language, courses.no_students).to_owned(),
        _ => td_string!(language, courses.student_count, count = count).to_string(),
    };
    let list = (!may_write && count > 0).then(|| {
        let items = students
            .iter()
            .map(|student| view! { <li><span class="mono">{student.number.clone()}</span>" "{student.name.clone()}</li> })
            .collect_view();
        view! { <ol class="plain-list">{items}</ol> }
    });
    let editor = may_write.then(|| {
        let problem = Signal::stored(failed.problem("roster").map(|problem| field_problem_text(language, problem)));
        // After a refused try what was typed stands.
        let typed = if failed.error.is_some() { failed.value("roster").to_owned() } else { text(&students) };
        view! {
            <form class="stack tight" method="post" action=SetRoster::PATH>
                <input type="hidden" name="id" value=id.to_string()/>
                <TextArea
                    name="roster"
                    label=td_string!(language, courses.roster_text)
                    help=td_string!(language, courses.roster_help, max = STUDENTS_MAX).to_string()
                    value=typed
                    error=problem
                    rows=8
                    optional=true
                />
                <div><Button>{td_string!(language, courses.save_roster)}</Button></div>
            </form>
        }
    });
    view! {
        <Card title=td_string!(language, courses.roster) id="students">
            {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
            <p class="muted">{about}</p>
            {list}
            {editor}
        </Card>
    }
    .into_any()
}
