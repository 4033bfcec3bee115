//! Use of a running lab: the last use that counted, the time of the stop if nobody uses it, and the notices of both.

use domain::{
    ids::UserId,
    labs::{LabUse, LabView},
    time::Timestamp,
    visits::UseKind,
};
use leptos::{form::ActionForm, prelude::*};

use super::changes::KeepRunning;
use crate::{
    components::{Button, Card, MomentStyle, Notice, NoticeKind, moment_text, use_toasts},
    error::AppError,
    error_text::error_text,
    i18n::td_string,
    language::{self, Language},
};

pub fn kind_text(language: Language, kind: UseKind) -> &'static str {
    match kind {
        UseKind::Page => td_string!(language, idle.kind_page),
        UseKind::Change => td_string!(language, idle.kind_change),
        UseKind::Cell => td_string!(language, idle.kind_cell),
        UseKind::Input => td_string!(language, idle.kind_input),
        UseKind::Terminal => td_string!(language, idle.kind_terminal),
        UseKind::Connection => td_string!(language, idle.kind_connection),
        UseKind::Kernel => td_string!(language, idle.kind_kernel),
        UseKind::Processor => td_string!(language, idle.kind_processor),
        UseKind::Job => td_string!(language, idle.kind_job),
        UseKind::Kept => td_string!(language, idle.kind_kept),
    }
}

/// Today needs no date.
fn at_text(at: Timestamp, now: Timestamp) -> String {
    let is_today = at.start_of_campus_day() == now.start_of_campus_day();
    moment_text(at, if is_today { MomentStyle::Time } else { MomentStyle::Minute })
}

/// `Last used 13:05: a cell was run.` Others than the owner are named.
pub fn used_text(language: Language, used: &LabUse, owner: UserId, now: Timestamp) -> String {
    let at = at_text(used.since, now);
    let Some(last) = &used.last else { return td_string!(language, idle.never, at = at).to_string() };
    let what = kind_text(language, last.kind);
    match last.person.as_ref().filter(|person| person.id != owner) {
        Some(person) => td_string!(language, idle.last_by, at = at, what = what, name = person.name.as_str()).to_string(),
        None => td_string!(language, idle.last, at = at, what = what).to_string(),
    }
}

/// For lists: that it is to be stopped, or that its cards are unused.
pub fn short_text(language: Language, used: &LabUse) -> Option<String> {
    match used.stops_at.filter(|_| used.warned) {
        Some(at) => Some(td_string!(language, idle.short_stops, at = moment_text(at, MomentStyle::Minute)).to_string()),
        None => used.flagged.then(|| td_string!(language, idle.short_unused, at = moment_text(used.since, MomentStyle::Minute)).to_string()),
    }
}

/// The use of a lab, as its page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    used: LabUse,
    id: String,
    name: String,
    owner: UserId,
    may_keep: bool,
    now: Timestamp,
}

impl Shown {
    /// `None` unless it runs.
    pub fn of(view: &LabView, now: Timestamp) -> Option<Self> {
        Some(Self {
            used: view.used.clone()?,
            id: view.lab.id.to_string(),
            name: view.lab.name.clone(),
            owner: view.owner.id,
            may_keep: view.options.may_autostop,
            now,
        })
    }
}

/// The button that counts as use.
#[component]
pub fn KeepRunningButton(id: String, name: String, #[prop(into, optional)] reload: Option<Callback<()>>) -> impl IntoView {
    let language = language::current();
    let toasts = use_toasts();
    let action = ServerAction::<KeepRunning>::new();
    let label = td_string!(language, idle.keep_for, name = name.as_str()).to_string();
    let kept = td_string!(language, idle.kept, name = name.as_str()).to_string();
    Effect::new(move |_| match action.value().get() {
        Some(Ok(())) => {
            toasts.show(kept.clone());
            if let Some(reload) = reload {
                reload.run(());
            }
        }
        Some(Err(AppError(error))) => toasts.show(error_text(language, &error)),
        None => {}
    });
    view! {
        <ActionForm action attr:aria-label=label>
            <input type="hidden" name="id" value=id/>
            <Button small=true busy=action.pending()>{td_string!(language, idle.keep)}</Button>
        </ActionForm>
    }
    .into_any()
}

