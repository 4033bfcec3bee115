//! What the server says about itself: version, groups, resources, and as much OpenAPI as kubectl looks at.

use serde_json::{Value, json};

use super::metrics;
use crate::registry::{self, Kind};

/// The version that the simulated cluster speaks.
pub const VERSION: &str = "v1.33.0+simulated";

const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
/// Groups without stored objects, or with objects stored under another group.
const VIRTUAL: [(&str, &str); 4] =
    [("events.k8s.io", "v1"), ("authorization.k8s.io", "v1"), ("authentication.k8s.io", "v1"), (metrics::GROUP, metrics::VERSION)];

pub fn document(path: &str) -> Option<Value> {
    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    match steps.as_slice() {
        ["version"] => Some(json!({
            "major": "1", "minor": "33", "gitVersion": VERSION, "gitCommit": "", "gitTreeState": "clean", "buildDate": "2025-01-01T00:00:00Z",
            "goVersion": "", "compiler": "", "platform": "linux/amd64",
        })),
        [""] => Some(json!({"paths": ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"]})),
        ["api"] => Some(json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})),
        ["apis"] => Some(
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups().map(|(group, version)| group_of(group, version)).collect::<Vec<_>>()}),
        ),
        ["api", "v1"] => Some(resources("", "v1")),
        ["apis", group] => groups().find(|(name, _)| name == group).map(|(group, version)| {
            let mut found = group_of(group, version);
            found["kind"] = "APIGroup".into();
            found["apiVersion"] = "v1".into();
            found
        }),
        ["apis", group, version] => groups().any(|known| known == (*group, *version)).then(|| resources(group, version)),
        ["openapi", "v3"] => Some(openapi_index()),
        ["openapi", "v3", "api", "v1"] => Some(openapi("", "v1")),
        ["openapi", "v3", "apis", group, version] => Some(openapi(group, version)),
        _ => None,
    }
}

fn groups() -> impl Iterator<Item = (&'static str, &'static str)> {
    registry::groups().into_iter().chain(VIRTUAL)
}

fn group_of(group: &str, version: &str) -> Value {
    let version = json!({"groupVersion": format!("{group}/{version}"), "version": version});
    json!({"name": group, "versions": [version], "preferredVersion": version})
}

fn members(group: &str, version: &str) -> Vec<&'static Kind> {
    let wanted = if group == "events.k8s.io" { "" } else { group };
    registry::kinds().iter().filter(|kind| kind.group == wanted && kind.version == version && (group == wanted || kind.plural == "events")).collect()
}

fn resources(group: &str, version: &str) -> Value {
    let mut list = Vec::new();
    for kind in members(group, version) {
        // A namespace goes one at a time.
        let verbs: Vec<_> = VERBS.iter().filter(|verb| kind.plural != "namespaces" || **verb != "deletecollection").collect();
        let mut entry = json!({"name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind, "verbs": verbs});
        if !kind.short.is_empty() {
            entry["shortNames"] = json!(kind.short);
        }
        if kind.in_all {
            entry["categories"] = json!(["all"]);
        }
        list.push(entry);
        list.extend(parts(kind));
    }
    if group == "authorization.k8s.io" {
        for (plural, kind) in [
            ("selfsubjectaccessreviews", "SelfSubjectAccessReview"),
            ("selfsubjectrulesreviews", "SelfSubjectRulesReview"),
            ("subjectaccessreviews", "SubjectAccessReview"),
        ] {
            list.push(json!({"name": plural, "singularName": plural.trim_end_matches('s'), "namespaced": false, "kind": kind, "verbs": ["create"]}));
        }
    }
    if group == "authentication.k8s.io" {
        list.push(json!({"name": "selfsubjectreviews", "singularName": "selfsubjectreview", "namespaced": false, "kind": "SelfSubjectReview", "verbs": ["create"]}));
    }
    if group == metrics::GROUP {
        for (plural, kind, namespaced) in [("nodes", "NodeMetrics", false), ("pods", "PodMetrics", true)] {
            list.push(json!({"name": plural, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get", "list"]}));
        }
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": list})
}

/// The subresources of a kind; those of another group say so.
fn parts(kind: &Kind) -> Vec<Value> {
    let part = |name: &str, other: Option<(&str, &str, &str)>, verbs: &[&str]| {
        let mut entry =
            json!({"name": format!("{}/{name}", kind.plural), "singularName": "", "namespaced": kind.namespaced, "kind": kind.kind, "verbs": verbs});
        if let Some((group, version, kind)) = other {
            entry["group"] = group.into();
            entry["version"] = version.into();
            entry["kind"] = kind.into();
        }
        entry
    };
    let mut list = Vec::new();
    if kind.status {
        list.push(part("status", None, &["get", "patch", "update"]));
    }
    if kind.scale {
        list.push(part("scale", Some(("autoscaling", "v1", "Scale")), &["get", "patch", "update"]));
    }
    if kind.plural == "pods" {
        for (name, options) in [("attach", "PodAttachOptions"), ("exec", "PodExecOptions"), ("portforward", "PodPortForwardOptions")] {
            let mut entry = part(name, None, &["create", "get"]);
            entry["kind"] = options.into();
            list.push(entry);
        }
        list.push(part("log", None, &["get"]));
        list.push(part("eviction", Some(("policy", "v1", "Eviction")), &["create"]));
        list.push(part("binding", Some(("", "v1", "Binding")), &["create"]));
    }
    list
}

fn openapi_index() -> Value {
    let mut paths = json!({"api/v1": {"serverRelativeURL": "/openapi/v3/api/v1"}});
    for (group, version) in groups() {
        let path = format!("apis/{group}/{version}");
        paths[&path] = json!({"serverRelativeURL": format!("/openapi/v3/{path}")});
    }
    json!({"paths": paths})
}

/// Paths with the parameters that kubectl looks for before it leaves validation to the server; no schemas.
fn openapi(group: &str, version: &str) -> Value {
    let root = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    let mut paths = json!({});
    for kind in members(group, version) {
        let place = if kind.namespaced { "/namespaces/{namespace}" } else { "" };
        let parameter = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string"}});
        let operation = json!({
            "parameters": [parameter("dryRun"), parameter("fieldManager"), parameter("fieldValidation"), parameter("force")],
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind.kind},
        });
        let mut patch = operation.clone();
        patch["x-kubernetes-action"] = "patch".into();
        let mut post = operation;
        post["x-kubernetes-action"] = "post".into();
        paths[format!("{root}{place}/{}/{{name}}", kind.plural)] = json!({"patch": patch});
        paths[format!("{root}{place}/{}", kind.plural)] = json!({"post": post});
    }
    json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": VERSION}, "paths": paths, "components": {"schemas": {}}})
}
