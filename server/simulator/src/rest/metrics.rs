//! `metrics.k8s.io`: the use of pods and nodes. Containers that are processes of this machine are measured (`local::usage`); other pods say it by
//! the annotation `fake-kubelet/cpu` (`250m`), and those that do not are answered like pods that were not measured yet.

use axum::http::Method;
use serde_json::{Value, json};

use super::{
    Api, Call,
    access::{self, Deed, User},
};
use crate::{
    error::{ApiError, Result},
    quantity::Quantity,
    registry::Resource,
    selector::LabelSelector,
    stamp,
    store::{Key, Store},
    value,
};

pub const GROUP: &str = "metrics.k8s.io";
pub const VERSION: &str = "v1beta1";

/// `None` for other paths.
pub fn answer(api: &Api, path: &str, method: &Method, call: &Call) -> Result<Option<Value>> {
    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    let ["apis", GROUP, VERSION, place @ ..] = steps.as_slice() else { return Ok(None) };
    let (resource, namespace, name) = match place {
        ["pods"] => ("pods", "", ""),
        ["namespaces", namespace, "pods"] => ("pods", *namespace, ""),
        ["namespaces", namespace, "pods", name] => ("pods", *namespace, *name),
        ["nodes"] => ("nodes", "", ""),
        ["nodes", name] => ("nodes", "", *name),
        _ => return Ok(None),
    };
    if method != Method::GET {
        return Err(ApiError::method_not_allowed());
    }
    if let Some(user) = User::impersonated(&call.headers) {
        check(&api.store, &user, resource, namespace, name)?;
    }
    let labels = LabelSelector::parse(call.query.get("labelSelector").unwrap_or_default())?;
    let usage = match (resource, name) {
        ("pods", "") => list("PodMetrics", &pods(api, namespace, &labels)),
        ("pods", name) => {
            let pod = api.store.write().get(&Key::new(Resource::Pods, namespace, name));
            let measured = pod.and_then(|pod| of_pod(api, &pod));
            measured.ok_or_else(|| ApiError::new(404, "NotFound", format!("podmetrics.{GROUP} \"{namespace}/{name}\" not found")))?
        }
        (_, "") => list("NodeMetrics", &nodes(api, &labels)),
        (_, name) => {
            let node = api.store.write().get(&Key::new(Resource::Nodes, "", name));
            let node = node.ok_or_else(|| ApiError::new(404, "NotFound", format!("nodemetrics.{GROUP} \"{name}\" not found")))?;
            of_node(api, &node)
        }
    };
    Ok(Some(usage))
}

fn list(kind: &str, items: &[Value]) -> Value {
    json!({"kind": format!("{kind}List"), "apiVersion": format!("{GROUP}/{VERSION}"), "metadata": {}, "items": items})
}

fn pods(api: &Api, namespace: &str, labels: &LabelSelector) -> Vec<Value> {
    let pods = api.store.write().list(Resource::Pods, namespace);
    pods.iter().filter(|pod| labels.matches(pod)).filter_map(|pod| of_pod(api, pod)).collect()
}

fn nodes(api: &Api, labels: &LabelSelector) -> Vec<Value> {
    let nodes = api.store.write().list(Resource::Nodes, "");
    nodes.iter().filter(|node| labels.matches(node)).map(|node| of_node(api, node)).collect()
}

/// Use of a container or of a node.
#[derive(Clone, Copy)]
struct Amounts {
    cpu: Quantity,
    memory: Quantity,
}

impl Amounts {
    const NONE: Self = Self { cpu: Quantity::ZERO, memory: Quantity::ZERO };

    fn read(cpu: &str, memory: &str) -> Self {
        Self { cpu: Quantity::parse(cpu).unwrap_or(Quantity::ZERO), memory: Quantity::parse(memory).unwrap_or(Quantity::ZERO) }
    }

    fn json(self) -> Value {
        json!({"cpu": self.cpu.to_string(), "memory": self.memory.to_string()})
    }
}

/// Use of each container of a pod; `None` if the pod is not measured.
fn amounts(api: &Api, pod: &Value) -> Option<Vec<Amounts>> {
    if value::text(pod, "/status/phase") != "Running" {
        return None;
    }
    if let Some(cpu) = value::annotation(pod, "fake-kubelet/cpu") {
        // The first container has it all.
        let each = [cpu].into_iter().chain(std::iter::repeat("0")).map(|cpu| Amounts::read(cpu, "64Mi"));
        return Some(each.take(value::items(pod, "/spec/containers").len()).collect());
    }
    let measured = api.local.as_ref()?.usage(pod)?;
    let read = |cpu: u64, memory: u64| Amounts::read(&format!("{cpu}n"), &format!("{}Ki", memory >> 10));
    Some(measured.into_iter().map(|usage| read(usage.nanocores, usage.memory_bytes)).collect())
}

fn of_pod(api: &Api, pod: &Value) -> Option<Value> {
    let amounts = amounts(api, pod)?;
    let containers = value::items(pod, "/spec/containers").iter().zip(amounts);
    let containers: Vec<_> = containers.map(|(one, amounts)| json!({"name": value::text(one, "/name"), "usage": amounts.json()})).collect();
    let mut metrics = measured("PodMetrics", pod);
    metrics["metadata"]["namespace"] = value::namespace(pod).into();
    metrics["containers"] = containers.into();
    Some(metrics)
}

/// A node uses what its pods use: nothing else runs on it.
fn of_node(api: &Api, node: &Value) -> Value {
    let pods = api.store.write().list(Resource::Pods, "");
    let here = pods.iter().filter(|pod| value::text(pod, "/spec/nodeName") == value::name(node));
    let all = here.filter_map(|pod| amounts(api, pod)).flatten();
    let sum = all.fold(Amounts::NONE, |sum, one| Amounts { cpu: sum.cpu + one.cpu, memory: sum.memory + one.memory });
    let mut metrics = measured("NodeMetrics", node);
    metrics["usage"] = sum.json();
    metrics
}

/// The part that all metrics have: the object that they are about, and the time.
fn measured(kind: &str, object: &Value) -> Value {
    let now = stamp::now();
    let labels = object.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}));
    json!({
        "kind": kind,
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "metadata": {"name": value::name(object), "creationTimestamp": now, "labels": labels},
        "timestamp": now,
        "window": "15s",
    })
}

fn check(store: &Store, user: &User, resource: &str, namespace: &str, name: &str) -> Result<()> {
    let verb = if name.is_empty() { "list" } else { "get" };
    let deed = Deed {
        verb: verb.to_owned(),
        group: GROUP.to_owned(),
        resource: resource.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        path: String::new(),
    };
    if access::judge(store, user, &deed).allowed {
        return Ok(());
    }
    let place = if namespace.is_empty() { "at the cluster scope".to_owned() } else { format!("in the namespace {namespace:?}") };
    let why = format!("User {:?} cannot {verb} resource {resource:?} in API group {GROUP:?} {place}", user.name);
    let which = if name.is_empty() { String::new() } else { format!(" {name:?}") };
    Err(ApiError::new(403, "Forbidden", format!("{resource}.{GROUP}{which} is forbidden: {why}")))
}
