//! The end of a lab's time, enforced by the cluster: its pods end at their time even if the portal is down.
//!
//! A Job has a deadline of its own. A StatefulSet or a Deployment cannot have one, nor can its pods: Kubernetes refuses
//! `activeDeadlineSeconds` in its template. It belongs to a second Job, the timer, which makes no pods (`parallelism: 0`) and only has a
//! deadline. When the deadline has passed, the Job fails and is deleted for its age, and its dependents are deleted with it. Volumes are
//! not dependents. Both deadlines can be moved, so a lab can be extended while it runs. If another client moves or suspends one, or takes the
//! workload from its timer, the watch sees it and the end is restored.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::{ids::LabId, time::Timestamp};
use k8s_openapi::api::batch::v1::Job;
use kube::{
    api::{DeleteParams, DynamicObject},
    core::ObjectMeta,
};
use serde_json::{Value, json};
use services::ports::{ClusterError, LabOrder};

use crate::{
    apply,
    client::Kubernetes,
    kinds::Kind,
    labels,
    manifests::{self, Manifest, end},
};

/// The ends that this process has given to the cluster, so that each is written once.
#[derive(Default)]
pub struct KnownEnds(Mutex<HashMap<LabId, Known>>);

#[derive(Debug, Clone, Copy)]
struct Known {
    end: Timestamp,
    /// The lab's version then: every change of the end makes another one. Between two versions another replica may have told another end,
    /// also where the end is now as it was before.
    version: i64,
    /// Whether the workload is known to belong to the timer.
    owned: bool,
    /// Version of the Job with the deadline when it was last written from here.
    written: Option<u64>,
}

impl Known {
    fn of(order: &LabOrder, end: Timestamp, written: Option<u64>) -> Self {
        Self { end, version: order.lab.version, owned: true, written }
    }
    fn is_told(&self, order: &LabOrder, end: Timestamp) -> bool {
        self.end == end && self.version == order.lab.version && self.owned
    }
}

impl KnownEnds {
    fn get(&self, lab: LabId) -> Option<Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&lab).copied()
    }
    fn set(&self, lab: LabId, known: Known) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(lab, known);
    }
    pub(crate) fn forget(&self, lab: LabId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&lab);
    }
}

impl Kubernetes {
    /// Moves the end of an existing lab.
    pub(crate) async fn keep_lab_end(&self, order: &LabOrder) -> Result<(), ClusterError> {
        let Some(end) = order.lab.stops_at() else { return Ok(()) };
        let known = self.ends.get(order.lab.id);
        let is_told = known.is_some_and(|known| known.is_told(order, end));
        let is_changed = is_told && self.mirror.is_end_changed(order, known.and_then(|known| known.written));
        if is_told && !(is_changed && self.begins_restoring(order)) {
            return Ok(());
        }
        let written = if order.lab.spec.workload.ends() {
            self.move_deadline(order).await?
        } else {
            let timer = self.apply_timer(order).await?;
            // The workload may be from a portal without timers, or the portal may have stopped between the two steps.
            if is_changed || !known.is_some_and(|known| known.owned) {
                self.give_to(order, &timer).await?;
            }
            version_of(&timer.metadata)
        };
        self.ends.set(order.lab.id, Known::of(order, end, written));
        Ok(())
    }

    /// Whether an end that another client changed may be restored now. If that happens again and again, a later look restores it.
    fn begins_restoring(&self, order: &LabOrder) -> bool {
        let name = if order.lab.spec.workload.ends() { order.lab.name.clone() } else { end::timer_name(&order.lab.name) };
        let job = Manifest { kind: Kind::Job, name, body: Value::Null };
        let begins = self.repairs.begin(order.lab.id, &job);
        if begins {
            tracing::warn!(
                lab.id = %order.lab.id, lab.name = %order.lab.name,
                "when the cluster ends the lab was changed by somebody else and is restored"
            );
        }
        begins
    }

