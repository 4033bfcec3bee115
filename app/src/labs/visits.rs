//! The connection log of a lab: who is in it now, and who was. Read by the browser once the page is there, so that it costs the page nothing.

use domain::{
    page::Page,
    time::Timestamp,
    visits::{Visit, VisitEnd, VisitRole, VisitWay},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use super::open::role_text;
use crate::{
    components::{Card, Cell, CellPlace, Column, DataTable, ErrorNotice, Moment, MomentStyle, Row, Status, StatusKind, moment_text},
    error::AppError,
    i18n::td_string,
    language::{self, Language},
};

/// Visits of a page of the log, and who is there now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitsShown {
    /// Only with the first page.
    pub here: Vec<Visit>,
    pub page: Page<Visit>,
}

/// `after`: the cursor from the page before.
#[server(ReadVisits, endpoint = "labs/visits", input = GetUrl)]
pub async fn read_visits(id: String, #[server(default)] after: String) -> Result<VisitsShown, AppError> {
    use crate::caller::{caller, id_of, services};
    use domain::page::PageRequest;
    let (services, caller) = (services()?, caller()?);
    let lab = id_of(&id)?;
    let page = PageRequest { limit: 10, after: (!after.is_empty()).then_some(after) };
    let here = if page.after.is_none() { services::visits::present(&services, &caller, lab).await? } else { Vec::new() };
    Ok(VisitsShown { here, page: services::visits::list(&services, &caller, lab, &page).await? })
}

/// `3.2 MB`: bytes as people count them.
pub fn bytes_text(bytes: i64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return format!("{}\u{a0}B", bytes.max(0));
    }
    let mut unit = 0;
    // In tenths of the unit.
    let mut tenths = bytes / 100;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1_000;
        unit += 1;
    }
    format!("{}.{}\u{a0}{}", tenths / 10, tenths % 10, UNITS[unit])
}

fn end_text(language: Language, end: VisitEnd) -> &'static str {
    match end {
        VisitEnd::Left => td_string!(language, visits.end_left),
        VisitEnd::LabStopped => td_string!(language, visits.end_lab_stopped),
        VisitEnd::PassEnded => td_string!(language, visits.end_pass_ended),
    }
}

fn way_text(language: Language, way: VisitWay, port: Option<u16>) -> String {
    let way = match way {
        VisitWay::Browser => td_string!(language, visits.way_browser),
        VisitWay::Terminal => td_string!(language, visits.way_terminal),
        VisitWay::Ssh => td_string!(language, visits.way_ssh),
    };
    match port {
        Some(port) => td_string!(language, visits.way_port, way = way, port = port).to_string(),
        None => way.to_owned(),
    }
}

/// Those in the lab who are not its owner, in one line: `Wang Lei (manager), …`; `None` if there are none.
fn others_text(language: Language, here: &[Visit]) -> Option<String> {
    let others = here.iter().filter(|visit| visit.role != VisitRole::Owner);
    let names: Vec<_> = others
        .map(|visit| td_string!(language, visits.other, name = visit.person.name.as_str(), role = role_text(language, visit.role)).to_string())
        .collect();
    let comma = match language {
        Language::zh_CN => "、",
        Language::en => ", ",
    };
    (!names.is_empty()).then(|| td_string!(language, visits.others, names = names.join(comma)).to_string())
}

/// At the top of the lab's page: who else is in it.
#[component]
pub fn OthersHere(here: RwSignal<Vec<Visit>>) -> impl IntoView {
    let language = language::current();
    let text = Memo::new(move |_| here.with(|here| others_text(language, here)));
    view! {
        <div class="script-only" aria-live="polite">
            {move || text.get().map(|text| view! {
                <p class="row">
                    <Status kind=StatusKind::Live>{text}</Status>
                    <a href="#visits">{td_string!(language, visits.see)}</a>
                </p>
            })}
        </div>
    }
    .into_any()
}

/// The card. `here`: takes up who is in the lab; `read_at`: changes when the page has read the lab again.
#[component]
pub fn Visits(id: String, here: RwSignal<Vec<Visit>>, read_at: Signal<Option<Timestamp>>) -> impl IntoView {
    let language = language::current();
    let of_lab = StoredValue::new(id);
    let first = Action::new(move |(): &()| read_visits(of_lab.get_value(), String::new()));
    let more = Action::new(move |after: &String| read_visits(of_lab.get_value(), after.clone()));
    let (log, next) = (RwSignal::new(Vec::new()), RwSignal::new(None::<String>));
    let has_older = StoredValue::new(false);
    Effect::new(move |_| {
        read_at.track();
        first.dispatch(());
    });
    // Somebody came or went: no news tells of it.
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let look = move || {
            first.dispatch(());
        };
        if let Ok(interval) = set_interval_with_handle(look, std::time::Duration::from_secs(15)) {
            on_cleanup(move || interval.clear());
        }
    });
    Effect::new(move |_| {
        if let Some(Ok(VisitsShown { here: now, page })) = first.value().get() {
            here.set(now);
            // Parts that the reader unfolded stay so.
            if !has_older.get_value() {
                log.set(page.items);
                next.set(page.next);
            }
        }
    });
    Effect::new(move |_| {
        if let Some(Ok(VisitsShown { page, .. })) = more.value().get() {
            has_older.set_value(true);
            log.update(|log| log.extend(page.items));
            next.set(page.next);
        }
    });
    view! {
        <div class="script-only">
            <Card title=td_string!(language, visits.title) id="visits">
                {move || here.with(|here| (!here.is_empty()).then(|| view! { <Here visits=here.clone()/> }))}
                {move || match first.value().get() {
                    None => view! { <p class="fine">{td_string!(language, visits.loading)}</p> }.into_any(),
                    Some(Err(error)) => view! { <ErrorNotice error/> }.into_any(),
                    Some(Ok(_)) => ().into_any(),
                }}
                {move || {
                    let is_read = first.value().with(|read| matches!(read, Some(Ok(_))));
                    is_read.then(|| log.with(|log: &Vec<Visit>| view! { <Log visits=log.clone()/> }))
                }}
                {move || next.get().map(|after| view! {
                    <button type="button" class="btn small" on:click=move |_| { more.dispatch(after.clone()); }>{td_string!(language, visits.older)}</button>
                })}
            </Card>
        </div>
    }
    .into_any()
}

