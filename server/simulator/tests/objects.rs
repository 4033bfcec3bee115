//! Objects over the wire: create, read, change, delete, and what is refused.

mod common;

use common::{apply, cluster, create, pod_spec, refusal, until};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node, Pod, Secret, Service};
use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions},
};
use serde_json::json;

fn map(name: &str, text: &str) -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"of": name}}, "data": {"a": text}})
}

#[tokio::test]
async fn an_object_is_created_once_read_listed_and_deleted() {
    let cluster = cluster().await;
    let maps = Api::<ConfigMap>::namespaced(cluster.client.clone(), "lab");
    let made = create(&maps, map("one", "1")).await.unwrap();
    assert!(made.metadata.uid.is_some() && made.metadata.creation_timestamp.is_some());
    assert_eq!(refusal(create(&maps, map("one", "1")).await), (409, "configmaps \"one\" already exists".to_owned()));
    create(&maps, map("two", "2")).await.unwrap();
    let listed = maps.list(&ListParams::default().labels("of in (two)")).await.unwrap();
    assert_eq!(listed.items.len(), 1);
    let by_name = maps.list(&ListParams::default().fields("metadata.name=one")).await.unwrap();
    assert_eq!(by_name.items[0].data.as_ref().unwrap()["a"], "1");
    maps.delete("one", &DeleteParams::default()).await.unwrap();
    assert_eq!(refusal(maps.get("one").await), (404, "configmaps \"one\" not found".to_owned()));
    assert_eq!(refusal(maps.delete("one", &DeleteParams::default()).await).0, 404);
}

#[tokio::test]
async fn a_stale_version_and_a_wrong_precondition_conflict() {
    let cluster = cluster().await;
    let maps = Api::<ConfigMap>::namespaced(cluster.client.clone(), "lab");
    let old = create(&maps, map("one", "1")).await.unwrap();
    let mut newer = old.clone();
    newer.data = Some([("a".to_owned(), "2".to_owned())].into());
    let newer = maps.replace("one", &PostParams::default(), &newer).await.unwrap();
    assert_ne!(old.metadata.resource_version, newer.metadata.resource_version);
    let (code, message) = refusal(maps.replace("one", &PostParams::default(), &old).await);
    let expected = "Operation cannot be fulfilled on configmaps \"one\": the object has been modified; please apply your changes to the latest version and try again";
    assert_eq!((code, message.as_str()), (409, expected));
    let wrong =
        DeleteParams { preconditions: Some(Preconditions { uid: Some("other".to_owned()), resource_version: None }), ..DeleteParams::default() };
    assert_eq!(refusal(maps.delete("one", &wrong).await).0, 409);
    let again = maps.replace("one", &PostParams::default(), &newer).await.unwrap();
    assert_eq!(again.metadata.resource_version, newer.metadata.resource_version, "a change of nothing makes no new version");
}

#[tokio::test]
async fn merge_strategic_and_json_patches_do_their_kinds_of_change() {
    let cluster = cluster().await;
    let pods = Api::<Pod>::namespaced(cluster.client.clone(), "lab");
    create(&pods, json!({"metadata": {"name": "p"}, "spec": pod_spec(0)})).await.unwrap();
    let parameters = PatchParams::default();
    let merged = pods.patch("p", &parameters, &Patch::Merge(json!({"metadata": {"labels": {"x": "1", "y": null}}}))).await.unwrap();
    assert_eq!(merged.metadata.labels.unwrap().len(), 1);
    let strategic = json!({"spec": {"containers": [{"name": "main", "image": "jupyter:2"}]}});
    let changed = pods.patch("p", &parameters, &Patch::Strategic(strategic)).await.unwrap();
    let containers = changed.spec.unwrap().containers;
    assert_eq!((containers.len(), containers[0].image.as_deref()), (1, Some("jupyter:2")));
    let operations = serde_json::from_value::<json_patch::Patch>(json!([{"op": "add", "path": "/metadata/labels/z", "value": "3"}])).unwrap();
    let patched = pods.patch("p", &parameters, &Patch::Json::<()>(operations)).await.unwrap();
    assert_eq!(patched.metadata.labels.unwrap()["z"], "3");
}

