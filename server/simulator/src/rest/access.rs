//! Who may do what, by the stored roles. The cluster's token is an administrator's and may do everything; somebody it stands in for
//! (`Impersonate-User`) may do what roles and bindings say.

use axum::http::HeaderMap;
use serde_json::Value;

use crate::{
    error::{ApiError, Result},
    registry::{Kind, Resource},
    store::{Key, Store, Txn},
    value,
};

/// A caller without an administrator's rights.
#[derive(Debug)]
pub struct User {
    pub name: String,
    pub groups: Vec<String>,
}

/// What somebody wants to do.
#[derive(Debug, Default)]
pub struct Deed {
    pub verb: String,
    pub group: String,
    /// `pods`, `pods/log`; `""` for a path.
    pub resource: String,
    pub namespace: String,
    pub name: String,
    pub path: String,
}

/// The answer, with the words that a real server has for it.
pub struct Verdict {
    pub allowed: bool,
    pub reason: String,
}

impl User {
    /// Whom the request's sender stands in for.
    pub fn impersonated(headers: &HeaderMap) -> Option<Self> {
        let name = headers.get("impersonate-user")?.to_str().ok()?.to_owned();
        let groups = headers.get_all("impersonate-group").iter().filter_map(|group| group.to_str().ok().map(str::to_owned)).collect();
        Some(Self::of(name, groups))
    }

    /// With the groups that everybody of their kind is in.
    pub fn of(name: String, mut groups: Vec<String>) -> Self {
        if let Some((namespace, _)) = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':')) {
            groups.extend(["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")]);
        }
        groups.push("system:authenticated".to_owned());
        Self { name, groups }
    }
}

/// Refuses what the roles do not allow, in the server's words.
pub fn check(store: &Store, user: &User, kind: &Kind, deed: &Deed) -> Result<()> {
    let verdict = judge(store, user, deed);
    if verdict.allowed {
        return Ok(());
    }
    let place = if deed.namespace.is_empty() { "at the cluster scope".to_owned() } else { format!("in the namespace {:?}", deed.namespace) };
    let why = format!("User {:?} cannot {} resource {:?} in API group {:?} {place}", user.name, deed.verb, deed.resource, deed.group);
    let why = if verdict.reason.is_empty() { why } else { format!("{why}: {}", verdict.reason) };
    let mut refusal = ApiError::forbidden(kind, &deed.name, &why);
    if deed.name.is_empty() {
        refusal.message = format!("{} is forbidden: {why}", kind.qualified());
    }
    Err(refusal)
}

pub fn judge(store: &Store, user: &User, deed: &Deed) -> Verdict {
    if user.groups.iter().any(|group| group == "system:masters") {
        return Verdict { allowed: true, reason: String::new() };
    }
    let txn = store.write();
    let mut missing = Vec::new();
    let everywhere = txn.list(Resource::ClusterRoleBindings, "");
    // A deed that is not in a namespace takes a right in all of them.
    let here = if deed.namespace.is_empty() { Vec::new() } else { txn.list(Resource::RoleBindings, &deed.namespace) };
    for binding in everywhere.iter().chain(&here) {
        let Some(subject) = value::items(binding, "/subjects").iter().find(|subject| is_about(subject, user, value::namespace(binding))) else {
            continue;
        };
        match rules(&txn, binding) {
            Ok(rules) if value::items(&rules, "/rules").iter().any(|rule| allows(rule, deed)) => {
                return Verdict { allowed: true, reason: allowed_by(binding, subject) };
            }
            Ok(_) => {}
            Err(why) => missing.push(why),
        }
    }
    let reason = match missing.as_slice() {
        [] => String::new(),
        [one] => format!("RBAC: {one}"),
        more => format!("RBAC: [{}]", more.join(", ")),
    };
    Verdict { allowed: false, reason }
}

fn rules(txn: &Txn<'_>, binding: &Value) -> std::result::Result<crate::store::Object, String> {
    let name = value::text(binding, "/roleRef/name");
    let (key, plural) = if value::text(binding, "/roleRef/kind") == "ClusterRole" {
        (Key::new(Resource::ClusterRoles, "", name), "clusterrole")
    } else {
        (Key::new(Resource::Roles, value::namespace(binding), name), "role")
    };
    txn.get(&key).ok_or_else(|| format!("{plural}.rbac.authorization.k8s.io {name:?} not found"))
}

fn is_about(subject: &Value, user: &User, namespace: &str) -> bool {
    let name = value::text(subject, "/name");
    match value::text(subject, "/kind") {
        "User" => name == user.name,
        "Group" => user.groups.iter().any(|group| group == name),
        "ServiceAccount" => {
            let of = Some(value::text(subject, "/namespace")).filter(|of| !of.is_empty()).unwrap_or(namespace);
            user.name == format!("system:serviceaccount:{of}:{name}")
        }
        _ => false,
    }
}

fn allows(rule: &Value, deed: &Deed) -> bool {
    let has = |field: &str, wanted: &str| value::items(rule, field).iter().any(|one| one == wanted || one == "*");
    if !has("/verbs", &deed.verb) {
        return false;
    }
    if deed.resource.is_empty() {
        let fits = |path: &str| path == deed.path || path.strip_suffix('*').is_some_and(|start| deed.path.starts_with(start));
        return value::items(rule, "/nonResourceURLs").iter().filter_map(Value::as_str).any(fits);
    }
    let part = deed.resource.split_once('/').map(|(_, part)| format!("*/{part}")).unwrap_or_default();
    let names = value::items(rule, "/resourceNames");
    has("/apiGroups", &deed.group)
        && (has("/resources", &deed.resource) || value::items(rule, "/resources").iter().any(|one| *one == part))
        && (names.is_empty() || names.iter().any(|name| *name == deed.name))
}

fn allowed_by(binding: &Value, subject: &Value) -> String {
    let place = |object: &Value, namespace: &str| {
        let name = value::text(object, "/name");
        if namespace.is_empty() { format!("{name:?}") } else { format!("\"{name}/{namespace}\"") }
    };
    let kind = if value::namespace(binding).is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
    let role = format!("{} {:?}", value::text(binding, "/roleRef/kind"), value::text(binding, "/roleRef/name"));
    let subject = format!("{} {}", value::text(subject, "/kind"), place(subject, value::text(subject, "/namespace")));
    format!("RBAC: allowed by {kind} {} of {role} to {subject}", place(&binding["metadata"], value::namespace(binding)))
}
