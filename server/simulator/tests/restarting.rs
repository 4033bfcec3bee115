//! The data folder: everything is there again after a stop and after a kill, and the same clients go on.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod common;

use std::{fs, net::TcpListener};

use common::{create, in_phase, pod_spec, start, until};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    batch::v1::Job,
    core::v1::{ConfigMap, PersistentVolumeClaim, Pod},
};
use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::json;

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn the_same_client_goes_on_after_a_restart_on_the_same_port_and_finds_what_it_left() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let first = start(Some(folder.path()), port).await;
    let (client, kubeconfig) = (first.client.clone(), first.simulator.kubeconfig());
    let pods = Api::<Pod>::default_namespaced(client.clone());
    let sets = Api::<StatefulSet>::default_namespaced(client.clone());
    let set = json!({"metadata": {"name": "web"}, "spec": {"serviceName": "web", "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod_spec(1)}}});
    create(&sets, set).await.unwrap();
    let before = in_phase(&pods, "web-0", "Running").await;
    first.simulator.shutdown().await;
    assert!(pods.get("web-0").await.is_err(), "the cluster is away");

    let second = start(Some(folder.path()), port).await;
    assert_eq!(second.simulator.kubeconfig(), kubeconfig);
    let after = until("the old client", || async { pods.get("web-0").await.ok() }).await;
    assert_eq!(after.metadata.uid, before.metadata.uid);
    assert_eq!(after.status.unwrap().phase.as_deref(), Some("Running"));
    sets.delete("web", &DeleteParams::default()).await.unwrap();
    until("the pod to go", || async { pods.get_opt("web-0").await.unwrap().is_none().then_some(()) }).await;
    second.simulator.shutdown().await;
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_kill_and_a_cut_line_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let killed = tempfile::tempdir().unwrap();
    let cluster = start(Some(folder.path()), 0).await;
    let maps = Api::<ConfigMap>::default_namespaced(cluster.client.clone());
    for number in 0..20 {
        create(&maps, json!({"metadata": {"name": format!("m{number}"), "labels": {"of": "test"}}})).await.unwrap();
    }
    maps.delete("m0", &DeleteParams::default()).await.unwrap();
    // A kill leaves the files as they are now; the last line may be cut.
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, killed.path().join(path.file_name().unwrap())).unwrap();
    }
    let journal = killed.path().join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap() + "{\"v\":99999,\"put\":{\"apiVersion\":\"v1\",\"kind\":\"Conf";
    fs::write(&journal, text).unwrap();

    let again = start(Some(killed.path()), 0).await;
    assert_eq!(again.simulator.token(), cluster.simulator.token());
    let maps = Api::<ConfigMap>::default_namespaced(again.client.clone());
    let names = maps.list(&ListParams::default().labels("of=test")).await.unwrap().items.len();
    assert_eq!(names, 19);
}

/// An object whose last finalizer goes is written once more and removed. Were only the first of these kept, nobody would remove it any more.
#[tokio::test]
async fn a_kill_leaves_all_of_a_transaction_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = start(Some(folder.path()), 0).await;
    let claims = Api::<PersistentVolumeClaim>::default_namespaced(cluster.client.clone());
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}});
    create(&claims, json!({"metadata": {"name": "home"}, "spec": spec})).await.unwrap();
    until("the claim to be bound", || async { (claims.get("home").await.unwrap().status?.phase.as_deref() == Some("Bound")).then_some(()) }).await;
    claims.delete("home", &DeleteParams::default()).await.unwrap();
    until("the claim to go", || async { claims.get_opt("home").await.unwrap().is_none().then_some(()) }).await;
    // An answered change: the journal has all that came before it.
    create(&Api::<ConfigMap>::default_namespaced(cluster.client.clone()), json!({"metadata": {"name": "last"}})).await.unwrap();

    let journal = fs::read_to_string(folder.path().join("journal.jsonl")).unwrap();
    let lines: Vec<&str> = journal.lines().collect();
    let is_deletion = |line: &&str| line.contains("\"PersistentVolumeClaim\"") && line.contains("\"deletionTimestamp\"");
    let first = lines.iter().position(is_deletion).expect("the deletion is written");
    for kept in first + 1..=lines.len() {
        let killed = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, killed.path().join(path.file_name().unwrap())).unwrap();
        }
        fs::write(killed.path().join("journal.jsonl"), lines[..kept].join("\n") + "\n").unwrap();
        let again = start(Some(killed.path()), 0).await;
        let claims = Api::<PersistentVolumeClaim>::default_namespaced(again.client.clone());
        until("the deletion to go on", || async { claims.get_opt("home").await.unwrap().is_none().then_some(()) }).await;
    }
}

