//! What stands in place of a page whose data could not be had.

use domain::Error;
use leptos::prelude::*;

use super::{ErrorNotice, PageHead};
use crate::{error::AppError, i18n::td_string, language, layout::NotFound, routes};

/// The same page for what is not there and what one may not see; the error in words for everything else.
#[component]
pub fn Failed(error: AppError) -> impl IntoView {
    let language = language::current();
    if matches!(error.0, Error::NotFound) {
        return view! { <NotFound/> }.into_any();
    }
    let again = !error.is_refusal();
    view! {
        <PageHead title=td_string!(language, layout.failed_title)/>
        <ErrorNotice error/>
        <div class="actions">
            {if again {
                // An empty address is this page.
                view! { <a class="btn" href="" rel="external">{td_string!(language, layout.try_again)}</a> }.into_any()
            } else {
                view! { <a class="btn" href=routes::HOME>{td_string!(language, layout.back_home)}</a> }.into_any()
            }}
        </div>
    }
    .into_any()
}
