//! The page of a lab's terminal. The server sends its frame; the shell is connected by scripts.

use domain::{
    labs::{LabState, LabView},
    visits::{REASON_MAX, REASON_MIN},
};
use leptos::{html, prelude::*};
use leptos_router::hooks::use_params_map;

use super::words::{State, notice_text, state_text};
use crate::{
    components::{Button, ButtonKind, Failed, LinkButton, Notice, NoticeKind, PageHead, Skeleton},
    i18n::td_string,
    labs::{
        api::read_lab,
        open::{limit_text, reason_help, visit_text},
        ssh::ssh_way,
        words::view_text,
    },
    language, routes,
};

/// The terminal on the page.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "used in the browser only"))]
pub(super) struct Parts {
    pub id: StoredValue<String>,
    pub reason: StoredValue<Option<String>>,
    pub state: RwSignal<State>,
    /// Something that does not end the connection.
    pub news: RwSignal<Option<domain::terminal::Notice>>,
    /// As the program in the shell sets it.
    pub title: RwSignal<String>,
    /// Counts requests for a new shell.
    pub again: RwSignal<u32>,
    pub whole: NodeRef<html::Div>,
    pub scroller: NodeRef<html::Div>,
    pub room: NodeRef<html::Div>,
    pub rows: NodeRef<html::Div>,
    pub probe: NodeRef<html::Span>,
    pub input: NodeRef<html::Textarea>,
    /// Keys that keyboards of phones lack.
    pub bar: NodeRef<html::Div>,
    /// Whether its Ctrl is held for the next key.
    pub ctrl: RwSignal<bool>,
    pub leave: NodeRef<html::A>,
}

#[component]
pub fn TerminalPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get_str("id").unwrap_or_default().to_owned()));
    let lab = Resource::new(move || id.get(), read_lab);
    view! {
        <Suspense fallback=|| view! { <Skeleton lines=8/> }>
            {move || lab.get().map(|lab| match lab {
                Ok(lab) => {
                    let ssh = ssh_way(&lab.detail).map(|(command, _)| command);
                    view! { <LabTerminal view=lab.detail.view ssh/> }.into_any()
                }
                Err(error) => view! { <Failed error/> }.into_any(),
            })}
        </Suspense>
    }
    .into_any()
}

/// `ssh`: the command by which the lab is reached too.
#[component]
fn LabTerminal(view: LabView, ssh: Option<String>) -> impl IntoView {
    let language = language::current();
    let name = view.lab.name.clone();
    let title = td_string!(language, terminal.title, name = name.as_str()).to_string();
    let crumb = (routes::lab(view.lab.id), name);
    let id = view.lab.id.to_string();
    let lead = ssh.map(|command| td_string!(language, terminal.by_ssh, command = command).to_string());
    let inside = if view.may_enter {
        view! { <Shell id reason=None/> }.into_any()
    } else if view.may_break_glass {
        let about = visit_text(language, &view, domain::visits::VisitRole::BreakGlass);
        view! { <Emergency id about/> }.into_any()
    } else {
        // The lab runs, so a reader without the right to enter it sees this.
        let is_up = view.site.is_some() && matches!(view.lab.state, LabState::Pending | LabState::Starting | LabState::Running);
        let title = if is_up { td_string!(language, terminal.never_title) } else { td_string!(language, terminal.not_now_title) };
        let text = td_string!(language, terminal.not_now, state = view_text(language, &view)).to_string();
        view! {
            <Notice title>
                <p>{text}</p>
                <LinkButton href=routes::lab(view.lab.id)>{td_string!(language, open.to_lab_page)}</LinkButton>
            </Notice>
        }
        .into_any()
    };
    view! {
        <PageHead title nostrip:lead=lead crumb/>
        {inside}
    }
    .into_any()
}

/// Asks an operator for the reason first.
#[component]
fn Emergency(id: String, about: String) -> impl IntoView {
    let given = RwSignal::new(None::<String>);
    let id = StoredValue::new(id);
    let about = StoredValue::new(about);
    (move || match given.get() {
        Some(reason) => view! { <Shell id=id.get_value() reason=Some(reason) given/> }.into_any(),
        None => view! { <Reason about=about.get_value() given/> }.into_any(),
    })
    .into_any()
}

