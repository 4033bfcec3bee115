//! Storage: claims get a made-up volume, and neither goes while the other or a pod needs it.

use serde_json::{Value, json};

use super::{
    Context, Work,
    events::{self, Said},
    garbage::drop_finalizer,
};
use crate::{
    admission::usage::has_ended,
    ops::{
        Writer, create,
        delete::{self, Options},
        update::{self, Part},
    },
    quantity::Quantity,
    registry::Resource,
    store::{Change, Key, Object, Txn},
    value,
};

/// The provisioner of the class `standard`.
pub const PROVISIONER: &str = "simulated.lectern/volumes";
const IN_USE: &str = "kubernetes.io/pvc-protection";

pub fn observe(context: &mut Context, change: &Change) {
    match change.key.resource {
        Resource::PersistentVolumeClaims => {
            if change.new.is_some() {
                context.queue.push(Work::Claim(change.key.clone()));
            }
            let object = change.new.as_ref().or(change.old.as_ref());
            let volume = object.map(|object| value::text(object, "/spec/volumeName").to_owned()).unwrap_or_default();
            if change.new.is_none() && !volume.is_empty() {
                context.queue.push(Work::Volume(Key::new(Resource::PersistentVolumes, "", volume)));
            }
        }
        // Claims may be older than the class that they name.
        Resource::StorageClasses if change.new.is_some() => {
            let unbound = {
                let txn = context.store.write();
                let claims = txn.iter(Resource::PersistentVolumeClaims, "").filter(|claim| value::text(claim, "/spec/volumeName").is_empty());
                claims.map(|claim| Work::Claim(Key::of(Resource::PersistentVolumeClaims, claim))).collect::<Vec<_>>()
            };
            for work in unbound {
                context.queue.push(work);
            }
        }
        Resource::PersistentVolumes if change.new.is_some() => context.queue.push(Work::Volume(change.key.clone())),
        Resource::Pods => {
            let is_over = change.new.as_ref().is_none_or(|pod| has_ended(pod));
            let pod = change.new.as_ref().or(change.old.as_ref());
            for claim in pod.into_iter().filter(|_| is_over).flat_map(claims_of) {
                context.queue.push(Work::Claim(Key::new(Resource::PersistentVolumeClaims, &*change.key.namespace, claim)));
            }
        }
        _ => {}
    }
}

fn claims_of(pod: &Object) -> impl Iterator<Item = String> + use<'_> {
    let all = value::items(pod, "/spec/volumes").iter().map(|volume| value::text(volume, "/persistentVolumeClaim/claimName").to_owned());
    all.filter(|name| !name.is_empty())
}

pub fn reconcile(context: &mut Context, key: &Key) {
    let mut txn = context.store.write();
    let Some(claim) = txn.get(key) else { return };
    let writer = Writer::controller("kube-controller-manager");
    if value::is_terminating(&claim) {
        if !txn.iter(Resource::Pods, &key.namespace).any(|pod| uses(pod, &key.name)) {
            drop_finalizer(&mut txn, key, IN_USE, &writer);
        }
        return;
    }
    if value::text(&claim, "/status/phase") == "Bound" {
        if is_to_grow(&claim) && context.queue.has_passed(value::uid(&claim), "grow", context.pace.provision, &Work::Claim(key.clone())) {
            context.queue.forget_stage(value::uid(&claim), "grow");
            grow(&mut txn, key, &claim, &writer);
        }
        return;
    }
    if !value::text(&claim, "/spec/volumeName").is_empty() {
        return;
    }
    let class = value::text(&claim, "/spec/storageClassName").to_owned();
    let found = txn.get(&Key::new(Resource::StorageClasses, "", &*class));
    let Some(found) = found.filter(|class| value::text(class, "/provisioner") == PROVISIONER) else {
        if !class.is_empty()
            && txn.get(&Key::new(Resource::StorageClasses, "", &*class)).is_none()
            && context.queue.is_first(value::uid(&claim), "class")
        {
            let message = format!("storageclass.storage.k8s.io {class:?} not found");
            events::record(&mut txn, &claim, &Said::warning("persistentvolume-controller", "ProvisioningFailed", message));
        }
        return;
    };
    if context.queue.has_passed(value::uid(&claim), "provision", context.pace.provision, &Work::Claim(key.clone())) {
        let is_bound = provision(&mut txn, key, &claim, &found, &writer);
        drop(txn);
        if !is_bound {
            context.queue.push_later(Work::Claim(key.clone()), context.pace.retry);
        }
    }
}

