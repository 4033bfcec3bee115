//! Many decisions at once: what they would mean, then what became of each. Plain forms; the address carries what was chosen and the results.

use domain::{
    decisions::{BulkRow, BulkSummary},
    orders::OrderState,
};
use leptos::{
    prelude::*,
    server_fn::{ServerFn, codec::GetUrl},
};
use leptos_router::hooks::use_query_map;

use crate::{
    components::{
        Button, ButtonKind, Cell, CellPlace, Column, DataTable, EmptyState, ErrorNotice, Failed, Glyph, LinkButton, PageHead, Row, Skeleton, Status,
        StatusKind, TextArea,
    },
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language::{self, Language},
    orders::{
        class::lesson_text,
        words::{cards_text, state_kind, state_text},
    },
    routes,
};

/// By which the page finds what the last try left behind.
const FORM: &str = "bulk";

/// In the address of the results: approved, and waits for the time of its lesson.
const SCHEDULED: &str = "scheduled";

/// `chosen`: `id:version,id:version`; or `class`: all that wait of those that were made together.
#[server(ReadBulk, endpoint = "approvals/bulk", input = GetUrl)]
pub async fn read_bulk(#[server(default)] chosen: String, #[server(default)] class: String) -> Result<BulkSummary, AppError> {
    use crate::caller::{caller, id_of, services};
    if !class.is_empty() {
        return Ok(services::orders::class_summary(&services()?, &caller()?, id_of(&class)?).await?);
    }
    let ids: Vec<_> = parse(&chosen).into_iter().map(|(id, _)| id).collect();
    Ok(services::orders::summary(&services()?, &caller()?, &ids).await?)
}

/// `from`: the order whose page sent the form, if one did.
#[server(BulkApprove, endpoint = "approvals/bulk-approve")]
pub async fn bulk_approve(
    #[server(default)] chosen: String,
    #[server(default)] class: String,
    #[server(default)] from: String,
) -> Result<Vec<BulkRow>, AppError> {
    use crate::caller;
    let result = async {
        let (services, person) = (caller::services()?, caller::caller()?);
        Ok(match class.as_str() {
            "" => services::orders::approve_all(&services, &person, &parse(&chosen)).await?,
            class => services::orders::approve_class(&services, &person, caller::id_of(class)?).await?,
        })
    }
    .await;
    let ((form, page), now) = (came(&from), now());
    caller::answer(form, &page, caller::typed([("class", &class)]), result, |rows| done(&class, rows, now)).await
}

#[server(BulkReject, endpoint = "approvals/bulk-reject")]
pub async fn bulk_reject(
    #[server(default)] chosen: String,
    #[server(default)] class: String,
    #[server(default)] from: String,
    #[server(default)] reason: String,
    #[server(default)] class_reason: String,
) -> Result<Vec<BulkRow>, AppError> {
    use crate::caller;
    let typed = caller::typed([("reason", &reason), ("class", &class), ("class_reason", &class_reason)]);
    // On the page of an order the field has a name of its own, beside the one of that order.
    let (reason, field) = if from.is_empty() { (reason, "reason") } else { (class_reason, "class_reason") };
    let result = async {
        let (services, person) = (caller::services()?, caller::caller()?);
        Ok(match class.as_str() {
            "" => services::orders::reject_all(&services, &person, &parse(&chosen), &reason).await?,
            class => {
                let rows = services::orders::reject_class(&services, &person, caller::id_of(class)?, &reason).await;
                rows.map_err(|error| error.at("reason", field))?
            }
        })
    }
    .await;
    let ((form, page), now) = (came(&from), now());
    caller::answer(form, &page, typed, result, |rows| done(&class, rows, now)).await
}

/// The form that shows why it failed, and its page: that of the order `from`, or this one.
#[cfg(feature = "ssr")]
fn came(from: &str) -> (&'static str, String) {
    match from.parse::<domain::ids::OrderId>() {
        Ok(order) => (super::api::FORM, routes::approval(order)),
        Err(_) => (FORM, routes::APPROVALS.to_owned()),
    }
}

/// What is no order is left out: it was never on the page.
#[cfg(feature = "ssr")]
fn parse(chosen: &str) -> Vec<(domain::ids::OrderId, Option<i64>)> {
    let each = |text: &str| {
        let (id, version) = text.split_once(':').unwrap_or((text, ""));
        Some((id.trim().parse().ok()?, version.parse().ok()))
    };
    chosen.split(',').filter_map(each).collect()
}