    /// The timer of a lab that starts, as the owner reference of its workload. `None` for a Job, and if the cluster refuses the timer: then
    /// only the portal stops the lab.
    pub(crate) async fn start_timer(&self, order: &LabOrder) -> Result<Option<Value>, ClusterError> {
        if order.lab.spec.workload.ends() {
            return Ok(None);
        }
        match self.apply_timer(order).await {
            Ok(timer) => {
                if let Some(end) = order.lab.stops_at() {
                    self.ends.set(order.lab.id, Known::of(order, end, version_of(&timer.metadata)));
                }
                Ok(Some(owner(&timer)))
            }
            Err(ClusterError::Refused { reason, message }) => {
                tracing::warn!(lab.name = %order.lab.name, %reason, %message, "the cluster refuses the timer that would end the lab by itself");
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// The deadline counts from when the timer was made. The timer records that time itself, since the clocks of the cluster and of the
    /// portal may differ.
    async fn apply_timer(&self, order: &LabOrder) -> Result<DynamicObject, ClusterError> {
        let (namespace, name) = (order.lab.namespace.as_str(), end::timer_name(&order.lab.name));
        let found = self.get(Kind::Job, namespace, &name).await?;
        let from = match &found {
            Some(timer) if is_over(timer) => {
                self.delete(Kind::Job, namespace, &name, &DeleteParams::background()).await?;
                self.ends.forget(order.lab.id);
                return Err(ClusterError::Busy(format!("the earlier Job {name} is being deleted")));
            }
            Some(timer) => begin_of(timer),
            None => None,
        };
        let timer = self.apply(namespace, &manifests::end::timer(order, from.unwrap_or(order.at))).await?;
        if !is_suspended(&timer) {
            return Ok(timer);
        }
        let body = json!({ "spec": { "suspend": false } });
        let (parameters, patch) = apply::merge(&body);
        self.change(Kind::Job.api(&self.client, namespace).patch(&name, &parameters, &patch)).await
    }

    /// The version of the Job with its new deadline; `None` if there is no Job that runs.
    async fn move_deadline(&self, order: &LabOrder) -> Result<Option<u64>, ClusterError> {
        let (namespace, name) = (order.lab.namespace.as_str(), order.lab.name.as_str());
        let Some(job) = self.get(Kind::Job, namespace, name).await?.filter(|job| !is_over(job)) else { return Ok(None) };
        let from = begin_of(&job).unwrap_or(order.at);
        let mut body = json!({
            "metadata": { "annotations": { labels::COUNTS_FROM: from.to_rfc3339() } },
            "spec": { "activeDeadlineSeconds": end::seconds(order, from) },
        });
        if is_suspended(&job) {
            body["spec"]["suspend"] = json!(false);
        }
        self.change_workload(order, Kind::Job, &body).await
    }

    /// Makes the timer the owner of an existing workload.
    async fn give_to(&self, order: &LabOrder, timer: &DynamicObject) -> Result<(), ClusterError> {
        let kind = if order.lab.spec.workload.is_deployment() { Kind::Deployment } else { Kind::StatefulSet };
        self.change_workload(order, kind, &json!({ "metadata": { "ownerReferences": [owner(timer)] } })).await.map(drop)
    }

    /// Applies a merge patch and returns the new version. If the workload does not exist, the next start makes it right.
    async fn change_workload(&self, order: &LabOrder, kind: Kind, body: &Value) -> Result<Option<u64>, ClusterError> {
        let api = kind.api(&self.client, &order.lab.namespace);
        let (parameters, patch) = apply::merge(body);
        let changed = self
            .change(async {
                match api.patch(&order.lab.name, &parameters, &patch).await {
                    Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
                    other => other.map(Some),
                }
            })
            .await?;
        if let Some(changed) = &changed {
            self.mirror.wrote(order.lab.id, Some(&changed.metadata));
        }
        Ok(changed.and_then(|changed| version_of(&changed.metadata)))
    }
}

/// Whether another client changed the deadline of a lab's Job, or of its timer. `false` while the watch is behind the version that was
/// `written` last, and for a Job that is over.
pub fn is_changed(order: &LabOrder, job: &Job, written: Option<u64>) -> bool {
    let is_behind = written.is_some_and(|written| version_of(&job.metadata).is_none_or(|seen| seen < written));
    let conditions = job.status.as_ref().and_then(|status| status.conditions.as_ref());
    let has_ended = |kind: &str| matches!(kind, "Failed" | "Complete");
    let is_over = conditions.is_some_and(|all| all.iter().any(|condition| has_ended(&condition.type_) && condition.status == "True"));
    let Some(spec) = job.spec.as_ref().filter(|_| !is_behind && !is_over && job.metadata.deletion_timestamp.is_none()) else { return false };
    let from = noted_begin(&job.metadata).unwrap_or(order.at);
    spec.suspend == Some(true) || spec.active_deadline_seconds != Some(end::seconds(order, from))
}

/// Whether the workload is deleted with its timer.
pub fn is_owned(workload: &ObjectMeta, timer: &Job) -> bool {
    workload.owner_references.iter().flatten().any(|owner| Some(&owner.uid) == timer.metadata.uid.as_ref())
}

fn version_of(metadata: &ObjectMeta) -> Option<u64> {
    metadata.resource_version.as_deref()?.parse().ok()
}

fn is_suspended(job: &DynamicObject) -> bool {
    job.data["spec"]["suspend"] == true
}

/// From when the deadline counts; `None` for a Job that counts anew once it goes on.
fn begin_of(job: &DynamicObject) -> Option<Timestamp> {
    if is_suspended(job) && job.data["status"]["startTime"].is_null() { None } else { noted_begin(&job.metadata) }
}

fn owner(timer: &DynamicObject) -> Value {
    json!({
        "apiVersion": Kind::Job.api_version(),
        "kind": Kind::Job.as_str(),
        "name": timer.metadata.name.clone().unwrap_or_default(),
        "uid": timer.metadata.uid.clone().unwrap_or_default(),
    })
}

/// The portal's clock when the Job was made; for a Job without this annotation, the cluster's clock.
fn noted_begin(metadata: &ObjectMeta) -> Option<Timestamp> {
    let noted = metadata.annotations.as_ref().and_then(|all| all.get(labels::COUNTS_FROM));
    let noted = noted.and_then(|text| Timestamp::parse_rfc3339(text));
    noted.or_else(|| metadata.creation_timestamp.as_ref().map(crate::observe::stamp))
}

fn is_over(job: &DynamicObject) -> bool {
    let has = |kind: &str| {
        let conditions = job.data["status"]["conditions"].as_array();
        conditions.is_some_and(|all| all.iter().any(|condition| condition["type"] == kind && condition["status"] == "True"))
    };
    job.metadata.deletion_timestamp.is_some() || has("Failed") || has("Complete")
}
