//! Questions and answers on both sides, with their times.

use domain::{
    decisions::{Step, TEXT_MAX},
    orders::OrderView,
};
use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    api::Ask,
    reply_api::Answer,
    words::{by_text, step_kind, step_text},
};
use crate::{
    components::{Button, Card, TextArea, Timeline, TimelineItem, show_unfolded},
    error_text::field_problem_text,
    flash::Flash,
    i18n::td_string,
    language,
};

/// What was asked and answered, with a field for the answer where the reader is the requester. Nothing before the first question.
#[component]
pub fn Talk(view: OrderView, #[prop(optional)] last_try: Flash) -> impl IntoView {
    let language = language::current();
    let said: Vec<_> = view.steps.iter().filter(|step| matches!(step.step, Step::Ask | Step::Answer)).cloned().collect();
    if said.is_empty() {
        return None;
    }
    let items = said
        .into_iter()
        .map(|step| {
            let who = by_text(language, &step).unwrap_or_default();
            let title = format!("{} · {who}", step_text(language, step.step));
            view! { <TimelineItem at=step.at kind=step_kind(step.step) title><span class="read">{step.text}</span></TimelineItem> }
        })
        .collect_view();
    let id = view.order.id.to_string();
    let typed = last_try.value("answer").to_owned();
    // The proposal's form has a text too, and leaves no answer behind.
    let problem = last_try.problem("answer").map(|problem| field_problem_text(language, problem));
    let answer = view.may_reply.then(|| {
        view! {
            <form method="post" action=format!("{}#talk", Answer::url()) class="stack tight" novalidate>
                <input type="hidden" name="id" value=id/>
                <TextArea
                    name="answer"
                    label=td_string!(language, decisions.answer_text)
                    value=typed
                    error=Signal::stored(problem)
                    help=td_string!(language, decisions.answer_help)
                    maxlength=TEXT_MAX
                    rows=2
                />
                <div class="actions"><Button>{td_string!(language, decisions.answer_confirm)}</Button></div>
            </form>
        }
    });
    Some(
        view! {
            <Card title=td_string!(language, decisions.talk) id="talk">
                <div class="stack"><Timeline wide=true>{items}</Timeline>{answer}</div>
            </Card>
        }
        .into_any(),
    )
}

/// The approver's question, behind a quiet button.
#[component]
pub fn AskForm(id: String, #[prop(into)] typed: String, error: Signal<Option<String>>) -> impl IntoView {
    let language = language::current();
    let open = !typed.is_empty() || error.get_untracked().is_some();
    view! {
        <details class="more" id="ask" open=open on:toggle=|event| show_unfolded(&event)>
            <summary class="btn" data-kind="quiet">{td_string!(language, decisions.ask)}</summary>
            <form method="post" action=format!("{}#ask", Ask::url()) class="stack tight" novalidate>
                <input type="hidden" name="id" value=id/>
                <TextArea
                    name="question"
                    label=td_string!(language, decisions.ask_text)
                    value=typed
                    help=td_string!(language, decisions.ask_help)
                    error
                    maxlength=TEXT_MAX
                    rows=2
                />
                <div class="actions"><Button>{td_string!(language, decisions.ask_confirm)}</Button></div>
            </form>
        </details>
    }
    .into_any()
}