#[component]
fn Reason(about: String, given: RwSignal<Option<String>>) -> impl IntoView {
    let language = language::current();
    let typed = RwSignal::new(String::new());
    let give = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let reason = typed.get_untracked().trim().to_owned();
        if reason.chars().count() >= REASON_MIN as usize {
            given.set(Some(reason));
        }
    };
    view! {
        <form class="stack" on:submit=give>
            <p>{about}</p>
            <p>{limit_text(language)}</p>
            <div class="field">
                <label for="reason">{td_string!(language, open.reason)}</label>
                <input
                    class="input"
                    id="reason"
                    required=true
                    minlength=REASON_MIN.to_string()
                    maxlength=REASON_MAX.to_string()
                    aria-describedby="reason-note"
                    on:input:target=move |event| typed.set(event.target().value())
                />
                <p class="help" id="reason-note">{reason_help(language)}</p>
            </div>
            <div class="row"><Button kind=ButtonKind::Primary>{td_string!(language, terminal.begin)}</Button></div>
        </form>
    }
    .into_any()
}

/// `given`: the reason of an emergency, which is asked for again before the next shell.
#[component]
fn Shell(id: String, reason: Option<String>, #[prop(optional)] given: Option<RwSignal<Option<String>>>) -> impl IntoView {
    let language = language::current();
    let lab_page = routes::lab(&id);
    let parts = Parts {
        id: StoredValue::new(id),
        reason: StoredValue::new(reason),
        state: RwSignal::new(State::Connecting),
        news: RwSignal::new(None),
        title: RwSignal::new(String::new()),
        again: RwSignal::new(0),
        whole: NodeRef::new(),
        scroller: NodeRef::new(),
        room: NodeRef::new(),
        rows: NodeRef::new(),
        probe: NodeRef::new(),
        input: NodeRef::new(),
        bar: NodeRef::new(),
        ctrl: RwSignal::new(false),
        leave: NodeRef::new(),
    };
    #[cfg(feature = "hydrate")]
    super::browser::start(parts);
    let next_shell = move |_| match given {
        Some(given) => given.set(None),
        None => parts.again.update(|again| *again = again.wrapping_add(1)),
    };
    let Parts { state, news, title, whole, scroller, room, rows, probe, input, bar, ctrl, leave, .. } = parts;
    view! {
        <p class="no-script">{td_string!(language, terminal.needs_scripts)}</p>
        <div class="row between script-only">
            <p class="row">
                <span role="status" id="terminal-state">{move || state_text(language, state.get())}</span>
                {move || matches!(state.get(), State::Over(_)).then(|| view! {
                    <button type="button" class="btn small" on:click=next_shell>
                        {td_string!(language, terminal.another)}
                    </button>
                })}
            </p>
            <p class="fine soft terminal-title">{move || title.get()}</p>
        </div>
        {move || news.get().map(|notice| view! { <Notice kind=NoticeKind::Warn title=notice_text(language, notice)/> })}
        // A click on its text leaves the focus in it, and so its keys.
        <div class="terminal script-only" tabindex="-1" node_ref=whole>
            <div class="terminal-scroll" node_ref=scroller>
                <div class="terminal-room" node_ref=room>
                    <div class="terminal-rows" role="log" aria-label=td_string!(language, terminal.output) node_ref=rows></div>
                </div>
                <textarea
                    class="terminal-input"
                    aria-label=td_string!(language, terminal.input)
                    aria-describedby="terminal-keys"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    rows="1"
                    node_ref=input
                ></textarea>
            </div>
            <span class="terminal-probe" aria-hidden="true" node_ref=probe>"MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM"</span>
        </div>
        <div class="terminal-bar script-only" role="group" aria-label=td_string!(language, terminal.bar) node_ref=bar>
            <button type="button" class="btn small" data-key="Control" aria-pressed=move || ctrl.get().to_string()>"Ctrl"</button>
            <button type="button" class="btn small" data-key="Escape">"Esc"</button>
            <button type="button" class="btn small" data-key="Tab">"Tab"</button>
            <button type="button" class="btn small" data-key="ArrowLeft" aria-label=td_string!(language, terminal.left)>"←"</button>
            <button type="button" class="btn small" data-key="ArrowUp" aria-label=td_string!(language, terminal.up)>"↑"</button>
            <button type="button" class="btn small" data-key="ArrowDown" aria-label=td_string!(language, terminal.down)>"↓"</button>
            <button type="button" class="btn small" data-key="ArrowRight" aria-label=td_string!(language, terminal.right)>"→"</button>
        </div>
        <p class="fine soft script-only" id="terminal-keys">
            {td_string!(language, terminal.keys)}" "<a href=lab_page node_ref=leave>{td_string!(language, terminal.leave)}</a>
        </p>
        <p class="fine soft">{td_string!(language, terminal.about)}</p>
    }
    .into_any()
}
