//! Taking a lab out of the cluster. Called until it reports that nothing is left; finalizers (a volume in use, pods that end) take a while.

use futures::future::try_join_all;
use kube::api::{DeleteParams, DynamicObject, ListParams};
use services::ports::{ClusterError, LabOrder};

use crate::{apply::is_ours, client::Kubernetes, errors::within, kinds::Kind, labels, manifests::own_secret_name};

impl Kubernetes {
    /// Asks for deletion of everything with the lab's label and gives how much is still there; with `last_of_course` then the namespace.
    pub(crate) async fn destroy_lab(&self, order: &LabOrder, last_of_course: bool) -> Result<u32, ClusterError> {
        let namespace = order.lab.namespace.as_str();
        let mine = labels::selector_of(order.lab.id);
        let mut left = self.find(namespace, &Kind::OF_A_LAB, &mine).await?;
        self.mirror.wrote(order.lab.id, None);
        self.ends.forget(order.lab.id);
        self.own_secrets.forget(order.lab.id);
        if !left.is_empty() {
            self.delete_unlabelled(order, &left).await?;
            let doomed = left.iter().filter(|(_, object)| object.metadata.deletion_timestamp.is_none());
            try_join_all(doomed.map(|(kind, object)| self.doom(*kind, namespace, object))).await?;
            left = self.find(namespace, &Kind::OF_A_LAB, &mine).await?;
        }
        let count = u32::try_from(left.len()).unwrap_or(u32::MAX) + self.delete_secrets(order).await?;
        if count > 0 || !last_of_course {
            return Ok(count);
        }
        self.destroy_namespace(order).await
    }

    /// Deletes the lab's workload by name if another client removed its label: its pods belong to it and would stay.
    async fn delete_unlabelled(&self, order: &LabOrder, found: &[(Kind, DynamicObject)]) -> Result<(), ClusterError> {
        let workload = order.lab.spec.workload;
        let kind = if workload.ends() {
            Kind::Job
        } else if workload.is_deployment() {
            Kind::Deployment
        } else {
            Kind::StatefulSet
        };
        let (namespace, name) = (order.lab.namespace.as_str(), order.lab.name.as_str());
        let is_found = found.iter().any(|(of, object)| *of == kind && object.metadata.name.as_deref() == Some(name));
        let is_left = !is_found && found.iter().any(|(of, _)| *of == Kind::Pod || *of == Kind::ReplicaSet);
        if is_left {
            self.delete(kind, namespace, name, &DeleteParams::foreground()).await?;
        }
        Ok(())
    }

    /// By name, since Secrets are never listed. Returns how many objects are left.
    async fn delete_secrets(&self, order: &LabOrder) -> Result<u32, ClusterError> {
        let lab = &order.lab;
        let variables = (!lab.spec.secrets.is_empty()).then(|| lab.name.clone());
        let own = lab.spec.app_access.as_ref().map(|_| own_secret_name(lab));
        let mut count = 0;
        for name in variables.into_iter().chain(own) {
            let left = self.delete(Kind::Secret, &lab.namespace, &name, &DeleteParams::background()).await?;
            count += u32::from(left.is_some());
        }
        Ok(count)
    }

    pub(crate) async fn doom(&self, kind: Kind, namespace: &str, object: &DynamicObject) -> Result<(), ClusterError> {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        let how = match kind {
            Kind::StatefulSet | Kind::Job | Kind::Deployment => DeleteParams::foreground(),
            // These go with their owner, gracefully; without one nobody else would end them.
            Kind::Pod | Kind::ReplicaSet | Kind::ControllerRevision
                if object.metadata.owner_references.as_ref().is_some_and(|owners| !owners.is_empty()) =>
            {
                return Ok(());
            }
            _ => DeleteParams::background(),
        };
        self.delete(kind, namespace, name, &how).await.map(drop)
    }

    /// Deletes the course's namespace, unless somebody else made it or another lab has come to live in it.
    async fn destroy_namespace(&self, order: &LabOrder) -> Result<u32, ClusterError> {
        let name = order.lab.namespace.as_str();
        self.courses.forget(name);
        let Some(found) = self.get(Kind::Namespace, "", name).await? else { return Ok(0) };
        let others = format!("{},{}!={}", labels::selector_of_all(), labels::LAB, order.lab.id);
        let workloads = [Kind::StatefulSet, Kind::Job, Kind::Deployment, Kind::PersistentVolumeClaim];
        if found.metadata.deletion_timestamp.is_none() && !self.find(name, &workloads, &others).await?.is_empty() {
            return Ok(0);
        }
        if !is_ours(&found) {
            return self.destroy_shared(order).await;
        }
        self.delete(Kind::Namespace, "", name, &DeleteParams::background()).await?;
        Ok(u32::from(self.get(Kind::Namespace, "", name).await?.is_some()))
    }

    /// Deletes what the course's labs shared in a namespace that stays.
    async fn destroy_shared(&self, order: &LabOrder) -> Result<u32, ClusterError> {
        let namespace = order.lab.namespace.as_str();
        let kinds = [Kind::ResourceQuota, Kind::LimitRange, Kind::NetworkPolicy];
        let shared = format!("{}={},{}={}", labels::MANAGED_BY, labels::MANAGER, labels::COURSE, order.lab.course);
        let found = self.find(namespace, &kinds, &shared).await?;
        try_join_all(found.iter().map(|(kind, object)| self.doom(*kind, namespace, object))).await?;
        let left = self.find(namespace, &kinds, &shared).await?;
        Ok(u32::try_from(left.len()).unwrap_or(u32::MAX))
    }

    pub(crate) async fn find(&self, namespace: &str, kinds: &[Kind], selector: &str) -> Result<Vec<(Kind, DynamicObject)>, ClusterError> {
        let parameters = ListParams::default().labels(selector);
        let lists = kinds.iter().map(|kind| {
            let (api, parameters) = (kind.api(&self.client, namespace), &parameters);
            async move { within(api.list(parameters)).await.map(|list| list.items.into_iter().map(|object| (*kind, object)).collect::<Vec<_>>()) }
        });
        Ok(try_join_all(lists).await?.into_iter().flatten().collect())
    }
}
