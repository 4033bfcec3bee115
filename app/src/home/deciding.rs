//! A manager's part: what waits for a decision and how long, who waits for cards; and the courses near their budget.

use domain::{
    courses::CourseRef,
    dashboard::{Dashboard, budget_percent},
    quotas::QuotaStatus,
    time::Timestamp,
};
use leptos::prelude::*;

use super::figure::Figure;
use crate::{
    caller_view::use_viewer,
    components::{Card, Meter, Section, StatusKind},
    i18n::td_string,
    language::Language,
    orders::words::duration_text,
    routes,
};

pub fn deciding(language: Language, page: &Dashboard) -> AnyView {
    let Some(part) = page.deciding.clone() else { return ().into_any() };
    let count = move |number: u32| td_string!(language, home.orders_count, count = number).to_string();
    let oldest = part.oldest.map(|at| age_text(language, at, page.now));
    view! {
        <Section title=td_string!(language, home.deciding)>
            <div class="figures">
                <Figure
                    name=td_string!(language, home.waiting_decision)
                    value=count(part.waiting)
                    nostrip:note=if part.waiting == 0 { Some(td_string!(language, home.nothing_waits).to_owned()) } else { None }
                    href=routes::APPROVALS
                    nostrip:state=(part.waiting > 0).then_some(StatusKind::Wait)
                />
                {oldest.map(|age| view! { <Figure name=td_string!(language, home.oldest) value=age href=routes::APPROVALS/> })}
                <Figure
                    name=td_string!(language, home.waiting_cards)
                    value=count(part.waiting_for_cards)
                    href=routes::with_query(routes::ORDERS, &[("state", "queued")])
                />
            </div>
        </Section>
    }
    .into_any()
}

/// `2 h 10 min so far`
fn age_text(language: Language, since: Timestamp, now: Timestamp) -> String {
    let minutes = u32::try_from(now.seconds_since(since).max(60) / 60).unwrap_or(u32::MAX);
    td_string!(language, home.waits_since, time = duration_text(language, minutes)).to_string()
}

/// Courses whose budget is nearly taken, the worst first.
pub fn near_budget(language: Language, page: &Dashboard) -> AnyView {
    const SHOWN: usize = 6;
    let near = page.near_budget();
    let bills = use_viewer().person().is_some_and(|person| person.may(domain::access::Action::BillRead));
    let items = near.into_iter().take(SHOWN).map(|(course, status)| budget(language, course, status, bills)).collect_view();
    let none = items.is_empty();
    view! {
        <Card title=td_string!(language, home.near_budget)>
            {none.then(|| view! { <p class="muted">{td_string!(language, home.none_near_budget)}</p> })}
            {items}
        </Card>
    }
    .into_any()
}

fn budget(language: Language, course: &CourseRef, status: &QuotaStatus, bills: bool) -> impl IntoView + use<> {
    let percent = budget_percent(status);
    let left = td_string!(language, home.budget_left, money = status.budget.left().to_string()).to_string();
    let href = if bills { routes::with_query(routes::BILLING, &[("course", &course.code)]) } else { routes::COURSES.to_owned() };
    let kind = if percent >= 100 { StatusKind::Bad } else { StatusKind::Warn };
    view! {
        <div>
            <Meter
                label=format!("{} {}", course.code, course.name)
                figure=left
                used=status.budget.spent.micros
                held=status.budget.held.micros
                limit=status.budget.limit.micros
                attention=kind
                note=td_string!(language, home.budget_taken, percent = percent).to_string()
            />
            <a class="fine" href=href>{course.code.clone()}</a>
        </div>
    }
}
