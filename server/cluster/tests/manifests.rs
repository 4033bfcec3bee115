//! What a start applies, as snapshots, and that each object is one which Kubernetes' own types can hold.

#[expect(dead_code, reason = "the tests on clusters use the rest")]
mod support;

use cluster::{
    Capabilities, Kind,
    manifests::{self, Manifest},
};
use domain::{ids::SecretId, secret::SecretValue};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{LimitRange, Namespace, PersistentVolumeClaim, ResourceQuota, Secret, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
};
use serde::{Serialize, de::DeserializeOwned};
use services::ports::LabOrder;
use support::{Orders, orders::with_own_secret};

fn course() -> Orders {
    Orders::seeded(uuid::Uuid::from_u128(0x018f_0000_0000_7000_8000_0000_0000_0000))
}

const OLD: Capabilities = Capabilities { indexed_jobs: false, pod_failure_policy: false };

#[test]
fn a_notebook_on_a_slice() {
    insta::assert_snapshot!(manifests::yaml(&course().slice(), Capabilities::CURRENT));
}

#[test]
fn a_notebook_with_two_cards() {
    insta::assert_snapshot!(own(&course().notebook(), Capabilities::CURRENT));
}

#[test]
fn training_on_eight_nodes() {
    insta::assert_snapshot!(own(&course().training(), Capabilities::CURRENT));
}

#[test]
fn training_on_an_old_server() {
    insta::assert_snapshot!(own(&course().training(), OLD));
}

#[test]
fn an_editor_in_the_browser() {
    insta::assert_snapshot!(own(&course().editor(), Capabilities::CURRENT));
}

#[test]
fn a_shell_by_ssh() {
    insta::assert_snapshot!(own(&course().shell(), Capabilities::CURRENT));
}

#[test]
fn a_batch_job_with_retries() {
    insta::assert_snapshot!(own(&course().batch(), Capabilities::CURRENT));
}

#[test]
fn inference_on_two_replicas() {
    insta::assert_snapshot!(own(&course().inference(), Capabilities::CURRENT));
}

/// The documents of the lab alone; the course's are in the first snapshot.
fn own(order: &LabOrder, capabilities: Capabilities) -> String {
    let all = manifests::yaml(order, capabilities);
    all.split("---\n").skip(manifests::of_course(&order.course).len()).collect::<Vec<_>>().join("---\n")
}

fn orders() -> Vec<LabOrder> {
    let course = course();
    let mut without_cards = course.plain();
    without_cards.lab.spec.cards_per_node = 0;
    let mut shared_volume = course.training();
    shared_volume.lab.spec.storage_gib = 100;
    shared_volume.lab.spec.git_url = Some("https://git.example.edu/a.git".into());
    vec![
        course.slice(),
        course.notebook(),
        course.plain(),
        course.training(),
        without_cards,
        shared_volume,
        course.editor(),
        course.shell(),
        course.batch(),
        course.inference(),
        secretive(),
        own_secret(),
    ]
}

/// A notebook with a secret.
fn secretive() -> LabOrder {
    let mut order = course().slice();
    order.lab.spec.secrets.insert("HF_TOKEN".into(), SecretValue::Stored(SecretId::from_uuid(uuid::Uuid::from_u128(7))));
    order.secrets.insert("HF_TOKEN".into(), domain::secret::Secret::new("hush".into()));
    order
}

/// A notebook whose application takes the lab's own secret.
fn own_secret() -> LabOrder {
    with_own_secret(course().slice(), "whisper")
}

#[test]
fn the_labs_own_secret_is_an_object_of_its_own_and_is_shown_nowhere() {
    let order = own_secret();
    let all = manifests::all(&order, Capabilities::CURRENT);
    let secret = all.iter().find(|manifest| manifest.kind == Kind::Secret).expect("a Secret");
    assert_eq!((secret.name.as_str(), &secret.body["data"]), ("lab-2041-door", &serde_json::json!({ "JUPYTER_TOKEN": "d2hpc3Blcg==" })));
    assert_eq!(secret.body["metadata"]["labels"], all[all.len() - 1].body["metadata"]["labels"], "labels as of the lab's other objects");
    let workload = all.iter().find(|manifest| manifest.kind == Kind::StatefulSet).expect("a workload");
    let variables = &workload.body["spec"]["template"]["spec"]["containers"][0]["env"];
    let source = serde_json::json!({ "secretKeyRef": { "name": "lab-2041-door", "key": "JUPYTER_TOKEN" } });
    let reference = serde_json::json!({ "name": "JUPYTER_TOKEN", "valueFrom": source });
    assert!(variables.as_array().expect("a list").contains(&reference), "{variables}");
    let shown = format!("{}\n{all:?}\n{order:?}", manifests::yaml(&order, Capabilities::CURRENT));
    assert!(!shown.contains("whisper") && !shown.contains("d2hpc3Blcg"), "{shown}");
    assert!(shown.contains("JUPYTER_TOKEN: '***'"), "{shown}");
    let without_value = LabOrder { own_secret: None, ..own_secret() };
    let applied = manifests::all(&without_value, Capabilities::CURRENT);
    assert!(applied.iter().all(|manifest| manifest.kind != Kind::Secret), "an order without the value must not overwrite it");
    assert!(manifests::yaml(&without_value, Capabilities::CURRENT).contains("JUPYTER_TOKEN: '***'"), "shown all the same");
}

