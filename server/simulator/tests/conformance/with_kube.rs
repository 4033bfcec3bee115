//! What kube shows better than kubectl: pages, ownership of fields, versions, watches.

use std::pin::pin;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::{
    coordination::v1::Lease,
    core::v1::{ConfigMap, Service},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions, WatchEvent, WatchParams},
    discovery::{Scope, pinned_kind},
};
use serde_json::{Value, json};

use crate::clusters::Cluster;

fn maps(cluster: &Cluster) -> Api<ConfigMap> {
    Api::namespaced(cluster.client.clone(), &cluster.namespace)
}

async fn make(maps: &Api<ConfigMap>, name: &str, labels: &Value) -> ConfigMap {
    let map = serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}, "data": {"a": "1"}})).expect("a map");
    maps.create(&PostParams::default(), &map).await.expect("a map")
}

/// Code, reason and message of a refusal.
fn refusal<T: std::fmt::Debug>(result: kube::Result<T>) -> (u16, String, String) {
    match result {
        Err(kube::Error::Api(status)) => (status.code, status.reason, status.message),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

pub async fn a_list_comes_in_pages_of_one_moment(cluster: &Cluster) {
    let maps = maps(cluster);
    for number in 1..=5 {
        make(&maps, &format!("m{number}"), &json!({"of": "pages"})).await;
    }
    let before = maps.list(&ListParams::default()).await.expect("a list").items.len();
    let first = maps.list(&ListParams::default().limit(2)).await.expect("a page");
    assert_eq!(first.items.len(), 2);
    assert_eq!(first.metadata.remaining_item_count, Some(i64::try_from(before).expect("few") - 2));
    // What happens meanwhile is not on the next page.
    maps.delete("m5", &DeleteParams::default()).await.expect("a deletion");
    make(&maps, "m6", &json!({"of": "pages"})).await;
    maps.patch("m4", &PatchParams::default(), &Patch::Merge(json!({"data": {"a": "2"}}))).await.expect("a change");
    let mut names: Vec<_> = first.items.iter().map(ResourceExt::name_any).collect();
    let mut token = first.metadata.continue_.clone().expect("more to come");
    loop {
        let page = maps.list(&ListParams::default().limit(2).continue_token(&token)).await.expect("a page");
        assert_eq!(page.metadata.resource_version, first.metadata.resource_version, "one moment");
        for map in page.items {
            if map.name_any() == "m4" {
                assert_eq!(map.data.as_ref().expect("data")["a"], "1");
            }
            names.push(map.name_any());
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(next) => token = next,
            None => break,
        }
    }
    let ours: Vec<_> = names.iter().filter(|name| name.starts_with('m')).map(String::as_str).collect();
    assert_eq!((ours, names.len()), (vec!["m1", "m2", "m3", "m4", "m5"], before));
    let selected = maps.list(&ListParams::default().labels("of=pages").limit(2)).await.expect("a page");
    assert_eq!((selected.items.len(), selected.metadata.remaining_item_count), (2, None), "what is selected is not counted");
    assert!(selected.metadata.continue_.is_some_and(|token| !token.is_empty()));
}

pub async fn a_page_that_nobody_can_continue_is_refused(cluster: &Cluster) {
    let (code, reason, message) = refusal(maps(cluster).list(&ListParams::default().limit(2).continue_token("?")).await);
    assert_eq!((code, reason.as_str()), (400, "BadRequest"));
    assert!(message.starts_with("invalid continue token: continue key is not valid: "), "{message}");
}

pub async fn appliers_own_fields_and_entries_of_lists_by_key(cluster: &Cluster) {
    let services = Api::<Service>::namespaced(cluster.client.clone(), &cluster.namespace);
    let of = |label: &str, ports: &[(&str, u16)]| {
        let ports: Vec<_> = ports.iter().map(|(name, port)| json!({"name": name, "port": port, "protocol": "TCP"})).collect();
        Patch::Apply(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "labels": {label: "1"}}, "spec": {"ports": ports}}))
    };
    services.patch("s", &PatchParams::apply("one"), &of("one", &[("a", 80), ("b", 81)])).await.expect("an apply");
    let both = services.patch("s", &PatchParams::apply("two"), &of("two", &[("c", 82)])).await.expect("another's apply");
    let owned = |service: &Service, manager: &str| {
        let entries = service.managed_fields();
        let entry = entries.iter().find(|entry| entry.manager.as_deref() == Some(manager)).expect("an entry");
        assert_eq!((entry.operation.as_deref(), entry.api_version.as_deref()), (Some("Apply"), Some("v1")));
        entry.fields_v1.clone().expect("fields").0
    };
    let port = |number: u16| format!("k:{{\"port\":{number},\"protocol\":\"TCP\"}}");
    let entry = || json!({".": {}, "f:name": {}, "f:port": {}, "f:protocol": {}});
    assert_eq!(owned(&both, "two"), json!({"f:metadata": {"f:labels": {"f:two": {}}}, "f:spec": {"f:ports": {port(82): entry()}}}));
    // One who leaves out an entry takes it away, and only their own.
    let fewer = services.patch("s", &PatchParams::apply("one"), &of("one", &[("b", 81)])).await.expect("an apply");
    let mut ports: Vec<_> = fewer.spec.as_ref().expect("a spec").ports.iter().flatten().map(|port| port.port).collect();
    ports.sort_unstable();
    assert_eq!(ports, [81, 82]);
    assert_eq!(owned(&fewer, "one"), json!({"f:metadata": {"f:labels": {"f:one": {}}}, "f:spec": {"f:ports": {port(81): entry()}}}));
    // The same port by another name is the same entry, and the other's.
    let (code, reason, message) = refusal(services.patch("s", &PatchParams::apply("two"), &of("two", &[("d", 81)])).await);
    assert_eq!((code, reason.as_str()), (409, "Conflict"));
    assert_eq!(message, "Apply failed with 1 conflict: conflict with \"one\": .spec.ports[port=81,protocol=\"TCP\"].name");
    let forced = services.patch("s", &PatchParams::apply("two").force(), &of("two", &[("d", 81)])).await.expect("by force");
    let ports = forced.spec.as_ref().expect("a spec").ports.clone().expect("ports");
    assert_eq!(ports.iter().map(|port| (port.port, port.name.as_deref())).collect::<Vec<_>>(), [(81, Some("d"))]);
}

