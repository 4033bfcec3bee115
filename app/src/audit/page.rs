//! Search over the audit record. The search is the URL, so it can be sent to a colleague; it needs no scripts.

use domain::{audit::Listed, page::Page};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

pub use super::detail::AuditEventPage;
use super::{
    api::{Query, search},
    words,
};
use crate::{
    components::{
        Button, ButtonKind, Cell, CellPlace, Column, DataTable, EmptyState, ErrorNotice, Glyph, LinkButton, Moment, MomentStyle, PageHead, Pager,
        Row, SelectField, Skeleton, Status, TextField,
    },
    error::AppError,
    i18n::td_string,
    language::{self, Language},
    routes,
};

#[component]
pub fn AuditPage() -> impl IntoView {
    let language = language::current();
    let params = use_query_map();
    let query = Memo::new(move |_| {
        params.with(|map| {
            let get = |key| map.get(key).unwrap_or_default();
            Query {
                person: get("person"),
                action: get("action"),
                object: get("object"),
                outcome: get("outcome"),
                text: get("text"),
                from: get("from"),
                to: get("to"),
                after: get("after"),
            }
        })
    });
    let found = Resource::new(move || query.get(), search);
    view! {
        <PageHead title=td_string!(language, audit.title) lead=td_string!(language, audit.lead)/>
        {move || view! { <SearchForm query=query.get() failed=found.get().and_then(Result::err)/> }}
        <Transition fallback=|| view! { <Skeleton/> }>
            {move || found.get().map(|found| match found {
                Ok(page) => results(language, page, &query.get()).into_any(),
                Err(error) => view! { <ErrorNotice error/> }.into_any(),
            })}
        </Transition>
    }
}

#[component]
fn SearchForm(query: Query, failed: Option<AppError>) -> impl IntoView {
    let language = language::current();
    let problem = |field: &str| {
        let text = match &failed {
            Some(AppError(domain::Error::Invalid(problems))) => {
                problems.iter().find(|each| each.field == field).map(|each| crate::error_text::field_problem_text(language, &each.problem))
            }
            _ => None,
        };
        Signal::stored(text)
    };
    let outcomes = domain::audit::Outcome::ALL
        .into_iter()
        .map(|outcome| (outcome.as_str().to_owned(), words::outcome_text(language, outcome).to_owned()))
        .collect::<Vec<_>>();
    let narrow = query.is_narrow();
    view! {
        <form class="filters" role="search" method="get" action=routes::AUDIT>
            <TextField name="text" label=td_string!(language, audit.text) value=query.text input_type="search" optional=true/>
            <TextField name="person" label=td_string!(language, audit.person) value=query.person optional=true/>
            <SelectField
                name="action"
                label=td_string!(language, audit.action)
                choices=words::action_groups(language)
                value=query.action
                optional=true
            />
            <TextField name="object" label=td_string!(language, audit.object) value=query.object placeholder="#1001" optional=true/>
            <SelectField name="outcome" label=td_string!(language, audit.outcome) choices=outcomes value=query.outcome error=problem("outcome") optional=true/>
            <TextField name="from" label=td_string!(language, audit.from) value=query.from error=problem("from") input_type="date" optional=true/>
            <TextField name="to" label=td_string!(language, audit.to) value=query.to error=problem("to") input_type="date" optional=true/>
            <div class="row">
                <Button kind=ButtonKind::Primary icon=Glyph::Find>{td_string!(language, audit.search)}</Button>
                {narrow.then(|| view! { <LinkButton href=routes::AUDIT kind=ButtonKind::Quiet>{td_string!(language, audit.clear)}</LinkButton> })}
            </div>
        </form>
    }
    .into_any()
}

fn results(language: Language, page: Page<Listed>, query: &Query) -> impl IntoView + use<> {
    if page.items.is_empty() {
        let narrow = query.is_narrow();
        return view! {
            <EmptyState
                glyph=Glyph::Shield
                title=if narrow { td_string!(language, audit.none_found) } else { td_string!(language, audit.none_yet) }
                text=if narrow { td_string!(language, audit.none_found_text) } else { td_string!(language, audit.none_yet_text) }
            >
                {narrow.then(|| view! { <LinkButton href=routes::AUDIT>{td_string!(language, audit.clear)}</LinkButton> })}
            </EmptyState>
        }
        .into_any();
    }
    let link = |after: &str| {
        routes::with_query(
            routes::AUDIT,
            &[
                ("text", &query.text),
                ("person", &query.person),
                ("action", &query.action),
                ("object", &query.object),
                ("outcome", &query.outcome),
                ("from", &query.from),
                ("to", &query.to),
                ("after", after),
            ],
        )
    };
    let newest = (!query.after.is_empty()).then(|| link(""));
    let older = page.next.as_deref().map(link);
    let columns = vec![
        Column::text(td_string!(language, audit.when)),
        Column::text(td_string!(language, audit.who)),
        Column::text(td_string!(language, audit.what)),
        Column::text(td_string!(language, audit.outcome)),
        Column::text(td_string!(language, audit.seal)),
    ];
    let rows = page.items.into_iter().map(|listed| row(language, listed)).collect_view();
    view! {
        <section class="card flush">
            <div class="body">
                <DataTable caption=td_string!(language, audit.caption) columns dense=true>{rows}</DataTable>
            </div>
        </section>
        {newest.map(|href| view! { <p><a href=href>{td_string!(language, audit.to_newest)}</a></p> })}
        <Pager nostrip:older=older note=td_string!(language, audit.newest_first)/>
    }
    .into_any()
}

fn row(language: Language, Listed { event, seal }: Listed) -> impl IntoView {
    let kind = words::outcome_kind(event.outcome);
    let attention = (event.outcome != domain::audit::Outcome::Success).then_some(kind);
    let code = event.code.clone();
    let who = words::who_text(language, &event.who);
    let times = (event.count > 1).then(|| td_string!(language, audit.times, count = event.count).to_string());
    let source = [Some(words::via_text(language, event.via).to_owned()), event.address.clone()].into_iter().flatten().collect::<Vec<_>>().join(" · ");
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
