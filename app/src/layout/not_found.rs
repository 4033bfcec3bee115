//! The page for what is not there and for what one may not see: the same, so that existence is not revealed.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{
    components::{LinkButton, PageHead},
    i18n::td_string,
    language, routes,
};

/// Also sets the status 404 when the server renders it.
#[component]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(options) = use_context::<leptos_axum::ResponseOptions>() {
        options.set_status(http::StatusCode::NOT_FOUND);
    }
    let language = language::current();
    let path = use_location().pathname;
    view! {
        <PageHead title=td_string!(language, layout.not_found_title)/>
        <div class="stack read">
            <p class="soft">{td_string!(language, layout.not_found_reason)}" "<span class="mono">{path}</span></p>
            <p class="soft">{td_string!(language, layout.not_found_ask)}</p>
            <div class="actions"><LinkButton href=routes::HOME>{td_string!(language, layout.back_home)}</LinkButton></div>
        </div>
    }
    .into_any()
}
