//! A whole course at once.

mod common;

use std::collections::BTreeSet;

use common::{apply, cluster, create, namespace, pod_spec, until};
use futures::{StreamExt, stream};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{Namespace, Pod, ResourceQuota},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams},
};
use serde_json::json;

/// Labs that are started together, and cards that there are.
const LABS: usize = 120;
const CARDS: usize = 34;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_labs_run_as_there_are_cards_and_the_others_get_theirs_in_turn() {
    let cluster = cluster().await;
    let client = &cluster.client;
    stream::iter(0..LABS)
        .for_each_concurrent(20, |number| async move {
            let name = format!("lab-{number}");
            namespace(client, &name).await;
            let quota = json!({"metadata": {"name": "q"}, "spec": {"hard": {"requests.nvidia.com/gpu": "1", "pods": "2"}}});
            create(&Api::<ResourceQuota>::namespaced(client.clone(), &name), quota).await.unwrap();
            let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "lab"}, "spec": {"serviceName": "lab", "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod_spec(1)}}});
            apply(&Api::<StatefulSet>::namespaced(client.clone(), &name), set).await.unwrap();
        })
        .await;
    let pods = Api::<Pod>::all(client.clone());
    let namespaces = Api::<Namespace>::all(client.clone());
    // A namespace that was deleted has its pod a moment longer.
    let mut deleted = BTreeSet::<String>::new();
    while deleted.len() < LABS {
        let expected = (LABS - deleted.len()).min(CARDS);
        let running = until("a full cluster", || async {
            let list = pods.list(&ListParams::default().fields("status.phase=Running")).await.unwrap().items;
            let running: Vec<String> =
                list.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).filter_map(ResourceExt::namespace).collect();
            assert!(running.len() <= CARDS, "no card is given twice");
            let more: Vec<String> = running.into_iter().filter(|name| !deleted.contains(name)).collect();
            (more.len() == expected).then_some(more)
        })
        .await;
        for name in &running {
            namespaces.delete(name, &DeleteParams::default()).await.unwrap();
        }
        deleted.extend(running);
    }
    until("all namespaces to go", || async {
        let list = namespaces.list_metadata(&ListParams::default()).await.unwrap().items;
        list.iter().all(|one| !one.name_any().starts_with("lab-")).then_some(())
    })
    .await;
    assert!(pods.list(&ListParams::default()).await.unwrap().items.is_empty());
}
