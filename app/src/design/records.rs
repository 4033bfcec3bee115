//! Tables and what happened over time.

use leptos::prelude::*;

use super::{
    messages::STATUSES,
    specimen::{AT, Specimen},
};
use crate::{
    components::{Cell, CellPlace, Column, DataTable, LinkButton, MomentStyle, Row, Status, StatusKind, Timeline, TimelineItem},
    i18n::td_string,
    language::{self, Language},
    routes,
};

fn columns(language: Language) -> Vec<Column> {
    vec![
        Column::text(td_string!(language, labs.lab)),
        Column::text(td_string!(language, labs.state)),
        Column::number(td_string!(language, labs.cost)),
        Column::text(td_string!(language, labs.owner)),
        Column::text(""),
    ]
}

fn row(language: Language, name: &'static str, kind: StatusKind, attention: Option<StatusKind>, selected: bool) -> impl IntoView {
    let cells = view! {
        <Cell>{name}</Cell>
        <Cell place=CellPlace::Corner><Status kind>{format!("{kind:?}")}</Status></Cell>
        <Cell label=td_string!(language, labs.cost) numeric=true>"¥47.46"</Cell>
        <Cell label=td_string!(language, labs.owner) place=CellPlace::DeskOnly>{td_string!(language, design.sample_person)}</Cell>
        <Cell place=CellPlace::Wide><LinkButton href=routes::LABS small=true>{td_string!(language, design.sample_action)}</LinkButton></Cell>
    };
    match attention {
        Some(attention) => view! { <Row attention selected>{cells}</Row> }.into_any(),
        None => view! { <Row selected>{cells}</Row> }.into_any(),
    }
}

fn rows(language: Language) -> impl IntoView {
    view! {
        {row(language, "lab-2047", StatusKind::Live, None, false)}
        {row(language, "lab-2048", StatusKind::Wait, None, true)}
        {row(language, "lab-2049", StatusKind::Warn, Some(StatusKind::Warn), false)}
        {row(language, "lab-2050", StatusKind::Bad, Some(StatusKind::Bad), false)}
    }
}

#[component]
pub fn Tables() -> impl IntoView {
    let language = language::current();
    view! {
        <Specimen name="DataTable, Row selected, Row attention" block=true>
            <DataTable caption="DataTable" columns=columns(language)>{rows(language)}</DataTable>
        </Specimen>
        <Specimen name="DataTable dense" block=true>
            <DataTable caption="DataTable dense" columns=columns(language) dense=true>{rows(language)}</DataTable>
        </Specimen>
    }
    .into_any()
}

#[component]
pub fn History() -> impl IntoView {
    let language = language::current();
    let text = td_string!(language, design.sample_text);
    let items = STATUSES
        .into_iter()
        .zip(0..)
        .map(|(kind, minute)| {
            view! { <TimelineItem at=AT.plus_minutes(minute) style=MomentStyle::Time kind title=format!("{kind:?}")>{text}</TimelineItem> }
        })
        .collect_view();
    view! {
        <Specimen name="Timeline" block=true><Timeline>{items}</Timeline></Specimen>
        <Specimen name="Timeline wide" block=true>
            <Timeline wide=true><TimelineItem at=AT kind=StatusKind::Ok title=td_string!(language, design.sample_title)/></Timeline>
        </Specimen>
    }
    .into_any()
}
