//! Deployments and ReplicaSets, simply: a ReplicaSet for each template, the newest at full size, older ones at none.

use serde_json::json;

use super::{
    Context, Work,
    events::{self, Said},
    pod_template::{adopt, controlled, is_ready, pod_of, reference, revision, set_condition},
};
use crate::{
    admission::usage::has_ended,
    ops::{
        Writer, create,
        delete::{self, Options},
        update::{self, Part},
    },
    registry::Resource,
    store::{Change, Key, Object},
    value,
};

const REVISION: &str = "deployment.kubernetes.io/revision";

pub fn observe(context: &mut Context, change: &Change) {
    let owner = |kind: &str| {
        let object = change.new.as_ref().or(change.old.as_ref())?;
        value::controller_of(object).filter(|owner| owner["kind"] == kind).map(|owner| value::text(owner, "/name").to_owned())
    };
    let namespace = &*change.key.namespace;
    match change.key.resource {
        Resource::Deployments if change.new.is_some() => context.queue.push(Work::Deployment(change.key.clone())),
        Resource::ReplicaSets => {
            if change.new.is_some() {
                context.queue.push(Work::ReplicaSet(change.key.clone()));
            }
            if let Some(name) = owner("Deployment") {
                context.queue.push(Work::Deployment(Key::new(Resource::Deployments, namespace, name)));
            }
        }
        Resource::Pods => {
            if let Some(name) = owner("ReplicaSet") {
                context.queue.push(Work::ReplicaSet(Key::new(Resource::ReplicaSets, namespace, name)));
            }
        }
        _ => {}
    }
}

pub fn reconcile(context: &mut Context, key: &Key) {
    let mut txn = context.store.write();
    let Some(deployment) = txn.get(key).filter(|one| !value::is_terminating(one)) else { return };
    let writer = Writer::controller("kube-controller-manager");
    let hash = revision(&deployment);
    let current = format!("{}-{hash}", key.name);
    let wanted = value::int(&deployment, "/spec/replicas").unwrap_or(1);
    adopt(&mut txn, Resource::ReplicaSets, &deployment, &writer, |_| true);
    let sets = controlled(&txn, Resource::ReplicaSets, &deployment);
    let is_paused = value::flag(&deployment, "/spec/paused");
    let newest = sets.iter().filter_map(|set| value::annotation(set, REVISION)?.parse::<u64>().ok()).max().unwrap_or_default();
    let number_of_current = sets.iter().find(|set| value::name(set) == current).map(|set| value::annotation(set, REVISION).unwrap_or_default());
    if number_of_current.is_none() && !is_paused {
        let mut template = deployment["spec"]["template"].clone();
        value::set(&mut template, &["metadata", "labels", "pod-template-hash"], hash.as_str());
        let mut selector = deployment["spec"]["selector"].clone();
        value::set(&mut selector, &["matchLabels", "pod-template-hash"], hash.as_str());
        let number = newest.saturating_add(1).to_string();
        let body = json!({
            "metadata": {"name": current, "labels": template["metadata"]["labels"], "annotations": {REVISION: number}, "ownerReferences": [reference(&deployment)]},
            "spec": {"replicas": wanted, "selector": selector, "template": template},
        });
        if create::create(&mut txn, Resource::ReplicaSets.kind(), &key.namespace, body, &writer).is_ok() {
            events::record(
                &mut txn,
                &deployment,
                &Said::normal("deployment-controller", "ScalingReplicaSet", format!("Scaled up replica set {current} from 0 to {wanted}")),
            );
            update::modify(&mut txn, key, Part::Main, &writer, |one| {
                value::set(one, &["metadata", "annotations", REVISION], number);
            });
        }
    } else if number_of_current.is_some_and(|number| number != newest.to_string()) && !is_paused {
        // Back to an earlier template: its set is the newest again.
        let set = Key::new(Resource::ReplicaSets, &*key.namespace, &*current);
        for object in [&set, key] {
            update::modify(&mut txn, object, Part::Main, &writer, |one| {
                value::set(one, &["metadata", "annotations", REVISION], newest.saturating_add(1).to_string());
            });
        }
    }
    let count = |set: &Object, field: &str| value::int(set, &format!("/status/{field}")).unwrap_or(0);
    let sets = controlled(&txn, Resource::ReplicaSets, &deployment);
    let new_is_up = sets.iter().any(|set| value::name(set) == current && count(set, "readyReplicas") >= wanted);
    for set in &sets {
        let target = if value::name(set) == current {
            wanted
        } else if new_is_up {
            0
        } else {
            continue;
        };
        update::modify(&mut txn, &Key::of(Resource::ReplicaSets, set), Part::Main, &writer, |set| {
            value::set(set, &["spec", "replicas"], target);
            // A quarter more while one template replaces another, rounded up.
            for (name, count) in [("desired-replicas", wanted), ("max-replicas", wanted.saturating_add(wanted.saturating_add(3) / 4))] {
                value::set(set, &["metadata", "annotations", &format!("deployment.kubernetes.io/{name}")], count.to_string());
            }
        });
    }
    let sum = |field: &str| sets.iter().map(|set| count(set, field)).fold(0, i64::saturating_add);
    let updated = sets.iter().filter(|set| value::name(set) == current).map(|set| count(set, "replicas")).fold(0, i64::saturating_add);
    let (all, ready) = (sum("replicas"), sum("readyReplicas"));
    update::modify(&mut txn, key, Part::Status, &writer, |one| {
        let generation = one["metadata"]["generation"].clone();
        for (field, number) in [
            ("replicas", all),
            ("readyReplicas", ready),
            ("availableReplicas", ready),
            ("updatedReplicas", updated),
            ("unavailableReplicas", wanted.saturating_sub(ready).max(0)),
        ] {
            value::set(one, &["status", field], number);
        }
        value::set(one, &["status", "observedGeneration"], generation);
        let is_up = ready >= wanted;
        let (status, reason, message) = if is_up {
            ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        } else {
            ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        };
        set_condition(one, "Available", status, reason, message);
        let (reason, verb) = if is_up { ("NewReplicaSetAvailable", "has successfully progressed") } else { ("ReplicaSetUpdated", "is progressing") };
        set_condition(one, "Progressing", "True", reason, &format!("ReplicaSet {current:?} {verb}."));
    });
}

