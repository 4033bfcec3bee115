//! What happened to a lab: every state it was in, what brought it and who.

use domain::labs::StateChange;
use leptos::prelude::*;

use super::words::{cause_text, late_texts, state_kind, state_text};
use crate::{
    components::{MomentStyle, StatusKind, Timeline, TimelineItem},
    i18n::td_string,
    language,
};

#[component]
pub fn History(history: Vec<StateChange>) -> impl IntoView {
    let language = language::current();
    let last = history.len();
    let items = history
        .into_iter()
        .zip(1..)
        .map(|(change, number)| {
            // What is over was passed; only the last state is still so.
            let kind = if number == last || state_kind(change.to) == StatusKind::Bad { state_kind(change.to) } else { StatusKind::Ok };
            let by = change.by.as_ref().map(|person| td_string!(language, labs.by, name = person.name.as_str()).to_string());
            let about =
                [Some(cause_text(language, &change)), by].into_iter().flatten().chain(late_texts(language, &change)).collect::<Vec<_>>().join(" · ");
            view! {
                <TimelineItem at=change.at style=MomentStyle::Second kind title=state_text(language, change.to)>{about}</TimelineItem>
            }
        })
        .collect_view();
    view! { <div role="log" aria-label=td_string!(language, labs.history)><Timeline wide=true>{items}</Timeline></div> }.into_any()
}
