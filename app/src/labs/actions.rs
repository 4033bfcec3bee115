//! The buttons of a lab. Stopping and starting are done at once; destroying asks first and names what is lost.

use domain::{
    Error,
    catalogue::Entrance,
    labs::{Lab, LabState},
};
use leptos::{form::ActionForm, prelude::*, server_fn::ServerFn};

use super::{
    api::{DestroyLab, LabNow, StartLab, StopLab},
    changes::{RestartLab, RetryLab},
    open::{EnterLab, is_open},
};
use crate::{
    components::{Button, ButtonKind, Card, ConfirmDialog, Glyph, LinkButton, Reading, part, use_toasts},
    error::AppError,
    error_text::error_text,
    i18n::td_string,
    language,
    orders::words::storage_text,
    routes,
};

/// What may be asked of the lab now.
#[derive(Debug, Clone, Copy)]
pub struct Allowed {
    id: Signal<Option<String>>,
    name: Signal<Option<String>>,
    enter: Signal<Option<(bool, Entrance)>>,
    /// Beside the way in.
    terminal: Signal<Option<bool>>,
    /// An operator's way in, by a reason.
    emergency: Signal<Option<bool>>,
    stop: Signal<Option<bool>>,
    /// With the state, since a failed lab is tried again and a stopped one is started; and whether it is a job that ended, which is run again.
    start: Signal<Option<(bool, LabState, bool)>>,
    /// With the generation of its pods.
    restart: Signal<Option<(bool, u32)>>,
    resize: Signal<Option<bool>>,
}

impl Allowed {
    pub fn of(lab: Signal<Reading<LabNow>>) -> Self {
        Self {
            id: part(lab, |lab| lab.detail.view.lab.id.to_string()),
            name: part(lab, |lab| lab.detail.view.lab.name.clone()),
            enter: part(lab, |lab| (is_open(&lab.detail.view), lab.detail.view.lab.spec.entrance())),
            terminal: part(lab, |lab| {
                let view = &lab.detail.view;
                view.may_enter && view.lab.spec.entrance() != Entrance::Terminal && view.lab.state == LabState::Running
            }),
            emergency: part(lab, |lab| lab.detail.view.may_break_glass),
            stop: part(lab, |lab| lab.detail.view.may_stop),
            start: part(lab, |lab| {
                let view = &lab.detail.view;
                (view.may_start, view.lab.state, view.job.is_some_and(|job| job.outcome.is_some()))
            }),
            restart: part(lab, |lab| (lab.detail.view.options.may_restart, lab.detail.view.lab.lifecycle.generation)),
            resize: part(lab, |lab| lab.detail.view.options.may_resize),
        }
    }
}

/// Open, stop and start, whichever is possible now.
#[component]
pub fn Buttons(allowed: Allowed, failed: RwSignal<Option<Error>>, reload: Callback<()>) -> impl IntoView {
    let language = language::current();
    let start = ServerAction::<StartLab>::new();
    let stop = ServerAction::<StopLab>::new();
    let retry = ServerAction::<RetryLab>::new();
    let (id, name) = (allowed.id.get_untracked().unwrap_or_default(), allowed.name.get_untracked().unwrap_or_default());
    let started = td_string!(language, labs.start_asked, name = name.as_str()).to_string();
    let stopped = td_string!(language, labs.stop_asked, name = name.as_str()).to_string();
    let said = StoredValue::new(None::<u32>);
    follow(start.value().into(), started.clone(), None, said, failed, reload);
    follow(retry.value().into(), started, None, said, failed, reload);
    let id = StoredValue::new(id);
    // Stopping loses no file and can be undone; who may stop a lab and not start it is offered no undo.
    let undo = Callback::new(move |()| {
        start.dispatch(StartLab { id: id.get_value() });
    });
    // Who could restart it while it ran may start it again.
    let may_undo = StoredValue::new(false);
    Effect::new(move |_| {
        if allowed.restart.get().is_some_and(|(may, _)| may) {
            may_undo.set_value(true);
        }
    });
    follow(stop.value().into(), stopped, Some((may_undo, undo)), said, failed, reload);
    let toasts = use_toasts();
    // The text of a toast is out of date when the lab has come to rest.
    Effect::new(move |before: Option<Option<LabState>>| {
        let state = allowed.start.get().map(|(_, state, _)| state);
        let is_moving = matches!(state, Some(LabState::Pending | LabState::Starting | LabState::Stopping));
        if !is_moving
            && before.is_some_and(|before| before != state)
            && let Some(number) = said.try_update_value(Option::take).flatten()
        {
            toasts.take_back(number);
        }
        state
    });
    let name = StoredValue::new(name);
    view! {
        {move || allowed.enter.get().filter(|(may, _)| *may).map(|(_, entrance)| {
            view! { <EnterLab id=id.get_value() name=name.get_value() entrance/> }
        })}
        {move || allowed.terminal.get().filter(|may| *may).map(|_| view! {
            <LinkButton href=routes::lab_terminal(id.get_value())>{td_string!(language, terminal.button)}</LinkButton>
        })}
        {move || allowed.emergency.get().filter(|may| *may).map(|_| view! {
            <a class="btn" data-kind=ButtonKind::Danger.name() rel="external" target="_blank" href=routes::lab_open(id.get_value())>
                {td_string!(language, visits.break_glass)}
            </a>
        })}
        {move || allowed.stop.get().filter(|may| *may).map(|_| view! {
            <ActionForm action=stop>
                <input type="hidden" name="id" value=id.get_value()/>
                <Button icon=Glyph::Power busy=stop.pending()>{td_string!(language, labs.stop)}</Button>
            </ActionForm>
        })}
        {move || allowed.restart.get().filter(|(may, _)| *may).map(|(_, generation)| view! {
            <ConfirmDialog
                id="restart"
                open_text=td_string!(language, lifecycle.restart)
                title=td_string!(language, lifecycle.restart_title, name = name.get_value()).to_string()
                confirm_text=td_string!(language, lifecycle.restart_do)
                action=RestartLab::url()
                kind=ButtonKind::Plain
            >
                <p class="soft">{td_string!(language, lifecycle.restart_about)}</p>
                <input type="hidden" name="id" value=id.get_value()/>
                <input type="hidden" name="generation" value=generation/>
            </ConfirmDialog>
        })}
        {move || allowed.resize.get().filter(|may| *may).map(|_| view! {
            <LinkButton href=routes::lab_resize(id.get_value())>{td_string!(language, lifecycle.resize)}</LinkButton>
        })}
        {move || allowed.start.get().filter(|(may, ..)| *may).map(|(_, state, ended)| match state {
            LabState::Failed => view! {
                <ActionForm action=retry>
                    <input type="hidden" name="id" value=id.get_value()/>
                    <Button kind=ButtonKind::Primary icon=Glyph::Retry busy=retry.pending()>
                        {if ended { td_string!(language, labs.run_again) } else { td_string!(language, labs.retry) }}
                    </Button>
                </ActionForm>
            }
            .into_any(),
            _ => view! {
                <ActionForm action=start>
                    <input type="hidden" name="id" value=id.get_value()/>
                    <Button kind=ButtonKind::Primary icon=Glyph::Retry busy=start.pending()>
                        {if ended { td_string!(language, labs.run_again) } else { td_string!(language, labs.start) }}
                    </Button>
                </ActionForm>
            }
            .into_any(),
        })}
    }
    .into_any()
}

