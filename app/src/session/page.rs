//! Takes the place of the page until its feature is here.

use leptos::prelude::*;

use crate::{components::PageHead, i18n::*, language};

#[component]
pub fn SignInPage() -> impl IntoView {
    let language = language::current();
    view! { <PageHead title=td_string!(language, session.title)/> }
}
