//! What goes wrong: kills between steps, a cluster that is away, late starts, failures, two at once.

use std::collections::BTreeSet;

use domain::{
    Error,
    cluster::Obstacle,
    labs::{LabState, ObservedPhase},
    orders::OrderState,
};
use storage::testing::for_each_engine;

use super::Scene;
use crate::{
    cluster_status,
    jobs::{reconcile, watch},
    labs,
    ports::Change,
};

#[tokio::test]
async fn a_process_that_is_killed_between_any_two_steps_goes_on_where_it_was() {
    for_each_engine("a_process_that_is_killed_between_any_two_steps_goes_on_where_it_was", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let cluster = &services.cluster;
        let id = scene.pending().await;
        // Killed after the cluster did it and before the database knew: each call is made by hand, then the step runs as after a restart.
        cluster.start(&scene.lab_order(id).await).await.expect("the cluster takes it");
        assert_eq!(scene.lab(id).await.state, LabState::Pending);
        assert_eq!(reconcile::lab(services, id).await, Ok(true));
        assert_eq!(scene.lab(id).await.state, LabState::Starting);
        assert_eq!(reconcile::lab(services, id).await, Ok(true));
        assert_eq!(scene.lab(id).await.state, LabState::Running);
        assert_eq!(reconcile::lab(services, id).await, Ok(false), "the cluster knows when it ends");
        assert_eq!(scene.world.cluster.end_of(id), scene.lab(id).await.ends_at);

        labs::stop(services, &scene.teacher, id).await.expect("stops");
        cluster.stop(&scene.lab_order(id).await).await.expect("the cluster takes it");
        assert_eq!((scene.lab(id).await.state, scene.reserved().await), (LabState::Stopping, 1));
        reconcile::lab(services, id).await.expect("a step");
        assert_eq!((scene.lab(id).await.state, scene.reserved().await), (LabState::Stopped, 0));

        labs::destroy(services, &scene.teacher, id).await.expect("goes");
        cluster.destroy(&scene.lab_order(id).await, true).await.expect("the cluster takes it");
        assert_eq!(scene.lab(id).await.state, LabState::Destroying);
        reconcile::lab(services, id).await.expect("a step");
        assert_eq!(scene.lab(id).await.state, LabState::Destroyed);
        // The work is still in the outbox, as after a kill before it was crossed off: doing it again changes nothing.
        let steps = scene.steps(id).await;
        scene.settle().await;
        assert_eq!((scene.steps(id).await, scene.waiting_work().await), (steps, 0));
        assert_eq!(scene.recorded(&id.to_string()).await.iter().filter(|action| *action == "lab.applied").count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_cluster_that_is_away_keeps_the_work_until_it_is_back() {
    for_each_engine("a_cluster_that_is_away_keeps_the_work_until_it_is_back", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.world.cluster.go_away();
        let id = scene.pending().await;
        scene.settle().await;
        assert_eq!((scene.lab(id).await.state, scene.waiting_work().await), (LabState::Pending, 1));
        let since = cluster_status::current(services).await.expect("a status").away_since;
        assert_eq!(since, Some(services.clock.now()));
        // Tries again with growing pauses, and the time since it is away stays.
        for _ in 0..8 {
            scene.world.clock.advance(30);
            scene.settle().await;
        }
        assert_eq!(cluster_status::current(services).await.expect("a status").away_since, since);
        assert_eq!(reconcile::lab(services, id).await, Err(Error::Unavailable { retry_after_seconds: 5 }));

        scene.world.cluster.come_back();
        watch::take(services, &[Change::Away("gone".into()), Change::All]).await.expect("work");
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Running);
        assert_eq!(cluster_status::current(services).await.expect("a status").away_since, None);
    })
    .await;
}

#[tokio::test]
async fn two_reconcilers_at_once_take_each_step_once() {
    for_each_engine("two_reconcilers_at_once_take_each_step_once", |database| async {
        let scene = Scene::on(database).await;
        let replica = scene.world.replica();
        let mut made = Vec::new();
        for _ in 0..6 {
            made.push(scene.pending().await);
        }
        let both = || async {
            for _ in 0..6 {
                let (one, two) = futures::join!(reconcile::due(&scene.world.services), reconcile::due(&replica));
                one.and(two).expect("both work");
            }
        };
        both().await;
        for id in &made {
            assert_eq!(scene.steps(*id).await, ["pending order", "starting applied", "running ready"]);
            labs::destroy(&scene.world.services, &scene.teacher, *id).await.expect("goes");
        }
        both().await;
        for id in made {
            assert_eq!(scene.steps(id).await[3..], ["destroying destroy", "destroyed objects_gone"]);
            assert!(!scene.world.cluster.holds(id));
        }
        assert_eq!((scene.reserved().await, scene.waiting_work().await), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_lab_that_is_stopped_while_it_starts_does_not_come_up() {
    for_each_engine("a_lab_that_is_stopped_while_it_starts_does_not_come_up", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.pending().await;
        let slow = scene.lab_order(id).await;
        labs::stop(services, &scene.teacher, id).await.expect("stops");
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Stopped);
        // A start that was on its way arrives after the stop: its pods are taken away again.
        services.cluster.start(&slow).await.expect("the cluster does not know better");
        watch::take(services, &[Change::Lab(id)]).await.expect("work");
        scene.settle().await;
        let seen = services.cluster.observe(&slow).await.expect("answers");
        assert_eq!((seen.pods, seen.phase), (0, ObservedPhase::Idle));
        assert_eq!((scene.lab(id).await.state, scene.reserved().await), (LabState::Stopped, 0));

        labs::destroy(services, &scene.teacher, id).await.expect("goes");
        scene.settle().await;
        services.cluster.start(&slow).await.expect("the cluster does not know better");
        watch::take(services, &[Change::Lab(id)]).await.expect("work");
        scene.settle().await;
        assert!(!scene.world.cluster.holds(id), "nor after it is destroyed");
    })
    .await;
}

#[tokio::test]
async fn a_failed_lab_gives_its_cards_back_and_keeps_what_was_said_of_it() {
    for_each_engine("a_failed_lab_gives_its_cards_back_and_keeps_what_was_said_of_it", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.world.cluster.hold_pods();
        let id = scene.pending().await;
        scene.settle().await;
        scene.world.cluster.fail(id, "ImagePullBackOff", "no such image");
        watch::take(services, &[Change::Lab(id)]).await.expect("work");
        scene.settle().await;
        let detail = labs::get(services, &scene.teacher, id).await.expect("reads");
        assert_eq!((detail.view.lab.state, detail.view.lab.reserved, detail.observation.pods), (LabState::Failed, false, 0));
        assert_eq!(detail.observation.failure, Some(("ImagePullBackOff".into(), "no such image".into())));
        assert_eq!(detail.view.lab.failure.map(|failure| failure.reason).as_deref(), Some("ImagePullBackOff"));
        assert_eq!((scene.order_state(id).await, scene.reserved().await), (OrderState::Failed, 0));
        labs::start(services, &scene.teacher, id).await.expect("again");
        scene.settle().await;
        scene.world.cluster.make_ready(id);
        watch::take(services, &[Change::Lab(id)]).await.expect("work");
        scene.settle().await;
        assert_eq!((scene.lab(id).await.state, scene.order_state(id).await), (LabState::Running, OrderState::Fulfilled));
    })
    .await;
}

#[tokio::test]
async fn the_state_follows_what_the_watch_reports() {
    for_each_engine("the_state_follows_what_the_watch_reports", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.world.cluster.hold_pods();
        let id = scene.pending().await;
        scene.settle().await;
        let told = |expected| {
            let scene = &scene;
            async move {
                watch::take(services, &[Change::Lab(id), Change::Lab(id)]).await.expect("work");
                scene.settle().await;
                assert_eq!(scene.lab(id).await.state, expected);
            }
        };
        told(LabState::Starting).await;
        scene.world.cluster.make_ready(id);
        told(LabState::Running).await;
        let first = scene.lab(id).await.first_running_at;
        scene.world.clock.advance(60);
        scene.world.cluster.lose_pod(id);
        told(LabState::Starting).await;
        scene.world.cluster.make_ready(id);
        told(LabState::Running).await;
        assert_eq!(scene.lab(id).await.first_running_at, first, "the ordered time counts from the first");
        scene.world.cluster.finish(id);
        told(LabState::Stopped).await;
        assert_eq!(scene.reserved().await, 0);
        // A change of a lab that is none of ours is no error.
        let unknown = domain::ids::LabId::from_uuid(services.entropy.uuid());
        watch::take(services, &[Change::Lab(unknown)]).await.expect("work");
        scene.settle().await;
        assert_eq!(scene.waiting_work().await, 0);
    })
    .await;
}

#[tokio::test]
async fn objects_that_somebody_took_away_are_made_again() {
    for_each_engine("objects_that_somebody_took_away_are_made_again", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        scene.world.cluster.delete_objects(id);
        watch::resync(services).await.expect("work");
        scene.settle().await;
        scene.world.clock.advance(5);
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Running);
        assert!(scene.world.cluster.holds(id));
        assert_eq!(scene.steps(id).await[3..], ["starting lost", "running ready"]);
    })
    .await;
}

