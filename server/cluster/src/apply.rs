//! Making the cluster hold what a started lab needs. Safe to repeat and to cut off anywhere: every step is an apply.

use domain::{courses::Course, quotas::Amounts};
use futures::future::{try_join, try_join_all};
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use services::ports::{ClusterError, LabOrder};

use crate::{
    capabilities::Capabilities,
    client::Kubernetes,
    errors::within,
    kinds::Kind,
    labels,
    manifests::{self, Manifest},
    template,
};

impl Kubernetes {
    pub(crate) async fn start_lab(&self, order: &LabOrder) -> Result<(), ClusterError> {
        let capabilities = self.capabilities().await?;
        let namespace = order.lab.namespace.as_str();
        let shared = manifests::of_course(&order.course);
        if !self.courses.has(namespace, &shared) {
            self.apply_course(namespace, &shared).await?;
            self.courses.applied(namespace, shared);
        }
        let started = self.apply_lab(order, capabilities).await;
        if started.is_err() {
            self.courses.forget(namespace);
        }
        started
    }

    async fn apply_course(&self, namespace: &str, shared: &[Manifest]) -> Result<(), ClusterError> {
        let (own, rest) = shared.split_at(1);
        for namespace in own {
            self.ensure_namespace(namespace).await?;
        }
        try_join_all(rest.iter().map(|manifest| self.apply(namespace, manifest))).await.map(drop)
    }

    async fn apply_lab(&self, order: &LabOrder, capabilities: Capabilities) -> Result<(), ClusterError> {
        let namespace = order.lab.namespace.as_str();
        let own = manifests::of_lab(order);
        let own = try_join_all(own.iter().map(async |manifest| match manifest.kind {
            Kind::PersistentVolumeClaim => self.apply_claim(namespace, manifest).await.map(drop),
            _ => self.apply(namespace, manifest).await.map(drop),
        }));
        let (_, timer) = try_join(own, self.start_timer(order)).await?;
        if order.own_secret.is_some() {
            self.own_secrets.note(order.lab.id, order.lab.lifecycle.generation);
        }
        let mut workload = manifests::workload(order, capabilities);
        if let Some(timer) = timer {
            workload.body["metadata"]["ownerReferences"] = json!([timer]);
        }
        if workload.kind == Kind::Job {
            if self.keep_job(order).await? {
                return Ok(());
            }
            // A Job adopts no pods: the ranks of one that somebody deleted would run beside the new ones.
            if self.delete_orphans(order).await? {
                return Err(ClusterError::Busy(format!("pods of an earlier Job {} are being deleted", workload.name)));
            }
        }
        if workload.kind != Kind::Job {
            return self.apply_with_template(order, workload).await;
        }
        let applied = self.apply(namespace, &workload).await?;
        self.mirror.wrote(order.lab.id, Some(&applied.metadata));
        Ok(())
    }

    /// Applies the workload and notes its template, by which a later change is found. An apply keeps what another client added to it; that
    /// is removed.
    async fn apply_with_template(&self, order: &LabOrder, mut workload: Manifest) -> Result<(), ClusterError> {
        let namespace = order.lab.namespace.as_str();
        let wanted = template::wanted(order);
        workload.body["metadata"]["annotations"] = json!({ labels::TEMPLATE: template::hash(&wanted) });
        let before = self.get(workload.kind, namespace, &workload.name).await?;
        let mut applied = self.apply(namespace, &workload).await?;
        let is_changed = before.as_ref().is_some_and(template::is_tampered) || !template::covers(&applied.data["spec"]["template"], &wanted);
        if is_changed && let Some(restored) = self.restore_template(order, &template::manifest(order)).await? {
            applied = restored;
        }
        self.note_template(order, workload.kind, applied).await.map(drop)
    }

