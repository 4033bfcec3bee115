//! `metadata.managedFields`: who owns which fields.

use serde_json::{Value, json};

use super::{
    fields::{self, FieldSet},
    merge::without,
};
use crate::{stamp, value};

/// One manager of an object's fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manager {
    pub name: String,
    pub operation: Operation,
    pub api_version: String,
    pub subresource: String,
    pub time: String,
    pub fields: FieldSet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Apply,
    Update,
}

impl Manager {
    pub fn is(&self, name: &str, operation: Operation, subresource: &str) -> bool {
        self.name == name && self.operation == operation && self.subresource == subresource
    }

    /// As conflicts name it.
    pub fn shown(&self) -> String {
        let mut text = format!("{:?}", self.name);
        if !self.subresource.is_empty() {
            text.extend([" with subresource \"", &self.subresource, "\""]);
        }
        if self.operation == Operation::Update {
            text.extend([" using ", &self.api_version, " at ", &self.time]);
        }
        text
    }
}

pub fn read(object: &Value) -> Vec<Manager> {
    let one = |entry: &Value| Manager {
        name: value::text(entry, "/manager").to_owned(),
        operation: if value::text(entry, "/operation") == "Apply" { Operation::Apply } else { Operation::Update },
        api_version: value::text(entry, "/apiVersion").to_owned(),
        subresource: value::text(entry, "/subresource").to_owned(),
        time: value::text(entry, "/time").to_owned(),
        fields: fields::from_json(&entry["fieldsV1"]),
    };
    value::items(object, "/metadata/managedFields").iter().map(one).collect()
}

pub fn write(object: &mut Value, managers: &[Manager]) {
    let mut sorted: Vec<&Manager> = managers.iter().filter(|manager| !manager.fields.is_empty()).collect();
    // Appliers first, then by time, as the API server orders them.
    sorted.sort_by(|a, b| (a.operation == Operation::Update, &a.time, &a.name).cmp(&(b.operation == Operation::Update, &b.time, &b.name)));
    let entries: Vec<Value> = sorted
        .into_iter()
        .map(|manager| {
            let mut entry = json!({
                "manager": manager.name, "operation": if manager.operation == Operation::Apply { "Apply" } else { "Update" },
                "apiVersion": manager.api_version, "time": manager.time, "fieldsType": "FieldsV1", "fieldsV1": fields::to_json(&manager.fields),
            });
            if !manager.subresource.is_empty() {
                entry["subresource"] = manager.subresource.as_str().into();
            }
            entry
        })
        .collect();
    if entries.is_empty() {
        value::take(object, &["metadata", "managedFields"]);
    } else {
        value::set(object, &["metadata", "managedFields"], entries);
    }
}

/// Records that `manager` wrote `new` over `old` other than by applying: what changed is its own now, and nobody else's.
pub fn record_update(old: Option<&Value>, new: &mut Value, manager: &str, subresource: &str) {
    let empty = json!({});
    let mut managers = read(old.unwrap_or(&empty));
    let mut difference = fields::compare(old.unwrap_or(&empty), new);
    if subresource.is_empty() && old.is_some() {
        difference.changed = without(&difference.changed, &["status"]);
    }
    if difference.changed.is_empty() && difference.removed.is_empty() {
        write(new, &managers);
        return;
    }
    for other in &mut managers {
        if !other.is(manager, Operation::Update, subresource) {
            other.fields.retain(|path| !difference.changed.contains(path));
        }
        other.fields.retain(|path| !difference.removed.contains(path));
    }
    if !difference.changed.is_empty() {
        let api_version = value::text(new, "/apiVersion").to_owned();
        let time = stamp::now();
        if let Some(own) = managers.iter_mut().find(|own| own.is(manager, Operation::Update, subresource)) {
            own.fields.extend(difference.changed);
            (own.time, own.api_version) = (time, api_version);
        } else {
            managers.push(Manager {
                name: manager.to_owned(),
                operation: Operation::Update,
                api_version,
                subresource: subresource.to_owned(),
                time,
                fields: difference.changed,
            });
        }
    }
    write(new, &managers);
}
