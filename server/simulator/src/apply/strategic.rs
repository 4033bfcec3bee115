//! Strategic merge patch, as kubectl sends it.

use serde_json::{Map, Value};

use super::schema::strategic_key;

/// The object after the patch.
pub fn patch<'a>(object: &Value, patch: &'a Value, names: &mut Vec<&'a str>) -> Value {
    let (Value::Object(old), Value::Object(changes)) = (object, patch) else { return patch.clone() };
    match changes.get("$patch").and_then(Value::as_str) {
        Some("replace") => return Value::Object(clean(changes)),
        Some("delete") => return Value::Object(Map::new()),
        _ => {}
    }
    let mut out = old.clone();
    for (name, change) in changes {
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            if let (Some(Value::Array(items)), Value::Array(gone)) = (out.get_mut(list), change) {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if name == "$retainKeys" {
            if let Value::Array(kept) = change {
                out.retain(|key, _| kept.iter().any(|one| one == key));
            }
            continue;
        }
        if name.starts_with('$') {
            continue;
        }
        names.push(name);
        match change {
            Value::Null => {
                out.remove(name);
            }
            Value::Object(_) => {
                let merged = self::patch(out.get(name).unwrap_or(&Value::Object(Map::new())), change, names);
                out.insert(name.clone(), merged);
            }
            Value::Array(items) => {
                let merged = list(out.get(name), items, names);
                let order = changes.get(&format!("$setElementOrder/{name}")).and_then(Value::as_array);
                out.insert(name.clone(), in_order(merged, order, strategic_key(names)));
            }
            plain => {
                out.insert(name.clone(), plain.clone());
            }
        }
        names.pop();
    }
    Value::Object(out)
}

fn list<'a>(old: Option<&Value>, changes: &'a [Value], names: &mut Vec<&'a str>) -> Value {
    let Some(key) = strategic_key(names) else { return Value::Array(changes.to_vec()) };
    let mut out = old.and_then(Value::as_array).cloned().unwrap_or_default();
    if key.is_empty() {
        for change in changes {
            if !out.contains(change) {
                out.push(change.clone());
            }
        }
        return Value::Array(out);
    }
    if changes.iter().any(|change| change["$patch"] == "replace") {
        return Value::Array(changes.iter().filter(|change| change["$patch"] != "replace").cloned().collect());
    }
    for change in changes {
        let at = out.iter().position(|item| item.get(key) == change.get(key));
        if change["$patch"] == "delete" {
            if let Some(at) = at {
                out.remove(at);
            }
        } else if let Some(at) = at {
            out[at] = patch(&out[at], change, names);
        } else {
            out.push(patch(&Value::Object(Map::new()), change, names));
        }
    }
    Value::Array(out)
}

/// The list in the order that the writer wishes: what they do not name stays before what it stood before.
fn in_order(list: Value, order: Option<&Vec<Value>>, key: Option<&str>) -> Value {
    let (Value::Array(items), Some(order), Some(key)) = (&list, order, key) else { return list };
    let same = |one: &Value, other: &Value| if key.is_empty() { one == other } else { one.get(key) == other.get(key) };
    let place = |item: &Value| order.iter().position(|named| same(named, item));
    let mut named: Vec<(usize, usize)> = items.iter().enumerate().filter_map(|(at, item)| Some((place(item)?, at))).collect();
    named.sort_unstable();
    let mut named = named.into_iter().map(|(_, at)| at).peekable();
    let mut others = items.iter().enumerate().filter(|(_, item)| place(item).is_none()).map(|(at, _)| at).peekable();
    let mut out = Vec::new();
    loop {
        let other_is_first = match (others.peek(), named.peek()) {
            (Some(other), Some(named)) => other < named,
            (other, _) => other.is_some(),
        };
        let Some(at) = (if other_is_first { others.next() } else { named.next() }) else { break };
        out.push(items[at].clone());
    }
    Value::Array(out)
}

fn clean(map: &Map<String, Value>) -> Map<String, Value> {
    map.iter().filter(|(name, _)| !name.starts_with('$')).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_merge_by_their_key_and_directives_delete() {
        let pod = json!({"spec": {"containers": [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b", "image": "1"}], "tolerations": [{"key": "x"}]}});
        let change = json!({"spec": {"$setElementOrder/containers": [{"name": "a"}], "containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}]}, {"name": "b", "$patch": "delete"}], "tolerations": [{"key": "y"}]}});
        let after = patch(&pod, &change, &mut Vec::new());
        assert_eq!(
            after["spec"]["containers"],
            json!([{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]}])
        );
        assert_eq!(after["spec"]["tolerations"], json!([{"key": "y"}]));
    }

    #[test]
    fn a_list_comes_in_the_order_that_the_writer_names() {
        let pod = json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}, {"name": "d"}]}});
        let change = json!({"spec": {
            "$setElementOrder/containers": [{"name": "c"}, {"name": "b"}],
            "containers": [{"name": "c"}, {"name": "b"}, {"name": "a", "$patch": "delete"}],
        }});
        let after = patch(&pod, &change, &mut Vec::new());
        assert_eq!(after["spec"]["containers"], json!([{"name": "d"}, {"name": "c"}, {"name": "b"}]));
    }

    #[test]
    fn null_removes_a_field() {
        assert_eq!(patch(&json!({"a": {"b": 1, "c": 2}}), &json!({"a": {"b": null}}), &mut Vec::new()), json!({"a": {"c": 2}}));
    }
}
