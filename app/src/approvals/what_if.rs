//! What approving would mean: money and quota afterwards, free cards, who else waits (C3).

use domain::{
    gpu::{Card, CardShare},
    money::Money,
    orders::{Aid, ChangeTo, ClassWaiting, LabChange, LaterEnd, Order, OrderState, OrderView, SizeChange, Waiter, WhatIf},
    pricing::Estimate,
    quotas::Item,
};
use leptos::prelude::*;

use crate::{
    approvals::cheaper::CheaperWay,
    components::{Meter, MomentStyle, StatusKind, moment_text},
    error_text::no_room_text,
    i18n::td_string,
    language::{self, Language},
    nodes::words::outlook_text,
    orders::{
        class::PriceInAll,
        form::{Prices, quota_day_text},
        words::{duration_text, pieces_text, share_text},
    },
    quotas::meters::item_amount,
    routes,
};

/// What is decided with one press: an order, or all that waits of its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    money: Money,
    /// That run together: of a class those of the order's lesson.
    cards: CardShare,
    /// How many orders of a class.
    class: Option<u32>,
}

impl Asked {
    /// `class`: where all that waits of it is decided together.
    pub fn of(order: &Order, class: Option<&ClassWaiting>) -> Self {
        match class {
            Some(class) => Self { money: class.total, cards: class.cards_beside(order), class: Some(class.orders) },
            None => Self { money: order.estimate.total, cards: order.spec.card_share(), class: None },
        }
    }

    /// `before this order`, `before these orders`
    fn budget_before(self, language: Language, before: Money) -> String {
        let before = before.to_string();
        match self.class {
            Some(_) => td_string!(language, class.budget_before, before = before).to_string(),
            None => td_string!(language, approvals.budget_before, before = before).to_string(),
        }
    }

    /// `this order 2 cards`, `these orders together 4 2/7 cards`
    fn cards_text(self, language: Language) -> String {
        let amount = share_text(language, self.cards);
        match self.class {
            Some(_) => td_string!(language, class.these_orders, amount = amount).to_string(),
            None => td_string!(language, approvals.this_order, amount = amount).to_string(),
        }
    }
}

#[component]
pub fn WhatIfPanel(view: OrderView, what_if: WhatIf, asked: Asked, aid: Option<Aid>) -> impl IntoView {
    let language = language::current();
    let order = view.order;
    let card = order.spec.card;
    let about_cards = match (&order.change, &what_if.size_change, what_if.cards_free, what_if.outlook) {
        (Some(LabChange { to: ChangeTo::Extend { .. }, .. }), ..) => kept_text(language, what_if.later_end),
        (Some(_), Some(change), ..) => growth_text(language, change),
        (Some(_), None, Some(free), _) => td_string!(language, approvals.cards_resize, free = pieces_text(language, card, free)).to_string(),
        (None, _, Some(free), Some(outlook)) => outlook_text(language, &order.spec, free, outlook, order.starts_at.is_some()),
        _ => td_string!(language, approvals.cards_unknown).to_owned(),
    };
    let (id, cheaper) = (order.id, aid.as_ref().and_then(|aid| aid.cheaper.clone()));
    let (waiters, more_wait) = aid.map(|aid| (aid.waiters, aid.more_wait)).unwrap_or_default();
    let named = !waiters.is_empty();
    let about_waiting = match what_if.waiting_for_same_card {
        0 => td_string!(language, approvals.waiting_none).to_owned(),
        count => td_string!(language, approvals.waiting_some, count = count).to_string(),
    };
    let (estimate, code) = (order.estimate.clone(), view.course.code);
    let size_change = what_if.size_change.clone();
    // More time takes no cards, and a smaller size none either.
    let takes_cards = order.change.is_none() || size_change.as_ref().is_some_and(|change| grows_by(change, &order).is_some());
    let cards = takes_cards.then(|| view! { <Cards order=order.clone() asked code=code.clone() what_if=what_if.clone()/> });
    let cheaper = order.change.is_none().then(|| {
        view! {
            <h3>{td_string!(language, decisions.cheaper_title)}</h3>
            <CheaperWay order=id cheaper/>
        }
    });
    let prices = match size_change {
        Some(change) => view! { <DifferencePrice change estimate/> }.into_any(),
        None => view! { <Prices estimate lesson=order.starts_at.is_some()/> }.into_any(),
    };
    let all = asked.class.map(|orders| view! { <PriceInAll orders total=asked.money.to_string()/> });
    let price_title = if asked.class.is_some() { td_string!(language, class.price_each) } else { td_string!(language, approvals.price_title) };
    view! {
        <div class="whatif">
            <section>
                <h3>{td_string!(language, approvals.money_and_quota)}</h3>
                <Budget state=order.state asked code what_if/>
                {cards}
            </section>
            <section>
                <h3>{td_string!(language, approvals.cards_title)}</h3>
                <p>{about_cards}</p>
                <h3>{td_string!(language, approvals.waiting_title)}</h3>
                {(!named).then(|| view! { <p>{about_waiting}</p> })}
                <Waiters waiters card more_wait/>
            </section>
            <section>
                {cheaper}
                <h3>{price_title}</h3>
                {prices}
                {all}
            </section>
        </div>
    }
    .into_any()
}

