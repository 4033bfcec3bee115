//! LimitRange: default requests and limits, and the bounds with the real words.

use serde_json::Value;

use super::usage::{self, Amounts, Side};
use crate::{
    error::{ApiError, Result},
    quantity::Quantity,
    registry::{Kind, Resource},
    store::Txn,
    value,
};

/// Gives containers the default limits and requests of the namespace.
pub fn default_pod(txn: &Txn<'_>, pod: &mut Value) {
    let namespace = value::namespace(pod).to_owned();
    let ranges: Vec<_> = txn.list(Resource::LimitRanges, &namespace);
    for limit in ranges.iter().flat_map(|range| value::items(range, "/spec/limits")) {
        if value::text(limit, "/type") != "Container" {
            continue;
        }
        for list in ["initContainers", "containers"] {
            for container in pod.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut).into_iter().flatten() {
                for (from, side) in [("default", "limits"), ("defaultRequest", "requests")] {
                    for (name, amount) in value::entries(limit, &format!("/{from}")) {
                        value::set_default(container, &["resources", side, name], amount.clone());
                    }
                }
            }
        }
    }
}

/// Checks a pod or a claim against the bounds of its namespace.
pub fn check(txn: &Txn<'_>, kind: &Kind, object: &Value) -> Result<()> {
    let mut complaints = Vec::new();
    for range in txn.iter(Resource::LimitRanges, value::namespace(object)) {
        for limit in value::items(range, "/spec/limits") {
            match (value::text(limit, "/type"), kind.resource) {
                ("Container", Resource::Pods) => {
                    for container in value::items(object, "/spec/containers") {
                        let requests = usage::amounts(container.pointer("/resources/requests"));
                        let limits = usage::amounts(container.pointer("/resources/limits"));
                        bounds(limit, "Container", &requests, &limits, &mut complaints);
                    }
                }
                ("Pod", Resource::Pods) => {
                    bounds(limit, "Pod", &usage::pod(object, Side::Requests), &usage::pod(object, Side::Limits), &mut complaints);
                }
                ("PersistentVolumeClaim", Resource::PersistentVolumeClaims) => {
                    let requests = usage::amounts(object.pointer("/spec/resources/requests"));
                    bounds(limit, "PersistentVolumeClaim", &requests, &requests, &mut complaints);
                }
                _ => {}
            }
        }
    }
    match complaints.as_slice() {
        [] => Ok(()),
        [one] => Err(ApiError::forbidden(kind, value::name(object), one)),
        several => Err(ApiError::forbidden(kind, value::name(object), &format!("[{}]", several.join(", ")))),
    }
}

fn bounds(limit: &Value, what: &str, requests: &Amounts, limits: &Amounts, complaints: &mut Vec<String>) {
    for (name, least) in usage::amounts(limit.get("min")) {
        match requests.get(&name) {
            None => complaints.push(format!("minimum {name} usage per {what} is {least}.  No request is specified")),
            Some(asked) if *asked < least => complaints.push(format!("minimum {name} usage per {what} is {least}, but request is {asked}")),
            Some(_) => {}
        }
    }
    for (name, most) in usage::amounts(limit.get("max")) {
        match limits.get(&name) {
            None => complaints.push(format!("maximum {name} usage per {what} is {most}.  No limit is specified")),
            Some(asked) if *asked > most => {
                let side = if what == "PersistentVolumeClaim" { "request" } else { "limit" };
                complaints.push(format!("maximum {name} usage per {what} is {most}, but {side} is {asked}"));
            }
            Some(_) => {}
        }
    }
    for (name, ratio) in usage::amounts(limit.get("maxLimitRequestRatio")) {
        if let (Some(asked), Some(limited)) = (requests.get(&name), limits.get(&name)) {
            let actual = limited.share_of(*asked);
            if actual > ratio.share_of(Quantity::whole(1)) {
                complaints.push(format!("{name} max limit to request ratio per {what} is {ratio}, but provided ratio is {actual:.6}"));
            }
        }
    }
}
