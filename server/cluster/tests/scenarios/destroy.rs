//! After a destroy nothing is left, and nothing is taken that was not Lectern's.

use domain::{
    ids::SecretId,
    labs::ObservedPhase,
    secret::{Secret, SecretValue},
};
use k8s_openapi::api::core::v1::{self as core, Namespace, ServiceAccount};
use kube::{
    Api, ResourceExt,
    api::{ListParams, Patch, PatchParams, PostParams},
    discovery::{Discovery, Scope, verbs},
};
use serde_json::json;
use services::ports::{ClusterError, Fleet, LabOrder, Workloads};

use super::phase;
use crate::support::{Orders, orders::with_own_secret, rig::Rig, until};

pub async fn nothing_is_left_after_a_destroy(rig: &Rig) {
    let course = Orders::new();
    let (notebook, mut training) = (course.notebook(), with_own_secret(course.training(), "whisper"));
    training.lab.spec.secrets.insert("HF_TOKEN".into(), SecretValue::Stored(SecretId::from_uuid(uuid::Uuid::new_v4())));
    training.secrets.insert("HF_TOKEN".into(), Secret::new("hush".into()));
    for order in [&notebook, &training] {
        rig.start(order).await;
        phase(rig, order, ObservedPhase::Ready).await;
    }
    let secrets = Api::<core::Secret>::namespaced(rig.client.clone(), &training.lab.namespace);
    let kept = secrets.get(&training.lab.name).await.expect("the lab's Secret").data.unwrap_or_default();
    assert_eq!(kept["HF_TOKEN"].0, b"hush");
    let own = secrets.get(&format!("{}-door", training.lab.name)).await.expect("the lab's own Secret").data.unwrap_or_default();
    assert_eq!(own["JUPYTER_TOKEN"].0, b"whisper");
    let left = rig.cluster.destroy(&training, false).await.expect("a destroy");
    assert!(left > 0, "pods take a moment to end");
    until("the job is gone", || rig.cluster.destroy(&training, false), |left| matches!(left, Ok(0))).await.expect("until");
    until("no trace of the job", || traces(rig, &training), Vec::is_empty).await;
    assert_eq!(rig.cluster.observe(&training).await.expect("an answer").phase, ObservedPhase::Absent);
    assert_eq!(rig.cluster.observe(&notebook).await.expect("an answer").phase, ObservedPhase::Ready, "the other lab is untouched");
    rig.clean(&notebook).await;
    let namespaces = Api::<Namespace>::all(rig.client.clone());
    assert!(namespaces.get_opt(&notebook.lab.namespace).await.expect("an answer").is_none());
    assert_eq!(traces(rig, &notebook).await, Vec::<String>::new());
    assert_eq!(rig.cluster.destroy(&notebook, true).await.expect("a destroy of nothing"), 0);
}

/// Objects of any kind that the server knows which are called after the lab.
async fn traces(rig: &Rig, order: &LabOrder) -> Vec<String> {
    let lab = &order.lab;
    let mut found = Vec::new();
    let discovery = Discovery::new(rig.client.clone()).run().await.expect("discovery");
    for (resource, capabilities) in discovery.groups().flat_map(kube::discovery::ApiGroup::recommended_resources) {
        // Events are the record of what happened and expire by themselves.
        if capabilities.scope != Scope::Namespaced || !capabilities.supports_operation(verbs::LIST) || resource.kind == "Event" {
            continue;
        }
        let api = Api::<kube::api::DynamicObject>::namespaced_with(rig.client.clone(), &lab.namespace, &resource);
        let listed = api.list(&ListParams::default()).await.unwrap_or_else(|error| panic!("{}: {error}", resource.plural));
        found.extend(
            listed
                .items
                .iter()
                .filter(|object| object.name_any().starts_with(&lab.name))
                .map(|object| format!("{}/{}", resource.kind, object.name_any())),
        );
    }
    found
}

pub async fn the_namespace_stays_while_another_lab_lives_in_it(rig: &Rig) {
    let course = Orders::new();
    let (one, other) = (course.plain(), course.notebook());
    rig.start(&one).await;
    rig.start(&other).await;
    // The portal may call a lab the last one just as the next is ordered.
    until("the first lab is gone", || rig.cluster.destroy(&one, true), |left| matches!(left, Ok(0))).await.expect("until");
    phase(rig, &other, ObservedPhase::Ready).await;
    rig.clean(&other).await;
}

pub async fn a_namespace_that_somebody_else_made_is_left_alone(rig: &Rig) {
    let order = Orders::new().plain();
    let name = order.lab.namespace.as_str();
    let namespaces = Api::<Namespace>::all(rig.client.clone());
    let theirs: Namespace = serde_json::from_value(json!({ "metadata": { "name": name, "labels": { "team": "campus" } } })).expect("a namespace");
    namespaces.create(&PostParams::default(), &theirs).await.expect("a namespace");
    rig.start(&order).await;
    phase(rig, &order, ObservedPhase::Ready).await;
    rig.clean(&order).await;
    let kept = namespaces.get(name).await.expect("the namespace is still there");
    assert_eq!(kept.metadata.deletion_timestamp, None);
    assert!(!kept.labels().contains_key("lectern.dev/course"));
    namespaces.delete(name, &kube::api::DeleteParams::default()).await.expect("a deletion");
}

pub async fn a_start_waits_for_a_namespace_that_is_ending(rig: &Rig) {
    let order = Orders::new().plain();
    rig.start(&order).await;
    phase(rig, &order, ObservedPhase::Ready).await;
    let accounts = Api::<ServiceAccount>::namespaced(rig.client.clone(), &order.lab.namespace);
    let blocker: ServiceAccount =
        serde_json::from_value(json!({ "metadata": { "name": "blocker", "finalizers": ["lectern.dev/test"] } })).expect("an account");
    accounts.create(&PostParams::default(), &blocker).await.expect("an account");
    let namespaces = Api::<Namespace>::all(rig.client.clone());
    let ending = async || {
        let left = rig.cluster.destroy(&order, true).await.expect("a destroy");
        let namespace = namespaces.get_opt(&order.lab.namespace).await.expect("an answer").expect("the blocked namespace");
        (left, namespace.metadata.deletion_timestamp.is_some())
    };
    // One object is also left while the last pod ends, before the namespace is deleted.
    until("only the namespace is left", ending, |seen| *seen == (1, true)).await;
    let error = rig.cluster.start(&order).await.expect_err("the namespace is ending");
    assert!(matches!(error, ClusterError::Busy(_)), "{error:?}");
    rig.cluster.set_quota(&order.course, &order.course.settings.limits).await.expect("nothing to do");
    let free = json!({ "metadata": { "finalizers": null } });
    accounts.patch("blocker", &PatchParams::default(), &Patch::Merge(&free)).await.expect("a patch");
    rig.start(&order).await;
    phase(rig, &order, ObservedPhase::Ready).await;
    rig.clean(&order).await;
}
