//! Types: a body is read as the type of its kind and written again. What that loses is a field that the type does not have.

use k8s_openapi::api::{
    apps::v1 as apps, batch::v1 as batch, coordination::v1 as coordination, core::v1 as core, discovery::v1 as discovery,
    networking::v1 as networking, policy::v1 as policy, rbac::v1 as rbac, scheduling::v1 as scheduling, storage::v1 as storage,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    apply::{
        fields::{self, Path},
        schema::{ListType, list_type},
    },
    registry::Resource,
};

/// A field that the type does not have.
#[derive(Debug)]
pub struct Unknown {
    /// `spec.containers[0].foo`
    pub dotted: String,
    /// `.spec.containers[name="main"].foo`
    pub keyed: String,
}

/// Takes the unknown fields out of an object and names them. `Err` when a known field has the wrong type.
pub fn take_unknown(resource: Resource, object: &mut Value) -> Result<Vec<Unknown>, serde_json::Error> {
    let typed = typed(resource, object)?;
    let mut found = Vec::new();
    walk(object, &typed, &mut Place::default(), &mut found);
    Ok(found)
}

fn round<'de, T: Deserialize<'de> + Serialize>(object: &'de Value) -> Result<Value, serde_json::Error> {
    serde_json::to_value(T::deserialize(object)?)
}

fn typed(resource: Resource, object: &Value) -> Result<Value, serde_json::Error> {
    use Resource as R;
    match resource {
        R::Namespaces => round::<core::Namespace>(object),
        R::Nodes => round::<core::Node>(object),
        R::Pods => round::<core::Pod>(object),
        R::Services => round::<core::Service>(object),
        R::Endpoints => round::<core::Endpoints>(object),
        R::ServiceAccounts => round::<core::ServiceAccount>(object),
        R::ConfigMaps => round::<core::ConfigMap>(object),
        R::Secrets => round::<core::Secret>(object),
        R::PersistentVolumeClaims => round::<core::PersistentVolumeClaim>(object),
        R::PersistentVolumes => round::<core::PersistentVolume>(object),
        R::Events => round::<core::Event>(object),
        R::ResourceQuotas => round::<core::ResourceQuota>(object),
        R::LimitRanges => round::<core::LimitRange>(object),
        R::PodTemplates => round::<core::PodTemplate>(object),
        R::ReplicationControllers => round::<core::ReplicationController>(object),
        R::StatefulSets => round::<apps::StatefulSet>(object),
        R::Deployments => round::<apps::Deployment>(object),
        R::ReplicaSets => round::<apps::ReplicaSet>(object),
        R::DaemonSets => round::<apps::DaemonSet>(object),
        R::ControllerRevisions => Ok(object.clone()),
        R::Jobs => round::<batch::Job>(object),
        R::CronJobs => round::<batch::CronJob>(object),
        R::NetworkPolicies => round::<networking::NetworkPolicy>(object),
        R::Ingresses => round::<networking::Ingress>(object),
        R::Roles => round::<rbac::Role>(object),
        R::RoleBindings => round::<rbac::RoleBinding>(object),
        R::ClusterRoles => round::<rbac::ClusterRole>(object),
        R::ClusterRoleBindings => round::<rbac::ClusterRoleBinding>(object),
        R::StorageClasses => round::<storage::StorageClass>(object),
        R::Leases => round::<coordination::Lease>(object),
        R::EndpointSlices => round::<discovery::EndpointSlice>(object),
        R::PodDisruptionBudgets => round::<policy::PodDisruptionBudget>(object),
        R::PriorityClasses => round::<scheduling::PriorityClass>(object),
    }
}

/// Where the walk is, in the forms that the two messages need.
#[derive(Default)]
struct Place {
    names: Vec<String>,
    dotted: String,
    path: Path,
}

fn walk(object: &mut Value, typed: &Value, place: &mut Place, found: &mut Vec<Unknown>) {
    match (object, typed) {
        (Value::Object(map), Value::Object(known)) => {
            let unknown: Vec<String> =
                map.iter().filter(|(name, value)| !value.is_null() && !known.contains_key(*name)).map(|(name, _)| name.clone()).collect();
            let length = place.dotted.len();
            for name in unknown {
                map.remove(&name);
                let dotted = if length == 0 { name.clone() } else { format!("{}.{name}", place.dotted) };
                let mut path = place.path.clone();
                path.push(format!("f:{name}"));
                found.push(Unknown { dotted, keyed: fields::shown(&path) });
            }
            for (name, value) in map.iter_mut() {
                let Some(typed) = known.get(name) else { continue };
                if length > 0 {
                    place.dotted.push('.');
                }
                place.dotted.push_str(name);
                place.names.push(name.clone());
                place.path.push(format!("f:{name}"));
                walk(value, typed, place, found);
                place.path.pop();
                place.names.pop();
                place.dotted.truncate(length);
            }
        }
        (Value::Array(list), Value::Array(known)) => {
            let length = place.dotted.len();
            let names: Vec<&str> = place.names.iter().map(String::as_str).collect();
            let kind = list_type(&names);
            for (at, (item, typed)) in list.iter_mut().zip(known).enumerate() {
                let index = format!("[{at}]");
                place.dotted.push_str(&index);
                place.path.push(match kind {
                    ListType::Keyed(keys) => fields::item_step(item, keys),
                    ListType::Atomic | ListType::Set => format!("i:{at}"),
                });
                walk(item, typed, place, found);
                place.path.pop();
                place.dotted.truncate(length);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unknown_fields_are_named_in_both_forms_and_taken_out() {
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"any": "thing"}}, "foo": 1,
            "spec": {"containers": [{"name": "main", "image": "i", "bar": true, "resources": {"limits": {"cpu": 2}}}], "tolerations": [{"keys": "x"}]}});
        let found = take_unknown(Resource::Pods, &mut pod).unwrap();
        let dotted: Vec<_> = found.iter().map(|one| one.dotted.as_str()).collect();
        assert_eq!(dotted, ["foo", "spec.containers[0].bar", "spec.tolerations[0].keys"]);
        let keyed: Vec<_> = found.iter().map(|one| one.keyed.as_str()).collect();
        assert_eq!(keyed, [".foo", ".spec.containers[name=\"main\"].bar", ".spec.tolerations[0].keys"]);
        assert!(take_unknown(Resource::Pods, &mut pod).unwrap().is_empty());
    }

    #[test]
    fn a_wrong_type_is_an_error() {
        let mut set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {}, "spec": {"replicas": "two"}});
        assert!(take_unknown(Resource::StatefulSets, &mut set).is_err());
    }
}
