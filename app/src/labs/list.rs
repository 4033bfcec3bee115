//! Labs as a table, and the states to choose from.

use domain::{
    labs::{LabState, LabView},
    page::Page,
};
use leptos::prelude::*;

use super::words::{state_kind, state_text, view_text};
use crate::{
    components::{
        Amount, Card, Cell, CellPlace, Column, DataTable, EmptyState, Glyph, LinkButton, LinkItem, Moment, Pager, Row, Segmented, Status, StatusKind,
    },
    i18n::td_string,
    language,
    orders::words::cards_text,
    routes,
};

/// In the address: also those that are destroyed.
const ALL: &str = "all";
const OFFERED: [LabState; 4] = [LabState::Running, LabState::Stopped, LabState::Failed, LabState::Destroyed];

#[component]
pub fn States(current: String) -> impl IntoView {
    let language = language::current();
    let link = |name: &str, text: &'static str| LinkItem::new(routes::with_query(routes::LABS, &[("state", name)]), text, name == current);
    let mut items = vec![link("", td_string!(language, labs.filter_live))];
    items.extend(OFFERED.into_iter().map(|state| link(state.as_str(), state_text(language, state))));
    items.push(link(ALL, td_string!(language, labs.filter_all)));
    view! { <Segmented label=td_string!(language, labs.filter) items/> }.into_any()
}

#[component]
pub fn LabList(labs: Page<LabView>, state: String, after: String) -> impl IntoView {
    let language = language::current();
    if labs.items.is_empty() {
        return view! { <NoLabs filtered=!state.is_empty() || !after.is_empty()/> }.into_any();
    }
    let columns = vec![
        Column::text(td_string!(language, labs.lab)),
        Column::text(td_string!(language, labs.state)),
        Column::text(td_string!(language, labs.cards)),
        Column::text(td_string!(language, labs.course)),
        Column::text(td_string!(language, labs.owner)),
        Column::text(td_string!(language, labs.stops_at)),
        Column::number(td_string!(language, labs.cost)),
    ];
    let rows = labs.items.into_iter().map(|view| view! { <LabRow view/> }).collect_view();
    let older = labs.next.map(|next| routes::with_query(routes::LABS, &[("state", &state), ("after", &next)]));
    let newest = (!after.is_empty()).then(|| {
        let href = routes::with_query(routes::LABS, &[("state", &state)]);
        view! { <p><a href=href>{td_string!(language, labs.newest)}</a></p> }
    });
    view! {
        {newest}
        <Card title=td_string!(language, labs.title) flush=true>
            <DataTable caption=td_string!(language, labs.title) columns>{rows}</DataTable>
            <Pager nostrip:older=older/>
        </Card>
    }
    .into_any()
}

#[component]
fn LabRow(view: LabView) -> impl IntoView {
    let language = language::current();
    let state = view_text(language, &view);
    let LabView { lab, owner, course, cost, .. } = view;
    let attention = (lab.state == LabState::Failed).then_some(StatusKind::Bad);
    let name = lab.offering_name.get(language::tag(language)).to_owned();
    let stops = match lab.ends_at.filter(|_| lab.state == LabState::Running) {
        Some(at) => view! { <Moment at/> }.into_any(),
        None => view! { <span class="muted">{td_string!(language, labs.none_yet)}</span> }.into_any(),
    };
    view! {
        <Row nostrip:attention=attention>
            <Cell><a href=routes::lab(lab.id)><b class="mono">{lab.name.clone()}</b></a><small>{name}</small></Cell>
            <Cell label=td_string!(language, labs.state) place=CellPlace::Corner><Status kind=state_kind(lab.state)>{state}</Status></Cell>
            <Cell label=td_string!(language, labs.cards)>{cards_text(&lab.spec)}</Cell>
            <Cell label=td_string!(language, labs.course)>{course.code}</Cell>
            <Cell label=td_string!(language, labs.owner)>{owner.name}</Cell>
            <Cell label=td_string!(language, labs.stops_at)>{stops}</Cell>
            <Cell label=td_string!(language, labs.cost) numeric=true><Amount money=cost/></Cell>
        </Row>
    }
    .into_any()
}

#[component]
fn NoLabs(filtered: bool) -> impl IntoView {
    let language = language::current();
    if filtered {
        return view! {
            <EmptyState
                glyph=Glyph::Find
                title=td_string!(language, labs.empty_filtered_title)
                text=td_string!(language, labs.empty_filtered_text)
            >
                <LinkButton small=true href=routes::with_query(routes::LABS, &[("state", ALL)])>{td_string!(language, labs.drop_filter)}</LinkButton>
            </EmptyState>
        }
        .into_any();
    }
    view! {
        <EmptyState glyph=Glyph::Lab title=td_string!(language, labs.empty_title) text=td_string!(language, labs.empty_text)>
            <LinkButton small=true href=routes::CATALOGUE>{td_string!(language, labs.to_catalogue)}</LinkButton>
        </EmptyState>
    }
    .into_any()
}
