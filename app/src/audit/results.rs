//! What a search found: a table, or a timeline by day of one person or object.

use domain::{
    audit::{Listed, Outcome},
    page::Window,
};
use leptos::prelude::*;

use super::{api::Query, filters::parse, words};
use crate::{
    caller_view::use_viewer,
    components::{
        Card, Cell, CellPlace, Column, DataTable, EmptyState, Glyph, LinkButton, Moment, MomentStyle, Pager, Row, Status, Timeline, TimelineItem,
        moment_text,
    },
    i18n::td_string,
    language::Language,
    routes,
};

pub fn results(language: Language, page: Window<Listed>, query: &Query) -> impl IntoView + use<> {
    if page.items.is_empty() {
        let narrow = query.is_narrow();
        return view! {
            <div class="stack">
                <EmptyState
                    glyph=Glyph::Shield
                    title=if narrow { td_string!(language, audit.none_found) } else { td_string!(language, audit.none_yet) }
                    text=if narrow { td_string!(language, audit.none_found_text) } else { td_string!(language, audit.none_yet_text) }
                >
                    {narrow.then(|| view! { <LinkButton href=routes::AUDIT>{td_string!(language, audit.clear)}</LinkButton> })}
                </EmptyState>
                {own_reads(language, query)}
            </div>
        }
        .into_any();
    }
    let newest = page.newer.is_some().then(|| query.link(""));
    let newer = page.newer.as_deref().map(|before| query.newer_link(before));
    let older = page.older.as_deref().map(|after| query.link(after));
    let body = if query.view.is_empty() { table(language, page.items).into_any() } else { timeline(language, page.items).into_any() };
    view! {
        <div class="stack">
            {body}
            {newest.map(|href| view! { <p><a href=href>{td_string!(language, audit.to_newest)}</a></p> })}
            <Pager nostrip:newer=newer nostrip:older=older note=td_string!(language, audit.newest_first)/>
            <p class="fine">{td_string!(language, audit_tools.read_recorded)}</p>
            {own_reads(language, query)}
        </div>
    }
    .into_any()
}

/// Says whether the reader's own readings are among the records, with the link to the other choice. Nothing if the search asks for them by
/// other means.
fn own_reads(language: Language, query: &Query) -> Option<impl IntoView + use<>> {
    let me = use_viewer().person().map(|person| person.login).unwrap_or_default();
    let shown = !query.own_reads.is_empty();
    let filter = parse(query).unwrap_or_default();
    if !shown && filter.asks_for_reads_of(&me) {
        return None;
    }
    let (text, link, value) = if shown {
        (td_string!(language, audit_tools.own_shown), td_string!(language, audit_tools.own_hide), "")
    } else {
        (td_string!(language, audit_tools.own_left_out), td_string!(language, audit_tools.own_show), "true")
    };
    let href = Query { own_reads: value.to_owned(), ..query.clone() }.link("");
    Some(view! { <p class="fine">{text}" "<a href=href>{link}</a></p> })
}

fn table(language: Language, items: Vec<Listed>) -> impl IntoView {
    let columns = vec![
        Column::text(td_string!(language, audit.when)),
        Column::text(td_string!(language, audit.who)),
        Column::text(td_string!(language, audit.what)),
        Column::text(td_string!(language, audit.outcome)),
        Column::text(td_string!(language, audit.seal)),
    ];
    let rows = items.into_iter().map(|listed| row(language, listed)).collect_view();
    view! {
        <section class="card flush">
            <div class="body">
                <DataTable caption=td_string!(language, audit.caption) columns dense=true>{rows}</DataTable>
            </div>
        </section>
    }
}

fn row(language: Language, Listed { event, seal }: Listed) -> impl IntoView {
    let kind = words::outcome_kind(event.outcome);
    let attention = (event.outcome != Outcome::Success).then_some(kind);
    let code = event.code.clone();
    let who = words::who_text(language, &event.who);
    let times = (event.count > 1).then(|| td_string!(language, audit.times, count = event.count).to_string());
    let source = words::source_text(language, &event);
    view! {
        <Row nostrip:attention=attention>
        <Cell label=td_string!(language, audit.when)>
            <div><Moment at=event.at style=MomentStyle::Second/><small>{source}</small></div>
        </Cell>
        <Cell place=CellPlace::Corner>{who}</Cell>
        <Cell label=td_string!(language, audit.what)>
            <div>
                <a href=routes::audit_event(event.id)>{words::action_text(language, &event.action)}</a>
                <small><span class="mono">{event.object.label}</span>{times.map(|times| format!(" · {times}"))}</small>
            </div>
        </Cell>
        <Cell label=td_string!(language, audit.outcome)>
            <div>
                <Status kind>{words::outcome_text(language, event.outcome)}</Status>
                {code.map(|code| view! { <small class="mono">{code}</small> })}
            </div>
        </Cell>
        <Cell label=td_string!(language, audit.seal) place=CellPlace::DeskOnly>
            {match seal {
                Some((seq, ..)) => view! { <span class="mono">{seq}</span> }.into_any(),
                None => view! { <span class="muted">{td_string!(language, audit.unsealed)}</span> }.into_any(),
            }}
        </Cell>
        </Row>
    }
}

/// Newest day first, and within it newest first, as the pages are.
fn timeline(language: Language, items: Vec<Listed>) -> impl IntoView {
    let mut days: Vec<(String, Vec<Listed>)> = Vec::new();
    for listed in items {
        let day = moment_text(listed.event.at, MomentStyle::Date);
        match days.last_mut() {
            Some((last, records)) if *last == day => records.push(listed),
            _ => days.push((day, vec![listed])),
        }
    }
    days.into_iter()
        .map(|(day, records)| {
            let count = td_string!(language, audit_tools.day_count, count = records.len()).to_string();
            let items = records.into_iter().map(|listed| step(language, listed)).collect_view();
            view! {
                <Card title=day end=move || view! { <span class="soft">{count.clone()}</span> }>
                    <Timeline>{items}</Timeline>
                </Card>
            }
        })
        .collect_view()
}

fn step(language: Language, Listed { event, seal: _ }: Listed) -> impl IntoView {
    let title = format!("{} {}", words::action_text(language, &event.action), event.object.label);
    let about = format!("{} · {}", words::who_text(language, &event.who), words::source_text(language, &event));
    let outcome = (event.outcome != Outcome::Success).then(|| format!(" · {}", words::outcome_text(language, event.outcome)));
    view! {
        <TimelineItem at=event.at style=MomentStyle::Time kind=words::outcome_kind(event.outcome) title>
            {about}{outcome}" "<a href=routes::audit_event(event.id)>{td_string!(language, audit.record)}</a>
        </TimelineItem>
    }
}
