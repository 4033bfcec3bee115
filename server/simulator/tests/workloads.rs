//! StatefulSets, Jobs and pods: made, run, scaled, ended, collected.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod common;

use common::{apply, client, cluster, create, in_phase, namespace, pod_spec, refusal, until};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    batch::v1::Job,
    core::v1::{Endpoints, Event, Node, PersistentVolume, PersistentVolumeClaim, Pod, Service},
    storage::v1::StorageClass,
};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, EvictParams, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};
use simulator::{NodeSpec, Options, Pace};

fn pods(client: &Client) -> Api<Pod> {
    Api::namespaced(client.clone(), "lab")
}

async fn names(api: &Api<Pod>) -> Vec<String> {
    api.list(&ListParams::default()).await.unwrap().iter().map(ResourceExt::name_any).collect()
}

fn set(name: &str, replicas: u32, policy: &str, cards: u32) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name}, "spec": {
        "replicas": replicas, "serviceName": name, "podManagementPolicy": policy, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": pod_spec(cards)}}})
}

fn job(name: &str, annotations: &Value, more: &Value) -> Value {
    let mut spec = pod_spec(0);
    spec["restartPolicy"] = json!("Never");
    let mut body = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": {"metadata": {"annotations": annotations}, "spec": spec}}});
    for (key, value) in more.as_object().unwrap() {
        body["spec"][key] = value.clone();
    }
    body
}

#[tokio::test]
async fn a_pod_is_scheduled_runs_tells_its_story_and_leaves() {
    let cluster = cluster().await;
    let pods = pods(&cluster.client);
    create(&pods, json!({"metadata": {"name": "p"}, "spec": pod_spec(1)})).await.unwrap();
    let pod = in_phase(&pods, "p", "Running").await;
    let status = pod.status.unwrap();
    assert!(status.pod_ip.is_some() && pod.spec.unwrap().node_name.is_some());
    let conditions: Vec<_> = status.conditions.unwrap().into_iter().filter(|one| one.status == "True").map(|one| one.type_).collect();
    for wanted in ["PodScheduled", "Initialized", "ContainersReady", "Ready"] {
        assert!(conditions.iter().any(|one| one == wanted), "{conditions:?}");
    }
    let events = Api::<Event>::namespaced(cluster.client.clone(), "lab");
    let told = events.list(&ListParams::default().fields("involvedObject.name=p,involvedObject.kind=Pod")).await.unwrap();
    let reasons: Vec<_> = told.items.into_iter().filter_map(|event| event.reason).collect();
    for wanted in ["Scheduled", "Pulling", "Pulled", "Created", "Started"] {
        assert!(reasons.iter().any(|one| one == wanted), "{wanted} in {reasons:?}");
    }
    let log = pods.logs("p", &kube::api::LogParams::default()).await.unwrap();
    assert!(log.contains("Jupyter Server is running"), "{log}");
    pods.delete("p", &DeleteParams::default()).await.unwrap();
    until("the pod to go", || async { pods.get_opt("p").await.unwrap().is_none().then_some(()) }).await;
}

