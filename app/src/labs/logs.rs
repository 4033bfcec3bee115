//! Logs of a lab's containers. The form leads to the text itself, which is all that there is without scripts; with scripts the text is on
//! the page, and follows what is written.

#[cfg(feature = "hydrate")]
mod browser;
mod runs;
pub mod text;

use domain::labs::{KeptLog, LabPod, LabState};
use leptos::{html, prelude::*};

use self::runs::{kept_text, run_text, runs};
use crate::{
    components::{Button, Card, CheckField, Glyph},
    i18n::td_string,
    language::{self, Language},
    routes,
};

/// How many of the last lines can be asked for.
const TAILS: [&str; 3] = ["200", "1000", "all"];

/// Message beside the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only the browser reads a log"))]
enum Note {
    Loading,
    /// Nothing was written yet.
    Empty,
    /// Earlier lines are not kept on the page.
    Cut,
    /// The container has not started yet, or its pod is gone.
    NotThere,
    /// There was no earlier run, or it left no log.
    NoneKept,
    /// The cluster does not answer.
    Unreachable,
    /// Nothing more comes.
    Ended,
}

fn note_text(language: Language, note: Note) -> &'static str {
    match note {
        Note::Loading => td_string!(language, logs.loading),
        Note::Empty => td_string!(language, logs.empty),
        Note::Cut => td_string!(language, logs.cut),
        Note::NotThere => td_string!(language, logs.not_there),
        Note::NoneKept => td_string!(language, logs.none_kept),
        Note::Unreachable => td_string!(language, logs.unreachable),
        Note::Ended => td_string!(language, logs.ended),
    }
}

/// A log on the page: what is asked for, and what is shown.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "read in the browser only"))]
struct LogView {
    url: Signal<String>,
    follow: RwSignal<bool>,
    /// Counts requests to read it again.
    again: RwSignal<u32>,
    /// Following ended by itself, so its end changes nothing.
    settled: StoredValue<bool>,
    text: RwSignal<String>,
    note: RwSignal<Option<Note>>,
    element: NodeRef<html::Pre>,
}

/// The card of the log. `pods`: those that the cluster has now; `kept`: what is kept of a job whose pods are gone.
#[component]
pub fn Logs(id: String, pods: Vec<LabPod>, kept: Vec<KeptLog>, state: LabState, is_job: bool) -> impl IntoView {
    let language = language::current();
    if pods.is_empty() && kept.is_empty() {
        let text = match state {
            LabState::Pending | LabState::Starting | LabState::Running => td_string!(language, logs.not_started),
            LabState::Destroying | LabState::Destroyed => td_string!(language, logs.destroyed),
            _ if is_job => td_string!(language, logs.gone_job),
            _ => td_string!(language, logs.gone),
        };
        return view! { <Card title=td_string!(language, logs.title) id="log"><p class="soft">{text}</p></Card> }.into_any();
    }
    view! { <PodLogs id pods kept is_job/> }.into_any()
}

