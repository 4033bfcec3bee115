//! One node: its cards as tiles, who holds them, what happened on it.

use domain::{
    cluster::{Node, Trouble},
    gpu::CardShare,
    labs::ClusterEvent,
    nodes::{Finding, Holder, KindUse, NodeView, Severity, Who},
};
use leptos::prelude::*;

use super::words::state;
use crate::{
    components::{Glyph, Icon, Moment, MomentStyle, Status, StatusKind},
    i18n::td_string,
    language::{self, Language},
    routes,
};

#[component]
pub fn NodeCard(view: NodeView, findings: Vec<Finding>) -> impl IntoView {
    let language = language::current();
    let NodeView { node, kinds, holders, machine_left: _ } = view;
    let worst = findings.iter().filter(|finding| finding.node() == Some(node.name.as_str())).map(Finding::severity).min();
    let attention = match worst {
        Some(Severity::Serious) => Some(StatusKind::Bad.name()),
        Some(Severity::Warning) => Some(StatusKind::Warn.name()),
        None => None,
    };
    let (kind, text) = state(language, &node);
    let about = about(language, &node, &kinds);
    let cards = kinds.iter().map(|kind| tiles(language, *kind, &holders)).collect_view();
    let held = (!holders.is_empty()).then(|| {
        let rows = holders.into_iter().map(|holder| row(language, holder)).collect_view();
        view! { <ul class="holders">{rows}</ul> }
    });
    let troubles = node.troubles.into_iter().map(|trouble| trouble_line(language, trouble)).collect_view();
    let events = (!node.events.is_empty()).then(|| view! { <Events events=node.events/> });
    let (id, name) = (node.name.clone(), node.name);
    let none = kinds.is_empty().then(|| view! { <p class="fine">{td_string!(language, nodes.no_cards)}</p> });
    view! {
        <article class="node" id=id data-st=attention>
            <div class="top">
                <h3>{name}</h3>
                <Status kind>{text}</Status>
                <p class="fine">{about}</p>
            </div>
            {troubles}
            {none}
            {cards}
            {held}
            {events}
        </article>
    }
    .into_any()
}

/// What it is, in one line.
fn about(language: Language, node: &Node, kinds: &[KindUse]) -> String {
    let mut parts: Vec<String> = kinds.iter().map(|kind| format!("{}\u{a0}×\u{a0}{}", kind.card.name(), kind.total)).collect();
    if kinds.is_empty() && !node.product.is_empty() {
        parts.push(node.product.clone());
    }
    parts.extend(node.driver.as_ref().map(|driver| td_string!(language, nodes.driver, driver = driver.as_str()).to_string()));
    parts.extend(node.temperature.map(|celsius| td_string!(language, nodes.temperature, celsius = celsius).to_string()));
    parts.push(td_string!(language, nodes.machine, cores = node.cpu_cores, memory = node.memory_gib).to_string());
    parts.join(" · ")
}

/// How somebody's cards look: held firmly, set aside, or by somebody who is no lab.
fn look(holder: &Holder) -> StatusKind {
    match &holder.who {
        Who::Lab(lab) if lab.bound => StatusKind::Live,
        Who::Lab(_) => StatusKind::Held,
        Who::OtherTenant => StatusKind::Live,
        Who::Pod(_) => StatusKind::Warn,
    }
}

fn called(language: Language, holder: &Holder) -> String {
    match &holder.who {
        Who::Lab(lab) => lab.course.code.clone(),
        Who::OtherTenant => td_string!(language, nodes.other_tenant).to_owned(),
        Who::Pod(pod) => pod.clone(),
    }
}

fn tiles(language: Language, kind: KindUse, holders: &[Holder]) -> AnyView {
    let each: Vec<(StatusKind, String)> = holders
        .iter()
        .filter(|holder| holder.card == kind.card)
        .flat_map(|holder| std::iter::repeat_n((look(holder), called(language, holder)), holder.cards as usize))
        .collect();
    let (rest, rest_text) =
        if kind.free > 0 { (StatusKind::Idle, td_string!(language, nodes.free)) } else { (StatusKind::Off, td_string!(language, nodes.unavailable)) };
    let left = (kind.total as usize).saturating_sub(each.len());
    let figure = td_string!(language, nodes.used_of, used = kind.used, total = kind.total).to_string();
    if kind.card.share() == CardShare::WHOLE {
        let tile = |(status, who): (StatusKind, String)| {
            view! {
                <li class="gpu" data-st=status.name()>
                    <span class="n"><Icon glyph=status.glyph() small=true/></span>
                    <span class="who">{who}</span>
                </li>
            }
        };
        let all = each.into_iter().chain(std::iter::repeat_n((rest, rest_text.to_owned()), left)).map(tile).collect_view();
        return view! { <ul class="gpus" aria-label=format!("{}, {figure}", kind.card.name())>{all}</ul> }.into_any();
    }
    let marks = each
        .into_iter()
        .map(|(status, _)| if status == StatusKind::Held { "held" } else { "on" })
        .chain(std::iter::repeat_n("", left))
        .map(|class| view! { <i class=class></i> })
        .collect_view();
    view! {
        <div class="slice-row">
            <span class="fine">{kind.card.name()}</span>
            <span class="slices" aria-hidden="true">{marks}</span>
            <span class="fine nowrap">{figure}</span>
        </div>
    }
    .into_any()
}

/// Who holds how much, until when, with the way to the lab.
fn row(language: Language, holder: Holder) -> AnyView {
    let kind = look(&holder);
    let cards = format!("{}\u{a0}×\u{a0}{}", holder.card.name(), holder.cards);
    let who = match holder.who {
        Who::Lab(lab) => {
            let until = lab.ends_at.map(|at| view! { " · "{td_string!(language, nodes.until)}" "<Moment at style=MomentStyle::Minute/> });
            let planned = (!lab.bound).then(|| format!(" · {}", td_string!(language, nodes.set_aside)));
            view! {
                <span><a href=routes::lab(lab.id)><b class="mono">{lab.name}</b></a>" · "{lab.course.code}" · "{lab.owner.name}{until}{planned}</span>
            }
            .into_any()
        }
        Who::OtherTenant => view! { <span>{td_string!(language, nodes.other_tenant_long)}</span> }.into_any(),
        Who::Pod(pod) => view! { <span class="mono">{pod}</span> }.into_any(),
    };
    view! { <li data-st=kind.name()><Icon glyph=kind.glyph() small=true/>{who}<span class="fine nowrap">{cards}</span></li> }.into_any()
}

fn trouble_line(language: Language, trouble: Trouble) -> AnyView {
    let since = trouble.since.map(|at| view! { " · "{td_string!(language, nodes.since)}" "<Moment at/> });
    view! { <p class="fine"><b>{trouble.kind}</b>" "{trouble.reason}" "{trouble.message}{since}</p> }.into_any()
}

#[component]
fn Events(events: Vec<ClusterEvent>) -> impl IntoView {
    let language = language::current();
    let summary = td_string!(language, nodes.events, count = events.len()).to_string();
    let rows = events
        .into_iter()
        .map(|event| {
            view! {
                <li class="fine">
                    <Moment at=event.at style=MomentStyle::Time/>" "<b>{event.reason}</b>" "{event.message}
                    {(event.count > 1).then(|| format!(" ×\u{a0}{}", event.count))}
                </li>
            }
        })
        .collect_view();
    view! { <div class="folds"><details><summary><Icon glyph=Glyph::Right/><span>{summary}</span></summary><ul class="plain-list in">{rows}</ul></details></div> }.into_any()
}