#[tokio::test]
async fn annotations_steer_how_a_pod_ends() {
    let cluster = cluster().await;
    let pods = pods(&cluster.client);
    let steered = |name: &str, annotations: Value| json!({"metadata": {"name": name, "annotations": annotations}, "spec": pod_spec(0)});
    create(&pods, steered("good", json!({"fake-kubelet/succeed-after": "0.2"}))).await.unwrap();
    create(&pods, steered("bad", json!({"fake-kubelet/fail-after": "0.1", "fake-kubelet/exit-code": "137", "fake-kubelet/reason": "OOMKilled"})))
        .await
        .unwrap();
    create(&pods, steered("stuck", json!({"fake-kubelet/waiting": "ImagePullBackOff", "fake-kubelet/restarts": "3"}))).await.unwrap();
    create(&pods, steered("unready", json!({"fake-kubelet/ready": "false"}))).await.unwrap();
    in_phase(&pods, "good", "Succeeded").await;
    let bad = in_phase(&pods, "bad", "Failed").await;
    let ended = bad.status.unwrap().container_statuses.unwrap()[0].state.clone().unwrap().terminated.unwrap();
    assert_eq!((ended.exit_code, ended.reason.as_deref()), (137, Some("OOMKilled")));
    let stuck = until("the waiting reason", || async {
        let status = pods.get("stuck").await.unwrap().status?.container_statuses?.pop()?;
        (status.state.as_ref()?.waiting.as_ref()?.reason.as_deref() == Some("ImagePullBackOff")).then_some(status)
    })
    .await;
    assert_eq!(stuck.restart_count, 3);
    let unready = in_phase(&pods, "unready", "Running").await;
    assert!(unready.status.unwrap().conditions.unwrap().iter().any(|one| one.type_ == "Ready" && one.status == "False"));
}

#[tokio::test]
async fn cards_run_out_with_the_schedulers_own_words_and_a_freed_card_is_given_on() {
    let cluster = cluster().await;
    let pods = pods(&cluster.client);
    let spec = || {
        let mut spec = pod_spec(8);
        spec["nodeSelector"] = json!({"nvidia.com/gpu.product": "Tesla-V100-SXM2-32GB"});
        spec
    };
    create(&pods, json!({"metadata": {"name": "first"}, "spec": spec()})).await.unwrap();
    in_phase(&pods, "first", "Running").await;
    create(&pods, json!({"metadata": {"name": "second"}, "spec": spec()})).await.unwrap();
    let message = until("the refusal", || async {
        let conditions = pods.get("second").await.unwrap().status?.conditions?;
        conditions.into_iter().find(|one| one.type_ == "PodScheduled" && one.reason.as_deref() == Some("Unschedulable"))?.message
    })
    .await;
    assert!(
        message.starts_with("0/6 nodes are available: 1 Insufficient nvidia.com/gpu, 5 node(s) didn't match Pod's node affinity/selector."),
        "{message}"
    );
    pods.delete("first", &DeleteParams::default()).await.unwrap();
    in_phase(&pods, "second", "Running").await;
    let slices = json!({"containers": [{"name": "main", "image": "i", "resources": {"limits": {"nvidia.com/mig-1g.10gb": "2"}}}]});
    create(&pods, json!({"metadata": {"name": "slice"}, "spec": slices})).await.unwrap();
    let slice = in_phase(&pods, "slice", "Running").await;
    assert_eq!(slice.spec.unwrap().node_name.as_deref(), Some("dell-pro-max-aipc-04"));
}

#[tokio::test]
async fn a_node_takes_as_many_pods_as_it_has_slots() {
    let one = simulator::default_nodes().swap_remove(0);
    let options = Options { pace: Pace::fast(), nodes: vec![NodeSpec { pods: 1, ..one }], ..Options::default() };
    let simulator = simulator::start(options).await.unwrap();
    let client = client(&simulator.kubeconfig()).await;
    namespace(&client, "lab").await;
    let pods = pods(&client);
    create(&pods, json!({"metadata": {"name": "first"}, "spec": pod_spec(1)})).await.unwrap();
    in_phase(&pods, "first", "Running").await;
    create(&pods, json!({"metadata": {"name": "second"}, "spec": pod_spec(1)})).await.unwrap();
    let message = until("the refusal", || async {
        let conditions = pods.get("second").await.unwrap().status?.conditions?;
        conditions.into_iter().find(|one| one.type_ == "PodScheduled" && one.reason.as_deref() == Some("Unschedulable"))?.message
    })
    .await;
    assert!(message.starts_with("0/1 nodes are available: 1 Too many pods."), "{message}");
    pods.delete("first", &DeleteParams::default()).await.unwrap();
    in_phase(&pods, "second", "Running").await;
}