/// Earlier versions wrote each change of a transaction on its own, so a kill could keep an object that nothing holds any more.
#[tokio::test]
async fn what_an_earlier_version_left_half_deleted_goes() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = start(Some(folder.path()), 0).await;
    let maps = Api::<ConfigMap>::default_namespaced(cluster.client.clone());
    create(&maps, json!({"metadata": {"name": "half"}})).await.unwrap();
    let mut object = serde_json::to_value(maps.get("half").await.unwrap()).unwrap();
    cluster.simulator.shutdown().await;
    object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    object["metadata"]["deletionGracePeriodSeconds"] = json!(0);
    fs::write(folder.path().join("journal.jsonl"), format!("{}\n", json!({"v": 999_999, "put": object}))).unwrap();
    let again = start(Some(folder.path()), 0).await;
    let maps = Api::<ConfigMap>::default_namespaced(again.client.clone());
    until("it to go", || async { maps.get_opt("half").await.unwrap().is_none().then_some(()) }).await;
}

#[tokio::test]
async fn controllers_take_up_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = start(Some(folder.path()), 0).await;
    let jobs = Api::<Job>::default_namespaced(cluster.client.clone());
    let pods = Api::<Pod>::default_namespaced(cluster.client.clone());
    let template = json!({"metadata": {"annotations": {"fake-kubelet/succeed-after": "2"}}, "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "i"}]}});
    create(&jobs, json!({"metadata": {"name": "j"}, "spec": {"template": template}})).await.unwrap();
    until("a running pod", || async {
        let list = pods.list(&ListParams::default().fields("status.phase=Running")).await.unwrap();
        (list.items.len() == 1).then_some(())
    })
    .await;
    cluster.simulator.shutdown().await;
    let cluster = start(Some(folder.path()), 0).await;
    let jobs = Api::<Job>::default_namespaced(cluster.client.clone());
    until("the job to complete", || async { (jobs.get("j").await.unwrap().status?.succeeded == Some(1)).then_some(()) }).await;
}

#[tokio::test]
async fn a_folder_serves_one_cluster_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(Some(folder.path()), 0).await;
    let options = simulator::Options { data: Some(folder.path().to_owned()), ..simulator::Options::default() };
    let refused = simulator::start(options.clone()).await.unwrap_err();
    assert!(refused.to_string().contains("another simulated cluster uses the folder"), "{refused:#}");
    first.simulator.shutdown().await;
    simulator::start(options).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn a_change_of_nothing_is_answered_right_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = start(Some(folder.path()), 0).await;
    let maps = Api::<ConfigMap>::default_namespaced(cluster.client.clone());
    create(&maps, json!({"metadata": {"name": "one", "labels": {"of": "test"}}})).await.unwrap();
    cluster.simulator.shutdown().await;
    let cluster = start(Some(folder.path()), 0).await;
    let maps = Api::<ConfigMap>::default_namespaced(cluster.client.clone());
    let same = Patch::Merge(json!({"metadata": {"labels": {"of": "test"}}}));
    let answer = tokio::time::timeout(std::time::Duration::from_secs(30), maps.patch("one", &PatchParams::default(), &same)).await;
    answer.expect("an answer, although nothing was written since the start").unwrap();
}
