//! What somebody should look at, each with its evidence and what to do.

use domain::nodes::{Finding, Severity};
use leptos::prelude::*;

use crate::{
    components::{Card, Moment, Status, StatusKind},
    i18n::td_string,
    language::{self, Language},
    orders::words::pieces_text,
    routes,
};

#[component]
pub fn Findings(findings: Vec<Finding>) -> impl IntoView {
    let language = language::current();
    let none = findings.is_empty();
    let all = findings.into_iter().map(|finding| one(language, finding)).collect_view();
    view! {
        <Card title=td_string!(language, nodes.findings) id="findings">
            {none.then(|| view! { <p class="soft">{td_string!(language, nodes.no_findings)}</p> })}
            <div>{all}</div>
        </Card>
    }
    .into_any()
}

fn one(language: Language, finding: Finding) -> AnyView {
    let (kind, severity) = match finding.severity() {
        Severity::Serious => (StatusKind::Bad, td_string!(language, nodes.serious)),
        Severity::Warning => (StatusKind::Warn, td_string!(language, nodes.warning)),
    };
    let node = finding.node().map(ToOwned::to_owned);
    let (title, remedy) = words(language, &finding);
    let rule = finding.role_rule();
    view! {
        <article class="finding">
            <div class="row between">
                <Status kind>{severity}</Status>
                {node.map(|node| view! { <a class="fine mono" href=format!("#{node}") rel="external">{node.clone()}</a> })}
            </div>
            <h3>{title}</h3>
            <p class="proof-line">{proof(language, finding)}</p>
            <p>{remedy}</p>
            {rule.map(|rule| view! { <pre class="listing" tabindex="0" role="region" aria-label=td_string!(language, nodes.role_lines)>{rule}</pre> })}
        </article>
    }
    .into_any()
}

/// What it is, and what to do.
fn words(language: Language, finding: &Finding) -> (String, &'static str) {
    match finding {
        Finding::NotReady { .. } => (td_string!(language, nodes.finding_not_ready).to_owned(), td_string!(language, nodes.remedy_not_ready)),
        Finding::Pressure { condition, .. } => {
            (td_string!(language, nodes.finding_pressure, condition = condition.as_str()).to_string(), td_string!(language, nodes.remedy_pressure))
        }
        Finding::Hot { celsius, .. } => {
            let limit = domain::nodes::HOT_CELSIUS;
            (td_string!(language, nodes.finding_hot, celsius = celsius, limit = limit).to_string(), td_string!(language, nodes.remedy_hot))
        }
        Finding::DriverDiffers { .. } => (td_string!(language, nodes.finding_driver).to_owned(), td_string!(language, nodes.remedy_driver)),
        Finding::Foreign { .. } => (td_string!(language, nodes.finding_foreign).to_owned(), td_string!(language, nodes.remedy_foreign)),
        Finding::ImpossibleCards { .. } => {
            (td_string!(language, nodes.finding_impossible_cards).to_owned(), td_string!(language, nodes.remedy_impossible_cards))
        }
        Finding::CardsMissing { allocatable, capacity, .. } => {
            let title = td_string!(language, nodes.finding_cards_missing, missing = capacity.saturating_sub(*allocatable), capacity = *capacity);
            (title.clone(), td_string!(language, nodes.remedy_cards_missing))
        }
        Finding::Shared { strategy, .. } => {
            (td_string!(language, nodes.finding_shared, strategy = strategy.as_str()).to_string(), td_string!(language, nodes.remedy_shared))
        }
        Finding::Tainted { cards, .. } => {
            (td_string!(language, nodes.finding_tainted, cards = *cards).to_string(), td_string!(language, nodes.remedy_tainted))
        }
        Finding::Crowded { cards, .. } => {
            (td_string!(language, nodes.finding_crowded, cards = *cards).to_string(), td_string!(language, nodes.remedy_crowded))
        }
        Finding::MissingRight { verb, resource, .. } => (
            td_string!(language, nodes.finding_missing_right, verb = verb.as_str(), resource = resource.as_str()).to_string(),
            td_string!(language, nodes.remedy_missing_right),
        ),
        Finding::Credentials { .. } => (td_string!(language, nodes.finding_credentials).to_owned(), td_string!(language, nodes.remedy_credentials)),
        Finding::Webhook { name, .. } => {
            (td_string!(language, nodes.finding_webhook, name = name.as_str()).to_string(), td_string!(language, nodes.remedy_webhook))
        }
        Finding::ForeignPolicy { namespace, name, .. } => (
            td_string!(language, nodes.finding_foreign_policy, name = name.as_str(), namespace = namespace.as_str()).to_string(),
            td_string!(language, nodes.remedy_foreign_policy),
        ),
        Finding::Unschedulable { name, .. } => {
            (td_string!(language, nodes.finding_unschedulable, lab = name.as_str()).to_string(), td_string!(language, nodes.remedy_unschedulable))
        }
        Finding::LateOnNode { labs, .. } => {
            (td_string!(language, nodes.finding_late_node, labs = *labs).to_string(), td_string!(language, nodes.remedy_late_node))
        }
        Finding::LateOfOffering { offering, labs } => (
            td_string!(language, nodes.finding_late_offering, labs = *labs, offering = offering.get(language::tag(language))).to_string(),
            td_string!(language, nodes.remedy_late_offering),
        ),
        Finding::Scattered { card, per_node, .. } => (
            td_string!(language, nodes.finding_scattered, asked = pieces_text(language, *card, *per_node), card = card.name()).to_string(),
            td_string!(language, nodes.remedy_scattered),
        ),
    }
}

