//! `metrics.k8s.io`: what a pod uses. Nothing is measured here, so only pods that say so by the annotation `fake-kubelet/cpu` (`250m`) have
//! metrics; the others are answered like pods that were not measured yet. Discovery does not list the group.

use axum::http::Method;
use serde_json::{Value, json};

use super::{
    Call,
    access::{self, Deed, User},
};
use crate::{
    error::{ApiError, Result},
    registry::Resource,
    stamp,
    store::{Key, Store},
    value,
};

const GROUP: &str = "metrics.k8s.io";

/// `None` for other paths.
pub fn answer(store: &Store, path: &str, method: &Method, call: &Call) -> Result<Option<Value>> {
    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    let ["apis", GROUP, "v1beta1", "namespaces", namespace, "pods", name] = steps.as_slice() else { return Ok(None) };
    if method != Method::GET {
        return Err(ApiError::method_not_allowed());
    }
    if let Some(user) = User::impersonated(&call.headers) {
        check(store, &user, namespace, name)?;
    }
    let pod = store.write().get(&Key::new(Resource::Pods, *namespace, *name));
    let usage = pod.as_ref().and_then(|pod| Some((pod, value::annotation(pod, "fake-kubelet/cpu")?)));
    let Some((pod, cpu)) = usage.filter(|(pod, _)| value::text(pod, "/status/phase") == "Running") else {
        return Err(ApiError::new(404, "NotFound", format!("podmetrics.{GROUP} \"{namespace}/{name}\" not found")));
    };
    let containers: Vec<_> = value::items(pod, "/spec/containers")
        .iter()
        .zip([cpu].into_iter().chain(std::iter::repeat("0")))
        .map(|(container, cpu)| json!({"name": value::text(container, "/name"), "usage": {"cpu": cpu, "memory": "64Mi"}}))
        .collect();
    let now = stamp::now();
    Ok(Some(json!({
        "kind": "PodMetrics",
        "apiVersion": format!("{GROUP}/v1beta1"),
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": now},
        "timestamp": now,
        "window": "15s",
        "containers": containers,
    })))
}

fn check(store: &Store, user: &User, namespace: &str, name: &str) -> Result<()> {
    let deed = Deed {
        verb: "get".to_owned(),
        group: GROUP.to_owned(),
        resource: "pods".to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        path: String::new(),
    };
    if access::judge(store, user, &deed).allowed {
        return Ok(());
    }
    let why = format!("User {:?} cannot get resource \"pods\" in API group {GROUP:?} in the namespace {namespace:?}", user.name);
    Err(ApiError::new(403, "Forbidden", format!("pods.{GROUP} {name:?} is forbidden: {why}")))
}