#[tokio::test]
async fn a_dry_run_shows_and_stores_nothing() {
    let cluster = cluster().await;
    let maps = Api::<ConfigMap>::namespaced(cluster.client.clone(), "lab");
    let dry = PostParams { dry_run: true, field_manager: None };
    let shown = maps.create(&dry, &serde_json::from_value(map("ghost", "1")).unwrap()).await.unwrap();
    assert!(shown.metadata.uid.is_some());
    assert_eq!(refusal(maps.get("ghost").await).0, 404);
    let applied = maps.patch("ghost", &PatchParams::apply("t").dry_run(), &Patch::Apply(map("ghost", "1"))).await.unwrap();
    assert_eq!(applied.data.unwrap()["a"], "1");
    assert_eq!(refusal(maps.get("ghost").await).0, 404);
}

#[tokio::test]
async fn what_is_plainly_wrong_is_refused_in_the_words_of_a_real_server() {
    let cluster = cluster().await;
    let pods = Api::<Pod>::namespaced(cluster.client.clone(), "lab");
    let (code, message) = refusal(create(&pods, json!({"metadata": {"name": "a"}, "spec": {"containers": []}})).await);
    assert_eq!((code, message.as_str()), (422, "Pod \"a\" is invalid: spec.containers: Required value"));
    let nowhere = Api::<Pod>::namespaced(cluster.client.clone(), "nowhere");
    let (code, message) = refusal(create(&nowhere, json!({"metadata": {"name": "a"}, "spec": pod_spec(0)})).await);
    assert_eq!((code, message.as_str()), (404, "namespaces \"nowhere\" not found"));
    let namespaces = Api::<Namespace>::all(cluster.client.clone());
    let (code, message) = refusal(create(&namespaces, json!({"metadata": {"name": "A_B"}})).await);
    assert!(
        code == 422 && message.starts_with("Namespace \"A_B\" is invalid: metadata.name: Invalid value: \"A_B\": a lowercase RFC 1123 label"),
        "{message}"
    );
    let (code, message) = refusal(create(&pods, json!({"metadata": {"labels": {}}, "spec": pod_spec(0)})).await);
    assert_eq!((code, message.as_str()), (422, "Pod \"\" is invalid: metadata.name: Required value: name or generateName is required"));
    let uneven = json!({"containers": [{"name": "c", "image": "i", "resources": {"requests": {"nvidia.com/gpu": "1"}}}]});
    let (_, message) = refusal(create(&pods, json!({"metadata": {"name": "a"}, "spec": uneven})).await);
    assert_eq!(
        message,
        "Pod \"a\" is invalid: spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources"
    );
}

#[tokio::test]
async fn names_are_generated_and_secrets_encoded() {
    let cluster = cluster().await;
    let secrets = Api::<Secret>::namespaced(cluster.client.clone(), "lab");
    let made = create(&secrets, json!({"metadata": {"generateName": "key-"}, "stringData": {"token": "hello"}})).await.unwrap();
    let name = made.metadata.name.unwrap();
    assert!(name.starts_with("key-") && name.len() == 9, "{name}");
    let read = secrets.get(&name).await.unwrap();
    assert_eq!(read.data.unwrap()["token"].0, b"hello");
    assert_eq!(read.type_.as_deref(), Some("Opaque"));
}

#[tokio::test]
async fn services_get_addresses_of_their_own_and_headless_ones_none() {
    let cluster = cluster().await;
    let services = Api::<Service>::namespaced(cluster.client.clone(), "lab");
    let spec = json!({"selector": {"app": "x"}, "ports": [{"port": 80}]});
    let mut addresses = Vec::new();
    for name in ["one", "two"] {
        let made = create(&services, json!({"metadata": {"name": name}, "spec": spec})).await.unwrap();
        addresses.push(made.spec.unwrap().cluster_ip.unwrap());
    }
    assert!(addresses[0] != addresses[1] && addresses.iter().all(|address| address.starts_with("10.96.")), "{addresses:?}");
    let headless = apply(&services, json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "none"}, "spec": {"clusterIP": "None", "selector": {"app": "x"}, "ports": [{"port": 80}]}})).await.unwrap();
    assert_eq!(headless.spec.unwrap().cluster_ip.as_deref(), Some("None"));
    let moved = services.patch("one", &PatchParams::default(), &Patch::Merge(json!({"spec": {"clusterIP": "10.96.9.9"}}))).await;
    assert_eq!(refusal(moved).1, "Service \"one\" is invalid: spec.clusterIPs[0]: Invalid value: []string{\"10.96.9.9\"}: may not change once set");
}

