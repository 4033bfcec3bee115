//! Beside the form: price, what is left afterwards, who decides, whether cards are free.

use domain::{
    Error,
    approvals::Outcome,
    orders::{Preview, class::LEAD},
    pricing::Estimate,
    quotas::Item,
    time::Timestamp,
};
use leptos::prelude::*;

use super::{FORM_ID, state::FormState};
use crate::{
    billing::words::{meter_text, unit_price_text},
    components::{ErrorNotice, Meter, MomentStyle, StatusKind, moment_text},
    error::AppError,
    i18n::td_string,
    language::{self, Language},
    nodes::words::outlook_text,
    orders::words::{duration_text, rule_text, ruling_text},
    quotas::meters::{item_amount, item_name},
    routes,
};

/// The column beside the form on a desk, and on a phone the bar above the tabs.
#[component]
pub fn Summary(state: FormState, pending: Memo<bool>) -> impl IntoView {
    let language = language::current();
    view! {
        <aside class="sticky" id="summary">
            <div class="summary">
                <div><h2>{td_string!(language, orders.summary)}</h2></div>
                <div class="stack" aria-live="polite">{move || state.preview.with(price)}{move || live_refusal(state)}</div>
                <div class="no-script">
                    <button class="btn wide" form=FORM_ID formmethod="get" formaction=routes::order_form(&state.context().offering.slug)>
                        {td_string!(language, orders.compute)}
                    </button>
                </div>
                <div class="submit stack tight"><Submit pending wide=true/><p class="fine">{move || hint(state)}</p></div>
                {move || state.preview.with(|preview| preview.as_ref().ok().map(|preview| view! { <After preview=preview.clone() state/> }))}
            </div>
        </aside>
        <div class="orderbar">
            <div>
                <b>{move || state.preview.with(|preview| preview.as_ref().ok().map(|preview| preview.total.to_string()))}</b>
                <span class="fine">
                    {move || state.preview.with(|preview| preview.as_ref().ok().map(|preview| {
                        format!("{} · ", ruling_text(language, &preview.ruling))
                    }))}
                    <a href="#summary" rel="external">{td_string!(language, orders.details)}</a>
                </span>
            </div>
            <Submit pending wide=false/>
        </div>
    }
    .into_any()
}

#[component]
fn Submit(pending: Memo<bool>, wide: bool) -> impl IntoView {
    let language = language::current();
    view! {
        <button
            class=if wide { "btn wide" } else { "btn" }
            data-kind="primary"
            form=FORM_ID
            aria-busy=move || pending.get().then_some("true")
            disabled=move || pending.get()
        >
            {move || if pending.get() { td_string!(language, orders.submitting) } else { td_string!(language, orders.submit) }}
        </button>
    }
    .into_any()
}

/// Price per hour and in all, with the parts that it is made of.
fn price(preview: &Result<Preview, Error>) -> AnyView {
    let language = language::current();
    match preview {
        Ok(preview) => {
            view! { <Prices estimate=preview.estimate.clone() lesson=!preview.plan.bells.is_empty()/><Set preview=preview.clone()/> }.into_any()
        }
        Err(Error::Invalid(_)) => view! { <p class="soft">{td_string!(language, orders.summary_wait)}</p> }.into_any(),
        Err(error) => view! { <ErrorNotice error=AppError(error.clone())/> }.into_any(),
    }
}

/// Seats and lessons with their price, where there are several.
#[component]
fn Set(preview: Preview) -> impl IntoView {
    let language = language::current();
    let (seats, lessons) = (preview.plan.seats, preview.plan.lessons());
    let each = preview.estimate.total.to_string();
    let first = preview.plan.bells.first().map(|bell| {
        let at = moment_text(*bell, MomentStyle::Minute);
        view! { <p class="fine">{td_string!(language, class.first_lesson, at = at).to_string()}</p> }
    });
    let parts = match (seats, lessons) {
        (1, 1) => return first.into_any(),
        (_, 1) => td_string!(language, class.of_seats, seats = seats, each = each).to_string(),
        (1, _) => td_string!(language, class.of_lessons, lessons = lessons, each = each).to_string(),
        _ => td_string!(language, class.of_set, seats = seats, lessons = lessons, each = each).to_string(),
    };
    view! {
        <dl class="prices">
            <dt>{td_string!(language, class.in_all)}<br/><span class="fine">{parts}</span></dt>
            <dd class="total">{preview.total.to_string()}</dd>
        </dl>
        {first}
    }
    .into_any()
}

