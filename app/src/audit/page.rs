//! Takes the place of the page until its feature is here.

use leptos::prelude::*;

use crate::{components::PageHead, i18n::*, language};

#[component]
pub fn AuditPage() -> impl IntoView {
    let language = language::current();
    view! { <PageHead title=td_string!(language, audit.title)/> }
}

#[component]
pub fn AuditEventPage() -> impl IntoView {
    let language = language::current();
    view! { <PageHead title=td_string!(language, audit.title)/> }
}
