//! Creating an object: names, defaults, admission, validation, then storing.

use serde_json::{Value, json};

use super::{Writer, check_fields, check_place, check_type};
use crate::{
    admission, apply, chance,
    error::{ApiError, FieldError, Result},
    registry::{Kind, Resource},
    stamp,
    store::{Key, Object, Txn},
    validate, value,
};

/// Who has written `managedFields`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fields {
    /// Nobody yet: record the writer.
    Record,
    /// Server-side apply did.
    Applied,
}

/// Creates an object from a body.
pub fn create(txn: &mut Txn<'_>, kind: &'static Kind, namespace: &str, mut body: Value, writer: &Writer) -> Result<Object> {
    check_type(kind, &mut body)?;
    check_fields(kind, &mut body, writer)?;
    check_place(kind, &mut body, namespace, None)?;
    store_new(txn, kind, namespace, body, writer, Fields::Record)
}

/// Stores a new object whose type and place are already checked.
pub fn store_new(txn: &mut Txn<'_>, kind: &'static Kind, namespace: &str, mut body: Value, writer: &Writer, fields: Fields) -> Result<Object> {
    if !value::text(&body, "/metadata/resourceVersion").is_empty() {
        return Err(ApiError::bad_request("resourceVersion should not be set on objects to be created"));
    }
    if kind.namespaced {
        check_namespace(txn, kind, namespace, &body)?;
    }
    give_name(txn, kind, namespace, &mut body)?;
    prepare(kind, &mut body);
    admission::defaults::apply(kind, &mut body);
    validate::early(kind, &body)?;
    admission::mutate(txn, kind, &mut body)?;
    validate::created(txn, kind, &body)?;
    admission::services::allocate(txn, kind, &mut body)?;
    let charge = admission::quota::check(txn, kind, None, &body)?;
    let key = Key::of(kind.resource, &body);
    if txn.get(&key).is_some() {
        return Err(ApiError::already_exists(kind, &key.name));
    }
    if fields == Fields::Record {
        apply::managed::record_update(None, &mut body, &writer.manager, "");
    }
    if writer.dry_run == super::DryRun::No {
        charge.book(txn);
    }
    Ok(writer.keep(txn, kind, body))
}

fn check_namespace(txn: &Txn<'_>, kind: &Kind, namespace: &str, body: &Value) -> Result<()> {
    let found = txn.get(&Key::new(Resource::Namespaces, "", namespace));
    let Some(found) = found else { return Err(ApiError::not_found(Resource::Namespaces.kind(), namespace)) };
    if value::text(&found, "/status/phase") == "Terminating" {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let mut failure = ApiError::forbidden(kind, value::name(body), &why);
        if let Some(details) = &mut failure.details {
            details["causes"] = json!([{"reason": "NamespaceTerminating", "message": format!("namespace {namespace} is being terminated"), "field": "metadata.namespace"}]);
        }
        return Err(failure);
    }
    Ok(())
}

fn give_name(txn: &Txn<'_>, kind: &Kind, namespace: &str, body: &mut Value) -> Result<()> {
    if !value::name(body).is_empty() {
        return Ok(());
    }
    let prefix = value::text(body, "/metadata/generateName").to_owned();
    if prefix.is_empty() {
        let missing = FieldError::required("metadata.name", "name or generateName is required");
        return Err(ApiError::invalid(kind, "", &[missing]));
    }
    loop {
        let name = format!("{}{}", &prefix[..prefix.len().min(58)], chance::suffix(5));
        if txn.get(&Key::new(kind.resource, namespace, &name)).is_none() {
            value::set(body, &["metadata", "name"], name);
            return Ok(());
        }
    }
}

/// The fields that only the server writes.
fn prepare(kind: &Kind, body: &mut Value) {
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"] {
        value::take(body, &["metadata", field]);
    }
    if body["metadata"]["managedFields"].as_array().is_some_and(Vec::is_empty) {
        value::take(body, &["metadata", "managedFields"]);
    }
    value::drop_nulls(body);
    value::set(body, &["metadata", "uid"], chance::uid());
    value::set(body, &["metadata", "creationTimestamp"], stamp::now());
    if has_generation(kind) {
        value::set(body, &["metadata", "generation"], 1);
    }
    if kind.status && kind.resource != Resource::Nodes {
        value::take(body, &["status"]);
    }
}

/// Kinds that count changes of their specification.
pub fn has_generation(kind: &Kind) -> bool {
    matches!(
        kind.resource,
        Resource::StatefulSets
            | Resource::Deployments
            | Resource::ReplicaSets
            | Resource::DaemonSets
            | Resource::Jobs
            | Resource::CronJobs
            | Resource::NetworkPolicies
            | Resource::Ingresses
            | Resource::PodDisruptionBudgets
            | Resource::Pods
            | Resource::ReplicationControllers
    )
}
