//! What can be done to objects, inside one transaction. The REST handlers and the controllers go through the same doors.

pub mod create;
pub mod delete;
pub mod patch;
pub mod update;

use serde_json::Value;

use crate::{
    error::{ApiError, Result},
    registry::Kind,
    store::{Object, Txn},
    validate::schema,
    value,
};

/// Who writes, and whether it shall last.
#[derive(Debug, Clone)]
pub struct Writer {
    /// The field manager.
    pub manager: String,
    pub dry_run: DryRun,
    pub unknown: UnknownFields,
}

/// What becomes of fields that a kind does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownFields {
    /// They are left out.
    Dropped,
    /// They refuse the request.
    Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    No,
    All,
}

impl Writer {
    /// A part of the control plane.
    pub fn controller(name: &str) -> Self {
        Self { manager: name.to_owned(), dry_run: DryRun::No, unknown: UnknownFields::Dropped }
    }

    /// Stores the object, or (in a dry run) only shows what would be stored.
    fn keep(&self, txn: &mut Txn<'_>, kind: &Kind, object: Value) -> Object {
        match self.dry_run {
            DryRun::No => txn.put(kind.resource, object),
            DryRun::All => object.into(),
        }
    }
}

/// Checks that a body is an object of this kind, and completes `apiVersion` and `kind`.
fn check_type(kind: &Kind, body: &mut Value) -> Result<()> {
    if !body.is_object() {
        return Err(ApiError::bad_request("the object provided is unrecognized (must be of type object)"));
    }
    let (api, name) = (value::text(body, "/apiVersion").to_owned(), value::text(body, "/kind").to_owned());
    if (!name.is_empty() && name != kind.kind) || (!api.is_empty() && api != kind.api_version()) {
        return Err(ApiError::bad_request(format!(
            "{name} in version {:?} cannot be handled as a {}: converting ({api}.{name}) to ({}.{}): unknown conversion",
            api.rsplit('/').next().unwrap_or_default(),
            kind.kind,
            if kind.group.is_empty() { "core" } else { kind.group },
            kind.kind
        )));
    }
    value::set(body, &["apiVersion"], kind.api_version());
    value::set(body, &["kind"], kind.kind);
    value::map_at(body, &["metadata"]);
    Ok(())
}

/// Checks the types of a body's fields, and takes out those that the kind does not have.
fn check_fields(kind: &Kind, body: &mut Value, writer: &Writer) -> Result<()> {
    let refused =
        |why: String| ApiError::bad_request(format!("{} in version {:?} cannot be handled as a {}: {why}", kind.kind, kind.version, kind.kind));
    let unknown = schema::take_unknown(kind.resource, body).map_err(|error| refused(error.to_string()))?;
    if unknown.is_empty() || writer.unknown == UnknownFields::Dropped {
        return Ok(());
    }
    let list: Vec<_> = unknown.iter().map(|field| format!("unknown field {:?}", field.dotted)).collect();
    Err(refused(format!("strict decoding error: {}", list.join(", "))))
}

/// Checks that the names in the body are those of the path.
fn check_place(kind: &Kind, body: &mut Value, namespace: &str, name: Option<&str>) -> Result<()> {
    let inside = value::namespace(body).to_owned();
    if kind.namespaced {
        if !inside.is_empty() && inside != namespace {
            return Err(ApiError::bad_request("the namespace of the provided object does not match the namespace sent on the request"));
        }
        value::set(body, &["metadata", "namespace"], namespace);
    } else {
        value::take(body, &["metadata", "namespace"]);
    }
    if let Some(name) = name {
        let inside = value::name(body).to_owned();
        if inside.is_empty() {
            value::set(body, &["metadata", "name"], name);
        } else if inside != name {
            return Err(ApiError::bad_request(format!("the name of the object ({inside}) does not match the name on the URL ({name})")));
        }
    }
    Ok(())
}
