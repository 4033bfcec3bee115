//! Services, claims, quotas, limit ranges and plain data.

use serde_json::{Value, json};

use super::{Complaints, names};
use crate::{error::FieldError, quantity::Quantity, value};

pub fn service(object: &Value, complaints: &mut Complaints) {
    let ports = value::items(object, "/spec/ports");
    let is_headless = value::text(object, "/spec/clusterIP") == "None";
    let kind = value::text(object, "/spec/type");
    if ports.is_empty() && !is_headless && kind != "ExternalName" {
        complaints.push(FieldError::required("spec.ports", ""));
    }
    if !["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"].contains(&kind) {
        complaints.push(FieldError::unsupported("spec.type", &kind.into(), &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]));
    }
    for (index, port) in ports.iter().enumerate() {
        let name = value::text(port, "/name");
        if name.is_empty() && ports.len() > 1 {
            complaints.push(FieldError::required(format!("spec.ports[{index}].name"), ""));
        } else if !name.is_empty()
            && let Some(problem) = names::label(name)
        {
            complaints.push(FieldError::invalid(format!("spec.ports[{index}].name"), &name.into(), &problem));
        }
        let number = value::int(port, "/port").unwrap_or_default();
        if !(1..=65_535).contains(&number) {
            complaints.push(FieldError::invalid(format!("spec.ports[{index}].port"), &number.into(), "must be between 1 and 65535, inclusive"));
        }
    }
}

pub fn claim(object: &Value, complaints: &mut Complaints) {
    let modes = value::items(object, "/spec/accessModes");
    if modes.is_empty() {
        complaints.push(FieldError::required("spec.accessModes", "at least 1 access mode is required"));
    }
    let allowed = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
    for mode in modes.iter().filter(|mode| !allowed.iter().any(|one| *mode == one)) {
        complaints.push(FieldError::unsupported("spec.accessModes", mode, &allowed));
    }
    match object.pointer("/spec/resources/requests/storage").and_then(Quantity::of) {
        None => complaints.push(FieldError::required("spec.resources[storage]", "")),
        Some(size) if size.is_zero() || size.is_negative() => {
            complaints.push(FieldError::invalid("spec.resources[storage]", &json!(size.to_string()), "must be greater than zero"));
        }
        Some(_) => {}
    }
}

const STANDARD: &[&str] = &[
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "services.nodeports",
    "services.loadbalancers",
];

pub fn quota(object: &Value, complaints: &mut Complaints) {
    for (name, amount) in value::entries(object, "/spec/hard") {
        let field = format!("spec.hard[{name}]");
        let is_hugepages = name.contains("hugepages-");
        if !name.contains('/') && !STANDARD.contains(&name.as_str()) && !is_hugepages {
            complaints.push(FieldError::invalid(field.clone(), &name.as_str().into(), "must be a standard resource type or fully qualified"));
            complaints.push(FieldError::invalid(field.clone(), &name.as_str().into(), "must be a standard resource for quota"));
        }
        // A name with a slash is taken as it is, also `limits.nvidia.com/gpu`, which then counts nothing: only `requests.` does.
        let Some(amount) = Quantity::of(amount) else { continue };
        if amount.is_negative() {
            complaints.push(FieldError::invalid(field.clone(), &json!(amount.to_string()), "must be greater than or equal to 0"));
        }
        let is_count = !["cpu", "memory", "storage"].iter().any(|measure| name.ends_with(measure));
        if is_count && !amount.is_whole() {
            complaints.push(FieldError::invalid(field, &json!(amount.to_string()), "must be an integer"));
        }
    }
}

pub fn limit_range(object: &Value, complaints: &mut Complaints) {
    for (index, limit) in value::items(object, "/spec/limits").iter().enumerate() {
        let at = format!("spec.limits[{index}]");
        let amount = |part: &str, name: &str| limit.get(part).and_then(|map| map.get(name)).and_then(Quantity::of);
        let mut names: Vec<&String> = ["max", "min", "default", "defaultRequest"]
            .iter()
            .flat_map(|part| value::entries(limit, &format!("/{part}")).map(|(name, _)| name))
            .collect();
        names.sort();
        names.dedup();
        for name in names {
            let order = [
                ("min", "max"),
                ("min", "defaultRequest"),
                ("min", "default"),
                ("defaultRequest", "max"),
                ("defaultRequest", "default"),
                ("default", "max"),
            ];
            for (low, high) in order {
                if let (Some(less), Some(more)) = (amount(low, name), amount(high, name))
                    && less > more
                {
                    let words = |part: &str| match part {
                        "default" => "default".to_owned(),
                        "defaultRequest" => "default request".to_owned(),
                        other => other.to_owned(),
                    };
                    let detail = format!("{} value {less} is greater than {} value {more}", words(low), words(high));
                    complaints.push(FieldError::invalid(format!("{at}.{low}[{name}]"), &json!(less.to_string()), &detail));
                }
            }
        }
    }
}

pub fn data(object: &Value, complaints: &mut Complaints) {
    let detail = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
    for (key, _) in value::entries(object, "/data") {
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)) {
            complaints.push(FieldError::invalid(format!("data[{key}]"), &key.as_str().into(), detail));
        }
    }
}

pub fn lease(object: &Value, complaints: &mut Complaints) {
    if let Some(seconds) = value::int(object, "/spec/leaseDurationSeconds").filter(|seconds| *seconds <= 0) {
        complaints.push(FieldError::invalid("spec.leaseDurationSeconds", &seconds.into(), "must be greater than 0"));
    }
}
