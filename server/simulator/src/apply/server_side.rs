//! Server-side apply: merge the configuration, take out what this manager no longer applies, refuse what others own.

use serde_json::{Value, json};

use super::{
    fields::{self, FieldSet, Path},
    managed::{self, Manager, Operation},
    merge,
};
use crate::{
    error::{ApiError, Result},
    stamp, value,
};

/// What is applied, and by whom.
pub struct Apply<'a> {
    pub config: &'a Value,
    pub manager: &'a str,
    pub subresource: &'a str,
    pub force: bool,
}

/// The object after applying, with its `managedFields`. `live` is `None` for a new object.
pub fn apply(live: Option<&Value>, request: &Apply<'_>) -> Result<Value> {
    if !value::items(request.config, "/metadata/managedFields").is_empty() {
        return Err(ApiError::bad_request("metadata.managedFields must be nil"));
    }
    let mut config = request.config.clone();
    value::drop_nulls(&mut config);
    reset(&mut config, request.subresource);
    let empty = json!({"apiVersion": config["apiVersion"], "kind": config["kind"]});
    let live = live.unwrap_or(&empty);
    let applied: FieldSet = fields::flatten(&config).into_keys().filter(fields::is_ownable).collect();
    let mut managers = managed::read(live);
    let own = managers.iter().position(|one| one.is(request.manager, Operation::Apply, request.subresource));

    let mut new = merge::merge(Some(live), &config, &mut Vec::new());
    if let Some(own) = own {
        let others: FieldSet = managers.iter().enumerate().filter(|(at, _)| *at != own).flat_map(|(_, one)| one.fields.iter().cloned()).collect();
        let dropped: FieldSet = managers[own].fields.difference(&applied).filter(|path| !others.contains(*path)).cloned().collect();
        let kept: FieldSet = others.union(&applied).cloned().collect();
        merge::prune(&mut new, &dropped, &kept);
    }

    let difference = fields::compare(live, &new);
    let mut conflicts: Vec<(String, Path)> = Vec::new();
    for (at, other) in managers.iter_mut().enumerate() {
        if Some(at) == own {
            continue;
        }
        let lost: Vec<Path> = other.fields.intersection(&difference.changed).cloned().collect();
        if request.force {
            other.fields.retain(|path| !lost.contains(path));
        } else {
            conflicts.extend(lost.into_iter().map(|path| (other.shown(), path)));
        }
        other.fields.retain(|path| !difference.removed.contains(path));
    }
    if !conflicts.is_empty() {
        return Err(conflict(&conflicts));
    }

    let api_version = value::text(&config, "/apiVersion").to_owned();
    let unchanged = own.is_some_and(|own| managers[own].fields == applied && managers[own].api_version == api_version)
        && difference.changed.is_empty()
        && difference.removed.is_empty();
    if !unchanged {
        let mine = Manager {
            name: request.manager.to_owned(),
            operation: Operation::Apply,
            api_version,
            subresource: request.subresource.to_owned(),
            time: stamp::now(),
            fields: applied,
        };
        match own {
            Some(own) => managers[own] = mine,
            None => managers.push(mine),
        }
    }
    managed::write(&mut new, &managers);
    Ok(new)
}

/// The parts that this endpoint does not write.
fn reset(config: &mut Value, subresource: &str) {
    if subresource == "status" {
        value::take(config, &["spec"]);
        if let Some(metadata) = config.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|name, _| ["name", "namespace", "uid", "resourceVersion"].contains(&name.as_str()));
        }
    } else {
        value::take(config, &["status"]);
    }
}

fn conflict(conflicts: &[(String, Path)]) -> ApiError {
    let message = if let [(manager, path)] = conflicts {
        format!("Apply failed with 1 conflict: conflict with {manager}: {}", fields::shown(path))
    } else {
        let mut managers: Vec<&String> = conflicts.iter().map(|(manager, _)| manager).collect();
        managers.sort();
        managers.dedup();
        let each = managers.into_iter().map(|manager| {
            let paths = conflicts.iter().filter(|(one, _)| one == manager).map(|(_, path)| format!("\n- {}", fields::shown(path)));
            format!("conflicts with {manager}:{}", paths.collect::<String>())
        });
        format!("Apply failed with {} conflicts: {}", conflicts.len(), each.collect::<Vec<_>>().join("\n"))
    };
    let causes: Vec<Value> = conflicts
        .iter()
        .map(|(manager, path)| json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": fields::shown(path)}))
        .collect();
    let mut failure = ApiError::new(409, "Conflict", message);
    failure.details = Some(json!({"causes": causes}));
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by<'a>(manager: &'a str, config: &'a Value) -> Apply<'a> {
        Apply { config, manager, subresource: "", force: false }
    }

    #[test]
    fn fields_applied_before_and_dropped_now_are_removed() {
        let first = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"x": "1"}}, "data": {"a": "1", "b": "2"}});
        let second = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "1"}});
        let live = apply(None, &by("m", &first)).unwrap();
        let after = apply(Some(&live), &by("m", &second)).unwrap();
        assert_eq!(after["data"], json!({"a": "1"}));
        assert_eq!(after["metadata"].get("labels"), None);
    }

    #[test]
    fn a_field_of_another_manager_is_refused_unless_forced_and_equal_values_are_shared() {
        let first = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "1"}});
        let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "2"}});
        let live = apply(None, &by("m", &first)).unwrap();
        let refused = apply(Some(&live), &by("n", &other)).unwrap_err();
        assert_eq!(refused.message, "Apply failed with 1 conflict: conflict with \"m\": .data.a");
        let shared = apply(Some(&live), &by("n", &first)).unwrap();
        assert_eq!(managed::read(&shared).len(), 2);
        let forced = apply(Some(&live), &Apply { force: true, ..by("n", &other) }).unwrap();
        assert_eq!(forced["data"]["a"], "2");
        assert_eq!(managed::read(&forced).into_iter().map(|one| one.name).collect::<Vec<_>>(), ["n"]);
    }

    #[test]
    fn containers_merge_by_name_and_keep_what_others_set() {
        let first = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "one", "image": "i"}, {"name": "two", "image": "i"}]}});
        let mut live = apply(None, &by("m", &first)).unwrap();
        live["spec"]["containers"][0]["imagePullPolicy"] = "Always".into();
        let second = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "one", "image": "j"}]}});
        let after = apply(Some(&live), &by("m", &second)).unwrap();
        assert_eq!(after["spec"]["containers"], json!([{"name": "one", "image": "j", "imagePullPolicy": "Always"}]));
    }

    #[test]
    fn applying_the_same_twice_changes_nothing() {
        let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "1"}});
        let live = apply(None, &by("m", &config)).unwrap();
        assert_eq!(apply(Some(&live), &by("m", &config)).unwrap(), live);
    }
}