pub async fn a_stale_version_conflicts_whatever_the_change(cluster: &Cluster) {
    let maps = maps(cluster);
    let old = make(&maps, "one", &json!({})).await;
    let stale = old.resource_version().expect("a version");
    maps.patch("one", &PatchParams::default(), &Patch::Merge(json!({"data": {"a": "2"}}))).await.expect("a change");
    let modified = "Operation cannot be fulfilled on configmaps \"one\": the object has been modified; please apply your changes to the latest version and try again";
    let expected = (409, "Conflict".to_owned(), modified.to_owned());
    let with = |body: Value| json!({"metadata": {"resourceVersion": stale}, "data": body});
    assert_eq!(refusal(maps.replace("one", &PostParams::default(), &old).await), expected, "replace");
    let parameters = PatchParams::default();
    assert_eq!(refusal(maps.patch("one", &parameters, &Patch::Merge(with(json!({"a": "3"})))).await), expected, "merge");
    assert_eq!(refusal(maps.patch("one", &parameters, &Patch::Strategic(with(json!({"a": "3"})))).await), expected, "strategic");
    let applied = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "resourceVersion": stale}, "data": {"b": "3"}});
    assert_eq!(refusal(maps.patch("one", &PatchParams::apply("me"), &Patch::Apply(applied)).await), expected, "apply");
    let only = Preconditions { uid: None, resource_version: Some(stale.clone()) };
    let delete = DeleteParams { preconditions: Some(only), ..DeleteParams::default() };
    let (code, reason, message) = refusal(maps.delete("one", &delete).await);
    assert_eq!((code, reason.as_str()), (409, "Conflict"));
    let now = maps.get("one").await.expect("it is there").resource_version().expect("a version");
    assert_eq!(
        message,
        format!(
            "Operation cannot be fulfilled on ConfigMap \"one\": the ResourceVersion in the precondition ({stale}) does not match the ResourceVersion in record ({now}). The object might have been modified"
        )
    );
    let unchanged = maps.patch("one", &parameters, &Patch::Merge(json!({"data": {"a": "2"}}))).await.expect("nothing to do");
    assert_eq!(unchanged.resource_version().as_deref(), Some(now.as_str()), "a change of nothing makes no version");
}

fn shown(event: &WatchEvent<ConfigMap>) -> String {
    match event {
        WatchEvent::Added(map) => format!("added {}", map.name_any()),
        WatchEvent::Modified(map) => format!("modified {}", map.name_any()),
        WatchEvent::Deleted(map) => format!("deleted {}", map.name_any()),
        WatchEvent::Bookmark(_) => "bookmark".to_owned(),
        WatchEvent::Error(status) => format!("error {} {}", status.code, status.reason),
    }
}

