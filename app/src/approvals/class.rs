//! A class order as its approver sees it: all of its lessons, and one press for all that waits.

use domain::{
    decisions::TEXT_MAX,
    gpu::Card,
    orders::{ClassWaiting, Order, class::LEAD},
};
use leptos::{prelude::*, server_fn::ServerFn};

use super::bulk::{BulkApprove, BulkReject};
use crate::{
    components::{Button, ButtonKind, MomentStyle, TextArea, moment_text, show_unfolded},
    error_text::field_problem_text,
    flash::Flash,
    i18n::td_string,
    language,
    orders::words::pieces_text,
};

/// When, how many seats, how many cards, at what price.
#[component]
pub fn ClassLessons(card: Card, class: ClassWaiting) -> impl IntoView {
    let language = language::current();
    let lines = class
        .lessons
        .into_iter()
        .map(|lesson| {
            let when = match lesson.span {
                Some(span) => {
                    let bell = moment_text(span.from.plus_minutes(i64::from(LEAD)), MomentStyle::Minute);
                    td_string!(language, class.lesson_at, from = bell, to = span.to.on_campus().time()).to_string()
                }
                None => td_string!(language, class.now).to_owned(),
            };
            let (cards, total) = (pieces_text(language, card, lesson.cards), lesson.total.to_string());
            let about = td_string!(language, class.lesson_seats, seats = lesson.seats, cards = cards, total = total).to_string();
            view! { <li><b>{when}</b>" "{about}</li> }
        })
        .collect_view();
    view! {
        <section class="stack tight">
            <h3>{td_string!(language, class.made_together)}</h3>
            <ul class="plain-list">{lines}</ul>
        </section>
    }
    .into_any()
}

/// Approves or rejects all that waits of the class, by plain forms. Orders that were decided meanwhile stay as they are.
#[component]
pub fn DecideClass(
    order: Order,
    class: ClassWaiting,
    /// The requester left the course: it can only be rejected.
    left: bool,
    last_try: Flash,
) -> impl IntoView {
    let language = language::current();
    let id = order.class.map(|class| class.id.to_string()).unwrap_or_default();
    let fields = StoredValue::new((id, order.id.to_string()));
    let hidden = move || {
        let (class, from) = fields.get_value();
        view! {
            <input type="hidden" name="class" value=class/>
            <input type="hidden" name="from" value=from/>
        }
    };
    let approve = td_string!(language, class.approve_all, orders = class.orders, total = class.total.to_string()).to_string();
    let reject = td_string!(language, class.reject_all, orders = class.orders).to_string();
    let typed = last_try.value("class_reason").to_owned();
    let problem = last_try.problem("class_reason").map(|problem| field_problem_text(language, problem));
    let open = !typed.is_empty() || problem.is_some();
    view! {
        <div class="decide">
            {(!left).then(|| view! {
                <form method="post" action=BulkApprove::url()>
                    {hidden()}
                    <Button kind=ButtonKind::Primary>{approve}</Button>
                </form>
            })}
            <details class="more" open=open on:toggle=|event| show_unfolded(&event)>
                <summary class="btn" data-kind="danger">{reject.clone()}</summary>
                <form method="post" action=BulkReject::url() class="stack tight" novalidate=true>
                    {hidden()}
                    <TextArea
                        name="class_reason"
                        label=td_string!(language, approvals.reject_reason)
                        value=typed
                        help=td_string!(language, approvals.reject_help)
                        error=Signal::derive(move || problem.clone())
                        maxlength=TEXT_MAX
                        rows=2
                    />
                    <div class="actions"><Button kind=ButtonKind::DangerSolid>{reject}</Button></div>
                </form>
            </details>
            <span class="fine desk-only">{td_string!(language, class.decide_about)}</span>
        </div>
    }
    .into_any()
}
