//! What the draft would have done to the orders of the last 90 days.

use domain::policies::{DryRun, Tally};
use leptos::prelude::*;

use super::{rules::OutcomeMark, words::outcome_text};
use crate::{
    components::{Card, Cell, Column, DataTable, Meter, Notice, NoticeKind, Row, Status},
    i18n::td_string,
    language,
    orders::words::{state_kind, state_text},
    routes,
};

#[component]
pub fn DryRunPanel(run: DryRun, draft: bool) -> impl IntoView {
    let language = language::current();
    if run.orders == 0 {
        return view! { <Card title=td_string!(language, policies.dry_run)><p class="soft">{td_string!(language, policies.dry_run_none)}</p></Card> }
            .into_any();
    }
    let line = |name: &'static str, of: fn(&Tally) -> u32| {
        let (now, then) = (of(&run.now), of(&run.then));
        let count = |count: u32| td_string!(language, policies.orders_count, count = count).to_string();
        let value = if draft && now != then {
            view! { <dd class="diff"><del>{now}</del>" → "<ins>{count(then)}</ins></dd> }.into_any()
        } else {
            view! { <dd>{count(now)}</dd> }.into_any()
        };
        view! { <dt>{name}</dt>{value} }
    };
    let lines = view! {
        {line(td_string!(language, policies.automatic), |tally| tally.automatic)}
        {line(td_string!(language, policies.asked), |tally| tally.asked)}
        {line(td_string!(language, policies.refused), |tally| tally.refused)}
    };
    let share = |tally: &Tally| format!("{}\u{a0}%", u64::from(tally.automatic) * 100 / u64::from(run.orders.max(1)));
    let meter = |label: &'static str, tally: &Tally| {
        view! { <Meter label figure=share(tally) used=i64::from(tally.automatic) limit=i64::from(run.orders)/> }
    };
    let after = draft.then(|| meter(td_string!(language, policies.after), &run.then));
    let before = meter(td_string!(language, policies.before), &run.now);
    let alarm = (run.rejected_then_automatic > 0).then(|| {
        let title = td_string!(language, policies.alarm, count = run.rejected_then_automatic).to_string();
        view! { <Notice kind=NoticeKind::Warn title/> }
    });
    let different = draft.then(|| {
        let count = td_string!(language, policies.orders_count, count = run.different).to_string();
        view! { <dt>{td_string!(language, policies.different)}</dt><dd class="total">{count}</dd> }
    });
    view! {
        <Card title=td_string!(language, policies.dry_run)>
            <div class="stack">
                <dl class="prices">{lines}{different}</dl>
                {before}
                {after}
                {alarm}
                <p class="fine">{td_string!(language, policies.dry_run_about, orders = run.orders).to_string()}</p>
            </div>
        </Card>
    }
    .into_any()
}

/// The orders that would go another way. Nothing when there are none.
#[component]
pub fn Differences(run: DryRun) -> impl IntoView {
    let language = language::current();
    if run.differences.is_empty() {
        return None;
    }
    let columns = vec![
        Column::text(td_string!(language, policies.order)),
        Column::number(td_string!(language, policies.cost)),
        Column::text(td_string!(language, policies.became)),
        Column::text(td_string!(language, policies.now)),
        Column::text(td_string!(language, policies.draft)),
    ];
    let shown = run.differences.len();
    let capped =
        (run.different as usize > shown).then(|| td_string!(language, policies.differences_capped, count = shown, all = run.different).to_string());
    let rows = run
        .differences
        .into_iter()
        .map(|each| {
            let name = each.offering.get(language::tag(language)).to_owned();
            view! {
                <Row>
                    <Cell>
                        <a href=routes::order(each.order)><b>{format!("#{}", each.number)}</b>" "{name}</a>
                        <small>{format!("{} · {}", each.owner, each.course)}</small>
                    </Cell>
                    <Cell label=td_string!(language, policies.cost) numeric=true>{each.cost.to_string()}</Cell>
                    <Cell label=td_string!(language, policies.became)>
                        <Status kind=state_kind(each.state)>{state_text(language, each.state)}</Status>
                    </Cell>
                    <Cell label=td_string!(language, policies.now)>{outcome_text(language, &each.now)}</Cell>
                    <Cell label=td_string!(language, policies.draft)><OutcomeMark outcome=each.then/></Cell>
                </Row>
            }
        })
        .collect_view();
    Some(
        view! {
            <Card title=td_string!(language, policies.differences) flush=true>
                <DataTable caption=td_string!(language, policies.differences) columns>{rows}</DataTable>
                {capped.map(|text| view! { <p class="fine pad">{text}</p> })}
            </Card>
        }
        .into_any(),
    )
}
