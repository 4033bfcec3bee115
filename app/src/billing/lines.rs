//! The lines of a course's bill: one for each lab and meter, each leading to its lab.

use domain::billing::{Bill, BillLine};
use leptos::prelude::*;

use super::words::{amount_text, average_price, meter_text, unit_price_text, usage_text};
use crate::{
    components::{Amount, Card, Cell, CellPlace, Column, DataTable, MomentStyle, Row, Status, StatusKind, moment_text},
    i18n::td_string,
    language, routes,
};

#[component]
pub fn BillLines(bill: Bill) -> impl IntoView {
    let language = language::current();
    let title = td_string!(language, billing.lines_of, code = bill.course.code.as_str(), name = bill.course.name.as_str()).to_string();
    let at = moment_text(bill.counted_to, MomentStyle::Second);
    let total = bill.total;
    let columns = vec![
        Column::text(td_string!(language, billing.lab)),
        Column::text(td_string!(language, billing.meter)),
        Column::number(td_string!(language, billing.quantity)),
        Column::number(td_string!(language, billing.unit_price)),
        Column::number(td_string!(language, billing.amount)),
    ];
    let mut before = None;
    let rows = bill
        .lines
        .into_iter()
        .map(|line| {
            // The lab's name stands once, on the first of its lines.
            let first = before.replace(line.lab) != Some(line.lab);
            view! { <Line line first/> }
        })
        .collect_view();
    view! {
        <Card title=title.clone() flush=true id="lines" end=move || view! { <b><Amount money=total/></b> }>
            <DataTable caption=title columns dense=true>{rows}</DataTable>
            <p class="pager fine">{td_string!(language, billing.counted_to, at = at).to_string()}</p>
        </Card>
    }
    .into_any()
}

#[component]
fn Line(line: BillLine, first: bool) -> impl IntoView {
    let language = language::current();
    let price = average_price(line.meter, line.unit_seconds, line.amount).map(|price| unit_price_text(language, line.meter, price));
    let href = routes::lab(line.lab);
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
