//! What happened to an order, in the order in which it did.

use domain::{
    approvals::Outcome,
    orders::{OrderState, OrderView},
    time::Timestamp,
};
use leptos::prelude::*;

use super::words::rule_text;
use crate::{
    components::{StatusKind, Timeline, TimelineItem},
    i18n::td_string,
    language::{self, Language},
};

/// One line of the history.
struct Step {
    at: Timestamp,
    kind: StatusKind,
    title: &'static str,
    about: String,
}

#[component]
pub fn History(view: OrderView) -> impl IntoView {
    let items = steps(language::current(), &view)
        .into_iter()
        .map(|step| view! { <TimelineItem at=step.at kind=step.kind title=step.title>{step.about}</TimelineItem> })
        .collect_view();
    view! { <Timeline wide=true>{items}</Timeline> }.into_any()
}

fn steps(language: Language, view: &OrderView) -> Vec<Step> {
    let order = &view.order;
    let mut steps = vec![Step {
        at: order.submitted_at,
        kind: StatusKind::Ok,
        title: td_string!(language, orders.event_submitted),
        about: format!(
            "{} · {}",
            td_string!(language, orders.event_submitted_by, name = view.owner.name.as_str()),
            td_string!(language, orders.event_held)
        ),
    }];
    if let Some(at) = order.decided_at {
        let by = view.decided_by.as_ref().map(|person| td_string!(language, orders.event_submitted_by, name = person.name.as_str()).to_string());
        let about = by.unwrap_or_else(|| rule_text(language, &order.ruling));
        steps.push(match (order.state, order.ruling.outcome) {
            (OrderState::Rejected, _) => Step { at, kind: StatusKind::Off, title: td_string!(language, orders.event_rejected), about },
            (OrderState::Cancelled, Outcome::Approval(_)) if view.decided_by.is_none() => {
                Step { at, kind: StatusKind::Off, title: td_string!(language, orders.event_cancelled), about: String::new() }
            }
            (_, Outcome::Automatic) => Step { at, kind: StatusKind::Ok, title: td_string!(language, orders.event_approved_by_policy), about },
            _ => Step { at, kind: StatusKind::Ok, title: td_string!(language, orders.event_approved), about },
        });
    }
    if let Some(at) = order.queued_at {
        let about = view.queue_position.map(|place| td_string!(language, orders.queue_place, place = place).to_string());
        steps.push(Step { at, kind: StatusKind::Wait, title: td_string!(language, orders.event_queued), about: about.unwrap_or_default() });
    }
    steps.sort_by_key(|step| step.at);
    if order.state == OrderState::PendingApproval {
        steps.push(Step { at: order.expires_at, kind: StatusKind::Idle, title: td_string!(language, orders.event_expires), about: String::new() });
    }
    steps
}
