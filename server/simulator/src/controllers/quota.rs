//! The `status` of ResourceQuotas: what is limited and what is used.

use serde_json::json;

use super::{Context, Work};
use crate::{
    admission::quota::{shown, used},
    ops::{
        Writer,
        update::{self, Part},
    },
    registry::Resource,
    store::{Change, Key},
};

pub fn observe(context: &mut Context, change: &Change) {
    let counts = match change.key.resource {
        Resource::Events | Resource::Endpoints | Resource::EndpointSlices | Resource::Leases => false,
        Resource::Pods => {
            // Only what a pod counts for matters here, not every step of its life.
            let of = |pod: Option<&crate::store::Object>| pod.map(|pod| crate::admission::usage::has_ended(pod));
            of(change.old.as_ref()) != of(change.new.as_ref())
        }
        Resource::ResourceQuotas => change.new.is_some(),
        _ => change.old.is_none() || change.new.is_none() || change.key.resource == Resource::PersistentVolumeClaims,
    };
    if counts && !change.key.namespace.is_empty() {
        context.queue.push(Work::Quota(change.key.namespace.clone()));
    }
}

pub fn reconcile(context: &mut Context, namespace: &str) {
    let mut txn = context.store.write();
    for quota in txn.list(Resource::ResourceQuotas, namespace) {
        let status = json!({"hard": quota["spec"]["hard"], "used": shown(&used(&txn, &quota))});
        let key = Key::of(Resource::ResourceQuotas, &quota);
        update::modify(&mut txn, &key, Part::Status, &Writer::controller("kube-controller-manager"), |quota| {
            crate::value::set(quota, &["status"], status);
        });
    }
}
