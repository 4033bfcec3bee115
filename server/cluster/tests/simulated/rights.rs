//! The whole life of labs with exactly the rights in `cluster::rights`.

use cluster::rights;
use domain::{cluster::Obstacle, labs::ObservedPhase};
use futures::StreamExt;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;
use services::ports::{Change, ClusterError, Fleet, Growth, LabOrder, Workloads};

use crate::{
    scenarios::reach::{RESOURCES, refusals, target},
    support::{
        Orders,
        orders::{annotated, with_own_secret},
        rig::Rig,
        until,
    },
};

const USER: &str = "system:serviceaccount:lectern:lectern";

/// Gives the portal's user a role with these rules.
async fn grant(rig: &Rig) {
    let role = json!({ "metadata": { "name": "lectern" }, "rules": rights::rules() });
    let binding = json!({
        "metadata": { "name": "lectern" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "lectern" },
        "subjects": [{ "kind": "ServiceAccount", "namespace": "lectern", "name": "lectern" }],
    });
    let roles = Api::<ClusterRole>::all(rig.client.clone());
    roles.create(&PostParams::default(), &serde_json::from_value(role).expect("a role")).await.expect("a role");
    let bindings = Api::<ClusterRoleBinding>::all(rig.client.clone());
    bindings.create(&PostParams::default(), &serde_json::from_value(binding).expect("a binding")).await.expect("a binding");
}

/// Takes this verb on this resource out of the role.
async fn lack(rig: &Rig, resource: &str, verb: &str) {
    let mut rules = rights::rules();
    for rule in rules.as_array_mut().expect("rules").iter_mut().filter(|rule| rule["resources"] == json!([resource])) {
        rule["verbs"].as_array_mut().expect("verbs").retain(|one| one != verb);
    }
    let granted = Api::<ClusterRole>::all(rig.client.clone());
    granted.patch("lectern", &PatchParams::default(), &Patch::Merge(json!({ "rules": rules }))).await.expect("a change");
}

/// Takes the resource out of the role.
async fn lack_all(rig: &Rig, resource: &str) {
    let mut rules = rights::rules();
    rules.as_array_mut().expect("rules").retain(|rule| rule["resources"] != json!([resource]));
    let granted = Api::<ClusterRole>::all(rig.client.clone());
    granted.patch("lectern", &PatchParams::default(), &Patch::Merge(json!({ "rules": rules }))).await.expect("a change");
}

async fn reaches(cluster: &impl Workloads, order: &LabOrder, wanted: ObservedPhase) {
    let seen = || cluster.observe(order);
    until(&format!("{wanted:?}"), seen, |seen| seen.as_ref().is_ok_and(|seen| seen.phase == wanted)).await.expect("until");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rights_that_are_asked_for_are_enough_for_the_whole_life() {
    let rig = Rig::simulated().await;
    grant(&rig).await;
    let cluster = rig.acting_as(USER).await;
    let orders = Orders::new();
    cluster.info().await.expect("the nodes");
    let all = [
        with_own_secret(orders.notebook(), "hush"),
        orders.editor(),
        orders.inference(),
        annotated(orders.batch(), "succeed-after", "1"),
        orders.training(),
    ];
    for order in &all {
        until("a start", || cluster.start(order), Result::is_ok).await.expect("until");
    }
    let mut changes = cluster.watch();
    while changes.next().await != Some(Change::All) {}
    for order in all.iter().filter(|order| !order.lab.spec.workload.ends()) {
        reaches(&cluster, order, ObservedPhase::Ready).await;
    }
    let mut larger = orders.editor();
    larger.lab.spec.storage_gib = 40;
    assert!(cluster.volume(&larger).await.expect("an answer").is_some());
    assert_eq!(cluster.check_growth(&larger, 40).await.expect("an answer"), Growth::Allowed);
    assert!(cluster.grow_volume(&larger).await.expect("an answer"));
    cluster.set_quota(&orders.course, &orders.course.settings.limits).await.expect("a quota");
    for order in &all {
        cluster.stop(order).await.expect("a stop");
    }
    for (at, order) in all.iter().enumerate() {
        let last = at + 1 == all.len();
        until("nothing is left", || cluster.destroy(order, last), |left| matches!(left, Ok(0))).await.expect("until");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_that_is_missing_is_named_and_is_no_failure_of_the_lab() {
    let rig = Rig::simulated().await;
    grant(&rig).await;
    let cluster = rig.acting_as(USER).await;
    let order = Orders::new().editor();
    cluster.start(&order).await.expect("a start");
    lack(&rig, "replicasets", "list").await;
    let refused = cluster.destroy(&order, true).await.expect_err("a right is missing");
    let expected = Obstacle::MissingRight { verb: "list".into(), resource: "replicasets.apps".into() };
    assert!(matches!(&refused, ClusterError::Blocked(obstacle) if *obstacle == expected), "{refused:?}");
    assert!(!refused.to_string().contains("serviceaccount"), "{refused}");
}

/// A teacher whose lab failed for it could do nothing, and would read the name of the portal's account.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_right_that_a_start_lacks_is_named_and_the_start_waits_for_it() {
    let rig = Rig::simulated().await;
    grant(&rig).await;
    let cluster = rig.acting_as(USER).await;
    let order = with_own_secret(Orders::new().editor(), "hush");
    for (resource, group) in [
        ("namespaces", ""),
        ("resourcequotas", ""),
        ("limitranges", ""),
        ("networkpolicies", ".networking.k8s.io"),
        ("serviceaccounts", ""),
        ("secrets", ""),
        ("services", ""),
        ("persistentvolumeclaims", ""),
        ("jobs", ".batch"),
        ("deployments", ".apps"),
    ] {
        lack(&rig, resource, "patch").await;
        let refused = cluster.start(&order).await.expect_err(resource);
        let expected = Obstacle::MissingRight { verb: "patch".into(), resource: format!("{resource}{group}") };
        assert!(matches!(&refused, ClusterError::Blocked(obstacle) if *obstacle == expected), "{resource}: {refused:?}");
        assert!(!refused.to_string().contains("serviceaccount:"), "{refused}");
    }
    lack(&rig, "deployments", "none").await;
    until("a start", || cluster.start(&order), Result::is_ok).await.expect("until");
    reaches(&cluster, &order, ObservedPhase::Ready).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rights_are_enough_to_reach_a_pod_and_each_that_is_missing_is_named() {
    let rig = Rig::simulated().await;
    grant(&rig).await;
    let cluster = rig.acting_as(USER).await;
    let order = Orders::new().plain();
    cluster.start(&order).await.expect("a start");
    reaches(&cluster, &order, ObservedPhase::Ready).await;
    let pod = target(&order, &cluster.observe(&order).await.expect("an answer").members[0]);
    let refused = refusals(&cluster, &pod).await;
    assert!(refused.iter().all(Option::is_none), "{refused:?}");
    for lacked in RESOURCES {
        lack_all(&rig, lacked).await;
        for (resource, refusal) in RESOURCES.iter().zip(refusals(&cluster, &pod).await) {
            match refusal {
                Some(ClusterError::Blocked(Obstacle::MissingRight { resource, .. })) => assert_eq!(resource, lacked),
                other => assert!(*resource != lacked && other.is_none(), "{resource} without {lacked}: {other:?}"),
            }
        }
    }
}
