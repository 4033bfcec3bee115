//! Replacing an object, or its status alone.

use serde_json::Value;

use super::{Writer, check_fields, check_place, check_type, create::has_generation};
use crate::{
    admission, apply,
    error::{ApiError, Result},
    registry::{Kind, Resource},
    store::{Key, Object, Txn},
    validate, value,
};

/// Which part of an object a request writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Main,
    Status,
}

impl Part {
    pub fn subresource(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Status => "status",
        }
    }
}

/// Replaces an object by a body.
pub fn update(txn: &mut Txn<'_>, kind: &'static Kind, key: &Key, mut body: Value, part: Part, writer: &Writer) -> Result<Object> {
    check_type(kind, &mut body)?;
    check_fields(kind, &mut body, writer)?;
    check_place(kind, &mut body, &key.namespace, Some(&key.name))?;
    let Some(old) = txn.get(key) else { return Err(ApiError::not_found(kind, &key.name)) };
    let mut new = combine(kind, &old, body, part)?;
    default_main(kind, &mut new, part);
    apply::managed::record_update(Some(&old), &mut new, &writer.manager, part.subresource());
    store_changed(txn, kind, &old, new, part, writer)
}

/// Fills in defaults before ownership is recorded: what the server fills in for a writer is the writer's.
pub fn default_main(kind: &Kind, new: &mut Value, part: Part) {
    if part == Part::Main {
        admission::defaults::apply(kind, new);
    }
}

/// The new object: what this endpoint does not write comes from the old one.
pub fn combine(kind: &Kind, old: &Value, mut body: Value, part: Part) -> Result<Value> {
    let version = value::text(&body, "/metadata/resourceVersion");
    if !version.is_empty() && version != value::text(old, "/metadata/resourceVersion") {
        return Err(ApiError::stale(kind, value::name(old)));
    }
    let uid = value::uid(&body);
    if !uid.is_empty() && uid != value::uid(old) {
        let place = if kind.namespaced { format!("{}/{}", value::namespace(old), value::name(old)) } else { value::name(old).to_owned() };
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{}/{place}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            kind.plural,
            value::uid(old)
        );
        return Err(ApiError::conflict(kind, value::name(old), &why));
    }
    let mut new = match part {
        Part::Main => {
            value::drop_nulls(&mut body);
            if kind.status {
                match old.get("status") {
                    Some(status) => value::set(&mut body, &["status"], status.clone()),
                    None => {
                        value::take(&mut body, &["status"]);
                    }
                }
            }
            body
        }
        Part::Status => {
            let mut new = old.clone();
            value::drop_nulls(&mut body);
            value::set(&mut new, &["status"], body.get("status").cloned().unwrap_or(Value::Object(serde_json::Map::new())));
            new
        }
    };
    for field in [
        "uid",
        "creationTimestamp",
        "resourceVersion",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generateName",
        "managedFields",
    ] {
        match old["metadata"].get(field) {
            Some(kept) => value::set(&mut new, &["metadata", field], kept.clone()),
            None => {
                value::take(&mut new, &["metadata", field]);
            }
        }
    }
    Ok(new)
}

/// Stores a changed object: defaults, validation, generation, and the end of an object whose last finalizer went.
pub fn store_changed(txn: &mut Txn<'_>, kind: &'static Kind, old: &Object, mut new: Value, part: Part, writer: &Writer) -> Result<Object> {
    if part == Part::Main {
        admission::defaults::apply(kind, &mut new);
        admission::services::keep(kind, old, &mut new)?;
        validate::updated(kind, old, &new)?;
        admission::check_resize(txn, kind, old, &new)?;
        if has_generation(kind) && new.get("spec") != old.get("spec") {
            let generation = value::int(old, "/metadata/generation").unwrap_or_default().saturating_add(1);
            value::set(&mut new, &["metadata", "generation"], generation);
        }
    }
    let charge = admission::quota::check(txn, kind, Some(old), &new)?;
    if new == **old {
        return Ok(old.clone());
    }
    if writer.dry_run == super::DryRun::No {
        charge.book(txn);
    }
    if value::is_terminating(&new) && is_ready_to_go(kind, &new) {
        if writer.dry_run == super::DryRun::No {
            txn.put(kind.resource, new.clone());
            txn.remove(&Key::of(kind.resource, &new));
        }
        return Ok(new.into());
    }
    Ok(writer.keep(txn, kind, new))
}

/// Whether nothing holds a deleted object any more.
pub fn is_ready_to_go(kind: &Kind, object: &Value) -> bool {
    let waits_for_kubelet = kind.resource == Resource::Pods && value::int(object, "/metadata/deletionGracePeriodSeconds").unwrap_or_default() > 0;
    let waits_for_content = kind.resource == Resource::Namespaces && !value::items(object, "/spec/finalizers").is_empty();
    value::items(object, "/metadata/finalizers").is_empty() && !waits_for_kubelet && !waits_for_content
}

/// Changes a stored object by a function, as controllers do. Nothing happens when it is gone or comes out the same.
pub fn modify(txn: &mut Txn<'_>, key: &Key, part: Part, writer: &Writer, change: impl FnOnce(&mut Value)) -> Option<Object> {
    let old = txn.get(key)?;
    let mut new = (*old).clone();
    change(&mut new);
    if new == *old {
        return Some(old);
    }
    let kind = key.resource.kind();
    apply::managed::record_update(Some(&old), &mut new, &writer.manager, part.subresource());
    match store_changed(txn, kind, &old, new, part, writer) {
        Ok(object) => Some(object),
        Err(error) => {
            tracing::warn!(object.kind = kind.kind, object.name = %key.name, error = %error, "a controller's change was refused");
            None
        }
    }
}