#[tokio::test]
async fn a_cordoned_node_takes_nothing_new() {
    let cluster = cluster().await;
    let nodes = Api::<Node>::all(cluster.client.clone());
    for node in nodes.list(&ListParams::default()).await.unwrap() {
        nodes.cordon(&node.name_any()).await.unwrap();
    }
    let pods = pods(&cluster.client);
    create(&pods, json!({"metadata": {"name": "p"}, "spec": pod_spec(0)})).await.unwrap();
    until("the refusal", || async {
        let conditions = pods.get("p").await.unwrap().status?.conditions?;
        conditions.iter().any(|one| one.message.as_deref().is_some_and(|text| text.contains("6 node(s) were unschedulable"))).then_some(())
    })
    .await;
    nodes.uncordon("dell-pro-max-aipc-01").await.unwrap();
    let pod = in_phase(&pods, "p", "Running").await;
    assert_eq!(pod.spec.unwrap().node_name.as_deref(), Some("dell-pro-max-aipc-01"));
}

#[tokio::test]
async fn an_ordered_statefulset_starts_in_order_and_scales_from_the_top() {
    let cluster = cluster().await;
    let sets = Api::<StatefulSet>::namespaced(cluster.client.clone(), "lab");
    let pods = pods(&cluster.client);
    let mut body = set("web", 3, "OrderedReady", 1);
    body["spec"]["template"]["metadata"]["annotations"] = json!({"fake-kubelet/ready": "false"});
    apply(&sets, body).await.unwrap();
    in_phase(&pods, "web-0", "Running").await;
    assert_eq!(names(&pods).await, ["web-0"], "the first is not ready, so the second waits");
    sets.delete("web", &DeleteParams::default()).await.unwrap();
    until("the pods to go", || async { names(&pods).await.is_empty().then_some(()) }).await;

    apply(&sets, set("web", 3, "OrderedReady", 1)).await.unwrap();
    let ready = |count: i32| {
        let sets = sets.clone();
        async move {
            until(&format!("{count} ready"), || async {
                let set = sets.get("web").await.unwrap();
                let status = set.status.as_ref()?;
                (status.ready_replicas.unwrap_or(0) == count && status.replicas == count && status.observed_generation == set.metadata.generation)
                    .then_some(set.clone())
            })
            .await
        }
    };
    ready(3).await;
    assert_eq!(names(&pods).await, ["web-0", "web-1", "web-2"]);
    sets.patch("web", &PatchParams::default(), &Patch::Merge(json!({"spec": {"replicas": 1}}))).await.unwrap();
    ready(1).await;
    assert_eq!(names(&pods).await, ["web-0"]);
    sets.patch("web", &PatchParams::default(), &Patch::Merge(json!({"spec": {"replicas": 0}}))).await.unwrap();
    ready(0).await;
    let refused = sets.patch("web", &PatchParams::default(), &Patch::Merge(json!({"spec": {"serviceName": "x"}}))).await;
    let (code, message) = refusal(refused);
    assert!(code == 422 && message.contains("spec: Forbidden: updates to statefulset spec for fields other than"), "{message}");
}

#[tokio::test]
async fn a_parallel_statefulset_starts_all_at_once_and_a_new_template_rolls_over_it() {
    let cluster = cluster().await;
    let sets = Api::<StatefulSet>::namespaced(cluster.client.clone(), "lab");
    let pods = pods(&cluster.client);
    let mut body = set("web", 3, "Parallel", 0);
    body["spec"]["template"]["metadata"]["annotations"] = json!({"fake-kubelet/start-after": "600"});
    apply(&sets, body.clone()).await.unwrap();
    until("three pods", || async { (names(&pods).await.len() == 3).then_some(()) }).await;
    body["spec"]["template"] = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "jupyter:2"}]}});
    apply(&sets, body).await.unwrap();
    // Pods of the old template never became ready: they are deleted by hand, as an operator would.
    for name in names(&pods).await {
        pods.delete(&name, &DeleteParams::default()).await.unwrap();
    }
    until("the new template everywhere", || async {
        let list = pods.list(&ListParams::default()).await.unwrap().items;
        let is_new = |pod: &Pod| pod.spec.as_ref().unwrap().containers[0].image.as_deref() == Some("jupyter:2");
        (list.len() == 3 && list.iter().all(is_new)).then_some(())
    })
    .await;
    let done = until("the roll-out", || async {
        let status = sets.get("web").await.unwrap().status?;
        (status.ready_replicas == Some(3) && status.current_revision == status.update_revision).then_some(status)
    })
    .await;
    assert_eq!(done.updated_replicas, Some(3));
}