/// The log of a job is what it is run for, so that it is followed from the beginning.
#[component]
fn PodLogs(id: String, pods: Vec<LabPod>, kept: Vec<KeptLog>, is_job: bool) -> impl IntoView {
    let language = language::current();
    let runs = runs(&pods, &kept, is_job);
    // The pods of a lab are made from one template, so their containers are the same.
    let (containers, init) = match pods.first() {
        Some(pod) => (pod.containers.clone(), pod.init_containers.clone()),
        None => (runs.first().map(|run| run.containers.clone()).unwrap_or_default(), Vec::new()),
    };
    let member = RwSignal::new(runs.first().map(|run| run.pod.clone()).unwrap_or_default());
    let container = RwSignal::new(containers.first().or(init.first()).cloned().unwrap_or_default());
    let follow = RwSignal::new(is_job && runs.first().is_some_and(|run| run.is_there));
    let tail = RwSignal::new(TAILS[0].to_owned());
    let previous = RwSignal::new(false);
    let action = routes::lab_log(&id);
    let path = action.clone();
    let url = Signal::derive(move || {
        let (member, container, tail) = (member.get(), container.get(), tail.get());
        let flag = |is_on: bool| if is_on { "true" } else { "" };
        let pairs = [
            ("member", member.as_str()),
            ("container", container.as_str()),
            ("tail", tail.as_str()),
            ("previous", flag(previous.get())),
            ("follow", flag(follow.get())),
        ];
        routes::with_query(&path, &pairs)
    });
    let text = RwSignal::new(String::new());
    let note = RwSignal::new(Some(Note::Loading));
    let element = NodeRef::<html::Pre>::new();
    let view = LogView { url, follow, again: RwSignal::new(0), settled: StoredValue::new(false), text, note, element };
    #[cfg(feature = "hydrate")]
    browser::keep(view);
    #[cfg(not(feature = "hydrate"))]
    let _ = view;
    let count = runs.len();
    let member_options = runs
        .iter()
        .map(|run| {
            let text = run_text(language, run, is_job);
            view! { <option value=run.pod.clone()>{text}</option> }
        })
        .collect_view();
    let about = move || {
        let (member, container) = (member.get(), container.get());
        let log = kept.iter().find(|log| log.pod == member && log.container == container);
        log.map(|log| kept_text(language, log))
    };
    let init_text = |name: &String| td_string!(language, logs.init_container, name = name.as_str()).to_string();
    let container_options = containers
        .iter()
        .map(|name| (name.clone(), name.clone()))
        .chain(init.iter().map(|name| (name.clone(), init_text(name))))
        .map(|(name, text)| view! { <option value=name>{text}</option> })
        .collect_view();
    let tail_text = |lines: &str| match lines {
        "all" => td_string!(language, logs.tail_all).to_owned(),
        lines => td_string!(language, logs.tail_lines, lines = lines).to_string(),
    };
    let tail_options = TAILS.into_iter().map(|lines| view! { <option value=lines>{tail_text(lines)}</option> }).collect_view();
    view! {
        <Card title=td_string!(language, logs.title) id="log">
            <form class="filters" method="get" action=action target="_blank">
                {(count > 1).then(|| view! {
                    <div class="field">
                        <label class="sr" for="log-member">{td_string!(language, logs.member)}</label>
                        <select class="input small" id="log-member" name="member" on:change:target=move |event| member.set(event.target().value())>
                            {member_options}
                        </select>
                    </div>
                })}
                <div class="field">
                    <label class="sr" for="log-container">{td_string!(language, logs.container)}</label>
                    <select class="input small" id="log-container" name="container" on:change:target=move |event| container.set(event.target().value())>
                        {container_options}
                    </select>
                </div>
                <div class="field">
                    <label class="sr" for="log-tail">{td_string!(language, logs.tail)}</label>
                    <select class="input small" id="log-tail" name="tail" on:change:target=move |event| tail.set(event.target().value())>
                        {tail_options}
                    </select>
                </div>
                <CheckField name="previous" label=td_string!(language, logs.previous) on_change=Callback::new(move |is_on: bool| previous.set(is_on))/>
                <div class="row">
                    <button
                        type="button"
                        class="btn small script-only"
                        on:click=move |_| follow.update(|follow| *follow = !*follow)
                    >
                        {move || if follow.get() { td_string!(language, logs.follow_stop) } else { td_string!(language, logs.follow) }}
                    </button>
                    <Button small=true icon=Glyph::Export name="download" value="1">{td_string!(language, logs.download)}</Button>
                    <Button small=true>{td_string!(language, logs.as_text)}</Button>
                </div>
            </form>
            <p class="fine script-only" role="status">{about}</p>
            <p class="fine script-only" role="status">{move || note.get().map(|note| note_text(language, note))}</p>
            <pre class="listing script-only" class:empty=move || text.with(String::is_empty) tabindex="0" role="region" aria-label=td_string!(language, logs.title) node_ref=element>{move || text.get()}</pre>
        </Card>
    }
    .into_any()
}