#[test]
fn a_secret_is_an_object_of_its_own_and_is_shown_nowhere() {
    let order = secretive();
    let all = manifests::all(&order, Capabilities::CURRENT);
    let secret = all.iter().find(|manifest| manifest.kind == Kind::Secret).expect("a Secret");
    assert_eq!(secret.body["data"], serde_json::json!({ "HF_TOKEN": "aHVzaA==" }));
    let workload = all.iter().find(|manifest| manifest.kind == Kind::StatefulSet).expect("a workload");
    let variables = &workload.body["spec"]["template"]["spec"]["containers"][0]["env"];
    let reference = serde_json::json!({ "name": "HF_TOKEN", "valueFrom": { "secretKeyRef": { "name": order.lab.name, "key": "HF_TOKEN" } } });
    assert!(variables.as_array().expect("a list").contains(&reference), "{variables}");
    let shown = format!("{}\n{all:?}\n{order:?}", manifests::yaml(&order, Capabilities::CURRENT));
    assert!(!shown.contains("hush") && !shown.contains("aHVzaA"), "{shown}");
    assert!(shown.contains("HF_TOKEN: '***'"), "{shown}");
    let mut without_values = secretive();
    without_values.secrets.clear();
    let applied = manifests::all(&without_values, Capabilities::CURRENT);
    assert!(applied.iter().all(|manifest| manifest.kind != Kind::Secret), "an order without values must not overwrite those that are there");
    assert!(manifests::yaml(&without_values, Capabilities::CURRENT).contains("HF_TOKEN: '***'"), "shown all the same");
    let none = manifests::all(&course().slice(), Capabilities::CURRENT);
    assert!(none.iter().all(|manifest| manifest.kind != Kind::Secret), "without secrets there is no object, and no right is needed");
}

fn every_manifest() -> Vec<Manifest> {
    let of = |order: &LabOrder| [manifests::all(order, Capabilities::CURRENT), manifests::all(order, OLD)].concat();
    orders().iter().flat_map(of).collect()
}

#[test]
fn every_field_is_one_that_kubernetes_has() {
    fn same<K: DeserializeOwned + Serialize>(manifest: &Manifest) {
        let typed: K = serde_json::from_value(manifest.body.clone()).unwrap_or_else(|error| panic!("{}: {error}", manifest.kind.as_str()));
        // An unknown field would be lost on the way back.
        assert_eq!(serde_json::to_value(&typed).expect("JSON"), manifest.body, "{}", manifest.kind.as_str());
    }
    for manifest in every_manifest() {
        match manifest.kind {
            Kind::Namespace => same::<Namespace>(&manifest),
            Kind::ResourceQuota => same::<ResourceQuota>(&manifest),
            Kind::LimitRange => same::<LimitRange>(&manifest),
            Kind::NetworkPolicy => same::<NetworkPolicy>(&manifest),
            Kind::ServiceAccount => same::<ServiceAccount>(&manifest),
            Kind::Secret => same::<Secret>(&manifest),
            Kind::PersistentVolumeClaim => same::<PersistentVolumeClaim>(&manifest),
            Kind::Service => same::<Service>(&manifest),
            Kind::StatefulSet => same::<StatefulSet>(&manifest),
            Kind::Job => same::<Job>(&manifest),
            Kind::Deployment => same::<Deployment>(&manifest),
            Kind::Pod | Kind::ReplicaSet | Kind::ControllerRevision => panic!("not ours to apply"),
        }
    }
}

