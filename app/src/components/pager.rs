//! Newer and older: keyset paging has no page numbers and counts nothing.

use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::{i18n::td_string, language};

/// Links to the neighbouring pages; draws nothing when there is neither. `note` stands at the start of the line.
#[component]
pub fn Pager(
    /// Where the newer page is; leave out on the first.
    #[prop(into, optional)]
    newer: Option<String>,
    /// Where the older page is; leave out on the last.
    #[prop(into, optional)]
    older: Option<String>,
    #[prop(into, optional)] note: Option<String>,
) -> impl IntoView {
    let language = language::current();
    let any = newer.is_some() || older.is_some();
    any.then(|| {
        view! {
            <nav class="pager" aria-label=td_string!(language, components.pages)>
                <span class="fine">{note}</span>
                {newer.map(|href| view! {
                    <a class="btn small" href=href rel="prev">
                        <Icon glyph=Glyph::Left small=true/>{td_string!(language, components.newer)}
                    </a>
                })}
                {older.map(|href| view! {
                    <a class="btn small" href=href rel="next">
                        {td_string!(language, components.older)}<Icon glyph=Glyph::Right small=true/>
                    </a>
                })}
            </nav>
        }
    })
}
