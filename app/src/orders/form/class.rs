//! The chapter of the seats and lessons: one lab or a whole class, at once or at lessons every week.

use domain::orders::class::{COUNTED, LEAD, LESSONS, NOW, ONE, ROSTER, SEATS_MAX, WEEKS_MAX};
use leptos::prelude::*;

use super::state::FormState;
use crate::{
    components::{Choice, ChoiceCards, TextField},
    i18n::td_string,
    language, routes,
};

#[component]
pub fn ClassFields(state: FormState) -> impl IntoView {
    view! { <Seats state/><Time state/> }.into_any()
}

/// The number of seats shows only beside its own choice, which the style sheet sees to: scripts are not needed for it.
#[component]
fn Seats(state: FormState) -> impl IntoView {
    let language = language::current();
    let typed = state.typed.get_untracked().class;
    let choice = |value: &str, name: String, about: String| Choice { value: value.to_owned(), name, about: Some(about), ..Choice::default() };
    let choices = vec![
        choice(ONE, td_string!(language, class.one).to_owned(), td_string!(language, class.one_about).to_owned()),
        choice(ROSTER, td_string!(language, class.roster).to_owned(), td_string!(language, class.roster_about).to_owned()),
        choice(COUNTED, td_string!(language, class.counted).to_owned(), td_string!(language, class.counted_about, max = SEATS_MAX).to_string()),
    ];
    // Anything but a choice is a number, as an address may say it.
    let plain = matches!(typed.seats.as_str(), ONE | ROSTER | COUNTED);
    let (seats, count) = if plain { (typed.seats, typed.seat_count) } else { (COUNTED.to_owned(), typed.seats) };
    view! {
        <div class="stack class-seats">
            <ChoiceCards
                name="seats"
                label=td_string!(language, class.seats)
                choices
                value=seats
                error=state.error("seats")
                on_change=Callback::new(move |text| state.put("seats", text))
            />
            <p class="fine when-roster">{move || roster(state)}</p>
            <div class="fields when-number">
                <TextField
                    name="seat_count"
                    label=td_string!(language, class.seat_count)
                    value=count
                    error=state.error("seat_count")
                    input_mode="numeric"
                    on_input=Callback::new(move |text| state.put("seat_count", text))
                />
            </div>
        </div>
    }
    .into_any()
}

/// How many students the chosen course has, and where that is changed.
fn roster(state: FormState) -> Option<AnyView> {
    let language = language::current();
    let context = state.context();
    let typed = state.typed.with(|form| form.course.clone());
    let course = context.courses.iter().find(|(course, _)| course.code == typed || course.id.to_string() == typed).map(|(course, _)| course)?;
    let students = context.students.get(&course.id).copied().unwrap_or_default();
    let text = if students == 0 {
        td_string!(language, class.no_students, code = course.code.as_str()).to_string()
    } else {
        td_string!(language, class.students, code = course.code.as_str(), count = students).to_string()
    };
    let href = format!("{}#students", routes::course(course.id));
    Some(view! { {text}" "<a href=href>{td_string!(language, class.to_roster)}</a> }.into_any())
}

#[component]
fn Time(state: FormState) -> impl IntoView {
    let language = language::current();
    let typed = state.typed.get_untracked().class;
    let choice =
        |value: &str, name: &str, about: String| Choice { value: value.to_owned(), name: name.to_owned(), about: Some(about), ..Choice::default() };
    let choices = vec![
        choice(NOW, td_string!(language, class.now), td_string!(language, class.now_about).to_owned()),
        choice(LESSONS, td_string!(language, class.lessons), td_string!(language, class.lessons_about, lead = LEAD).to_string()),
    ];
    let field = move |name: &'static str| Callback::new(move |text| state.put(name, text));
    view! {
        <div class="stack class-time">
            <ChoiceCards
                name="when"
                label=td_string!(language, class.when)
                choices
                value=typed.when
                error=state.error("when")
                on_change=field("when")
            />
            <div class="fields when-lessons">
                <TextField
                    name="first_day"
                    label=td_string!(language, class.first_day)
                    value=typed.first_day
                    error=state.error("first_day")
                    input_type="date"
                    on_input=field("first_day")
                />
                <TextField
                    name="bell"
                    label=td_string!(language, class.bell)
                    value=typed.bell
                    help=td_string!(language, class.bell_help)
                    error=state.error("bell")
                    input_type="time"
                    on_input=field("bell")
                />
                <TextField
                    name="weeks"
                    label=td_string!(language, class.weeks)
                    value=typed.weeks
                    help=td_string!(language, class.weeks_help, max = WEEKS_MAX).to_string()
                    error=state.error("weeks")
                    input_mode="numeric"
                    on_input=field("weeks")
                />
            </div>
        </div>
    }
    .into_any()
}