pub async fn a_watch_goes_on_from_a_version_and_from_a_list(cluster: &Cluster) {
    let maps = maps(cluster);
    let first = make(&maps, "a", &json!({"tier": "x"})).await;
    make(&maps, "b", &json!({"tier": "x"})).await;
    let relabel = |tier: &str| Patch::Merge(json!({"metadata": {"labels": {"tier": tier}}}));
    maps.patch("a", &PatchParams::default(), &relabel("y")).await.expect("a change");
    maps.patch("a", &PatchParams::default(), &relabel("x")).await.expect("a change");
    maps.delete("b", &DeleteParams::default()).await.expect("a deletion");
    let parameters = WatchParams::default().labels("tier=x").timeout(20);
    let stream = maps.watch(&parameters, &first.resource_version().expect("a version")).await.expect("a watch");
    let events: Vec<_> = pin!(stream).take(4).try_collect().await.expect("events");
    assert_eq!(events.iter().map(shown).collect::<Vec<_>>(), ["added b", "deleted a", "added a", "deleted b"]);
    let list = maps.list(&ListParams::default().labels("tier=x")).await.expect("a list");
    let stream = maps.watch(&parameters, &list.metadata.resource_version.expect("a version")).await.expect("a watch");
    make(&maps, "c", &json!({"tier": "x"})).await;
    let event = pin!(stream).next().await.expect("an event").expect("an event");
    assert_eq!(shown(&event), "added c");
}

pub async fn status_and_the_rest_are_written_apart(cluster: &Cluster) {
    let claims = Api::<k8s_openapi::api::core::v1::PersistentVolumeClaim>::namespaced(cluster.client.clone(), &cluster.namespace);
    let claim = json!({"metadata": {"name": "c"}, "spec": {"storageClassName": "none", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    claims.create(&PostParams::default(), &serde_json::from_value(claim).expect("a claim")).await.expect("a claim");
    let both = Patch::Merge(json!({"metadata": {"labels": {"seen": "1"}}, "status": {"phase": "Lost"}}));
    let main = claims.patch("c", &PatchParams::default(), &both).await.expect("a change");
    assert_eq!((main.labels().len(), main.status.and_then(|status| status.phase).as_deref()), (1, Some("Pending")));
    let both = Patch::Merge(json!({"metadata": {"labels": {"more": "1"}}, "spec": {"volumeName": "v"}, "status": {"phase": "Lost"}}));
    let status = claims.patch_status("c", &PatchParams::default(), &both).await.expect("a change");
    assert_eq!(status.spec.as_ref().expect("a spec").volume_name, None);
    assert_eq!(status.status.and_then(|status| status.phase).as_deref(), Some("Lost"));
}

pub async fn a_collection_goes_by_its_selector(cluster: &Cluster) {
    let maps = maps(cluster);
    for (name, tier) in [("a", "x"), ("b", "y"), ("c", "x")] {
        make(&maps, name, &json!({"tier": tier})).await;
    }
    maps.delete_collection(&DeleteParams::default(), &ListParams::default().labels("tier=x")).await.expect("a deletion");
    let left = maps.list(&ListParams::default().labels("tier")).await.expect("a list");
    assert_eq!(left.items.iter().map(ResourceExt::name_any).collect::<Vec<_>>(), ["b"]);
}

pub async fn what_the_portal_needs_is_discovered(cluster: &Cluster) {
    for (version, kind, plural, scope) in [
        ("v1", "Namespace", "namespaces", Scope::Cluster),
        ("v1", "Pod", "pods", Scope::Namespaced),
        ("v1", "ResourceQuota", "resourcequotas", Scope::Namespaced),
        ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", Scope::Namespaced),
        ("apps/v1", "StatefulSet", "statefulsets", Scope::Namespaced),
        ("apps/v1", "Deployment", "deployments", Scope::Namespaced),
        ("batch/v1", "Job", "jobs", Scope::Namespaced),
        ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", Scope::Namespaced),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", Scope::Cluster),
        ("coordination.k8s.io/v1", "Lease", "leases", Scope::Namespaced),
    ] {
        let (group, version) = version.rsplit_once('/').unwrap_or(("", version));
        let (found, can) = pinned_kind(&cluster.client, &kube::core::GroupVersionKind::gvk(group, version, kind)).await.expect(kind);
        assert_eq!((found.plural.as_str(), &can.scope), (plural, &scope), "{kind}");
        for verb in ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"] {
            // A namespace goes one at a time.
            assert_eq!(can.supports_operation(verb), (kind, verb) != ("Namespace", "deletecollection"), "{kind} {verb}");
        }
    }
}

pub async fn a_lease_is_taken_by_one_of_two(cluster: &Cluster) {
    let leases = Api::<Lease>::namespaced(cluster.client.clone(), &cluster.namespace);
    let lease = json!({"metadata": {"name": "one"}, "spec": {"holderIdentity": "", "leaseDurationSeconds": 15}});
    let free = leases.create(&PostParams::default(), &serde_json::from_value(lease).expect("a lease")).await.expect("a lease");
    let held_by = |holder: &str| {
        let mut lease = free.clone();
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = Some(holder.to_owned());
        }
        lease
    };
    leases.replace("one", &PostParams::default(), &held_by("a")).await.expect("the first takes it");
    let (code, _, _) = refusal(leases.replace("one", &PostParams::default(), &held_by("b")).await);
    assert_eq!(code, 409);
    let holder = leases.get("one").await.expect("it is there").spec.and_then(|spec| spec.holder_identity);
    assert_eq!(holder.as_deref(), Some("a"));
}
