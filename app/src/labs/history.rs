//! What happened to a lab: every state it was in, what brought it and who.

use domain::{
    ids::UserId,
    labs::{LabEvent, LabState, StateChange},
};
use leptos::prelude::*;

use super::words::{brought_text, late_texts, state_kind, state_text};
use crate::{
    components::{MomentStyle, StatusKind, Timeline, TimelineItem},
    i18n::td_string,
    language,
};

#[component]
pub fn History(history: Vec<StateChange>, owner: UserId, is_job: bool) -> impl IntoView {
    let language = language::current();
    let last = history.len();
    let mut ran = false;
    let items = history
        .into_iter()
        .zip(1..)
        .map(|(change, number)| {
            // What is over was passed; only the last state is still so.
            let kind = if number == last || state_kind(change.to) == StatusKind::Bad { state_kind(change.to) } else { StatusKind::Ok };
            let again = is_job && change.cause == LabEvent::Lost.as_str();
            let brought = if again { td_string!(language, labs.cause_try_failed).to_owned() } else { brought_text(language, &change, owner) };
            // What ran and failed did start.
            let title = if ran && change.to == LabState::Failed { td_string!(language, labs.job_failed) } else { state_text(language, change.to) };
            ran = change.to == LabState::Running || ran && change.to != LabState::Pending;
            let about = std::iter::once(brought).chain(late_texts(language, &change)).collect::<Vec<_>>().join(" · ");
            view! {
                <TimelineItem at=change.at style=MomentStyle::Second kind title=title>{about}</TimelineItem>
            }
        })
        .collect_view();
    view! { <div role="log" aria-label=td_string!(language, labs.history)><Timeline wide=true>{items}</Timeline></div> }.into_any()
}