#[tokio::test]
async fn a_lab_is_destroyed_when_the_last_object_is_gone_and_not_before() {
    for_each_engine("a_lab_is_destroyed_when_the_last_object_is_gone_and_not_before", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        scene.world.cluster.set_stuck_objects(2);
        labs::destroy(services, &scene.teacher, id).await.expect("goes");
        for _ in 0..3 {
            scene.settle().await;
            scene.world.clock.advance(1);
        }
        assert_eq!((scene.lab(id).await.state, scene.reserved().await), (LabState::Destroying, 1));
        scene.world.cluster.set_stuck_objects(0);
        scene.settle().await;
        assert_eq!((scene.lab(id).await.state, scene.reserved().await), (LabState::Destroyed, 0));
    })
    .await;
}

#[tokio::test]
async fn cards_of_nodes_that_cannot_take_pods_do_not_count() {
    for_each_engine("cards_of_nodes_that_cannot_take_pods_do_not_count", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let operator = scene.world.operator("zhao").await;
        let status = cluster_status::get(services, &operator).await.expect("operators read it");
        assert_eq!((status.version.as_str(), status.nodes.len(), status.simulated), ("v1.33.0", 3, true));
        let whole = |status: &domain::cluster::ClusterStatus| {
            status.pools.iter().find(|pool| pool.card.id() == "a100-80g").map(|pool| (pool.total, pool.largest_node))
        };
        assert_eq!(whole(&status), Some((16, 8)));
        scene.world.cluster.set_nodes(&[("gpu-3", "a100-80g-1g.10gb", 14)]);
        watch::take(services, &[Change::Nodes]).await.expect("counts");
        assert_eq!(whole(&cluster_status::current(services).await.expect("a status")), Some((0, 0)));
        assert_eq!(cluster_status::get(services, &scene.teacher).await.expect_err("not theirs"), Error::Forbidden);
    })
    .await;
}

