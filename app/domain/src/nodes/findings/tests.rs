use super::*;
use crate::{
    capacity::Machine,
    cluster::Trouble,
    nodes::{Holder, KindUse, inventory},
};

fn node(name: &str, driver: &str) -> NodeView {
    let node = Node {
        name: name.into(),
        ready: true,
        cordoned: false,
        product: "NVIDIA-A100-SXM4-80GB".into(),
        cards: vec![],
        cpu_cores: 128,
        memory_gib: 1_024,
        pods: Some(110),
        vendor: Some(Vendor::Nvidia),
        driver: Some(driver.into()),
        mig_strategy: None,
        temperature: Some(60),
        troubles: vec![],
        capacity: vec![],
        sharing: None,
        taints: vec![],
        loads: vec![],
        holds: vec![],
        events: vec![],
    };
    NodeView { node, kinds: vec![], holders: vec![], machine_left: None }
}

#[test]
fn a_quiet_cluster_has_no_findings() {
    assert_eq!(findings(&[node("n1", "550.54.15"), node("n2", "550.54.15")], &[], &[], &[]), []);
}

#[test]
fn the_odd_driver_is_named_with_what_the_others_have() {
    let mut amd = node("n4", "6.7.0");
    amd.node.vendor = Some(Vendor::Amd);
    let nodes = [node("n1", "550.54.15"), node("n2", "550.54.15"), node("n3", "535.161.08"), amd];
    let expected = Finding::DriverDiffers { node: "n3".into(), driver: "535.161.08".into(), usual: "550.54.15".into(), nodes: 2 };
    assert_eq!(findings(&nodes, &[], &[], &[]), [expected]);
    let two = [node("n1", "1000.1"), node("n2", "550.54.15")];
    assert_eq!(findings(&two, &[], &[], &[])[0].node(), Some("n2"), "the older of two");
}

#[test]
fn cards_that_pods_cannot_have_are_findings() {
    let card: Card = "a100-80g".parse().expect("a card");
    let (mut broken, mut shared, mut tainted) = (node("n1", "1"), node("n2", "1"), node("n3", "1"));
    (broken.node.capacity, broken.node.cards) = (vec![(card, 8)], vec![(card, 6)]);
    shared.node.sharing = Some(crate::cluster::Sharing { strategy: "time-slicing".into(), cards: 8, shares: 32 });
    (tainted.node.capacity, tainted.node.cards, tainted.node.taints) = (vec![(card, 8)], vec![(card, 8)], vec!["research=x:NoSchedule".into()]);
    assert_eq!(
        findings(&[broken, shared, tainted], &[], &[], &[]),
        [
            Finding::CardsMissing { node: "n1".into(), allocatable: 6, capacity: 8 },
            Finding::Shared { node: "n2".into(), strategy: "time-slicing".into(), cards: 8, shares: 32 },
            Finding::Tainted { node: "n3".into(), cards: 8, taints: vec!["research=x:NoSchedule".into()] },
        ]
    );
}

#[test]
fn a_number_of_cards_that_cannot_be_true_is_a_finding_and_no_overflow() {
    let card: Card = "a100-80g".parse().expect("a card");
    let mut view = node("n1", "1");
    let figure = "default/p: a100-80g × 4294967295";
    view.node.troubles = vec![Trouble { kind: IMPOSSIBLE_CARDS.into(), reason: String::new(), message: figure.into(), since: None }];
    view.kinds = vec![KindUse { card, total: u32::MAX, used: 0, free: u32::MAX }; 2];
    view.node.cards = vec![(card, u32::MAX); 2];
    view.holders = vec![Holder { card, cards: u32::MAX, who: Who::Pod("default/p".into()) }; 2];
    let found = findings(std::slice::from_ref(&view), &[], &[], &[]);
    assert_eq!(found[0], Finding::ImpossibleCards { node: "n1".into(), figure: figure.into() });
    assert_eq!(inventory(&[view])[0].gpu_total, u32::MAX);
}

