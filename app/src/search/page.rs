//! The search as a page: what the palette leads to, and all there is of it without scripts.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    api::search,
    words::{glyph, grouped, link, texts},
};
use crate::{
    caller_view::{Viewer, use_viewer},
    components::{Button, ButtonKind, EmptyState, ErrorNotice, Glyph, Icon, PageHead, Section, Skeleton, TextField},
    i18n::td_string,
    language::{self, Language},
    routes,
};

#[component]
pub fn SearchPage() -> impl IntoView {
    let language = language::current();
    let query = use_query_map();
    let asked = Memo::new(move |_| query.with(|query| query.get("q").unwrap_or_default()));
    let viewer = use_viewer();
    let found = Resource::new(move || asked.get(), search);
    view! {
        <PageHead title=td_string!(language, search.title) lead=td_string!(language, search.lead)/>
        <form class="finding" role="search" method="get" action=routes::SEARCH>
            <TextField
                name="q"
                label=td_string!(language, search.label)
                value=Signal::derive(move || asked.get())
                input_type="search"
                placeholder=td_string!(language, search.placeholder)
                autofocus=true
            />
            <div class="row"><Button kind=ButtonKind::Primary icon=Glyph::Find>{td_string!(language, search.go)}</Button></div>
        </form>
        <Transition fallback=|| view! { <Skeleton/> }>
            {move || {
                let person = viewer.person()?;
                found.get().map(|found| match found {
                    Ok(hits) => results(language, &person, hits, &asked.get()),
                    Err(error) => view! { <ErrorNotice error/> }.into_any(),
                })
            }}
        </Transition>
    }
    .into_any()
}

fn results(language: Language, person: &Viewer, hits: Vec<domain::search::Hit>, asked: &str) -> AnyView {
    if hits.is_empty() {
        let (title, text) = if asked.trim().is_empty() {
            (td_string!(language, search.none_yet).to_owned(), td_string!(language, search.none_yet_text))
        } else {
            (td_string!(language, search.none, text = asked.trim()).to_string(), td_string!(language, search.none_text))
        };
        return view! { <EmptyState glyph=Glyph::Find title text/> }.into_any();
    }
    let count = td_string!(language, search.results, count = hits.len()).to_string();
    let groups = grouped(language, hits)
        .into_iter()
        .map(|(name, hits)| {
            let items = hits
                .iter()
                .map(|hit| {
                    let (title, about) = texts(language, hit);
                    view! {
                        <li>
                            <a class="opt" href=link(person, hit)>
                                <Icon glyph=glyph(hit)/>
                                <span><b>{title}</b><small>{about}</small></span>
                            </a>
                        </li>
                    }
                })
                .collect_view();
            view! { <Section title=name><ul class="listbox hits">{items}</ul></Section> }
        })
        .collect_view();
    view! {
        <p class="fine" role="status">{count}</p>
        {groups}
    }
    .into_any()
}
