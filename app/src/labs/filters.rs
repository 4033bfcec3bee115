//! What labs are looked for: state by links, course and text by a form; all of it in the address.

use domain::{
    access::{Action, Reach},
    courses::CourseRef,
    labs::LabState,
};
use leptos::prelude::*;

use super::{changes::lab_courses, words::state_text};
use crate::{
    caller_view::use_viewer,
    components::{Button, Glyph, LinkItem, Segmented},
    i18n::td_string,
    language, routes,
};

/// In the address: also those that are destroyed.
pub const ALL: &str = "all";
/// Value in the address for labs that are not destroyed and whose owner left the course.
pub const LEFT: &str = "left";
/// Value in the address for running labs whose cards are unused.
pub const UNUSED: &str = "unused";
const OFFERED: [LabState; 4] = [LabState::Running, LabState::Stopped, LabState::Failed, LabState::Destroyed];

/// What the address asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub state: String,
    pub course: String,
    pub text: String,
    pub after: String,
}

impl Wanted {
    /// The address of the same with another state, from the newest.
    pub fn with_state(&self, state: &str) -> String {
        routes::with_query(routes::LABS, &[("state", state), ("course", &self.course), ("text", &self.text)])
    }
    /// The address of what follows.
    pub fn after(&self, after: &str) -> String {
        routes::with_query(routes::LABS, &[("state", &self.state), ("course", &self.course), ("text", &self.text), ("after", after)])
    }
    pub fn is_filtered(&self) -> bool {
        !(self.state.is_empty() && self.course.is_empty() && self.text.is_empty() && self.after.is_empty())
    }
}

#[component]
pub fn States(wanted: Wanted) -> impl IntoView {
    let language = language::current();
    let viewer = use_viewer();
    let items = move || {
        let link = |name: &str, text: &'static str| LinkItem::new(wanted.with_state(name), text, name == wanted.state);
        let mut items = vec![link("", td_string!(language, labs.filter_live))];
        items.extend(OFFERED.into_iter().map(|state| link(state.as_str(), state_text(language, state))));
        items.push(link(UNUSED, td_string!(language, idle.filter)));
        // Only for people who can see other people's labs.
        if viewer.person().is_some_and(|viewer| viewer.reach(Action::LabRead) > Reach::Own) {
            items.push(link(LEFT, td_string!(language, labs.filter_left)));
        }
        items.push(link(ALL, td_string!(language, labs.filter_all)));
        items
    };
    view! { <Transition>{move || view! { <Segmented label=td_string!(language, labs.filter) items=items()/> }}</Transition> }.into_any()
}

/// Course and text. A form that asks for the page again, so that it works without scripts and can be sent to a colleague.
#[component]
pub fn Search(wanted: Wanted) -> impl IntoView {
    let language = language::current();
    let courses = Resource::new(|| (), |()| lab_courses());
    let Wanted { state, course, text, .. } = wanted;
    view! {
        <form class="filters" role="search" method="get" action=routes::LABS>
            {(!state.is_empty()).then(|| view! { <input type="hidden" name="state" value=state/> })}
            <div class="field">
            <label class="sr" for="labs-text">{td_string!(language, lifecycle.search_text)}</label>
            <input
                class="input"
                type="search"
                id="labs-text"
                name="text"
                value=text
                maxlength="100"
                placeholder=td_string!(language, lifecycle.search_text)
            />
            </div>
            <Suspense>
                {move || courses.get().and_then(Result::ok).filter(|courses| courses.len() > 1).map(|courses| {
                    view! { <CourseSelect courses chosen=course.clone()/> }
                })}
            </Suspense>
            <div class="row"><Button icon=Glyph::Find>{td_string!(language, lifecycle.search)}</Button></div>
        </form>
    }
    .into_any()
}

#[component]
fn CourseSelect(courses: Vec<CourseRef>, chosen: String) -> impl IntoView {
    let language = language::current();
    let options = courses
        .into_iter()
        .map(|course| {
            let selected = course.code == chosen;
            view! { <option value=course.code.clone() selected=selected>{format!("{} {}", course.code, course.name)}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label class="sr" for="labs-course">{td_string!(language, labs.course)}</label>
            <select class="input" id="labs-course" name="course">
                <option value="">{td_string!(language, lifecycle.all_courses)}</option>
                {options}
            </select>
        </div>
    }
    .into_any()
}
