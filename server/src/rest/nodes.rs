//! Nodes and their cards. What is answered is what the watch of the cluster has written down: no request asks the cluster.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
};
use domain::{
    gpu::Vendor,
    labs::{ClusterEvent, LabState},
    nodes::{Finding, Holder as DomainHolder, Inventory, KindUse, LabHolder, NodeView, NodesView, Who},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    dto::{Course, Person, moment},
    labs::LabEvent,
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

/// A node of the inventory.
#[derive(Debug, Serialize, ToSchema)]
pub struct GpuNode {
    /// Whole cards that can be had now; 0 on a node that takes no pods, or has no processor, memory or pod slot left.
    #[schema(example = 2)]
    pub gpu_free: u32,
    /// `null` when no label of the node says it.
    #[schema(example = "550.54.15")]
    pub driver_version: Option<String>,
    /// Degrees Celsius of the hottest card; `null` where nothing on the node reports it.
    #[schema(example = 62)]
    pub temperature: Option<i32>,
    /// As the node labels it.
    #[schema(example = "NVIDIA-A100-SXM4-80GB")]
    pub model: String,
    /// `nvidia` or `amd`.
    #[schema(value_type = Option<String>, example = "nvidia")]
    pub vendor: Option<Vendor>,
    /// Whole cards.
    pub gpu_total: u32,
    /// Held by labs and by other pods.
    pub gpu_allocated: u32,
    /// Slices of cards, by kind.
    pub mig: Vec<Cards>,
    pub ready: bool,
    /// Takes new pods: ready and not cordoned.
    pub schedulable: bool,
    /// When the cluster was last heard.
    pub reported_at: Option<String>,
}

/// Cards of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cards {
    #[schema(example = "a100-80g-1g.10gb")]
    pub card: &'static str,
    pub total: u32,
    pub used: u32,
    pub free: u32,
}

impl From<KindUse> for Cards {
    fn from(KindUse { card, total, used, free }: KindUse) -> Self {
        Self { card: card.id(), total, used, free }
    }
}

/// Every node that has cards, by its name.
#[utoipa::path(get, path = "/api/v1/gpu-inventory", tag = "nodes",
    responses((status = 200, body = BTreeMap<String, GpuNode>, example = json!({
        "dell-pro-max-aipc-07": {
            "gpu_free": 2, "driver_version": "550.54.15", "temperature": 62, "model": "NVIDIA-A100-SXM4-80GB", "vendor": "nvidia", "gpu_total": 8,
            "gpu_allocated": 6, "mig": [], "ready": true, "schedulable": true, "reported_at": "2026-11-21T02:00:00Z",
        },
    }))))]
pub async fn inventory(State(state): State<AppState>, Bearer(caller): Bearer, query: Parameters) -> Result<Json<BTreeMap<String, GpuNode>>, Problem> {
    query.finish()?;
    let (nodes, reported) = services::nodes::inventory(&state.services, &caller).await?;
    let reported = reported.map(moment);
    let shown = nodes.into_iter().map(|node| {
        let Inventory { node, gpu_free, gpu_total, gpu_allocated, driver_version, temperature, model, vendor, slices, ready, schedulable } = node;
        let mig = slices.into_iter().map(Into::into).collect();
        let reported_at = reported.clone();
        (node, GpuNode { gpu_free, driver_version, temperature, model, vendor, gpu_total, gpu_allocated, mig, ready, schedulable, reported_at })
    });
    Ok(Json(shown.collect()))
}

/// A node of the cluster.
#[derive(Debug, Serialize, ToSchema)]
pub struct Node {
    #[schema(example = "dell-pro-max-aipc-01")]
    pub name: String,
    pub ready: bool,
    /// Kept from new pods by an operator.
    pub cordoned: bool,
    #[schema(example = "NVIDIA-A100-SXM4-80GB")]
    pub model: String,
    #[schema(example = "550.54.15")]
    pub driver_version: Option<String>,
    pub temperature: Option<i32>,
    /// `single` or `mixed` where cards can be cut.
    pub mig_strategy: Option<String>,
    pub cpu_cores: u32,
    pub memory_gib: u32,
    pub cards: Vec<Cards>,
    pub holders: Vec<Holder>,
    /// Conditions that mean trouble; empty for a healthy node.
    pub conditions: Vec<NodeCondition>,
    /// Of the last hour, newest first.
    pub events: Vec<LabEvent>,
}

