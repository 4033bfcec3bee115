//! How long the lab still has: counted down in the browser from the server's clock.

use domain::{
    labs::{Lab, LabState},
    time::Timestamp,
};
use leptos::prelude::*;

use super::words::seconds_text;
use crate::{
    components::{Card, Meter, MomentStyle, moment_text},
    i18n::td_string,
    language::{self, Language},
    orders::words::duration_text,
};

/// The rest of the ordered time of a lab that is down: the time goes on.
fn down_text(language: Language, lab: &Lab, now: Timestamp) -> Option<String> {
    let ends_at = lab.ends_at.filter(|_| matches!(lab.state, LabState::Stopped | LabState::Failed))?;
    let at = moment_text(ends_at, MomentStyle::Minute);
    Some(match lab.minutes_left(now) {
        0 => td_string!(language, labs.time_over_down, at = at).to_string(),
        left => td_string!(language, labs.time_left_down, left = duration_text(language, left), at = at).to_string(),
    })
}

/// Only while it has an end: a countdown while it runs, a sentence while it is down. `stops_at`: when it stops by itself next.
#[component]
pub fn TimeLeft(lab: Lab, stops_at: Option<Timestamp>, now: Timestamp) -> impl IntoView {
    if let Some(text) = down_text(language::current(), &lab, now) {
        return Some(view! { <Card title=td_string!(language::current(), labs.time_left)><p>{text}</p></Card> }.into_any());
    }
    let stops_at = stops_at.filter(|_| lab.state == LabState::Running)?;
    let language = language::current();
    let now = ticking(now);
    let total = i64::from(lab.minutes) * 60;
    // Another stop may come before the end of the ordered time, which the bar is about.
    let ends_at = lab.ends_at.unwrap_or(stops_at);
    let begins_at = ends_at.plus_seconds(-total);
    let left = Memo::new(move |_| stops_at.seconds_since(now.get()).max(0));
    // The bar need not move every second.
    let minute = Memo::new(move |_| now.get().seconds_since(begins_at).clamp(0, total) / 60 * 60);
    let (since, until) = (moment_text(begins_at, MomentStyle::Time), moment_text(ends_at, MomentStyle::Minute));
    Some(
        view! {
            <Card
                title=td_string!(language, labs.time_left)
                end=move || {
                    let at = moment_text(now.get(), MomentStyle::Time);
                    view! { <span class="soft">{td_string!(language, labs.now, at = at).to_string()}</span> }
                }
            >
                <p>
                    <span class="big" role="timer">
                        {move || match left.get() {
                            0 => td_string!(language, labs.time_over).to_owned(),
                            left => seconds_text(language, left),
                        }}
                    </span>
                </p>
                {move || {
                    let used = minute.get();
                    let label = td_string!(
                        language,
                        labs.time_meter,
                        used = duration_text(language, u32::try_from(used / 60).unwrap_or_default()),
                        total = duration_text(language, lab.minutes)
                    );
                    view! {
                        <Meter
                            label
                            figure=""
                            used
                            limit=total
                            note=td_string!(language, labs.since, at = since.as_str()).to_string()
                            end_note=td_string!(language, labs.until, at = until.as_str()).to_string()
                        />
                    }
                }}
                <p class="fine">
                    {td_string!(language, labs.ordered_time, duration = duration_text(language, lab.minutes)).to_string()}
                </p>
            </Card>
        }
        .into_any(),
    )
}

/// The server's clock, carried on by the browser's. On the server it stands still.
fn ticking(start: Timestamp) -> ReadSignal<Timestamp> {
    let (now, set_now) = signal(start);
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let began = js_sys::Date::now();
        let tick = move || {
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds since the page was opened")]
            let elapsed = (js_sys::Date::now() - began) as i64;
            set_now.set(Timestamp::from_micros(start.micros() + elapsed * 1_000));
        };
        if let Ok(interval) = set_interval_with_handle(tick, std::time::Duration::from_secs(1)) {
            on_cleanup(move || interval.clear());
        }
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = set_now;
    now
}
