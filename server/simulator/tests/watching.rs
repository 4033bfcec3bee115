//! Watches: what is there, what changes, selections, and versions that are too old.

mod common;

use std::pin::pin;

use common::{cluster, create};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, WatchEvent, WatchParams},
    runtime::{WatchStreamExt, watcher},
};
use serde_json::json;

fn map(name: &str, tier: &str) -> serde_json::Value {
    json!({"metadata": {"name": name, "labels": {"tier": tier}}})
}

fn shown(event: &WatchEvent<ConfigMap>) -> String {
    match event {
        WatchEvent::Added(object) => format!("added {}", object.name_any()),
        WatchEvent::Modified(object) => format!("modified {}", object.name_any()),
        WatchEvent::Deleted(object) => format!("deleted {}", object.name_any()),
        WatchEvent::Bookmark(_) => "bookmark".to_owned(),
        WatchEvent::Error(status) => format!("error {} {}", status.code, status.reason),
    }
}

#[tokio::test]
async fn a_watch_from_a_version_hears_every_change_after_it_in_order() {
    let cluster = cluster().await;
    let maps = Api::<ConfigMap>::namespaced(cluster.client.clone(), "lab");
    let first = create(&maps, map("a", "x")).await.unwrap();
    create(&maps, map("b", "x")).await.unwrap();
    maps.patch("a", &PatchParams::default(), &Patch::Merge(json!({"data": {"k": "v"}}))).await.unwrap();
    maps.delete("b", &DeleteParams::default()).await.unwrap();
    let parameters = WatchParams::default().labels("tier=x");
    let stream = maps.watch(&parameters, &first.resource_version().unwrap()).await.unwrap();
    let events: Vec<_> = pin!(stream).take(3).try_collect().await.unwrap();
    assert_eq!(events.iter().map(shown).collect::<Vec<_>>(), ["added b", "modified a", "deleted b"]);
    let WatchEvent::Deleted(gone) = &events[2] else { panic!("a deletion") };
    let version = |object: &ConfigMap| object.resource_version().unwrap().parse::<u64>().unwrap();
    let WatchEvent::Modified(changed) = &events[1] else { panic!("a change") };
    assert!(version(gone) > version(changed), "a deletion has a version of its own");
}

#[tokio::test]
async fn an_object_that_leaves_the_selection_is_deleted_for_its_watcher() {
    let cluster = cluster().await;
    let maps = Api::<ConfigMap>::namespaced(cluster.client.clone(), "lab");
    let first = create(&maps, map("a", "x")).await.unwrap();
    let stream = maps.watch(&WatchParams::default().labels("tier=y"), &first.resource_version().unwrap()).await.unwrap();
    let relabel = |tier: &str| Patch::Merge(json!({"metadata": {"labels": {"tier": tier}}}));
    maps.patch("a", &PatchParams::default(), &relabel("y")).await.unwrap();
    maps.patch("a", &PatchParams::default(), &relabel("x")).await.unwrap();
    let events: Vec<_> = pin!(stream).take(2).try_collect().await.unwrap();
    assert_eq!(events.iter().map(shown).collect::<Vec<_>>(), ["added a", "deleted a"]);
}

#[tokio::test]
async fn a_version_that_is_forgotten_is_expired_and_one_without_a_version_starts_with_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = common::start(Some(folder.path()), 0).await;
    let maps = Api::<ConfigMap>::namespaced(cluster.client.clone(), "default");
    let old = create(&maps, map("a", "x")).await.unwrap().resource_version().unwrap();
    cluster.simulator.shutdown().await;
    let cluster = common::start(Some(folder.path()), 0).await;
    let maps = Api::<ConfigMap>::namespaced(cluster.client.clone(), "default");
    let stream = maps.watch(&WatchParams::default(), &old).await.unwrap();
    let event = pin!(stream).try_next().await.unwrap().unwrap();
    assert_eq!(shown(&event), "error 410 Expired");
    let stream = maps.watch(&WatchParams::default().labels("tier=x"), "0").await.unwrap();
    assert_eq!(shown(&pin!(stream).try_next().await.unwrap().unwrap()), "added a");
}

#[tokio::test]
async fn a_watch_ends_when_its_time_is_up() {
    let cluster = cluster().await;
    let maps = Api::<ConfigMap>::namespaced(cluster.client.clone(), "lab");
    let stream = maps.watch(&WatchParams::default().timeout(1).labels("none=here"), "0").await.unwrap();
    assert!(pin!(stream).try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn kubes_own_watcher_keeps_up_by_list_and_by_streaming() {
    let cluster = cluster().await;
    let maps = Api::<ConfigMap>::namespaced(cluster.client.clone(), "lab");
    create(&maps, map("a", "x")).await.unwrap();
    for config in [watcher::Config::default(), watcher::Config::default().streaming_lists()] {
        let mut stream = pin!(watcher(maps.clone(), config.labels("tier=x")).applied_objects());
        assert_eq!(stream.next().await.unwrap().unwrap().name_any(), "a");
        let change = json!({"metadata": {"annotations": {"seen": "again"}}});
        maps.patch("a", &PatchParams::default(), &Patch::Merge(change)).await.unwrap();
        let heard = stream.next().await.unwrap().unwrap();
        assert_eq!(heard.annotations()["seen"], "again");
        maps.patch("a", &PatchParams::default(), &Patch::Merge(json!({"metadata": {"annotations": null}}))).await.unwrap();
    }
}