pub fn reconcile_replicas(context: &mut Context, key: &Key) {
    let mut txn = context.store.write();
    let Some(set) = txn.get(key).filter(|one| !value::is_terminating(one)) else { return };
    let writer = Writer::controller("kube-controller-manager");
    let wanted = usize::try_from(value::int(&set, "/spec/replicas").unwrap_or(1)).unwrap_or_default();
    adopt(&mut txn, Resource::Pods, &set, &writer, |_| true);
    let live = |pod: &&Object| !has_ended(pod) && !value::is_terminating(pod);
    let mut pods: Vec<Object> = controlled(&txn, Resource::Pods, &set).iter().filter(live).cloned().collect();
    pods.sort_by_key(|pod| is_ready(pod));
    for pod in pods.iter().take(pods.len().saturating_sub(wanted)) {
        let _ = delete::delete(&mut txn, Resource::Pods.kind(), &Key::of(Resource::Pods, pod), &Options::background(), &writer);
        events::record(&mut txn, &set, &Said::normal("replicaset-controller", "SuccessfulDelete", format!("Deleted pod: {}", value::name(pod))));
    }
    for _ in pods.len()..wanted {
        let mut pod = pod_of(&set);
        value::set(&mut pod, &["metadata", "generateName"], format!("{}-", key.name));
        match create::create(&mut txn, Resource::Pods.kind(), &key.namespace, pod, &writer) {
            Ok(made) => events::record(
                &mut txn,
                &set,
                &Said::normal("replicaset-controller", "SuccessfulCreate", format!("Created pod: {}", value::name(&made))),
            ),
            Err(error) => {
                events::record(&mut txn, &set, &Said::warning("replicaset-controller", "FailedCreate", format!("Error creating: {error}")));
                context.queue.push_later(Work::ReplicaSet(key.clone()), context.pace.retry);
                break;
            }
        }
    }
    let pods: Vec<Object> = controlled(&txn, Resource::Pods, &set).iter().filter(live).cloned().collect();
    let ready = pods.iter().filter(|pod| is_ready(pod)).count();
    let status = json!({"replicas": pods.len(), "fullyLabeledReplicas": pods.len(), "readyReplicas": ready, "availableReplicas": ready, "observedGeneration": set["metadata"]["generation"]});
    update::modify(&mut txn, key, Part::Status, &writer, |set| value::set(set, &["status"], status));
}