/// Also stands on the page of an order and of an approval. `lesson`: its minutes begin before the bell.
#[component]
pub fn Prices(estimate: Estimate, #[prop(optional)] lesson: bool) -> impl IntoView {
    let language = language::current();
    let lines = estimate
        .lines
        .iter()
        .map(|line| {
            let what = td_string!(language, orders.by_meter, meter = meter_text(language, line.meter), quantity = line.quantity);
            view! {
                <dt class="fine" title=unit_price_text(language, line.meter, line.unit_price)>
                    {what}
                    {(!line.discount.is_none()).then(|| td_string!(language, prices.less_percent, percent = line.discount).to_string())}
                </dt>
                <dd class="fine">{line.per_hour.to_string()}</dd>
            }
        })
        .collect_view();
    let duration = duration_text(language, estimate.minutes);
    let lead = lesson.then(|| view! { <br/><span class="fine">{td_string!(language, class.with_lead, lead = LEAD).to_string()}</span> });
    view! {
        <dl class="prices">
            {lines}
            <dt>{td_string!(language, orders.per_hour)}</dt>
            <dd>{estimate.per_hour.to_string()}</dd>
            <dt>{td_string!(language, orders.for_duration, duration = duration).to_string()}{lead}</dt>
            <dd class="total">{estimate.total.to_string()}</dd>
        </dl>
    }
    .into_any()
}

/// Over quota or budget as far as the browser knows; the server's own word stands above the form.
fn live_refusal(state: FormState) -> Option<AnyView> {
    if state.refusal().is_some() {
        return None;
    }
    let refusal = state.preview.with(|preview| preview.as_ref().ok()?.refusal.clone())?;
    let language = language::current();
    Some(
        view! {
            <ErrorNotice error=AppError(refusal)/>
            <p class="fine">{td_string!(language, orders.over_hint)}</p>
        }
        .into_any(),
    )
}

/// Below the button: what is left to mend, else what happens next.
fn hint(state: FormState) -> AnyView {
    let language = language::current();
    let problems = state.problems();
    if problems.is_empty() {
        let next = state.preview.with(|preview| preview.as_ref().ok().map(|preview| ruling_text(language, &preview.ruling)));
        return next.into_any();
    }
    let links = problems
        .iter()
        .map(|problem| {
            let message = state.message(language, problem);
            view! { " "<a href=format!("#{}", message.field) rel="external">{message.label}</a> }
        })
        .collect_view();
    view! { {td_string!(language, orders.summary_fix, count = problems.len()).to_string()}{links} }.into_any()
}

