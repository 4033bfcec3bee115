//! Fields as indented lists, and texts of the document, which mark code by backquotes.

use leptos::prelude::*;

use super::model::{Field, Parameter, Place};
use crate::{
    i18n::td_string,
    language::{self, Language},
};

/// A text of the document with its `code` set as code.
pub fn marked(text: &str) -> impl IntoView + use<> {
    text.split('`')
        .zip(0u32..)
        .map(|(part, index)| {
            let part = part.to_owned();
            if index % 2 == 1 { view! { <code>{part}</code> }.into_any() } else { part.into_any() }
        })
        .collect_view()
}

fn line(language: Language, depth: u8, name: String, kind: String, required: bool, meaning: &str) -> AnyView {
    view! {
        <li style=format!("--depth:{depth}")>
            <b class="mono">{name}</b>
            <span class="fine mono">{kind}</span>
            {required.then(|| view! { <span class="fine">{td_string!(language, components.required)}</span> })}
            <span class="about">{marked(meaning)}</span>
        </li>
    }
    .into_any()
}

/// Members of a body or an answer. Only bodies say what is required: an answer holds all it has.
pub fn fields(fields: Vec<Field>, with_required: bool) -> AnyView {
    let language = language::current();
    let lines = fields
        .into_iter()
        .map(|Field { depth, name, kind, meaning, required }| line(language, depth, name, kind, required && with_required, &meaning));
    view! { <ul class="shape">{lines.collect_view()}</ul> }.into_any()
}

pub fn parameters(parameters: Vec<Parameter>) -> AnyView {
    let language = language::current();
    let lines = parameters.into_iter().map(|Parameter { name, place, kind, meaning, required, example: _ }| {
        let place = match place {
            Place::Path => td_string!(language, api_docs.in_path),
            Place::Query => td_string!(language, api_docs.in_query),
            Place::Header => td_string!(language, api_docs.in_header),
        };
        line(language, 0, name, format!("{kind} · {place}"), required, &meaning)
    });
    view! { <ul class="shape">{lines.collect_view()}</ul> }.into_any()
}
