//! An administrator's part: what is missing before teaching can begin, and the people.

use domain::dashboard::{Dashboard, Step};
use leptos::prelude::*;

use super::figure::Figure;
use crate::{
    components::{Card, Section, Status, StatusKind},
    i18n::td_string,
    language::Language,
    routes,
};

/// Where a step is done.
pub const fn step_link(step: Step) -> &'static str {
    match step {
        Step::Course => routes::COURSES,
        Step::Teacher | Step::Manager | Step::Auditor => routes::PEOPLE,
        Step::Cards => routes::CLUSTER,
    }
}

fn step_text(language: Language, step: Step) -> &'static str {
    match step {
        Step::Course => td_string!(language, home.step_course),
        Step::Teacher => td_string!(language, home.step_teacher),
        Step::Manager => td_string!(language, home.step_manager),
        Step::Auditor => td_string!(language, home.step_auditor),
        Step::Cards => td_string!(language, home.step_cards),
    }
}

pub fn administering(language: Language, page: &Dashboard) -> AnyView {
    let Some(part) = page.administering else { return ().into_any() };
    let notes = [
        (part.never_signed_in > 0).then(|| td_string!(language, home.never_note, count = part.never_signed_in).to_string()),
        (part.disabled > 0).then(|| td_string!(language, home.disabled_note, count = part.disabled).to_string()),
    ];
    let note = notes.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    view! {
        {(!part.is_set_up()).then(|| steps(language, part.steps()))}
        <Section title=td_string!(language, home.administering)>
            <div class="figures">
                <Figure
                    name=td_string!(language, home.people)
                    value=td_string!(language, home.people_count, count = part.people).to_string()
                    note=note
                    href=routes::PEOPLE
                />
                <Figure
                    name=td_string!(language, home.courses)
                    value=td_string!(language, home.courses_count, count = part.courses).to_string()
                    href=routes::COURSES
                />
            </div>
        </Section>
    }
    .into_any()
}

fn steps(language: Language, steps: [(Step, bool); 5]) -> impl IntoView {
    let items = steps
        .into_iter()
        .map(|(step, done)| {
            let (kind, word) =
                if done { (StatusKind::Ok, td_string!(language, home.done)) } else { (StatusKind::Idle, td_string!(language, home.to_do)) };
            view! {
                <li class="row between">
                    <span><Status kind>{word}</Status>" "{step_text(language, step)}</span>
                    {(!done).then(|| view! { <a class="btn small" href=step_link(step)>{td_string!(language, home.go)}</a> })}
                </li>
            }
        })
        .collect_view();
    view! { <Card title=td_string!(language, home.steps)><ol class="plain-list">{items}</ol></Card> }
}
