//! What approving would mean: money and quota afterwards, free cards, who else waits (C3).

use domain::{
    gpu::CardShare,
    orders::{OrderState, OrderView, WhatIf},
    quotas::Item,
};
use leptos::prelude::*;

use crate::{
    components::{Meter, StatusKind},
    i18n::td_string,
    language,
    nodes::words::scattered,
    orders::{
        form::Prices,
        words::{pieces_text, share_text},
    },
    quotas::meters::item_amount,
};

#[component]
pub fn WhatIfPanel(view: OrderView, what_if: WhatIf) -> impl IntoView {
    let language = language::current();
    let order = view.order;
    let (card, needed) = (order.spec.card, order.spec.cards());
    let pieces = |count| pieces_text(language, card, count);
    let scattered = scattered(language, card, needed, order.spec.cards_per_node, what_if.cards_free, what_if.largest_free_node);
    let about_cards = match what_if.cards_free {
        _ if scattered.is_some() => scattered.unwrap_or_default(),
        None => td_string!(language, approvals.cards_unknown).to_owned(),
        Some(free) if free >= needed => {
            td_string!(language, approvals.cards_enough, free = pieces(free), asked = pieces(needed), left = pieces(free - needed)).to_string()
        }
        Some(free) => td_string!(language, approvals.cards_queue, free = pieces(free), asked = pieces(needed)).to_string(),
    };
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
                <p>{about_waiting}</p>
            </section>
            <section><h3>{td_string!(language, approvals.price_title)}</h3><Prices estimate/></section>
        </div>
    }
    .into_any()
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