#[component]
fn After(preview: Preview, state: FormState) -> impl IntoView {
    let language = language::current();
    let course = state.context().courses.iter().find(|(_, quota)| quota.course == preview.quota.course).map(|(course, _)| course.code.clone());
    let quota = &preview.quota;
    let meters = Item::ALL
        .into_iter()
        .filter(|item| worth_showing(&preview, *item))
        .map(|item| view! { <ItemAfter item preview=preview.clone()/> })
        .collect_view();
    let budget_after = quota.budget.left().minus(preview.total);
    let over = budget_after.is_negative();
    let figure = if over {
        let missing = domain::money::Money::zero(budget_after.currency).minus(budget_after).to_string();
        td_string!(language, orders.over_by, over = missing).to_string()
    } else {
        td_string!(language, orders.budget_left, left = budget_after.to_string()).to_string()
    };
    let about = match &preview.ruling.outcome {
        Outcome::Automatic if !preview.plan.bells.is_empty() => td_string!(language, class.automatic_about, lead = LEAD).to_string(),
        Outcome::Automatic => td_string!(language, orders.automatic_about).to_owned(),
        Outcome::Refuse(_) => td_string!(language, orders.refused_about).to_owned(),
        Outcome::Stages(roles) if roles.len() > 1 => td_string!(language, orders.stages_about).to_owned(),
        Outcome::Stages(_) => td_string!(language, orders.approval_about).to_owned(),
    };
    let (ruling, rule) = (ruling_text(language, &preview.ruling), rule_text(language, &preview.ruling));
    let cards = cards_now(&preview);
    let day = preview.quota_at.map(|at| quota_day_text(language, at));
    view! {
        <div class="stack">
            <h3>{td_string!(language, orders.after)}</h3>
            {day.map(|day| view! { <p class="fine">{day}</p> })}
            {meters}
            <Meter
                label=td_string!(language, orders.budget_of, code = course.unwrap_or_default()).to_string()
                figure
                used=quota.budget.spent.plus(quota.budget.held).micros
                held=preview.total.micros
                limit=quota.budget.limit.micros
                note=td_string!(language, orders.this_order, amount = preview.total.to_string()).to_string()
                end_note=td_string!(language, components.of_limit, limit = quota.budget.limit.to_string()).to_string()
                nostrip:attention=over.then_some(StatusKind::Bad)
            />
        </div>
        <div class="stack tight"><h3>{td_string!(language, orders.who_approves)}</h3><p><b>{ruling}</b></p><p class="fine">{rule}</p><p class="fine">{about}</p></div>
        <div class="stack tight"><h3>{td_string!(language, orders.cards_now)}</h3><p class="soft">{cards}</p></div>
    }
    .into_any()
}

/// The quota beside an order for a lesson is that of the lesson's day, not of now.
pub fn quota_day_text(language: Language, at: Timestamp) -> String {
    td_string!(language, class.quota_on, day = moment_text(at, MomentStyle::Date)).to_string()
}

/// Cards always; the rest once more than half would be taken.
fn worth_showing(preview: &Preview, item: Item) -> bool {
    let (asked, limit) = (preview.asked.get(item), preview.quota.limits.get(item));
    let after = preview.quota.in_use().get(item).saturating_add(asked);
    item == Item::Cards || (asked > 0 && after.saturating_mul(2) > limit)
}

#[component]
fn ItemAfter(item: Item, preview: Preview) -> impl IntoView {
    let language = language::current();
    let (in_use, asked) = (preview.quota.in_use().get(item), preview.asked.get(item));
    let limit = preview.quota.limits.get(item);
    let left = limit.saturating_sub(in_use).saturating_sub(asked);
    let figure = if left < 0 {
        td_string!(language, orders.over_by, over = item_amount(language, item, -left)).to_string()
    } else {
        td_string!(language, orders.after_left, left = item_amount(language, item, left)).to_string()
    };
    view! {
        <Meter
            label=item_name(language, item)
            figure
            used=in_use
            held=asked
            limit
            nostrip:attention=(left < 0).then_some(StatusKind::Bad)
            note=td_string!(language, orders.this_order, amount = item_amount(language, item, asked)).to_string()
            end_note=td_string!(language, components.of_limit, limit = item_amount(language, item, limit)).to_string()
        />
    }
    .into_any()
}

/// Whether it starts at once or waits for cards, by the queue as it was when the page was made.
fn cards_now(preview: &Preview) -> String {
    let language = language::current();
    match (preview.cards_free, preview.outlook) {
        (Some(free), Some(outlook)) => outlook_text(language, &preview.spec, free, outlook, !preview.plan.bells.is_empty()),
        _ => td_string!(language, orders.cards_unknown).to_owned(),
    }
}
