//! Deleting: preconditions, grace, finalizers and propagation.

use serde_json::{Value, json};

use super::{DryRun, Writer};
use crate::{
    error::{ApiError, FieldError, Result},
    registry::{Kind, Resource},
    stamp,
    store::{Key, Object, Txn},
    value,
};

/// Held by an object whose dependents go first.
pub const FOREGROUND: &str = "foregroundDeletion";
/// Held by an object whose dependents shall stay.
pub const ORPHAN: &str = "orphan";

/// What becomes of the dependents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    Foreground,
    Background,
    Orphan,
}

/// A request to delete.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub propagation: Option<Propagation>,
    pub grace_seconds: Option<i64>,
    pub uid: Option<String>,
    pub resource_version: Option<String>,
}

impl Options {
    /// Reads a `DeleteOptions` body; the query's values win where the body says nothing.
    pub fn read(body: &Value, query: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let propagation = match text("/propagationPolicy").or_else(|| query("propagationPolicy")).as_deref() {
            None | Some("") => match body.get("orphanDependents").and_then(Value::as_bool) {
                Some(true) => Some(Propagation::Orphan),
                Some(false) => Some(Propagation::Background),
                None => None,
            },
            Some("Foreground") => Some(Propagation::Foreground),
            Some("Background") => Some(Propagation::Background),
            Some("Orphan") => Some(Propagation::Orphan),
            Some(other) => {
                let error = FieldError::unsupported("propagationPolicy", &other.into(), &["Foreground", "Background", "Orphan", "nil"]);
                return Err(ApiError::invalid_options("DeleteOptions", &error));
            }
        };
        let grace_seconds = value::int(body, "/gracePeriodSeconds").or_else(|| query("gracePeriodSeconds").and_then(|text| text.parse().ok()));
        Ok(Self { propagation, grace_seconds, uid: text("/preconditions/uid"), resource_version: text("/preconditions/resourceVersion") })
    }

    pub fn background() -> Self {
        Self { propagation: Some(Propagation::Background), ..Self::default() }
    }
}

/// How far the deletion got.
pub enum Deleted {
    /// The object is gone.
    Gone(Object),
    /// It carries a deletion timestamp and waits.
    Waiting(Object),
}

pub fn delete(txn: &mut Txn<'_>, kind: &'static Kind, key: &Key, options: &Options, writer: &Writer) -> Result<Deleted> {
    let Some(old) = txn.get(key) else { return Err(ApiError::not_found(kind, &key.name)) };
    check_preconditions(kind, &old, options)?;
    if kind.resource == Resource::Namespaces && ["default", "kube-system", "kube-public"].contains(&key.name.as_str()) {
        return Err(ApiError::forbidden(kind, &key.name, "this namespace may not be deleted"));
    }
    let mut new = (*old).clone();
    add_finalizer(kind, &mut new, options.propagation);
    let grace = grace(kind, &old, options);
    let is_held = !value::items(&new, "/metadata/finalizers").is_empty() || grace > 0 || kind.resource == Resource::Namespaces;
    if writer.dry_run == DryRun::All {
        return Ok(if is_held { Deleted::Waiting(new.into()) } else { Deleted::Gone(old) });
    }
    if !is_held {
        txn.remove(key);
        return Ok(Deleted::Gone(old));
    }
    if value::is_terminating(&new) {
        // A second deletion may only shorten the wait.
        let before = value::int(&new, "/metadata/deletionGracePeriodSeconds").unwrap_or_default();
        value::set(&mut new, &["metadata", "deletionGracePeriodSeconds"], grace.min(before));
    } else {
        value::set(&mut new, &["metadata", "deletionTimestamp"], stamp::after(grace));
        value::set(&mut new, &["metadata", "deletionGracePeriodSeconds"], grace);
        if let Some(generation) = value::int(&new, "/metadata/generation") {
            value::set(&mut new, &["metadata", "generation"], generation.saturating_add(1));
        }
    }
    if kind.resource == Resource::Namespaces {
        value::take(&mut new, &["metadata", "deletionGracePeriodSeconds"]);
        value::set(&mut new, &["status", "phase"], "Terminating");
    }
    if new == *old {
        return Ok(Deleted::Waiting(old));
    }
    Ok(Deleted::Waiting(txn.put(kind.resource, new)))
}

fn check_preconditions(kind: &Kind, old: &Value, options: &Options) -> Result<()> {
    if let Some(uid) = &options.uid
        && uid != value::uid(old)
    {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            value::uid(old)
        );
        return Err(ApiError::failed_precondition(kind, value::name(old), &why));
    }
    let version = value::text(old, "/metadata/resourceVersion");
    if let Some(wanted) = &options.resource_version
        && wanted != version
    {
        let why = format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({version}). The object might have been modified"
        );
        return Err(ApiError::failed_precondition(kind, value::name(old), &why));
    }
    Ok(())
}

fn add_finalizer(kind: &Kind, object: &mut Value, propagation: Option<Propagation>) {
    // Jobs of batch/v1 keep their pods unless told otherwise, as in a real cluster.
    let propagation = propagation.unwrap_or(if kind.resource == Resource::Jobs { Propagation::Orphan } else { Propagation::Background });
    let mut finalizers: Vec<Value> = value::items(object, "/metadata/finalizers").to_vec();
    finalizers.retain(|one| one != FOREGROUND && one != ORPHAN);
    match propagation {
        Propagation::Foreground => finalizers.push(json!(FOREGROUND)),
        Propagation::Orphan => finalizers.push(json!(ORPHAN)),
        Propagation::Background => {}
    }
    if finalizers.is_empty() {
        value::take(object, &["metadata", "finalizers"]);
    } else {
        value::set(object, &["metadata", "finalizers"], finalizers);
    }
}

/// Seconds that a pod has to end; other objects have none.
fn grace(kind: &Kind, object: &Value, options: &Options) -> i64 {
    let is_idle = value::text(object, "/spec/nodeName").is_empty() || ["Succeeded", "Failed"].contains(&value::text(object, "/status/phase"));
    if kind.resource != Resource::Pods || is_idle {
        return 0;
    }
    let own = value::int(object, "/spec/terminationGracePeriodSeconds").unwrap_or(30);
    options.grace_seconds.unwrap_or(own).max(0)
}
