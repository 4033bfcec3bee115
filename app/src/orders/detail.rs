//! One order: how it stands and why, what was asked for, what it costs, where its lab is.

use domain::{
    access::Role,
    capacity::WaitReason,
    catalogue::LabSpec,
    orders::{ChangeTo, EXPIRED, LAB_GONE, LabChange, Order, OrderState, OrderView, REQUESTER_LEFT, class::LEAD},
    time::Timestamp,
};
use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    api::CancelOrder,
    class::{CancelAll, ClassFacts, PriceInAll, sent_text},
    form::Prices,
    history::History,
    words::{
        approver_text, approver_within, cards_text, change_text, duration_text, machine_text, rule_text, ruling_text, state_kind, storage_text,
        view_text,
    },
};
use crate::{
    approvals::{proposal::ProposalPanel, stages::StageSteps, talk::Talk},
    components::{
        ButtonKind, Card, ConfirmDialog, ErrorNotice, Fact, Facts, Glyph, LinkButton, MomentStyle, Notice, NoticeKind, PageHead, Status, moment_text,
    },
    error::AppError,
    flash::Flash,
    i18n::td_string,
    language::{self, Language},
    nodes::words::wait_text,
    routes,
};

#[component]
pub fn OrderDetail(view: OrderView, just_sent: bool, refusal: Option<domain::Error>, reply: Flash) -> impl IntoView {
    let language = language::current();
    let order = view.order.clone();
    let title = number_text(language, &order);
    let lab = view.labs.first().copied();
    let cancel = view.may_cancel.then(|| view! { <Cancel order=order.clone() has_lab=lab.is_some()/> });
    let cancel_all = order.class.filter(|_| view.may_cancel).map(|class| view! { <CancelAll class/> });
    let sent = (just_sent && order.state == OrderState::PendingApproval).then(|| view! { <Sent order=order.clone()/> });
    let about = lead(language, &view);
    let again = (order.change.is_none() && !matches!(order.state, OrderState::PendingApproval | OrderState::AwaitingRequester))
        .then(|| routes::order_again(order.id));
    let decide = view.may_decide.then(|| routes::approval(order.id));
    let open = lab.filter(|_| !view.may_decide).map(routes::lab);
    let reason = view! { <Reason view=view.clone()/> };
    let changed = order.change.clone();
    let labs = match lab {
        None if changed.is_some() => {
            let undecided = order.state == OrderState::PendingApproval;
            changed
                .map(|change| {
                    let late = undecided && matches!(change.to, ChangeTo::Extend { .. });
                    view! {
                        <p><a href=routes::lab(change.lab)>{change_text(language, &change)}</a></p>
                        {late.then(|| view! { <p class="fine">{td_string!(language, orders.more_time_late)}</p> })}
                    }
                })
                .into_any()
        }
        None => view! { <p class="soft">{lab_later(language, order.state, order.starts_at, view.queue_position.is_some())}</p> }.into_any(),
        Some(_) => {
            view.labs.iter().map(|id| view! { <p><a href=routes::lab(id)>{td_string!(language, orders.open_lab)}</a></p> }).collect_view().into_any()
        }
    };
    let proposal = view! { <ProposalPanel view=view.clone() last_try=reply.clone()/> };
    let talk = view! { <Talk view=view.clone() last_try=reply/> };
    let stages = (order.ruling.outcome.stages().len() > 1).then(|| view! { <StageSteps order=order.clone() steps=view.steps.clone()/> });
    let history = view! { <History view=view.clone()/> };
    let state = view_text(language, &view);
    let what = view! { <What view/> };
    let (ruling, rule) = (ruling_text(language, &order.ruling), rule_text(language, &order.ruling));
    let kind = state_kind(order.state);
    let in_all = order.class.filter(|class| class.orders() > 1).map(|class| {
        view! { <PriceInAll orders=class.orders() total=order.in_all().to_string()/> }
    });
    let estimate_title = if in_all.is_some() { td_string!(language, class.price_each) } else { td_string!(language, orders.estimate) };
    let (estimate, lesson) = (order.estimate, order.starts_at.is_some());
    view! {
        <div class="stack tight">
        <PageHead title crumb=(routes::ORDERS.to_owned(), td_string!(language, orders.title).to_owned())>
            {again.map(|href| view! { <LinkButton href icon=Glyph::Retry>{td_string!(language, lifecycle.again)}</LinkButton> })}
            {cancel}
            {cancel_all}
            {decide.map(|href| view! {
                <LinkButton kind=ButtonKind::Primary href icon=Glyph::Stamp>{td_string!(language, orders.decide)}</LinkButton>
            })}
            {open.map(|href| view! {
                <LinkButton kind=ButtonKind::Primary href icon=Glyph::Lab>{td_string!(language, orders.open_lab)}</LinkButton>
            })}
        </PageHead>
        <p class="lead row" aria-live="polite"><Status kind>{state}</Status><span>{about}</span></p>
        </div>
        {refusal.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
        {sent}
        {reason}
        {proposal}
        <div class="cols main-side">
            <div class="stack loose">
                {talk}
                <Card title=td_string!(language, orders.history)>{stages}{history}</Card>
                <Card title=td_string!(language, orders.what)>{what}</Card>
            </div>
            <aside class="stack loose">
                <Card title=estimate_title><Prices estimate lesson/>{in_all}</Card>
                <Card title=td_string!(language, orders.who_approves)><p><b>{ruling}</b></p><p class="fine">{rule}</p></Card>
                <Card title=td_string!(language, orders.labs)>{labs}</Card>
            </aside>
        </div>
    }
    .into_any()
}

/// `Order #1698`; of a lab that exists also what it changes.
fn number_text(language: Language, order: &Order) -> String {
    let number = td_string!(language, orders.number, number = order.number).to_string();
    match &order.change {
        Some(change) => td_string!(language, orders.number_change, order = number, change = change_text(language, change)).to_string(),
        None => number,
    }
}

/// When the lab of an order will be there that has none yet. `in_line`: it waits for cards.
fn lab_later(language: Language, state: OrderState, starts_at: Option<Timestamp>, in_line: bool) -> String {
    match (state, starts_at) {
        (OrderState::PendingApproval | OrderState::AwaitingRequester, Some(_)) => {
            td_string!(language, class.lab_if_approved, lead = LEAD).to_string()
        }
        (OrderState::PendingApproval | OrderState::AwaitingRequester, None) => td_string!(language, orders.labs_later).to_owned(),
        (OrderState::Queued, Some(at)) if !in_line => {
            td_string!(language, class.comes_up_later, at = moment_text(at, MomentStyle::Minute), lead = LEAD).to_string()
        }
        (OrderState::Queued | OrderState::Approved, _) => td_string!(language, orders.labs_with_cards).to_owned(),
        (OrderState::Rejected | OrderState::Cancelled | OrderState::Failed | OrderState::Fulfilled, _) => {
            td_string!(language, orders.labs_none).to_owned()
        }
    }
}

/// Whose decision it waits for.
fn approver(order: &Order) -> Role {
    order.awaits().unwrap_or(Role::Manager)
}

/// The state in one sentence.
fn lead(language: Language, view: &OrderView) -> String {
    let order = &view.order;
    match order.state {
        OrderState::PendingApproval => {
            let role = td_string!(language, orders.lead_pending, role = approver_text(language, approver(order))).to_string();
            let (number, count) = (order.stage + 1, order.ruling.outcome.stages().len());
            if count > 1 {
                td_string!(language, decisions.stage_of, number = number, count = count, role = approver_within(language, approver(order)))
                    .to_string()
            } else {
                role
            }
        }
        OrderState::AwaitingRequester => td_string!(language, orders.lead_awaiting).to_owned(),
        OrderState::Approved => td_string!(language, orders.lead_approved).to_owned(),
        OrderState::Queued if matches!(view.wait, Some(WaitReason::Scheduled { .. })) => {
            let when = wait_text(language, view.wait).unwrap_or_default();
            td_string!(language, class.lead_scheduled, when = when).to_string()
        }
        OrderState::Queued => {
            let queued = match view.queue_position {
                Some(place) => td_string!(language, orders.lead_queued, place = place).to_string(),
                None => td_string!(language, orders.lead_queued_unknown).to_owned(),
            };
            match wait_text(language, view.wait) {
                Some(why) => format!("{queued} {why}"),
                None => queued,
            }
        }
        OrderState::Rejected => td_string!(language, orders.lead_rejected).to_owned(),
        OrderState::Cancelled if order.reason.as_deref() == Some(EXPIRED) => td_string!(language, orders.expired).to_owned(),
        OrderState::Cancelled if order.reason.as_deref() == Some(REQUESTER_LEFT) => td_string!(language, orders.requester_left).to_owned(),
        OrderState::Cancelled if order.reason.as_deref() == Some(LAB_GONE) => td_string!(language, orders.lab_gone).to_owned(),
        OrderState::Cancelled => td_string!(language, orders.lead_cancelled).to_owned(),
        OrderState::Fulfilled if order.change.is_some() => td_string!(language, orders.lead_changed).to_owned(),
        OrderState::Fulfilled => td_string!(language, orders.lead_fulfilled).to_owned(),
        OrderState::Failed => td_string!(language, orders.lead_failed).to_owned(),
    }
}

#[component]
fn Sent(order: Order) -> impl IntoView {
    let language = language::current();
    let role = approver_text(language, approver(&order));
    let until = moment_text(order.expires_at, MomentStyle::Minute);
    view! {
        <Notice title=sent_text(language, &order)>
            {td_string!(language, orders.sent_pending, role = role, until = until).to_string()}
        </Notice>
    }
    .into_any()
}

/// The words of whoever rejected it, or of the cluster.
#[component]
fn Reason(view: OrderView) -> impl IntoView {
    let language = language::current();
    // The lead says that it expired or that its requester left or its lab is gone, in the reader's language.
    let reason = view.order.reason.clone().filter(|reason| ![EXPIRED, REQUESTER_LEFT, LAB_GONE].contains(&reason.as_str()))?;
    let (kind, title) = match (view.order.state, &view.decided_by) {
        (OrderState::Rejected, Some(person)) => (NoticeKind::Info, td_string!(language, orders.rejected_by, name = person.name.as_str()).to_string()),
        (OrderState::Failed, _) => (NoticeKind::Bad, td_string!(language, orders.failed_because).to_owned()),
        _ => (NoticeKind::Info, td_string!(language, orders.reason).to_owned()),
    };
    Some(view! { <Notice kind title>{reason}</Notice> }.into_any())
}

#[component]
fn Cancel(order: Order, has_lab: bool) -> impl IntoView {
    let language = language::current();
    view! {
        <ConfirmDialog
            id="cancel"
            open_text=td_string!(language, orders.cancel)
            title=td_string!(language, orders.cancel_title, number = order.number).to_string()
            confirm_text=td_string!(language, orders.cancel)
            keep_text=td_string!(language, orders.cancel_keep).to_owned()
            action=CancelOrder::url()
            kind=ButtonKind::Plain
        >
            <p class="soft">{td_string!(language, orders.cancel_about)}</p>
            {has_lab.then(|| view! { <p class="soft">{td_string!(language, orders.cancel_about_lab)}</p> })}
            <input type="hidden" name="id" value=order.id.to_string()/>
        </ConfirmDialog>
    }
    .into_any()
}

#[component]
fn What(view: OrderView) -> impl IntoView {
    let language = language::current();
    let order = view.order;
    let name = order.offering_name.get(language::tag(language)).to_owned();
    let class_facts = view! { <ClassFacts order=order.clone()/> };
    let duration_name = match &order.change {
        Some(LabChange { to: ChangeTo::Extend { .. }, .. }) => td_string!(language, orders.more_time),
        _ => td_string!(language, orders.duration),
    };
    let version = td_string!(language, orders.version, version = order.offering_version).to_string();
    let lead = order.starts_at.map(|_| {
        let about = td_string!(language, class.with_lead, lead = LEAD).to_string();
        view! { " "<span class="fine">{about}</span> }
    });
    view! {
        <Facts>
            <Fact name=td_string!(language, orders.owner)>{view.owner.name}</Fact>
            <Fact name=td_string!(language, orders.course)>{format!("{} {}", view.course.code, view.course.name)}</Fact>
            {(!order.purpose.is_empty()).then(|| view! { <Fact name=td_string!(language, orders.purpose)>{order.purpose.clone()}</Fact> })}
            <Fact name=td_string!(language, orders.offering)>{name}" "<span class="fine">{version}</span></Fact>
            <Fact name=duration_name>{duration_text(language, order.minutes)}{lead}</Fact>
            {class_facts}
            <SpecFacts spec=order.spec/>
        </Facts>
    }
    .into_any()
}

/// What a lab is made of; inside `<Facts>`. Also on the pages of a lab and of an approval.
#[component]
pub fn SpecFacts(spec: LabSpec) -> impl IntoView {
    let language = language::current();
    let (cards, machine) = (cards_text(&spec), machine_text(language, &spec));
    let LabSpec { nodes, storage_gib, image, git_url, .. } = spec;
    view! {
        <Fact name=td_string!(language, orders.cards)>{cards}</Fact>
        {(nodes > 1).then(|| view! { <Fact name=td_string!(language, orders.nodes)>{nodes}</Fact> })}
        <Fact name=td_string!(language, orders.machine)>{machine}</Fact>
        {(storage_gib > 0).then(|| view! { <Fact name=td_string!(language, orders.storage)>{storage_text(storage_gib)}</Fact> })}
        <Fact name=td_string!(language, orders.image)><span class="mono">{image}</span></Fact>
        {git_url.map(|url| view! { <Fact name=td_string!(language, orders.code)><span class="mono">{url}</span></Fact> })}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_is_approved_speaks_of_its_lesson_or_its_cards() {
        let at = Timestamp::parse_rfc3339("2026-12-01T09:50:00+08:00").expect("a time");
        let text = |state, starts_at, in_line| lab_later(Language::en, state, starts_at, in_line);
        assert_eq!(text(OrderState::Queued, Some(at), false), "The lab is brought up at 2026-12-01 09:50, 10 minutes before the lesson.");
        assert_eq!(text(OrderState::Queued, Some(at), true), text(OrderState::Queued, None, false));
        assert_eq!(text(OrderState::Approved, None, false), "The lab appears here once it has its cards.");
        assert!(text(OrderState::PendingApproval, Some(at), false).contains("10 minutes before the lesson"));
        assert!(text(OrderState::PendingApproval, None, false).contains("once the order is approved"));
    }
}
