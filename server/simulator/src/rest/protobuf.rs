//! Bodies in Kubernetes protobuf, as `kubectl create namespace` and its like send them. The kinds that kubectl builds itself are
//! known here; a field that is not known refuses the body rather than losing it. To add a kind: its fields, and a row in `shape`.

use serde_json::{Map, Value};

use crate::kubeconfig::base64;

/// A field: number, JSON name, type.
type Field = (u64, &'static str, Type);

#[derive(Clone, Copy)]
enum Type {
    Text,
    Number,
    Flag,
    Texts,
    One(&'static [Field]),
    Many(&'static [Field]),
    TextMap,
    BytesMap,
    /// A map to quantities.
    Amounts,
    /// Set by the server: skipped.
    Ignored,
}

use Type::{Amounts, BytesMap, Flag, Ignored, Many, Number, One, Text, TextMap, Texts};

const OWNER: &[Field] =
    &[(1, "kind", Text), (3, "name", Text), (4, "uid", Text), (5, "apiVersion", Text), (6, "controller", Flag), (7, "blockOwnerDeletion", Flag)];
const META: &[Field] = &[
    (1, "name", Text),
    (2, "generateName", Text),
    (3, "namespace", Text),
    (4, "selfLink", Ignored),
    (5, "uid", Text),
    (6, "resourceVersion", Text),
    (7, "generation", Ignored),
    (8, "creationTimestamp", Ignored),
    (11, "labels", TextMap),
    (12, "annotations", TextMap),
    (13, "ownerReferences", Many(OWNER)),
    (14, "finalizers", Texts),
];
const M: Field = (1, "metadata", One(META));
const SELECTOR: &[Field] = &[(1, "matchLabels", TextMap)];
const REFERENCE: &[Field] = &[(3, "name", Text)];
const LOCAL: &[Field] = &[(1, "name", Text)];
const RULE: &[Field] =
    &[(1, "verbs", Texts), (2, "apiGroups", Texts), (3, "resources", Texts), (4, "resourceNames", Texts), (5, "nonResourceURLs", Texts)];
const SUBJECT: &[Field] = &[(1, "kind", Text), (2, "apiGroup", Text), (3, "name", Text), (4, "namespace", Text)];
const ROLE_REF: &[Field] = &[(1, "apiGroup", Text), (2, "kind", Text), (3, "name", Text)];
const PRECONDITIONS: &[Field] = &[(1, "uid", Text), (2, "resourceVersion", Text)];
const DELETE: &[Field] = &[
    (1, "gracePeriodSeconds", Number),
    (2, "preconditions", One(PRECONDITIONS)),
    (3, "orphanDependents", Flag),
    (4, "propagationPolicy", Text),
    (5, "dryRun", Texts),
];
const PORT: &[Field] = &[(1, "name", Text), (2, "hostPort", Number), (3, "containerPort", Number), (4, "protocol", Text)];
const VARIABLE: &[Field] = &[(1, "name", Text), (2, "value", Text)];
const RESOURCES: &[Field] = &[(1, "limits", Amounts), (2, "requests", Amounts)];
const CONTAINER: &[Field] = &[
    (1, "name", Text),
    (2, "image", Text),
    (3, "command", Texts),
    (4, "args", Texts),
    (5, "workingDir", Text),
    (6, "ports", Many(PORT)),
    (7, "env", Many(VARIABLE)),
    (8, "resources", One(RESOURCES)),
    (13, "terminationMessagePath", Text),
    (14, "imagePullPolicy", Text),
    (16, "stdin", Flag),
    (17, "stdinOnce", Flag),
    (18, "tty", Flag),
    (20, "terminationMessagePolicy", Text),
];
const POD: &[Field] = &[
    (2, "containers", Many(CONTAINER)),
    (3, "restartPolicy", Text),
    (4, "terminationGracePeriodSeconds", Number),
    (6, "dnsPolicy", Text),
    (7, "nodeSelector", TextMap),
    (8, "serviceAccountName", Text),
    (10, "nodeName", Text),
    (11, "hostNetwork", Flag),
    (12, "hostPID", Flag),
    (13, "hostIPC", Flag),
    (16, "hostname", Text),
    (17, "subdomain", Text),
    (19, "schedulerName", Text),
    (24, "priorityClassName", Text),
];
const TEMPLATE: &[Field] = &[M, (2, "spec", One(POD))];
const JOB: &[Field] = &[
    (1, "parallelism", Number),
    (2, "completions", Number),
    (3, "activeDeadlineSeconds", Number),
    (6, "template", One(TEMPLATE)),
    (7, "backoffLimit", Number),
];
const DEPLOYMENT: &[Field] = &[
    (1, "replicas", Number),
    (2, "selector", One(SELECTOR)),
    (3, "template", One(TEMPLATE)),
    (4, "strategy", One(&[(1, "type", Text)])),
    (5, "minReadySeconds", Number),
    (7, "paused", Flag),
];
const ATTRIBUTES: &[Field] = &[
    (1, "namespace", Text),
    (2, "verb", Text),
    (3, "group", Text),
    (4, "version", Text),
    (5, "resource", Text),
    (6, "subresource", Text),
    (7, "name", Text),
];
const URL: &[Field] = &[(1, "path", Text), (2, "verb", Text)];

fn shape(kind: &str) -> Option<&'static [Field]> {
    Some(match kind {
        "Namespace" => &[M, (2, "spec", One(&[(1, "finalizers", Texts)])), (3, "status", Ignored)],
        "ConfigMap" => &[M, (2, "data", TextMap), (3, "binaryData", BytesMap), (4, "immutable", Flag)],
        "Secret" => &[M, (2, "data", BytesMap), (3, "type", Text), (4, "stringData", TextMap), (5, "immutable", Flag)],
        "ServiceAccount" => &[M, (2, "secrets", Many(REFERENCE)), (3, "imagePullSecrets", Many(LOCAL)), (4, "automountServiceAccountToken", Flag)],
        "ResourceQuota" => &[M, (2, "spec", One(&[(1, "hard", Amounts), (2, "scopes", Texts)])), (3, "status", Ignored)],
        "Role" | "ClusterRole" => &[M, (2, "rules", Many(RULE))],
        "RoleBinding" | "ClusterRoleBinding" => &[M, (2, "subjects", Many(SUBJECT)), (3, "roleRef", One(ROLE_REF))],
        "Job" => &[M, (2, "spec", One(JOB)), (3, "status", Ignored)],
        "Deployment" => &[M, (2, "spec", One(DEPLOYMENT)), (3, "status", Ignored)],
        "DeleteOptions" => DELETE,
        "Eviction" => &[M, (2, "deleteOptions", One(DELETE))],
        "SelfSubjectAccessReview" => {
            &[M, (2, "spec", One(&[(1, "resourceAttributes", One(ATTRIBUTES)), (2, "nonResourceAttributes", One(URL))])), (3, "status", Ignored)]
        }
        "SelfSubjectReview" => &[M, (2, "status", Ignored)],
        "SelfSubjectRulesReview" => &[M, (2, "spec", One(&[(1, "namespace", Text)])), (3, "status", Ignored)],
        _ => return None,
    })
}

/// Reads a body; `None` when it is not protobuf, or holds what is not known here.
pub fn read(body: &[u8]) -> Option<Value> {
    let envelope = message(body.strip_prefix(b"k8s\0")?)?;
    let part = |fields: &[(u64, Wire<'_>)], number: u64| -> Option<Vec<u8>> {
        fields.iter().find_map(|(at, wire)| match wire {
            Wire::Bytes(bytes) if *at == number => Some(bytes.to_vec()),
            _ => None,
        })
    };
    let types = part(&envelope, 1)?;
    let types = message(&types)?;
    let name = |number| part(&types, number).and_then(|bytes| String::from_utf8(bytes).ok());
    let kind = name(2)?;
    let raw = part(&envelope, 2).unwrap_or_default();
    let mut object = object(&raw, shape(&kind)?)?;
    object.insert("apiVersion".to_owned(), name(1)?.into());
    object.insert("kind".to_owned(), kind.into());
    Some(Value::Object(object))
}

enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn message(mut rest: &[u8]) -> Option<Vec<(u64, Wire<'_>)>> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let wire = match tag & 7 {
            0 => Wire::Number(varint(&mut rest)?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (bytes, after) = rest.split_at_checked(length)?;
                rest = after;
                Wire::Bytes(bytes)
            }
            _ => return None,
        };
        fields.push((tag >> 3, wire));
    }
    Some(fields)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn object(bytes: &[u8], fields: &[Field]) -> Option<Map<String, Value>> {
    let mut out = Map::new();
    for (number, wire) in message(bytes)? {
        let Some((_, name, kind)) = fields.iter().find(|(known, ..)| *known == number) else {
            // An empty or zero field says nothing; any other would be lost.
            match wire {
                Wire::Number(0) | Wire::Bytes([]) => continue,
                _ => return None,
            }
        };
        let slot = out.entry((*name).to_owned()).or_insert(Value::Null);
        match (kind, wire) {
            (Ignored, _) => {}
            (Text, Wire::Bytes([])) => {}
            (Text, Wire::Bytes(bytes)) => *slot = text(bytes)?.into(),
            (Number, Wire::Number(number)) => *slot = number.cast_signed().into(),
            (Flag, Wire::Number(number)) => *slot = (number != 0).into(),
            (Texts, Wire::Bytes(bytes)) => push(slot, text(bytes)?.into()),
            (One(shape), Wire::Bytes(bytes)) => *slot = Value::Object(object(bytes, shape)?),
            (Many(shape), Wire::Bytes(bytes)) => push(slot, Value::Object(object(bytes, shape)?)),
            (TextMap | BytesMap | Amounts, Wire::Bytes(bytes)) => {
                let (key, value) = entry(bytes, *kind)?;
                if let Value::Object(map) = slot {
                    map.insert(key, value);
                } else {
                    *slot = Value::Object(Map::from_iter([(key, value)]));
                }
            }
            _ => return None,
        }
    }
    out.retain(|_, value| !value.is_null());
    Some(out)
}

fn push(slot: &mut Value, item: Value) {
    match slot {
        Value::Array(list) => list.push(item),
        other => *other = Value::Array(vec![item]),
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

fn entry(bytes: &[u8], kind: Type) -> Option<(String, Value)> {
    let (mut key, mut value) = (String::new(), &[][..]);
    for (number, wire) in message(bytes)? {
        match (number, wire) {
            (1, Wire::Bytes(bytes)) => key = text(bytes)?,
            (2, Wire::Bytes(bytes)) => value = bytes,
            _ => return None,
        }
    }
    let value = match kind {
        BytesMap => base64(value).into(),
        Amounts => match message(value)?.first() {
            Some((1, Wire::Bytes(bytes))) => text(bytes)?.into(),
            _ => return None,
        },
        _ => text(value)?.into(),
    };
    Some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
    }

    fn body(kind: &str, raw: &[u8]) -> Vec<u8> {
        let types = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
        [b"k8s\0".to_vec(), field(1, &types), field(2, raw)].concat()
    }

    #[test]
    fn a_namespace_is_read_and_a_field_that_is_not_known_refuses_the_body() {
        let meta = [field(1, b"labs"), field(8, b""), field(11, &[field(1, b"a"), field(2, b"b")].concat())].concat();
        let read_back = read(&body("Namespace", &field(1, &meta)));
        assert_eq!(read_back, Some(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "labs", "labels": {"a": "b"}}})));
        assert_eq!(read(&body("Namespace", &field(9, b"x"))), None);
        assert_eq!(read(&body("Namespace", &[0x0a, 0x7f])), None);
        assert_eq!(read(b"{}"), None);
    }
}
