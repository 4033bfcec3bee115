//! Sets of fields, as `managedFields` writes them: `f:name` for a field, `k:{...}` for a keyed item, `v:...` for a set's value
//! (and, in messages only, `i:...` for a place in an atomic list).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::schema::{ListType, is_atomic_map, list_type};

/// The way to one field.
pub type Path = Vec<String>;
/// Fields that someone owns.
pub type FieldSet = BTreeSet<Path>;

/// Every field of an object with its value: leaves, atomic lists and maps, and keyed items themselves (as null).
pub fn flatten(object: &Value) -> BTreeMap<Path, Value> {
    let mut out = BTreeMap::new();
    walk(object, &mut Vec::new(), &mut Vec::new(), &mut out);
    out
}

fn walk<'a>(value: &'a Value, names: &mut Vec<&'a str>, path: &mut Path, out: &mut BTreeMap<Path, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() && !is_atomic_map(names) => {
            for (name, inner) in map {
                names.push(name);
                path.push(format!("f:{name}"));
                walk(inner, names, path, out);
                path.pop();
                names.pop();
            }
        }
        Value::Array(list) if !list.is_empty() => match list_type(names) {
            ListType::Atomic => {
                out.insert(path.clone(), value.clone());
            }
            ListType::Set => {
                for item in list {
                    path.push(format!("v:{item}"));
                    out.insert(path.clone(), item.clone());
                    path.pop();
                }
            }
            ListType::Keyed(keys) => {
                for item in list {
                    path.push(item_step(item, keys));
                    out.insert(path.clone(), Value::Null);
                    if item.as_object().is_some_and(|map| !map.is_empty()) {
                        walk(item, names, path, out);
                    }
                    path.pop();
                }
            }
        },
        _ if path.is_empty() => {}
        _ => {
            out.insert(path.clone(), value.clone());
        }
    }
}

/// The step to a keyed item. A port without a protocol is a TCP one.
pub fn item_step(item: &Value, keys: &[&str]) -> String {
    let mut parts = Map::new();
    for key in keys {
        match item.get(*key) {
            Some(part) => {
                parts.insert((*key).to_owned(), part.clone());
            }
            None if *key == "protocol" => {
                parts.insert("protocol".to_owned(), "TCP".into());
            }
            None => {}
        }
    }
    format!("k:{}", Value::Object(parts))
}

/// Fields of the object that nobody owns: the server sets them.
pub fn is_ownable(path: &Path) -> bool {
    let unowned = [
        "f:name",
        "f:namespace",
        "f:uid",
        "f:resourceVersion",
        "f:generation",
        "f:creationTimestamp",
        "f:deletionTimestamp",
        "f:deletionGracePeriodSeconds",
        "f:selfLink",
        "f:managedFields",
    ];
    match path.first().map(String::as_str) {
        Some("f:apiVersion" | "f:kind") => false,
        Some("f:metadata") => path.get(1).is_some_and(|step| !unowned.contains(&step.as_str())),
        _ => true,
    }
}

/// The nested `fieldsV1` form.
pub fn to_json(set: &FieldSet) -> Value {
    let mut root = Map::new();
    for path in set {
        let mut at = &mut root;
        for step in path {
            let next = at.entry(step.clone()).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(map) = next else { break };
            at = map;
        }
    }
    // An item that is owned itself, and also has owned fields, says so with a dot.
    for path in set {
        mark(&mut root, path);
    }
    Value::Object(root)
}

fn mark(at: &mut Map<String, Value>, path: &[String]) {
    match path.split_first() {
        None if at.is_empty() => {}
        None => {
            at.insert(".".to_owned(), Value::Object(Map::new()));
        }
        Some((step, rest)) => {
            if let Some(Value::Object(map)) = at.get_mut(step) {
                mark(map, rest);
            }
        }
    }
}

/// Reads the nested form.
pub fn from_json(fields: &Value) -> FieldSet {
    let mut out = FieldSet::new();
    read(fields, &mut Vec::new(), &mut out);
    out
}

fn read(fields: &Value, path: &mut Path, out: &mut FieldSet) {
    let Some(map) = fields.as_object() else { return };
    if !path.is_empty() && (map.is_empty() || map.contains_key(".")) {
        out.insert(path.clone());
    }
    for (step, inner) in map.iter().filter(|(step, _)| *step != ".") {
        path.push(step.clone());
        read(inner, path, out);
        path.pop();
    }
}

/// The path as messages write it: `.spec.containers[name="main"].image`.
pub fn shown(path: &Path) -> String {
    let mut text = String::new();
    for step in path {
        if let Some(name) = step.strip_prefix("f:") {
            text.push('.');
            text.push_str(name);
        } else if let Some(keys) = step.strip_prefix("k:") {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            let parts: Vec<_> = keys.iter().map(|(key, part)| format!("{key}={part}")).collect();
            text.extend(["[", &parts.join(","), "]"]);
        } else if let Some(at) = step.strip_prefix("i:") {
            text.extend(["[", at, "]"]);
        } else if let Some(item) = step.strip_prefix("v:") {
            text.extend(["[=", item, "]"]);
        }
    }
    text
}

/// What changed between two objects.
#[derive(Debug, Default)]
pub struct Difference {
    /// Added or given another value.
    pub changed: FieldSet,
    pub removed: FieldSet,
}

pub fn compare(old: &Value, new: &Value) -> Difference {
    let (old, new) = (flatten(old), flatten(new));
    let changed = new.iter().filter(|(path, value)| old.get(*path) != Some(*value)).map(|(path, _)| path.clone());
    let removed = old.keys().filter(|path| !new.contains_key(*path)).cloned();
    Difference { changed: changed.filter(is_ownable).collect(), removed: removed.filter(is_ownable).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_set_survives_its_json_form() {
        let object = json!({"metadata": {"name": "x", "labels": {"app": "a"}, "finalizers": ["one"]}, "spec": {
            "selector": {"matchLabels": {"app": "a"}},
            "template": {"spec": {"containers": [{"name": "main", "ports": [{"containerPort": 80}], "command": ["a", "b"], "resources": {}}]}}}});
        let set: FieldSet = flatten(&object).into_keys().filter(is_ownable).collect();
        assert_eq!(from_json(&to_json(&set)), set);
        let names: Vec<_> = set.iter().map(shown).collect();
        assert!(
            names.contains(&r#".spec.template.spec.containers[name="main"].ports[containerPort=80,protocol="TCP"].containerPort"#.to_owned()),
            "{names:?}"
        );
        assert!(names.contains(&".spec.selector".to_owned()) && names.contains(&".metadata.finalizers[=\"one\"]".to_owned()), "{names:?}");
        assert!(!names.contains(&".metadata.name".to_owned()));
    }
}
