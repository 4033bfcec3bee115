//! The form that sends a real request with the reader's own token. The token is in this page's memory alone, never stored.

use leptos::prelude::*;

use super::{
    model::Operation,
    send::{Reply, address, examples},
};
use crate::{
    components::{Button, ButtonKind, ButtonType, Notice, NoticeKind, Status, StatusKind, TextArea, TextField, quantity_text},
    i18n::td_string,
    language,
};

/// What the reader typed; shared by all forms of the page.
#[derive(Debug, Clone, Copy)]
pub struct Token(pub RwSignal<String>);

#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser sends"))]
enum Stage {
    Ready,
    /// It changes something: asked whether to.
    Asked,
    Sending,
    Done(Reply),
    /// No answer at all, in the browser's words.
    Lost(String),
}

/// Drawn when it is first opened: the page has many. Needs scripts.
#[component]
pub fn TryIt(operation: Operation) -> impl IntoView {
    let opened = RwSignal::new(false);
    let title = td_string!(language::current(), api_docs.try_it);
    view! {
        <details class="try script-only" on:toggle=move |_| opened.set(true)>
            <summary class="btn small">{title}</summary>
            {move || opened.get().then(|| view! { <TryForm operation=operation.clone()/> })}
        </details>
    }
    .into_any()
}

#[component]
fn TryForm(operation: Operation) -> impl IntoView {
    let language = language::current();
    let Token(token) = expect_context::<Token>();
    let stage = RwSignal::new(Stage::Ready);
    let values: Vec<_> = examples(&operation).into_iter().map(RwSignal::new).collect();
    let body = operation.body.as_ref().map(|body| RwSignal::new(body.example.clone()));
    let operation = StoredValue::new(operation);
    let now = {
        let values = values.clone();
        move || values.iter().map(|value| value.get()).collect::<Vec<_>>()
    };
    let shown = {
        let now = now.clone();
        move || operation.with_value(|operation| format!("{} {}", operation.method, address(operation, &now())))
    };
    let send = Callback::new(move |()| {
        stage.set(Stage::Sending);
        dispatch(operation, &now(), body.map(|body| body.get_untracked()), token.get_untracked(), stage);
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if operation.with_value(Operation::changes) {
            stage.set(Stage::Asked);
        } else {
            send.run(());
        }
    };
    let inputs = operation.with_value(|operation| {
        let pairs = operation.parameters.clone().into_iter().zip(values);
        pairs
            .map(|(parameter, value)| {
                let id = format!("{}-{}", operation.id, parameter.name);
                let placeholder = parameter.example.clone();
                let on_input = Callback::new(move |text| value.set(text));
                view! { <TextField name=id label=parameter.name value placeholder input_mode="text" optional=!parameter.required on_input/> }
            })
            .collect_view()
    });
    let area = body.map(|body| {
        let id = operation.with_value(|operation| format!("{}-body", operation.id));
        view! {
            <div on:input=move |event: leptos::ev::Event| body.set(event_target_value(&event))>
                <TextArea name=id label=td_string!(language, api_docs.body) value=body optional=true rows=8/>
            </div>
        }
    });
    let guarded = operation.with_value(|operation| operation.guarded);
    view! {
        <form class="stack" on:submit=submit autocomplete="off">
            {move || (guarded && token.with(String::is_empty)).then(|| view! {
                <p class="help"><a href="#token" rel="external">{td_string!(language, api_docs.token_first)}</a></p>
            })}
            {inputs}
            {area}
            <p class="mono fine">{shown}</p>
            {move || match stage.get() {
                Stage::Asked => view! {
                    <Notice kind=NoticeKind::Warn title=td_string!(language, api_docs.confirm_title)>{td_string!(language, api_docs.confirm_text)}</Notice>
                    <div class="actions">
                        <Button button_type=ButtonType::Button on:click=move |_| stage.set(Stage::Ready)>{td_string!(language, components.cancel)}</Button>
                        <Button kind=ButtonKind::DangerSolid button_type=ButtonType::Button on:click=move |_| send.run(())>
                            {td_string!(language, api_docs.confirm)}
                        </Button>
                    </div>
                }
                .into_any(),
                other => {
                    let busy = Signal::stored(other == Stage::Sending);
                    view! { <div class="actions"><Button kind=ButtonKind::Primary busy>{td_string!(language, api_docs.send)}</Button></div> }.into_any()
                }
            }}
            <div aria-live="polite" class="stack">
                {move || match stage.get() {
                    Stage::Done(reply) => view! { <ReplyView reply/> }.into_any(),
                    Stage::Lost(reason) => view! { <Notice kind=NoticeKind::Bad title=td_string!(language, api_docs.lost)>{reason}</Notice> }.into_any(),
                    _ => ().into_any(),
                }}
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn ReplyView(reply: Reply) -> impl IntoView {
    let Reply { status, milliseconds, headers, body } = reply;
    let kind = match status {
        200..=299 => StatusKind::Ok,
        400..=499 => StatusKind::Warn,
        _ => StatusKind::Bad,
    };
    let headers = headers.into_iter().map(|(name, value)| view! { <span>{name}": "{value}</span> }).collect_view();
    view! {
        <p class="row"><Status kind>{status}</Status><span class="fine">{quantity_text(milliseconds, "ms")}</span></p>
        <p class="stack tight mono fine">{headers}</p>
        <pre class="listing reply" tabindex="0">{body}</pre>
    }
    .into_any()
}

fn dispatch(operation: StoredValue<Operation>, values: &[String], body: Option<String>, token: String, stage: RwSignal<Stage>) {
    #[cfg(feature = "hydrate")]
    {
        use super::send::{browser, headers};
        let (method, url, mut sent, guarded) =
            operation.with_value(|operation| (operation.method.clone(), address(operation, values), headers(operation, values), operation.guarded));
        let body = body.filter(|body| !body.trim().is_empty());
        if guarded && !token.is_empty() {
            sent.push(("Authorization".to_owned(), format!("Bearer {}", token.trim())));
        }
        if body.is_some() {
            sent.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        leptos::task::spawn_local(async move {
            let result = browser::send(&method, &url, &sent, body.as_deref()).await;
            // The page may be gone by now.
            let _ = stage.try_set(result.map_or_else(Stage::Lost, Stage::Done));
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (operation, values, body, token, stage);
}
