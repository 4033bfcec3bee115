//! Server-side tables, as `kubectl get` prints them. To add a kind: an arm in `columns`.

mod config;
mod core;
mod workloads;

use serde_json::{Value, json};

use crate::{
    registry::{Kind, Resource},
    stamp,
    store::Object,
    value,
};

/// A column: its name, whether only `-o wide` shows it, and its cell.
pub struct Column {
    name: &'static str,
    is_wide: bool,
    cell: fn(&Value) -> Value,
}

impl Column {
    const fn plain(name: &'static str, cell: fn(&Value) -> Value) -> Self {
        Self { name, is_wide: false, cell }
    }

    const fn wide(name: &'static str, cell: fn(&Value) -> Value) -> Self {
        Self { name, is_wide: true, cell }
    }
}

/// How much of an object comes with its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Include {
    Nothing,
    Metadata,
    Object,
}

impl Include {
    /// The value of `includeObject`.
    pub fn wanted(text: Option<&str>) -> Self {
        match text {
            Some("None") => Self::Nothing,
            Some("Object") => Self::Object,
            _ => Self::Metadata,
        }
    }
}

fn age(object: &Value) -> Value {
    stamp::age(value::text(object, "/metadata/creationTimestamp")).into()
}

fn columns(resource: Resource) -> Vec<Column> {
    match resource {
        Resource::Namespaces => core::namespaces(),
        Resource::Nodes => core::nodes(),
        Resource::Pods => core::pods(),
        Resource::Services => core::services(),
        Resource::Endpoints => core::endpoints(),
        Resource::Events => core::events(),
        Resource::PersistentVolumeClaims => config::claims(),
        Resource::PersistentVolumes => config::volumes(),
        Resource::StorageClasses => config::storage_classes(),
        Resource::ResourceQuotas => config::quotas(),
        Resource::LimitRanges => vec![Column::plain("Created At", created)],
        Resource::Roles | Resource::ClusterRoles => vec![Column::plain("Created At", created)],
        Resource::RoleBindings | Resource::ClusterRoleBindings => config::role_bindings(),
        Resource::NetworkPolicies => config::network_policies(),
        Resource::Leases => config::leases(),
        Resource::EndpointSlices => config::endpoint_slices(),
        Resource::Secrets => config::secrets(),
        Resource::ConfigMaps => config::config_maps(),
        Resource::ServiceAccounts => config::service_accounts(),
        Resource::StatefulSets => workloads::stateful_sets(),
        Resource::Deployments => workloads::deployments(),
        Resource::ReplicaSets => workloads::replica_sets(),
        Resource::Jobs => workloads::jobs(),
        Resource::ControllerRevisions => workloads::controller_revisions(),
        _ => vec![Column::plain("Age", age)],
    }
}

fn created(object: &Value) -> Value {
    value::text(object, "/metadata/creationTimestamp").into()
}

/// A table of objects.
pub fn table(kind: &Kind, objects: &[Object], include: Include, version: &str) -> Value {
    let columns = columns(kind.resource);
    // Events are known by what they are about.
    let has_name = kind.resource != Resource::Events;
    let mut definitions = Vec::new();
    if has_name {
        definitions.push(definition("Name", "name", 0));
    }
    definitions.extend(columns.iter().map(|column| definition(column.name, "", i32::from(column.is_wide))));
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let mut cells = Vec::new();
            if has_name {
                cells.push(value::name(object).into());
            }
            cells.extend(columns.iter().map(|column| (column.cell)(object)));
            let mut row = json!({"cells": cells});
            match include {
                Include::Nothing => {}
                Include::Metadata => row["object"] = metadata_of(object),
                Include::Object => row["object"] = (**object).clone(),
            }
            row
        })
        .collect();
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": version}, "columnDefinitions": definitions, "rows": rows})
}

/// A table of one object.
pub fn single(kind: &Kind, object: &Object, include: Include) -> Value {
    table(kind, std::slice::from_ref(object), include, value::text(object, "/metadata/resourceVersion"))
}

fn definition(name: &str, format: &str, priority: i32) -> Value {
    json!({"name": name, "type": "string", "format": format, "description": "", "priority": priority})
}

/// An object's metadata alone.
pub fn metadata_of(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

/// The text at a pointer, or a placeholder.
fn or(object: &Value, pointer: &str, placeholder: &str) -> Value {
    match value::text(object, pointer) {
        "" => placeholder.into(),
        text => text.into(),
    }
}

fn joined<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    parts.collect::<Vec<_>>().join(",")
}
