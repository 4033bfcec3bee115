//! Taking the pods away: a notebook is scaled to none, a job is deleted with its pods. All else of the lab stays.

use domain::catalogue::Workload;
use kube::api::DeleteParams;
use serde_json::json;
use services::ports::{ClusterError, LabOrder};

use crate::{apply, client::Kubernetes, errors::within, kinds::Kind};

impl Kubernetes {
    pub(crate) async fn stop_lab(&self, order: &LabOrder) -> Result<(), ClusterError> {
        let (namespace, name) = (order.lab.namespace.as_str(), order.lab.name.as_str());
        match order.lab.spec.workload {
            // Foreground: the Job itself goes last, so that its pods are never left without an owner.
            Workload::DistributedJob => {
                let deleted = self.delete(Kind::Job, namespace, name, &DeleteParams::foreground()).await?;
                self.mirror.wrote(order.lab.id, deleted.as_ref().map(|job| &job.metadata));
            }
            Workload::Notebook => {
                let api = Kind::StatefulSet.api(&self.client, namespace);
                let none = json!({ "spec": { "replicas": 0 } });
                // A merge patch, since an apply would make a StatefulSet that was never there.
                let (parameters, patch) = apply::merge(&none);
                let scaled = within(async {
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