/// Who holds cards of a node: `lab`, or `pod` for one that is no lab of this portal, or neither for a lab of another tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Holder {
    #[schema(example = "a100-80g")]
    pub card: &'static str,
    pub cards: u32,
    pub lab: Option<HolderLab>,
    #[schema(example = "default/notebook-0")]
    pub pod: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HolderLab {
    pub id: String,
    #[schema(example = "lab-2047")]
    pub name: String,
    #[schema(value_type = String, example = "running")]
    pub state: LabState,
    pub owner: Person,
    pub course: Course,
    pub ends_at: Option<String>,
    /// Its pod is on the node; before that its cards are only set aside there.
    pub bound: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NodeCondition {
    #[schema(example = "DiskPressure")]
    pub kind: String,
    pub reason: String,
    pub message: String,
    pub since: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NodeList {
    pub items: Vec<Node>,
    pub next: Option<String>,
    /// What somebody should look at, the serious first; each has a `kind` and its evidence. On every page the same.
    #[schema(value_type = Vec<Value>)]
    pub findings: Vec<Finding>,
    /// When the cluster was last heard.
    pub reported_at: Option<String>,
    /// Since when it does not answer.
    pub away_since: Option<String>,
}

impl From<DomainHolder> for Holder {
    fn from(DomainHolder { card, cards, who }: DomainHolder) -> Self {
        let (lab, pod) = match who {
            Who::Lab(lab) => {
                let LabHolder { id, name, state, owner, course, ends_at, bound } = *lab;
                let (owner, course) = (owner.into(), course.into());
                (Some(HolderLab { id: id.to_string(), name, state, owner, course, ends_at: ends_at.map(moment), bound }), None)
            }
            Who::Pod(pod) => (None, Some(pod)),
            Who::OtherTenant => (None, None),
        };
        Self { card: card.id(), cards, lab, pod }
    }
}

impl From<NodeView> for Node {
    fn from(NodeView { node, kinds, holders, machine_left: _ }: NodeView) -> Self {
        let domain::cluster::Node {
            name,
            ready,
            cordoned,
            product,
            cards: _,
            cpu_cores,
            memory_gib,
            pods: _,
            vendor: _,
            driver,
            mig_strategy,
            temperature,
            troubles,
            capacity: _,
            sharing: _,
            taints: _,
            loads: _,
            holds: _,
            events,
        } = node;
        let condition = |trouble: domain::cluster::Trouble| NodeCondition {
            kind: trouble.kind,
            reason: trouble.reason,
            message: trouble.message,
            since: trouble.since.map(moment),
        };
        let event =
            |ClusterEvent { at, warning, reason, message, object, count }| LabEvent { at: moment(at), warning, reason, message, object, count };
        Self {
            name,
            ready,
            cordoned,
            model: product,
            driver_version: driver,
            temperature,
            mig_strategy,
            cpu_cores,
            memory_gib,
            cards: kinds.into_iter().map(Into::into).collect(),
            holders: holders.into_iter().map(Into::into).collect(),
            conditions: troubles.into_iter().map(condition).collect(),
            events: events.into_iter().map(event).collect(),
        }
    }
}

/// The nodes by name, with who holds their cards, and what somebody should look at.
#[utoipa::path(get, path = "/api/v1/nodes", tag = "nodes", params(("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = NodeList)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<NodeList>, Problem> {
    let page = query.page();
    query.finish()?;
    let NodesView { version: _, simulated: _, away_since, reported_at, nodes, pools: _, findings } =
        services::nodes::list(&state.services, &caller).await?;
    let page = page.cut("nodes", nodes, |view| view.node.name.clone())?.map(Node::from);
    Ok(Json(NodeList { items: page.items, next: page.next, findings, reported_at: reported_at.map(moment), away_since: away_since.map(moment) }))
}

/// One node.
#[utoipa::path(get, path = "/api/v1/nodes/{name}", tag = "nodes", params(("name" = String, Path, example = "dell-pro-max-aipc-01")),
    responses((status = 200, body = Node)))]
pub async fn show(State(state): State<AppState>, Bearer(caller): Bearer, Path(name): Path<String>) -> Result<Json<Node>, Problem> {
    let (node, _) = services::nodes::get(&state.services, &caller, &name).await?;
    Ok(Json(node.into()))
}
