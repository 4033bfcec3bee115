//! The bill of a month: what each course used, and the lines of one course.

use domain::{billing::BillSummary, money::Money, time::Month};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    api::{MonthOfBills, read_bills},
    lines::BillLines,
};
use crate::{
    components::{
        Amount, Card, Cell, CellPlace, Column, DataTable, EmptyState, Failed, Glyph, LinkButton, MomentStyle, PageHead, Row, Skeleton, moment_text,
    },
    i18n::td_string,
    language::{self, Language},
    routes,
};

#[component]
pub fn BillingPage() -> impl IntoView {
    let query = use_query_map();
    let wanted = move || {
        let get = |name| query.with(|query| query.get_str(name).unwrap_or_default().to_owned());
        (get("month"), get("course"))
    };
    let bills = Resource::new(wanted, |(month, course)| read_bills(month, course));
    view! {
        <Transition fallback=|| view! { <Skeleton lines=6/> }>
            {move || bills.get().map(|bills| match bills {
                Ok(bills) => view! { <Bills bills/> }.into_any(),
                Err(error) => view! { <Failed error/> }.into_any(),
            })}
        </Transition>
    }
    .into_any()
}

#[component]
fn Bills(bills: MonthOfBills) -> impl IntoView {
    let language = language::current();
    let MonthOfBills { month, this_month, courses, bill } = bills;
    let total = courses.iter().map(|each| each.total).reduce(Money::plus);
    let lead = match (total, &bill) {
        (None, _) => td_string!(language, billing.lead_empty).to_owned(),
        (Some(total), Some(bill)) => {
            let at = moment_text(bill.counted_to, MomentStyle::Minute);
            td_string!(language, billing.lead_counted, at = at, total = total.to_string()).to_string()
        }
        (Some(total), None) => td_string!(language, billing.lead_total, total = total.to_string()).to_string(),
    };
    let title = td_string!(language, billing.title_month, year = month.year(), month = month_name(language, month)).to_string();
    let chosen = bill.as_ref().map(|bill| bill.course.code.clone());
    view! {
        <PageHead title lead><Months month this_month/></PageHead>
        {if courses.is_empty() {
            view! { <NoBills month this_month/> }.into_any()
        } else {
            view! { <CourseTotals courses month chosen/> }.into_any()
        }}
        {bill.filter(|bill| !bill.lines.is_empty()).map(|bill| view! { <BillLines bill/> })}
    }
    .into_any()
}

/// Links to the month before and after; there is no bill of the future.
#[component]
fn Months(month: Month, this_month: Month) -> impl IntoView {
    let language = language::current();
    let href = |month: Month| routes::with_query(routes::BILLING, &[("month", &month.to_string())]);
    let (before, after) = (month.previous(), month.next());
    let label_before = td_string!(language, billing.previous_month, month = month_name(language, before)).to_string();
    let label_after = td_string!(language, billing.next_month, month = month_name(language, after)).to_string();
    view! {
        <a class="btn" href=href(before) aria-label=label_before>
            <crate::components::Icon glyph=Glyph::Left small=true/>{month_name(language, before)}
        </a>
        {(after <= this_month).then(|| view! {
            <a class="btn" href=href(after) aria-label=label_after>
                {month_name(language, after)}<crate::components::Icon glyph=Glyph::Right small=true/>
            </a>
        })}
    }
    .into_any()
}

#[component]
fn NoBills(month: Month, this_month: Month) -> impl IntoView {
    let language = language::current();
    view! {
        <EmptyState glyph=Glyph::Bill title=td_string!(language, billing.empty_title) text=td_string!(language, billing.empty_text)>
            {if month == this_month {
                view! { <LinkButton small=true href=routes::CATALOGUE>{td_string!(language, billing.to_catalogue)}</LinkButton> }.into_any()
            } else {
                view! { <LinkButton small=true href=routes::BILLING>{td_string!(language, billing.to_this_month)}</LinkButton> }.into_any()
            }}
        </EmptyState>
    }
    .into_any()
}

/// What each course used; its code leads to its lines.
#[component]
fn CourseTotals(courses: Vec<BillSummary>, month: Month, chosen: Option<String>) -> impl IntoView {
    let language = language::current();
    let all: i64 = courses.iter().map(|each| each.total.micros).sum();
    let columns = vec![
        Column::text(td_string!(language, billing.course)),
        Column::number(td_string!(language, billing.labs)),
        Column::number(td_string!(language, billing.share)),
        Column::number(td_string!(language, billing.total)),
    ];
    let rows = courses
        .into_iter()
        .map(|each| {
            let href = routes::with_query(routes::BILLING, &[("month", &month.to_string()), ("course", &each.course.code)]);
            let current = chosen.as_deref() == Some(&each.course.code);
            let label = td_string!(language, billing.show, code = each.course.code.as_str()).to_string();
            view! {
                <Row selected=current>
                    <Cell>
                        <a href=href aria-label=label aria-current=current.then_some("true")><b>{each.course.code}</b></a>
                        <small>{each.course.name}</small>
                    </Cell>
                    <Cell label=td_string!(language, billing.labs) numeric=true>
                        {td_string!(language, billing.labs_count, count = each.labs).to_string()}
                    </Cell>
                    <Cell label=td_string!(language, billing.share) numeric=true>{percent(each.total.micros, all)}</Cell>
                    <Cell label=td_string!(language, billing.total) numeric=true place=CellPlace::Corner><Amount money=each.total/></Cell>
                </Row>
            }
        })
        .collect_view();
    view! {
        <Card title=td_string!(language, billing.by_course) flush=true>
            <DataTable caption=td_string!(language, billing.by_course) columns>{rows}</DataTable>
        </Card>
    }
    .into_any()
}

/// `41.1 %`; a dash where nothing cost anything.
fn percent(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "–".to_owned();
    }
    let tenths = (i128::from(part) * 1_000 + i128::from(whole) / 2) / i128::from(whole);
    format!("{}.{}\u{a0}%", tenths / 10, tenths % 10)
}

/// `November`, `11 月`
pub fn month_name(language: Language, month: Month) -> &'static str {
    match month.month() {
        1 => td_string!(language, billing.month_1),
        2 => td_string!(language, billing.month_2),
        3 => td_string!(language, billing.month_3),
        4 => td_string!(language, billing.month_4),
        5 => td_string!(language, billing.month_5),
        6 => td_string!(language, billing.month_6),
        7 => td_string!(language, billing.month_7),
        8 => td_string!(language, billing.month_8),
        9 => td_string!(language, billing.month_9),
        10 => td_string!(language, billing.month_10),
        11 => td_string!(language, billing.month_11),
        _ => td_string!(language, billing.month_12),
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn shares_add_up_in_tenths_of_a_percent() {
        assert_eq!(percent(411, 1_000), "41.1\u{a0}%");
        assert_eq!(percent(1, 3), "33.3\u{a0}%");
        assert_eq!(percent(0, 0), "–");
    }
}
