//! Refusing what is plainly wrong, in the words of a real API server. To add a check: a function over `Complaints` in the file of its kind.

mod immutable;
mod names;
mod pods;
mod policies;
pub mod schema;
mod workloads;

use serde_json::Value;

use crate::{
    error::{ApiError, FieldError, Result},
    quantity::Quantity,
    registry::{Kind, Resource},
    store::Txn,
    value,
};

pub(crate) type Complaints = Vec<FieldError>;

/// Quantities that are none: the decoder of a real server refuses them before anything else.
pub fn early(kind: &Kind, object: &Value) -> Result<()> {
    let pod_spec = match kind.resource {
        Resource::Pods => object.get("spec"),
        Resource::StatefulSets | Resource::Deployments | Resource::ReplicaSets | Resource::DaemonSets | Resource::Jobs => {
            object.pointer("/spec/template/spec")
        }
        _ => None,
    };
    let quantity_maps = pod_spec.into_iter().flat_map(|spec| {
        value::items(spec, "/containers")
            .iter()
            .chain(value::items(spec, "/initContainers"))
            .flat_map(|container| [container.pointer("/resources/limits"), container.pointer("/resources/requests")])
    });
    let quota_map = if kind.resource == Resource::ResourceQuotas { object.pointer("/spec/hard") } else { None };
    let claim_map = if kind.resource == Resource::PersistentVolumeClaims { object.pointer("/spec/resources/requests") } else { None };
    for map in quantity_maps.chain([quota_map, claim_map]).flatten() {
        for amount in map.as_object().into_iter().flat_map(serde_json::Map::values) {
            if Quantity::of(amount).is_none() {
                let why = format!(
                    "{} in version {:?} cannot be handled as a {}: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
                    kind.kind, kind.version, kind.kind
                );
                return Err(ApiError::bad_request(why));
            }
        }
    }
    Ok(())
}

/// Checks a new object.
pub fn created(txn: &Txn<'_>, kind: &Kind, object: &Value) -> Result<()> {
    let mut complaints = Complaints::new();
    names::check(kind, object, &mut complaints);
    content(kind, object, &mut complaints);
    let _ = txn;
    finish(kind, object, &complaints)
}

/// Checks a changed object.
pub fn updated(kind: &Kind, old: &Value, new: &Value) -> Result<()> {
    early(kind, new)?;
    let mut complaints = Complaints::new();
    names::labels(new, &mut complaints);
    content(kind, new, &mut complaints);
    immutable::check(kind, old, new, &mut complaints);
    finish(kind, new, &complaints)
}

fn content(kind: &Kind, object: &Value, complaints: &mut Complaints) {
    match kind.resource {
        Resource::Pods => pods::spec(&object["spec"], "spec", complaints),
        Resource::StatefulSets => workloads::stateful_set(object, complaints),
        Resource::Deployments | Resource::ReplicaSets | Resource::DaemonSets => workloads::deployment(object, complaints),
        Resource::Jobs => workloads::job(object, complaints),
        Resource::Services => policies::service(object, complaints),
        Resource::PersistentVolumeClaims => policies::claim(object, complaints),
        Resource::ResourceQuotas => policies::quota(object, complaints),
        Resource::LimitRanges => policies::limit_range(object, complaints),
        Resource::ConfigMaps | Resource::Secrets => policies::data(object, complaints),
        Resource::Leases => policies::lease(object, complaints),
        Resource::RoleBindings | Resource::ClusterRoleBindings if value::text(object, "/roleRef/name").is_empty() => {
            complaints.push(FieldError::required("roleRef.name", ""));
        }
        _ => {}
    }
}

fn finish(kind: &Kind, object: &Value, complaints: &[FieldError]) -> Result<()> {
    if complaints.is_empty() { Ok(()) } else { Err(ApiError::invalid(kind, value::name(object), complaints)) }
}