#[test]
fn unused_cards_beside_too_few_processors_or_pod_slots_are_a_finding() {
    let card: Card = "a100-80g".parse().expect("a card");
    let with = |used, cpu_cores, pods| {
        let mut view = node("n1", "1");
        view.kinds = vec![KindUse { card, total: 8, used, free: 8 - used }];
        view.machine_left = Some(Machine { cpu_cores, memory_gib: 512, pods });
        view
    };
    assert_eq!(
        findings(&[with(0, 128, Some(0))], &[], &[], &[]),
        [Finding::Crowded { node: "n1".into(), cards: 8, cpu_cores: 128, memory_gib: 512, pods: Some(0) }]
    );
    assert_eq!(findings(&[with(2, 5, None)], &[], &[], &[]).len(), 1, "five cores for six cards");
    assert_eq!(findings(&[with(3, 5, Some(5))], &[], &[], &[]), []);
    assert_eq!(findings(&[with(8, 0, Some(0))], &[], &[], &[]), [], "all cards are used");
}

#[test]
fn a_missing_right_comes_with_the_lines_of_the_role() {
    let rule = |verb: &str, resource: &str| {
        Finding::MissingRight { verb: verb.into(), resource: resource.into(), since: Timestamp::from_seconds(0) }.role_rule()
    };
    let exec = "- apiGroups: [\"\"]\n  resources: [\"pods/exec\"]\n  verbs: [\"get\", \"create\"]";
    assert_eq!(rule("create", "pods/exec").as_deref(), Some(exec));
    let list = "- apiGroups: [\"apps\"]\n  resources: [\"replicasets\"]\n  verbs: [\"list\"]";
    assert_eq!(rule("list", "replicasets.apps").as_deref(), Some(list));
    assert_eq!(Finding::Hot { node: "n1".into(), celsius: 91 }.role_rule(), None);
}

#[test]
fn several_late_starts_on_a_node_or_of_an_offering_are_a_finding() {
    let late = |lab: u128, offering: &str, node: &str| LateStart {
        lab: LabId::from_uuid(uuid::Uuid::from_u128(lab)),
        offering: Localized { zh: offering.into(), en: offering.into() },
        node: Some(node.into()),
    };
    let on_one = [late(1, "a", "n1"), late(2, "b", "n1"), late(3, "a", "n1"), late(4, "a", "n2")];
    assert_eq!(late_findings(&on_one), [Finding::LateOnNode { node: "n1".into(), labs: 3 }]);
    assert_eq!(late_findings(&on_one[1..]), []);
    // A lab with cards on two nodes is one lab.
    let spread = [late(1, "a", "n1"), late(1, "a", "n2"), late(2, "a", "n2"), late(3, "a", "n3")];
    let offering = Localized { zh: "a".into(), en: "a".into() };
    assert_eq!(late_findings(&spread), [Finding::LateOfOffering { offering, labs: 3 }]);
    assert_eq!(late_findings(&spread[..3]), []);
}

#[test]
fn what_is_serious_comes_first() {
    let (mut hot, mut lost) = (node("n1", "1"), node("n2", "1"));
    hot.node.temperature = Some(91);
    hot.holders.push(Holder { card: "a100-80g".parse().expect("a card"), cards: 2, who: Who::Pod("kube-system/stray".into()) });
    lost.node.ready = false;
    lost.node.troubles = vec![Trouble { kind: "Ready".into(), reason: "NodeStatusUnknown".into(), message: "stopped posting".into(), since: None }];
    let card: Card = "a100-80g".parse().expect("a card");
    let waits = [WaitReason::NoSingleNode { card, per_node: 4, largest: 3 }, WaitReason::Turn { card }];
    let found = findings(&[hot, lost], &[], &waits, &[]);
    let kinds: Vec<_> = found.iter().map(|finding| serde_json::to_value(finding).expect("JSON")["kind"].clone()).collect();
    assert_eq!(kinds, ["not_ready", "hot", "foreign", "scattered"]);
}
