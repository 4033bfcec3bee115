//! Tables: quiet rules, a sticky head, and cards on a phone, where each cell brings its column's name along.

use leptos::prelude::*;

use super::StatusKind;

/// A column's heading; empty over buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub label: String,
    pub numeric: bool,
}

impl Column {
    pub fn text(label: impl Into<String>) -> Self {
        Self { label: label.into(), numeric: false }
    }
    /// Set flush right, for numbers.
    pub fn number(label: impl Into<String>) -> Self {
        Self { label: label.into(), numeric: true }
    }
}

/// A table of `<Row>`s. `caption` names it for screen readers. The roles are spelt out because the card layout of a
/// phone would take the table's meaning away from them.
#[component]
pub fn DataTable(
    #[prop(into)] caption: String,
    columns: Vec<Column>,
    /// Less air, for nodes and audit.
    #[prop(optional)]
    dense: bool,
    children: Children,
) -> impl IntoView {
    let heads = columns
        .into_iter()
        .map(|column| {
            let class = column.numeric.then_some("num");
            if column.label.is_empty() {
                // A column of buttons heads nothing.
                view! { <td role="cell"></td> }.into_any()
            } else {
                view! { <th role="columnheader" scope="col" class=class>{column.label}</th> }.into_any()
            }
        })
        .collect_view();
    let label = caption.clone();
    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label=label>
            <table class=if dense { "table dense" } else { "table" } role="table">
                <caption class="sr">{caption}</caption>
                <thead role="rowgroup"><tr role="row">{heads}</tr></thead>
                <tbody role="rowgroup">{children()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// One row of `<Cell>`s. `attention` draws the edge of a row that somebody must look at.
#[component]
pub fn Row(#[prop(into, optional)] attention: Option<StatusKind>, #[prop(optional)] selected: bool, children: Children) -> impl IntoView {
    view! {
        <tr role="row" data-st=attention.map(StatusKind::name) aria-selected=selected.then_some("true")>
            {children()}
        </tr>
    }
    .into_any()
}

/// Where a cell goes when the row becomes a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CellPlace {
    /// A line of its own: the column's name left, the value right.
    #[default]
    Line,
    /// The top right corner, beside the first cell: states.
    Corner,
    /// The full width without the column's name: buttons, long text.
    Wide,
    /// Left out on a phone.
    DeskOnly,
}

/// One cell. `label` is its column's heading, shown beside the value on a phone.
#[component]
pub fn Cell(
    #[prop(into, optional)] label: Option<String>,
    #[prop(optional)] numeric: bool,
    #[prop(optional)] place: CellPlace,
    children: Children,
) -> impl IntoView {
    let place = match place {
        CellPlace::Line => "",
        CellPlace::Corner => "end-cell",
        CellPlace::Wide => "wide-cell",
        CellPlace::DeskOnly => "drop",
    };
    let class = match (numeric, place) {
        (true, "") => "num".to_owned(),
        (true, place) => format!("num {place}"),
        (false, place) => place.to_owned(),
    };
    view! { <td role="cell" class=(!class.is_empty()).then_some(class) data-label=label>{children()}</td> }
}
