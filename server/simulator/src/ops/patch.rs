//! The four patch types.

use serde_json::{Value, json};

use super::{
    Writer, check_fields, check_place, check_type,
    create::{Fields, store_new},
    update::{Part, combine, default_main, store_changed},
};
use crate::{
    apply::{managed, server_side, strategic},
    error::{ApiError, FieldError, Result},
    registry::Kind,
    store::{Key, Object, Txn},
    validate::schema,
    value,
};

/// A patch as it came.
#[derive(Debug, Clone)]
pub enum Patch {
    Apply { config: Value, force: Force },
    Merge(Value),
    Strategic(Value),
    Json(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    No,
    Yes,
}

/// What came of it.
pub struct Patched {
    pub object: Object,
    pub is_new: bool,
}

pub fn patch(txn: &mut Txn<'_>, kind: &'static Kind, key: &Key, patch: Patch, part: Part, writer: &Writer) -> Result<Patched> {
    let old = txn.get(key);
    let patch = match patch {
        Patch::Apply { config, force } => return apply(txn, kind, key, config, force, part, writer),
        other => other,
    };
    let Some(old) = old else { return Err(ApiError::not_found(kind, &key.name)) };
    let mut body = patched(&old, &patch)?;
    check_type(kind, &mut body)?;
    check_fields(kind, &mut body, writer)?;
    check_place(kind, &mut body, &key.namespace, Some(&key.name))?;
    // The patch was made from the stored object, so its own version stands unless the patch names another.
    let mut new = combine(kind, &old, body, part)?;
    default_main(kind, &mut new, part);
    managed::record_update(Some(&old), &mut new, &writer.manager, part.subresource());
    let object = store_changed(txn, kind, &old, new, part, writer)?;
    Ok(Patched { object, is_new: false })
}

fn patched(old: &Value, patch: &Patch) -> Result<Value> {
    match patch {
        Patch::Merge(change) => {
            let mut body = old.clone();
            json_patch::merge(&mut body, change);
            Ok(body)
        }
        Patch::Strategic(change) => Ok(strategic::patch(old, change, &mut Vec::new())),
        Patch::Json(operations) => {
            let operations: json_patch::Patch =
                serde_json::from_value(operations.clone()).map_err(|error| ApiError::bad_request(format!("error decoding patch: {error}")))?;
            let mut body = old.clone();
            // A real server keeps to itself which operation failed, too.
            json_patch::patch(&mut body, &operations).map_err(|_| {
                let failure = ApiError::new(422, "Invalid", "the server rejected our request due to an error in our request");
                ApiError { details: Some(json!({})), ..failure }
            })?;
            Ok(body)
        }
        Patch::Apply { .. } => Ok(old.clone()),
    }
}

fn apply(txn: &mut Txn<'_>, kind: &'static Kind, key: &Key, mut config: Value, force: Force, part: Part, writer: &Writer) -> Result<Patched> {
    if writer.manager.is_empty() {
        let missing = FieldError::required("fieldManager", "is required for apply patch");
        return Err(ApiError::invalid_options("PatchOptions", &missing));
    }
    let version = value::text(&config, "/apiVersion");
    if version != kind.api_version() {
        let expected = kind.api_version();
        return Err(ApiError::bad_request(format!(
            "Incorrect version specified in apply patch. Specified patch version: {version}, expected: {expected}"
        )));
    }
    if value::name(&config).is_empty() {
        return Err(ApiError::bad_request(format!("the name of the object ({} based on URL) was undeterminable: name must be provided", key.name)));
    }
    check_type(kind, &mut config)?;
    let untyped = |why: &str| {
        let place = if key.namespace.is_empty() { format!("/{}", key.name) } else { format!("{}/{}", key.namespace, key.name) };
        ApiError::new(500, "", format!("failed to create typed patch object ({place}; {}, Kind={}): {why}", kind.api_version(), kind.kind))
    };
    let unknown = schema::take_unknown(kind.resource, &mut config).map_err(|error| untyped(&error.to_string()))?;
    if let Some(field) = unknown.first() {
        return Err(untyped(&format!("{}: field not declared in schema", field.keyed)));
    }
    check_place(kind, &mut config, &key.namespace, Some(&key.name))?;
    let old = txn.get(key);
    let request = server_side::Apply { config: &config, manager: &writer.manager, subresource: part.subresource(), force: force == Force::Yes };
    let Some(old) = old else {
        if part == Part::Status {
            return Err(ApiError::not_found(kind, &key.name));
        }
        if !value::uid(&config).is_empty() {
            let why = format!("uid mismatch: the provided object specified uid {}, and no existing object was found", value::uid(&config));
            return Err(ApiError::conflict(kind, &key.name, &why));
        }
        let mut body = server_side::apply(None, &request)?;
        value::take(&mut body, &["metadata", "resourceVersion"]);
        let object = store_new(txn, kind, &key.namespace, body, writer, Fields::Applied)?;
        return Ok(Patched { object, is_new: true });
    };
    let body = server_side::apply(Some(&old), &request)?;
    let fields = body["metadata"].get("managedFields").cloned();
    let mut new = combine(kind, &old, body, part)?;
    if let Some(fields) = fields {
        value::set(&mut new, &["metadata", "managedFields"], fields);
    }
    let object = store_changed(txn, kind, &old, new, part, writer)?;
    Ok(Patched { object, is_new: false })
}
