//! The head of a page: title, one sentence that answers why the reader came, and the actions.

use leptos::prelude::*;

use super::DocumentTitle;

/// Also names the document. Children are the actions, the primary one last.
#[component]
pub fn PageHead(
    #[prop(into)] title: String,
    /// The answer in one sentence.
    #[prop(into, optional)]
    lead: Option<String>,
    /// A way up: link and words.
    #[prop(into, optional)]
    crumb: Option<(String, String)>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <DocumentTitle title=title.clone()/>
        <div class="page-head">
            <div>
                {crumb.map(|(href, text)| view! { <p class="crumb fine"><a href=href>{text}</a></p> })}
                <h1>{title}</h1>
                {lead.map(|lead| view! { <p class="lead">{lead}</p> })}
            </div>
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </div>
    }
    .into_any()
}