    pub(crate) async fn apply_quota(&self, course: &Course, limits: &Amounts) -> Result<(), ClusterError> {
        match self.get(Kind::Namespace, "", &course.namespace).await? {
            Some(found) if found.metadata.deletion_timestamp.is_none() => {
                self.apply(&course.namespace, &manifests::limit_range(course)).await?;
                self.apply(&course.namespace, &manifests::resource_quota(course, limits)).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Makes the namespace, or brings it up to date when it is ours. One that somebody else made is used as it is, and never deleted.
    async fn ensure_namespace(&self, wanted: &Manifest) -> Result<(), ClusterError> {
        match self.get(Kind::Namespace, "", &wanted.name).await? {
            Some(found) if is_ending(&found) => Err(ClusterError::Busy(format!("namespace {} is being deleted", wanted.name))),
            Some(found) if !labels::is_own_namespace(&found.metadata) => Ok(()),
            _ => self.apply("", wanted).await.map(drop),
        }
    }

    /// Server-side apply of one object. Our fields are ours: another manager's change to them is undone.
    pub(crate) async fn apply(&self, namespace: &str, manifest: &Manifest) -> Result<DynamicObject, ClusterError> {
        let api = manifest.kind.api(&self.client, namespace);
        let applied = self.change(api.patch(&manifest.name, &parameters(), &Patch::Apply(&manifest.body))).await?;
        if is_ending(&applied) {
            return Err(ClusterError::Busy(format!("{} {} is being deleted", manifest.kind.as_str(), manifest.name)));
        }
        Ok(applied)
    }

    /// Whether a Job of this name stays as it is. A Job cannot be changed once it is there; one that failed makes room for the next.
    async fn keep_job(&self, order: &LabOrder) -> Result<bool, ClusterError> {
        let (namespace, name) = (order.lab.namespace.as_str(), order.lab.name.as_str());
        let Some(job) = self.get(Kind::Job, namespace, name).await? else { return Ok(false) };
        let failed = job.data["status"]["conditions"]
            .as_array()
            .is_some_and(|all| all.iter().any(|condition| condition["type"] == "Failed" && condition["status"] == "True"));
        if !failed && !is_ending(&job) {
            let is_labelled = is_ours(&job) && labels::lab_of(job.metadata.labels.as_ref()) == Some(order.lab.id);
            if !is_labelled {
                self.label_job(order).await?;
            }
            return Ok(true);
        }
        let deleted = self.delete(Kind::Job, namespace, name, &DeleteParams::foreground()).await?;
        self.mirror.wrote(order.lab.id, deleted.as_ref().map(|job| &job.metadata));
        Err(ClusterError::Busy(format!("the earlier Job {name} is being deleted")))
    }

    /// Gives the Job its labels again: without them no watch finds it.
    async fn label_job(&self, order: &LabOrder) -> Result<(), ClusterError> {
        let body = json!({ "metadata": { "labels": labels::of_lab(order) } });
        let (parameters, patch) = merge(&body);
        let api = Kind::Job.api(&self.client, &order.lab.namespace);
        let labelled = self.change(api.patch(&order.lab.name, &parameters, &patch)).await?;
        self.mirror.wrote(order.lab.id, Some(&labelled.metadata));
        Ok(())
    }

    pub(crate) async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Option<DynamicObject>, ClusterError> {
        within(kind.api(&self.client, namespace).get_opt(name)).await
    }

    /// Asks for deletion and gives what is still there of it; nothing to delete is fine.
    pub(crate) async fn delete(&self, kind: Kind, namespace: &str, name: &str, how: &DeleteParams) -> Result<Option<DynamicObject>, ClusterError> {
        let api = kind.api(&self.client, namespace);
        self.change(async {
            match api.delete(name, how).await {
                Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
                Ok(answer) => Ok(answer.left()),
                Err(error) => Err(error),
            }
        })
        .await
    }
}

pub fn parameters() -> PatchParams {
    PatchParams::apply(labels::MANAGER).force()
}

fn is_ending(object: &DynamicObject) -> bool {
    object.metadata.deletion_timestamp.is_some()
}

/// Whether Lectern made it.
pub fn is_ours(object: &DynamicObject) -> bool {
    object.metadata.labels.as_ref().and_then(|labels| labels.get(labels::MANAGED_BY)).is_some_and(|manager| manager == labels::MANAGER)
}

/// A merge patch in Lectern's name.
pub fn merge(body: &Value) -> (PatchParams, Patch<&Value>) {
    (PatchParams { field_manager: Some(labels::MANAGER.into()), ..PatchParams::default() }, Patch::Merge(body))
}
