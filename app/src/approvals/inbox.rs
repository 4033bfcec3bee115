//! What waits for a decision, the oldest first.

use domain::{
    ids::OrderId,
    orders::{ClassRef, OrderView},
    time::Timestamp,
};
use leptos::{html, prelude::*};

use super::api::Inbox;
use crate::{
    components::{Button, ButtonKind, LinkButton, Status, StatusKind},
    i18n::td_string,
    language::{self, Language},
    orders::{
        class::set_text,
        words::{cards_text, change_text, duration_text},
    },
    routes,
};

#[component]
pub fn InboxList(
    inbox: Inbox,
    current: Option<OrderId>,
    /// With boxes to choose several.
    #[prop(optional)]
    choose: bool,
) -> impl IntoView {
    let language = language::current();
    let now = inbox.now;
    if inbox.page.items.is_empty() {
        return view! { <p class="soft">{td_string!(language, approvals.lead_none)}</p> }.into_any();
    }
    let items = inbox.page.items.into_iter().map(|view| view! { <Item view now current choose/> }).collect_view();
    let list = view! { <ul class="inbox" aria-label=td_string!(language, approvals.inbox)>{items}</ul> };
    if !choose {
        return list.into_any();
    }
    let form = NodeRef::<html::Form>::new();
    // Without scripts the page does not know what is chosen, so the buttons can always be pressed.
    let none_chosen = RwSignal::new(false);
    let look = move || {
        if let Some(form) = form.get_untracked() {
            none_chosen.set(form.query_selector("input[name='order']:checked").ok().flatten().is_none());
        }
    };
    Effect::new(move |_| {
        form.track();
        look();
    });
    view! {
        <form method="get" action=routes::APPROVALS_BULK class="stack" node_ref=form on:change=move |_| look()>
            {list}
            <div class="decide">
                <Button name="do" value="approve" disabled=none_chosen>{td_string!(language, decisions.bulk_approve)}</Button>
                <Button name="do" value="reject" kind=ButtonKind::Danger disabled=none_chosen>{td_string!(language, decisions.bulk_reject)}</Button>
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn Item(view: OrderView, now: Timestamp, current: Option<OrderId>, choose: bool) -> impl IntoView {
    let language = language::current();
    let (order, left) = (view.order, view.owner_left);
    let name = order.offering_name.get(language::tag(language)).to_owned();
    let what = match &order.change {
        Some(change) => change_text(language, change),
        None => format!("{name} · {}", duration_text(language, order.minutes)),
    };
    let waiting = waiting_text(language, now.seconds_since(order.submitted_at));
    // One card for all that were made together: they are decided together, or each on its own page.
    let together = order.class;
    let picks = choose && together.is_none();
    let pick = picks.then(|| {
        let label = td_string!(language, decisions.bulk_choose, number = order.number).to_string();
        view! {
            <label class="box">
                <input type="checkbox" name="order" value=format!("{}:{}", order.id, order.version)/>
                <span class="sr">{label}</span>
            </label>
        }
    });
    view! {
        <li class=picks.then_some("pick")>
            {pick}
            <a class="item" href=routes::approval(order.id) aria-current=(current == Some(order.id)).then_some("true")>
                <b>{together.map(|class| format!("{} · ", set_text(language, class)))}{what}</b>
                <span class="num">{order.in_all().to_string()}</span>
                <span class="sub">{format!("#{} · {} · {} · {}", order.number, view.course.code, view.owner.name, cards_text(&order.spec))}</span>
                {left.then(|| view! { <Status kind=StatusKind::Bad>{td_string!(language, approvals.left_badge)}</Status> })}
                <Status kind=StatusKind::Wait>{waiting}</Status>
            </a>
            {together.filter(|_| choose).map(|class| view! { <p class="row"><DecideTogether class/></p> })}
        </li>
    }
    .into_any()
}

/// To the pages that decide all that were made together.
#[component]
pub fn DecideTogether(class: ClassRef) -> impl IntoView {
    let language = language::current();
    let to = |verb: &str| routes::with_query(routes::APPROVALS_BULK, &[("class", &class.id.to_string()), ("do", verb)]);
    view! {
        <LinkButton small=true href=to("approve")>{td_string!(language, class.approve)}</LinkButton>
        <LinkButton small=true kind=ButtonKind::Danger href=to("reject")>{td_string!(language, class.reject)}</LinkButton>
    }
    .into_any()
}

/// `waiting 1 h 20 min`; days once it is more than two.
fn waiting_text(language: Language, seconds: i64) -> String {
    let minutes = u32::try_from(seconds.max(0) / 60).unwrap_or(u32::MAX);
    let time = match minutes {
        0 => return td_string!(language, approvals.just_now).to_owned(),
        1..2_880 => duration_text(language, minutes),
        _ => td_string!(language, approvals.days, days = minutes / 1_440).to_string(),
    };
    td_string!(language, approvals.waits_for, time = time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_waits_are_told_in_days() {
        assert_eq!(waiting_text(Language::en, 30), "just sent");
        assert_eq!(waiting_text(Language::en, 4_800), "waiting 1\u{a0}h\u{a0}20\u{a0}min");
        assert_eq!(waiting_text(Language::en, 3 * 86_400), "waiting 3 d");
    }
}
