//! The steps of a lab's start: which one lasts, how long each took, and how long it usually takes.

use domain::{
    labs::start::{StartStep, StepTime},
    time::Timestamp,
};
use leptos::prelude::*;

use crate::{
    components::{Card, Status, StatusKind},
    i18n::td_string,
    language::{self, Language},
};

/// Nothing for a lab that is down.
#[component]
pub fn StartSteps(steps: Vec<StepTime>, now: Timestamp) -> impl IntoView {
    let language = language::current();
    if steps.is_empty() {
        return ().into_any();
    }
    let rows = steps
        .into_iter()
        .map(|step| {
            let (kind, about) = (step_kind(&step, now), about(language, &step, now));
            view! {
                <li class="row between" aria-current=step.is_current().then_some("step")>
                    <Status kind>{step_text(language, step.step)}</Status>
                    <span class="soft">{about}</span>
                </li>
            }
        })
        .collect_view();
    view! { <Card title=td_string!(language, labs.start_steps)><ol class="plain-list stack tight">{rows}</ol></Card> }.into_any()
}

fn step_kind(step: &StepTime, now: Timestamp) -> StatusKind {
    match (step.from, step.until) {
        (Some(_), Some(_)) => StatusKind::Ok,
        (Some(_), None) if step.is_late(now) => StatusKind::Warn,
        (Some(_), None) if step.step.waits_for_people() => StatusKind::Wait,
        (Some(_), None) => StatusKind::Busy,
        (None, _) => StatusKind::Idle,
    }
}

pub fn step_text(language: Language, step: StartStep) -> &'static str {
    match step {
        StartStep::Approval => td_string!(language, labs.step_approval),
        StartStep::Queue => td_string!(language, labs.step_queue),
        StartStep::Volumes => td_string!(language, labs.step_volumes),
        StartStep::Schedule => td_string!(language, labs.step_schedule),
        StartStep::Pull => td_string!(language, labs.step_pull),
        StartStep::Container => td_string!(language, labs.step_container),
        StartStep::Ready => td_string!(language, labs.step_ready),
    }
}

/// `42 s · usually 30 s · longer than usual`
fn about(language: Language, step: &StepTime, now: Timestamp) -> String {
    let took = step.seconds(now).map_or_else(|| td_string!(language, labs.step_next).to_owned(), |seconds| seconds_text(language, seconds));
    let usual = step.usual_seconds.map(|usual| {
        let time = seconds_text(language, usual.into());
        td_string!(language, labs.step_usual, time = time).to_string()
    });
    let late = step.is_late(now).then(|| td_string!(language, labs.step_late).to_owned());
    [Some(took), usual, late].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

pub fn seconds_text(language: Language, seconds: i64) -> String {
    let (minutes, rest) = (seconds / 60, seconds % 60);
    if minutes == 0 {
        return td_string!(language, labs.only_seconds, seconds = rest).to_string();
    }
    td_string!(language, labs.minutes_seconds, minutes = minutes, seconds = rest).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_says_how_long_it_takes_and_usually_took() {
        let from = Timestamp::from_seconds(1_700_000_000);
        let step = StepTime { step: StartStep::Pull, from: Some(from), until: None, usual_seconds: Some(30) };
        assert_eq!(about(Language::en, &step, from.plus_seconds(42)), "42 s · usually 30 s");
        assert_eq!(about(Language::zh_CN, &step, from.plus_seconds(100)), "1 分 40 秒 · 通常 30 秒 · 比平时久");
        assert_eq!(step_kind(&step, from.plus_seconds(100)), StatusKind::Warn);
        let later = StepTime { from: None, ..step };
        assert_eq!(about(Language::en, &later, from), "not begun · usually 30 s");
    }
}
