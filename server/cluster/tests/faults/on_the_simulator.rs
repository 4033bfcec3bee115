//! Every fault that the simulator knows, on both databases.

use std::{num::NonZeroU32, time::Duration};

use cluster::Kubernetes;
use domain::{capacity::WaitReason, ids::LabId, labs::LabState, orders::OrderState};
use k8s_openapi::api::core::v1::{Namespace, Node, Pod};
use kube::{
    Api, Client, Config, ResourceExt,
    api::{DeleteParams, ListParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use simulator::{
    NodeSpec, Options, Pace, Simulator,
    faults::{Fault, Rule, Switch},
};
use storage::testing::{TestDatabase, for_each_engine};

use crate::portal::Portal;

/// A portal over a simulator of its own.
struct Scene {
    portal: Portal,
    simulator: Simulator,
}

impl Scene {
    async fn on(database: TestDatabase) -> Self {
        Self::with(database, nodes()).await
    }

    async fn with(database: TestDatabase, nodes: Vec<NodeSpec>) -> Self {
        // Another test of this process may have done it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = Options { pace: Pace::fast(), nodes, ..Options::default() };
        let simulator = simulator::start(options).await.expect("a simulator");
        let text = simulator.kubeconfig();
        let cluster = Kubernetes::from_kubeconfig_text(&text).await.expect("a cluster");
        let kubeconfig = Kubeconfig::from_yaml(&text).expect("a kubeconfig");
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a configuration");
        let client = Client::try_from(config).expect("a client");
        Self { portal: Portal::open(database, cluster, client, "CV2402").await, simulator }
    }

    /// Waits until a rule has struck so often: a fault that nobody met shows nothing.
    async fn struck(&self, switch: Switch, times: u64) {
        let struck = || async { self.simulator.faults().struck(switch) };
        self.portal.until("the fault strikes", struck, |struck| *struck >= times).await;
    }
}

/// Four nodes of eight cards.
fn nodes() -> Vec<NodeSpec> {
    let one = simulator::default_nodes().swap_remove(0);
    (1..=4).map(|number| NodeSpec { name: format!("node-{number:02}"), ..one.clone() }).collect()
}

/// Twelve labs start, stop and go while a rule is on; it strikes `times` at least, and then it ends.
async fn live_through(test: &str, rule: Rule, times: u64) {
    for_each_engine(test, |database| async {
        let scene = Scene::on(database).await;
        let portal = &scene.portal;
        let before = portal.order(8).await;
        portal.all(&before, LabState::Running).await;
        let switch = scene.simulator.faults().switch_on(rule.clone());
        let (stopped, destroyed) = before.split_at(4);
        let started = portal.order(4).await;
        portal.stop(stopped).await;
        portal.destroy(destroyed).await;
        scene.struck(switch, times).await;
        scene.simulator.faults().all_off();
        portal.converged(&started, stopped, destroyed).await;
        portal.ends_empty(&[started, before].concat()).await;
    })
    .await;
}

macro_rules! live_through {
    ($($name:ident: $rule:expr, $times:literal;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                live_through(stringify!($name), $rule, $times).await;
            }
        )+
    };
}

const CHANGES: [&str; 4] = ["create", "update", "patch", "delete"];

live_through! {
    too_many_requests: Rule::new(Fault::TooManyRequests { retry_after_seconds: 1 }), 20;
    every_change_conflicts: Rule::new(Fault::Conflict), 8;
    each_second_change_conflicts: Rule::new(Fault::Conflict).one_in(TWO), 8;
    internal_errors: Rule::new(Fault::InternalError), 12;
    each_third_request_is_an_internal_error: Rule::new(Fault::InternalError).one_in(THREE), 30;
    the_service_is_unavailable: Rule::new(Fault::Unavailable), 20;
    changes_are_made_and_time_out: Rule::new(Fault::Timeout).on_verbs(&CHANGES), 12;
    everything_times_out: Rule::new(Fault::Timeout), 20;
    answers_to_changes_are_lost: Rule::new(Fault::Dropped).on_verbs(&CHANGES), 8;
    lists_are_slower_than_anybody_waits: Rule::new(Fault::Slow(Duration::from_secs(6))).on_verbs(&["list"]), 8;
    everything_is_slow: Rule::new(Fault::Slow(Duration::from_millis(700))), 40;
}

const TWO: NonZeroU32 = NonZeroU32::new(2).expect("two");
const THREE: NonZeroU32 = NonZeroU32::new(3).expect("three");

/// Also: however many watches break at once, they come back at a measured pace.
async fn watches_break(test: &str, fault: Fault) {
    for_each_engine(test, |database| async {
        let scene = Scene::on(database).await;
        let (portal, faults) = (&scene.portal, scene.simulator.faults());
        let before = portal.order(8).await;
        portal.all(&before, LabState::Running).await;
        let switch = faults.switch_on(Rule::new(fault.clone()).on_verbs(&["watch"]));
        let (stopped, destroyed) = before.split_at(4);
        let started = portal.order(4).await;
        portal.stop(stopped).await;
        portal.destroy(destroyed).await;
        // Eleven watches were running; each reconnects and breaks again.
        scene.struck(switch, 22).await;
        let (struck, begun) = (faults.struck(switch), tokio::time::Instant::now());
        tokio::time::sleep(Duration::from_secs(3)).await;
        let per_second = (faults.struck(switch) - struck) / begun.elapsed().as_secs().max(1);
        eprintln!("eleven broken watches are tried {per_second} times a second");
        assert!(per_second <= 22, "eleven watches that break at once are tried {per_second} times a second");
        faults.all_off();
        portal.converged(&started, stopped, destroyed).await;
        portal.ends_empty(&[started, before].concat()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_expire() {
    watches_break("watches_expire", Fault::Expired).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_are_dropped_in_the_middle_of_a_line() {
    watches_break("watches_are_dropped_in_the_middle_of_a_line", Fault::Dropped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_restarts_twice_while_labs_come_and_go() {
    for_each_engine("the_server_restarts_twice_while_labs_come_and_go", |database| async {
        let scene = Scene::on(database).await;
        let (portal, faults) = (&scene.portal, scene.simulator.faults());
        let before = portal.order(8).await;
        portal.all(&before, LabState::Running).await;
        let away = || Rule::new(Fault::Away).lasting(Duration::from_secs(2));
        let started = portal.order(2).await;
        faults.switch_on(away());
        portal.until("the portal notices", || async { portal.is_away().await }, |away| *away).await;
        let (stopped, destroyed) = before.split_at(4);
        portal.stop(stopped).await;
        portal.until("the server is back", || async { !faults.is_away() }, |back| *back).await;
        let more = portal.order(2).await;
        faults.switch_on(away());
        portal.destroy(destroyed).await;
        portal.until("the server is back again", || async { !faults.is_away() }, |back| *back).await;
        let started = [started, more].concat();
        portal.converged(&started, stopped, destroyed).await;
        portal.ends_empty(&[started, before].concat()).await;
    })
    .await;
}

/// The node of the first lab's pod.
async fn some_node(portal: &Portal) -> String {
    let pods = Api::<Pod>::namespaced(portal.client.clone(), portal.namespace());
    let pods = pods.list(&ListParams::default()).await.expect("an answer");
    pods.items.iter().find_map(|pod| pod.spec.as_ref()?.node_name.clone()).expect("a bound pod")
}

/// Waits until some of the labs did not count as running.
async fn notices_the_loss(portal: &Portal, labs: &[LabId]) {
    let down = || async {
        let mut down = 0;
        for id in labs {
            down += usize::from(portal.came_up_anew(*id).await);
        }
        down
    };
    portal.until("labs on it no longer run", down, |down| *down > 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_lost_and_comes_back() {
    for_each_engine("a_node_is_lost_and_comes_back", |database| async {
        let scene = Scene::on(database).await;
        let (portal, faults) = (&scene.portal, scene.simulator.faults());
        let before = portal.order(12).await;
        portal.all(&before, LabState::Running).await;
        faults.switch_on(Rule::new(Fault::NodeLost(some_node(portal).await)));
        notices_the_loss(portal, &before).await;
        let (kept, rest) = before.split_at(4);
        let (stopped, destroyed) = rest.split_at(4);
        let started = portal.order(4).await;
        portal.stop(stopped).await;
        portal.destroy(destroyed).await;
        // New labs find room on the other nodes.
        portal.all(&started, LabState::Running).await;
        faults.all_off();
        let running = [kept, &started].concat();
        portal.converged(&running, stopped, destroyed).await;
        portal.ends_empty(&[&started, &before[..]].concat()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_lost_for_good_and_its_labs_come_up_elsewhere() {
    for_each_engine("a_node_is_lost_for_good_and_its_labs_come_up_elsewhere", |database| async {
        let scene = Scene::on(database).await;
        let portal = &scene.portal;
        let running = portal.order(12).await;
        portal.all(&running, LabState::Running).await;
        let node = some_node(portal).await;
        scene.simulator.faults().switch_on(Rule::new(Fault::NodeLost(node.clone())));
        let nodes = Api::<Node>::all(portal.client.clone());
        notices_the_loss(portal, &running).await;
        nodes.delete(&node, &DeleteParams::default()).await.expect("the operator takes it out");
        portal.converged(&running, &[], &[]).await;
        let pods = Api::<Pod>::namespaced(portal.client.clone(), portal.namespace());
        for pod in pods.list(&ListParams::default()).await.expect("an answer") {
            assert_ne!(pod.spec.as_ref().and_then(|spec| spec.node_name.clone()), Some(node.clone()), "{}", pod.name_any());
        }
        portal.ends_empty(&running).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_is_stuck_and_the_next_labs_wait_for_it() {
    for_each_engine("a_namespace_is_stuck_and_the_next_labs_wait_for_it", |database| async {
        let scene = Scene::on(database).await;
        let (portal, faults) = (&scene.portal, scene.simulator.faults());
        let before = portal.order(4).await;
        portal.all(&before, LabState::Running).await;
        faults.switch_on(Rule::new(Fault::NamespacesStuck));
        portal.destroy(&before).await;
        let namespaces = Api::<Namespace>::all(portal.client.clone());
        let why = || async {
            let found = namespaces.get(portal.namespace()).await.expect("it is stuck");
            found.status.into_iter().flat_map(|status| status.conditions.unwrap_or_default()).filter_map(|one| one.reason).collect::<Vec<_>>()
        };
        portal.until("the namespace is stuck", why, |why| why.iter().any(|reason| reason == "DiscoveryFailed")).await;
        let next = portal.order(4).await;
        faults.all_off();
        portal.converged(&next, &[], &before).await;
        portal.ends_empty(&[next, before].concat()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_deleted_by_hand_fails_its_labs() {
    for_each_engine("a_namespace_deleted_by_hand_fails_its_labs", |database| async {
        let scene = Scene::on(database).await;
        let portal = &scene.portal;
        let labs = portal.order(2).await;
        portal.all(&labs, LabState::Running).await;
        let namespaces = Api::<Namespace>::all(portal.client.clone());
        namespaces.delete(portal.namespace(), &DeleteParams::default()).await.expect("by hand");
        portal.all(&labs, LabState::Failed).await;
        for lab in &labs {
            assert_eq!(portal.failure(*lab).await.as_deref(), Some("VolumeLost"));
        }
        // A person retries: the labs get new, empty volumes.
        portal.retry(&labs).await;
        portal.all(&labs, LabState::Running).await;
        portal.ends_empty(&labs).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_webhook_that_is_down_does_not_make_the_cluster_away() {
    for_each_engine("one_webhook_that_is_down_does_not_make_the_cluster_away", |database| async {
        let scene = Scene::on(database).await;
        let (portal, faults) = (&scene.portal, scene.simulator.faults());
        let before = portal.order(2).await;
        portal.all(&before, LabState::Running).await;
        let switch = faults.switch_on(Rule::new(Fault::WebhookDown("deploy.example.com".into())).on_resources(&["deployments"]));
        let blocked = portal.order(2).await;
        scene.struck(switch, 4).await;
        assert!(!portal.is_away().await, "it answers");
        portal.until("the lab says why", || portal.reason(blocked[0]), |reason| reason.as_deref() == Some("WebhookFailed")).await;
        faults.all_off();
        portal.converged(&[before.clone(), blocked.clone()].concat(), &[], &[]).await;
        portal.ends_empty(&[before, blocked].concat()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lab_is_queued_while_the_nodes_take_no_more_pods() {
    for_each_engine("a_lab_is_queued_while_the_nodes_take_no_more_pods", |database| async {
        let one = nodes().swap_remove(0);
        let scene = Scene::with(database, vec![NodeSpec { pods: 2, ..one }]).await;
        let portal = &scene.portal;
        let first = portal.order(2).await;
        portal.all(&first, LabState::Running).await;
        assert_eq!(portal.free().await, 0, "six cards and no slot for a pod");
        let waiting = portal.submit().await;
        assert_eq!((waiting.order.state, waiting.labs.len()), (OrderState::Queued, 0), "it is not started on a card that it cannot use");
        let waiting = portal.read(waiting.order.id).await;
        assert!(matches!(waiting.wait, Some(WaitReason::NoMachine { .. })), "{:?}", waiting.wait);
        portal.destroy(&first[..1]).await;
        let read = || portal.read(waiting.order.id);
        let granted = portal.until("its turn comes", read, |view| view.order.state == OrderState::Fulfilled).await;
        portal.all(&granted.labs, LabState::Running).await;
        portal.ends_empty(&[first, granted.labs].concat()).await;
    })
    .await;
}