fn proof(language: Language, finding: Finding) -> AnyView {
    let told = |text: String, since: Option<domain::time::Timestamp>| {
        let since = since.map(|at| view! { " "{td_string!(language, nodes.since)}" "<Moment at/> });
        view! { <span class="mono">{text}</span>{since} }.into_any()
    };
    match finding {
        Finding::NotReady { reason, message, since, .. } => told(format!("{reason} {message}").trim().to_owned(), since),
        Finding::Pressure { message, since, .. } => told(message, since),
        Finding::Hot { .. } => td_string!(language, nodes.proof_hot).into_any(),
        Finding::DriverDiffers { driver, usual, nodes, .. } => {
            td_string!(language, nodes.proof_driver, driver = driver, usual = usual, nodes = nodes).to_string().into_any()
        }
        Finding::Foreign { cards, pods, .. } => {
            let text = td_string!(language, nodes.proof_foreign, cards = cards).to_string();
            view! { {text}" "<span class="mono">{pods.join(", ")}</span> }.into_any()
        }
        Finding::ImpossibleCards { figure, .. } => told(figure, None),
        Finding::CardsMissing { allocatable, capacity, .. } => {
            td_string!(language, nodes.proof_cards_missing, allocatable = allocatable, capacity = capacity).to_string().into_any()
        }
        Finding::Shared { cards, shares, .. } => td_string!(language, nodes.proof_shared, cards = cards, shares = shares).to_string().into_any(),
        Finding::Tainted { taints, .. } => view! { <span class="mono">{taints.join(", ")}</span> }.into_any(),
        Finding::Crowded { cpu_cores, memory_gib, pods: Some(pods), .. } => {
            td_string!(language, nodes.proof_crowded_pods, cores = cpu_cores, memory = memory_gib, pods = pods).to_string().into_any()
        }
        Finding::Crowded { cpu_cores, memory_gib, pods: None, .. } => {
            td_string!(language, nodes.proof_crowded, cores = cpu_cores, memory = memory_gib).to_string().into_any()
        }
        Finding::MissingRight { verb, resource, since } => told(format!("{verb} {resource}"), Some(since)),
        Finding::Credentials { since } => told("401 Unauthorized".to_owned(), Some(since)),
        Finding::Webhook { message, since, .. } => told(message, Some(since)),
        Finding::ForeignPolicy { namespace, name, since } => told(format!("{namespace}/{name}"), Some(since)),
        Finding::Unschedulable { lab, name, message } => {
            view! { <a href=routes::lab(lab)>{name}</a>" "<span class="mono">{message}</span> }.into_any()
        }
        Finding::LateOnNode { .. } | Finding::LateOfOffering { .. } => td_string!(language, nodes.proof_late).into_any(),
        Finding::Scattered { card, largest, waiting, .. } => {
            let largest = pieces_text(language, card, largest);
            td_string!(language, nodes.proof_scattered, waiting = waiting, largest = largest).to_string().into_any()
        }
    }
}