/// People in the lab now.
#[component]
fn Here(visits: Vec<Visit>) -> impl IntoView {
    let language = language::current();
    let items = visits
        .into_iter()
        .map(|visit| {
            let since = td_string!(language, visits.since, at = moment_text(visit.from, MomentStyle::Minute)).to_string();
            view! {
                <li class="row">
                    <Status kind=StatusKind::Live><b>{visit.person.name}</b></Status>
                    <span class="fine">{role_text(language, visit.role)}</span>
                    <span class="fine">{since}</span>
                </li>
            }
        })
        .collect_view();
    view! {
        <p class="soft">{td_string!(language, visits.here)}</p>
        <ul class="plain-list">{items}</ul>
    }
    .into_any()
}

#[component]
fn Log(visits: Vec<Visit>) -> impl IntoView {
    let language = language::current();
    if visits.is_empty() {
        return view! { <p class="soft">{td_string!(language, visits.empty)}</p> }.into_any();
    }
    let columns = vec![
        Column::text(td_string!(language, visits.person)),
        Column::text(td_string!(language, visits.from)),
        Column::text(td_string!(language, visits.until)),
        Column::text(td_string!(language, visits.way)),
        Column::text(td_string!(language, visits.address)),
        Column::number(td_string!(language, visits.traffic)),
    ];
    let rows = visits.into_iter().map(|visit| view! { <VisitRow visit/> }).collect_view();
    view! { <DataTable caption=td_string!(language, visits.title) columns dense=true>{rows}</DataTable> }.into_any()
}

#[component]
fn VisitRow(visit: Visit) -> impl IntoView {
    let language = language::current();
    let Visit { person, role, way, port, reason, from, until, ended_by, address, bytes_in, bytes_out, .. } = visit;
    let until = match until {
        Some(at) => view! { <Moment at/><small>{ended_by.map(|end| end_text(language, end))}</small> }.into_any(),
        None => view! { <Status kind=StatusKind::Live>{td_string!(language, visits.still_here)}</Status> }.into_any(),
    };
    let traffic = td_string!(language, visits.bytes, sent = bytes_text(bytes_in), received = bytes_text(bytes_out)).to_string();
    view! {
        <Row>
            <Cell>
                <b>{person.name}</b><small>{role_text(language, role)}</small>
                {reason.map(|reason| view! { <small>{td_string!(language, visits.reason, reason = reason).to_string()}</small> })}
            </Cell>
            <Cell label=td_string!(language, visits.from)><Moment at=from/></Cell>
            <Cell label=td_string!(language, visits.until) place=CellPlace::Corner>{until}</Cell>
            <Cell label=td_string!(language, visits.way)>{way_text(language, way, port)}</Cell>
            <Cell label=td_string!(language, visits.address)><span class="mono">{address}</span></Cell>
            <Cell label=td_string!(language, visits.traffic) numeric=true>{traffic}</Cell>
        </Row>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::people::PersonRef;

    use super::*;

    fn visit(name: &str, role: VisitRole) -> Visit {
        let at = Timestamp::from_seconds(1_800_000_000);
        let id = "01980000-0000-7000-8000-000000000001";
        Visit {
            id: id.parse().expect("an id"),
            person: PersonRef { id: id.parse().expect("an id"), login: name.to_lowercase(), name: name.to_owned() },
            role,
            way: VisitWay::Browser,
            port: None,
            reason: None,
            from: at,
            until: None,
            ended_by: None,
            address: None,
            bytes_in: 0,
            bytes_out: 0,
            last_used_at: at,
        }
    }

    #[test]
    fn the_line_names_all_but_the_owner() {
        let here = [visit("Wang", VisitRole::Manager), visit("Sun", VisitRole::Share), visit("Li", VisitRole::Owner)];
        let text = others_text(Language::en, &here).expect("two others");
        assert!(text.contains("Wang (manager), Sun (guest with a link)") && !text.contains("Li ("), "{text}");
        assert_eq!(others_text(Language::zh_CN, &here[2..]), None);
    }

    #[test]
    fn a_port_stands_beside_the_way() {
        assert_eq!(way_text(Language::en, VisitWay::Ssh, None), "SSH");
        assert!(way_text(Language::en, VisitWay::Browser, Some(8_501)).contains("8501"));
    }

    #[test]
    fn bytes_are_shown_in_the_unit_that_fits() {
        for (bytes, text) in [
            (-1, "0 B"),
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (999_999, "999.9 kB"),
            (1_000_000, "1.0 MB"),
            (3_250_000, "3.2 MB"),
            (i64::MAX, "9223372.0 TB"),
        ] {
            assert_eq!(bytes_text(bytes).replace('\u{a0}', " "), text);
        }
    }
}
