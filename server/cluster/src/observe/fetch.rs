//! Asks the API server for all of a lab, in calls side by side.

use domain::catalogue;
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::{Deployment, StatefulSet},
        batch::v1::Job,
        core::v1::{Event, PersistentVolumeClaim, Pod},
    },
};
use kube::{Api, Resource, ResourceExt, api::ListParams};
use services::ports::{ClusterError, LabOrder};

use super::{
    events,
    seen::{Seen, Workload},
};
use crate::{client::Kubernetes, errors::within, kinds::Kind, labels};

const OTHERS: [Kind; 4] = [Kind::Job, Kind::Service, Kind::NetworkPolicy, Kind::ServiceAccount];

impl Kubernetes {
    pub(super) async fn fetch(&self, order: &LabOrder) -> Result<Seen, ClusterError> {
        let lab = &order.lab;
        let namespace = lab.namespace.as_str();
        let mine = labels::selector_of(lab.id);
        let pods = self.typed::<Pod>(namespace);
        let listing = ListParams::default().labels(&mine);
        let (workload, pods, volume, events, others) = tokio::try_join!(
            self.workload(order),
            within(pods.list(&listing)),
            self.volume(order),
            self.events(namespace, &lab.name),
            self.find(namespace, &OTHERS, &mine),
        )?;
        let mut pods = pods.items;
        pods.sort_by_key(order_of_pods);
        if workload.is_none() {
            self.mirror.found_none(order);
        }
        let mut others: Vec<_> = others.into_iter().map(|(kind, object)| (kind, object.name_any())).collect();
        // A lab's own Job is its workload; any other Job is its timer.
        others.retain(|(kind, name)| *kind != Kind::Job || *name != lab.name);
        others.sort();
        Ok(Seen { namespace: namespace.to_owned(), workload, pods, volume, events, others, ..Seen::default() })
    }

    async fn workload(&self, order: &LabOrder) -> Result<Option<Workload>, ClusterError> {
        let (namespace, name) = (order.lab.namespace.as_str(), order.lab.name.as_str());
        Ok(match order.lab.spec.workload {
            catalogue::Workload::Notebook => {
                within(self.typed::<StatefulSet>(namespace).get_opt(name)).await?.map(|set| Workload::StatefulSet(Box::new(set)))
            }
            catalogue::Workload::DistributedJob | catalogue::Workload::BatchJob => {
                within(self.typed::<Job>(namespace).get_opt(name)).await?.map(|job| Workload::Job(Box::new(job)))
            }
            catalogue::Workload::CodeEditor | catalogue::Workload::Shell | catalogue::Workload::Inference => {
                let found = within(self.typed::<Deployment>(namespace).get_opt(name)).await?;
                found.map(|deployment| Workload::Deployment(Box::new(deployment)))
            }
        })
    }

    async fn volume(&self, order: &LabOrder) -> Result<Option<PersistentVolumeClaim>, ClusterError> {
        if order.lab.spec.storage_gib == 0 {
            return Ok(None);
        }
        within(self.typed::<PersistentVolumeClaim>(&order.lab.namespace).get_opt(&order.lab.name)).await
    }

    /// Events carry no labels and can be selected only by one exact name, so those of the namespace are read and sorted out here.
    async fn events(&self, namespace: &str, name: &str) -> Result<Vec<Event>, ClusterError> {
        let all = within(self.typed::<Event>(namespace).list(&ListParams::default())).await?;
        Ok(all.items.into_iter().filter(|event| events::is_about(event, name)).collect())
    }

    fn typed<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), namespace)
    }
}

/// By completion index where there is one, so that rank 10 comes after rank 9; else by name.
pub fn order_of_pods(pod: &Pod) -> (u32, String) {
    let index = pod.annotations().get("batch.kubernetes.io/job-completion-index").and_then(|index| index.parse().ok());
    (index.unwrap_or(0), pod.name_any())
}
