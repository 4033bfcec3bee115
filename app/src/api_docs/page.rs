//! The page: how to begin, the search, one card for each group of operations, what they answer, the codes of errors.

use domain::Error;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    api::reference,
    model::{Group, Reference},
    operation::OperationFold,
    shape::Shapes,
    try_it::Token,
};
use crate::{
    components::{Button, Card, EmptyState, Failed, Glyph, LinkButton, PageHead, Skeleton, TextField},
    error_text::headline,
    i18n::td_string,
    language, routes,
};

/// Where programs find the same.
const DOCUMENT: &str = "/api/v1/openapi.json";

#[component]
pub fn ApiDocsPage() -> impl IntoView {
    let language = language::current();
    let reference = Resource::new(|| (), |()| reference());
    view! {
        <Suspense fallback=|| view! { <Skeleton/> }>
            {move || reference.get().map(|reference| match reference {
                Ok(reference) => view! {
                    <PageHead title=td_string!(language, api_docs.title) lead=td_string!(language, api_docs.lead)>
                        <LinkButton href=DOCUMENT icon=Glyph::Code>"openapi.json"</LinkButton>
                    </PageHead>
                    <Operations reference/>
                }
                .into_any(),
                Err(error) => view! { <Failed error/> }.into_any(),
            })}
        </Suspense>
    }
}

#[component]
fn Operations(reference: Reference) -> impl IntoView {
    let language = language::current();
    let Reference { groups, shapes } = reference;
    let shapes = StoredValue::new(shapes);
    let token = RwSignal::new(String::new());
    provide_context(Token(token));
    let query = RwSignal::new(use_query_map().with_untracked(|map| map.get("q").unwrap_or_default()));
    let operations: Vec<_> = groups.iter().flat_map(|group| group.operations.clone()).collect();
    let all = operations.clone();
    let none = Memo::new(move |_| query.with(|query| !all.iter().any(|operation| operation.matches(query))));
    let cards = groups
        .into_iter()
        .map(|Group { tag, operations }| {
            let own = operations.clone();
            let hidden = move || query.with(|query| !own.iter().any(|operation| operation.matches(query)));
            let folds = operations.into_iter().map(|operation| view! { <OperationFold operation shapes query/> }).collect_view();
            view! { <div hidden=hidden><Card title=tag><div class="folds api">{folds}</div></Card></div> }
        })
        .collect_view();
    view! {
        <div class="cols halves">
            <Card title=td_string!(language, api_docs.begin)>
                <p>{td_string!(language, api_docs.begin_text)}" "<a href=routes::ACCOUNT>{td_string!(language, api_docs.to_tokens)}</a></p>
                <pre class="listing" tabindex="0">"export LECTERN=https://…\nexport TOKEN=lct_…"</pre>
            </Card>
            <div class="script-only">
                <Card title=td_string!(language, api_docs.try_it)>
                    <TextField
                        name="token"
                        label=td_string!(language, api_docs.token)
                        help=td_string!(language, api_docs.token_help)
                        value=token
                        input_type="password"
                        autocomplete="off"
                        placeholder="lct_…"
                        optional=true
                        on_input=Callback::new(move |text| token.set(text))
                    />
                </Card>
            </div>
        </div>
        <form class="row" role="search" method="get" action=routes::API_DOCS on:submit=|event| event.prevent_default()>
            <TextField
                name="q"
                label=td_string!(language, api_docs.search)
                value=query
                input_type="search"
                optional=true
                on_input=Callback::new(move |text| query.set(text))
            />
            <Button>{td_string!(language, api_docs.find)}</Button>
        </form>
        <div hidden=move || !none.get()>
            <EmptyState glyph=Glyph::Find title=td_string!(language, api_docs.none_title) text=td_string!(language, api_docs.none_text)/>
        </div>
        {cards}
        <Shapes operations shapes/>
        <Codes/>
    }
    .into_any()
}

/// What `code` of a problem document may be.
#[component]
fn Codes() -> impl IntoView {
    let language = language::current();
    let own = Error::one_of_each().into_iter().map(|error| (error.code(), error.status(), headline(language, &error)));
    let protocol = [
        ("method_not_allowed", 405, td_string!(language, api_docs.method_not_allowed)),
        ("too_large", 413, td_string!(language, api_docs.too_large)),
        ("too_slow", 408, td_string!(language, api_docs.too_slow)),
        ("wrong_host", 421, td_string!(language, api_docs.wrong_host)),
        ("not_json", 415, td_string!(language, api_docs.not_json)),
    ];
    let protocol = protocol.into_iter().map(|(code, status, text)| (code, status, text.to_owned()));
    let lines = own
        .chain(protocol)
        .map(|(code, status, text)| view! { <li><b class="mono">{code}</b><span class="fine mono">{status}</span><span class="about">{text}</span></li> })
        .collect_view();
    view! {
        <Card title=td_string!(language, api_docs.problems) id="problems">
            <p>{td_string!(language, api_docs.problems_text)}</p>
            <ul class="shape">{lines}</ul>
        </Card>
    }
    .into_any()
}