#[tokio::test]
async fn people_and_the_reconciler_at_once_leave_no_lab_and_no_card_behind() {
    for_each_engine("people_and_the_reconciler_at_once_leave_no_lab_and_no_card_behind", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let mut made = Vec::new();
        for _ in 0..8 {
            made.push(scene.pending().await);
        }
        for (number, id) in made.iter().enumerate() {
            let asked = async {
                if number % 2 == 0 { labs::stop(services, &scene.teacher, *id).await } else { labs::destroy(services, &scene.teacher, *id).await }
            };
            let (asked, worked) = futures::join!(asked, reconcile::due(services));
            asked.expect("is accepted whatever the cluster reports at the same time");
            worked.expect("works");
        }
        scene.settle().await;
        for (number, id) in made.into_iter().enumerate() {
            assert_eq!(scene.lab(id).await.state, if number % 2 == 0 { LabState::Stopped } else { LabState::Destroyed });
            assert!(services.cluster.observe(&scene.lab_order(id).await).await.expect("answers").pods == 0);
        }
        assert_eq!(scene.reserved().await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_somebody_changes_around_a_running_lab_is_restored() {
    for_each_engine("what_somebody_changes_around_a_running_lab_is_restored", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        let repairs = || scene.world.cluster.calls().iter().filter(|call| call.starts_with("repair ")).count();
        watch::resync(services).await.expect("work");
        scene.settle().await;
        assert_eq!(repairs(), 0, "nothing is asked of the cluster while nothing differs");
        scene.world.cluster.drift(id, "NetworkPolicy/lectern-default-deny");
        watch::take(services, &[Change::Lab(id)]).await.expect("work");
        scene.settle().await;
        watch::resync(services).await.expect("work");
        scene.settle().await;
        assert_eq!((repairs(), scene.lab(id).await.state), (1, LabState::Running));
        assert_eq!(scene.steps(id).await.len(), 3, "its life goes on as before");
    })
    .await;
}

#[tokio::test]
async fn a_lab_waits_in_the_queue_where_cards_are_free_and_processors_are_not() {
    for_each_engine("a_lab_waits_in_the_queue_where_cards_are_free_and_processors_are_not", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.world.cluster.load_others("gpu-3", 127_500, 8);
        watch::take(services, &[Change::Nodes]).await.expect("counts");
        let view = scene.order().await;
        assert_eq!((view.order.state, view.labs.len()), (OrderState::Queued, 0), "no lab waits on cards that it cannot use");
        let view = crate::orders::get(services, &scene.teacher, view.order.id).await.expect("reads");
        assert!(matches!(view.wait, Some(domain::capacity::WaitReason::NoMachine { .. })), "{:?}", view.wait);
        scene.world.cluster.load_others("gpu-3", 0, 0);
        watch::take(services, &[Change::Nodes]).await.expect("counts");
        crate::orders::promote(services).await.expect("the queue goes on");
        scene.settle().await;
        let view = crate::orders::get(services, &scene.teacher, view.order.id).await.expect("reads");
        assert_eq!(view.order.state, OrderState::Fulfilled);
    })
    .await;
}

#[tokio::test]
async fn a_lab_waits_in_the_queue_where_cards_are_free_and_pod_slots_are_not() {
    for_each_engine("a_lab_waits_in_the_queue_where_cards_are_free_and_pod_slots_are_not", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.world.cluster.set_pod_slots("gpu-3", 1);
        watch::take(services, &[Change::Nodes]).await.expect("counts");
        scene.running().await;
        let view = scene.order().await;
        assert_eq!((view.order.state, view.labs.len()), (OrderState::Queued, 0), "the node takes one pod, and the first lab has it");
        let view = crate::orders::get(services, &scene.teacher, view.order.id).await.expect("reads");
        assert!(matches!(view.wait, Some(domain::capacity::WaitReason::NoMachine { .. })), "{:?}", view.wait);
        let operator = scene.world.operator("zhao").await;
        let seen = crate::nodes::list(services, &operator).await.expect("operators read it");
        let node = seen.nodes.iter().find(|view| view.node.name == "gpu-3").expect("the node");
        assert_eq!((node.kinds[0].total, node.kinds[0].used, node.kinds[0].free), (14, 1, 0), "none of the others can be used");
        let crowded = |finding: &domain::nodes::Finding| {
            matches!(finding, domain::nodes::Finding::Crowded { node, cards: 13, pods: Some(0), .. } if node == "gpu-3")
        };
        assert!(seen.findings.iter().any(crowded), "{:?}", seen.findings);
        let pool = seen.pools.iter().find(|pool| pool.card.id() == "a100-80g-1g.10gb").expect("a pool");
        assert_eq!((pool.unreserved(), pool.free()), (13, 0));
        scene.world.cluster.set_pod_slots("gpu-3", 2);
        watch::take(services, &[Change::Nodes]).await.expect("counts");
        crate::orders::promote(services).await.expect("the queue goes on");
        scene.settle().await;
        let view = crate::orders::get(services, &scene.teacher, view.order.id).await.expect("reads");
        assert_eq!(view.order.state, OrderState::Fulfilled);
    })
    .await;
}

