//! The pages of offerings: the list, and the editor with its tabs.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    api::{managed_offerings, read_editor},
    editor::Editor,
    list::OfferingTable,
};
use crate::{
    components::{ButtonKind, Failed, Glyph, LinkButton, PageHead, Skeleton},
    i18n::td_string,
    language, routes,
};

#[component]
pub fn OfferingsPage() -> impl IntoView {
    let language = language::current();
    let rows = Resource::new(|| (), |()| managed_offerings());
    view! {
        <Transition fallback=|| view! { <Skeleton lines=8/> }>
            {move || rows.get().map(|rows| match rows {
                Ok(rows) => view! {
                    <PageHead title=td_string!(language, offerings.title) lead=td_string!(language, offerings.lead)>
                        <LinkButton kind=ButtonKind::Primary href=routes::offering_editor("new") icon=Glyph::Plus>
                            {td_string!(language, offerings.new)}
                        </LinkButton>
                    </PageHead>
                    <OfferingTable rows/>
                }
                .into_any(),
                Err(error) => view! { <Failed error/> }.into_any(),
            })}
        </Transition>
    }
    .into_any()
}

/// Which part of an offering is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Edit,
    Yaml,
    Versions,
}

#[component]
pub fn OfferingEditorPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let slug = move || params.with(|params| params.get_str("slug").unwrap_or_default().to_owned());
    let from = move || query.with(|query| query.get("from").unwrap_or_default());
    let page = Resource::new(move || (slug(), from()), |(slug, from)| read_editor(slug, from));
    view! {
        <Transition fallback=|| view! { <Skeleton lines=12/> }>
            {move || {
                let tab = query.with(|query| match query.get_str("tab") {
                    Some("yaml") => Tab::Yaml,
                    Some("versions") => Tab::Versions,
                    _ => Tab::Edit,
                });
                let saved = query.with(|query| query.get_str("saved").is_some());
                page.get().map(|page| match page {
                    Ok(page) => view! { <Editor page slug=slug() tab saved/> }.into_any(),
                    Err(error) => view! { <Failed error/> }.into_any(),
                })
            }}
        </Transition>
    }
    .into_any()
}
