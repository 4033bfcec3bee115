//! Labs as a table.

use domain::{
    labs::{LabState, LabView},
    page::Page,
};
use leptos::prelude::*;

use super::{
    extend::{ExtendButton, Extendable},
    filters::{ALL, Wanted},
    idle::short_text,
    open::open_button,
    words::{view_kind, view_text},
};
use crate::{
    components::{Amount, Card, Cell, CellPlace, Column, DataTable, EmptyState, Glyph, LinkButton, Moment, Pager, Status, StatusKind},
    i18n::td_string,
    language,
    orders::words::cards_text,
    routes,
};

#[component]
pub fn LabList(labs: Page<LabView>, wanted: Wanted, reload: Callback<()>) -> impl IntoView {
    let language = language::current();
    if labs.items.is_empty() {
        return view! { <NoLabs filtered=wanted.is_filtered()/> }.into_any();
    }
    let columns = vec![
        Column::text(td_string!(language, labs.lab)),
        Column::text(td_string!(language, labs.state)),
        Column::text(td_string!(language, labs.cards)),
        Column::text(td_string!(language, labs.course)),
        Column::text(td_string!(language, labs.owner)),
        Column::text(td_string!(language, labs.stops_at)),
        Column::number(td_string!(language, labs.cost)),
        Column::text(""),
    ];
    let older = labs.next.as_deref().map(|next| wanted.after(next));
    let courses = courses(&labs.items);
    // On a desk the newest come first; on a phone, where rows are cards, those of one course stand together under its name.
    let heads = if courses.len() > 1 {
        courses.iter().enumerate().map(|(at, (code, name))| view! { <CourseHead text=format!("{code} {name}") place=2 * at/> }).collect()
    } else {
        Vec::new()
    };
    let rows = labs
        .items
        .into_iter()
        .map(|view| {
            let place = 2 * courses.iter().position(|(code, _)| *code == view.course.code).unwrap_or_default() + 1;
            view! { <LabRow view place reload/> }
        })
        .collect_view();
    let newest = (!wanted.after.is_empty()).then(|| {
        let href = wanted.after("");
        view! { <p><a href=href>{td_string!(language, labs.newest)}</a></p> }
    });
    view! {
        {newest}
        <Card title=td_string!(language, labs.title) flush=true>
            <div class="by-course"><DataTable caption=td_string!(language, labs.title) columns>{heads}{rows}</DataTable></div>
            <Pager nostrip:older=older/>
        </Card>
    }
    .into_any()
}

/// Code and name of each course on this page, in the order in which they come.
fn courses(labs: &[LabView]) -> Vec<(String, String)> {
    let mut courses: Vec<(String, String)> = Vec::new();
    for view in labs {
        if !courses.iter().any(|(code, _)| *code == view.course.code) {
            courses.push((view.course.code.clone(), view.course.name.clone()));
        }
    }
    courses
}

/// Only on a phone.
#[component]
fn CourseHead(text: String, place: usize) -> impl IntoView {
    view! { <tr class="course-head" aria-hidden="true" style=format!("order: {place}")><td>{text}</td></tr> }
}

#[component]
fn LabRow(view: LabView, place: usize, reload: Callback<()>) -> impl IntoView {
    let language = language::current();
    let (kind, state) = (view_kind(&view), view_text(language, &view));
    let extend = Extendable::of(&view).filter(|_| view.lab.state == LabState::Running);
    let open = open_button(&view, true);
    let stops_at = view.stops_at();
    let LabView { lab, owner, owner_left, seat, course, cost, used, .. } = view;
    let unused = used.and_then(|used| short_text(language, &used));
    let attention = (lab.state == LabState::Failed).then_some(StatusKind::Bad);
    let name = lab.offering_name.get(language::tag(language)).to_owned();
    let stops = match stops_at.filter(|_| lab.state == LabState::Running) {
        Some(at) => view! { <Moment at/> }.into_any(),
        None => view! { <span class="muted">{td_string!(language, labs.none_yet)}</span> }.into_any(),
    };
    view! {
        <tr role="row" data-st=attention.map(StatusKind::name) style=format!("order: {place}")>
            <Cell><a href=routes::lab(lab.id)><b class="mono">{lab.name.clone()}</b></a><small>{name}</small></Cell>
            <Cell label=td_string!(language, labs.state) place=CellPlace::Corner>
                <Status kind>{state}</Status>
                {unused.map(|text| view! { <small><Status kind=StatusKind::Warn>{text}</Status></small> })}
            </Cell>
            <Cell label=td_string!(language, labs.cards)>{cards_text(&lab.spec)}</Cell>
            <Cell label=td_string!(language, labs.course)>{course.code}</Cell>
            <Cell label=td_string!(language, labs.owner)>
                {owner.name}{seat.map(|seat| view! { <small>{seat}</small> })}
                {owner_left.then(|| view! { <small>{td_string!(language, labs.owner_left)}</small> })}
            </Cell>
            <Cell label=td_string!(language, labs.stops_at)>{stops}</Cell>
            <Cell label=td_string!(language, labs.cost) numeric=true><Amount money=cost/></Cell>
            <Cell place=if extend.is_some() || open.is_some() { CellPlace::Wide } else { CellPlace::DeskOnly }>
                <div class="row">{open}{extend.map(|lab| view! { <ExtendButton lab reload/> })}</div>
            </Cell>
        </tr>
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
