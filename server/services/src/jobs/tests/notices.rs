//! Notices about labs: each is given once, and labs that were ordered together get one notice for all.

use domain::{
    ids::LabId,
    labs::LabState,
    nodes::Finding,
    notifications::Notice,
    orders::{ClassForm, OrderForm},
};
use storage::testing::for_each_engine;

use super::{
    Scene,
    fixtures::{input, with_cards},
};
use crate::{jobs::watch, labs, nodes, orders};

async fn notices(scene: &Scene) -> Vec<Notice> {
    let mut read = scene.world.services.db.read().await.expect("a connection");
    let latest = storage::notifications::latest(&mut read, scene.teacher.actor.user, 100).await.expect("read");
    latest.into_iter().rev().map(|each| each.notice).collect()
}

/// Labs of a class with this many seats, starting now and approved by the policy; their pods are not ready yet.
async fn seats(scene: &Scene, seats: &str) -> Vec<LabId> {
    scene.world.cluster.hold_pods();
    let form = OrderForm {
        offering: "jupyterlab-slice".into(),
        course: scene.course.code.clone(),
        duration_minutes: "90".into(),
        class: ClassForm { seats: seats.into(), ..ClassForm::default() },
        ..OrderForm::default()
    };
    let key = orders::IdempotencyKey::parse("class").expect("a key");
    let first = orders::submit(&scene.world.services, &scene.teacher, &form, &key).await.expect("an order");
    let class = first.order.class.expect("a class");
    if first.labs.is_empty() {
        let manager = scene.world.manager("zhou").await;
        orders::approve_class(&scene.world.services, &manager, class.id).await.expect("approved");
    }
    let sql = "SELECT l.id FROM labs l JOIN orders o ON o.id = l.order_id WHERE o.class_id IS NOT NULL ORDER BY o.number";
    let labs = storage::testing::texts(&scene.world.services.db, sql).await;
    labs.iter().map(|id| id.parse().expect("an id")).collect()
}

/// Advances the clock and does all work until the portal has observed the lab's pod.
async fn turn(scene: &Scene) {
    for _ in 0..4 {
        watch::resync(&scene.world.services).await.expect("looked at");
        scene.settle().await;
        scene.world.clock.advance(3);
    }
}

