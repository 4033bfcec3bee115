//! Takes the place of the page until its feature is here.

use leptos::prelude::*;

use crate::{components::PageHead, i18n::*, language};

#[component]
pub fn AccountPage() -> impl IntoView {
    let language = language::current();
    view! { <PageHead title=td_string!(language, account.title)/> }
}
