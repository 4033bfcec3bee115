//! Editors of a course's quota and budget: next to each limit what is used and held.

use domain::{
    Error,
    ids::CourseId,
    quotas::{BudgetAction, BudgetStatus, Item, QuotaSettings, QuotaStatus},
};
use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    api::{SetBudget, SetQuota},
    words::action_text,
};
use crate::{
    components::{Button, ButtonKind, Card, CheckField, ErrorNotice, TextField},
    error::AppError,
    error_text::field_problem_text,
    flash::Flash,
    i18n::td_string,
    language,
    quotas::meters::{item_amount, item_name},
};

#[component]
pub fn QuotaEditor(id: CourseId, settings: QuotaSettings, quota: QuotaStatus, failed: Flash) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let below = matches!(other, Some(Error::LimitBelowUse(_)));
    let typed = failed.clone();
    let value = move |field: &str, now: String| Some(typed.value(field).to_owned()).filter(|text| !text.is_empty()).unwrap_or(now);
    let problem = move |field: &str| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    let items = Item::ALL
        .into_iter()
        .map(|item| {
            let (used, held) = (item_amount(language, item, quota.used.get(item)), item_amount(language, item, quota.held.get(item)));
            view! {
                <TextField
                    name=format!("quota[{}]", item.as_str())
                    label=item_name(language, item)
                    help=td_string!(language, courses.used_held, used = used, held = held).to_string()
                    value=value(item.as_str(), item.show(settings.limits.get(item)))
                    error=problem(item.as_str())
                    input_mode="decimal"
                />
            }
        })
        .collect_view();
    view! {
        <Card title=td_string!(language, courses.quota) id="quota">
            <form class="stack" method="post" action=SetQuota::PATH>
                <p class="fine">{td_string!(language, courses.quota_text)}</p>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                {below.then(|| view! { <CheckField name="accept" label=td_string!(language, courses.accept_below) value="on"/> })}
                <input type="hidden" name="id" value=id.to_string()/>
                <div class="filters">{items}</div>
                <div class="filters">
                    <TextField
                        name="quota[cards_per_order]"
                        label=td_string!(language, courses.cards_per_order)
                        help=td_string!(language, courses.more_asks)
                        value=value("cards_per_order", settings.cards_per_order.to_string())
                        error=problem("cards_per_order")
                        input_mode="decimal"
                    />
                    <TextField
                        name="quota[starts_per_day]"
                        label=td_string!(language, courses.starts_per_day)
                        help=td_string!(language, courses.started_today, started = quota.started_today.to_string()).to_string()
                        value=value("starts_per_day", settings.starts_per_day.to_string())
                        error=problem("starts_per_day")
                        input_mode="decimal"
                    />
                </div>
                <div><Button kind=ButtonKind::Primary>{td_string!(language, courses.save_quota)}</Button></div>
            </form>
        </Card>
    }
    .into_any()
}

#[component]
pub fn BudgetEditor(id: CourseId, budget: BudgetStatus, failed: Flash) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let tried = !failed.values.is_empty();
    let typed = failed.clone();
    let value = move |field: &str, now: String| if tried { typed.value(field).to_owned() } else { now };
    let problem = move |field: &str| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    let day = |at: Option<domain::time::Timestamp>| at.map(|at| at.on_campus().date()).unwrap_or_default();
    // The end is the midnight after the last day.
    let last = day(budget.terms.to.map(|to| to.plus_seconds(-1)));
    let percents = |action| {
        let own = budget.terms.thresholds.iter().filter(|each| each.action == action);
        own.map(|each| each.percent.to_string()).collect::<Vec<_>>().join(", ")
    };
    let thresholds = BudgetAction::ALL
        .into_iter()
        .map(|action| {
            view! {
                <TextField
                    name=format!("budget[{}]", action.as_str())
                    label=action_text(language, action)
                    value=value(action.as_str(), percents(action))
                    error=problem(action.as_str())
                    input_mode="decimal"
                    unit="%"
                    optional=true
                />
            }
        })
        .collect_view();
    let (spent, held) = (budget.spent.to_string(), budget.held.to_string());
    view! {
        <Card title=td_string!(language, courses.budget) id="budget">
            <form class="stack" method="post" action=SetBudget::PATH>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                <input type="hidden" name="id" value=id.to_string()/>
                <TextField
                    name="budget[amount]"
                    label=td_string!(language, courses.amount)
                    help=td_string!(language, courses.used_held, used = spent, held = held).to_string()
                    value=value("amount", (budget.limit.micros / domain::money::MICROS_PER_UNIT).to_string())
                    error=problem("amount")
                    input_mode="numeric"
                    unit=budget.limit.currency.code()
                />
                <div class="fields">
                    <TextField
                        name="budget[from]"
                        label=td_string!(language, courses.term_from)
                        help=td_string!(language, courses.term_from_help)
                        value=value("from", day(budget.terms.from))
                        error=problem("from")
                        input_type="date"
                        optional=true
                    />
                    <TextField
                        name="budget[to]"
                        label=td_string!(language, courses.term_to)
                        help=td_string!(language, courses.term_to_help)
                        value=value("to", last)
                        error=problem("to")
                        input_type="date"
                        optional=true
                    />
                </div>
                <p class="fine">{td_string!(language, courses.thresholds_text)}</p>
                <div class="filters">{thresholds}</div>
                <div><Button kind=ButtonKind::Primary>{td_string!(language, courses.save_budget)}</Button></div>
            </form>
        </Card>
    }
    .into_any()
}
