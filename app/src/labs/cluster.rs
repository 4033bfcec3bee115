//! What the cluster says of a lab: conditions, events, and for the curious the objects that were made.

use domain::labs::{ClusterEvent, Condition, ConditionStatus, ObjectRef};
use leptos::prelude::*;

use super::{api::read_manifests, words::reason_text};
use crate::{
    components::{Card, Cell, CellPlace, Column, DataTable, ErrorNotice, Glyph, Icon, Moment, MomentStyle, Row, Status, StatusKind},
    i18n::td_string,
    language::{self, Language},
};

#[component]
pub fn Conditions(conditions: Vec<Condition>) -> impl IntoView {
    let language = language::current();
    if conditions.is_empty() {
        return view! {
            <Card title=td_string!(language, labs.conditions)><p class="soft">{td_string!(language, labs.conditions_none)}</p></Card>
        }
        .into_any();
    }
    let columns = vec![
        Column::text(td_string!(language, labs.condition)),
        Column::text(td_string!(language, labs.condition_now)),
        Column::text(td_string!(language, labs.condition_why)),
        Column::text(td_string!(language, labs.condition_since)),
    ];
    let rows = conditions.into_iter().map(|condition| view! { <ConditionRow condition/> }).collect_view();
    view! {
        <Card title=td_string!(language, labs.conditions) flush=true>
            <DataTable caption=td_string!(language, labs.conditions) columns>{rows}</DataTable>
        </Card>
    }
    .into_any()
}

#[component]
fn ConditionRow(condition: Condition) -> impl IntoView {
    let language = language::current();
    let (kind, text) = match condition.status {
        ConditionStatus::True => (StatusKind::Ok, td_string!(language, labs.condition_true)),
        ConditionStatus::False => (StatusKind::Idle, td_string!(language, labs.condition_false)),
        ConditionStatus::Unknown => (StatusKind::Wait, td_string!(language, labs.condition_unknown)),
    };
    // Reasons of Kubernetes are shown as they are; reasons of the portal's own are worded in the reader's language.
    let reason = if condition.kind == "Accepted" { reason_text(language, &condition.reason) } else { condition.reason };
    let why = [reason, condition.message].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    view! {
        <Row>
            <Cell>{condition_text(language, &condition.kind)}<small class="mono">{condition.kind}</small></Cell>
            <Cell label=td_string!(language, labs.condition_now) place=CellPlace::Corner><Status kind>{text}</Status></Cell>
            <Cell label=td_string!(language, labs.condition_why) place=if why.is_empty() { CellPlace::DeskOnly } else { CellPlace::Line }>{why}</Cell>
            <Cell label=td_string!(language, labs.condition_since)>
                {condition.since.map(|at| view! { <Moment at style=MomentStyle::Second/> })}
            </Cell>
        </Row>
    }
    .into_any()
}

/// What a condition asks, for those that every lab has.
fn condition_text(language: Language, kind: &str) -> Option<&'static str> {
    Some(match kind {
        "Scheduled" => td_string!(language, labs.condition_scheduled),
        "Initialized" => td_string!(language, labs.condition_initialized),
        "Ready" => td_string!(language, labs.condition_ready),
        "VolumeBound" => td_string!(language, labs.condition_volume),
        "Accepted" => td_string!(language, labs.condition_accepted),
        "PodsCreated" => td_string!(language, labs.condition_pods),
        "Complete" => td_string!(language, labs.condition_complete),
        "Failed" => td_string!(language, labs.condition_failed),
        _ => return None,
    })
}

#[component]
pub fn Events(events: Vec<ClusterEvent>) -> impl IntoView {
    let language = language::current();
    if events.is_empty() {
        return ().into_any();
    }
    let columns = vec![
        Column::text(td_string!(language, labs.event_what)),
        Column::text(td_string!(language, labs.event_time)),
        Column::text(td_string!(language, labs.event_object)),
    ];
    let rows = events.into_iter().map(|event| view! { <EventRow event/> }).collect_view();
    view! {
        <Card title=td_string!(language, labs.events) flush=true>
            <DataTable caption=td_string!(language, labs.events) columns dense=true>{rows}</DataTable>
        </Card>
    }
    .into_any()
}

#[component]
fn EventRow(event: ClusterEvent) -> impl IntoView {
    let language = language::current();
    let times = (event.count > 1).then(|| td_string!(language, labs.event_count, count = event.count).to_string());
    let attention = event.warning.then_some(StatusKind::Warn);
    view! {
        <Row nostrip:attention=attention>
            <Cell>
                {if event.warning {
                    view! { <Status kind=StatusKind::Warn>{event.reason}</Status> }.into_any()
                } else {
                    view! { <b>{event.reason}</b> }.into_any()
                }}
                " "
                <span class="fine">{times}</span>
                <small>{event.message}</small>
            </Cell>
            <Cell label=td_string!(language, labs.event_time)><Moment at=event.at style=MomentStyle::Second/></Cell>
            <Cell label=td_string!(language, labs.event_object)><span class="mono">{event.object}</span></Cell>
        </Row>
    }
    .into_any()
}

/// What was made, closed until asked for, and the YAML behind it.
#[component]
pub fn Objects(id: String, objects: Signal<Option<Vec<ObjectRef>>>) -> impl IntoView {
    let language = language::current();
    let count = move || objects.with(|objects| objects.as_ref().map_or(0, Vec::len));
    view! {
        <Card
            title=td_string!(language, labs.objects)
            end=move || view! { <span class="soft">{td_string!(language, labs.objects_count, count = count()).to_string()}</span> }
        >
            <div class="folds">
                <details>
                    <summary>
                        <Icon glyph=Glyph::Right/><span>{td_string!(language, labs.objects_show)}</span>
                        <span class="fine">{td_string!(language, labs.objects_about)}</span>
                    </summary>
                    <div class="in">{move || objects.get().map(|objects| view! { <ObjectList objects/> })}</div>
                </details>
                <Manifests id/>
            </div>
        </Card>
    }
    .into_any()
}

#[component]
fn ObjectList(objects: Vec<ObjectRef>) -> impl IntoView {
    let items = objects
        .into_iter()
        .map(|object| {
            view! {
                <li class="row">
                    <b>{object.kind}</b><span class="mono">{object.name}</span><span class="fine mono">{object.api_version}</span>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="plain-list">{items}</ul> }.into_any()
}

/// The YAML, asked for when the fold is opened.
#[component]
fn Manifests(id: String) -> impl IntoView {
    let language = language::current();
    let read = Action::new(move |(): &()| read_manifests(id.clone()));
    let ask = move |_| {
        if read.value().with_untracked(Option::is_none) && !read.pending().get_untracked() {
            read.dispatch(());
        }
    };
    view! {
        <details class="script-only" on:toggle=ask>
            <summary><Icon glyph=Glyph::Right/><span>{td_string!(language, labs.yaml_show)}</span></summary>
            <div class="in">
                {move || match read.value().get() {
                    None => view! { <p class="fine">{td_string!(language, labs.yaml_loading)}</p> }.into_any(),
                    Some(Ok(yaml)) => {
                        view! { <pre class="listing" tabindex="0" role="region" aria-label="YAML">{yaml}</pre> }.into_any()
                    }
                    Some(Err(error)) => view! { <ErrorNotice error/> }.into_any(),
                }}
            </div>
        </details>
    }
    .into_any()
}
