//! The objects that a lab has and shares, as its manifests are compared with them.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;
use services::ports::LabOrder;

use super::LabObjects;
use crate::{drift::Known, kinds::Kind, observe::Workload, template::Notes};

/// The objects of one lab and of its course.
pub(super) struct Around<'c> {
    pub objects: &'c LabObjects,
    pub shared: &'c HashMap<(String, Kind, String), Value>,
    pub order: &'c LabOrder,
}

impl Known for Around<'_> {
    fn object(&self, kind: Kind, name: &str) -> Option<&Value> {
        let own = self.objects.others.get(&(kind, name.to_owned()));
        own.or_else(|| self.shared.get(&(self.order.lab.namespace.clone(), kind, name.to_owned())))
    }

    fn replicas(&self) -> Option<i32> {
        match self.objects.workload(self.order)? {
            Workload::StatefulSet(set) if set.metadata.deletion_timestamp.is_none() => set.spec.as_ref()?.replicas,
            Workload::Deployment(deployment) if deployment.metadata.deletion_timestamp.is_none() => deployment.spec.as_ref()?.replicas,
            _ => None,
        }
    }

    fn template(&self) -> Option<(Value, Notes)> {
        let workload = self.objects.workload(self.order).filter(|workload| workload.metadata().deletion_timestamp.is_none())?;
        let template = match workload {
            Workload::StatefulSet(set) => &set.spec.as_ref()?.template,
            Workload::Deployment(deployment) => &deployment.spec.as_ref()?.template,
            Workload::Job(_) => return None,
        };
        Some((serde_json::to_value(template).ok()?, Notes::of(workload.metadata())))
    }

    fn is_stuck(&self) -> bool {
        let Some(Workload::StatefulSet(set)) = self.objects.workload(self.order) else { return false };
        let status = set.status.as_ref().filter(|status| status.observed_generation == set.metadata.generation);
        let Some(current) = status.and_then(|status| status.update_revision.as_ref()) else { return false };
        let is_earlier = |pod: &Pod| {
            let revision = pod.metadata.labels.as_ref().and_then(|all| all.get("controller-revision-hash"));
            revision.is_some_and(|revision| revision != current)
        };
        let is_ready = |pod: &Pod| {
            let mut conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
            conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
        };
        self.objects.pods.values().any(|pod| pod.metadata.deletion_timestamp.is_none() && is_earlier(pod) && !is_ready(pod))
    }
}
