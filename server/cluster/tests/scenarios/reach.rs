//! Which pods are reached, and what is said of those that are not.

use domain::{
    cluster::Obstacle,
    labs::{LabPod, ObservedPhase},
};
use futures::StreamExt;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::{Api, api::PostParams};
use serde_json::json;
use services::ports::{Change, ClusterError, ExecRequest, Fleet, LabOrder, LogRequest, PodTarget, Workloads};

use super::phase;
use crate::support::{Orders, rig::Rig, until};

/// What is asked of the portal's role for each way into a pod, in the order of `refusals`.
pub const RESOURCES: [&str; 3] = ["pods/portforward", "pods/exec", "pods/log"];

pub fn target(order: &LabOrder, pod: &LabPod) -> PodTarget {
    PodTarget { namespace: order.lab.namespace.clone(), name: pod.name.clone(), uid: pod.uid.clone() }
}

pub fn command(words: &[&str]) -> ExecRequest {
    ExecRequest { container: Some("lab".into()), command: words.iter().map(|word| (*word).to_owned()).collect(), terminal: false }
}

pub fn log() -> LogRequest {
    LogRequest { container: "lab".into(), ..LogRequest::default() }
}

/// Connects to the pod, runs a program in it and reads its log: the error of each, where it has one.
pub async fn refusals(cluster: &impl Workloads, pod: &PodTarget) -> [Option<ClusterError>; 3] {
    [cluster.connect(pod, 8_888).await.err(), cluster.exec(pod, &command(&["echo", "hi"])).await.err(), cluster.logs(pod, &log()).await.err()]
}

fn ask_to_wait(refusals: &[Option<ClusterError>; 3]) -> bool {
    refusals.iter().all(|refusal| matches!(refusal, Some(ClusterError::Busy(_))))
}

pub async fn a_pod_that_was_replaced_is_not_reached(rig: &Rig) {
    let mut order = Orders::new().plain();
    rig.start(&order).await;
    let seen = phase(rig, &order, ObservedPhase::Ready).await;
    let [first] = seen.members.as_slice() else { panic!("one pod: {seen:#?}") };
    assert!(first.ready && first.containers.contains(&"lab".to_owned()), "{first:?}");
    let (watched, gate) = rig.through_a_gate().await;
    let mut changes = watched.watch();
    while changes.next().await != Some(Change::All) {}
    let draining = tokio::spawn(changes.for_each(|_| std::future::ready(())));

    let first = target(&order, first);
    let gone = PodTarget { name: format!("{}-none", order.lab.name), ..first.clone() };
    let another = PodTarget { uid: "00000000-0000-0000-0000-000000000000".into(), ..first.clone() };
    for wrong in [&gone, &another] {
        let asked = refusals(&rig.cluster, wrong).await;
        assert!(ask_to_wait(&asked), "{asked:?}");
        let known = refusals(&watched, wrong).await;
        assert!(ask_to_wait(&known), "{known:?}");
    }

    order.lab.lifecycle.generation += 1;
    assert!(rig.cluster.observe(&order).await.expect("an answer").members.is_empty(), "no pod of this generation yet");
    rig.cluster.stop(&order).await.expect("a stop");
    phase(rig, &order, ObservedPhase::Idle).await;
    rig.start(&order).await;
    let seen = phase(rig, &order, ObservedPhase::Ready).await;
    let second = target(&order, &seen.members[0]);
    assert_eq!(second.name, first.name, "a name that is used again");
    assert_ne!(second.uid, first.uid);
    let asked = refusals(&rig.cluster, &first).await;
    assert!(ask_to_wait(&asked), "{asked:?}");
    until("the watch has seen it too", || refusals(&watched, &first), ask_to_wait).await;
    drop(gate);
    draining.abort();
    rig.clean(&order).await;
}

pub async fn the_right_that_reaching_a_pod_lacks_is_named(rig: &Rig) {
    let order = Orders::new().plain();
    rig.start(&order).await;
    let seen = phase(rig, &order, ObservedPhase::Ready).await;
    let pod = target(&order, &seen.members[0]);

    let stranger = rig.acting_as("system:serviceaccount:lectern:stranger").await;
    for refusal in refusals(&stranger, &pod).await {
        let expected = Obstacle::MissingRight { verb: "get".into(), resource: "pods".into() };
        assert!(matches!(&refusal, Some(ClusterError::Blocked(obstacle)) if *obstacle == expected), "{refusal:?}");
    }

    let role = json!({ "metadata": { "name": "reader" }, "rules": [{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] }] });
    let binding = json!({
        "metadata": { "name": "reader" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader" },
        "subjects": [{ "kind": "ServiceAccount", "namespace": "lectern", "name": "reader" }],
    });
    let roles = Api::<Role>::namespaced(rig.client.clone(), &order.lab.namespace);
    roles.create(&PostParams::default(), &serde_json::from_value(role).expect("a role")).await.expect("a role");
    let bindings = Api::<RoleBinding>::namespaced(rig.client.clone(), &order.lab.namespace);
    bindings.create(&PostParams::default(), &serde_json::from_value(binding).expect("a binding")).await.expect("a binding");
    let reader = rig.acting_as("system:serviceaccount:lectern:reader").await;
    let named = |refusals: &[Option<ClusterError>; 3]| {
        RESOURCES.iter().zip(refusals).all(
            |(expected, refusal)| matches!(refusal, Some(ClusterError::Blocked(Obstacle::MissingRight { resource, .. })) if resource == expected),
        )
    };
    // An API server takes a moment to learn of a new role.
    until("each right is named", || refusals(&reader, &pod), named).await;
    rig.clean(&order).await;
}
