//! One order as its approver sees it: who asks for what and why, what approving would mean, and the two buttons.

use domain::orders::{ApprovalView, Order, OrderState};
use leptos::prelude::*;

use super::{
    class::{ClassLessons, DecideClass},
    decide::{DecideBar, Refused},
    proposal::ProposalPanel,
    talk::Talk,
    what_if::{Asked, WhatIfPanel},
    withdraw::WithdrawForm,
};
use crate::{
    caller_view::use_viewer,
    components::{Fact, Facts, Icon, MomentStyle, Notice, NoticeKind, StatusKind, moment_text},
    flash::Flash,
    i18n::td_string,
    language::{self, Language},
    orders::{
        class::ClassFacts,
        detail::SpecFacts,
        words::{approver_text, cards_text, change_text, duration_text, rule_text, size_text, state_text, view_text},
    },
    routes,
};

#[component]
pub fn Decision(
    view: ApprovalView,
    last_try: Flash,
    failed: RwSignal<Option<domain::Error>>,
    reload: Callback<()>,
    /// Whether the cheaper way is filled into the changes.
    take: bool,
) -> impl IntoView {
    let language = language::current();
    let ApprovalView { view, what_if, class, aid } = view;
    // One alone is decided as an order of its own.
    let class = class.filter(|class| class.orders > 1);
    let asked = Asked::of(&view.order, class.as_ref());
    let aid = aid.map(|aid| *aid);
    let taken = aid.as_ref().and_then(|aid| aid.cheaper.as_ref()).filter(|_| take).map(|cheaper| cheaper.parameters.clone()).unwrap_or_default();
    let offering = aid.as_ref().and_then(|aid| aid.offering.clone());
    let order = view.order.clone();
    let at = moment_text(order.submitted_at, MomentStyle::Minute);
    let (name, cards, duration) = (view.owner.name.as_str(), cards_text(&order.spec), duration_text(language, order.minutes));
    // Once it is decided, the class as it was asked for. While one of it is changed or waits alone, that one.
    let decided = order.class.filter(|class| class.orders() > 1 && order.decider().is_none());
    let together = class.as_ref().map(|class| (class.orders, class.total)).or_else(|| decided.map(|class| (class.orders(), order.in_all())));
    let asks = match together {
        Some((orders, _)) => td_string!(language, class.asks, name = name, orders = orders, cards = cards, duration = duration).to_string(),
        None if order.change.is_some() => {
            let change = order.change.as_ref().map(|change| change_text(language, change)).unwrap_or_default();
            td_string!(language, approvals.asks_change, name = name, change = change).to_string()
        }
        None => td_string!(language, approvals.asks, name = name, cards = cards, duration = duration).to_string(),
    };
    let name = order.offering_name.get(language::tag(language)).to_owned();
    let purpose = if order.purpose.is_empty() { td_string!(language, approvals.no_purpose).to_owned() } else { order.purpose.clone() };
    let may_decide = view.may_decide;
    let pending = order.state == OrderState::PendingApproval;
    let course = format!("{} {}", view.course.code, view.course.name);
    let total = together.map_or(order.estimate.total, |(_, total)| total).to_string();
    let rest = order.change.as_ref().filter(|_| pending).map(|_| view! { <p class="fine">{td_string!(language, approvals.change_rest)}</p> });
    let rule = ruled_by(language, &order);
    let spec = match &what_if.size_change {
        Some(change) => {
            let sizes = format!("{} → {}", size_text(language, &change.before), size_text(language, &order.spec));
            view! { <Fact name=td_string!(language, approvals.size)>{sizes}</Fact> }.into_any()
        }
        None => view! { <SpecFacts spec=order.spec.clone()/> }.into_any(),
    };
    let submitted = td_string!(language, approvals.submitted_at, number = order.number, at = at).to_string();
    let stages = view! { <Stages view=view.clone() outlook=what_if.outlook/> };
    // After the decision it is no question any more.
    let what_if = pending.then(|| {
        view! {
            <section class="stack">
                <h2>{td_string!(language, approvals.what_if)}</h2>
                <WhatIfPanel view=view.clone() what_if asked aid=aid.clone()/>
            </section>
        }
    });
    let proposal = view! { <ProposalPanel view=view.clone()/> };
    let withdraw = view.may_withdraw.then(|| view! { <WithdrawForm order=order.clone() last_try=last_try.clone()/> });
    let talk = view! { <Talk view=view.clone()/> };
    let class_facts = view! { <ClassFacts order=order.clone()/> };
    let lessons = class.clone().map(|class| view! { <ClassLessons card=order.spec.card class/> });
    let left = view.owner_left;
    let left_notice = (left && pending).then(|| {
        let (name, code) = (view.owner.name.as_str(), view.course.code.as_str());
        let title = td_string!(language, approvals.left_title, name = name, course = code).to_string();
        view! { <Notice kind=NoticeKind::Warn title>{td_string!(language, approvals.left_text)}</Notice> }
    });
    let refused = view! { <Refused last_try=last_try.error.clone() failed/> };
    let decide = if let (true, Some(class)) = (may_decide, class) {
        // A try that failed belongs to the form that it came from.
        let (whole, single) = if last_try.value("class").is_empty() { (Flash::default(), last_try) } else { (last_try, Flash::default()) };
        let about = td_string!(language, class.only_this, number = order.number, seat = order.seat.clone().unwrap_or_default()).to_string();
        view! {
            <DecideClass order=order.clone() class left last_try=whole/>
            <details class="more">
                <summary class="btn">{about}</summary>
                <DecideBar order left offering taken last_try=single failed reload/>
            </details>
        }
        .into_any()
    } else if may_decide {
        view! { <DecideBar order left offering taken last_try failed reload/> }.into_any()
    } else {
        view! { <NotYours own=is_own(&view) pending state=view_text(language, &view).to_owned() order=order.id/> }.into_any()
    };
    view! {
        <article class="decision stack loose" id="decision">
            {left_notice}
            <div class="stack">
                <div class="row between top">
                    <div>
                        <p class="fine">{submitted}</p>
                        <h2 class="asks">{asks}</h2>
                    </div>
                    <p class="big">{total}</p>
                </div>
                <p class="read soft">{purpose}</p>
                {rest}
                <Facts>
                    <Fact name=td_string!(language, approvals.course)>{course}</Fact>
                    <Fact name=td_string!(language, approvals.offering)>{name}</Fact>
                    {spec}
                    {class_facts}
                    <Fact name=td_string!(language, approvals.rule)>{rule}</Fact>
                </Facts>
                {lessons}
                {stages}
            </div>
            {proposal}
            {withdraw}
            {talk}
            {what_if}
            {refused}
            {decide}
        </article>
    }
    .into_any()
}