#[tokio::test]
async fn cards_behind_a_taint_are_not_free() {
    for_each_engine("cards_behind_a_taint_are_not_free", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.world.cluster.taint("gpu-3", "research=x:NoSchedule");
        watch::take(services, &[Change::Nodes]).await.expect("counts");
        let view = scene.order().await;
        assert_eq!(view.order.state, OrderState::Queued);
        let operator = scene.world.operator("zhao").await;
        let found = crate::nodes::list(services, &operator).await.expect("operators read it");
        let tainted =
            |finding: &domain::nodes::Finding| matches!(finding, domain::nodes::Finding::Tainted { node, cards: 14, .. } if node == "gpu-3");
        assert!(found.findings.iter().any(tainted), "{:?}", found.findings);
    })
    .await;
}

#[tokio::test]
async fn concurrent_reports_of_the_cluster_keep_each_others_fields() {
    for_each_engine("concurrent_reports_of_the_cluster_keep_each_others_fields", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let webhook = Obstacle::Webhook { name: "policy.example".into(), message: "connection refused".into() };
        let (one, two, three) = futures::join!(
            cluster_status::blocked(services, &Obstacle::Credentials),
            cluster_status::blocked(services, &webhook),
            cluster_status::away(services, "no route to host"),
        );
        assert_eq!((one, two, three), (Ok(()), Ok(()), Ok(())));
        let status = cluster_status::load(services).await.expect("a status");
        let met: BTreeSet<_> = status.obstacles.into_iter().map(|met| met.obstacle).collect();
        assert_eq!(met, [Obstacle::Credentials, webhook].into());
        assert!(status.away_since.is_some());
        assert_eq!(status.nodes.len(), 3, "what was known of the nodes stays");
    })
    .await;
}