/// Whole-card equivalents that a lab takes in addition; `None` when it takes none with the approval.
fn grows_by(change: &SizeChange, order: &Order) -> Option<CardShare> {
    let more = order.spec.card_share().minus(change.before.card_share());
    (change.asked > 0 && more > CardShare::ZERO).then_some(more)
}

/// Of another size: whether the lab gets its cards with the approval, and why not.
fn growth_text(language: Language, change: &SizeChange) -> String {
    let SizeChange { asked, free, no_room, .. } = *change;
    match no_room {
        Some(why) => {
            // Chinese sentences follow each other without a space.
            let space = if language == Language::zh_CN { "" } else { " " };
            let text = no_room_text(language, asked, free, why);
            format!("{text}{space}{}", td_string!(language, approvals.cards_resize_not_now))
        }
        None if asked == 0 => td_string!(language, approvals.cards_resize_none).to_owned(),
        None => td_string!(language, approvals.cards_resize_fits, asked = asked, free = free).to_string(),
    }
}

/// Of another size: an hour before and after, and what the rest of the lab's time costs more.
#[component]
fn DifferencePrice(change: SizeChange, estimate: Estimate) -> impl IntoView {
    let language = language::current();
    let hour = |price: Money| td_string!(language, lifecycle.per_hour, price = price.to_string()).to_string();
    let before = change.per_hour_before.map(|price| view! { <dt>{td_string!(language, lifecycle.resize_before)}</dt><dd>{hour(price)}</dd> });
    let rest = td_string!(language, approvals.difference, duration = duration_text(language, estimate.minutes)).to_string();
    view! {
        <dl class="prices">
            {before}
            <dt>{td_string!(language, lifecycle.resize_after)}</dt>
            <dd>{hour(estimate.per_hour)}</dd>
            <dt>{rest}</dt>
            <dd class="total">{estimate.total.to_string()}</dd>
        </dl>
    }
    .into_any()
}

/// Of more time: no more cards, and until when.
fn kept_text(language: Language, end: Option<LaterEnd>) -> String {
    match end {
        Some(LaterEnd { before, after }) => {
            let [before, after] = [before, after].map(|at| moment_text(at, MomentStyle::Minute));
            td_string!(language, approvals.cards_kept_until, before = before, after = after).to_string()
        }
        None => td_string!(language, approvals.cards_kept).to_owned(),
    }
}

/// People of the tenant with what they wait for.
#[component]
fn Waiters(waiters: Vec<Waiter>, card: Card, more_wait: bool) -> impl IntoView {
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
            let title = match each.orders {
                1 => td_string!(language, decisions.waiter, owner = owner, course = course, cards = cards).to_string(),
                orders => td_string!(language, decisions.waiter_class, owner = owner, course = course, cards = cards, orders = orders).to_string(),
            };
            let since = moment_text(each.since, MomentStyle::Minute);
            let about = td_string!(language, decisions.waiter_since, number = each.number, state = state, since = since).to_string();
            view! { <li><a href=routes::order(each.order)>{title}</a><small class="fine">" "{about}</small></li> }
        })
        .collect_view();
    let more = more_wait.then(|| view! { <p class="fine">{td_string!(language, decisions.waiters_more)}</p> });
    Some(view! { <ul class="plain-list">{items}</ul>{more} }.into_any())
}

