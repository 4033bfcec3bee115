//! The page: contents at the side, one card for each group.

use leptos::prelude::*;

use super::{
    actions::{Buttons, Loss, Ways},
    figures::{Charts, Figures, Icons, Meters},
    forms::{Choices, Fields},
    messages::{Errors, Notices, Statuses, Waiting},
    records::{History, Tables},
};
use crate::{
    components::{Card, DocumentTitle, PageHead},
    i18n::td_string,
    language::{self, Language},
    layout::ThemeSwitch,
};

/// One group: its anchor, its heading and what draws it.
type Group = (&'static str, String, fn() -> AnyView);

fn groups(language: Language) -> Vec<Group> {
    vec![
        ("buttons", td_string!(language, design.buttons).to_owned(), || view! { <Buttons/> }.into_any()),
        ("loss", td_string!(language, design.loss).to_owned(), || view! { <Loss/> }.into_any()),
        ("ways", td_string!(language, design.ways).to_owned(), || view! { <Ways/> }.into_any()),
        ("fields", td_string!(language, design.fields).to_owned(), || view! { <Fields/> }.into_any()),
        ("choices", td_string!(language, design.choices).to_owned(), || view! { <Choices/> }.into_any()),
        ("statuses", td_string!(language, design.statuses).to_owned(), || view! { <Statuses/> }.into_any()),
        ("notices", td_string!(language, design.notices).to_owned(), || view! { <Notices/> }.into_any()),
        ("errors", td_string!(language, design.errors).to_owned(), || view! { <Errors/> }.into_any()),
        ("waiting", td_string!(language, design.waiting).to_owned(), || view! { <Waiting/> }.into_any()),
        ("figures", td_string!(language, design.figures).to_owned(), || view! { <Figures/> }.into_any()),
        ("meters", td_string!(language, design.meters).to_owned(), || view! { <Meters/> }.into_any()),
        ("charts", td_string!(language, design.charts).to_owned(), || view! { <Charts/> }.into_any()),
        ("tables", td_string!(language, design.tables).to_owned(), || view! { <Tables/> }.into_any()),
        ("history", td_string!(language, design.history).to_owned(), || view! { <History/> }.into_any()),
        ("icons", td_string!(language, design.icons).to_owned(), || view! { <Icons/> }.into_any()),
    ]
}

#[component]
pub fn DesignPage() -> impl IntoView {
    let language = language::current();
    let title = td_string!(language, design.title);
    let contents = groups(language)
        .into_iter()
        .map(|(id, text, _)| view! { <li><a class="opt" href=format!("#{id}") rel="external">{text}</a></li> })
        .collect_view();
    let cards = groups(language).into_iter().map(|(id, title, draw)| view! { <Card id title>{draw()}</Card> }).collect_view();
    view! {
        <PageHead title lead=td_string!(language, design.lead)><ThemeSwitch/></PageHead>
        <div class="cols side-main">
            <nav class="sticky" aria-label=td_string!(language, design.contents)><ul class="listbox flat">{contents}</ul></nav>
            <div class="stack loose">{cards}</div>
        </div>
        // Specimens of whole pages name the document too: the last one wins.
        <DocumentTitle title/>
    }
}
