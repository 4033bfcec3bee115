//! Loading: the shape of what comes, shown only after 0.3 s (see `style/feedback.css`).

use leptos::prelude::*;

use crate::{i18n::td_string, language};

/// A heading and `lines` rows.
#[component]
pub fn Skeleton(#[prop(default = 4)] lines: u8) -> impl IntoView {
    view! {
        <div role="status" class="stack tight late">
            <span class="sr">{td_string!(language::current(), components.loading)}</span>
            <span class="skeleton title"></span>
            {(0..lines).map(|_| view! { <span class="skeleton line"></span> }).collect_view()}
        </div>
    }
    .into_any()
}