#[test]
fn every_container_is_hardened_and_no_pod_has_a_token() {
    let mut containers = 0;
    for manifest in every_manifest().iter().filter(|manifest| matches!(manifest.kind, Kind::StatefulSet | Kind::Job | Kind::Deployment)) {
        let pod = &manifest.body["spec"]["template"]["spec"];
        assert_eq!(pod["automountServiceAccountToken"], false);
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        for field in ["containers", "initContainers"] {
            for container in pod[field].as_array().into_iter().flatten() {
                assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
                assert_eq!(container["securityContext"]["capabilities"]["drop"][0], "ALL");
                assert!(container["resources"]["limits"]["memory"].is_string());
                containers += 1;
            }
        }
    }
    assert!(containers >= 12, "{containers}");
}

#[test]
fn what_people_type_is_never_part_of_a_script() {
    let order = course().slice();
    let workload = manifests::workload(&order, Capabilities::CURRENT);
    let init = &workload.body["spec"]["template"]["spec"]["initContainers"][0];
    assert!(!init["command"].to_string().contains("git.example.edu"));
    assert_eq!(init["env"][0]["value"], "https://git.example.edu/course/lesson-1.git");
    let container = &workload.body["spec"]["template"]["spec"]["containers"][0];
    assert!(container.get("command").is_none());
    assert!(!container["env"].to_string().contains("NVIDIA_VISIBLE_DEVICES"), "cards are given, not asked for by a variable");
}

#[test]
fn quotas_name_extended_resources_as_requests_only() {
    let quota = manifests::resource_quota(&course().course, &course().course.settings.limits);
    let hard = quota.body["spec"]["hard"].as_object().expect("limits");
    for (key, value) in hard {
        assert!(!key.starts_with("limits."), "{key}");
        assert!(key.starts_with("requests.") || key == "pods", "{key}");
        assert!(value.is_string(), "{key}: server-side apply takes quantities as strings");
    }
    assert_eq!((&hard["requests.nvidia.com/gpu"], &hard["requests.nvidia.com/mig-1g.10gb"]), (&"32".into(), &"224".into()));
}

#[test]
fn cards_of_each_vendor_are_asked_for_in_its_own_words() {
    let mut order = course().plain();
    order.lab.spec.card = "mi250".parse().expect("a card");
    order.lab.spec.cards_per_node = 2;
    let workload = manifests::workload(&order, Capabilities::CURRENT);
    let pod = &workload.body["spec"]["template"]["spec"];
    assert_eq!(pod["nodeSelector"], serde_json::json!({ "amd.com/gpu.product-name": "AMD_Instinct_MI250_OAM" }));
    assert_eq!(pod["tolerations"][0]["key"], "amd.com/gpu");
    assert_eq!(pod["containers"][0]["resources"]["limits"]["amd.com/gpu"], "2");
}

#[test]
fn the_node_that_the_portal_counts_on_is_a_wish_and_no_demand() {
    let mut order = course().notebook();
    order.preferred_nodes = vec!["dell-pro-max-aipc-03".into()];
    let workload = manifests::workload(&order, Capabilities::CURRENT);
    let affinity = &workload.body["spec"]["template"]["spec"]["affinity"]["nodeAffinity"];
    let wish = &affinity["preferredDuringSchedulingIgnoredDuringExecution"][0]["preference"]["matchExpressions"][0];
    assert_eq!((&wish["key"], &wish["values"][0]), (&"kubernetes.io/hostname".into(), &"dell-pro-max-aipc-03".into()));
    assert!(affinity.get("requiredDuringSchedulingIgnoredDuringExecution").is_none());
    let typed: StatefulSet = serde_json::from_value(workload.body.clone()).expect("a StatefulSet");
    assert_eq!(serde_json::to_value(&typed).expect("JSON"), workload.body, "every field is one that Kubernetes has");
}

#[test]
fn the_pods_of_a_job_wish_for_the_nodes_in_the_order_of_the_plan() {
    let mut order = course().training();
    order.preferred_nodes = ["n2", "n1"].map(Into::into).to_vec();
    let workload = manifests::workload(&order, Capabilities::CURRENT);
    let affinity = &workload.body["spec"]["template"]["spec"]["affinity"]["nodeAffinity"];
    let wishes = affinity["preferredDuringSchedulingIgnoredDuringExecution"].as_array().expect("wishes");
    let told: Vec<_> = wishes.iter().map(|wish| (wish["weight"].as_u64(), wish["preference"]["matchExpressions"][0]["values"][0].as_str())).collect();
    assert_eq!(told, [(Some(100), Some("n2")), (Some(99), Some("n1"))]);
    let typed: Job = serde_json::from_value(workload.body.clone()).expect("a Job");
    assert_eq!(serde_json::to_value(&typed).expect("JSON"), workload.body, "every field is one that Kubernetes has");
}
