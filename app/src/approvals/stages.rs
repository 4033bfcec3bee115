//! The stages of an order, across: passed, waiting, to come.

use domain::{
    decisions::{Decision, Step},
    orders::{Order, OrderState},
};
use leptos::prelude::*;

use super::words::by_text;
use crate::{
    components::{Icon, StatusKind},
    i18n::td_string,
    language,
    orders::words::{approver_text, state_text},
};

#[component]
pub fn StageSteps(order: Order, steps: Vec<Decision>) -> impl IntoView {
    let language = language::current();
    let roles = order.ruling.outcome.stages().to_vec();
    let open = matches!(order.state, OrderState::PendingApproval | OrderState::AwaitingRequester);
    let items = (0..)
        .zip(roles)
        .map(|(number, role)| {
            let current = open && number == order.stage;
            let passed = number < order.stage;
            let by = steps
                .iter()
                .rev()
                .find(|step| step.stage == number && matches!(step.step, Step::Approve | Step::Change | Step::Propose | Step::Reject))
                .and_then(|step| by_text(language, step));
            let (kind, about) = match (passed, current) {
                (true, _) => (StatusKind::Ok, td_string!(language, decisions.stage_passed)),
                (_, true) if order.state == OrderState::AwaitingRequester => (StatusKind::Wait, state_text(language, order.state)),
                (_, true) => (StatusKind::Wait, td_string!(language, decisions.stage_waits)),
                _ if open => (StatusKind::Idle, td_string!(language, decisions.stage_later)),
                _ => (StatusKind::Off, td_string!(language, decisions.stage_not)),
            };
            let about = by.map_or_else(|| about.to_owned(), |by| format!("{about} · {by}"));
            view! {
                <li data-st=kind.name() aria-current=current.then_some("step")>
                    <Icon glyph=kind.glyph()/>
                    <b>{approver_text(language, role)}</b>
                    {about}
                </li>
            }
        })
        .collect_view();
    view! { <ol class="steps" aria-label=td_string!(language, decisions.stages)>{items}</ol> }.into_any()
}