/// Whether the pod keeps the claim from going. One without a node does not: it gets none while the claim is going, so each would wait for
/// the other for ever.
fn uses(pod: &Object, claim: &str) -> bool {
    !value::text(pod, "/spec/nodeName").is_empty() && !has_ended(pod) && claims_of(pod).any(|name| name == claim)
}

/// Whether the claim requests more than its capacity.
fn is_to_grow(claim: &Value) -> bool {
    let size = |pointer: &str| claim.pointer(pointer).and_then(Quantity::of);
    matches!((size("/spec/resources/requests/storage"), size("/status/capacity/storage")), (Some(requested), Some(capacity)) if requested > capacity)
}

/// Enlarges the volume of a claim, as a driver's resizer does for volumes in use.
fn grow(txn: &mut Txn<'_>, key: &Key, claim: &Object, writer: &Writer) {
    let wanted = claim.pointer("/spec/resources/requests/storage").cloned().unwrap_or_default();
    let volume = Key::new(Resource::PersistentVolumes, "", value::text(claim, "/spec/volumeName"));
    update::modify(txn, &volume, Part::Main, writer, |volume| value::set(volume, &["spec", "capacity", "storage"], wanted.clone()));
    let grown = update::modify(txn, key, Part::Status, writer, |claim| value::set(claim, &["status", "capacity", "storage"], wanted));
    if let Some(grown) = grown {
        let message = "MountVolume.NodeExpandVolume succeeded for volume";
        events::record(txn, &grown, &Said::normal("kubelet", "FileSystemResizeSuccessful", message));
    }
}

/// Returns whether the claim is bound to a new volume.
fn provision(txn: &mut Txn<'_>, key: &Key, claim: &Object, class: &Object, writer: &Writer) -> bool {
    let volume = format!("pvc-{}", value::uid(claim));
    let size = claim.pointer("/spec/resources/requests/storage").cloned().unwrap_or_default();
    let body = json!({
        "metadata": {"name": volume, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
        "spec": {
            "capacity": {"storage": size}, "accessModes": claim["spec"]["accessModes"], "storageClassName": value::name(class),
            "persistentVolumeReclaimPolicy": value::text(class, "/reclaimPolicy"), "volumeMode": claim["spec"]["volumeMode"],
            "claimRef": {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": key.namespace, "name": key.name, "uid": value::uid(claim), "resourceVersion": claim["metadata"]["resourceVersion"]},
            "csi": {"driver": PROVISIONER, "volumeHandle": volume},
        },
    });
    let volume_key = Key::new(Resource::PersistentVolumes, "", &*volume);
    if txn.get(&volume_key).is_none()
        && let Err(error) = create::create(txn, Resource::PersistentVolumes.kind(), "", body, writer)
    {
        let message = format!("failed to provision volume with StorageClass {:?}: {error}", value::name(class));
        events::record(txn, claim, &Said::warning("persistentvolume-controller", "ProvisioningFailed", message));
        return false;
    }
    update::modify(txn, &volume_key, Part::Status, writer, |object| value::set(object, &["status", "phase"], "Bound"));
    let mut bound = (**claim).clone();
    value::set(&mut bound, &["spec", "volumeName"], volume.as_str());
    for (name, text) in [
        ("pv.kubernetes.io/bind-completed", "yes"),
        ("pv.kubernetes.io/bound-by-controller", "yes"),
        ("volume.kubernetes.io/storage-provisioner", PROVISIONER),
    ] {
        value::set(&mut bound, &["metadata", "annotations", name], text);
    }
    value::set(&mut bound, &["status"], json!({"phase": "Bound", "accessModes": claim["spec"]["accessModes"], "capacity": {"storage": size}}));
    let bound = txn.put(Resource::PersistentVolumeClaims, bound);
    events::record(
        txn,
        &bound,
        &Said::normal("persistentvolume-controller", "ProvisioningSucceeded", format!("Successfully provisioned volume {volume}")),
    );
    true
}

/// A volume whose claim is gone is released, and deleted when its class says so.
pub fn reconcile_volume(context: &mut Context, key: &Key) {
    let mut txn = context.store.write();
    let Some(volume) = txn.get(key) else { return };
    let claim = value::text(&volume, "/spec/claimRef/uid");
    if claim.is_empty() || txn.by_uid(claim).is_some() {
        return;
    }
    let writer = Writer::controller("kube-controller-manager");
    if value::text(&volume, "/spec/persistentVolumeReclaimPolicy") == "Delete" {
        let _ = delete::delete(&mut txn, Resource::PersistentVolumes.kind(), key, &Options::background(), &writer);
    } else {
        update::modify(&mut txn, key, Part::Status, &writer, |volume| value::set(volume, &["status", "phase"], "Released"));
    }
}