#[tokio::test]
async fn claims_are_bound_and_outlive_their_pods_but_not_their_deletion() {
    let cluster = cluster().await;
    let sets = Api::<StatefulSet>::namespaced(cluster.client.clone(), "lab");
    let claims = Api::<PersistentVolumeClaim>::namespaced(cluster.client.clone(), "lab");
    let volumes = Api::<PersistentVolume>::all(cluster.client.clone());
    let pods = pods(&cluster.client);
    let mut body = set("web", 1, "OrderedReady", 0);
    body["spec"]["volumeClaimTemplates"] =
        json!([{"metadata": {"name": "home"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}}}]);
    body["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "home", "mountPath": "/home"}]);
    apply(&sets, body).await.unwrap();
    in_phase(&pods, "web-0", "Running").await;
    let claim = claims.get("home-web-0").await.unwrap();
    assert_eq!(claim.status.unwrap().phase.as_deref(), Some("Bound"));
    assert_eq!(claim.spec.unwrap().storage_class_name.as_deref(), Some("standard"));
    claims.delete("home-web-0", &DeleteParams::default()).await.unwrap();
    assert!(claims.get("home-web-0").await.unwrap().metadata.deletion_timestamp.is_some(), "a pod still uses it");
    sets.delete("web", &DeleteParams::default()).await.unwrap();
    until("the claim to go", || async { claims.get_opt("home-web-0").await.unwrap().is_none().then_some(()) }).await;
    until("the volume to go", || async { volumes.list(&ListParams::default()).await.unwrap().items.is_empty().then_some(()) }).await;
}

#[tokio::test]
async fn a_pod_without_a_node_does_not_keep_a_claim_from_going() {
    let cluster = cluster().await;
    let claims = Api::<PersistentVolumeClaim>::namespaced(cluster.client.clone(), "lab");
    let pods = pods(&cluster.client);
    let claim = || json!({"metadata": {"name": "home"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}}});
    let made = create(&claims, claim()).await.unwrap();
    let mut spec = pod_spec(0);
    spec["nodeSelector"] = json!({"kubernetes.io/hostname": "nowhere"});
    spec["volumes"] = json!([{"name": "home", "persistentVolumeClaim": {"claimName": "home"}}]);
    create(&pods, json!({"metadata": {"name": "waits"}, "spec": spec})).await.unwrap();
    claims.delete("home", &DeleteParams::default()).await.unwrap();
    until("the claim to go", || async { claims.get_opt("home").await.unwrap().is_none().then_some(()) }).await;
    assert_eq!(names(&pods).await, ["waits"]);
    let next = create(&claims, claim()).await.unwrap();
    assert_ne!(next.uid(), made.uid());
    until("the next claim to be bound", || async { (claims.get("home").await.unwrap().status?.phase.as_deref() == Some("Bound")).then_some(()) })
        .await;
}

#[tokio::test]
async fn a_claim_waits_for_a_class_that_is_made_later() {
    let cluster = cluster().await;
    let claims = Api::<PersistentVolumeClaim>::namespaced(cluster.client.clone(), "lab");
    let spec = json!({"storageClassName": "late", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}});
    create(&claims, json!({"metadata": {"name": "home"}, "spec": spec})).await.unwrap();
    let events = Api::<Event>::namespaced(cluster.client.clone(), "lab");
    until("the missing class to be told", || async {
        let told = events.list(&ListParams::default().fields("involvedObject.name=home")).await.unwrap();
        told.items.iter().any(|event| event.reason.as_deref() == Some("ProvisioningFailed")).then_some(())
    })
    .await;
    let classes = Api::<StorageClass>::all(cluster.client.clone());
    create(&classes, json!({"metadata": {"name": "late"}, "provisioner": "simulated.lectern/volumes"})).await.unwrap();
    until("the claim to be bound", || async { (claims.get("home").await.unwrap().status?.phase.as_deref() == Some("Bound")).then_some(()) }).await;
}

