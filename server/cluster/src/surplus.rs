//! Additions of other clients to an object around a lab. An apply keeps it, so it is looked for and removed by itself. A list here is closed
//! where every addition opens something, and open where the server, the cloud or admission add harmless things of their own.

use serde_json::{Map, Value, json};

use crate::{kinds::Kind, labels, manifests::Manifest};

/// Members of a Service's `spec` that the server sets.
const OF_SERVICE: [&str; 6] = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "trafficDistribution", "type"];
/// The same, with the server's default: another value is surplus.
const DEFAULTS_OF_SERVICE: [(&str, &str); 2] = [("sessionAffinity", "None"), ("internalTrafficPolicy", "Cluster")];
/// Labels of a namespace: one lets pods of it reach every lab as the portal does, the other takes an older, laxer level.
const OF_NAMESPACE: [&str; 2] = [labels::PORTAL, "pod-security.kubernetes.io/enforce-version"];
/// Annotations of a ServiceAccount by which a cloud gives its pods rights outside of the cluster.
const IDENTITIES: [&str; 4] = ["amazonaws.com/", "iam.gke.io/", "azure.workload.identity/", "alibabacloud.com/"];

/// A merge patch that removes what the object must not have beyond its manifest; `None` if there is nothing.
pub fn find(wanted: &Manifest, there: &Value) -> Option<Value> {
    match wanted.kind {
        Kind::NetworkPolicy => {
            // An additional rule would allow more traffic, so policies must be equal.
            let (there, wanted) = (without_empty(&there["spec"]), without_empty(&wanted.body["spec"]));
            (there != wanted).then(|| json!({ "spec": undo(&there, &wanted) }))
        }
        Kind::Service => {
            let (there, wanted) = (&there["spec"], &wanted.body["spec"]);
            let mut removed = nothing(there, |name, value| wanted.get(name).is_some() || is_of_server(name, value));
            let selectors = nothing(&there["selector"], |name, _| wanted["selector"].get(name).is_some());
            if !selectors.is_empty() {
                removed.insert("selector".to_owned(), Value::Object(selectors));
            }
            (!removed.is_empty()).then(|| json!({ "spec": removed }))
        }
        Kind::Namespace => {
            let removed = nothing(&there["metadata"]["labels"], |name, _| !OF_NAMESPACE.contains(&name));
            (!removed.is_empty()).then(|| json!({ "metadata": { "labels": removed } }))
        }
        Kind::ServiceAccount => {
            let mut patch = Map::new();
            let is_identity = |name: &str| IDENTITIES.iter().any(|of| name.contains(of));
            let annotations = nothing(&there["metadata"]["annotations"], |name, _| !is_identity(name));
            if !annotations.is_empty() {
                patch.insert("metadata".to_owned(), json!({ "annotations": annotations }));
            }
            for member in ["secrets", "imagePullSecrets"] {
                let all = there[member].as_array().map(Vec::as_slice).unwrap_or_default();
                let own: Vec<_> = all.iter().filter(|secret| is_of_account(&wanted.name, secret)).collect();
                if own.len() < all.len() {
                    patch.insert(member.to_owned(), json!(own));
                }
            }
            (!patch.is_empty()).then_some(Value::Object(patch))
        }
        _ => None,
    }
}

/// The members that may not be there, as a merge patch that removes them.
fn nothing(there: &Value, may_be: impl Fn(&str, &Value) -> bool) -> Map<String, Value> {
    let members = there.as_object().into_iter().flatten();
    members.filter(|(name, value)| !is_blank(value) && !may_be(name, value)).map(|(name, _)| (name.clone(), Value::Null)).collect()
}

fn is_of_server(name: &str, value: &Value) -> bool {
    OF_SERVICE.contains(&name) || DEFAULTS_OF_SERVICE.iter().any(|(member, default)| *member == name && value == default)
}

/// Tokens of Kubernetes before 1.24, and registry credentials of `OpenShift`: both are made for the account and named after it.
fn is_of_account(account: &str, secret: &Value) -> bool {
    let rest = secret["name"].as_str().and_then(|name| name.strip_prefix(account));
    rest.is_some_and(|rest| rest.starts_with("-token-") || rest.starts_with("-dockercfg-"))
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Removes empty fields. An empty selector is kept, since it selects everything.
pub fn without_empty(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let says = |value: &Value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty());
            Value::Object(fields.iter().filter(|(_, value)| says(value)).map(|(key, value)| (key.clone(), without_empty(value))).collect())
        }
        Value::Array(items) => items.iter().map(without_empty).collect(),
        other => other.clone(),
    }
}

