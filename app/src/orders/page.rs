//! Takes the place of the page until its feature is here.

use leptos::prelude::*;

use crate::{components::PageHead, i18n::*, language};

#[component]
pub fn OrdersPage() -> impl IntoView {
    let language = language::current();
    view! { <PageHead title=td_string!(language, orders.title)/> }
}

#[component]
pub fn OrderPage() -> impl IntoView {
    let language = language::current();
    view! { <PageHead title=td_string!(language, orders.title)/> }
}