#[tokio::test]
async fn an_indexed_job_runs_every_index_and_completes() {
    let cluster = cluster().await;
    let jobs = Api::<Job>::namespaced(cluster.client.clone(), "lab");
    let pods = pods(&cluster.client);
    let more = json!({"completionMode": "Indexed", "completions": 3, "parallelism": 2});
    apply(&jobs, job("train", &json!({"fake-kubelet/succeed-after": "0.1"}), &more)).await.unwrap();
    let done = until("completion", || async {
        let status = jobs.get("train").await.unwrap().status?;
        status.conditions.as_ref()?.iter().any(|one| one.type_ == "Complete" && one.status == "True").then_some(status)
    })
    .await;
    assert_eq!((done.succeeded, done.completed_indexes.as_deref()), (Some(3), Some("0-2")));
    assert!(done.completion_time.is_some() && done.active.is_none());
    let list = pods.list(&ListParams::default().labels("batch.kubernetes.io/job-name=train")).await.unwrap().items;
    let mut indexes: Vec<String> = list.iter().map(|pod| pod.annotations()["batch.kubernetes.io/job-completion-index"].clone()).collect();
    indexes.sort();
    assert_eq!(indexes, ["0", "1", "2"]);
    let container = &list[0].spec.as_ref().unwrap().containers[0];
    assert!(container.env.as_ref().unwrap().iter().any(|one| one.name == "JOB_COMPLETION_INDEX"));
    jobs.delete("train", &DeleteParams::default()).await.unwrap();
    until("the job to go", || async { jobs.get_opt("train").await.unwrap().is_none().then_some(()) }).await;
    assert_eq!(names(&pods).await.len(), 3, "a Job deleted without a policy leaves its pods");
}

#[tokio::test]
async fn a_job_without_an_end_stays_running_until_it_is_suspended_or_deleted() {
    let cluster = cluster().await;
    let jobs = Api::<Job>::namespaced(cluster.client.clone(), "lab");
    let pods = pods(&cluster.client);
    apply(&jobs, job("long", &json!({}), &json!({"parallelism": 2, "completions": 2}))).await.unwrap();
    until("two ready", || async { (jobs.get("long").await.unwrap().status?.ready == Some(2)).then_some(()) }).await;
    let suspend = |flag: bool| Patch::Merge(json!({"spec": {"suspend": flag}}));
    jobs.patch("long", &PatchParams::default(), &suspend(true)).await.unwrap();
    until("no pods", || async { names(&pods).await.is_empty().then_some(()) }).await;
    let suspended = jobs.get("long").await.unwrap().status.unwrap().conditions.unwrap();
    assert!(suspended.iter().any(|one| one.type_ == "Suspended" && one.status == "True"));
    jobs.patch("long", &PatchParams::default(), &suspend(false)).await.unwrap();
    until("two ready again", || async { (jobs.get("long").await.unwrap().status?.ready == Some(2)).then_some(()) }).await;
    jobs.delete("long", &DeleteParams::foreground()).await.unwrap();
    until("the job to go", || async { jobs.get_opt("long").await.unwrap().is_none().then_some(()) }).await;
    assert!(names(&pods).await.is_empty(), "its pods went first");
}

