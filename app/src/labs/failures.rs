//! Every failure of a lab with its evidence. The first one stays whatever comes after; the latest stands open.

use domain::labs::FailedAttempt;
use leptos::prelude::*;

use super::{
    cluster::{Conditions, Events},
    words::reason_text,
};
use crate::{
    components::{Card, Glyph, Icon, MomentStyle, moment_text},
    i18n::td_string,
    language,
};

#[component]
pub fn Failures(failures: Vec<FailedAttempt>) -> impl IntoView {
    let language = language::current();
    if failures.is_empty() {
        return ().into_any();
    }
    let count = failures.len();
    let folds =
        failures.into_iter().enumerate().map(|(at, attempt)| view! { <Attempt attempt first=at == 0 latest=at + 1 == count/> }).collect_view();
    view! {
        <Card title=td_string!(language, lifecycle.failures, count = count).to_string()>
            <div class="folds">{folds}</div>
        </Card>
    }
    .into_any()
}

#[component]
fn Attempt(attempt: FailedAttempt, first: bool, latest: bool) -> impl IntoView {
    let language = language::current();
    let FailedAttempt { attempt, failure, evidence } = attempt;
    let at = moment_text(failure.at, MomentStyle::Second);
    let title = td_string!(language, lifecycle.failure_title, attempt = attempt, at = at).to_string();
    let mark =
        if first { Some(td_string!(language, lifecycle.failure_first)) } else { latest.then(|| td_string!(language, lifecycle.failure_latest)) };
    view! {
        <details open=latest>
            <summary><Icon glyph=Glyph::Right/><span><b>{title}</b></span><span class="fine">{mark}</span></summary>
            <div class="in stack tight">
                <p>{reason_text(language, &failure.reason)}</p>
                <p class="fine mono">{failure.reason}": "{failure.message}</p>
                {evidence.map(|evidence| view! {
                    <Conditions conditions=evidence.conditions/>
                    <Events events=evidence.events/>
                })}
            </div>
        </details>
    }
    .into_any()
}