/// The hold of an undecided or queued order is in the quota already: it is drawn apart from what others use.
fn holds(state: OrderState) -> bool {
    state.waits()
}

#[component]
fn Budget(state: OrderState, asked: Asked, code: String, what_if: WhatIf) -> impl IntoView {
    let language = language::current();
    let budget = what_if.quota.budget;
    let left = budget.left();
    let this = if holds(state) { asked.money } else { Money::zero(left.currency) };
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
            note=asked.budget_before(language, before)
            end_note=td_string!(language, decisions.left_after, before = before.to_string(), after = left.to_string()).to_string()
        />
    }
    .into_any()
}

#[component]
fn Cards(order: Order, asked: Asked, code: String, what_if: WhatIf) -> impl IntoView {
    let language = language::current();
    let quota = what_if.quota;
    let limit = quota.limits.get(Item::Cards);
    let in_use = quota.in_use().get(Item::Cards);
    // The growth of a lab is in no hold.
    let growth = what_if.size_change.as_ref().and_then(|change| grows_by(change, &order));
    let held = if holds(order.state) { asked.cards.parts() } else { 0 };
    let (this, used, left) = match growth {
        Some(more) => (more.parts(), in_use, limit - in_use - more.parts()),
        None => (held, in_use - held, limit - in_use),
    };
    let left = item_amount(language, Item::Cards, left.max(0));
    let note = match growth {
        Some(more) => td_string!(language, approvals.this_change, amount = share_text(language, more)).to_string(),
        None => asked.cards_text(language),
    };
    let today = quota.started_today;
    let day = match order.starts_at {
        Some(at) => td_string!(language, class.started_on, day = moment_text(at, MomentStyle::Date)).to_string(),
        None => td_string!(language, approvals.today).to_owned(),
    };
    let as_on = order.starts_at.map(|at| view! { <p class="fine">{quota_day_text(language, at)}</p> });
    view! {
        {as_on}
        <Meter
            label=td_string!(language, approvals.cards_of, code = code).to_string()
            figure=td_string!(language, approvals.quota_left, left = left).to_string()
            used
            held=this
            limit
            note
            end_note=td_string!(language, components.of_limit, limit = item_amount(language, Item::Cards, limit)).to_string()
        />
        <Meter
            label=day
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

#[cfg(test)]
mod tests {
    use domain::{capacity::NoRoom, time::Timestamp};

    use super::*;

    #[test]
    fn cards_that_are_free_and_of_no_use_are_said_to_be_so_before() {
        let before = serde_json::json!({"workload": "notebook", "image": "x", "port": 8888, "card": "a100-80g", "cards_per_node": 2, "nodes": 1,
            "cpu_cores": 1, "memory_gib": 1, "storage_gib": 0});
        let before = serde_json::from_value(before).expect("a spec");
        let change = SizeChange { before, per_hour_before: None, asked: 1, free: 2, no_room: None };
        let text = |no_room| growth_text(Language::en, &SizeChange { no_room, ..change.clone() });
        assert_eq!(text(None), "1 more needed and 2 free: it gets them with the approval.");
        assert!(text(Some(NoRoom::Elsewhere)).contains("no node has room"), "{}", text(Some(NoRoom::Elsewhere)));
        assert!(text(Some(NoRoom::Kept)).contains("kept for orders that wait first"), "{}", text(Some(NoRoom::Kept)));
        for why in [NoRoom::TooFew, NoRoom::Elsewhere, NoRoom::Kept] {
            assert!(text(Some(why)).ends_with("It cannot be approved now."), "{}", text(Some(why)));
        }
        let stopped = SizeChange { asked: 0, ..change.clone() };
        assert_eq!(growth_text(Language::zh_CN, &stopped), "批准时不增加卡。");
    }

    #[test]
    fn more_time_takes_no_cards_and_says_until_when() {
        let at = |text| Timestamp::parse_rfc3339(text).expect("a time");
        let end = LaterEnd { before: at("2026-11-30T21:13:00+08:00"), after: at("2026-11-30T21:43:00+08:00") };
        let text = kept_text(Language::en, Some(end));
        assert!(text.contains("no more cards") && text.contains("2026-11-30 21:13") && text.contains("2026-11-30 21:43"), "{text}");
    }
}
