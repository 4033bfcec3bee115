//! Columns of namespaces, nodes, pods, services and events.

use serde_json::Value;

use super::{Column, age, joined, or};
use crate::{stamp, value};

pub fn namespaces() -> Vec<Column> {
    vec![Column::plain("Status", |object| or(object, "/status/phase", "")), Column::plain("Age", age)]
}

pub fn nodes() -> Vec<Column> {
    vec![
        Column::plain("Status", node_status),
        Column::plain("Roles", |node| {
            let roles = joined(value::entries(node, "/metadata/labels").filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/")));
            if roles.is_empty() { "<none>".into() } else { roles.into() }
        }),
        Column::plain("Age", age),
        Column::plain("Version", |node| or(node, "/status/nodeInfo/kubeletVersion", "")),
        Column::wide("Internal-IP", |node| address(node, "InternalIP")),
        Column::wide("External-IP", |node| address(node, "ExternalIP")),
        Column::wide("OS-Image", |node| or(node, "/status/nodeInfo/osImage", "<unknown>")),
        Column::wide("Kernel-Version", |node| or(node, "/status/nodeInfo/kernelVersion", "<unknown>")),
        Column::wide("Container-Runtime", |node| or(node, "/status/nodeInfo/containerRuntimeVersion", "<unknown>")),
    ]
}

fn node_status(node: &Value) -> Value {
    let ready = value::items(node, "/status/conditions").iter().find(|one| one["type"] == "Ready");
    let mut text = match ready.map(|one| one["status"] == "True") {
        Some(true) => "Ready",
        Some(false) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if value::flag(node, "/spec/unschedulable") {
        text.push_str(",SchedulingDisabled");
    }
    text.into()
}

fn address(node: &Value, kind: &str) -> Value {
    let found = value::items(node, "/status/addresses").iter().find(|one| one["type"] == kind);
    found.map_or("<none>".into(), |one| one["address"].clone())
}

pub fn pods() -> Vec<Column> {
    vec![
        Column::plain("Ready", |pod| {
            let ready = value::items(pod, "/status/containerStatuses").iter().filter(|one| one["ready"] == true).count();
            format!("{ready}/{}", value::items(pod, "/spec/containers").len()).into()
        }),
        Column::plain("Status", |pod| pod_status(pod).into()),
        Column::plain("Restarts", |pod| {
            let restarts: i64 = value::items(pod, "/status/containerStatuses").iter().filter_map(|one| value::int(one, "/restartCount")).sum();
            restarts.to_string().into()
        }),
        Column::plain("Age", age),
        Column::wide("IP", |pod| or(pod, "/status/podIP", "<none>")),
        Column::wide("Node", |pod| or(pod, "/spec/nodeName", "<none>")),
        Column::wide("Nominated Node", |pod| or(pod, "/status/nominatedNodeName", "<none>")),
        Column::wide("Readiness Gates", |_| "<none>".into()),
    ]
}

/// The word that sums a pod up.
fn pod_status(pod: &Value) -> String {
    let mut word = or(pod, "/status/reason", value::text(pod, "/status/phase")).as_str().unwrap_or_default().to_owned();
    for status in value::items(pod, "/status/containerStatuses").iter().rev() {
        let waiting = value::text(status, "/state/waiting/reason");
        let ended = value::text(status, "/state/terminated/reason");
        if !waiting.is_empty() {
            waiting.clone_into(&mut word);
        } else if !ended.is_empty() {
            ended.clone_into(&mut word);
        }
    }
    if value::is_terminating(pod) { "Terminating".to_owned() } else { word }
}

pub fn services() -> Vec<Column> {
    vec![
        Column::plain("Type", |service| or(service, "/spec/type", "")),
        Column::plain("Cluster-IP", |service| or(service, "/spec/clusterIP", "<none>")),
        Column::plain("External-IP", |service| match value::text(service, "/spec/type") {
            "ExternalName" => or(service, "/spec/externalName", "<none>"),
            "LoadBalancer" => "<pending>".into(),
            _ => "<none>".into(),
        }),
        Column::plain("Port(s)", |service| {
            let each = value::items(service, "/spec/ports").iter().map(|port| match value::int(port, "/nodePort") {
                Some(node) => format!("{}:{node}/{}", port["port"], value::text(port, "/protocol")),
                None => format!("{}/{}", port["port"], value::text(port, "/protocol")),
            });
            let text = each.collect::<Vec<_>>().join(",");
            if text.is_empty() { "<none>".into() } else { text.into() }
        }),
        Column::plain("Age", age),
        Column::wide("Selector", |service| {
            let text = labels(service.pointer("/spec/selector"));
            if text.is_empty() { "<none>".into() } else { text.into() }
        }),
    ]
}

/// Labels as `a=b,c=d`.
fn labels(map: Option<&Value>) -> String {
    let each = map.and_then(Value::as_object).into_iter().flatten().map(|(key, text)| format!("{key}={}", text.as_str().unwrap_or_default()));
    each.collect::<Vec<_>>().join(",")
}

pub fn endpoints() -> Vec<Column> {
    vec![
        Column::plain("Endpoints", |object| {
            let mut all = Vec::new();
            for subset in value::items(object, "/subsets") {
                for address in value::items(subset, "/addresses") {
                    let ports = value::items(subset, "/ports");
                    if ports.is_empty() {
                        all.push(value::text(address, "/ip").to_owned());
                    }
                    all.extend(ports.iter().map(|port| format!("{}:{}", value::text(address, "/ip"), port["port"])));
                }
            }
            let more = all.len().saturating_sub(3);
            let mut text = all.into_iter().take(3).collect::<Vec<_>>().join(",");
            if more > 0 {
                text = format!("{text} + {more} more...");
            }
            if text.is_empty() { "<none>".into() } else { text.into() }
        }),
        Column::plain("Age", age),
    ]
}

pub fn events() -> Vec<Column> {
    fn last(event: &Value) -> &str {
        ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp"]
            .into_iter()
            .map(|at| value::text(event, at))
            .find(|text| !text.is_empty())
            .unwrap_or_default()
    }
    fn first(event: &Value) -> &str {
        ["/firstTimestamp", "/eventTime"].into_iter().map(|at| value::text(event, at)).find(|text| !text.is_empty()).unwrap_or_default()
    }
    vec![
        Column::plain("Last Seen", |event| stamp::age(last(event)).into()),
        Column::plain("Type", |event| or(event, "/type", "")),
        Column::plain("Reason", |event| or(event, "/reason", "")),
        Column::plain("Object", |event| {
            let kind = value::text(event, "/involvedObject/kind").to_lowercase();
            format!("{kind}/{}", value::text(event, "/involvedObject/name")).into()
        }),
        Column::wide("Subobject", |event| or(event, "/involvedObject/fieldPath", "")),
        Column::wide("Source", |event| {
            let host = value::text(event, "/source/host");
            let component = or(event, "/source/component", value::text(event, "/reportingComponent"));
            let component = component.as_str().unwrap_or_default();
            if host.is_empty() { component.into() } else { format!("{component}, {host}").into() }
        }),
        Column::plain("Message", |event| value::text(event, "/message").trim().into()),
        Column::wide("First Seen", |event| stamp::age(first(event)).into()),
        Column::wide("Count", |event| value::int(event, "/series/count").or(value::int(event, "/count")).unwrap_or(1).to_string().into()),
        Column::wide("Name", |event| value::name(event).into()),
    ]
}
