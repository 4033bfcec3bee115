//! What happens to an object on its way in: defaults, LimitRanges, quotas, addresses. The order is that of a real API server.

pub mod defaults;
pub mod limits;
mod pod_defaults;
pub mod quota;
pub mod services;
pub mod usage;

use serde_json::{Value, json};

use crate::{
    error::{ApiError, Result},
    quantity::Quantity,
    registry::{Kind, Resource},
    store::{Key, Txn},
    value,
};

/// Changes that admission makes to a new object.
pub fn mutate(txn: &Txn<'_>, kind: &Kind, object: &mut Value) -> Result<()> {
    match kind.resource {
        Resource::Pods => {
            limits::default_pod(txn, object);
            pod_defaults::admit(object);
            service_account(txn, kind, object)?;
            limits::check(txn, kind, object)
        }
        Resource::PersistentVolumeClaims => {
            claim(txn, object);
            limits::check(txn, kind, object)
        }
        _ => Ok(()),
    }
}

fn service_account(txn: &Txn<'_>, kind: &Kind, pod: &mut Value) -> Result<()> {
    value::set_default(pod, &["spec", "serviceAccountName"], "default");
    let account = value::text(pod, "/spec/serviceAccountName").to_owned();
    value::set(pod, &["spec", "serviceAccount"], account.as_str());
    let found = txn.get(&Key::new(Resource::ServiceAccounts, value::namespace(pod), &account));
    let Some(found) = found else {
        let why = format!("error looking up service account {}/{account}: serviceaccount \"{account}\" not found", value::namespace(pod));
        return Err(ApiError::forbidden(kind, value::name(pod), &why));
    };
    let wants_token = pod
        .pointer("/spec/automountServiceAccountToken")
        .or_else(|| found.get("automountServiceAccountToken"))
        .and_then(Value::as_bool)
        .unwrap_or(true);
    if wants_token {
        pod_defaults::mount_token(pod);
    }
    Ok(())
}

/// Checks whether a claim may request more than before: once the volume is bound, its class decides.
pub fn check_resize(txn: &Txn<'_>, kind: &Kind, old: &Value, new: &Value) -> Result<()> {
    let requested = |claim: &Value| claim.pointer("/spec/resources/requests/storage").and_then(Quantity::of);
    let (Some(before), Some(after)) = (requested(old), requested(new)) else { return Ok(()) };
    if kind.resource != Resource::PersistentVolumeClaims || after <= before {
        return Ok(());
    }
    let class = txn.get(&Key::new(Resource::StorageClasses, "", value::text(old, "/spec/storageClassName")));
    if class.is_some_and(|class| value::flag(&class, "/allowVolumeExpansion")) {
        return Ok(());
    }
    let why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";
    Err(ApiError::forbidden(kind, value::name(new), why))
}

fn claim(txn: &Txn<'_>, claim: &mut Value) {
    if claim.pointer("/spec/storageClassName").is_none() {
        let default = "storageclass.kubernetes.io/is-default-class";
        let class = txn.iter(Resource::StorageClasses, "").find(|class| value::annotation(class, default) == Some("true"));
        if let Some(class) = class {
            value::set(claim, &["spec", "storageClassName"], value::name(class));
        }
    }
    let mut finalizers = value::items(claim, "/metadata/finalizers").to_vec();
    if !finalizers.iter().any(|one| one == "kubernetes.io/pvc-protection") {
        finalizers.push(json!("kubernetes.io/pvc-protection"));
        value::set(claim, &["metadata", "finalizers"], finalizers);
    }
}
