//! Which container a request means, in the API server's words (kubernetes: `registry/core/pod/strategy.go`).

use serde_json::Value;

use crate::{
    error::{ApiError, Result},
    value,
};

/// The container that was asked for, or the only one.
pub fn container_of(pod: &Value, asked: Option<&str>) -> Result<String> {
    let names = |list: &str| value::items(pod, list).iter().map(|one| value::text(one, "/name").to_owned()).collect::<Vec<_>>();
    let (plain, initial, name) = (names("/spec/containers"), names("/spec/initContainers"), value::name(pod));
    if let Some(asked) = asked.filter(|asked| !asked.is_empty()) {
        return if plain.iter().chain(&initial).any(|known| known == asked) {
            Ok(asked.to_owned())
        } else {
            Err(ApiError::bad_request(format!("container {asked} is not valid for pod {name}")))
        };
    }
    if let [only] = plain.as_slice() {
        return Ok(only.clone());
    }
    let mut message = format!("a container name must be specified for pod {name}, choose one of: [{}]", plain.join(" "));
    if !initial.is_empty() {
        message = format!("{message} or one of the init containers: [{}]", initial.join(" "));
    }
    Err(ApiError::bad_request(message))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::container_of;

    #[test]
    fn the_only_container_need_not_be_named() {
        let one = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "main"}], "initContainers": [{"name": "copy"}]}});
        assert_eq!(container_of(&one, None).unwrap(), "main");
        assert_eq!(container_of(&one, Some("copy")).unwrap(), "copy");
        assert_eq!(container_of(&one, Some("x")).unwrap_err().message, "container x is not valid for pod p");
        let mut two = one;
        two["spec"]["containers"] = json!([{"name": "main"}, {"name": "side"}]);
        let message = "a container name must be specified for pod p, choose one of: [main side] or one of the init containers: [copy]";
        assert_eq!(container_of(&two, Some("")).unwrap_err().message, message);
    }
}
