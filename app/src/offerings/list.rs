//! Every offering with its state, version, price and how many labs were made from it.

use domain::offerings::ManagedOffering;
use leptos::prelude::*;

use super::words::{state_kind, state_text, workload_text};
use crate::{
    components::{Cell, CellPlace, Column, DataTable, EmptyState, Glyph, Moment, Row, Status},
    i18n::td_string,
    language::{self, Language},
    routes,
};

#[component]
pub fn OfferingTable(rows: Vec<ManagedOffering>) -> impl IntoView {
    let language = language::current();
    if rows.is_empty() {
        return view! {
            <EmptyState
                glyph=Glyph::Shelf
                title=td_string!(language, offerings.empty_title)
                text=td_string!(language, offerings.empty_text)
            />
        }
        .into_any();
    }
    let columns = vec![
        Column::text(td_string!(language, offerings.name)),
        Column::text(td_string!(language, offerings.state)),
        Column::text(td_string!(language, offerings.kind)),
        Column::text(td_string!(language, offerings.version)),
        Column::number(td_string!(language, offerings.price)),
        Column::number(td_string!(language, offerings.labs)),
        Column::text(td_string!(language, offerings.changed)),
    ];
    let rows = rows.into_iter().map(|row| line(language, row)).collect_view();
    view! {
        <section class="card flush">
            <div class="body"><DataTable caption=td_string!(language, offerings.title) columns>{rows}</DataTable></div>
        </section>
    }
    .into_any()
}

fn line(language: Language, row: ManagedOffering) -> impl IntoView {
    let ManagedOffering { current, draft, labs, per_hour } = row;
    let offering = current.offering;
    let price = match per_hour {
        Some(price) => td_string!(language, offerings.per_hour, price = price.to_string()).to_string(),
        None => td_string!(language, offerings.no_price).to_owned(),
    };
    view! {
        <Row>
            <Cell>
                <a href=routes::offering_editor(&offering.slug)><b>{offering.name.get(language::tag(language)).to_owned()}</b></a>
                <small class="mono">{offering.slug}</small>
            </Cell>
            <Cell label=td_string!(language, offerings.state) place=CellPlace::Corner>
                <Status kind=state_kind(current.state)>{state_text(language, current.state)}</Status>
            </Cell>
            <Cell label=td_string!(language, offerings.kind)>{workload_text(language, offering.workload)}</Cell>
            <Cell label=td_string!(language, offerings.version)>
                {td_string!(language, offerings.version_no, version = offering.version).to_string()}
                {draft.map(|version| view! { <small>{td_string!(language, offerings.draft_beside, version = version).to_string()}</small> })}
            </Cell>
            <Cell label=td_string!(language, offerings.price) numeric=true>{price}</Cell>
            <Cell label=td_string!(language, offerings.labs) numeric=true>
                {td_string!(language, offerings.labs_count, count = labs).to_string()}
            </Cell>
            <Cell label=td_string!(language, offerings.changed)>
                <Moment at=current.changed_at/>
                <small>{current.changed_by.unwrap_or_else(|| td_string!(language, offerings.built_in).to_owned())}</small>
            </Cell>
        </Row>
    }
    .into_any()
}
