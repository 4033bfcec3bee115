//! The kinds of object that Lectern makes or that come of them. To use another kind add a variant and its row in `parts`.

use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Namespace,
    ResourceQuota,
    LimitRange,
    NetworkPolicy,
    ServiceAccount,
    /// Secret variables of a lab, and its own secret. Written and deleted by name, never read: with `get` or `list` the portal could read every Secret.
    Secret,
    PersistentVolumeClaim,
    Service,
    StatefulSet,
    Job,
    Deployment,
    /// Made by a Deployment.
    ReplicaSet,
    /// Made by the workloads above.
    Pod,
    /// Made by a StatefulSet.
    ControllerRevision,
}

impl Kind {
    /// Kinds that carry a lab's label, workloads first: the order in which a lab is taken down.
    pub const OF_A_LAB: [Self; 10] = [
        Self::StatefulSet,
        Self::Job,
        Self::Deployment,
        Self::ReplicaSet,
        Self::Pod,
        Self::ControllerRevision,
        Self::Service,
        Self::NetworkPolicy,
        Self::ServiceAccount,
        Self::PersistentVolumeClaim,
    ];

    /// API group (empty: core), version, name of the kind, name in URLs.
    const fn parts(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Namespace => ("", "v1", "Namespace", "namespaces"),
            Self::ResourceQuota => ("", "v1", "ResourceQuota", "resourcequotas"),
            Self::LimitRange => ("", "v1", "LimitRange", "limitranges"),
            Self::NetworkPolicy => ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
            Self::Secret => ("", "v1", "Secret", "secrets"),
            Self::ServiceAccount => ("", "v1", "ServiceAccount", "serviceaccounts"),
            Self::PersistentVolumeClaim => ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
            Self::Service => ("", "v1", "Service", "services"),
            Self::StatefulSet => ("apps", "v1", "StatefulSet", "statefulsets"),
            Self::Job => ("batch", "v1", "Job", "jobs"),
            Self::Deployment => ("apps", "v1", "Deployment", "deployments"),
            Self::ReplicaSet => ("apps", "v1", "ReplicaSet", "replicasets"),
            Self::Pod => ("", "v1", "Pod", "pods"),
            Self::ControllerRevision => ("apps", "v1", "ControllerRevision", "controllerrevisions"),
        }
    }

    pub const fn as_str(self) -> &'static str {
        self.parts().2
    }

    /// `v1`, `apps/v1`
    pub fn api_version(self) -> String {
        let (group, version, ..) = self.parts();
        if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
    }

    fn resource(self) -> ApiResource {
        let (group, version, kind, plural) = self.parts();
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
    }

    /// Where objects of this kind are in a namespace; a Namespace is found whatever the namespace.
    pub(crate) fn api(self, client: &Client, namespace: &str) -> Api<DynamicObject> {
        match self {
            Self::Namespace => Api::all_with(client.clone(), &self.resource()),
            _ => Api::namespaced_with(client.clone(), namespace, &self.resource()),
        }
    }
}
