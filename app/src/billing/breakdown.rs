//! A month's spending by one dimension; each part links to its lines.

use domain::{
    billing::{Dimension, Group, Overview},
    money::Money,
};
use leptos::prelude::*;

use super::words::{hours_text, percent};
use crate::{
    components::{Amount, Card, Cell, CellPlace, Column, DataTable, LinkItem, Row, Segmented},
    i18n::td_string,
    language::{self, Language},
    routes,
};

pub fn dimension_text(language: Language, by: Dimension) -> &'static str {
    match by {
        Dimension::Course => td_string!(language, bills.by_course),
        Dimension::Offering => td_string!(language, bills.by_offering),
        Dimension::Card => td_string!(language, bills.by_card),
        Dimension::Person => td_string!(language, bills.by_person),
    }
}

/// Where a part of the breakdown leads.
pub fn group_href(month: &str, course: &str, by: Dimension, key: &str) -> String {
    match by {
        Dimension::Course => routes::with_query(routes::BILLING, &[("month", month), ("course", key)]),
        _ => routes::with_query(routes::BILLING, &[("month", month), ("course", course), ("by", by.as_str()), ("key", key)]),
    }
}

#[component]
pub fn Breakdown(overview: Overview, course: String, key: String) -> impl IntoView {
    let language = language::current();
    let Overview { month, by, groups, adjustments, total, .. } = overview;
    let month = month.to_string();
    let tabs = Dimension::ALL
        .into_iter()
        .map(|each| {
            let href = routes::with_query(routes::BILLING, &[("month", &month), ("course", &course), ("by", each.as_str())]);
            LinkItem::new(href, dimension_text(language, each), each == by)
        })
        .collect();
    let columns = vec![
        Column::text(td_string!(language, bills.name)),
        Column::number(td_string!(language, bills.labs)),
        Column::number(td_string!(language, bills.card_hours)),
        Column::number(td_string!(language, bills.share)),
        Column::number(td_string!(language, bills.amount)),
    ];
    // Parts of a tenth of a percent draw no bar; the figure stands beside it.
    let all: i64 = groups.iter().map(|group| group.amount.micros.max(0)).sum();
    let chosen = if by == Dimension::Course { course.clone() } else { key };
    let rows = groups
        .into_iter()
        .enumerate()
        .map(|(index, group)| {
            let href = group_href(&month, &course, by, &group.key);
            let current = group.key == chosen;
            view! { <Part group index href all current/> }
        })
        .collect_view();
    // By course the adjustments are in the sums already.
    let rest = (by != Dimension::Course && adjustments.micros != 0).then(|| view! { <AdjustmentsRow money=adjustments/> });
    view! {
        <Card title=td_string!(language, bills.breakdown) flush=true id="breakdown" end=move || view! { <b><Amount money=total/></b> }>
            <div class="row in-card"><Segmented label=td_string!(language, bills.by) items=tabs/></div>
            <DataTable caption=td_string!(language, bills.breakdown) columns>{rows}{rest}</DataTable>
        </Card>
    }
    .into_any()
}

#[component]
fn Part(group: Group, index: usize, href: String, all: i64, current: bool) -> impl IntoView {
    let language = language::current();
    let name = if language == Language::en { group.name.en } else { group.name.zh };
    let label = td_string!(language, bills.lines_link, name = name.as_str()).to_string();
    let width = (i128::from(group.amount.micros.max(0)) * 1000 / i128::from(all.max(1))).to_string();
    let colour = ["v1", "v2", "v3", "v4", "v5"].get(index).copied().unwrap_or("v0");
    view! {
        <Row selected=current>
            <Cell><a href=href aria-label=label aria-current=current.then_some("true")>{name}</a></Cell>
            <Cell label=td_string!(language, bills.labs) numeric=true>
                {td_string!(language, bills.labs_count, count = group.labs).to_string()}
            </Cell>
            <Cell label=td_string!(language, bills.card_hours) numeric=true>{hours_text(language, group.card_seconds)}</Cell>
            <Cell label=td_string!(language, bills.share) numeric=true>
                <span class="share">
                    <span class="track" aria-hidden="true"><span class=colour style=format!("--v:calc({width} / 10)")></span></span>
                    {percent(group.amount.micros, all)}
                </span>
            </Cell>
            <Cell label=td_string!(language, bills.amount) numeric=true place=CellPlace::Corner><Amount money=group.amount/></Cell>
        </Row>
    }
    .into_any()
}

#[component]
fn AdjustmentsRow(money: Money) -> impl IntoView {
    let language = language::current();
    view! {
        <Row>
            <Cell><a href=routes::BILLING_ADJUSTMENTS>{td_string!(language, bills.adjustments_row)}</a></Cell>
            <Cell place=CellPlace::DeskOnly>""</Cell>
            <Cell place=CellPlace::DeskOnly>""</Cell>
            <Cell place=CellPlace::DeskOnly>""</Cell>
            <Cell label=td_string!(language, bills.amount) numeric=true place=CellPlace::Corner><Amount money/></Cell>
        </Row>
    }
    .into_any()
}