#[tokio::test]
async fn a_job_fails_when_its_pods_have_failed_too_often() {
    let cluster = cluster().await;
    let jobs = Api::<Job>::namespaced(cluster.client.clone(), "lab");
    apply(&jobs, job("bad", &json!({"fake-kubelet/fail-after": "0"}), &json!({"backoffLimit": 1}))).await.unwrap();
    let status = until("failure", || async {
        let status = jobs.get("bad").await.unwrap().status?;
        status.conditions.as_ref()?.iter().any(|one| one.type_ == "Failed" && one.status == "True").then_some(status)
    })
    .await;
    assert_eq!(status.failed, Some(2));
    let condition = status.conditions.unwrap().into_iter().find(|one| one.type_ == "Failed").unwrap();
    assert_eq!(
        (condition.reason.as_deref(), condition.message.as_deref()),
        (Some("BackoffLimitExceeded"), Some("Job has reached the specified backoff limit"))
    );
}

#[tokio::test]
async fn an_evicted_pod_is_a_failure_unless_its_job_ignores_disruptions() {
    let cluster = cluster().await;
    let jobs = Api::<Job>::namespaced(cluster.client.clone(), "lab");
    let pods = pods(&cluster.client);
    let policy = json!({"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]});
    for (name, more) in [("counts", json!({"backoffLimit": 0})), ("ignores", json!({"backoffLimit": 0, "podFailurePolicy": policy}))] {
        apply(&jobs, job(name, &json!({}), &more)).await.unwrap();
        let running = |before: Option<String>| {
            let (pods, before) = (&pods, before);
            until("a running pod", move || {
                let before = before.clone();
                async move {
                    let list = pods.list(&ListParams::default().labels(&format!("batch.kubernetes.io/job-name={name}"))).await.unwrap();
                    let runs = |pod: &Pod| pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running");
                    list.items.iter().find(|pod| runs(pod) && Some(pod.name_any()) != before).map(ResourceExt::name_any)
                }
            })
        };
        let first = running(None).await;
        pods.evict(&first, &EvictParams::default()).await.unwrap();
        let evicted = pods.get_opt(&first).await.unwrap();
        let conditions = evicted.and_then(|pod| pod.status).and_then(|status| status.conditions).unwrap_or_default();
        assert!(conditions.is_empty() || conditions.iter().any(|one| one.type_ == "DisruptionTarget" && one.status == "True"), "{conditions:?}");
        let status = if name == "ignores" {
            running(Some(first.clone())).await;
            until("the evicted pod to go", || async { pods.get_opt(&first).await.unwrap().is_none().then_some(()) }).await;
            jobs.get(name).await.unwrap().status.unwrap()
        } else {
            until("failure", || async {
                let status = jobs.get(name).await.unwrap().status?;
                status.conditions.as_ref()?.iter().any(|one| one.type_ == "Failed" && one.status == "True").then_some(status)
            })
            .await
        };
        assert_eq!(status.failed, (name == "counts").then_some(1), "{name}");
    }
}

#[tokio::test]
async fn orphaned_pods_stay_and_lose_their_owner() {
    let cluster = cluster().await;
    let sets = Api::<StatefulSet>::namespaced(cluster.client.clone(), "lab");
    let pods = pods(&cluster.client);
    apply(&sets, set("web", 1, "OrderedReady", 0)).await.unwrap();
    in_phase(&pods, "web-0", "Running").await;
    sets.delete("web", &DeleteParams::orphan()).await.unwrap();
    until("the set to go", || async { sets.get_opt("web").await.unwrap().is_none().then_some(()) }).await;
    let pod = pods.get("web-0").await.unwrap();
    assert!(pod.metadata.owner_references.is_none() && pod.metadata.deletion_timestamp.is_none());
}

#[tokio::test]
async fn a_finalizer_holds_an_object_until_it_is_taken_off() {
    let cluster = cluster().await;
    let sets = Api::<StatefulSet>::namespaced(cluster.client.clone(), "lab");
    let mut body = set("web", 0, "OrderedReady", 0);
    body["metadata"]["finalizers"] = json!(["lectern.dev/owned"]);
    apply(&sets, body).await.unwrap();
    sets.delete("web", &DeleteParams::default()).await.unwrap();
    let held = sets.get("web").await.unwrap();
    assert!(held.metadata.deletion_timestamp.is_some());
    sets.patch("web", &PatchParams::default(), &Patch::Merge(json!({"metadata": {"finalizers": []}}))).await.unwrap();
    until("the set to go", || async { sets.get_opt("web").await.unwrap().is_none().then_some(()) }).await;
}

#[tokio::test]
async fn endpoints_follow_the_pods_of_a_service() {
    let cluster = cluster().await;
    let services = Api::<Service>::namespaced(cluster.client.clone(), "lab");
    let endpoints = Api::<Endpoints>::namespaced(cluster.client.clone(), "lab");
    let pods = pods(&cluster.client);
    create(&services, json!({"metadata": {"name": "s"}, "spec": {"clusterIP": "None", "selector": {"app": "x"}, "ports": [{"port": 8888}]}}))
        .await
        .unwrap();
    create(&pods, json!({"metadata": {"name": "p", "labels": {"app": "x"}}, "spec": pod_spec(0)})).await.unwrap();
    let address = until("an address", || async { endpoints.get_opt("s").await.unwrap()?.subsets?.pop()?.addresses?.pop() }).await;
    assert_eq!(Some(address.ip), in_phase(&pods, "p", "Running").await.status.unwrap().pod_ip);
    services.delete("s", &DeleteParams::default()).await.unwrap();
    until("the endpoints to go", || async { endpoints.get_opt("s").await.unwrap().is_none().then_some(()) }).await;
}

#[tokio::test]
async fn a_pod_goes_where_it_wishes_to_while_there_is_room_and_elsewhere_when_there_is_none() {
    let cluster = cluster().await;
    let pods = pods(&cluster.client);
    let spec = || {
        let mut spec = pod_spec(8);
        let here = json!({"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["dell-pro-max-aipc-02"]}]});
        spec["affinity"] = json!({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": here}]}});
        spec
    };
    for (name, there) in [("first", true), ("second", false)] {
        create(&pods, json!({"metadata": {"name": name}, "spec": spec()})).await.unwrap();
        let pod = in_phase(&pods, name, "Running").await;
        assert_eq!(pod.spec.unwrap().node_name.as_deref() == Some("dell-pro-max-aipc-02"), there, "{name}");
    }
}

#[tokio::test]
async fn nodes_are_labelled_as_their_vendors_do_and_report_a_temperature() {
    let cluster = cluster().await;
    let nodes = Api::<Node>::all(cluster.client.clone());
    let labels = |node: &Node, name: &str| node.labels().get(name).cloned();
    let cut = nodes.get("dell-pro-max-aipc-04").await.unwrap();
    assert_eq!(labels(&cut, "nvidia.com/cuda.driver-version.full").as_deref(), Some("550.54.15"));
    assert_eq!(
        (labels(&cut, "nvidia.com/mig.strategy").as_deref(), labels(&cut, "nvidia.com/gpu.memory").as_deref()),
        (Some("mixed"), Some("81920"))
    );
    let amd = nodes.get("dell-pro-max-aipc-05").await.unwrap();
    assert_eq!(labels(&amd, "amd.com/gpu.product-name").as_deref(), Some("AMD_Instinct_MI250_OAM"));
    for node in nodes.list(&ListParams::default()).await.unwrap() {
        let celsius: i32 = node.annotations()["lectern.dev/gpu-temperature"].parse().unwrap();
        assert!((30..85).contains(&celsius), "{celsius}");
    }
    nodes.cordon("dell-pro-max-aipc-05").await.unwrap();
    let events = Api::<k8s_openapi::api::core::v1::Event>::namespaced(cluster.client.clone(), "default");
    until("the event of the node", || async {
        let told = events.list(&ListParams::default()).await.unwrap();
        told.items.iter().any(|event| event.reason.as_deref() == Some("NodeNotSchedulable")).then_some(())
    })
    .await;
}
