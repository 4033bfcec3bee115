//! The search form: a line of what is asked most, the rest behind a fold; and the quick ranges of time.

use domain::audit::{Outcome, Range, Via};
use leptos::prelude::*;

use super::{api::Query, words};
use crate::{
    components::{Button, ButtonKind, Glyph, Icon, LinkButton, LinkItem, Segmented, SelectField, TextField},
    error::AppError,
    i18n::td_string,
    language::{self, Language},
    routes,
};

#[component]
pub fn SearchForm(query: Query, failed: Option<AppError>) -> impl IntoView {
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
    let outcomes = Outcome::ALL.map(|outcome| (outcome.as_str().to_owned(), words::outcome_text(language, outcome).to_owned())).to_vec();
    let sources = Via::ALL.map(|via| (via.as_str().to_owned(), words::via_text(language, via).to_owned())).to_vec();
    let mut actions = words::action_groups(language);
    if !query.action.is_empty() && !actions.iter().any(|(code, _)| *code == query.action) {
        // A link asked for one action of a group.
        actions.push((query.action.clone(), words::action_text(language, &query.action)));
    }
    let narrow = query.is_narrow();
    let open = [&query.outcome, &query.via, &query.address, &query.from, &query.to].into_iter().any(|value| !value.is_empty());
    view! {
        <form class="stack tight" role="search" method="get" action=routes::AUDIT>
            <div class="filters">
                <TextField
                    name="text"
                    label=td_string!(language, audit.text)
                    value=query.text
                    input_type="search"
                    optional=true
                />
                <TextField name="person" label=td_string!(language, audit.person) value=query.person autocomplete="off" optional=true/>
                <TextField name="object" label=td_string!(language, audit.object) value=query.object placeholder="#1001" optional=true/>
                <SelectField name="action" label=td_string!(language, audit.action) choices=actions value=query.action optional=true/>
                <div class="row">
                    <Button kind=ButtonKind::Primary icon=Glyph::Find>{td_string!(language, audit.search)}</Button>
                    {narrow.then(|| view! { <LinkButton href=routes::AUDIT kind=ButtonKind::Quiet>{td_string!(language, audit.clear)}</LinkButton> })}
                </div>
            </div>
            <div class="folds">
                <details open=open>
                    <summary><Icon glyph=Glyph::Right/><span>{td_string!(language, audit_tools.filters)}</span></summary>
                    <div class="filters in">
                        <SelectField
                            name="outcome"
                            label=td_string!(language, audit.outcome)
                            choices=outcomes
                            value=query.outcome
                            error=problem("outcome")
                            optional=true
                        />
                        <SelectField
                            name="via"
                            label=td_string!(language, audit_tools.via)
                            choices=sources
                            value=query.via
                            error=problem("via")
                            optional=true
                        />
                        <TextField
                            name="address"
                            label=td_string!(language, audit_tools.address)
                            value=query.address
                            autocomplete="off"
                            placeholder="10.20.3.41"
                            optional=true
                        />
                        <TextField name="from" label=td_string!(language, audit.from) value=query.from error=problem("from") input_type="date" optional=true/>
                        <TextField name="to" label=td_string!(language, audit.to) value=query.to error=problem("to") input_type="date" optional=true/>
                    </div>
                </details>
            </div>
            // What has no field of its own stays with the search.
            {(!query.range.is_empty()).then(|| view! { <input type="hidden" name="range" value=query.range/> })}
            {(!query.own_reads.is_empty()).then(|| view! { <input type="hidden" name="own_reads" value=query.own_reads/> })}
            {(!query.view.is_empty()).then(|| view! { <input type="hidden" name="view" value=query.view/> })}
        </form>
    }
    .into_any()
}

pub fn range_text(language: Language, range: Range) -> &'static str {
    match range {
        Range::Today => td_string!(language, audit_tools.range_today),
        Range::Week => td_string!(language, audit_tools.range_week),
        Range::Month => td_string!(language, audit_tools.range_month),
        Range::Term => td_string!(language, audit_tools.range_term),
    }
}

/// Quick ranges, and list or timeline: links that keep the rest of the search.
#[component]
pub fn Ranges(query: Query) -> impl IntoView {
    let language = language::current();
    let with_range = |range: &str| Query { range: range.to_owned(), ..query.clone() }.link("");
    let with_view = |view: &str| Query { view: view.to_owned(), ..query.clone() }.link("");
    let mut ranges = vec![LinkItem::new(with_range(""), td_string!(language, audit_tools.range_all), query.range.is_empty())];
    ranges.extend(Range::ALL.map(|range| LinkItem::new(with_range(range.as_str()), range_text(language, range), query.range == range.as_str())));
    let views = vec![
        LinkItem::new(with_view(""), td_string!(language, audit_tools.list), query.view.is_empty()),
        LinkItem::new(with_view("timeline"), td_string!(language, audit_tools.timeline), !query.view.is_empty()),
    ];
    view! {
        <div class="row between">
            <Segmented label=td_string!(language, audit_tools.range) items=ranges/>
            <Segmented label=td_string!(language, audit_tools.view) items=views/>
        </div>
    }
    .into_any()
}
