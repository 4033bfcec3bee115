//! A lab's intervals of a month, each with what anybody needs to work it out by hand.

use domain::metering::UsageLine;
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    api::{LabMonth, read_intervals},
    words::{exact_text, formula_text, meter_text, month_name, unit_price_text},
};
use crate::{
    components::{
        Card, Cell, CellPlace, Column, DataTable, EmptyState, Failed, Glyph, LinkButton, Moment, MomentStyle, PageHead, Row, Skeleton, Status,
        StatusKind,
    },
    i18n::td_string,
    language, routes,
};

#[component]
pub fn IntervalsPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let wanted = move || {
        let id = params.with(|params| params.get_str("id").unwrap_or_default().to_owned());
        (id, query.with(|query| query.get_str("month").unwrap_or_default().to_owned()))
    };
    let lab = Resource::new(wanted, |(id, month)| read_intervals(id, month));
    view! {
        <Transition fallback=|| view! { <Skeleton lines=6/> }>
            {move || lab.get().map(|lab| match lab {
                Ok(lab) => view! { <Intervals lab/> }.into_any(),
                Err(error) => view! { <Failed error/> }.into_any(),
            })}
        </Transition>
    }
    .into_any()
}

#[component]
fn Intervals(lab: LabMonth) -> impl IntoView {
    let language = language::current();
    let LabMonth { lab, name, month, lines } = lab;
    let total = lines.iter().map(|line| line.amount).reduce(domain::money::Money::plus);
    let title =
        td_string!(language, bills.intervals_title, lab = name.as_str(), month = month_name(language, month), year = month.year()).to_string();
    let lead = match total {
        Some(total) => td_string!(language, bills.intervals_lead, total = total.to_string(), count = lines.len()).to_string(),
        None => td_string!(language, bills.lead_empty).to_owned(),
    };
    let crumb = (routes::with_query(routes::BILLING, &[("month", &month.to_string())]), td_string!(language, bills.back_to_bill).to_owned());
    let columns = vec![
        Column::text(td_string!(language, billing.meter)),
        Column::text(td_string!(language, bills.from)),
        Column::text(td_string!(language, bills.to)),
        Column::number(td_string!(language, bills.seconds)),
        Column::number(td_string!(language, billing.quantity)),
        Column::number(td_string!(language, billing.unit_price)),
        Column::number(td_string!(language, bills.discount)),
        Column::number(td_string!(language, billing.amount)),
        Column::text(td_string!(language, bills.formula)),
    ];
    let empty = lines.is_empty();
    let rows = lines.into_iter().map(|line| view! { <Interval line/> }).collect_view();
    view! {
        <PageHead title=title.clone() lead crumb>
            <LinkButton href=routes::lab(lab)>{td_string!(language, bills.open_lab)}</LinkButton>
        </PageHead>
        {if empty {
            view! { <EmptyState glyph=Glyph::Bill title=td_string!(language, bills.none_title) text=td_string!(language, bills.none_text)/> }.into_any()
        } else {
            view! {
                <Card title=td_string!(language, bills.intervals) flush=true>
                    <DataTable caption=title columns dense=true>{rows}</DataTable>
                    <p class="pager fine">{td_string!(language, bills.formula_note)}</p>
                </Card>
            }
            .into_any()
        }}
    }
    .into_any()
}

#[component]
fn Interval(line: UsageLine) -> impl IntoView {
    let language = language::current();
    let formula = formula_text(&line);
    let discount = if line.discount.is_none() { "–".to_owned() } else { format!("{}\u{a0}%", line.discount) };
    view! {
        <Row>
            <Cell>
                {meter_text(language, line.meter)}
                {line.open.then(|| view! { <small><Status kind=StatusKind::Live>{td_string!(language, billing.still_counting)}</Status></small> })}
            </Cell>
            <Cell label=td_string!(language, bills.from)><Moment at=line.from style=MomentStyle::Second/></Cell>
            <Cell label=td_string!(language, bills.to)><Moment at=line.to style=MomentStyle::Second/></Cell>
            <Cell label=td_string!(language, bills.seconds) numeric=true>
                {td_string!(language, bills.seconds_count, count = domain::money::grouped(line.seconds.unsigned_abs())).to_string()}
            </Cell>
            <Cell label=td_string!(language, billing.quantity) numeric=true>{line.quantity}</Cell>
            <Cell label=td_string!(language, billing.unit_price) numeric=true>{unit_price_text(language, line.meter, line.unit_price)}</Cell>
            <Cell label=td_string!(language, bills.discount) numeric=true>{discount}</Cell>
            <Cell label=td_string!(language, billing.amount) numeric=true place=CellPlace::Corner><span class="nowrap">{exact_text(line.amount)}</span></Cell>
            <Cell label=td_string!(language, bills.formula) place=CellPlace::Wide><span class="fine">{formula}</span></Cell>
        </Row>
    }
    .into_any()
}