#[tokio::test]
async fn a_lab_that_is_ready_in_another_size_is_no_first_start() {
    for_each_engine("a_lab_that_is_ready_in_another_size_is_no_first_start", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.one_node(8).await;
        let id = with_cards(&scene, &scene.teacher, 1).await;
        let ready = async || notices(&scene).await.into_iter().filter(|notice| matches!(notice, Notice::LabReady { .. })).collect::<Vec<_>>();
        let name = scene.lab(id).await.name;
        assert_eq!(ready().await, [Notice::LabReady { lab: id, name: name.clone(), generation: 0, resized: false }]);
        let manager = scene.world.manager("zhang").await;
        labs::resize(services, &manager, id, &input(&[("cards", "2")]), "").await.expect("grows");
        scene.settle_restart().await;
        let resized = Notice::LabReady { lab: id, name, generation: 1, resized: true };
        assert_eq!(ready().await.last(), Some(&resized));
        // A pod that disappears and comes back is no other size, and no other notice.
        scene.world.cluster.lose_pod(id);
        turn(&scene).await;
        scene.world.cluster.make_ready(id);
        turn(&scene).await;
        assert_eq!(ready().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_owner_is_told_once_that_a_lab_is_ready() {
    for_each_engine("an_owner_is_told_once_that_a_lab_is_ready", |database| async {
        let scene = Scene::on(database).await;
        let ready = async || notices(&scene).await.into_iter().filter(|notice| matches!(notice, Notice::LabReady { .. })).collect::<Vec<_>>();
        let id = scene.running().await;
        let name = scene.lab(id).await.name;
        assert_eq!(ready().await, [Notice::LabReady { lab: id, name: name.clone(), generation: 0, resized: false }]);
        // A pod that disappears and comes back gives no new notice.
        scene.world.cluster.lose_pod(id);
        turn(&scene).await;
        scene.world.cluster.make_ready(id);
        turn(&scene).await;
        assert_eq!(ready().await.len(), 1);
        labs::restart(&scene.world.services, &scene.teacher, id, None).await.expect("restarts");
        turn(&scene).await;
        assert_eq!(ready().await.last(), Some(&Notice::LabReady { lab: id, name, generation: 1, resized: false }));
    })
    .await;
}

#[tokio::test]
async fn a_class_is_told_of_once_and_not_for_each_seat() {
    for_each_engine("a_class_is_told_of_once_and_not_for_each_seat", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let seats = seats(&scene, "5").await;
        assert_eq!(seats.len(), 5);
        turn(&scene).await;
        let of = async |wanted: fn(&Notice) -> bool| notices(&scene).await.iter().filter(|notice| wanted(notice)).count();
        let ready: fn(&Notice) -> bool = |notice| matches!(notice, Notice::ClassReady { lesson: 1, .. } | Notice::LabReady { .. });
        let ends: fn(&Notice) -> bool = |notice| matches!(notice, Notice::ClassEndsSoon { .. } | Notice::LabEndsSoon { .. });
        let failed: fn(&Notice) -> bool = |notice| matches!(notice, Notice::ClassFailed { .. } | Notice::LabFailed { .. });
        // Each becomes ready some seconds after the previous one.
        for seat in &seats[..3] {
            scene.world.cluster.make_ready(*seat);
            turn(&scene).await;
        }
        assert_eq!(of(ready).await, 0, "two are still to start");
        for seat in &seats[3..] {
            scene.world.cluster.fail(*seat, "ImagePullBackOff", "no such image");
            turn(&scene).await;
        }
        assert_eq!((of(ready).await, of(failed).await), (1, 1));
        let ends_at = scene.lab(seats[0]).await.ends_at.expect("it runs");
        assert_ne!(scene.lab(seats[2]).await.ends_at, Some(ends_at));
        scene.world.clock.set(ends_at.plus_minutes(-14));
        assert_eq!(labs::warn_ending(services).await, Ok(3));
        assert_eq!(of(ends).await, 1);
        scene.world.clock.set(ends_at.plus_minutes(-4));
        assert_eq!(labs::warn_ending(services).await, Ok(3));
        assert_eq!(of(ends).await, 2, "fifteen and five minutes before");
    })
    .await;
}

#[tokio::test]
async fn an_owner_is_told_once_that_a_start_is_late() {
    for_each_engine("an_owner_is_told_once_that_a_start_is_late", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        // The usual times are those of these starts.
        for _ in 0..3 {
            scene.running().await;
        }
        scene.world.cluster.hold_pods();
        let id = scene.pending().await;
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Starting);
        scene.world.clock.advance(60);
        assert_eq!(labs::warn_late(services).await, Ok(0));
        scene.world.clock.advance(1);
        let replica = scene.world.replica();
        let (one, two) = futures::join!(labs::warn_late(services), labs::warn_late(&replica));
        assert_eq!(one.expect("told") + two.expect("told"), 1);
        scene.world.clock.advance(3_600);
        assert_eq!(labs::warn_late(services).await, Ok(0), "never again for this start");
        let late = async || notices(&scene).await.into_iter().filter(|notice| matches!(notice, Notice::LabLate { .. })).count();
        assert_eq!(late().await, 1);

        scene.world.cluster.make_ready(id);
        turn(&scene).await;
        assert_eq!(scene.lab(id).await.state, LabState::Running);
        labs::restart(services, &scene.teacher, id, None).await.expect("restarts");
        scene.settle().await;
        scene.world.clock.advance(61);
        assert_eq!((labs::warn_late(services).await, labs::warn_late(services).await), (Ok(1), Ok(0)));
        assert_eq!(late().await, 2, "another start");
    })
    .await;
}

#[tokio::test]
async fn late_starts_of_a_class_are_one_notice_and_a_finding_for_operators() {
    for_each_engine("late_starts_of_a_class_are_one_notice_and_a_finding_for_operators", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.running().await;
        let seats = seats(&scene, "3").await;
        scene.settle().await;
        assert_eq!(scene.lab(seats[2]).await.state, LabState::Starting);
        let operator = scene.world.operator("ops").await;
        let found = async || {
            let findings = nodes::list(services, &operator).await.expect("they may").findings;
            findings
                .into_iter()
                .filter(|finding| matches!(finding, Finding::LateOnNode { labs: 3, .. } | Finding::LateOfOffering { labs: 3, .. }))
                .count()
        };
        assert_eq!(found().await, 0);
        scene.world.clock.advance(90);
        assert_eq!(labs::warn_late(services).await, Ok(3));
        let late = notices(&scene).await.into_iter().filter(|notice| matches!(notice, Notice::LabLate { .. } | Notice::ClassLate { .. })).count();
        assert_eq!((late, found().await), (1, 1));
        for seat in seats {
            scene.world.cluster.make_ready(seat);
        }
        turn(&scene).await;
        assert_eq!(found().await, 0, "they are ready");
    })
    .await;
}