#[tokio::test]
async fn a_lab_whose_workload_was_deleted_runs_on_until_it_has_a_new_one() {
    for_each_engine("a_lab_whose_workload_was_deleted_runs_on_until_it_has_a_new_one", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        scene.world.cluster.orphan_pods(id);
        watch::take(services, &[Change::Lab(id)]).await.expect("work");
        scene.settle().await;
        let seen = services.cluster.observe(&scene.lab_order(id).await).await.expect("answers");
        assert!(seen.objects.iter().any(|object| object.kind == "StatefulSet"), "{:?}", seen.objects);
        assert_eq!(scene.steps(id).await, ["pending order", "starting applied", "running ready"], "it was billed all the time");
        // A pod that is not ready is not billed, and gets its workload all the same.
        scene.world.cluster.lose_pod(id);
        scene.world.cluster.orphan_pods(id);
        watch::take(services, &[Change::Lab(id)]).await.expect("work");
        scene.settle().await;
        let seen = services.cluster.observe(&scene.lab_order(id).await).await.expect("answers");
        assert!(seen.objects.iter().any(|object| object.kind == "StatefulSet"), "{:?}", seen.objects);
        assert_eq!(scene.lab(id).await.state, LabState::Starting);
    })
    .await;
}

#[tokio::test]
async fn pods_that_fail_with_a_template_of_somebody_else_do_not_fail_the_lab() {
    for_each_engine("pods_that_fail_with_a_template_of_somebody_else_do_not_fail_the_lab", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        let name = scene.lab(id).await.name;
        scene.world.cluster.fail(id, "ImagePullBackOff", "docker.io/miner:latest");
        scene.world.cluster.drift(id, &format!("StatefulSet/{name}"));
        watch::take(services, &[Change::Lab(id)]).await.expect("work");
        scene.settle().await;
        assert!(scene.world.cluster.calls().contains(&format!("repair {name}")));
        assert_eq!(scene.lab(id).await.state, LabState::Running);
        // With its own template they fail for a reason of their own.
        scene.world.clock.advance(30);
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Failed);
    })
    .await;
}

/// Its policy stays in the namespace of labs that run.
#[tokio::test]
async fn what_somebody_changes_around_a_stopped_lab_is_restored() {
    for_each_engine("what_somebody_changes_around_a_stopped_lab_is_restored", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        crate::labs::stop(services, &scene.teacher, id).await.expect("is asked");
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Stopped);
        let name = scene.lab(id).await.name;
        scene.world.cluster.drift(id, &format!("NetworkPolicy/{name}"));
        watch::take(services, &[Change::Lab(id)]).await.expect("work");
        scene.settle().await;
        assert!(scene.world.cluster.calls().contains(&format!("repair {name}")));
        assert_eq!(scene.lab(id).await.state, LabState::Stopped);
    })
    .await;
}
