//! The meters of a course: used, held, left.

use domain::{
    courses::CourseRef,
    gpu::CardShare,
    quotas::{Item, QuotaStatus},
};
use leptos::prelude::*;

use crate::{
    components::{Card, EmptyState, ErrorNotice, Glyph, Meter, Skeleton, StatusKind, quantity_text},
    i18n::td_string,
    language::{self, Language},
    orders::words::share_text,
    quotas::api::list_quotas,
};

pub fn item_name(language: Language, item: Item) -> &'static str {
    match item {
        Item::Cards => td_string!(language, quotas.cards),
        Item::CpuCores => td_string!(language, quotas.cpu_cores),
        Item::MemoryGib => td_string!(language, quotas.memory_gib),
        Item::StorageGib => td_string!(language, quotas.storage_gib),
        Item::RunningLabs => td_string!(language, quotas.running_labs),
    }
}

/// `2 cards`, `16 GiB`
pub fn item_amount(language: Language, item: Item, amount: i64) -> String {
    let unit = match item {
        Item::Cards => return share_text(language, CardShare::from_parts(amount)),
        Item::CpuCores if amount == 1 => td_string!(language, quotas.unit_core),
        Item::CpuCores => td_string!(language, quotas.unit_cores),
        Item::MemoryGib | Item::StorageGib => td_string!(language, quotas.unit_gib),
        Item::RunningLabs if amount == 1 => td_string!(language, quotas.unit_lab),
        Item::RunningLabs => td_string!(language, quotas.unit_labs),
    };
    quantity_text(item.show(amount), unit)
}

/// What each of the reader's courses has left.
#[component]
pub fn CourseQuotas() -> impl IntoView {
    let language = language::current();
    let quotas = Resource::new(|| (), |()| list_quotas());
    view! {
        <Transition fallback=|| view! { <Skeleton/> }>
            {move || quotas.get().map(|quotas| match quotas {
                Ok(quotas) if quotas.is_empty() => view! {
                    <EmptyState
                        glyph=Glyph::Book
                        title=td_string!(language, quotas.none_title)
                        text=td_string!(language, quotas.none_text)
                    />
                }
                .into_any(),
                Ok(quotas) => quotas
                    .into_iter()
                    .map(|(course, status)| view! { <CourseQuota course status/> })
                    .collect_view()
                    .into_any(),
                Err(error) => view! { <ErrorNotice error/> }.into_any(),
            })}
        </Transition>
    }
    .into_any()
}

/// One course: budget first, then cards, then the rest as far as anything of it is taken.
#[component]
pub fn CourseQuota(course: CourseRef, status: QuotaStatus) -> impl IntoView {
    let language = language::current();
    let budget = status.budget.clone();
    let overspent = budget.left().is_negative();
    let (left, limit) = (budget.left().to_string(), budget.limit.to_string());
    let (spent, held) = (budget.spent.to_string(), budget.held.to_string());
    let started = status.started_today.to_string();
    let per_day = status.starts_per_day.to_string();
    let items = Item::ALL
        .into_iter()
        .filter(|item| matches!(item, Item::Cards | Item::RunningLabs) || status.in_use().get(*item) > 0)
        .map(|item| view! { <ItemMeter item status=status.clone()/> })
        .collect_view();
    view! {
        <Card title=course.code end=move || view! { <span class="soft">{course.name.clone()}</span> }>
            <Meter
                label=td_string!(language, quotas.budget)
                figure=td_string!(language, quotas.money_left, left = left).to_string()
                used=budget.spent.micros
                held=budget.held.micros
                limit=budget.limit.micros
                nostrip:attention=overspent.then_some(StatusKind::Bad)
                note=td_string!(language, quotas.spent_and_held, spent = spent, held = held).to_string()
                end_note=td_string!(language, quotas.of_budget, limit = limit).to_string()
            />
            {items}
            <Meter
                label=td_string!(language, quotas.started_today)
                figure=td_string!(language, quotas.today_of, used = started, limit = per_day).to_string()
                used=status.started_today.parts()
                limit=status.starts_per_day.parts()
                note=td_string!(language, quotas.more_asks)
            />
        </Card>
    }
    .into_any()
}

#[component]
fn ItemMeter(item: Item, status: QuotaStatus) -> impl IntoView {
    let language = language::current();
    let (used, held, limit) = (status.used.get(item), status.held.get(item), status.limits.get(item));
    let left = limit.saturating_sub(used).saturating_sub(held);
    let figure = if left < 0 {
        td_string!(language, quotas.over, over = item_amount(language, item, -left)).to_string()
    } else {
        td_string!(language, quotas.left, left = item_amount(language, item, left)).to_string()
    };
    let note =
        (held > 0).then(|| td_string!(language, quotas.used_and_held, used = item.show(used), held = item_amount(language, item, held)).to_string());
    view! {
        <Meter
            label=item_name(language, item)
            figure
            used
            held
            limit
            nostrip:attention=(left < 0).then_some(StatusKind::Bad)
            nostrip:note=note
            end_note=td_string!(language, components.of_limit, limit = item_amount(language, item, limit)).to_string()
        />
    }
    .into_any()
}