/// The page that says what became of each: `2047.approved-2048.stale`; of a class how many of each kind: `120.approved-60.scheduled`, `0` for
/// none.
#[cfg(feature = "ssr")]
fn done(class: &str, rows: &[BulkRow], now: Option<domain::time::Timestamp>) -> String {
    let word = |row: &BulkRow| match (&row.error, row.state) {
        (Some(error), _) => error.code(),
        (None, Some(OrderState::Queued)) if row.starts_at > now => SCHEDULED,
        (None, state) => state.map(OrderState::as_str).unwrap_or_default(),
    };
    if !class.is_empty() {
        let mut counts = std::collections::BTreeMap::new();
        for row in rows {
            *counts.entry(word(row)).or_insert(0_u32) += 1;
        }
        let sum = counts.into_iter().map(|(word, count)| format!("{count}.{word}")).collect::<Vec<_>>().join("-");
        let sum = if sum.is_empty() { "0".to_owned() } else { sum };
        return routes::with_query(routes::APPROVALS_BULK, &[("sum", &sum), ("class", class)]);
    }
    let each = |row: &BulkRow| format!("{}.{}", row.number.unwrap_or_default(), word(row));
    routes::with_query(routes::APPROVALS_BULK, &[("done", &rows.iter().map(each).collect::<Vec<_>>().join("-"))])
}

/// By the server's clock.
#[cfg(feature = "ssr")]
fn now() -> Option<domain::time::Timestamp> {
    crate::caller::services().ok().map(|services| services.clock.now())
}

/// Whether such a word says that something was decided.
fn is_done(word: &str) -> bool {
    word == SCHEDULED || OrderState::parse(word).is_some()
}

/// Numbers and words of such an address. States and codes have underscores, and no dash.
fn pairs(text: &str) -> Vec<(u64, String)> {
    let pair = |part: &str| {
        let (number, word) = part.split_once('.')?;
        Some((number.parse().ok()?, word.to_owned()))
    };
    text.split('-').filter_map(pair).collect()
}

#[component]
pub fn BulkPage() -> impl IntoView {
    let query = use_query_map();
    let chosen = Memo::new(move |_| query.with(|query| query.get_all("order").unwrap_or_default().join(",")));
    let class = Memo::new(move |_| query.with(|query| query.get_str("class").unwrap_or_default().to_owned()));
    let done = Memo::new(move |_| query.with(|query| query.get_str("done").map(ToOwned::to_owned)));
    let sum = Memo::new(move |_| query.with(|query| query.get_str("sum").map(ToOwned::to_owned)));
    let reject = Memo::new(move |_| query.with(|query| query.get_str("do") == Some("reject")));
    // Decided orders need no summary.
    let asked = move || if sum.get().is_some() { (String::new(), String::new()) } else { (chosen.get(), class.get()) };
    let summary = Resource::new(asked, |(chosen, class)| read_bulk(chosen, class));
    let last_try = flash(FORM);
    view! {
        <Transition fallback=|| view! { <Skeleton lines=6/> }>
            {move || {
                let (summary, last_try) = (summary.get()?, last_try.get()?);
                Some(match (done.get(), summary) {
                    _ if sum.get().is_some() => view! { <ClassResults sum=sum.get().unwrap_or_default() class=class.get()/> }.into_any(),
                    (Some(done), _) => view! { <Results done/> }.into_any(),
                    (None, Ok(summary)) => view! { <Confirm summary chosen=chosen.get() class=class.get() reject=reject.get() last_try/> }.into_any(),
                    (None, Err(error)) => view! { <Failed error/> }.into_any(),
                })
            }}
        </Transition>
    }
    .into_any()
}

fn crumb(language: Language) -> (String, String) {
    (routes::APPROVALS.to_owned(), td_string!(language, decisions.bulk_back).to_owned())
}

/// Why there is nothing to decide: nothing was chosen, or somebody was faster.
fn nothing_text(language: Language, chosen: &str, class: &str) -> (&'static str, &'static str) {
    if chosen.is_empty() && class.is_empty() {
        (td_string!(language, decisions.bulk_not_chosen_title), td_string!(language, decisions.bulk_not_chosen_text))
    } else {
        (td_string!(language, decisions.bulk_none_title), td_string!(language, decisions.bulk_none_text))
    }
}

