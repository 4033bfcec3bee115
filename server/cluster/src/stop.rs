//! Taking the pods away: a job is deleted with its pods, all else is scaled to none. All else of the lab stays. Pods whose workload
//! somebody deleted are deleted one by one.

use domain::catalogue::Workload;
use futures::future::try_join_all;
use kube::api::DeleteParams;
use serde_json::json;
use services::ports::{ClusterError, LabOrder};

use crate::{apply, client::Kubernetes, kinds::Kind, labels};

impl Kubernetes {
    pub(crate) async fn stop_lab(&self, order: &LabOrder) -> Result<(), ClusterError> {
        let (namespace, name) = (order.lab.namespace.as_str(), order.lab.name.as_str());
        let is_there = match order.lab.spec.workload {
            // Foreground: the Job itself goes last, so that its pods are never left without an owner.
            Workload::DistributedJob | Workload::BatchJob => {
                let deleted = self.delete(Kind::Job, namespace, name, &DeleteParams::foreground()).await?;
                self.mirror.wrote(order.lab.id, deleted.as_ref().map(|job| &job.metadata));
                deleted.is_some()
            }
            workload => {
                let kind = if workload.is_deployment() { Kind::Deployment } else { Kind::StatefulSet };
                let api = kind.api(&self.client, namespace);
                let none = json!({ "spec": { "replicas": 0 } });
                // A merge patch, since an apply would make a workload that was never there.
                let (parameters, patch) = apply::merge(&none);
                let scaled = self
                    .change(async {
                        match api.patch(name, &parameters, &patch).await {
                            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
                            other => other.map(Some),
                        }
                    })
                    .await?;
                self.mirror.wrote(order.lab.id, scaled.as_ref().map(|set| &set.metadata));
                scaled.is_some()
            }
        };
        if !is_there {
            self.delete_orphans(order).await?;
        }
        Ok(())
    }

    /// Deletes pods of the lab that no workload owns, and a ReplicaSet without a Deployment, which would make new ones. Pods that have an
    /// owner go with it. Returns whether pods are left.
    pub(crate) async fn delete_orphans(&self, order: &LabOrder) -> Result<bool, ClusterError> {
        let kinds: &[Kind] = if order.lab.spec.workload.is_deployment() { &[Kind::ReplicaSet, Kind::Pod] } else { &[Kind::Pod] };
        let namespace = order.lab.namespace.as_str();
        let found = self.find(namespace, kinds, &labels::selector_of(order.lab.id)).await?;
        let doomed = found.iter().filter(|(_, object)| object.metadata.deletion_timestamp.is_none());
        try_join_all(doomed.map(|(kind, object)| self.doom(*kind, namespace, object))).await?;
        Ok(found.iter().any(|(kind, _)| *kind == Kind::Pod))
    }
}
