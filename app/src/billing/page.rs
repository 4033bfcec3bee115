//! A month: the answer first, then the charts, what the money went on, and the lines of what was chosen.

use domain::{
    billing::{Dimension, Overview},
    money::Money,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    api::{MonthPage, MonthQuery, read_month},
    breakdown::{Breakdown, group_href},
    burn_down::BurnDownChart,
    daily::DailyChart,
    head::{BillingTabs, Exports, Months, Tab},
    lines::BillLines,
    words::{change_percent, month_name, percent},
};
use crate::{
    components::{Button, EmptyState, Failed, Glyph, LinkButton, MomentStyle, PageHead, SelectField, Skeleton, moment_text},
    i18n::td_string,
    language::{self, Language},
    routes,
};

#[component]
pub fn BillingPage() -> impl IntoView {
    let query = use_query_map();
    let wanted = move || {
        let get = |name| query.with(|query| query.get_str(name).unwrap_or_default().to_owned());
        MonthQuery { month: get("month"), course: get("course"), by: get("by"), key: get("key"), after: get("after") }
    };
    let month = Resource::new(wanted, read_month);
    view! {
        <Transition fallback=|| view! { <Skeleton lines=6/> }>
            {move || month.get().map(|month| match month {
                Ok(page) => view! { <OneMonth page query=wanted()/> }.into_any(),
                Err(error) => view! { <Failed error/> }.into_any(),
            })}
        </Transition>
    }
    .into_any()
}

#[component]
fn OneMonth(page: MonthPage, query: MonthQuery) -> impl IntoView {
    let language = language::current();
    let MonthPage { overview, lines } = page;
    let (month, this_month, by) = (overview.month, overview.this_month, overview.by);
    let title = td_string!(language, bills.title, year = month.year(), month = month_name(language, month)).to_string();
    let nothing = overview.total.micros == 0 && overview.groups.is_empty();
    let course = query.course.clone();
    let lines = lines.map(|lines| {
        let name = overview
            .groups
            .iter()
            .find(|group| group.key == query.key)
            .map(|group| if language == Language::en { &group.name.en } else { &group.name.zh });
        let title = td_string!(language, bills.lines_of, name = name.unwrap_or(&query.course)).to_string();
        let older = lines.next.clone().map(|after| format!("{}&after={after}", group_href(&month.to_string(), &query.course, by, part(by, &query))));
        view! { <BillLines title month lines nostrip:older=older/> }
    });
    let burn = overview.burn_down.clone();
    let how = overview
        .forecast
        .as_ref()
        .map(|forecast| view! { <p class="fine">{td_string!(language, bills.how_forecast, days = forecast.days).to_string()}</p> });
    view! {
        <PageHead title lead=lead(language, &overview)>
            <Months month this_month course=course.clone() by=by.as_str().to_owned()/>
            {(!nothing).then(|| view! { <Exports month course=course.clone()/> })}
        </PageHead>
        <BillingTabs current=Tab::Month/>
        {if nothing {
            view! { <Nothing this=month == this_month/> }.into_any()
        } else {
            view! {
                <Sums overview=overview.clone()/>
                {how}
                <CourseFilter overview=overview.clone() course=query.course.clone()/>
                <div class="cols halves">
                    <DailyChart month days=overview.days.clone() courses=overview.courses.clone()/>
                    {burn.map(|burn| view! { <BurnDownChart burn/> })}
                </div>
                <Breakdown overview course=query.course key=query.key/>
                {lines}
            }
            .into_any()
        }}
    }
    .into_any()
}

/// The part whose lines are shown.
fn part(by: Dimension, query: &MonthQuery) -> &str {
    if by == Dimension::Course { &query.course } else { &query.key }
}

/// The answer in one sentence.
fn lead(language: Language, overview: &Overview) -> String {
    let total = overview.total.to_string();
    if let Some(closing) = &overview.closing {
        let at = moment_text(closing.at, MomentStyle::Minute);
        return td_string!(language, bills.lead_closed, total = total, at = at).to_string();
    }
    match &overview.forecast {
        _ if overview.groups.is_empty() && overview.total.micros == 0 => td_string!(language, bills.lead_empty).to_owned(),
        Some(forecast) => td_string!(language, bills.lead_running, total = total, forecast = forecast.total.to_string()).to_string(),
        None if overview.month == overview.this_month => td_string!(language, bills.lead_young, total = total).to_string(),
        None => td_string!(language, bills.lead_over, total = total).to_string(),
    }
}

