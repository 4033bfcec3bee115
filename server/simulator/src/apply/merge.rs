//! Merging an applied configuration into an object, and taking out what its manager no longer applies.

use serde_json::Value;

use super::{
    fields::{FieldSet, Path, item_step},
    schema::{ListType, is_atomic_map, list_type},
};

/// Merges `applied` over `live`.
pub fn merge<'a>(live: Option<&'a Value>, applied: &'a Value, names: &mut Vec<&'a str>) -> Value {
    match (live, applied) {
        (Some(Value::Object(old)), Value::Object(new)) if !is_atomic_map(names) => {
            let mut out = old.clone();
            for (name, value) in new {
                names.push(name);
                let merged = merge(old.get(name), value, names);
                names.pop();
                out.insert(name.clone(), merged);
            }
            Value::Object(out)
        }
        (Some(Value::Array(old)), Value::Array(new)) => match list_type(names) {
            ListType::Atomic => applied.clone(),
            ListType::Set => {
                let mut out = old.clone();
                out.extend(new.iter().filter(|item| !old.contains(item)).cloned());
                Value::Array(out)
            }
            ListType::Keyed(keys) => Value::Array(merge_items(old, new, keys, names)),
        },
        _ => applied.clone(),
    }
}

/// Applied items come in the order applied; those only in the object stay after the item they followed.
fn merge_items<'a>(old: &'a [Value], new: &'a [Value], keys: &[&str], names: &mut Vec<&'a str>) -> Vec<Value> {
    let step = |item: &Value| item_step(item, keys);
    let mut out: Vec<Value> = new.iter().map(|item| merge(old.iter().find(|candidate| step(candidate) == step(item)), item, names)).collect();
    let mut previous: Option<String> = None;
    for item in old {
        let own = step(item);
        if !out.iter().any(|candidate| step(candidate) == own) {
            let after = previous.as_ref().and_then(|before| out.iter().position(|candidate| step(candidate) == *before));
            out.insert(after.map_or(0, |at| at + 1), item.clone());
        }
        previous = Some(own);
    }
    out
}

/// Removes these fields. A keyed item goes whole when it is among them, unless someone else owns a part of it.
pub fn prune(object: &mut Value, dropped: &FieldSet, kept: &FieldSet) {
    // An item comes before its own fields, which are then gone already.
    for path in dropped {
        let is_kept = kept.iter().any(|other| other.starts_with(path));
        if !is_kept && !is_key_of_item(path) {
            remove(object, path);
        }
    }
}

/// Whether this is a field by which an item is known: it stays as long as the item does.
fn is_key_of_item(path: &Path) -> bool {
    let [.., item, field] = path.as_slice() else { return false };
    let (Some(keys), Some(field)) = (item.strip_prefix("k:"), field.strip_prefix("f:")) else { return false };
    serde_json::from_str::<Value>(keys).is_ok_and(|keys| keys.get(field).is_some())
}

fn remove(object: &mut Value, path: &[String]) {
    let Some((step, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        match object {
            Value::Object(map) => {
                map.remove(step.trim_start_matches("f:"));
            }
            Value::Array(list) => list.retain(|item| !is_step(item, step)),
            _ => {}
        }
        return;
    }
    let inner = match object {
        Value::Object(map) => map.get_mut(step.trim_start_matches("f:")),
        Value::Array(list) => list.iter_mut().find(|item| is_step(item, step)),
        _ => None,
    };
    let Some(inner) = inner else { return };
    remove(inner, rest);
    let is_empty = inner.as_object().is_some_and(serde_json::Map::is_empty) || inner.as_array().is_some_and(Vec::is_empty);
    if is_empty && let Value::Object(map) = object {
        map.remove(step.trim_start_matches("f:"));
    }
}

fn is_step(item: &Value, step: &str) -> bool {
    if let Some(keys) = step.strip_prefix("k:") {
        let Ok(Value::Object(keys)) = serde_json::from_str(keys) else { return false };
        let names: Vec<&str> = keys.keys().map(String::as_str).collect();
        item_step(item, &names) == step
    } else {
        step.strip_prefix("v:").is_some_and(|wanted| serde_json::from_str::<Value>(wanted).is_ok_and(|wanted| wanted == *item))
    }
}

/// The part of a set below one of these top-level fields.
pub fn without(set: &FieldSet, tops: &[&str]) -> FieldSet {
    let is_under = |path: &Path| path.first().is_some_and(|first| tops.iter().any(|top| first.trim_start_matches("f:") == *top));
    set.iter().filter(|path| !is_under(path)).cloned().collect()
}
