//! Taking the pods away: a job is deleted with its pods, all else is scaled to none. All else of the lab stays.

use domain::catalogue::Workload;
use kube::api::DeleteParams;
use serde_json::json;
use services::ports::{ClusterError, LabOrder};

use crate::{apply, client::Kubernetes, kinds::Kind};

impl Kubernetes {
    pub(crate) async fn stop_lab(&self, order: &LabOrder) -> Result<(), ClusterError> {
        let (namespace, name) = (order.lab.namespace.as_str(), order.lab.name.as_str());
        match order.lab.spec.workload {
            // Foreground: the Job itself goes last, so that its pods are never left without an owner.
            Workload::DistributedJob | Workload::BatchJob => {
                let deleted = self.delete(Kind::Job, namespace, name, &DeleteParams::foreground()).await?;
                self.mirror.wrote(order.lab.id, deleted.as_ref().map(|job| &job.metadata));
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
            }
        }
        Ok(())
    }
}
