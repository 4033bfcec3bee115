//! The page of the nodes: the answer in one sentence, what to look at first, then every node.

use domain::{capacity::Pool, nodes::NodesView};
use leptos::prelude::*;

use super::{api::list_nodes, findings::Findings, node::NodeCard};
use crate::{
    components::{
        EmptyState, ErrorNotice, Glyph, LinkButton, LiveMark, Moment, NEWS, Notice, NoticeKind, PageHead, Section, Skeleton, latest, use_news,
    },
    i18n::td_string,
    language::{self, Language},
    orders::words::pieces_text,
};

#[component]
pub fn ClusterPage() -> impl IntoView {
    let nodes = Resource::new(|| (), |()| list_nodes());
    let liveness = use_news(NEWS.to_owned(), move || nodes.refetch());
    view! {
        <Transition fallback=|| view! { <Skeleton lines=8/> }>
            {let nodes = latest(nodes);
            move || nodes.get().map(|nodes| match nodes {
                Ok(nodes) => board(language::current(), nodes).into_any(),
                Err(error) => view! { <PageHead title=td_string!(language::current(), nodes.title)/><ErrorNotice error/> }.into_any(),
            })}
        </Transition>
        <div class="row between"><span></span><LiveMark liveness/></div>
    }
    .into_any()
}

fn board(language: Language, view: NodesView) -> impl IntoView {
    let NodesView { version, simulated, away_since, reported_at, nodes, pools, findings } = view;
    let lead = if findings.is_empty() {
        td_string!(language, nodes.lead_quiet, nodes = nodes.len()).to_string()
    } else {
        td_string!(language, nodes.lead, nodes = nodes.len(), findings = findings.len()).to_string()
    };
    let urgent = (!findings.is_empty()).then(|| {
        view! { <LinkButton href="#findings".to_owned() icon=Glyph::StatusWarn>{td_string!(language, nodes.see_findings)}</LinkButton> }
    });
    let figures = pools.into_iter().map(|pool| figure(language, pool)).collect_view();
    let none = nodes.is_empty();
    let kind = if simulated { td_string!(language, nodes.simulated) } else { td_string!(language, nodes.real) };
    let about = if version.is_empty() { kind.to_owned() } else { format!("{kind} · Kubernetes {version}") };
    let cards = nodes.into_iter().map(|view| view! { <NodeCard view findings=findings.clone()/> }).collect_view();
    view! {
        <PageHead title=td_string!(language, nodes.title) lead>{urgent}</PageHead>
        {away_since.map(|since| view! {
            <Notice kind=NoticeKind::Warn title=td_string!(language, nodes.away)>
                {td_string!(language, nodes.away_since)}" "<Moment at=since/>
            </Notice>
        })}
        <div class="figures">{figures}</div>
        <div class="cols main-side">
            <Section title=td_string!(language, nodes.nodes) end=move || view! { <span class="fine">{about.clone()}{reported_at.map(|at| view! { " · "<Moment at/> })}</span> }>
                {if none {
                    view! {
                        <EmptyState glyph=Glyph::Node title=td_string!(language, nodes.none) text=td_string!(language, nodes.none_text)/>
                    }
                    .into_any()
                } else {
                    view! { <div class="nodes">{cards}</div> }.into_any()
                }}
            </Section>
            <aside class="stack first-when-narrow"><Findings findings/></aside>
        </div>
    }
    .into_any()
}

fn figure(language: Language, pool: Pool) -> AnyView {
    let (free, total) = (pool.free(), pool.total);
    let held = td_string!(
        language,
        nodes.pool_held,
        held = pieces_text(language, pool.card, pool.reserved),
        largest = pieces_text(language, pool.card, pool.largest_node.min(free))
    )
    .to_string();
    view! {
        <div class="figure">
            <span class="k">{td_string!(language, nodes.pool_free, card = pool.card.name()).to_string()}</span>
            <span class="v">{free}<small>{format!(" / {}", pieces_text(language, pool.card, total))}</small></span>
            <span class="d">{held}</span>
        </div>
    }
    .into_any()
}
