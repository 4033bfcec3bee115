use domain::time::Timestamp;
use serde_json::{Value, json};
use services::ports::{Change, ClusterError, PodTarget};

use super::*;
use crate::watch::sources::{Item, Object};

const LAB: &str = "018f0000-0000-7000-8000-000000000001";

fn lab() -> LabId {
    LAB.parse().expect("an id")
}

fn place() -> Home {
    ("lectern-x".into(), lab())
}

fn metadata(name: &str) -> Value {
    json!({
        "name": name,
        "namespace": "lectern-x",
        "uid": format!("uid-of-{name}"),
        "labels": { "lectern.dev/lab": LAB, "app.kubernetes.io/instance": "lab-7", "app.kubernetes.io/managed-by": "lectern" },
    })
}

fn pod(name: &str) -> Object {
    Object::Pod(Box::new(serde_json::from_value(json!({ "metadata": metadata(name) })).expect("a pod")))
}

fn set() -> Object {
    Object::StatefulSet(Box::new(serde_json::from_value(json!({ "metadata": metadata("lab-7") })).expect("a set")))
}

fn event(name: &str, object: &str) -> Object {
    let event = json!({
        "metadata": { "name": name, "namespace": "lectern-x" },
        "involvedObject": { "kind": "Pod", "namespace": "lectern-x", "name": object },
        "reason": "Pulled",
        "lastTimestamp": Timestamp::from_seconds(1_795_000_000).to_rfc3339(),
    });
    Object::Event(Box::new(serde_json::from_value(event).expect("an event")))
}

fn node(ready: &str, beat: &str) -> Object {
    let status = json!({ "conditions": [{ "type": "Ready", "status": ready, "lastHeartbeatTime": beat }] });
    Object::Node(Box::new(serde_json::from_value(json!({ "metadata": { "name": "n1" }, "status": status })).expect("a node")))
}

fn number(kind: &str) -> usize {
    sources::KINDS.iter().position(|known| *known == kind).expect("a kind")
}

fn is(contents: &mut Contents, kind: &str, object: Object) -> Vec<Change> {
    contents.take(number(kind), Item::Is(object))
}

fn synced() -> Contents {
    let mut contents = Contents::default();
    for source in 0..sources::COUNT {
        contents.take(source, Item::Begins);
    }
    for source in 0..sources::COUNT - 1 {
        assert_eq!(contents.take(source, Item::Synced), []);
    }
    assert_eq!(contents.take(0, Item::Is(set())), [], "nothing before the last source is synced");
    assert_eq!(contents.take(sources::COUNT - 1, Item::Synced), [Change::All, Change::Nodes]);
    contents
}

#[test]
fn all_is_reported_once_every_source_is_synced_and_again_after_a_new_list() {
    let mut contents = synced();
    assert_eq!(is(&mut contents, "Pod", pod("lab-7-0")), [Change::Lab(lab())]);
    assert_eq!(contents.take(number("Pod"), Item::Begins), []);
    assert!(contents.labs[&place()].pods.is_empty(), "the new list will tell");
    assert!(!contents.labs[&place()].workloads.is_empty(), "another source told that");
    assert_eq!(is(&mut contents, "Pod", pod("lab-7-0")), [], "as part of the list");
    assert_eq!(contents.take(number("Pod"), Item::Synced), [Change::All, Change::Nodes]);
}

#[test]
fn a_lab_whose_last_object_goes_is_forgotten() {
    let mut contents = synced();
    is(&mut contents, "Pod", pod("lab-7-0"));
    assert_eq!(contents.take(number("StatefulSet"), Item::Gone(set())), [Change::Lab(lab())]);
    assert_eq!(contents.take(number("Pod"), Item::Gone(pod("lab-7-0"))), [Change::Lab(lab())]);
    assert!(contents.labs.is_empty() && contents.places.is_empty());
}

#[test]
fn a_lab_that_went_unseen_is_forgotten_after_a_new_list() {
    let mut contents = synced();
    contents.take(number("StatefulSet"), Item::Begins);
    contents.take(number("StatefulSet"), Item::Synced);
    assert!(contents.labs.is_empty() && contents.places.is_empty());
}

/// Another client gives objects of its own the lab's labels, and deletes them again.
#[test]
fn objects_with_a_labs_labels_elsewhere_are_not_the_labs() {
    let mut contents = synced();
    is(&mut contents, "Pod", pod("lab-7-0"));
    let elsewhere = |name: &str| {
        let mut metadata = metadata(name);
        metadata["namespace"] = json!("default");
        json!({ "metadata": metadata })
    };
    let pod = || Object::Pod(Box::new(serde_json::from_value(elsewhere("lab-7-0")).expect("a pod")));
    let set = || Object::StatefulSet(Box::new(serde_json::from_value(elsewhere("lab-7")).expect("a set")));
    is(&mut contents, "Pod", pod());
    is(&mut contents, "StatefulSet", set());
    is(&mut contents, "StatefulSet", Object::StatefulSet(Box::new(serde_json::from_value(json!({ "metadata": metadata("other") })).expect("a set"))));
    assert_eq!(contents.labs[&place()].pods.len(), 1);
    let names: Vec<_> = contents.labs[&place()].workloads.keys().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["lab-7", "other"], "the lab's own is found by its name");
    contents.take(number("Pod"), Item::Gone(pod()));
    contents.take(number("StatefulSet"), Item::Gone(set()));
    assert_eq!((contents.labs[&place()].pods.len(), contents.labs.len()), (1, 1));
}

