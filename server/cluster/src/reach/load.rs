//! Load of a pod, as the cluster's metrics API says it (metrics.k8s.io), where there is one.

use http::Request;
use serde::Deserialize;
use services::ports::{ClusterError, PodLoad, PodTarget};

use super::Found;
use crate::{
    client::Kubernetes,
    errors::{DEADLINE, of_kube},
    quantity,
};

/// Answers of a cluster that measures nothing, has not measured this pod yet, or does not let the portal ask.
const UNKNOWN: [u16; 4] = [403, 404, 501, 503];

#[derive(Deserialize)]
struct PodMetrics {
    #[serde(default)]
    containers: Vec<ContainerMetrics>,
}

#[derive(Deserialize)]
struct ContainerMetrics {
    usage: Usage,
}

#[derive(Deserialize)]
struct Usage {
    /// `12345678n`
    #[serde(default)]
    cpu: String,
}

impl PodMetrics {
    fn load(&self) -> PodLoad {
        PodLoad { cpu_millicores: self.containers.iter().map(|container| quantity::millis(&container.usage.cpu)).fold(0, u64::saturating_add) }
    }
}

impl Kubernetes {
    pub(crate) async fn load_of_pod(&self, target: &PodTarget) -> Result<Option<PodLoad>, ClusterError> {
        // The metrics have the pod's name and not its uid.
        let Found::Alive(_) = self.pod(target).await? else { return Ok(None) };
        let path = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods/{}", target.namespace, target.name);
        let request = Request::get(path).body(Vec::new()).map_err(|error| of_kube(&kube::Error::HttpError(error)))?;
        let Ok(asked) = tokio::time::timeout(DEADLINE, self.client.request::<PodMetrics>(request)).await else {
            // Metrics come from a server of their own, behind the API server. If that one answers, they are what is missing.
            self.version().await?;
            return Ok(None);
        };
        match asked {
            Ok(metrics) => {
                self.unchanged(target)?;
                Ok(Some(metrics.load()))
            }
            Err(kube::Error::Api(status)) if UNKNOWN.contains(&status.code) => Ok(None),
            Err(error) => Err(of_kube(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_load_of_a_pod_is_that_of_its_containers() {
        let of = |document| serde_json::from_value::<PodMetrics>(document).expect("metrics").load().cpu_millicores;
        let containers = json!([{"name": "lab", "usage": {"cpu": "250400000n", "memory": "1Gi"}}, {"name": "side", "usage": {"cpu": "1"}}]);
        assert_eq!(of(json!({"kind": "PodMetrics", "containers": containers})), 1_250);
        assert_eq!(of(json!({"containers": [{"usage": {"memory": "1Gi"}}]})), 0);
        assert_eq!(of(json!({})), 0);
    }
}
