//! The cluster as the portal knows it: reachable or not, nodes, cards by kind.

use domain::cluster::{ClusterStatus, Node};
use leptos::prelude::*;

use super::api::cluster;
use crate::{
    components::{
        Cell, CellPlace, Column, DataTable, EmptyState, ErrorNotice, Fact, Facts, Glyph, Moment, Notice, NoticeKind, PageHead, Row, Section,
        Skeleton, Status, StatusKind,
    },
    i18n::td_string,
    language::{self, Language},
};

#[component]
pub fn ClusterPage() -> impl IntoView {
    let language = language::current();
    let status = Resource::new(|| (), |()| cluster());
    view! {
        <PageHead title=td_string!(language, admin.cluster) lead=td_string!(language, admin.cluster_lead)/>
        <Suspense fallback=|| view! { <Skeleton/> }>
            {move || status.get().map(|status| match status {
                Ok(status) => board(language, status).into_any(),
                Err(error) => view! { <ErrorNotice error/> }.into_any(),
            })}
        </Suspense>
    }
}

fn board(language: Language, status: ClusterStatus) -> impl IntoView {
    let ClusterStatus { version, simulated, away_since, last_seen_at, nodes, pools } = status;
    let none = nodes.is_empty();
    let pools = pools
        .into_iter()
        .map(|pool| {
            view! {
                <Fact name=pool.card.name()>
                    {td_string!(language, admin.pool, free = pool.free(), total = pool.total, held = pool.reserved).to_string()}
                </Fact>
            }
        })
        .collect_view();
    let columns = vec![
        Column::text(td_string!(language, admin.node)),
        Column::text(td_string!(language, admin.state)),
        Column::text(td_string!(language, admin.cards)),
        Column::number(td_string!(language, admin.cpu)),
        Column::number(td_string!(language, admin.memory)),
    ];
    let rows = nodes.into_iter().map(|node| row(language, node)).collect_view();
    view! {
        {away_since.map(|since| view! {
            <Notice kind=NoticeKind::Warn title=td_string!(language, admin.away)>
                {td_string!(language, admin.away_since)}" "<Moment at=since/>
            </Notice>
        })}
        <Facts>
            <Fact name=td_string!(language, admin.version)>{if version.is_empty() { "–".to_owned() } else { version }}</Fact>
            <Fact name=td_string!(language, admin.kind)>
                {if simulated { td_string!(language, admin.simulated) } else { td_string!(language, admin.real) }}
            </Fact>
            {last_seen_at.map(|at| view! { <Fact name=td_string!(language, admin.last_seen)><Moment at/></Fact> })}
        </Facts>
        <Section title=td_string!(language, admin.pools)><Facts>{pools}</Facts></Section>
        <Section title=td_string!(language, admin.nodes)>
            {if none {
                view! {
                    <EmptyState glyph=Glyph::Node title=td_string!(language, admin.no_nodes) text=td_string!(language, admin.no_nodes_text)/>
                }
                .into_any()
            } else {
                view! {
                    <DataTable caption=td_string!(language, admin.nodes) columns dense=true>{rows}</DataTable>
                }
                .into_any()
            }}
        </Section>
    }
}

fn row(language: Language, node: Node) -> impl IntoView {
    let cards =
        node.cards.iter().map(|(card, count)| format!("{count} × {}", card.name())).collect::<Vec<_>>().join(td_string!(language, common.list_comma));
    let (kind, text) = match (node.ready, node.cordoned) {
        (false, _) => (StatusKind::Bad, td_string!(language, admin.not_ready)),
        (true, true) => (StatusKind::Held, td_string!(language, admin.cordoned)),
        (true, false) => (StatusKind::Ok, td_string!(language, admin.ready)),
    };
    view! {
        <Row>
            <Cell><span class="mono">{node.name}</span></Cell>
            <Cell place=CellPlace::Corner><Status kind>{text}</Status></Cell>
            <Cell label=td_string!(language, admin.cards)>{if cards.is_empty() { "–".to_owned() } else { cards }}</Cell>
            <Cell label=td_string!(language, admin.cpu) numeric=true>{node.cpu_cores}</Cell>
            <Cell label=td_string!(language, admin.memory) numeric=true>{format!("{}\u{a0}GiB", node.memory_gib)}</Cell>
        </Row>
    }
}
