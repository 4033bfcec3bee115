//! The lines of what was chosen in a month: one for each lab and meter, each leading to its intervals.

use domain::{billing::BillLine, page::Page, time::Month};
use leptos::prelude::*;

use super::words::{amount_text, average_price, meter_text, unit_price_text, usage_text};
use crate::{
    components::{Card, Cell, CellPlace, Column, DataTable, Pager, Row, Status, StatusKind},
    i18n::td_string,
    language, routes,
};

/// `older` is where the next page is, when there is one.
#[component]
pub fn BillLines(#[prop(into)] title: String, month: Month, lines: Page<BillLine>, #[prop(into, optional)] older: Option<String>) -> impl IntoView {
    let language = language::current();
    let columns = vec![
        Column::text(td_string!(language, billing.lab)),
        Column::text(td_string!(language, billing.meter)),
        Column::number(td_string!(language, billing.quantity)),
        Column::number(td_string!(language, billing.unit_price)),
        Column::number(td_string!(language, billing.amount)),
    ];
    let empty = lines.items.is_empty();
    let mut before = None;
    let rows = lines
        .items
        .into_iter()
        .map(|line| {
            // The owner stands once, on the first of the lab's lines.
            let first = before.replace(line.lab) != Some(line.lab);
            view! { <Line line first month/> }
        })
        .collect_view();
    view! {
        <Card title=title.clone() flush=true id="lines">
            {if empty {
                view! { <p class="pager soft">{td_string!(language, bills.chosen_none)}</p> }.into_any()
            } else {
                view! {
                    <DataTable caption=title columns dense=true>{rows}</DataTable>
                    <p class="pager fine">{td_string!(language, bills.lines_note)}</p>
                    <Pager nostrip:older=older/>
                }
                .into_any()
            }}
        </Card>
    }
    .into_any()
}

#[component]
fn Line(line: BillLine, first: bool, month: Month) -> impl IntoView {
    let language = language::current();
    let price = average_price(line.meter, line.unit_seconds, line.amount).map(|price| unit_price_text(language, line.meter, price));
    let href = routes::lab_intervals(line.lab, month);
    view! {
        <Row>
            <Cell>
                <a href=href class="mono">{line.lab_name}</a>
                {first.then(|| view! { <small>{line.owner_name}</small> })}
            </Cell>
            <Cell label=td_string!(language, billing.meter)>
                <span class="row">
                    {meter_text(language, line.meter)}
                    {line.open.then(|| view! { <Status kind=StatusKind::Live>{td_string!(language, billing.still_counting)}</Status> })}
                </span>
            </Cell>
            <Cell label=td_string!(language, billing.quantity) numeric=true>{usage_text(language, line.meter, line.unit_seconds)}</Cell>
            <Cell label=td_string!(language, billing.unit_price) numeric=true>{price}</Cell>
            <Cell label=td_string!(language, billing.amount) numeric=true place=CellPlace::Corner><span class="nowrap">{amount_text(line.amount)}</span></Cell>
        </Row>
    }
    .into_any()
}
