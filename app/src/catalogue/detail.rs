//! One offering in full: what one gets, what can be changed within which limits, and what the price is made of.

use domain::{
    access::Action,
    catalogue::{OfferingCard, Parameter, ParameterKind},
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{api::read_offering, offering::Free};
use crate::{
    billing::words::meter_text,
    caller_view::use_viewer,
    components::{ButtonKind, Card, Cell, Column, DataTable, Fact, Facts, Failed, LinkButton, PageHead, Row, Skeleton},
    i18n::td_string,
    language::{self, Language},
    offerings::words::{purpose_text, workload_text},
    orders::{
        form::unit_text,
        words::{cards_text, duration_text, machine_text, storage_text},
    },
    routes,
};

#[component]
pub fn OfferingPage() -> impl IntoView {
    let params = use_params_map();
    let viewer = use_viewer();
    let slug = move || params.with(|params| params.get_str("slug").unwrap_or_default().to_owned());
    let card = Resource::new(slug, read_offering);
    view! {
        <Transition fallback=|| view! { <Skeleton lines=8/> }>
            {move || {
                let may = |action| viewer.person().is_some_and(|person| person.may(action));
                let (may_order, may_edit) = (may(Action::OrderSubmit), may(Action::OfferingWrite));
                card.get().map(|card| match card {
                    Ok(card) => view! { <Detail card may_order may_edit/> }.into_any(),
                    Err(error) => view! { <Failed error/> }.into_any(),
                })
            }}
        </Transition>
    }
    .into_any()
}

#[component]
fn Detail(card: OfferingCard, may_order: bool, may_edit: bool) -> impl IntoView {
    let language = language::current();
    let tag = language::tag(language);
    let offering = &card.offering;
    let (slug, name) = (offering.slug.clone(), offering.name.get(tag).to_owned());
    let crumb = (routes::CATALOGUE.to_owned(), td_string!(language, catalogue.title).to_owned());
    view! {
        <PageHead title=name lead=offering.summary.get(tag).to_owned() crumb>
            {may_edit.then(|| view! { <LinkButton href=routes::offering_editor(&slug)>{td_string!(language, offerings.tab_edit)}</LinkButton> })}
            {may_order.then(|| view! {
                <LinkButton kind=ButtonKind::Primary href=routes::order_form(&slug)>{td_string!(language, catalogue.order_now)}</LinkButton>
            })}
        </PageHead>
        <div class="cols main-side">
            <div class="stack loose">
                <WhatYouGet card=card.clone()/>
                <Limits parameters=card.offering.parameters.clone()/>
            </div>
            <aside class="stack"><PriceParts card/></aside>
        </div>
    }
    .into_any()
}

#[component]
fn WhatYouGet(card: OfferingCard) -> impl IntoView {
    let language = language::current();
    let offering = card.offering;
    let spec = offering.base.clone();
    let kind = format!("{} · {}", purpose_text(language, offering.workload.purpose()), workload_text(language, offering.workload));
    let minutes = |minutes| duration_text(language, minutes);
    let (default, min, max) = (minutes(offering.duration.default), minutes(offering.duration.min), minutes(offering.duration.max));
    let ending = if offering.workload.ends() { td_string!(language, catalogue.ends) } else { td_string!(language, catalogue.stays) };
    let several = (spec.nodes > 1).then(|| td_string!(language, catalogue.nodes, count = spec.nodes).to_string());
    let stored = (spec.storage_gib > 0).then(|| storage_text(spec.storage_gib));
    let (cards, machine, image) = (cards_text(&spec), machine_text(language, &spec), spec.image.clone());
    view! {
        <Card title=td_string!(language, catalogue.what_you_get)>
            <Facts>
                <Fact name=td_string!(language, catalogue.kind)>{kind}</Fact>
                <Fact name=td_string!(language, catalogue.cards_name)>{cards}</Fact>
                {several.map(|nodes| view! { <Fact name=td_string!(language, catalogue.nodes_name)>{nodes}</Fact> })}
                <Fact name=td_string!(language, catalogue.machine)>{machine}</Fact>
                {stored.map(|size| view! { <Fact name=td_string!(language, catalogue.storage_name)>{size}</Fact> })}
                <Fact name=td_string!(language, catalogue.image)><span class="mono">{image}</span></Fact>
                <Fact name=td_string!(language, catalogue.duration)>
                    {td_string!(language, catalogue.duration_range, min = min, max = max, default = default).to_string()}
                    <br/>
                    <small>{ending}</small>
                </Fact>
                <Fact name=td_string!(language, catalogue.free_now)><Free free=card.cards_free spec/></Fact>
                <Fact name=td_string!(language, catalogue.version)>
                    {td_string!(language, offerings.version_no, version = offering.version).to_string()}
                </Fact>
            </Facts>
        </Card>
    }
    .into_any()
}

#[component]
fn Limits(parameters: Vec<Parameter>) -> impl IntoView {
    let language = language::current();
    let tag = language::tag(language);
    if parameters.is_empty() {
        return view! { <Card title=td_string!(language, catalogue.limits)><p>{td_string!(language, catalogue.limits_none)}</p></Card> }.into_any();
    }
    let columns = vec![
        Column::text(td_string!(language, catalogue.parameter)),
        Column::text(td_string!(language, catalogue.allowed)),
        Column::text(td_string!(language, catalogue.default_value)),
    ];
    let rows = parameters
        .into_iter()
        .map(|parameter| {
            let help = parameter.help.as_ref().map(|help| help.get(tag).to_owned());
            let label = parameter.label.get(tag).to_owned();
            let (allowed, default) = (allowed(language, &parameter.kind), default(language, &parameter));
            view! {
                <Row>
                    <Cell><b>{label}</b>{help.map(|help| view! { <small>{help}</small> })}</Cell>
                    <Cell label=td_string!(language, catalogue.allowed)>{allowed}</Cell>
                    <Cell label=td_string!(language, catalogue.default_value)>{default}</Cell>
                </Row>
            }
        })
        .collect_view();
    view! {
        <Card title=td_string!(language, catalogue.limits) flush=true>
            <DataTable caption=td_string!(language, catalogue.limits) columns>{rows}</DataTable>
        </Card>
    }
    .into_any()
}

/// What may be typed, as the order form says it.
fn allowed(language: Language, kind: &ParameterKind) -> String {
    match kind {
        ParameterKind::Integer { min, max, step, unit } => {
            let unit = unit_text(language, unit.clone());
            if *step > 1 {
                td_string!(language, orders.range_step, min = *min, max = *max, unit = unit.as_str(), step = *step).to_string()
            } else {
                td_string!(language, orders.range, min = *min, max = *max, unit = unit.as_str()).to_string()
            }
        }
        ParameterKind::Choice { options } => {
            let words: Vec<_> = options.iter().map(|option| option.label.get(language::tag(language))).collect();
            words.join(" / ")
        }
        ParameterKind::Text { max_length } => td_string!(language, catalogue.any_text, max = *max_length).to_string(),
        ParameterKind::GitUrl => td_string!(language, catalogue.any_git).to_owned(),
    }
}

fn default(language: Language, parameter: &Parameter) -> String {
    let Some(default) = &parameter.default else {
        return if parameter.optional { td_string!(language, common.none).to_owned() } else { td_string!(language, catalogue.required).to_owned() };
    };
    match &parameter.kind {
        ParameterKind::Integer { unit, .. } => format!("{default}\u{a0}{}", unit_text(language, unit.clone())),
        ParameterKind::Choice { options } => options
            .iter()
            .find(|option| option.value == *default)
            .map_or_else(|| default.clone(), |option| option.label.get(language::tag(language)).to_owned()),
        _ => default.clone(),
    }
}

#[component]
fn PriceParts(card: OfferingCard) -> impl IntoView {
    let language = language::current();
    let Some(per_hour) = card.per_hour else {
        return view! { <Card title=td_string!(language, catalogue.price_parts)><p>{td_string!(language, catalogue.price_missing)}</p></Card> }
            .into_any();
    };
    let parts =
        card.parts.into_iter().map(|part| view! { <dt>{meter_text(language, part.meter)}</dt><dd>{part.per_hour.to_string()}</dd> }).collect_view();
    view! {
        <div class="summary">
            <div><h2>{td_string!(language, catalogue.price_parts)}</h2></div>
            <div>
                <dl class="prices">
                    {parts}
                    <dt>{td_string!(language, catalogue.total)}</dt>
                    <dd class="total">{per_hour.to_string()}</dd>
                </dl>
            </div>
        </div>
    }
    .into_any()
}