/// A merge patch that removes every field that exists and is not wanted.
fn undo(there: &Value, wanted: &Value) -> Value {
    let (Value::Object(there), Value::Object(wanted)) = (there, wanted) else { return wanted.clone() };
    let mut patch = Map::new();
    for (key, there) in there {
        match wanted.get(key) {
            None => patch.insert(key.clone(), Value::Null),
            Some(wanted) if wanted != there => patch.insert(key.clone(), undo(there, wanted)),
            Some(_) => None,
        };
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: Kind, wanted: Value, there: &Value) -> Option<Value> {
        find(&Manifest { kind, name: "lab-7".into(), body: wanted }, there)
    }

    #[test]
    fn what_is_added_to_a_policy_is_removed() {
        let wanted = json!({ "podSelector": {}, "policyTypes": ["Ingress"] });
        let opened = json!({ "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}] });
        assert_eq!(undo(&opened, &wanted), json!({ "ingress": null }));
        let narrowed = json!({ "podSelector": { "matchLabels": { "a": "b" } }, "policyTypes": ["Ingress"] });
        assert_eq!(undo(&narrowed, &wanted), json!({ "podSelector": { "matchLabels": null } }));
    }

    #[test]
    fn what_leads_traffic_of_a_service_elsewhere_is_removed_and_defaults_stay() {
        let wanted = json!({ "spec": { "type": "ClusterIP", "selector": { "lab": "7" }, "ports": [{ "port": 80 }] } });
        let mut there = wanted.clone();
        for (member, value) in [
            ("clusterIP", json!("10.96.0.7")),
            ("clusterIPs", json!(["10.96.0.7"])),
            ("ipFamilies", json!(["IPv4"])),
            ("ipFamilyPolicy", json!("SingleStack")),
            ("internalTrafficPolicy", json!("Cluster")),
            ("sessionAffinity", json!("None")),
        ] {
            there["spec"][member] = value;
        }
        assert_eq!(found(Kind::Service, wanted.clone(), &there), None);
        there["spec"]["externalIPs"] = json!(["10.9.9.9"]);
        there["spec"]["sessionAffinity"] = json!("ClientIP");
        there["spec"]["selector"]["extra"] = json!("x");
        let expected = json!({ "spec": { "externalIPs": null, "sessionAffinity": null, "selector": { "extra": null } } });
        assert_eq!(found(Kind::Service, wanted, &there), Some(expected));
    }

    #[test]
    fn labels_that_open_a_namespace_are_removed_and_others_stay() {
        let labels = json!({ "kubernetes.io/metadata.name": "x", "team": "a", "pod-security.kubernetes.io/enforce": "restricted" });
        let mut there = json!({ "metadata": { "labels": labels } });
        assert_eq!(found(Kind::Namespace, json!({}), &there), None);
        there["metadata"]["labels"]["lectern.dev/portal"] = json!("true");
        there["metadata"]["labels"]["pod-security.kubernetes.io/enforce-version"] = json!("v1.0");
        let expected = json!({ "lectern.dev/portal": null, "pod-security.kubernetes.io/enforce-version": null });
        assert_eq!(found(Kind::Namespace, json!({}), &there), Some(json!({ "metadata": { "labels": expected } })));
    }

    #[test]
    fn identities_and_credentials_of_others_are_removed_from_an_account() {
        let mut there = json!({
            "metadata": { "annotations": { "openshift.io/internal-registry-pull-secret-ref": "x" } },
            "secrets": [{ "name": "lab-7-token-abcde" }],
            "imagePullSecrets": [{ "name": "lab-7-dockercfg-abcde" }],
        });
        assert_eq!(found(Kind::ServiceAccount, json!({}), &there), None);
        there["metadata"]["annotations"]["eks.amazonaws.com/role-arn"] = json!("arn:aws:iam::1:role/admin");
        there["imagePullSecrets"] = json!([{ "name": "lab-7-dockercfg-abcde" }, { "name": "theirs" }]);
        let expected = json!({
            "metadata": { "annotations": { "eks.amazonaws.com/role-arn": null } },
            "imagePullSecrets": [{ "name": "lab-7-dockercfg-abcde" }],
        });
        assert_eq!(found(Kind::ServiceAccount, json!({}), &there), Some(expected));
    }
}
