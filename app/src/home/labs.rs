//! Labs that are up or on their way, with the time that is left; and a teacher's orders that wait.

use domain::{
    dashboard::{Dashboard, Labs},
    labs::{LabState, LabView},
    time::Timestamp,
};
use leptos::prelude::*;

use super::figure::Figure;
use crate::{
    components::{Card, EmptyState, Glyph, LinkButton, MomentStyle, Section, Status, StatusKind, moment_text},
    i18n::td_string,
    labs::{
        actions::StartButton,
        extend::{ExtendButton, Extendable},
        idle::{KeepRunningButton, short_text},
        open::open_button,
        words,
    },
    language::{self, Language},
    orders::words::duration_text,
    routes,
};

/// A teacher's own orders; nothing where none waits.
pub fn teaching(language: Language, page: &Dashboard) -> AnyView {
    let Some(part) = page.teaching.clone().filter(|part| part.waiting_for_decision + part.waiting_for_cards > 0) else {
        return ().into_any();
    };
    let count = move |number: u32| td_string!(language, home.orders_count, count = number).to_string();
    let state = |number: u32| (number > 0).then_some(StatusKind::Wait);
    let link = |state: &str| routes::with_query(routes::ORDERS, &[("state", state)]);
    view! {
        <Section title=td_string!(language, home.my_orders)>
            <div class="figures">
                <Figure
                    name=td_string!(language, home.waiting_decision)
                    value=count(part.waiting_for_decision)
                    href=link("pending_approval")
                    nostrip:state=state(part.waiting_for_decision)
                />
                <Figure
                    name=td_string!(language, home.waiting_cards)
                    value=count(part.waiting_for_cards)
                    href=link("queued")
                    nostrip:state=state(part.waiting_for_cards)
                />
            </div>
        </Section>
    }
    .into_any()
}

pub fn lab_cards(language: Language, labs: Labs, now: Timestamp, may_order: bool, reload: Callback<()>) -> AnyView {
    if labs.shown.is_empty() {
        return view! {
            <EmptyState glyph=Glyph::Lab title=td_string!(language, home.no_labs) text=td_string!(language, home.no_labs_text)>
                {may_order.then(|| view! { <LinkButton href=routes::CATALOGUE>{td_string!(language, home.order)}</LinkButton> })}
            </EmptyState>
        }
        .into_any();
    }
    let items = labs.shown.into_iter().map(|view| lab(language, view, now, reload)).collect_view();
    view! {
        <div class="stack tight">{items}</div>
        {labs.more.then(|| view! { <p><a href=routes::LABS>{td_string!(language, home.all_labs)}</a></p> })}
    }
    .into_any()
}

fn lab(language: Language, view: LabView, now: Timestamp, reload: Callback<()>) -> impl IntoView {
    let href = routes::lab(view.lab.id);
    let title = format!("{} · {}", view.lab.offering_name.get(language::tag(language)), view.course.name);
    let failed = view.lab.state == LabState::Failed;
    let running = view.lab.state == LabState::Running;
    let kind = words::view_kind(&view);
    let text = StoredValue::new(words::view_text(language, &view));
    let extend = Extendable::of(&view).filter(|_| running);
    let open = open_button(&view, true);
    let unused = view.used.as_ref().and_then(|used| short_text(language, used));
    let may_start = view.may_start && view.lab.state == LabState::Stopped;
    let keep = view.options.may_autostop && view.used.as_ref().is_some_and(|used| used.warned);
    let left = view.stops_at().filter(|_| running).map(|end| left_text(language, end, now));
    let (name, owner) = (view.lab.name, view.owner.name);
    let id = view.lab.id.to_string();
    let start = may_start.then(|| view! { <StartButton id=id.clone() name=name.clone() reload/> });
    let keep = keep.then(|| view! { <KeepRunningButton id name=name.clone() reload/> });
    view! {
        <Card title end=move || view! { <Status kind>{text.get_value()}</Status> }>
            <div class="row between">
                <span class="soft">
                    <span class="mono">{name}</span>" · "{owner}
                    {left.map(|left| format!(" · {left}"))}
                </span>
                <div class="row">
                    {open}
                    {start}
                    {extend.map(|lab| view! { <ExtendButton lab reload/> })}
                    <a class="btn small" href=href>{if failed { td_string!(language, home.see_why) } else { td_string!(language, home.details) }}</a>
                </div>
            </div>
            {unused.map(|text| view! { <div class="row"><Status kind=StatusKind::Warn>{text}</Status>{keep}</div> })}
        </Card>
    }
}

/// `1 h 20 min left, stops at 14:30`
fn left_text(language: Language, end: Timestamp, now: Timestamp) -> String {
    let minutes = u32::try_from(end.seconds_since(now).max(0) / 60).unwrap_or(u32::MAX);
    if minutes == 0 {
        return td_string!(language, home.time_over).to_owned();
    }
    let left = td_string!(language, home.time_left, time = duration_text(language, minutes)).to_string();
    let style = if end.start_of_campus_day() == now.start_of_campus_day() { MomentStyle::Time } else { MomentStyle::Minute };
    let stops = td_string!(language, home.stops_at, at = moment_text(end, style)).to_string();
    let comma = match language {
        Language::zh_CN => "，",
        Language::en => ", ",
    };
    format!("{left}{comma}{stops}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_says_when_it_ends() {
        let now = Timestamp::parse_rfc3339("2026-11-21T13:10:00+08:00").expect("a time");
        assert_eq!(left_text(Language::zh_CN, now.plus_minutes(80), now).replace('\u{a0}', " "), "还剩 1 小时 20 分，14:30 停止");
        assert!(left_text(Language::en, now.plus_minutes(24 * 60), now).ends_with("stops at 2026-11-22 13:10"));
        assert_eq!(left_text(Language::en, now, now), "time is over");
    }
}
