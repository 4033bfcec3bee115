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
    let items = steps(language::current(), &view)
        .into_iter()
        .map(|step| {
            let lines = step.about.into_iter().filter(|line| !line.is_empty()).map(|line| view! { <small>{line}</small> }).collect_view();
            view! { <TimelineItem at=step.at kind=step.kind title=step.title>{lines}</TimelineItem> }
        })
        .collect_view();
    view! { <Timeline wide=true>{items}</Timeline> }.into_any()
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
    if let Some(at) = order.queued_at {
        let about = view.queue_position.map(|place| td_string!(language, orders.queue_place, place = place).to_string());
        let title = if order.starts_at == Some(at) { td_string!(language, class.event_due) } else { td_string!(language, orders.event_queued) };
        steps.push(Step { at, kind: StatusKind::Wait, title, about: about.into_iter().collect() });
    }
    steps.sort_by_key(|step| step.at);
    if matches!(order.state, OrderState::PendingApproval | OrderState::AwaitingRequester) {
        steps.push(Step { at: order.expires_at, kind: StatusKind::Idle, title: td_string!(language, orders.event_expires), about: Vec::new() });
    }
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
