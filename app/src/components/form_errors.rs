//! What is still to mend in a form, above its submit button, each with a link to its field.

use leptos::prelude::*;

use super::{Notice, NoticeKind};
use crate::{i18n::td_string, language};

/// One field's trouble, already in the reader's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldMessage {
    /// The field's name, which is also the id of its control.
    pub field: String,
    /// The field's label.
    pub label: String,
    pub text: String,
}

/// Nothing while `messages` is empty.
#[component]
pub fn FormErrors(
    #[prop(into)] messages: Signal<Vec<FieldMessage>>,
    /// Says which typed text is lost, if any is.
    #[prop(into, optional)]
    heading: Option<String>,
) -> impl IntoView {
    let language = language::current();
    let heading = heading.unwrap_or_else(|| td_string!(language, components.fix_heading).to_owned());
    move || {
        let messages = messages.get();
        (!messages.is_empty()).then(|| {
            let (count, heading) = (messages.len(), heading.clone());
            let items = messages
                .into_iter()
                .map(|message| {
                    view! { <li><a href=format!("#{}", message.field) rel="external">{message.label}</a>" "{message.text}</li> }
                })
                .collect_view();
            view! {
                <Notice kind=NoticeKind::Bad title=td_string!(language, components.fix_count, count = count).to_string()>
                    {heading}
                    <ul class="plain-list">{items}</ul>
                </Notice>
            }
        })
    }
}
