//! Takes the place of the page until its feature is here.

use leptos::prelude::*;

use crate::{components::PageHead, i18n::*, language};

#[component]
pub fn ApprovalsPage() -> impl IntoView {
    let language = language::current();
    view! { <PageHead title=td_string!(language, approvals.title)/> }
}

#[component]
pub fn ApprovalPage() -> impl IntoView {
    let language = language::current();
    view! { <PageHead title=td_string!(language, approvals.title)/> }
}
