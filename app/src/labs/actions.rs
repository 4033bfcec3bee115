//! The buttons of a lab. Stopping and starting are done at once; destroying asks first and names what is lost.

use domain::{
    Error,
    labs::{Lab, LabState},
};
use leptos::{form::ActionForm, prelude::*, server_fn::ServerFn};

use super::api::{DestroyLab, LabNow, StartLab, StopLab};
use crate::{
    components::{Button, ButtonKind, Card, ConfirmDialog, Glyph, Reading, part, use_toasts},
    error::AppError,
    i18n::td_string,
    language,
    orders::words::storage_text,
};

/// What may be asked of the lab now.
#[derive(Debug, Clone, Copy)]
pub struct Allowed {
    id: Signal<Option<String>>,
    name: Signal<Option<String>>,
    stop: Signal<Option<bool>>,
    /// With the state, since a failed lab is tried again and a stopped one is started.
    start: Signal<Option<(bool, LabState)>>,
}

impl Allowed {
    pub fn of(lab: Signal<Reading<LabNow>>) -> Self {
        Self {
            id: part(lab, |lab| lab.detail.view.lab.id.to_string()),
            name: part(lab, |lab| lab.detail.view.lab.name.clone()),
            stop: part(lab, |lab| lab.detail.view.may_stop),
            start: part(lab, |lab| (lab.detail.view.may_start, lab.detail.view.lab.state)),
        }
    }
}

/// Start and stop, whichever is possible now.
#[component]
pub fn Buttons(allowed: Allowed, failed: RwSignal<Option<Error>>, reload: Callback<()>) -> impl IntoView {
    let language = language::current();
    let start = ServerAction::<StartLab>::new();
    let stop = ServerAction::<StopLab>::new();
    let (id, name) = (allowed.id.get_untracked().unwrap_or_default(), allowed.name.get_untracked().unwrap_or_default());
    let started = td_string!(language, labs.start_asked, name = name.as_str()).to_string();
    let stopped = td_string!(language, labs.stop_asked, name = name.as_str()).to_string();
    follow(start.value().into(), started, failed, reload);
    follow(stop.value().into(), stopped, failed, reload);
    let id = StoredValue::new(id);
    view! {
        {move || allowed.stop.get().filter(|may| *may).map(|_| view! {
            <ActionForm action=stop>
                <input type="hidden" name="id" value=id.get_value()/>
                <Button icon=Glyph::Power busy=stop.pending()>{td_string!(language, labs.stop)}</Button>
            </ActionForm>
        })}
        {move || allowed.start.get().filter(|(may, _)| *may).map(|(_, state)| view! {
            <ActionForm action=start>
                <input type="hidden" name="id" value=id.get_value()/>
                <Button kind=ButtonKind::Primary icon=Glyph::Retry busy=start.pending()>
                    {if state == LabState::Failed { td_string!(language, labs.retry) } else { td_string!(language, labs.start) }}
                </Button>
            </ActionForm>
        })}
    }
    .into_any()
}

/// Says what was done, or why not, and reads the lab again.
fn follow(answer: Signal<Option<Result<(), AppError>>>, text: String, failed: RwSignal<Option<Error>>, reload: Callback<()>) {
    let toasts = use_toasts();
    Effect::new(move |_| match answer.get() {
        Some(Ok(())) => {
            failed.set(None);
            toasts.show(text.clone());
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