#[tokio::test]
async fn a_namespace_goes_with_all_that_is_in_it_and_takes_nothing_new_meanwhile() {
    let cluster = cluster().await;
    let pods = Api::<Pod>::namespaced(cluster.client.clone(), "lab");
    let maps = Api::<ConfigMap>::namespaced(cluster.client.clone(), "lab");
    create(&maps, map("one", "1")).await.unwrap();
    let held = json!({"metadata": {"name": "held", "finalizers": ["tests/hold"]}});
    create(&maps, held).await.unwrap();
    create(&pods, json!({"metadata": {"name": "p"}, "spec": pod_spec(1)})).await.unwrap();
    common::in_phase(&pods, "p", "Running").await;
    let namespaces = Api::<Namespace>::all(cluster.client.clone());
    namespaces.delete("lab", &DeleteParams::default()).await.unwrap();
    let (code, message) = refusal(create(&maps, map("late", "1")).await);
    assert_eq!(
        (code, message.as_str()),
        (403, "configmaps \"late\" is forbidden: unable to create new content in namespace lab because it is being terminated")
    );
    until("pods to go", || async { pods.list(&ListParams::default()).await.unwrap().items.is_empty().then_some(()) }).await;
    let held = namespaces.get("lab").await.unwrap();
    assert_eq!(held.status.unwrap().phase.as_deref(), Some("Terminating"));
    maps.patch("held", &PatchParams::default(), &Patch::Merge(json!({"metadata": {"finalizers": null}}))).await.unwrap();
    until("the namespace to go", || async { namespaces.get_opt("lab").await.unwrap().is_none().then_some(()) }).await;
}

#[tokio::test]
async fn nodes_show_their_cards_and_the_default_account_is_there() {
    let cluster = cluster().await;
    let nodes = Api::<Node>::all(cluster.client.clone()).list(&ListParams::default().labels("aipc.dell.edu/gpu=true")).await.unwrap();
    assert_eq!(nodes.items.len(), 6);
    let total = |name: &str| -> u32 {
        let of = |node: &Node| node.status.as_ref()?.allocatable.as_ref()?.get(name)?.0.parse::<u32>().ok();
        nodes.items.iter().filter_map(of).sum()
    };
    assert_eq!((total("nvidia.com/gpu"), total("nvidia.com/mig-1g.10gb"), total("amd.com/gpu")), (34, 14, 8));
    let accounts = Api::<k8s_openapi::api::core::v1::ServiceAccount>::namespaced(cluster.client.clone(), "lab");
    until("the default account", || async { accounts.get_opt("default").await.unwrap() }).await;
}

#[tokio::test]
async fn fields_that_do_not_exist_are_refused_when_asked_and_wrong_types_always() {
    let cluster = cluster().await;
    let maps = Api::<ConfigMap>::namespaced(cluster.client.clone(), "lab");
    create(&maps, map("one", "1")).await.unwrap();
    let foo = Patch::Merge(json!({"foo": "bar", "data": {"b": "2"}}));
    let (code, message) = refusal(
        maps.patch("one", &PatchParams { field_validation: Some(kube::api::ValidationDirective::Strict), ..PatchParams::default() }, &foo).await,
    );
    assert_eq!(
        (code, message.as_str()),
        (400, "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"foo\"")
    );
    maps.patch("one", &PatchParams::default(), &foo).await.unwrap();
    let text = cluster.client.request_text(http::Request::get("/api/v1/namespaces/lab/configmaps/one").body(Vec::new()).unwrap()).await.unwrap();
    assert!(text.contains("\"b\":\"2\"") && !text.contains("\"foo\":\"bar\""), "{text}");
    let (code, message) = refusal(apply(&maps, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "foo": "bar"})).await);
    assert_eq!(
        (code, message.as_str()),
        (500, "failed to create typed patch object (lab/one; v1, Kind=ConfigMap): .foo: field not declared in schema")
    );
    assert_eq!(refusal(maps.patch("one", &PatchParams::default(), &Patch::Merge(json!({"data": "text"}))).await).0, 400);
}