fn is_own(view: &domain::orders::OrderView) -> bool {
    use_viewer().person().is_some_and(|person| person.user_id == view.owner.id)
}

/// The rule's own name.
fn ruled_by(language: Language, order: &Order) -> String {
    match &order.ruling.rule {
        Some(rule) => rule.get(language::tag(language)).to_owned(),
        None => rule_text(language, &order.ruling),
    }
}

/// Why there are no buttons.
#[component]
fn NotYours(own: bool, pending: bool, state: String, order: domain::ids::OrderId) -> impl IntoView {
    let language = language::current();
    let (title, text) = match (pending, own) {
        (true, true) => (td_string!(language, approvals.own_title), td_string!(language, approvals.own_text).to_owned()),
        (true, false) => (td_string!(language, approvals.no_right_title), td_string!(language, approvals.no_right_text).to_owned()),
        (false, _) => (td_string!(language, approvals.decided_title), td_string!(language, approvals.decided_text, state = state).to_string()),
    };
    view! { <Notice title>{text}" "<a href=routes::order(order)>{td_string!(language, approvals.see_order)}</a></Notice> }.into_any()
}

/// Submitted, policy, one step for each stage, cards.
#[component]
fn Stages(view: domain::orders::OrderView, outlook: Option<domain::capacity::Outlook>) -> impl IntoView {
    let language = language::current();
    let order = &view.order;
    let until = moment_text(order.expires_at, MomentStyle::Minute);
    let open = matches!(order.state, OrderState::PendingApproval | OrderState::AwaitingRequester);
    let rule = order.ruling.rule.as_ref().map(|rule| rule.get(language::tag(language)).to_owned());
    let cards = match (order.starts_at, outlook) {
        // Whether there are cards at its time nobody knows.
        (Some(at), _) => td_string!(language, class.comes_up, at = moment_text(at, MomentStyle::Minute)).to_string(),
        (None, Some(outlook)) if outlook.wait.is_none() => td_string!(language, approvals.step_cards_free).to_owned(),
        (None, _) => td_string!(language, approvals.step_cards_queue).to_owned(),
    };
    let step = |kind: StatusKind, title: &'static str, about: String, current: bool| {
        view! {
            <li data-st=kind.name() aria-current=current.then_some("step")><Icon glyph=kind.glyph()/><b>{title}</b>{about}</li>
        }
    };
    let mut roles = order.ruling.outcome.stages().to_vec();
    if roles.is_empty() && open {
        roles.push(domain::access::Role::Manager);
    }
    let stages = (0..)
        .zip(roles)
        .map(|(number, role)| {
            let current = open && number == order.stage;
            let (kind, about) = match (number < order.stage, current) {
                (true, _) => (StatusKind::Ok, td_string!(language, decisions.stage_passed).to_owned()),
                (_, true) if order.state == OrderState::AwaitingRequester => (StatusKind::Wait, state_text(language, order.state).to_owned()),
                (_, true) if view.may_decide => (StatusKind::Wait, td_string!(language, approvals.step_you, until = until.as_str()).to_string()),
                (_, true) => (StatusKind::Wait, td_string!(language, approvals.step_other).to_owned()),
                _ if open => (StatusKind::Idle, td_string!(language, decisions.stage_later).to_owned()),
                _ => (StatusKind::Off, view_text(language, &view).to_owned()),
            };
            step(kind, approver_text(language, role), about, current)
        })
        .collect_view();
    view! {
        <ol class="steps" aria-label=td_string!(language, approvals.steps)>
            {step(StatusKind::Ok, td_string!(language, approvals.step_submitted), td_string!(language, approvals.step_submitted_about).to_owned(), false)}
            {step(StatusKind::Ok, td_string!(language, approvals.step_policy), rule.unwrap_or_default(), false)}
            {stages}
            {(open && order.change.is_none()).then(|| step(StatusKind::Idle, td_string!(language, approvals.step_cards), cards, false))}
        </ol>
    }
    .into_any()
}
