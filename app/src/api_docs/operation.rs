//! One operation: closed a line, open its parameters, body, answers, an example and the form to try it. What answers hold stands further
//! down, once for all operations: most of them answer with the same few things.

use leptos::prelude::*;

use super::{
    model::{Answer, Operation, Shape},
    send::curl,
    shape::{fields, marked, parameters, shape_id, unfold},
    try_it::TryIt,
};
use crate::{
    components::{Glyph, Icon},
    i18n::td_string,
    language,
};

/// `query` is what the reader searches for.
#[component]
pub fn OperationFold(operation: Operation, shapes: StoredValue<Vec<Shape>>, query: RwSignal<String>) -> impl IntoView {
    let language = language::current();
    let sought = operation.clone();
    let hidden = move || query.with(|query| !sought.matches(query));
    let shape = move |index: u32| shapes.with_value(|shapes| shapes.get(index as usize).cloned());
    let line = curl(&operation);
    let Operation { id, method, path, summary, about, guarded, parameters: given, body, answers, .. } = operation.clone();
    let held = |at: u32, Shape { name, fields }: &Shape| Holds { id: shape_id(at, name), name: name.clone(), fields: !fields.is_empty() };
    let holds = |at: u32| shapes.with_value(|shapes| shapes.get(at as usize).map(|shape| held(at, shape)));
    let answers = answers.into_iter().map(|answer| view! { <AnswerOf holds=answer.shape.and_then(holds) answer/> }).collect_view();
    view! {
        <details id=id hidden=hidden>
            <summary>
                <Icon glyph=Glyph::Right small=true/>
                <span class="what"><b class="mono method">{method}</b><span class="mono">{path}</span><span>{marked(&summary)}</span></span>
                {(!guarded).then(|| view! { <span class="fine">{td_string!(language, api_docs.no_token)}</span> })}
            </summary>
            <div class="in stack">
                {(!about.is_empty()).then(|| view! { <p>{marked(&about)}</p> })}
                {(!given.is_empty()).then(|| view! {
                    <h3>{td_string!(language, api_docs.parameters)}</h3>
                    {parameters(given)}
                })}
                {body.map(|body| view! {
                    <h3>{td_string!(language, api_docs.body)}</h3>
                    {shape(body.shape).map(|shape| fields(shape.fields, true))}
                    <pre class="listing" tabindex="0">{body.example}</pre>
                })}
                <h3>{td_string!(language, api_docs.answers)}</h3>
                <div class="stack tight">{answers}</div>
                <h3>{td_string!(language, api_docs.from_a_shell)}</h3>
                <pre class="listing" tabindex="0">{line}</pre>
                <TryIt operation/>
            </div>
        </details>
    }
    .into_any()
}

#[component]
fn AnswerOf(answer: Answer, holds: Option<Holds>) -> impl IntoView {
    let Answer { status, meaning, media, .. } = answer;
    let holds = holds.map(|Holds { id, name, fields }| {
        if fields {
            // Followed by the browser itself; not every one opens the fold.
            let href = format!("#{id}");
            view! { <a href=href rel="external" on:click=move |_| unfold(&id)>{name}</a> }.into_any()
        } else {
            name.into_any()
        }
    });
    view! { <p><b class="mono">{status}</b>" "{marked(&meaning)}" "<span class="fine mono">{media}" "{holds}</span></p> }.into_any()
}

/// A shape as an answer names it.
struct Holds {
    id: String,
    name: String,
    /// It has any, and so a place of its own.
    fields: bool,
}
