//! The versions of an offering, newest first, each with what it changed.

use domain::offerings::{FieldChange, OfferingHistory, OfferingVersion, VersionState, changes};
use leptos::prelude::*;

use super::words::{field_text, state_kind, state_text};
use crate::{
    components::{Cell, Column, DataTable, Glyph, Icon, Moment, MomentStyle, Row, StatusKind, Timeline},
    i18n::td_string,
    language::{self, Language},
};

#[component]
pub fn Versions(history: OfferingHistory) -> impl IntoView {
    let language = language::current();
    let items = (0..history.versions.len())
        .map(|at| {
            let version = history.versions[at].clone();
            let labs = history.labs.get(&version.offering.version).copied().unwrap_or_default();
            let differences = history.versions.get(at + 1).map(|before| changes(&before.offering, &version.offering));
            // Retired because a newer one took its place, or because it was taken off sale.
            let replaced = version.state == VersionState::Retired && history.versions[..at].iter().any(|newer| newer.published_at.is_some());
            item(language, version, replaced, labs, differences)
        })
        .collect_view();
    view! {
        <section class="section">
            <p class="lead">{td_string!(language, offerings.versions_lead)}</p>
            <Timeline wide=true>{items}</Timeline>
        </section>
    }
    .into_any()
}

fn item(language: Language, version: OfferingVersion, replaced: bool, labs: u32, differences: Option<Vec<FieldChange>>) -> impl IntoView {
    let state = if replaced { td_string!(language, offerings.state_replaced) } else { state_text(language, version.state) };
    let kind: StatusKind = state_kind(version.state);
    let number = td_string!(language, offerings.version_no, version = version.offering.version).to_string();
    let at = version.published_at.unwrap_or(version.changed_at);
    let name = version.changed_by.unwrap_or_else(|| td_string!(language, offerings.built_in).to_owned());
    let by = td_string!(language, offerings.by, name = name.as_str(), labs = labs).to_string();
    view! {
        <li data-st=kind.name()>
            <Moment at style=MomentStyle::Minute/>
            <Icon glyph=kind.glyph()/>
            <div>
                <b>{format!("{number} · {state}")}</b>
                <small>{by}</small>
                {match differences {
                    None => view! { <small>{td_string!(language, offerings.first_version)}</small> }.into_any(),
                    Some(all) if all.is_empty() => view! { <small>{td_string!(language, offerings.unchanged)}</small> }.into_any(),
                    Some(all) => view! { <Differences all/> }.into_any(),
                }}
            </div>
        </li>
    }
    .into_any()
}

#[component]
fn Differences(all: Vec<FieldChange>) -> impl IntoView {
    let language = language::current();
    let count = all.len().to_string();
    let columns = vec![
        Column::text(td_string!(language, offerings.field)),
        Column::text(td_string!(language, offerings.before)),
        Column::text(td_string!(language, offerings.after)),
    ];
    let value = move |text: Option<String>| text.unwrap_or_else(|| td_string!(language, offerings.nothing).to_owned());
    let rows = all
        .into_iter()
        .map(|change| {
            let field = field_text(language, &change.field);
            view! {
                <Row>
                    <Cell><b>{field}</b></Cell>
                    <Cell label=td_string!(language, offerings.before)>{value(change.before)}</Cell>
                    <Cell label=td_string!(language, offerings.after)>{value(change.after)}</Cell>
                </Row>
            }
        })
        .collect_view();
    view! {
        <div class="folds">
            <details>
                <summary>
                    <Icon glyph=Glyph::Right small=true/>
                    <span>{td_string!(language, offerings.changed_fields, count = count).to_string()}</span>
                    <span></span>
                </summary>
                <div class="in"><DataTable caption=td_string!(language, offerings.tab_versions) columns dense=true>{rows}</DataTable></div>
            </details>
        </div>
    }
    .into_any()
}