/// Only for a lab that is about to be stopped, or whose cards are unused.
#[component]
pub fn IdleNotice(shown: Shown, reload: Callback<()>) -> impl IntoView {
    let language = language::current();
    let Shown { used, id, name, may_keep, now, .. } = shown;
    let since = at_text(used.since, now);
    let (title, text) = match used.stops_at.filter(|_| used.warned) {
        Some(at) => (td_string!(language, idle.stops_title, since = since, at = at_text(at, now)).to_string(), td_string!(language, idle.stops_text)),
        None if used.flagged => (td_string!(language, idle.unused_title, since = since).to_string(), td_string!(language, idle.unused_text)),
        None => return None,
    };
    Some(
        view! {
            <Notice kind=NoticeKind::Warn title>
                {text}" "
                {(may_keep && used.warned).then(|| view! { <KeepRunningButton id name reload/> })}
            </Notice>
        }
        .into_any(),
    )
}

/// The last use that counted, and the time of the stop.
#[component]
pub fn UseCard(shown: Shown) -> impl IntoView {
    let language = language::current();
    let Shown { used, owner, now, .. } = shown;
    let last = used_text(language, &used, owner, now);
    let stops = match (used.stops_at, used.minutes) {
        (Some(at), _) => Some(td_string!(language, idle.stops_at, at = at_text(at, now)).to_string()),
        (None, Some(_)) => Some(td_string!(language, idle.not_told).to_owned()),
        (None, None) => None,
    };
    view! {
        <Card title=td_string!(language, idle.title)>
            <p>{last}</p>
            {stops.map(|text| view! { <p class="soft">{text}</p> })}
        </Card>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::{labs::LastUse, people::PersonRef};

    use super::*;

    fn person(number: u8) -> PersonRef {
        let id = format!("01980000-0000-7000-8000-0000000000{number:02}").parse().expect("an id");
        PersonRef { id, login: format!("p{number}"), name: format!("Person {number}") }
    }

    #[test]
    fn the_owner_reads_what_counted_last_and_when_it_stops() {
        let now = Timestamp::parse_rfc3339("2026-11-30T13:30:00+08:00").expect("a time");
        let since = now.plus_minutes(-25);
        let last = LastUse { at: since, kind: UseKind::Cell, person: Some(person(1)) };
        let mut used = LabUse { since, last: Some(last), minutes: Some(45), stops_at: Some(now.plus_minutes(20)), warned: false, flagged: false };
        let text = |used: &LabUse, owner: u8| used_text(Language::en, used, person(owner).id, now);
        assert_eq!(text(&used, 1), "Last used 13:05: a cell was run.");
        assert!(text(&used, 2).contains("Person 1"), "{}", text(&used, 2));
        assert_eq!(short_text(Language::en, &used), None);
        used.flagged = true;
        assert!(short_text(Language::en, &used).is_some_and(|text| text.contains("2026-11-30 13:05")));
        used.warned = true;
        assert!(short_text(Language::en, &used).is_some_and(|text| text.contains("2026-11-30 13:50")));
        used.last = None;
        used.since = now.plus_minutes(-24 * 60);
        assert!(text(&used, 1).contains("2026-11-29 13:30"), "{}", text(&used, 1));
    }

    #[test]
    fn every_kind_of_use_has_words() {
        for language in [Language::en, Language::zh_CN] {
            let mut texts: Vec<_> = UseKind::ALL.into_iter().map(|kind| kind_text(language, kind)).collect();
            texts.sort_unstable();
            texts.dedup();
            assert_eq!(texts.len(), UseKind::ALL.len());
        }
    }
}
