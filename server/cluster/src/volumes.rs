//! The volumes of labs. They never shrink, they may be larger than ordered, and their storage class decides whether they can grow.

use domain::labs::Volume;
use k8s_openapi::api::{core::v1::PersistentVolumeClaim, storage::v1::StorageClass};
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;
use services::ports::{ClusterError, Growth, LabOrder};

use crate::{
    client::Kubernetes,
    errors::within,
    kinds::Kind,
    labels,
    manifests::{self, Manifest},
    quantity,
};

impl Kubernetes {
    fn claims(&self, namespace: &str) -> Api<PersistentVolumeClaim> {
        Api::namespaced(self.client.clone(), namespace)
    }

    pub(crate) async fn volume_of_lab(&self, order: &LabOrder) -> Result<Option<Volume>, ClusterError> {
        let claim = within(self.claims(&order.lab.namespace).get_opt(&order.lab.name)).await?;
        Ok(claim.as_ref().map(of_claim))
    }

    pub(crate) async fn check_volume_growth(&self, order: &LabOrder, gib: u32) -> Result<Growth, ClusterError> {
        let claims = self.claims(&order.lab.namespace);
        let Some(claim) = within(claims.get_opt(&order.lab.name)).await? else { return Ok(Growth::Allowed) };
        if let Some(class) = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref()).filter(|class| !class.is_empty()) {
            match within(Api::<StorageClass>::all(self.client.clone()).get_opt(class)).await {
                Ok(Some(class)) if class.allow_volume_expansion != Some(true) => return Ok(Growth::NotSupported),
                // If the role lacks this right, the check below decides.
                Ok(_) | Err(ClusterError::Blocked(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let parameters = PatchParams { dry_run: true, field_manager: Some(labels::MANAGER.into()), ..PatchParams::default() };
        let larger = Patch::Merge(json!({ "spec": { "resources": { "requests": { "storage": format!("{gib}Gi") } } } }));
        match self.change(claims.patch(&order.lab.name, &parameters, &larger)).await {
            Ok(_) => Ok(Growth::Allowed),
            Err(ClusterError::Refused { message, .. }) if is_about_class(&message) => Ok(Growth::NotSupported),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn grow_claim(&self, order: &LabOrder) -> Result<bool, ClusterError> {
        let namespace = order.lab.namespace.as_str();
        let Some(wanted) = manifests::claim(order) else { return Ok(false) };
        if self.get(Kind::PersistentVolumeClaim, namespace, &wanted.name).await?.is_none() {
            return Ok(false);
        }
        self.apply_claim(namespace, &wanted).await
    }

    /// Applies the claim of a volume. A larger claim keeps its size, since a smaller request would be refused. A claim that cannot grow
    /// keeps its size too: its lab starts with the existing files and size. Returns whether the claim requests the ordered size.
    pub(crate) async fn apply_claim(&self, namespace: &str, wanted: &Manifest) -> Result<bool, ClusterError> {
        let there = self.get(Kind::PersistentVolumeClaim, namespace, &wanted.name).await?;
        let requested = there.as_ref().and_then(|claim| claim.data["spec"]["resources"]["requests"]["storage"].as_str());
        let asked = wanted.body["spec"]["resources"]["requests"]["storage"].as_str().unwrap_or_default();
        let Some(requested) = requested.filter(|requested| *requested != asked) else {
            return self.apply(namespace, wanted).await.map(|_| true);
        };
        let mut as_it_is = wanted.clone();
        as_it_is.body["spec"]["resources"]["requests"]["storage"] = json!(requested);
        if quantity::is_less(asked, requested) {
            return self.apply(namespace, &as_it_is).await.map(|_| true);
        }
        match self.apply(namespace, wanted).await {
            Err(ClusterError::Refused { reason, message }) => {
                tracing::warn!(kubernetes.namespace = namespace, kubernetes.claim = %wanted.name, "a volume does not grow: {reason}: {message}");
                self.apply(namespace, &as_it_is).await.map(|_| false)
            }
            other => other.map(|_| true),
        }
    }
}

/// Whether the message is the refusal of the admission plugin `PersistentVolumeClaimResize`.
fn is_about_class(message: &str) -> bool {
    message.contains("must support resize")
}

/// The volume of a claim. Its capacity counts once the claim is bound.
pub fn of_claim(claim: &PersistentVolumeClaim) -> Volume {
    let spec = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref()).and_then(|resources| resources.requests.as_ref());
    let status = claim.status.as_ref().filter(|status| status.phase.as_deref() == Some("Bound"));
    let capacity = status.and_then(|status| status.capacity.as_ref()).and_then(|capacity| capacity.get("storage"));
    Volume {
        uid: claim.metadata.uid.clone().unwrap_or_default(),
        capacity_gib: capacity.map(|quantity| quantity::gib(&quantity.0)),
        requested_gib: spec.and_then(|requests| requests.get("storage")).map_or(0, |quantity| quantity::gib(&quantity.0)),
        lost: false,
    }
}
