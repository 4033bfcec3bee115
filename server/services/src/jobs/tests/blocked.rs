//! Obstacles inside the cluster: they are shown, the work waits, and the cluster does not count as unreachable.

use domain::{
    Error,
    cluster::{OBSTACLE_SECONDS, Obstacle},
    labs::{ConditionStatus, LabState},
    nodes::Finding,
};
use storage::testing::for_each_engine;

use super::Scene;
use crate::{
    cluster_status,
    jobs::{step, watch},
    labs, nodes,
    ports::Change,
};

fn webhook() -> Obstacle {
    Obstacle::Webhook { name: "pods.example.com".into(), message: "connection refused".into() }
}

#[tokio::test]
async fn a_webhook_that_fails_is_shown_on_the_lab_and_does_not_make_the_cluster_away() {
    for_each_engine("a_webhook_that_fails_is_shown_on_the_lab_and_does_not_make_the_cluster_away", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.world.cluster.block(Some(webhook()));
        let id = scene.pending().await;
        scene.settle().await;
        assert_eq!(cluster_status::current(services).await.expect("a status").away_since, None);
        let detail = labs::get(services, &scene.teacher, id).await.expect("reads");
        assert_eq!(detail.view.lab.state, LabState::Pending);
        let condition = detail.observation.conditions.first().expect("a reason").clone();
        assert_eq!((condition.kind.as_str(), condition.status, condition.reason.as_str()), ("Accepted", ConditionStatus::False, "WebhookFailed"));
        let operator = scene.world.operator("zhao").await;
        let view = nodes::list(services, &operator).await.expect("operators read it");
        assert!(matches!(&view.findings[0], Finding::Webhook { name, .. } if name == "pods.example.com"), "{:?}", view.findings);

        scene.world.cluster.block(None);
        scene.world.clock.advance(30);
        scene.settle().await;
        let detail = labs::get(services, &scene.teacher, id).await.expect("reads");
        assert_eq!((detail.view.lab.state, detail.observation.conditions.len()), (LabState::Running, 0));
        scene.world.clock.advance(OBSTACLE_SECONDS);
        let view = nodes::list(services, &operator).await.expect("operators read it");
        assert_eq!(view.findings, [], "it was not met again");
    })
    .await;
}

#[tokio::test]
async fn a_right_to_reach_pods_is_a_finding_until_the_next_success() {
    for_each_engine("a_right_to_reach_pods_is_a_finding_until_the_next_success", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        let operator = scene.world.operator("zhao").await;
        let found = async || {
            let findings = nodes::list(services, &operator).await.expect("operators read it").findings;
            findings.into_iter().filter(|finding| matches!(finding, Finding::MissingRight { resource, .. } if resource == "pods/exec")).count()
        };
        scene.world.cluster.block(Some(Obstacle::MissingRight { verb: "create".into(), resource: "pods/exec".into() }));
        assert!(labs::ports(services, &scene.teacher, id).await.is_err());
        assert_eq!(found().await, 1);
        // Hours pass without another try.
        scene.world.clock.advance(4 * 3_600);
        assert_eq!(found().await, 1);
        scene.world.cluster.block(None);
        let mut programs = scene.world.cluster.host(id);
        let (listed, ()) = futures::join!(labs::ports(services, &scene.teacher, id), async {
            drop(programs.recv().await.expect("the program starts"));
        });
        listed.expect("it may again");
        assert_eq!(found().await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_missing_right_waits_and_only_operators_learn_which() {
    for_each_engine("a_missing_right_waits_and_only_operators_learn_which", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        scene.world.cluster.block(Some(Obstacle::MissingRight { verb: "list".into(), resource: "replicasets.apps".into() }));
        labs::destroy(services, &scene.teacher, id).await.expect("goes");
        scene.settle().await;
        let detail = labs::get(services, &scene.teacher, id).await.expect("reads");
        assert_eq!((detail.view.lab.state, &detail.view.lab.failure), (LabState::Destroying, &None));
        let condition = detail.observation.conditions.first().expect("a reason");
        assert_eq!((condition.reason.as_str(), condition.message.as_str()), ("PermissionMissing", ""));
        let operator = scene.world.operator("zhao").await;
        let view = nodes::list(services, &operator).await.expect("operators read it");
        let named =
            |finding: &Finding| matches!(finding, Finding::MissingRight { verb, resource, .. } if verb == "list" && resource == "replicasets.apps");
        assert!(view.findings.iter().any(named), "{:?}", view.findings);
        scene.world.cluster.block(None);
        scene.world.clock.advance(30);
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Destroyed);
    })
    .await;
}

#[tokio::test]
async fn a_watch_that_is_not_allowed_is_a_finding_too() {
    for_each_engine("a_watch_that_is_not_allowed_is_a_finding_too", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        watch::take(services, &[Change::Blocked(Obstacle::Credentials)]).await.expect("noted");
        let operator = scene.world.operator("zhao").await;
        let view = nodes::list(services, &operator).await.expect("operators read it");
        assert_eq!(view.findings, [Finding::Credentials { since: services.clock.now() }]);
        assert_eq!(view.away_since, None);
    })
    .await;
}

