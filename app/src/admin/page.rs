//! Takes the place of the page until its feature is here.

use leptos::prelude::*;

use crate::{components::PageHead, i18n::*, language};

#[component]
pub fn PeoplePage() -> impl IntoView {
    let language = language::current();
    view! { <PageHead title=td_string!(language, admin.title)/> }
}

#[component]
pub fn CoursesPage() -> impl IntoView {
    let language = language::current();
    view! { <PageHead title=td_string!(language, admin.title)/> }
}

#[component]
pub fn ClusterPage() -> impl IntoView {
    let language = language::current();
    view! { <PageHead title=td_string!(language, admin.title)/> }
}
