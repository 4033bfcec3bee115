//! Charges for the files of labs that are down: until they are destroyed, or should have been.

use domain::labs::{Extension, LabEvent, LabState};
use storage::testing::for_each_engine;

use super::{Scene, outage::DAY};
use crate::{jobs::watch, labs, orders};

#[tokio::test]
async fn files_are_charged_until_their_time_is_over_or_they_were_to_be_destroyed() {
    for_each_engine("files_are_charged_until_their_time_is_over", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        let begun = scene.now();
        labs::stop(services, &scene.teacher, id).await.expect("stops");
        scene.settle().await;
        let kept = scene.lab(id).await.lifecycle.kept_until.expect("it is down");
        scene.world.clock.advance(40 * DAY);
        assert_eq!(scene.charged(id).await.1, kept.seconds_since(begun));
        labs::warn_kept(services).await.expect("warns");
        scene.world.clock.advance(DAY);
        assert_eq!(scene.charged(id).await.1, kept.seconds_since(begun), "the day of warning after an outage is free");
        assert_eq!(labs::destroy_kept(services).await, Ok(1));
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Destroyed);
        assert_eq!(scene.charged(id).await.1, kept.seconds_since(begun));

        let id = scene.running().await;
        scene.world.cluster.set_stuck_objects(2);
        scene.world.clock.advance(600);
        labs::destroy(services, &scene.teacher, id).await.expect("goes");
        scene.world.clock.advance(3 * DAY);
        scene.world.cluster.set_stuck_objects(0);
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Destroyed);
        assert_eq!(scene.charged(id).await, (600, 600), "how long the cluster takes is nobody's usage");
    })
    .await;
}

#[tokio::test]
async fn files_that_an_outage_kept_longer_are_charged_as_promised() {
    for_each_engine("files_that_an_outage_kept_longer_are_charged_as_promised", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let keep_minutes = services.settings.keep_stopped_days * 24 * 60;
        let id = scene.running().await;
        let (begun, ends) = (scene.now(), scene.lab(id).await.ends_at.expect("it runs"));
        scene.outage(8 * DAY);
        labs::stop_ended(services).await.expect("stops");
        scene.settle().await;
        let life = scene.lab(id).await.lifecycle;
        assert_eq!(life.kept_until, Some(scene.now().plus_minutes(keep_minutes)), "its owner has all the time to fetch them");
        let promised = ends.plus_minutes(keep_minutes);
        assert_eq!(life.grace_from, Some(promised));
        scene.world.clock.advance(10 * DAY);
        assert_eq!(scene.charged(id).await.1, promised.seconds_since(begun), "what the outage adds is free");
        labs::extend(services, &scene.teacher, id, Extension::Minutes(30), None).await.expect("more time");
        assert_eq!(scene.lab(id).await.lifecycle.grace_from, None);
        scene.world.clock.advance(3_600);
        assert_eq!(scene.charged(id).await.1, promised.seconds_since(begun) + 3_600, "who wants it again pays from then on");
    })
    .await;
}

#[tokio::test]
async fn files_of_a_lesson_are_charged_for_the_lesson() {
    for_each_engine("files_of_a_lesson_are_charged_for_the_lesson", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let order = scene.lesson().await;
        let (starts, ends) = (order.starts_at.expect("a lesson"), order.ends_at().expect("a lesson"));
        scene.world.clock.set(starts);
        orders::promote(services).await.expect("promotes");
        scene.settle().await;
        let id = orders::get(services, &scene.teacher, order.id).await.expect("reads").labs[0];
        let begun = scene.step(id, LabEvent::Applied).await.at;
        let lesson = ends.seconds_since(begun);
        scene.world.clock.set(ends.plus_seconds(1));
        labs::stop_ended(services).await.expect("stops");
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Stopped);
        scene.world.clock.advance(10 * DAY);
        assert_eq!(scene.charged(id).await.1, lesson, "ten days later its files are there, without charge");
        assert!(scene.world.cluster.holds(id), "files outlive the lesson");

        labs::keep(services, &scene.teacher, id).await.expect("kept");
        scene.world.clock.advance(3_600);
        assert_eq!(scene.charged(id).await.1, lesson + 3_600, "who wants them kept pays from then on");
        labs::extend(services, &scene.teacher, id, Extension::Minutes(30), None).await.expect("more time");
        labs::start(services, &scene.teacher, id).await.expect("starts again");
        scene.settle().await;
        scene.outage(DAY);
        labs::stop_ended(services).await.expect("stops");
        scene.settle().await;
        assert_eq!(scene.charged(id).await.1, lesson + 3_600 + 30 * 60, "until its new end");
    })
    .await;
}

#[tokio::test]
async fn a_lab_that_never_ran_is_not_charged_for_its_volume() {
    for_each_engine("a_lab_that_never_ran_is_not_charged_for_its_volume", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.world.cluster.hold_pods();
        let single = scene.pending().await;
        let order = scene.lesson().await;
        scene.settle().await;
        scene.world.cluster.fail(single, "ErrImagePull", "no such image");
        watch::resync(services).await.expect("looks");
        scene.settle().await;
        scene.world.clock.set(order.starts_at.expect("a lesson"));
        orders::promote(services).await.expect("promotes");
        scene.settle().await;
        let seat = orders::get(services, &scene.teacher, order.id).await.expect("reads").labs[0];
        scene.world.cluster.fail(seat, "ErrImagePull", "no such image");
        watch::resync(services).await.expect("looks");
        scene.settle().await;
        scene.world.clock.advance(10 * DAY);
        for id in [single, seat] {
            assert_eq!(scene.lab(id).await.state, LabState::Failed);
            assert_eq!(scene.charged(id).await, (0, 0));
        }
        // Once it runs, its volume is charged from then on.
        labs::retry(services, &scene.teacher, single).await.expect("tries again");
        scene.settle().await;
        scene.world.cluster.make_ready(single);
        watch::resync(services).await.expect("looks");
        scene.settle().await;
        scene.world.clock.advance(600);
        assert_eq!(scene.charged(single).await, (600, 600));
    })
    .await;
}