/// Starts a lab where it is one of several.
#[component]
pub fn StartButton(id: String, name: String, reload: Callback<()>) -> impl IntoView {
    let language = language::current();
    let toasts = use_toasts();
    let action = ServerAction::<StartLab>::new();
    let asked = td_string!(language, labs.start_asked, name = name.as_str()).to_string();
    let rest = td_string!(language, open.rest_here, name = name.as_str()).to_string();
    Effect::new(move |_| match action.value().get() {
        Some(Ok(())) => {
            toasts.show(asked.clone());
            reload.run(());
        }
        Some(Err(AppError(error))) => toasts.show(error_text(language, &error)),
        None => {}
    });
    view! {
        <ActionForm action>
            <input type="hidden" name="id" value=id/>
            <Button kind=ButtonKind::Primary small=true icon=Glyph::Retry busy=action.pending()>
                {td_string!(language, labs.start)}<span class="sr">{rest}</span>
            </Button>
        </ActionForm>
    }
    .into_any()
}

/// Says what was done, or why not, and reads the lab again. `undo`: whether this reader may take it back, and what does; `said`: takes the
/// number of the toast.
fn follow(
    answer: Signal<Option<Result<(), AppError>>>,
    text: String,
    undo: Option<(StoredValue<bool>, Callback<()>)>,
    said: StoredValue<Option<u32>>,
    failed: RwSignal<Option<Error>>,
    reload: Callback<()>,
) {
    let toasts = use_toasts();
    Effect::new(move |_| match answer.get() {
        Some(Ok(())) => {
            failed.set(None);
            let undo = undo.filter(|(may, _)| may.get_value()).map(|(_, undo)| undo);
            said.set_value(Some(toasts.tell(text.clone(), undo)));
            reload.run(());
        }
        Some(Err(AppError(error))) => failed.set(Some(error)),
        None => {}
    });
}

/// The last resort, apart from the other buttons.
#[component]
pub fn Destroy(lab: Lab) -> impl IntoView {
    let language = language::current();
    let lost = match lab.spec.storage_gib {
        0 => td_string!(language, labs.destroy_about_no_storage).to_owned(),
        gib => td_string!(language, labs.destroy_about, size = storage_text(gib)).to_string(),
    };
    let running = lab.state == LabState::Running;
    view! {
        <Card title=td_string!(language, labs.no_longer)>
            <p class="soft">{td_string!(language, labs.no_longer_about)}</p>
            <div class="actions">
                <ConfirmDialog
                    id="destroy"
                    open_text=td_string!(language, labs.destroy)
                    title=td_string!(language, labs.destroy_title, name = lab.name.as_str()).to_string()
                    confirm_text=td_string!(language, labs.destroy_confirm)
                    action=DestroyLab::url()
                    small=true
                >
                    <p class="soft">{lost}</p>
                    {running.then(|| view! { <p class="soft">{td_string!(language, labs.destroy_running)}</p> })}
                    <input type="hidden" name="id" value=lab.id.to_string()/>
                </ConfirmDialog>
            </div>
        </Card>
    }
    .into_any()
}
