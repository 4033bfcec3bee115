//! What approving would mean: money and quota afterwards, free cards, who else waits (C3).

use domain::{
    gpu::{Card, CardShare},
    orders::{Aid, ChangeTo, LabChange, OrderState, OrderView, Waiter, WhatIf},
    quotas::Item,
};
use leptos::prelude::*;

use crate::{
    approvals::cheaper::CheaperWay,
    components::{Meter, MomentStyle, StatusKind, moment_text},
    i18n::td_string,
    language,
    nodes::words::outlook_text,
    orders::{
        form::Prices,
        words::{pieces_text, share_text},
    },
    quotas::meters::item_amount,
    routes,
};

#[component]
pub fn WhatIfPanel(view: OrderView, what_if: WhatIf, aid: Option<Aid>) -> impl IntoView {
    let language = language::current();
    let order = view.order;
    let card = order.spec.card;
    let about_cards = match (&order.change, what_if.cards_free, what_if.outlook) {
        (Some(LabChange { to: ChangeTo::Extend { .. }, .. }), ..) => td_string!(language, approvals.cards_kept).to_owned(),
        (Some(_), Some(free), _) => td_string!(language, approvals.cards_resize, free = pieces_text(language, card, free)).to_string(),
        (None, Some(free), Some(outlook)) => outlook_text(language, &order.spec, free, outlook, order.starts_at.is_some()),
        _ => td_string!(language, approvals.cards_unknown).to_owned(),
    };
    let (id, cheaper) = (order.id, aid.as_ref().and_then(|aid| aid.cheaper.clone()));
    let waiters = aid.map(|aid| aid.waiters).unwrap_or_default();
    let named = !waiters.is_empty();
    let about_waiting = match what_if.waiting_for_same_card {
        0 => td_string!(language, approvals.waiting_none).to_owned(),
        count => td_string!(language, approvals.waiting_some, count = count).to_string(),
    };
    let (estimate, code) = (order.estimate.clone(), view.course.code);
    view! {
        <div class="whatif">
            <section>
                <h3>{td_string!(language, approvals.money_and_quota)}</h3>
                <Budget order=order.clone() code=code.clone() what_if=what_if.clone()/>
                <Cards order code what_if/>
            </section>
            <section>
                <h3>{td_string!(language, approvals.cards_title)}</h3>
                <p>{about_cards}</p>
                <h3>{td_string!(language, approvals.waiting_title)}</h3>
                {(!named).then(|| view! { <p>{about_waiting}</p> })}
                <Waiters waiters card/>
            </section>
            <section>
                <h3>{td_string!(language, decisions.cheaper_title)}</h3>
                <CheaperWay order=id cheaper/>
                <h3>{td_string!(language, approvals.price_title)}</h3>
                <Prices estimate/>
            </section>
        </div>
    }
    .into_any()
}

/// People of the tenant with what they wait for.
#[component]
fn Waiters(waiters: Vec<Waiter>, card: Card) -> impl IntoView {
    let language = language::current();
    if waiters.is_empty() {
        return None;
    }
    let items = waiters
        .into_iter()
        .map(|each| {
            let state = match each.state {
                OrderState::Queued => td_string!(language, decisions.waits_queued),
                OrderState::AwaitingRequester => td_string!(language, decisions.waits_requester),
                _ => td_string!(language, decisions.waits_pending),
            };
            let (owner, course, cards) = (each.owner.as_str(), each.course.as_str(), pieces_text(language, card, each.cards));
            let title = td_string!(language, decisions.waiter, owner = owner, course = course, cards = cards).to_string();
            let since = moment_text(each.since, MomentStyle::Minute);
            let about = td_string!(language, decisions.waiter_since, number = each.number, state = state, since = since).to_string();
            view! { <li><a href=routes::order(each.order)>{title}</a><small class="fine">" "{about}</small></li> }
        })
        .collect_view();
    Some(view! { <ul class="plain-list">{items}</ul> }.into_any())
}

/// The hold of an undecided or queued order is in the quota already: it is drawn apart from what others use.
fn holds(state: OrderState) -> bool {
    state.waits()
}

#[component]
fn Budget(order: domain::orders::Order, code: String, what_if: WhatIf) -> impl IntoView {
    let language = language::current();
    let budget = what_if.quota.budget;
    let left = budget.left();
    let this = if holds(order.state) { order.estimate.total } else { domain::money::Money::zero(left.currency) };
    let before = left.plus(this);
    let taken = budget.spent.plus(budget.held).minus(this);
    // Little left: later orders of this course will not fit.
    let tight = left.micros.saturating_mul(10) < budget.limit.micros;
    view! {
        <Meter
            label=td_string!(language, approvals.budget_of, code = code).to_string()
            figure=td_string!(language, approvals.budget_left, left = left.to_string()).to_string()
            used=taken.micros
            held=this.micros
            limit=budget.limit.micros
            nostrip:attention=tight.then_some(StatusKind::Warn)
            note=td_string!(language, approvals.budget_before, before = before.to_string()).to_string()
            end_note=td_string!(language, decisions.left_after, before = before.to_string(), after = left.to_string()).to_string()
        />
    }
    .into_any()
}

#[component]
fn Cards(order: domain::orders::Order, code: String, what_if: WhatIf) -> impl IntoView {
    let language = language::current();
    let quota = what_if.quota;
    let limit = quota.limits.get(Item::Cards);
    let in_use = quota.in_use().get(Item::Cards);
    let this = if holds(order.state) { order.amounts().get(Item::Cards) } else { 0 };
    let left = item_amount(language, Item::Cards, (limit - in_use).max(0));
    let today = quota.started_today;
    view! {
        <Meter
            label=td_string!(language, approvals.cards_of, code = code).to_string()
            figure=td_string!(language, approvals.quota_left, left = left).to_string()
            used=in_use - this
            held=this
            limit
            note=td_string!(language, approvals.this_order, amount = share_text(language, order.spec.card_share())).to_string()
            end_note=td_string!(language, components.of_limit, limit = item_amount(language, Item::Cards, limit)).to_string()
        />
        <Meter
            label=td_string!(language, approvals.today)
            figure=td_string!(language, approvals.today_value, used = today.to_string(), this = CardShare::from_parts(this).to_string())
                .to_string()
            end_note=td_string!(language, approvals.today_limit, limit = share_text(language, quota.starts_per_day)).to_string()
            used=today.parts()
            held=this
            limit=quota.starts_per_day.parts()
        />
    }
    .into_any()
}