/// The figures: spent, where it leads, the month before, the budget.
#[component]
fn Sums(overview: Overview) -> impl IntoView {
    let language = language::current();
    let counted = td_string!(language, bills.counted_at, at = moment_text(overview.counted_to, MomentStyle::Minute)).to_string();
    let running = overview.month == overview.this_month;
    let spent = if running { td_string!(language, bills.so_far) } else { td_string!(language, bills.in_all) };
    let adjusted = (overview.adjustments.micros != 0)
        .then(|| td_string!(language, bills.with_adjustments, amount = overview.adjustments.to_string()).to_string());
    let (forecast, pace) = match &overview.forecast {
        Some(forecast) => (forecast.total.to_string(), td_string!(language, bills.per_day, amount = forecast.per_day.to_string()).to_string()),
        None => (td_string!(language, bills.forecast_none).to_owned(), String::new()),
    };
    let expected = overview.forecast.as_ref().map_or(overview.total, |forecast| forecast.total);
    let compared = match change_percent(expected.micros, overview.previous.micros) {
        Some((percent, true)) => td_string!(language, bills.more, percent = percent).to_string(),
        Some((percent, false)) => td_string!(language, bills.less, percent = percent).to_string(),
        None => td_string!(language, bills.compare_none).to_owned(),
    };
    // The chosen course alone, where one is chosen.
    let only = (overview.by == Dimension::Course && overview.groups.len() == 1).then(|| overview.groups[0].key.clone());
    let counted_courses = overview.courses.iter().filter(|each| only.as_ref().is_none_or(|code| each.course.code == *code));
    let zero = Money::zero(overview.total.currency);
    let (budget, ever) = counted_courses.fold((zero, zero), |(budget, ever), each| (budget.plus(each.budget), ever.plus(each.spent_ever)));
    let used = if budget.micros > 0 { percent(ever.micros, budget.micros) } else { "–".to_owned() };
    let of_budget = if budget.micros > 0 {
        td_string!(language, bills.budget_of, spent = ever.to_string(), budget = budget.to_string()).to_string()
    } else {
        td_string!(language, bills.no_budget).to_owned()
    };
    view! {
        <div class="figures">
            <div class="figure"><span class="k">{spent}</span><span class="v">{overview.total.to_string()}</span><span class="d">{counted}{adjusted.map(|text| format!(" · {text}"))}</span></div>
            {running.then(|| view! {
                <div class="figure"><span class="k">{td_string!(language, bills.forecast)}</span><span class="v">{forecast}</span><span class="d">{pace}</span></div>
            })}
            <div class="figure">
                <span class="k">{td_string!(language, bills.last_month)}</span><span class="v">{overview.previous.to_string()}</span><span class="d">{compared}</span>
            </div>
            <div class="figure"><span class="k">{td_string!(language, bills.budget_used)}</span><span class="v">{used}</span><span class="d">{of_budget}</span></div>
        </div>
    }
    .into_any()
}

/// One course instead of all; a plain form, so that it works without scripts.
#[component]
fn CourseFilter(overview: Overview, course: String) -> impl IntoView {
    let language = language::current();
    if overview.courses.len() < 2 {
        return ().into_any();
    }
    let all = (String::new(), td_string!(language, bills.all_courses).to_owned());
    let choices = [all]
        .into_iter()
        .chain(overview.courses.iter().map(|each| (each.course.code.clone(), format!("{} {}", each.course.code, each.course.name))))
        .collect();
    view! {
        <form method="get" action=routes::BILLING class="filters">
            <input type="hidden" name="month" value=overview.month.to_string()/>
            <input type="hidden" name="by" value=overview.by.as_str()/>
            <SelectField name="course" label=td_string!(language, bills.filter_course) choices value=course/>
            <div><Button>{td_string!(language, bills.show)}</Button></div>
        </form>
    }
    .into_any()
}

#[component]
fn Nothing(this: bool) -> impl IntoView {
    let language = language::current();
    view! {
        <EmptyState glyph=Glyph::Bill title=td_string!(language, bills.none_title) text=td_string!(language, bills.none_text)>
            {if this {
                view! { <LinkButton small=true href=routes::CATALOGUE>{td_string!(language, bills.to_catalogue)}</LinkButton> }.into_any()
            } else {
                view! { <LinkButton small=true href=routes::BILLING>{td_string!(language, bills.to_this_month)}</LinkButton> }.into_any()
            }}
        </EmptyState>
    }
    .into_any()
}
