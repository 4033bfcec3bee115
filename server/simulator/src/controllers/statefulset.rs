//! StatefulSets: pods with ordinals, in order or in parallel, with their claims; rolling updates from the top.

use serde_json::{Value, json};

use super::{
    Context, Work,
    events::{self, Said},
    pod_template::{adopt, controlled, is_ready, pod_of, reference, revision},
    revisions,
};
use crate::{
    admission::usage::has_ended,
    ops::{
        Writer, create,
        delete::{self, Options},
        update::{self, Part},
    },
    registry::Resource,
    store::{Change, Key, Object, Txn},
    value,
};

const COMPONENT: &str = "statefulset-controller";

pub fn observe(context: &mut Context, change: &Change) {
    match change.key.resource {
        Resource::StatefulSets if change.new.is_some() => context.queue.push(Work::StatefulSet(change.key.clone())),
        Resource::Pods => {
            let pod = change.new.as_ref().or(change.old.as_ref());
            if let Some(owner) = pod.and_then(|pod| value::controller_of(pod)).filter(|owner| owner["kind"] == "StatefulSet") {
                context.queue.push(Work::StatefulSet(Key::new(Resource::StatefulSets, &*change.key.namespace, value::text(owner, "/name"))));
            }
        }
        _ => {}
    }
}

pub fn reconcile(context: &mut Context, key: &Key) {
    let mut txn = context.store.write();
    let Some(set) = txn.get(key) else { return };
    let revision = format!("{}-{}", key.name, revision(&set));
    if !value::is_terminating(&set) {
        let writer = Writer::controller("kube-controller-manager");
        revisions::keep(&mut txn, &set, &revision, &writer);
        adopt(&mut txn, Resource::Pods, &set, &writer, |pod| value::name(pod) == format!("{}-{}", key.name, ordinal(pod)));
    }
    let pods = controlled(&txn, Resource::Pods, &set);
    if !value::is_terminating(&set)
        && let Err(error) = step(&mut txn, &set, &pods, &revision)
    {
        let (pod, error) = *error;
        let message = format!("create Pod {pod} in StatefulSet {} failed error: {error}", key.name);
        events::record(&mut txn, &set, &Said::warning(COMPONENT, "FailedCreate", message));
        context.queue.push_later(Work::StatefulSet(key.clone()), context.pace.retry);
    }
    write_status(&mut txn, key, &set, &revision);
}

fn ordinal(pod: &Value) -> i64 {
    value::name(pod).rsplit('-').next().and_then(|text| text.parse().ok()).unwrap_or(-1)
}

type Refused = Box<(String, crate::error::ApiError)>;

/// As much as may be done now. Each pod that this makes or deletes comes back as a change.
fn step(txn: &mut Txn<'_>, set: &Object, pods: &[Object], revision: &str) -> Result<(), Refused> {
    let writer = Writer::controller("kube-controller-manager");
    let replicas = value::int(set, "/spec/replicas").unwrap_or(1);
    let first = value::int(set, "/spec/ordinals/start").unwrap_or(0);
    let end = first.saturating_add(replicas);
    let is_parallel = value::text(set, "/spec/podManagementPolicy") == "Parallel";
    let mut all_healthy = true;
    for at in first..end {
        match pods.iter().find(|pod| ordinal(pod) == at) {
            None => {
                make(txn, set, at, revision, &writer)?;
                all_healthy = false;
            }
            Some(pod) if has_ended(pod) && !value::is_terminating(pod) => {
                let why = format!(
                    "StatefulSet {}/{} is recreating {} Pod {}",
                    value::namespace(set),
                    value::name(set),
                    value::text(pod, "/status/phase").to_lowercase(),
                    value::name(pod)
                );
                events::record(txn, set, &Said::warning(COMPONENT, "RecreatingFailedPod", why));
                remove(txn, set, pod, &writer);
                all_healthy = false;
            }
            Some(pod) => all_healthy &= is_ready(pod) && !value::is_terminating(pod),
        }
        if !all_healthy && !is_parallel {
            return Ok(());
        }
    }
    let mut extra: Vec<&Object> = pods.iter().filter(|pod| !(first..end).contains(&ordinal(pod))).collect();
    extra.sort_by_key(|pod| -ordinal(pod));
    for pod in extra {
        if !value::is_terminating(pod) {
            remove(txn, set, pod, &writer);
        }
        if !is_parallel {
            return Ok(());
        }
    }
    roll(txn, set, pods, revision, replicas, &writer);
    Ok(())
}

