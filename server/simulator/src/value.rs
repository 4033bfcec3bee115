//! Small helpers over `serde_json::Value`: reading and writing object fields by path without panicking.

use serde_json::{Map, Value};

/// The text at a JSON pointer, or `""`.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The integer at a JSON pointer.
pub fn int(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

/// The flag at a JSON pointer; missing is false.
pub fn flag(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
}

/// The items of the list at a JSON pointer; missing is empty.
pub fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The entries of the map at a JSON pointer; missing is empty.
pub fn entries<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    object.pointer(pointer).and_then(Value::as_object).into_iter().flatten()
}

/// The map at this path, made (over anything that is not a map) where it is missing.
pub fn map_at<'a>(object: &'a mut Value, path: &[&str]) -> &'a mut Map<String, Value> {
    let mut at = object;
    for step in path {
        at = as_map(at).entry(*step).or_insert(Value::Null);
    }
    as_map(at)
}

fn as_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made a map just above"),
    }
}

/// Sets the field at this path, making the maps above it.
pub fn set(object: &mut Value, path: &[&str], value: impl Into<Value>) {
    if let Some((last, above)) = path.split_last() {
        map_at(object, above).insert((*last).to_owned(), value.into());
    }
}

/// Sets the field at this path where it is missing or null.
pub fn set_default(object: &mut Value, path: &[&str], value: impl Into<Value>) {
    if let Some((last, above)) = path.split_last() {
        let slot = map_at(object, above).entry(*last).or_insert(Value::Null);
        if slot.is_null() {
            *slot = value.into();
        }
    }
}

/// Removes the field at this path and returns it.
pub fn take(object: &mut Value, path: &[&str]) -> Option<Value> {
    let (last, above) = path.split_last()?;
    let mut at = object;
    for step in above {
        at = at.get_mut(*step)?;
    }
    at.as_object_mut()?.remove(*last)
}

/// `metadata.name`.
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// `metadata.namespace`, `""` for cluster-wide objects.
pub fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// `metadata.uid`.
pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// Whether deletion has been asked for.
pub fn is_terminating(object: &Value) -> bool {
    !text(object, "/metadata/deletionTimestamp").is_empty()
}

/// One annotation.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/annotations")?.get(key)?.as_str()
}

/// The reference to the managing controller, when there is one.
pub fn controller_of(object: &Value) -> Option<&Value> {
    items(object, "/metadata/ownerReferences").iter().find(|reference| reference["controller"] == true)
}

/// Removes nulls from maps, at every depth: the API never stores them.
pub fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, item| !item.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