#[component]
fn Confirm(summary: BulkSummary, chosen: String, class: String, reject: bool, last_try: Flash) -> impl IntoView {
    let language = language::current();
    let count = summary.orders.len();
    let Some(total) = summary.total else {
        let (title, text) = nothing_text(language, &chosen, &class);
        return view! {
            <PageHead title=td_string!(language, approvals.title) crumb=crumb(language)/>
            <EmptyState glyph=Glyph::Stamp title text>
                <LinkButton small=true href=routes::APPROVALS>{td_string!(language, decisions.bulk_back)}</LinkButton>
            </EmptyState>
        }
        .into_any();
    };
    let title = if reject {
        td_string!(language, decisions.bulk_reject_title, count = count).to_string()
    } else {
        td_string!(language, decisions.bulk_approve_title, count = count).to_string()
    };
    let lead = td_string!(language, decisions.bulk_total, total = total.to_string(), cards = summary.cards.to_string()).to_string();
    let columns = vec![
        Column::text(td_string!(language, orders.order)),
        Column::text(td_string!(language, orders.cards)),
        Column::number(td_string!(language, orders.estimate)),
    ];
    let rows = summary
        .orders
        .into_iter()
        .map(|view| {
            let name = view.order.offering_name.get(language::tag(language)).to_owned();
            let who = [view.owner.name.clone(), view.course.code.clone()].into_iter();
            let about = who.chain(view.order.seat.clone()).chain(lesson_text(language, &view.order)).collect::<Vec<_>>().join(" · ");
            view! {
                <Row>
                    <Cell>
                        <a href=routes::approval(view.order.id)><b>{format!("#{}", view.order.number)}</b>" "{name}</a>
                        <small>{about}</small>
                    </Cell>
                    <Cell label=td_string!(language, orders.cards)>{cards_text(&view.order.spec)}</Cell>
                    <Cell label=td_string!(language, orders.estimate) numeric=true>{view.order.estimate.total.to_string()}</Cell>
                </Row>
            }
        })
        .collect_view();
    let problem = last_try.problem("reason").map(|problem| field_problem_text(language, problem));
    let typed = last_try.value("reason").to_owned();
    let (action, confirm) = if reject {
        (BulkReject::url(), td_string!(language, decisions.bulk_yes_reject))
    } else {
        (BulkApprove::url(), td_string!(language, decisions.bulk_yes_approve))
    };
    let reason = reject.then(|| {
        view! {
            <TextArea
                name="reason"
                label=td_string!(language, decisions.bulk_reason)
                value=typed
                help=td_string!(language, approvals.reject_help)
                error=Signal::derive(move || problem.clone())
                maxlength=domain::decisions::TEXT_MAX
                rows=2
            />
        }
    });
    let kind = if reject { ButtonKind::DangerSolid } else { ButtonKind::Primary };
    let about = if class.is_empty() { td_string!(language, decisions.bulk_about) } else { td_string!(language, class.decide_about) };
    view! {
        <PageHead title lead crumb=crumb(language)/>
        {last_try.other().map(|error| view! { <ErrorNotice error=AppError(error)/> })}
        <div class="card flush"><div class="body"><DataTable caption=td_string!(language, approvals.inbox) columns>{rows}</DataTable></div></div>
        <form method="post" action=action class="stack">
            <input type="hidden" name="chosen" value=chosen/>
            <input type="hidden" name="class" value=class/>
            {reason}
            <div class="decide">
                <Button kind>{confirm}</Button>
                <LinkButton href=routes::APPROVALS>{td_string!(language, decisions.bulk_back)}</LinkButton>
                <span class="fine desk-only">{about}</span>
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn Results(done: String) -> impl IntoView {
    let language = language::current();
    let rows = pairs(&done);
    let good = rows.iter().filter(|(_, word)| is_done(word)).count();
    let lead = td_string!(language, decisions.bulk_done_lead, done = good, count = rows.len()).to_string();
    let columns = vec![Column::text(td_string!(language, orders.order)), Column::text(td_string!(language, decisions.bulk_result))];
    let rows = rows
        .into_iter()
        .map(|(number, word)| {
            let (kind, text) = result_text(language, &word);
            let name = if number == 0 { td_string!(language, decisions.bulk_unknown).to_owned() } else { format!("#{number}") };
            view! {
                <Row>
                    <Cell><b>{name}</b></Cell>
                    <Cell label=td_string!(language, decisions.bulk_result) place=CellPlace::Wide><Status kind>{text}</Status></Cell>
                </Row>
            }
        })
        .collect_view();
    view! {
        <PageHead title=td_string!(language, decisions.bulk_done) lead crumb=crumb(language)/>
        <div class="card flush"><div class="body"><DataTable caption=td_string!(language, decisions.bulk_done) columns>{rows}</DataTable></div></div>
        <div class="actions"><LinkButton kind=ButtonKind::Primary href=routes::APPROVALS>{td_string!(language, decisions.bulk_back)}</LinkButton></div>
    }
    .into_any()
}

/// How many orders of a class came to what.
#[component]
fn ClassResults(sum: String, class: String) -> impl IntoView {
    let language = language::current();
    let counts = pairs(&sum);
    let all: u64 = counts.iter().map(|(count, _)| count).sum();
    let good: u64 = counts.iter().filter(|(_, word)| is_done(word)).map(|(count, _)| count).sum();
    let lead = match all {
        0 => td_string!(language, class.decided_before).to_owned(),
        _ => td_string!(language, decisions.bulk_done_lead, done = good, count = all).to_string(),
    };
    let lines = counts
        .into_iter()
        .map(|(count, word)| {
            let (kind, text) = result_text(language, &word);
            view! { <li class="row"><b class="num">{count}</b><Status kind>{text}</Status></li> }
        })
        .collect_view();
    let see = routes::with_query(routes::ORDERS, &[("class", &class)]);
    view! {
        <PageHead title=td_string!(language, decisions.bulk_done) lead crumb=crumb(language)/>
        <ul class="plain-list stack tight">{lines}</ul>
        <div class="actions">
            <LinkButton kind=ButtonKind::Primary href=routes::APPROVALS>{td_string!(language, decisions.bulk_back)}</LinkButton>
            <LinkButton href=see>{td_string!(language, class.see_all)}</LinkButton>
        </div>
    }
    .into_any()
}

/// Result of one order: its state, or the code of the error. The address has no figures, so sentences that need some are not said here.
fn result_text(language: Language, word: &str) -> (StatusKind, String) {
    use crate::error_text::headline;
    use domain::Error;
    if word == SCHEDULED {
        return (StatusKind::Ok, td_string!(language, class.result_scheduled).to_owned());
    }
    if let Some(state) = OrderState::parse(word) {
        return match state {
            OrderState::Queued => (StatusKind::Wait, td_string!(language, decisions.bulk_queued).to_owned()),
            OrderState::PendingApproval => (StatusKind::Ok, td_string!(language, decisions.bulk_passed).to_owned()),
            OrderState::Approved => (StatusKind::Ok, td_string!(language, decisions.step_approve).to_owned()),
            other => (state_kind(other), state_text(language, other).to_owned()),
        };
    }
    let says_all = |error: &Error| {
        matches!(
            error,
            Error::Stale
                | Error::InvalidTransition { .. }
                | Error::OwnOrder
                | Error::DecidedBefore
                | Error::RequesterLeft
                | Error::Forbidden
                | Error::NotFound
                | Error::OverQuota(_)
        )
    };
    let known = Error::one_of_each().into_iter().find(|error| error.code() == word && says_all(error));
    (StatusKind::Warn, known.map_or_else(|| td_string!(language, decisions.bulk_refused).to_owned(), |error| headline(language, &error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_chosen_is_not_called_decided_by_somebody_else() {
        assert_eq!(nothing_text(Language::en, "", "").0, "Nothing is chosen");
        for (chosen, class) in [("01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e:3", ""), ("", "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e")] {
            assert_eq!(nothing_text(Language::en, chosen, class).0, "None of them waits for you");
        }
    }

    #[test]
    fn states_and_codes_with_underscores_are_read_whole() {
        let read = pairs("2.invalid_transition-3.pending_approval");
        assert_eq!(read, [(2, "invalid_transition".to_owned()), (3, "pending_approval".to_owned())]);
        assert!(pairs("0").is_empty(), "nothing was decided");
        assert!(result_text(Language::en, "pending_approval").1.contains("next stage"));
        for word in [SCHEDULED, "queued", "approved"] {
            assert!(is_done(word) && result_text(Language::en, word).1.starts_with("Approved"), "{word}");
        }
        assert!(!result_text(Language::en, SCHEDULED).1.contains("cards"), "its lesson is to come");
        assert!(!is_done("stale"));
        assert!(!result_text(Language::en, "over_budget").1.contains('\u{a5}'), "no figures that are nobody's");
    }
}