#[tokio::test]
async fn a_stop_that_is_refused_shows_the_reason() {
    for_each_engine("a_stop_that_is_refused_shows_the_reason", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        scene.world.cluster.refuse_stops(Some(("Forbidden", "admission webhook denied the request: exam week")));
        labs::stop(services, &scene.teacher, id).await.expect("is asked");
        scene.settle().await;
        let detail = labs::get(services, &scene.teacher, id).await.expect("reads");
        let condition = detail.observation.conditions.first().expect("a reason");
        assert_eq!((detail.view.lab.state, condition.reason.as_str()), (LabState::Stopping, "Forbidden"));
        assert!(condition.message.ends_with("exam week"), "{}", condition.message);
        scene.world.cluster.refuse_stops(None);
        scene.world.clock.advance(30);
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Stopped);
    })
    .await;
}

/// A step that observed the running lab just before the stop, and writes just after it.
#[tokio::test]
async fn an_observation_from_before_a_stop_does_not_replace_its_reason() {
    for_each_engine("an_observation_from_before_a_stop_does_not_replace_its_reason", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        let before = scene.lab(id).await;
        let seen = services.cluster.observe(&scene.lab_order(id).await).await.expect("answers");
        scene.world.cluster.refuse_stops(Some(("Forbidden", "exam week")));
        labs::stop(services, &scene.teacher, id).await.expect("is asked");
        scene.settle().await;
        assert_eq!(step::keep_observation(services, &before, &seen).await, Err(Error::Stale));
        let detail = labs::get(services, &scene.teacher, id).await.expect("reads");
        let condition = detail.observation.conditions.first().expect("a reason");
        assert_eq!((condition.kind.as_str(), condition.reason.as_str()), ("Accepted", "Forbidden"));
    })
    .await;
}

#[tokio::test]
async fn a_network_policy_of_somebody_else_is_a_finding_while_it_is_there() {
    for_each_engine("a_network_policy_of_somebody_else_is_a_finding_while_it_is_there", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let since = services.clock.now();
        let (namespace, name) = (scene.course.namespace.clone(), "open-all".to_owned());
        scene.world.cluster.see(&[Obstacle::ForeignPolicy { namespace: namespace.clone(), name: name.clone() }]);
        cluster_status::refresh(services).await.expect("noted");
        let operator = scene.world.operator("zhao").await;
        let view = nodes::list(services, &operator).await.expect("operators read it");
        assert_eq!(view.findings, [Finding::ForeignPolicy { namespace, name, since }]);
        scene.world.cluster.see(&[]);
        scene.world.clock.advance(OBSTACLE_SECONDS);
        cluster_status::refresh(services).await.expect("noted");
        let view = nodes::list(services, &operator).await.expect("operators read it");
        assert_eq!(view.findings, []);
    })
    .await;
}
