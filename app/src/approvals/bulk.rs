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

#[server(BulkApprove, endpoint = "approvals/bulk-approve")]
pub async fn bulk_approve(#[server(default)] chosen: String, #[server(default)] class: String) -> Result<Vec<BulkRow>, AppError> {
    use crate::caller;
    let result = async {
        let (services, person) = (caller::services()?, caller::caller()?);
        Ok(match class.as_str() {
            "" => services::orders::approve_all(&services, &person, &parse(&chosen)).await?,
            class => services::orders::approve_class(&services, &person, caller::id_of(class)?).await?,
        })
    }
    .await;
    caller::answer(FORM, routes::APPROVALS, caller::typed([]), result, |rows| done(rows)).await
}

#[server(BulkReject, endpoint = "approvals/bulk-reject")]
pub async fn bulk_reject(
    #[server(default)] chosen: String,
    #[server(default)] class: String,
    #[server(default)] reason: String,
) -> Result<Vec<BulkRow>, AppError> {
    use crate::caller;
    let typed = caller::typed([("reason", &reason)]);
    let result = async {
        let (services, person) = (caller::services()?, caller::caller()?);
        Ok(match class.as_str() {
            "" => services::orders::reject_all(&services, &person, &parse(&chosen), &reason).await?,
            class => services::orders::reject_class(&services, &person, caller::id_of(class)?, &reason).await?,
        })
    }
    .await;
    caller::answer(FORM, routes::APPROVALS, typed, result, |rows| done(rows)).await
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

/// The page that says what became of each: `2047.approved`, `2048.stale`.
#[cfg(feature = "ssr")]
fn done(rows: &[BulkRow]) -> String {
    let each = |row: &BulkRow| {
        let word = row.error.as_ref().map(domain::Error::code).or_else(|| row.state.map(OrderState::as_str)).unwrap_or_default();
        format!("{}.{word}", row.number.unwrap_or_default())
    };
    routes::with_query(routes::APPROVALS_BULK, &[("done", &rows.iter().map(each).collect::<Vec<_>>().join("_"))])
}

#[component]
pub fn BulkPage() -> impl IntoView {
    let query = use_query_map();
    let chosen = Memo::new(move |_| query.with(|query| query.get_all("order").unwrap_or_default().join(",")));
    let class = Memo::new(move |_| query.with(|query| query.get_str("class").unwrap_or_default().to_owned()));
    let done = Memo::new(move |_| query.with(|query| query.get_str("done").map(ToOwned::to_owned)));
    let reject = Memo::new(move |_| query.with(|query| query.get_str("do") == Some("reject")));
    let summary = Resource::new(move || (chosen.get(), class.get()), |(chosen, class)| read_bulk(chosen, class));
    let last_try = flash(FORM);
    view! {
        <Transition fallback=|| view! { <Skeleton lines=6/> }>
            {move || {
                let (summary, last_try) = (summary.get()?, last_try.get()?);
                Some(match (done.get(), summary) {
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

#[component]
fn Confirm(summary: BulkSummary, chosen: String, class: String, reject: bool, last_try: Flash) -> impl IntoView {
    let language = language::current();
    let count = summary.orders.len();
    let Some(total) = summary.total else {
        return view! {
            <PageHead title=td_string!(language, approvals.title) crumb=crumb(language)/>
            <EmptyState glyph=Glyph::Stamp title=td_string!(language, decisions.bulk_none_title) text=td_string!(language, decisions.bulk_none_text)>
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
                <span class="fine desk-only">{td_string!(language, decisions.bulk_about)}</span>
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn Results(done: String) -> impl IntoView {
    let language = language::current();
    let rows: Vec<_> = done
        .split('_')
        .filter_map(|row| row.split_once('.'))
        .filter_map(|(number, word)| Some((number.parse::<u64>().ok()?, word.to_owned())))
        .collect();
    let good = rows.iter().filter(|(_, word)| OrderState::parse(word).is_some()).count();
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

/// What became of one: a state, or the code of what it met.
fn result_text(language: Language, word: &str) -> (StatusKind, String) {
    use crate::error_text::headline;
    use domain::Error;
    if let Some(state) = OrderState::parse(word) {
        return match state {
            OrderState::PendingApproval => (StatusKind::Ok, td_string!(language, decisions.bulk_passed).to_owned()),
            OrderState::Approved => (StatusKind::Ok, td_string!(language, decisions.step_approve).to_owned()),
            other => (state_kind(other), state_text(language, other).to_owned()),
        };
    }
    let nothing = || Error::Internal { reference: String::new() };
    let transition = || Error::InvalidTransition { state: String::new(), event: String::new() };
    let error = match word {
        "stale" => Error::Stale,
        "invalid_transition" => transition(),
        "own_order" => Error::OwnOrder,
        "decided_before" => Error::DecidedBefore,
        "forbidden" => Error::Forbidden,
        "not_found" => Error::NotFound,
        _ => nothing(),
    };
    (StatusKind::Warn, headline(language, &error))
}
