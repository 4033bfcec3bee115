//! An operator's part: whether the cluster answers, what of it is used, what fails and waits, and the figures that were promised (A6).

use domain::{
    dashboard::{Dashboard, Operating, START_TARGET_SECONDS, SUCCESS_TARGET_PERMILLE, Starts},
    steady_clock::ClockJump,
};
use leptos::prelude::*;

use super::figure::Figure;
use crate::{
    components::{MomentStyle, Section, StatusKind, moment_text},
    i18n::td_string,
    labs::{filters::UNUSED, words::seconds_text},
    language::Language,
    orders::words::duration_text,
    routes,
};

pub fn operating(language: Language, page: &Dashboard) -> AnyView {
    let Some(part) = page.operating.clone() else { return ().into_any() };
    let count = move |number: u32| td_string!(language, home.labs_count, count = number).to_string();
    let failed = routes::with_query(routes::LABS, &[("state", "failed")]);
    let unused = routes::with_query(routes::LABS, &[("state", UNUSED)]);
    let nodes_note = match part.nodes_out {
        0 => td_string!(language, home.all_ready).to_owned(),
        out => td_string!(language, home.nodes_out, count = out).to_string(),
    };
    let clock = part.clock_jump.map(|jump| clock(language, &jump));
    let overruns = match part.overruns.labs {
        0 => td_string!(language, home.overruns_none).to_owned(),
        _ => td_string!(language, home.overruns_note, time = seconds_text(language, part.overruns.seconds)).to_string(),
    };
    let free = part.cards.saturating_sub(part.cards_used);
    let bad = |number: u32| (number > 0).then_some(StatusKind::Bad);
    let reach = reachable(language, &part);
    let goals = (start(language, &part.starts), success(language, &part.starts));
    view! {
        <Section title=td_string!(language, home.operating)>
            <div class="figures">
                {reach}
                <Figure
                    name=td_string!(language, home.nodes)
                    value=count(part.nodes)
                    note=nodes_note
                    href=routes::CLUSTER
                    nostrip:state=(part.nodes_out > 0).then_some(StatusKind::Warn)
                />
                <Figure
                    name=td_string!(language, home.cards)
                    value=td_string!(language, home.cards_figure, used = part.cards_used, total = part.cards).to_string()
                    note=td_string!(language, home.cards_note, free = free, out = part.cards_out).to_string()
                    href=routes::CLUSTER
                />
                <Figure name=td_string!(language, home.running) value=count(part.labs_running) href=routes::LABS/>
                <Figure name=td_string!(language, home.labs_failed) value=count(part.labs_failed) href=failed nostrip:state=bad(part.labs_failed)/>
                <Figure
                    name=td_string!(language, home.labs_unused)
                    value=count(part.labs_unused)
                    href=unused
                    nostrip:state=(part.labs_unused > 0).then_some(StatusKind::Warn)
                />
                {clock}
                <Figure
                    name=td_string!(language, home.overruns)
                    value=count(part.overruns.labs)
                    note=overruns
                    nostrip:state=(part.overruns.labs > 0).then_some(StatusKind::Warn)
                />
                <Figure
                    name=td_string!(language, home.queue)
                    value=td_string!(language, home.orders_count, count = part.queue).to_string()
                    note=td_string!(language, home.work_count, count = part.work).to_string()
                />
            </div>
        </Section>
        <Section title=td_string!(language, home.goals)>
            <div class="figures">{goals}</div>
        </Section>
    }
    .into_any()
}

/// Shown only after the machine's clock has jumped.
fn clock(language: Language, jump: &ClockJump) -> impl IntoView + use<> {
    let by = seconds_text(language, jump.seconds.saturating_abs());
    let value = if jump.seconds < 0 {
        td_string!(language, home.clock_back, by = by).to_string()
    } else {
        td_string!(language, home.clock_ahead, by = by).to_string()
    };
    let at = moment_text(jump.at, MomentStyle::Minute);
    let (note, state) = if jump.believed {
        (td_string!(language, home.clock_followed, at = at).to_string(), StatusKind::Warn)
    } else {
        (td_string!(language, home.clock_held, at = at).to_string(), StatusKind::Bad)
    };
    view! { <Figure name=td_string!(language, home.clock) value=value note=note state=state/> }
}

fn reachable(language: Language, part: &Operating) -> impl IntoView + use<> {
    let (state, text) = match (part.away_since, part.last_seen_at) {
        (Some(since), _) => {
            let since = moment_text(since, MomentStyle::Minute);
            (StatusKind::Bad, td_string!(language, home.away, since = since).to_string())
        }
        (None, None) => (StatusKind::Idle, td_string!(language, home.never_seen).to_owned()),
        (None, Some(_)) => (StatusKind::Ok, td_string!(language, home.answers).to_owned()),
    };
    view! { <Figure name=td_string!(language, home.reachable) value=text href=routes::CLUSTER state=state/> }
}

/// Reached or missed, as a word beside the target, never by colour alone.
fn verdict(language: Language, target: String, met: Option<bool>) -> (String, Option<StatusKind>) {
    let target = td_string!(language, home.goal_target, target = target).to_string();
    match met {
        None => (target, None),
        Some(true) => (format!("{target} · {}", td_string!(language, home.goal_met)), Some(StatusKind::Ok)),
        Some(false) => (format!("{target} · {}", td_string!(language, home.goal_missed)), Some(StatusKind::Warn)),
    }
}

fn start(language: Language, starts: &Starts) -> impl IntoView + use<> {
    let met = starts.median_seconds.map(|seconds| seconds <= START_TARGET_SECONDS);
    let (note, state) = verdict(language, duration_text(language, u32::try_from(START_TARGET_SECONDS / 60).unwrap_or_default()), met);
    let value = starts.median_seconds.map_or_else(|| td_string!(language, home.goal_none).to_owned(), |seconds| seconds_text(language, seconds));
    view! { <Figure name=td_string!(language, home.goal_start) value=value note=note nostrip:state=state/> }
}

fn success(language: Language, starts: &Starts) -> impl IntoView + use<> {
    let rate = starts.success_permille();
    let (target, state) = verdict(language, format!("≥ {}", permille(SUCCESS_TARGET_PERMILLE)), rate.map(|rate| rate >= SUCCESS_TARGET_PERMILLE));
    let total = starts.succeeded + starts.failed;
    let note = match rate {
        None => target,
        Some(_) => format!("{target} · {}", td_string!(language, home.goal_of, total = total, failed = starts.failed)),
    };
    let value = rate.map_or_else(|| td_string!(language, home.goal_none).to_owned(), permille);
    view! { <Figure name=td_string!(language, home.goal_success) value=value note=note nostrip:state=state/> }
}

/// `99.5%`
fn permille(value: i64) -> String {
    format!("{}.{}%", value / 10, value % 10)
}

#[cfg(test)]
mod tests {
    use super::permille;

    #[test]
    fn thousandths_read_as_percent() {
        assert_eq!(permille(995), "99.5%");
        assert_eq!(permille(1_000), "100.0%");
    }
}
