//! From an order to the objects that a started lab needs, one file per kind. Another object: a builder in its own file, and a row in
//! `of_lab` or `of_course`. Bodies are JSON in Kubernetes' own words; a test reads each back through its typed form.

mod batch_job;
mod container;
mod deployment;
pub mod end;
mod job;
mod limits;
mod namespace;
pub mod network;
mod pod;
mod quota;
mod secret;
mod service;
mod stateful_set;
mod volume;

use std::{collections::BTreeMap, fmt};

use domain::{catalogue::Workload, courses::Course};
use serde_json::{Map, Value, json};
use services::ports::LabOrder;

pub(crate) use self::secret::{own as own_secret, own_name as own_secret_name};
pub use self::{limits::limit_range, network::DEFAULT_DENY, quota::resource_quota, volume::claim};
use crate::{capabilities::Capabilities, kinds::Kind};

/// One object to apply.
#[derive(Clone, PartialEq)]
pub struct Manifest {
    pub kind: Kind,
    pub name: String,
    pub body: Value,
}

impl Manifest {
    /// `rest` holds the top-level fields besides `apiVersion`, `kind` and `metadata`.
    fn new(kind: Kind, namespace: &str, name: &str, labels: &Value, rest: Value) -> Self {
        let mut metadata = json!({ "name": name, "labels": labels });
        if kind != Kind::Namespace {
            metadata["namespace"] = json!(namespace);
        }
        let mut body = json!({ "apiVersion": kind.api_version(), "kind": kind.as_str(), "metadata": metadata });
        if let (Value::Object(body), Value::Object(rest)) = (&mut body, rest) {
            body.extend(rest);
        }
        Self { kind, name: name.to_owned(), body }
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, body } = secret::masked(self.clone());
        f.debug_struct("Manifest").field("kind", &kind).field("name", &name).field("body", &body).finish()
    }
}

/// Objects that every lab of the course needs: the namespace first, the others in any order.
pub fn of_course(course: &Course) -> Vec<Manifest> {
    vec![
        namespace::namespace(course),
        quota::resource_quota(course, &course.settings.limits),
        limits::limit_range(course),
        network::default_deny(course),
    ]
}

/// Objects of the lab alone, without its workload; in any order.
pub fn of_lab(order: &LabOrder) -> Vec<Manifest> {
    let mut all = vec![pod::service_account(order), network::of_lab(order)];
    all.extend(secret::secret(order));
    all.extend(secret::own(order));
    all.extend(service::service(order));
    all.extend(claim(order));
    all
}

/// What makes the pods.
pub fn workload(order: &LabOrder, capabilities: Capabilities) -> Manifest {
    match order.lab.spec.workload {
        Workload::Notebook => stateful_set::stateful_set(order),
        Workload::DistributedJob => end::bound(job::job(order, capabilities), order),
        Workload::BatchJob => end::bound(batch_job::batch_job(order, capabilities), order),
        Workload::CodeEditor | Workload::Shell | Workload::Inference => deployment::deployment(order),
    }
}

/// All of it in the order of application.
pub fn all(order: &LabOrder, capabilities: Capabilities) -> Vec<Manifest> {
    let mut all = of_course(&order.course);
    all.extend(of_lab(order));
    if !order.lab.spec.workload.ends() {
        all.push(end::timer(order, order.at));
    }
    all.push(workload(order, capabilities));
    all
}

/// All manifests as YAML documents for people to read, keys in alphabetical order, without the values of secrets.
pub fn yaml(order: &LabOrder, capabilities: Capabilities) -> String {
    let documents: Vec<_> = all(&secret::with_masks(order), capabilities)
        .into_iter()
        .map(secret::masked)
        .map(|manifest| serde_yaml_ng::to_string(&sorted(manifest.body)).unwrap_or_else(|error| format!("# {error}\n")))
        .collect();
    documents.join("---\n")
}

/// Keys in one order, whatever map `serde_json` was built with.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let by_key: BTreeMap<_, _> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(by_key.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
