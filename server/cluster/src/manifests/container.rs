//! The lab's container, and the one that fetches its code before the first start.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use services::ports::LabOrder;

use super::{pod::WORKSPACE, secret};

const GIT_IMAGE: &str = "docker.io/alpine/git:2.47.2";
/// Clones once. The URL comes in a variable and is never part of the script. Ranks that share a volume clone side by side, the first
/// to finish moves its copy into place and the others drop theirs.
const GIT_SCRIPT: &str = r#"set -eu
[ ! -e course ] || exit 0
copy=".clone-$HOSTNAME"
rm -rf "$copy"
git clone --quiet -- "$GIT_URL" "$copy"
mv -T "$copy" course || { rm -rf "$copy"; [ -e course ]; }
"#;

pub fn lab(order: &LabOrder, environment: Vec<(&'static str, Value)>) -> Value {
    let spec = &order.lab.spec;
    let mut resources = json!({ "cpu": spec.cpu_cores.to_string(), "memory": format!("{}Gi", spec.memory_gib) });
    if spec.cards_per_node > 0 {
        resources[spec.card.kind().resource] = json!(spec.cards_per_node.to_string());
    }
    let mut variables: BTreeMap<&str, Value> = spec
        .environment
        .iter()
        // It would let a container see cards that it was not given.
        .filter(|(name, _)| name.as_str() != "NVIDIA_VISIBLE_DEVICES")
        .map(|(name, value)| (name.as_str(), json!({ "value": value })))
        .collect();
    variables.extend(spec.secrets.keys().map(|name| (name.as_str(), secret::reference(order, name))));
    variables.extend(spec.app_access.iter().map(|access| (access.variable.as_str(), secret::own_reference(order, &access.variable))));
    variables.insert("LECTERN_LAB", json!({ "value": order.lab.name }));
    variables.insert("LECTERN_COURSE", json!({ "value": order.course.code }));
    if spec.cards_per_node == 0 {
        variables.insert("NVIDIA_VISIBLE_DEVICES", json!({ "value": "void" }));
    }
    variables.extend(environment);
    let mut container = json!({
        "name": "lab",
        "image": spec.image,
        "imagePullPolicy": "IfNotPresent",
        "workingDir": WORKSPACE,
        "env": variables.into_iter().map(|(name, rest)| named(name, rest)).collect::<Vec<_>>(),
        // Limits equal to requests: what is billed is what is there, and no neighbour's.
        "resources": { "requests": resources, "limits": resources },
        "securityContext": hardened(),
        "volumeMounts": [{ "name": "work", "mountPath": WORKSPACE }, { "name": "shm", "mountPath": "/dev/shm" }],
    });
    if !spec.command.is_empty() {
        container["command"] = json!(spec.command);
    }
    container
}

pub fn git_clone(url: &str) -> Value {
    json!({
        "name": "git-clone",
        "image": GIT_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "workingDir": WORKSPACE,
        "command": ["/bin/sh", "-c", GIT_SCRIPT],
        "env": [
            { "name": "GIT_URL", "value": url },
            // No redirect to another protocol, no question that nobody answers.
            { "name": "GIT_ALLOW_PROTOCOL", "value": "https" },
            { "name": "GIT_TERMINAL_PROMPT", "value": "0" },
            { "name": "HOME", "value": "/tmp" },
        ],
        "resources": { "requests": { "cpu": "100m", "memory": "256Mi" }, "limits": { "cpu": "1", "memory": "1Gi" } },
        "securityContext": hardened(),
        "volumeMounts": [{ "name": "work", "mountPath": WORKSPACE }],
    })
}

pub fn hardened() -> Value {
    json!({ "allowPrivilegeEscalation": false, "runAsNonRoot": true, "capabilities": { "drop": ["ALL"] } })
}

fn named(name: &str, mut rest: Value) -> Value {
    rest["name"] = json!(name);
    rest
}