#[test]
fn a_heartbeat_of_a_node_is_no_change() {
    let mut contents = synced();
    assert_eq!(is(&mut contents, "Node", node("True", "2026-11-21T00:00:00Z")), [Change::Nodes]);
    assert_eq!(is(&mut contents, "Node", node("True", "2026-11-21T00:00:10Z")), []);
    assert_eq!(is(&mut contents, "Node", node("False", "2026-11-21T00:00:20Z")), [Change::Nodes]);
    assert_eq!(contents.take(number("Node"), Item::Gone(node("False", "2026-11-21T00:00:20Z"))), [Change::Nodes]);
}

#[test]
fn an_event_is_told_of_the_lab_whose_object_it_is_about() {
    let mut contents = synced();
    assert_eq!(is(&mut contents, "Event", event("a", "lab-7")), [Change::Lab(lab())]);
    assert_eq!(is(&mut contents, "Event", event("b", "lab-7-0")), [Change::Lab(lab())]);
    assert_eq!(is(&mut contents, "Event", event("c", "lab-70-0")), [], "another lab");
    assert_eq!(contents.take(number("Event"), Item::Gone(event("b", "lab-7-0"))), [], "it expired");
    assert_eq!(contents.events.len(), 2);
}

fn with_cards(name: &str, node: Option<&str>) -> Object {
    let pod = json!({
        "metadata": { "name": name, "namespace": "other" },
        "spec": { "nodeName": node, "containers": [{ "name": "c", "resources": { "limits": { "nvidia.com/gpu": "2" } } }] },
    });
    Object::Pod(Box::new(serde_json::from_value(pod).expect("a pod")))
}

#[test]
fn a_pod_that_is_no_lab_changes_the_nodes_when_it_takes_and_leaves_cards() {
    let mut contents = synced();
    let labels = json!({ "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB" });
    let node = json!({ "metadata": { "name": "n1", "labels": labels }, "status": { "allocatable": { "nvidia.com/gpu": "8" } } });
    is(&mut contents, "Node", Object::Node(Box::new(serde_json::from_value(node).expect("a node"))));
    assert_eq!(is(&mut contents, "Pod", with_cards("p", None)), [], "it waits for a node");
    assert_eq!(is(&mut contents, "Pod", with_cards("p", Some("n1"))), [Change::Nodes]);
    assert_eq!(is(&mut contents, "Pod", with_cards("p", Some("n1"))), [], "the same as before");
    let nodes = contents.nodes().expect("all is known");
    assert_eq!((nodes[0].holds.len(), nodes[0].holds[0].cards, nodes[0].holds[0].lab), (1, 2, None));
    assert_eq!(contents.take(number("Pod"), Item::Gone(with_cards("p", Some("n1")))), [Change::Nodes]);
    assert!(contents.nodes().expect("all is known")[0].holds.is_empty());
}

#[test]
fn a_pod_is_looked_up_by_its_name_and_compared_by_its_uid() {
    let target = |name: &str, uid: &str| PodTarget { namespace: "lectern-x".into(), name: name.into(), uid: uid.into() };
    assert!(Contents::default().pod(&target("lab-7-0", "uid-of-lab-7-0")).is_none(), "the server must be asked");
    let mut contents = synced();
    let placed = json!({ "metadata": metadata("lab-7-0"), "spec": { "nodeName": "n1", "containers": [] } });
    is(&mut contents, "Pod", Object::Pod(Box::new(serde_json::from_value(placed).expect("a pod"))));
    let known = |contents: &Contents, name: &str, uid: &str| contents.pod(&target(name, uid)).expect("the watch is complete");
    assert!(known(&contents, "lab-7-0", "uid-of-lab-7-0").is_ok());
    for (name, uid) in [("lab-7-0", "uid-of-the-one-before"), ("lab-7-1", "uid-of-lab-7-1"), ("lab-8-0", "uid-of-lab-8-0"), ("", "")] {
        assert!(matches!(known(&contents, name, uid), Err(ClusterError::Busy(_))), "{name} {uid}");
    }
    contents.take(number("Pod"), Item::Gone(pod("lab-7-0")));
    assert!(matches!(known(&contents, "lab-7-0", "uid-of-lab-7-0"), Err(ClusterError::Busy(_))));
    contents.take(number("Pod"), Item::Begins);
    assert!(contents.pod(&target("lab-7-0", "uid-of-lab-7-0")).is_none(), "the new list will tell");
}
