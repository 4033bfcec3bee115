//! When a lab stops by itself, and how long it is kept once it is down.

use domain::labs::{Lab, LabState, LabView, idle::MINUTES};
use leptos::{form::ActionForm, prelude::*};

use super::changes::{KeepLab, SetAutostop};
use crate::{
    components::{Button, Card, MomentStyle, Notice, NoticeKind, moment_text, use_toasts},
    draft,
    error::AppError,
    i18n::td_string,
    language,
    orders::words::duration_text,
};

/// The daily stop and the time without use, chosen by the owner. `college`: minutes without use that hold where the owner chose none.
#[component]
pub fn AutostopCard(lab: Lab, college: Option<u32>, may_set: bool, failed: RwSignal<Option<domain::Error>>, reload: Callback<()>) -> impl IntoView {
    let language = language::current();
    let toasts = use_toasts();
    let action = ServerAction::<SetAutostop>::new();
    let saved = td_string!(language, lifecycle.autostop_saved);
    Effect::new(move |_| match action.value().get() {
        Some(Ok(())) => {
            failed.set(None);
            draft::forget();
            toasts.show(saved);
            reload.run(());
        }
        Some(Err(AppError(error))) => failed.set(Some(error)),
        None => {}
    });
    let daily = lab.lifecycle.autostop.daily.map(|time| time.to_string());
    let about = match (&daily, lab.lifecycle.daily_stop_at) {
        (Some(_), Some(at)) => td_string!(language, lifecycle.autostop_next, at = moment_text(at, MomentStyle::Minute)).to_string(),
        (Some(time), None) => td_string!(language, lifecycle.autostop_daily, time = time.as_str()).to_string(),
        (None, _) => td_string!(language, lifecycle.autostop_none).to_owned(),
    };
    let minutes = lab.lifecycle.autostop.idle_minutes;
    let unused = match (minutes, college) {
        (Some(minutes), _) => td_string!(language, idle.after_own, time = duration_text(language, minutes)).to_string(),
        (None, Some(minutes)) => td_string!(language, idle.after_college, time = duration_text(language, minutes)).to_string(),
        (None, None) => td_string!(language, idle.after_none).to_owned(),
    };
    view! {
        <Card title=td_string!(language, lifecycle.autostop)>
            <p class="soft">{about}</p>
            <p class="soft">{unused}</p>
            {may_set.then(|| view! {
                <ActionForm action attr:class="stack tight">
                    <input type="hidden" name="id" value=lab.id.to_string()/>
                    <div class="row">
                        <label for="daily">{td_string!(language, lifecycle.autostop_label)}</label>
                        <input class="input" type="time" id="daily" name="daily" value=daily.clone() aria-describedby="daily-note"/>
                    </div>
                    <p class="fine" id="daily-note">{td_string!(language, lifecycle.autostop_help)}</p>
                    <div class="row">
                        <label for="idle-minutes">{td_string!(language, idle.label)}</label>
                        <input
                            class="input"
                            type="number"
                            id="idle-minutes"
                            name="idle_minutes"
                            min=MINUTES.start().to_string()
                            max=MINUTES.end().to_string()
                            value=minutes.map(|minutes| minutes.to_string())
                            placeholder=college.map(|minutes| minutes.to_string())
                            aria-describedby="idle-note"
                        />
                    </div>
                    <p class="fine" id="idle-note">{td_string!(language, idle.help)}</p>
                    <div class="row"><Button small=true busy=action.pending()>{td_string!(language, lifecycle.save)}</Button></div>
                </ActionForm>
            })}
        </Card>
    }
    .into_any()
}

/// Only for a lab that is down: until when its files are kept.
#[component]
pub fn KeptNotice(view: LabView, reload: Callback<()>) -> impl IntoView {
    let language = language::current();
    let until = view.lab.lifecycle.kept_until.filter(|_| matches!(view.lab.state, LabState::Stopped | LabState::Failed))?;
    let action = ServerAction::<KeepLab>::new();
    let toasts = use_toasts();
    let kept = td_string!(language, lifecycle.kept, name = view.lab.name.as_str()).to_string();
    Effect::new(move |_| match action.value().get() {
        Some(Ok(())) => {
            toasts.show(kept.clone());
            reload.run(());
        }
        Some(Err(AppError(error))) => toasts.show(crate::error_text::error_text(language, &error)),
        None => {}
    });
    let title = td_string!(language, lifecycle.kept_until, at = moment_text(until, MomentStyle::Minute)).to_string();
    let free = view.lab.lifecycle.grace_from.map(|from| {
        let at = moment_text(from, MomentStyle::Minute);
        format!(" {}", td_string!(language, lifecycle.kept_free, at = at))
    });
    Some(
        view! {
            <Notice kind=NoticeKind::Info title>
                {td_string!(language, lifecycle.kept_about)}
                {free}" "
                {view.options.may_keep.then(|| view! {
                    <ActionForm action>
                        <input type="hidden" name="id" value=view.lab.id.to_string()/>
                        <Button small=true busy=action.pending()>{td_string!(language, lifecycle.keep)}</Button>
                    </ActionForm>
                })}
            </Notice>
        }
        .into_any(),
    )
}
