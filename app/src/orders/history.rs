//! What happened to an order, in the order in which it did: who decided which stage, what was changed, asked and answered.

use domain::{
    approvals::Outcome,
    decisions::Decision,
    orders::{OrderState, OrderView},
    time::Timestamp,
};
use leptos::prelude::*;

use super::words::{approver_within, rule_text};
use crate::{
    approvals::words::{by_text, change_text, step_kind, step_text},
    components::{StatusKind, Timeline, TimelineItem},
    i18n::td_string,
    language::{self, Language},
};

/// One line of the history.
struct Step {
    at: Timestamp,
    kind: StatusKind,
    title: &'static str,
    /// One a line.
    about: Vec<String>,
}

#[component]
pub fn History(view: OrderView) -> impl IntoView {
    let language = language::current();
    let past = steps(language, &view).into_iter().map(item).collect_view();
    let order = &view.order;
    let next = next_step(language, order.state, order.starts_at.filter(|_| view.queue_position.is_none()), order.expires_at).map(|step| {
        view! {
            <h3>{td_string!(language, orders.history_next)}</h3>
            <Timeline wide=true>{item(step)}</Timeline>
        }
    });
    view! { <Timeline wide=true>{past}</Timeline>{next} }.into_any()
}

fn item(step: Step) -> impl IntoView {
    let lines = step.about.into_iter().filter(|line| !line.is_empty()).map(|line| view! { <small>{line}</small> }).collect_view();
    view! { <TimelineItem at=step.at kind=step.kind title=step.title>{lines}</TimelineItem> }
}

/// What is planned to happen. `lesson`: when the lab of an order comes up that is in no line for cards.
fn next_step(language: Language, state: OrderState, lesson: Option<Timestamp>, expires_at: Timestamp) -> Option<Step> {
    let step = |at, kind, title| Some(Step { at, kind, title, about: Vec::new() });
    match (state, lesson) {
        (OrderState::PendingApproval | OrderState::AwaitingRequester, _) => {
            step(expires_at, StatusKind::Idle, td_string!(language, orders.event_expires))
        }
        (OrderState::Queued, Some(at)) => step(at, StatusKind::Wait, td_string!(language, class.event_due)),
        _ => None,
    }
}

/// Whether the time of its lesson came: not while it waits for that, nor when it ended before.
fn was_due(view: &OrderView) -> bool {
    match view.order.state {
        OrderState::Queued => view.queue_position.is_some(),
        OrderState::Rejected | OrderState::Cancelled => !view.labs.is_empty(),
        _ => true,
    }
}

fn steps(language: Language, view: &OrderView) -> Vec<Step> {
    let order = &view.order;
    let submitted = td_string!(language, orders.event_submitted_by, name = view.owner.name.as_str());
    let mut steps = vec![Step {
        at: order.submitted_at,
        kind: StatusKind::Ok,
        title: td_string!(language, orders.event_submitted),
        about: vec![format!("{submitted} · {}", td_string!(language, orders.event_held))],
    }];
    if let (Some(at), Outcome::Automatic) = (order.decided_at, &order.ruling.outcome) {
        let title = td_string!(language, orders.event_approved_by_policy);
        steps.push(Step { at, kind: StatusKind::Ok, title, about: vec![rule_text(language, &order.ruling)] });
    }
    steps.extend(view.steps.iter().map(|taken| step(language, taken)));
    if let Some(at) = order.queued_at.filter(|at| order.starts_at != Some(*at) || was_due(view)) {
        let about = view.queue_position.map(|place| td_string!(language, orders.queue_place, place = place).to_string());
        let title = if order.starts_at == Some(at) { td_string!(language, class.event_due) } else { td_string!(language, orders.event_queued) };
        steps.push(Step { at, kind: StatusKind::Wait, title, about: about.into_iter().collect() });
    }
    steps.sort_by_key(|step| step.at);
    steps
}

fn step(language: Language, taken: &Decision) -> Step {
    let role = taken.role.map(|role| approver_within(language, role));
    let who = match (by_text(language, taken), role) {
        (Some(by), Some(role)) => td_string!(language, decisions.by_as, name = by, role = role).to_string(),
        (Some(by), None) => by,
        (None, Some(role)) => td_string!(language, decisions.waited_for, role = role).to_string(),
        (None, None) => String::new(),
    };
    let mut about = vec![who, taken.text.clone()];
    about.extend(taken.changes.iter().map(|change| change_text(language, change)));
    Step { at: taken.at, kind: step_kind(taken.step), title: step_text(language, taken.step), about }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_still_to_come_is_no_part_of_what_happened() {
        let [lesson, expires] = [60, 120].map(|minutes| Timestamp::from_seconds(0).plus_minutes(minutes));
        let next = |state, lesson| next_step(Language::en, state, lesson, expires).map(|step| (step.at, step.title));
        assert_eq!(next(OrderState::Queued, Some(lesson)), Some((lesson, "Its lesson's time")));
        assert_eq!(next(OrderState::PendingApproval, Some(lesson)), Some((expires, "Cancelled by itself if nobody decides")));
        assert_eq!(next(OrderState::Queued, None), None);
        assert_eq!(next(OrderState::Fulfilled, Some(lesson)), None);
    }
}
