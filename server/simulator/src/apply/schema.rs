//! How lists and maps of the known kinds merge, by the names on the way to them. To add a list: one line in `list_type`.

/// How a list merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListType {
    /// Replaced whole.
    Atomic,
    /// Values without order or repetition.
    Set,
    /// Items known by these fields.
    Keyed(&'static [&'static str]),
}

/// How server-side apply merges the list at this path of field names.
pub fn list_type(path: &[&str]) -> ListType {
    use ListType::{Atomic, Keyed, Set};
    let (last, parent) = ends(path);
    match last {
        "containers" | "initContainers" | "ephemeralContainers" | "volumes" | "env" | "schedulingGates" | "resourceClaims" | "claims" => {
            Keyed(&["name"])
        }
        "imagePullSecrets" if parent == "spec" => Keyed(&["name"]),
        "secrets" if path.len() == 1 => Keyed(&["name"]),
        "ports" if parent == "containers" || parent == "initContainers" => Keyed(&["containerPort", "protocol"]),
        "ports" if path == ["spec", "ports"] => Keyed(&["port", "protocol"]),
        "volumeMounts" => Keyed(&["mountPath"]),
        "volumeDevices" => Keyed(&["devicePath"]),
        "hostAliases" | "podIPs" | "hostIPs" => Keyed(&["ip"]),
        "topologySpreadConstraints" => Keyed(&["topologyKey", "whenUnsatisfiable"]),
        "conditions" => Keyed(&["type"]),
        "addresses" if path == ["status", "addresses"] => Keyed(&["type"]),
        "ownerReferences" => Keyed(&["uid"]),
        "finalizers" if parent == "metadata" => Set,
        _ => Atomic,
    }
}

/// The key by which a strategic merge patch merges the list at this path; `Some("")` for lists of plain values.
pub fn strategic_key(path: &[&str]) -> Option<&'static str> {
    let (last, parent) = ends(path);
    match (last, list_type(path)) {
        ("taints", _) => Some("key"),
        ("topologySpreadConstraints", _) => Some("topologyKey"),
        ("ports", _) if path == ["spec", "ports"] => Some("port"),
        ("ports", ListType::Keyed(_)) => Some("containerPort"),
        ("imagePullSecrets" | "secrets", _) if parent != "spec" => Some("name"),
        ("podCIDRs", _) => Some(""),
        (_, ListType::Keyed(keys)) => keys.first().copied(),
        (_, ListType::Set) => Some(""),
        (_, ListType::Atomic) => None,
    }
}

/// Whether the map at this path is one value: set whole or not at all.
pub fn is_atomic_map(path: &[&str]) -> bool {
    let (last, parent) = ends(path);
    if matches!(parent, "labels" | "annotations" | "data" | "binaryData" | "stringData") {
        return false;
    }
    matches!(
        last,
        "selector"
            | "nodeSelector"
            | "labelSelector"
            | "namespaceSelector"
            | "podSelector"
            | "fieldRef"
            | "resourceFieldRef"
            | "secretKeyRef"
            | "configMapKeyRef"
            | "roleRef"
            | "scopeSelector"
            | "requiredDuringSchedulingIgnoredDuringExecution"
            | "dataSource"
            | "secretRef"
    )
}

fn ends<'a>(path: &[&'a str]) -> (&'a str, &'a str) {
    match path {
        [.., parent, last] => (last, parent),
        [last] => (last, ""),
        [] => ("", ""),
    }
}
