//! Pods and pod templates.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{Complaints, names};
use crate::{admission::usage, error::FieldError, value};

/// Checks a pod specification at a dotted path.
pub fn spec(spec: &Value, at: &str, complaints: &mut Complaints) {
    let volumes = volumes(spec, at, complaints);
    let containers = value::items(spec, "/containers");
    if containers.is_empty() {
        complaints.push(FieldError::required(format!("{at}.containers"), ""));
    }
    let mut seen = HashSet::new();
    for list in ["containers", "initContainers"] {
        for (index, one) in value::items(spec, &format!("/{list}")).iter().enumerate() {
            let at = format!("{at}.{list}[{index}]");
            container(one, &at, &volumes, complaints);
            let name = value::text(one, "/name");
            // Names are unique over both lists.
            if !name.is_empty() && !seen.insert(name.to_owned()) {
                complaints.push(FieldError::duplicate(format!("{at}.name"), &one["name"]));
            }
        }
    }
    let policy = value::text(spec, "/restartPolicy");
    if !["Always", "OnFailure", "Never"].contains(&policy) {
        complaints.push(FieldError::unsupported(format!("{at}.restartPolicy"), &policy.into(), &["Always", "OnFailure", "Never"]));
    }
}

fn volumes(spec: &Value, at: &str, complaints: &mut Complaints) -> HashSet<String> {
    let mut seen = HashSet::new();
    for (index, volume) in value::items(spec, "/volumes").iter().enumerate() {
        let name = value::text(volume, "/name");
        let field = format!("{at}.volumes[{index}].name");
        if name.is_empty() {
            complaints.push(FieldError::required(field, ""));
        } else if let Some(problem) = names::label(name) {
            complaints.push(FieldError::invalid(field, &name.into(), &problem));
        } else if !seen.insert(name.to_owned()) {
            complaints.push(FieldError::duplicate(field, &name.into()));
        }
    }
    seen
}

fn container(container: &Value, at: &str, volumes: &HashSet<String>, complaints: &mut Complaints) {
    let name = value::text(container, "/name");
    if name.is_empty() {
        complaints.push(FieldError::required(format!("{at}.name"), ""));
    } else if let Some(problem) = names::label(name) {
        complaints.push(FieldError::invalid(format!("{at}.name"), &name.into(), &problem));
    }
    if value::text(container, "/image").is_empty() {
        complaints.push(FieldError::required(format!("{at}.image"), ""));
    }
    for (index, port) in value::items(container, "/ports").iter().enumerate() {
        let field = format!("{at}.ports[{index}].containerPort");
        match value::int(port, "/containerPort") {
            None => complaints.push(FieldError::required(field, "")),
            Some(1..=65_535) => {}
            Some(number) => complaints.push(FieldError::invalid(field, &number.into(), "must be between 1 and 65535, inclusive")),
        }
    }
    for (index, variable) in value::items(container, "/env").iter().enumerate() {
        let name = value::text(variable, "/name");
        let field = format!("{at}.env[{index}].name");
        if name.is_empty() {
            complaints.push(FieldError::required(field, ""));
        } else if !is_variable_name(name) {
            complaints.push(FieldError::invalid(field, &name.into(), VARIABLE_NAME));
        }
    }
    let mut paths = HashSet::new();
    for (index, mount) in value::items(container, "/volumeMounts").iter().enumerate() {
        let name = value::text(mount, "/name");
        if name.is_empty() {
            complaints.push(FieldError::required(format!("{at}.volumeMounts[{index}].name"), ""));
        } else if !volumes.contains(name) {
            complaints.push(FieldError::not_found(format!("{at}.volumeMounts[{index}].name"), &name.into()));
        }
        let path = value::text(mount, "/mountPath");
        if path.is_empty() {
            complaints.push(FieldError::required(format!("{at}.volumeMounts[{index}].mountPath"), ""));
        } else if !paths.insert(path) {
            complaints.push(FieldError::invalid(format!("{at}.volumeMounts[{index}].mountPath"), &path.into(), "must be unique"));
        }
    }
    resources(container, at, complaints);
}

const VARIABLE_NAME: &str = "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')";

fn is_variable_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)) && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn resources(container: &Value, at: &str, complaints: &mut Complaints) {
    let limits = usage::amounts(container.pointer("/resources/limits"));
    let requests = usage::amounts(container.pointer("/resources/requests"));
    for (side, amounts) in [("limits", &limits), ("requests", &requests)] {
        for (name, amount) in amounts {
            let field = format!("{at}.resources.{side}[{name}]");
            let is_standard = name == "cpu" || name == "memory" || name == "ephemeral-storage" || name.starts_with("hugepages-");
            if !is_standard && !name.contains('/') {
                let field = format!("{at}.resources.{side}[{name}]");
                complaints.push(FieldError::invalid(field.clone(), &json!(name), "must be a standard resource type or fully qualified"));
                complaints.push(FieldError::invalid(field, &json!(name), "must be a standard resource for containers"));
            }
            if amount.is_negative() {
                complaints.push(FieldError::invalid(field.clone(), &json!(amount.to_string()), "must be greater than or equal to 0"));
            }
            if name.contains('/') && !amount.is_whole() {
                complaints.push(FieldError::invalid(field, &json!(amount.to_string()), "must be an integer"));
            }
        }
    }
    for (name, request) in &requests {
        let field = format!("{at}.resources.requests");
        match limits.get(name) {
            Some(limit) if name.contains('/') && limit != request => {
                complaints.push(FieldError::invalid(field, &json!(request.to_string()), &format!("must be equal to {name} limit of {limit}")));
            }
            Some(limit) if request > limit => {
                complaints.push(FieldError::invalid(
                    field,
                    &json!(request.to_string()),
                    &format!("must be less than or equal to {name} limit of {limit}"),
                ));
            }
            None if name.contains('/') => {
                complaints.push(FieldError::required(format!("{at}.resources.limits"), "Limit must be set for non overcommitable resources"));
            }
            _ => {}
        }
    }
}