/// Replaces pods of an older template, one at a time from the highest ordinal.
fn roll(txn: &mut Txn<'_>, set: &Object, pods: &[Object], revision: &str, replicas: i64, writer: &Writer) {
    if value::text(set, "/spec/updateStrategy/type") == "OnDelete" {
        return;
    }
    let partition = value::int(set, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
    let mut sorted: Vec<&Object> = pods.iter().filter(|pod| (partition..replicas).contains(&ordinal(pod))).collect();
    sorted.sort_by_key(|pod| -ordinal(pod));
    for pod in sorted {
        if value::text(pod, "/metadata/labels/controller-revision-hash") != revision {
            if !value::is_terminating(pod) {
                remove(txn, set, pod, writer);
            }
            return;
        }
        if !is_ready(pod) || value::is_terminating(pod) {
            return;
        }
    }
}

fn make(txn: &mut Txn<'_>, set: &Object, ordinal: i64, revision: &str, writer: &Writer) -> Result<(), Refused> {
    let set_name = value::name(set);
    let name = format!("{set_name}-{ordinal}");
    let namespace = value::namespace(set);
    let mut pod = pod_of(set);
    value::set(&mut pod, &["metadata", "name"], name.as_str());
    value::set(&mut pod, &["metadata", "generateName"], format!("{set_name}-"));
    for (label, text) in [
        ("statefulset.kubernetes.io/pod-name", name.as_str()),
        ("apps.kubernetes.io/pod-index", &ordinal.to_string()),
        ("controller-revision-hash", revision),
    ] {
        value::set(&mut pod, &["metadata", "labels", label], text);
    }
    value::set(&mut pod, &["spec", "hostname"], name.as_str());
    let service = value::text(set, "/spec/serviceName");
    if !service.is_empty() {
        value::set(&mut pod, &["spec", "subdomain"], service);
    }
    let mut volumes = value::items(&pod, "/spec/volumes").to_vec();
    for template in value::items(set, "/spec/volumeClaimTemplates") {
        let claim = format!("{}-{name}", value::name(template));
        volumes.retain(|volume| volume["name"] != template["metadata"]["name"]);
        volumes.push(json!({"name": value::name(template), "persistentVolumeClaim": {"claimName": claim}}));
        claim_for(txn, set, template, &claim, writer).map_err(|error| Box::new((name.clone(), error)))?;
    }
    if !volumes.is_empty() {
        value::set(&mut pod, &["spec", "volumes"], volumes);
    }
    create::create(txn, Resource::Pods.kind(), namespace, pod, writer).map_err(|error| Box::new((name.clone(), error)))?;
    events::record(txn, set, &Said::normal(COMPONENT, "SuccessfulCreate", format!("create Pod {name} in StatefulSet {set_name} successful")));
    Ok(())
}

fn claim_for(txn: &mut Txn<'_>, set: &Object, template: &Value, name: &str, writer: &Writer) -> crate::error::Result<()> {
    let namespace = value::namespace(set);
    if txn.get(&Key::new(Resource::PersistentVolumeClaims, namespace, name)).is_some() {
        return Ok(());
    }
    let mut labels = template["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    labels.extend(set["spec"]["selector"]["matchLabels"].as_object().cloned().unwrap_or_default());
    let mut claim = json!({"metadata": {"name": name, "labels": labels}, "spec": template["spec"]});
    if value::text(set, "/spec/persistentVolumeClaimRetentionPolicy/whenDeleted") == "Delete" {
        // Owned by the set, the claim goes with it.
        value::set(&mut claim, &["metadata", "ownerReferences"], vec![reference(set)]);
    }
    create::create(txn, Resource::PersistentVolumeClaims.kind(), namespace, claim, writer)?;
    let pod = name.strip_prefix(&format!("{}-", value::name(template))).unwrap_or(name);
    let message = format!("create Claim {name} Pod {pod} in StatefulSet {} success", value::name(set));
    events::record(txn, set, &Said::normal(COMPONENT, "SuccessfulCreate", message));
    Ok(())
}

fn remove(txn: &mut Txn<'_>, set: &Object, pod: &Object, writer: &Writer) {
    let _ = delete::delete(txn, Resource::Pods.kind(), &Key::of(Resource::Pods, pod), &Options::background(), writer);
    let message = format!("delete Pod {} in StatefulSet {} successful", value::name(pod), value::name(set));
    events::record(txn, set, &Said::normal(COMPONENT, "SuccessfulDelete", message));
}

fn write_status(txn: &mut Txn<'_>, key: &Key, set: &Object, revision: &str) {
    let pods = controlled(txn, Resource::Pods, set);
    let count = |test: &dyn Fn(&Object) -> bool| pods.iter().filter(|pod| test(pod)).count();
    let is_new = |pod: &Object| value::text(pod, "/metadata/labels/controller-revision-hash") == revision;
    let ready = count(&|pod| is_ready(pod));
    let updated = count(&is_new);
    let before = value::text(set, "/status/currentRevision").to_owned();
    let is_done = before.is_empty()
        || (pods.iter().all(|pod| is_new(pod) && is_ready(pod)) && value::int(set, "/spec/replicas") == i64::try_from(pods.len()).ok());
    let current = if is_done { revision.to_owned() } else { before };
    let of_current = count(&|pod| value::text(pod, "/metadata/labels/controller-revision-hash") == current);
    let mut status = json!({
        "observedGeneration": set["metadata"]["generation"], "replicas": pods.len(), "readyReplicas": ready, "availableReplicas": ready,
        "currentReplicas": of_current, "updatedReplicas": updated, "currentRevision": current, "updateRevision": revision, "collisionCount": 0,
    });
    if let Some(map) = status.as_object_mut() {
        // Written without them when zero, as a real server does.
        map.retain(|field, count| !["readyReplicas", "currentReplicas", "updatedReplicas"].contains(&field.as_str()) || *count != 0);
    }
    update::modify(txn, key, Part::Status, &Writer::controller("kube-controller-manager"), |set| value::set(set, &["status"], status));
}
