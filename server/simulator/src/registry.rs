//! The kinds that the server knows. To add one: a `Resource`, a row in `KINDS`, and columns in `table` if it prints more than its age.

/// A kind of object, as an index for the store.
#[expect(clippy::enum_variant_names, reason = "Kubernetes names them so")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    Namespaces,
    Nodes,
    Pods,
    Services,
    Endpoints,
    ServiceAccounts,
    ConfigMaps,
    Secrets,
    PersistentVolumeClaims,
    PersistentVolumes,
    Events,
    ResourceQuotas,
    LimitRanges,
    PodTemplates,
    ReplicationControllers,
    StatefulSets,
    Deployments,
    ReplicaSets,
    DaemonSets,
    ControllerRevisions,
    Jobs,
    CronJobs,
    NetworkPolicies,
    Ingresses,
    Roles,
    RoleBindings,
    ClusterRoles,
    ClusterRoleBindings,
    StorageClasses,
    Leases,
    EndpointSlices,
    PodDisruptionBudgets,
    PriorityClasses,
}

/// What the server knows about a kind.
#[expect(clippy::struct_excessive_bools, clippy::struct_field_names, reason = "a row of a table, as discovery shows it")]
#[derive(Debug)]
pub struct Kind {
    pub resource: Resource,
    pub group: &'static str,
    pub version: &'static str,
    pub plural: &'static str,
    pub singular: &'static str,
    pub kind: &'static str,
    pub short: &'static [&'static str],
    pub namespaced: bool,
    /// In `kubectl get all`.
    pub in_all: bool,
    pub status: bool,
    pub scale: bool,
}

const fn core(resource: Resource, kind: &'static str, plural: &'static str, singular: &'static str, short: &'static [&'static str]) -> Kind {
    Kind { resource, group: "", version: "v1", plural, singular, kind, short, namespaced: true, in_all: false, status: false, scale: false }
}

impl Kind {
    const fn group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }
    const fn cluster_wide(mut self) -> Self {
        self.namespaced = false;
        self
    }
    const fn in_all(mut self) -> Self {
        self.in_all = true;
        self
    }
    const fn with_status(mut self) -> Self {
        self.status = true;
        self
    }
    const fn with_scale(mut self) -> Self {
        self.scale = true;
        self
    }

    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `pods` or `statefulsets.apps`, as messages name a kind.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }
}

use Resource as R;

static KINDS: &[Kind] = &[
    core(R::Namespaces, "Namespace", "namespaces", "namespace", &["ns"]).cluster_wide().with_status(),
    core(R::Nodes, "Node", "nodes", "node", &["no"]).cluster_wide().with_status(),
    core(R::Pods, "Pod", "pods", "pod", &["po"]).in_all().with_status(),
    core(R::Services, "Service", "services", "service", &["svc"]).in_all().with_status(),
    core(R::Endpoints, "Endpoints", "endpoints", "endpoints", &["ep"]),
    core(R::ServiceAccounts, "ServiceAccount", "serviceaccounts", "serviceaccount", &["sa"]),
    core(R::ConfigMaps, "ConfigMap", "configmaps", "configmap", &["cm"]),
    core(R::Secrets, "Secret", "secrets", "secret", &[]),
    core(R::PersistentVolumeClaims, "PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim", &["pvc"]).with_status(),
    core(R::PersistentVolumes, "PersistentVolume", "persistentvolumes", "persistentvolume", &["pv"]).cluster_wide().with_status(),
    core(R::Events, "Event", "events", "event", &["ev"]),
    core(R::ResourceQuotas, "ResourceQuota", "resourcequotas", "resourcequota", &["quota"]).with_status(),
    core(R::LimitRanges, "LimitRange", "limitranges", "limitrange", &["limits"]),
    core(R::PodTemplates, "PodTemplate", "podtemplates", "podtemplate", &[]),
    core(R::ReplicationControllers, "ReplicationController", "replicationcontrollers", "replicationcontroller", &["rc"]).in_all().with_status(),
    core(R::StatefulSets, "StatefulSet", "statefulsets", "statefulset", &["sts"]).group("apps").in_all().with_status().with_scale(),
    core(R::Deployments, "Deployment", "deployments", "deployment", &["deploy"]).group("apps").in_all().with_status().with_scale(),
    core(R::ReplicaSets, "ReplicaSet", "replicasets", "replicaset", &["rs"]).group("apps").in_all().with_status().with_scale(),
    core(R::DaemonSets, "DaemonSet", "daemonsets", "daemonset", &["ds"]).group("apps").in_all().with_status(),
    core(R::ControllerRevisions, "ControllerRevision", "controllerrevisions", "controllerrevision", &[]).group("apps"),
    core(R::Jobs, "Job", "jobs", "job", &[]).group("batch").in_all().with_status(),
    core(R::CronJobs, "CronJob", "cronjobs", "cronjob", &["cj"]).group("batch").in_all().with_status(),
    core(R::NetworkPolicies, "NetworkPolicy", "networkpolicies", "networkpolicy", &["netpol"]).group("networking.k8s.io"),
    core(R::Ingresses, "Ingress", "ingresses", "ingress", &["ing"]).group("networking.k8s.io").with_status(),
    core(R::Roles, "Role", "roles", "role", &[]).group("rbac.authorization.k8s.io"),
    core(R::RoleBindings, "RoleBinding", "rolebindings", "rolebinding", &[]).group("rbac.authorization.k8s.io"),
    core(R::ClusterRoles, "ClusterRole", "clusterroles", "clusterrole", &[]).group("rbac.authorization.k8s.io").cluster_wide(),
    core(R::ClusterRoleBindings, "ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding", &[])
        .group("rbac.authorization.k8s.io")
        .cluster_wide(),
    core(R::StorageClasses, "StorageClass", "storageclasses", "storageclass", &["sc"]).group("storage.k8s.io").cluster_wide(),
    core(R::Leases, "Lease", "leases", "lease", &[]).group("coordination.k8s.io"),
    core(R::EndpointSlices, "EndpointSlice", "endpointslices", "endpointslice", &[]).group("discovery.k8s.io"),
    core(R::PodDisruptionBudgets, "PodDisruptionBudget", "poddisruptionbudgets", "poddisruptionbudget", &["pdb"]).group("policy").with_status(),
    core(R::PriorityClasses, "PriorityClass", "priorityclasses", "priorityclass", &["pc"]).group("scheduling.k8s.io").cluster_wide(),
];

/// All kinds.
pub fn kinds() -> &'static [Kind] {
    KINDS
}

impl Resource {
    /// The kind's row.
    pub fn kind(self) -> &'static Kind {
        KINDS.iter().find(|kind| kind.resource == self).unwrap_or(&KINDS[0])
    }
}

/// The kind that a path names.
pub fn by_plural(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
}

/// The kind that an object or a reference names.
pub fn by_kind(api_version: &str, name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.kind == name && kind.api_version() == api_version)
}

/// The groups other than the core one, with their version, in order of discovery.
pub fn groups() -> Vec<(&'static str, &'static str)> {
    let mut groups: Vec<(&str, &str)> = Vec::new();
    for kind in KINDS {
        if !kind.group.is_empty() && !groups.iter().any(|(group, _)| *group == kind.group) {
            groups.push((kind.group, kind.version));
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_resource_its_path_and_its_name() {
        for kind in kinds() {
            assert_eq!(kind.resource.kind().kind, kind.kind);
            assert_eq!(by_plural(kind.group, kind.version, kind.plural).unwrap().kind, kind.kind);
            assert_eq!(by_kind(&kind.api_version(), kind.kind).unwrap().plural, kind.plural);
        }
    }
}
