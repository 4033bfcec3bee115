//! Fields as indented lists, what answers hold in folds of their own, and texts of the document, which mark code by backquotes.

use std::collections::BTreeSet;

use leptos::prelude::*;

use super::model::{Field, Operation, Parameter, Place, Shape};
use crate::{
    components::{Card, Glyph, Icon},
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

/// What answers hold, each shape once.
#[component]
pub fn Shapes(operations: Vec<Operation>, shapes: StoredValue<Vec<Shape>>) -> impl IntoView {
    let language = language::current();
    let held: BTreeSet<u32> = operations.iter().flat_map(|operation| &operation.answers).filter_map(|answer| answer.shape).collect();
    let shape = |at: u32| shapes.with_value(|shapes| shapes.get(at as usize).cloned());
    let mut held: Vec<_> = held.into_iter().filter_map(|at| Some((at, shape(at)?))).filter(|(_, shape)| !shape.fields.is_empty()).collect();
    held.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    let folds = held
        .into_iter()
        .map(|(at, Shape { name, fields: of })| {
            let id = shape_id(at, &name);
            view! {
                <details>
                    <summary><Icon glyph=Glyph::Right small=true/><span class="what"><span class="mono">{name}</span></span></summary>
                    <div class="in" id=id>{fields(of, false)}</div>
                </details>
            }
        })
        .collect_view();
    view! { <Card title=td_string!(language, api_docs.shapes)><div class="folds api shapes">{folds}</div></Card> }.into_any()
}

/// Stays what it is when operations are added, as far as the shape has a name of its own.
pub fn shape_id(at: u32, name: &str) -> String {
    let id = format!("shape-{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    if name.ends_with("object") { format!("{id}-{at}") } else { id }
}

/// Opens the fold around it.
pub fn unfold(id: &str) {
    if let Some(fold) = document().get_element_by_id(id).and_then(|element| element.closest("details").ok().flatten()) {
        let _ = fold.set_attribute("open", "");
    }
}
