//! What the clock does to labs: warnings, the daily stop, and what becomes of those that are down.

use domain::{
    labs::{Autostop, LabState},
    notifications::Notice,
};
use storage::testing::for_each_engine;

use super::Scene;
use crate::{labs, ports::Clock as _};

/// Minutes of the warnings that the teacher was given, oldest first.
async fn warned(scene: &Scene, id: domain::ids::LabId) -> Vec<String> {
    let mut read = scene.world.services.db.read().await.expect("a connection");
    storage::labs::warned(&mut read, id).await.expect("read").into_iter().map(|(kind, _)| kind).collect()
}

async fn notices(scene: &Scene) -> Vec<Notice> {
    let mut read = scene.world.services.db.read().await.expect("a connection");
    let user = scene.teacher.actor.user;
    let latest = storage::notifications::latest(&mut read, user, 100).await.expect("read");
    // Notices that a lab is ready have tests of their own.
    latest.into_iter().rev().map(|each| each.notice).filter(|notice| !matches!(notice, Notice::LabReady { .. })).collect()
}

#[tokio::test]
async fn each_warning_is_given_once_whatever_is_restarted_and_again_for_another_end() {
    for_each_engine("each_warning_is_given_once_whatever_is_restarted_and_again_for_another_end", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let replica = scene.world.replica();
        let id = scene.running().await;
        scene.world.clock.advance(74 * 60);
        assert_eq!(labs::warn_ending(services).await, Ok(0));
        scene.world.clock.advance(61);
        let (one, two) = futures::join!(labs::warn_ending(services), labs::warn_ending(&replica));
        assert_eq!(one.expect("warns") + two.expect("warns"), 1);
        labs::restart(services, &scene.teacher, id, None).await.expect("restarts");
        scene.settle().await;
        scene.world.clock.advance(5);
        scene.settle().await;
        assert_eq!(labs::warn_ending(services).await, Ok(0));
        scene.world.clock.advance(10 * 60);
        assert_eq!((labs::warn_ending(services).await, labs::warn_ending(services).await), (Ok(1), Ok(0)));
        assert_eq!(warned(&scene, id).await, ["ends_15", "ends_5"]);
        labs::extend(services, &scene.teacher, id, domain::labs::Extension::Minutes(30), None).await.expect("more time");
        assert_eq!(labs::warn_ending(services).await, Ok(0));
        // Both are due after a time without the job: the urgent one is given and the other is not.
        scene.world.clock.advance(31 * 60);
        assert_eq!((labs::warn_ending(services).await, labs::warn_ending(services).await), (Ok(1), Ok(0)));
        assert_eq!(notices(&scene).await.len(), 3);
        scene.world.clock.advance(5 * 60);
        assert_eq!(labs::stop_ended(services).await, Ok(1));
        assert_eq!(labs::warn_ending(services).await, Ok(0));
    })
    .await;
}

#[tokio::test]
async fn the_daily_stop_comes_every_day_and_the_lab_can_be_started_again() {
    for_each_engine("the_daily_stop_comes_every_day_and_the_lab_can_be_started_again", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        let soon = scene.world.clock.now().plus_minutes(20).on_campus().time().parse().expect("a time of day");
        let wanted = Autostop { daily: Some(soon), idle_minutes: None };
        for _ in 0..2 {
            let view = labs::set_autostop(services, &scene.teacher, id, wanted).await.expect("set");
            assert_eq!(view.lab.lifecycle.daily_stop_at, Some(soon.next_after(scene.world.clock.now())));
        }
        scene.world.clock.advance(10 * 60);
        assert_eq!((labs::warn_ending(services).await, labs::stop_daily(services).await), (Ok(1), Ok(0)));
        scene.world.clock.advance(10 * 60);
        assert_eq!((labs::stop_daily(services).await, labs::stop_daily(services).await), (Ok(1), Ok(0)));
        scene.settle().await;
        let lab = scene.lab(id).await;
        assert_eq!((lab.state, lab.lifecycle.daily_stop_at), (LabState::Stopped, None));
        labs::start(services, &scene.teacher, id).await.expect("starts again");
        let next = scene.lab(id).await.lifecycle.daily_stop_at.expect("tomorrow");
        assert!(next.seconds_since(scene.world.clock.now()) > 23 * 3_600);
        // A stop of today that is in the way is put off by asking for the lab until later.
        scene.settle().await;
        let in_hour = scene.world.clock.now().plus_minutes(60);
        let early = scene.world.clock.now().plus_minutes(30).on_campus().time().parse().expect("a time of day");
        labs::set_autostop(services, &scene.teacher, id, Autostop { daily: Some(early), idle_minutes: None }).await.expect("set");
        let minutes = scene.lab(id).await.minutes;
        for _ in 0..2 {
            labs::extend(services, &scene.teacher, id, domain::labs::Extension::Until(in_hour), None).await.ok();
        }
        let later = scene.lab(id).await;
        assert_eq!(later.minutes, minutes, "the time was its own already");
        assert!(later.lifecycle.daily_stop_at > Some(in_hour));
        let manager = scene.world.manager("zhang").await;
        labs::set_autostop(services, &manager, id, wanted).await.expect_err("the owner's choice");
    })
    .await;
}

#[tokio::test]
async fn a_lab_that_is_down_is_destroyed_after_a_warning_a_day_before_unless_it_is_kept() {
    for_each_engine("a_lab_that_is_down_is_destroyed_after_a_warning_a_day_before_unless_it_is_kept", |database| async {
        const DAY: i64 = 24 * 3_600;
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        labs::stop(services, &scene.teacher, id).await.expect("stops");
        scene.settle().await;
        let round = async || (labs::warn_kept(services).await.expect("warns"), labs::destroy_kept(services).await.expect("destroys"));
        scene.world.clock.advance(12 * DAY);
        assert_eq!(round().await, (0, 0));
        scene.world.clock.advance(DAY + 60);
        assert_eq!((round().await, round().await), ((1, 0), (0, 0)));
        let before = scene.lab(id).await.lifecycle.kept_until;
        let kept = labs::keep(services, &scene.teacher, id).await.expect("kept").lab;
        assert!(kept.lifecycle.kept_until > before);
        assert_eq!(labs::keep(services, &scene.teacher, id).await.expect("a second click").lab.version, kept.version);
        scene.world.clock.advance(DAY);
        assert_eq!(round().await, (0, 0), "the old end is past and nothing happens");

        // The job was away for weeks: there is a day all the same.
        scene.world.clock.advance(30 * DAY);
        assert_eq!(round().await, (1, 0));
        scene.world.clock.advance(DAY - 60);
        assert_eq!(round().await, (0, 0));
        scene.world.clock.advance(120);
        assert_eq!((round().await, round().await), ((0, 1), (0, 0)));
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Destroyed);
        assert!(!scene.world.cluster.holds(id));
        assert!(matches!(notices(&scene).await.as_slice(), [Notice::LabGoesSoon { .. }, Notice::LabGoesSoon { .. }]));
    })
    .await;
}

#[tokio::test]
async fn a_lab_that_is_started_again_is_not_destroyed() {
    for_each_engine("a_lab_that_is_started_again_is_not_destroyed", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        labs::stop(services, &scene.teacher, id).await.expect("stops");
        scene.settle().await;
        labs::start(services, &scene.teacher, id).await.expect("starts");
        scene.settle().await;
        assert_eq!(scene.lab(id).await.lifecycle.kept_until, None);
        scene.world.clock.advance(60 * 24 * 3_600);
        assert_eq!((labs::warn_kept(services).await, labs::destroy_kept(services).await), (Ok(0), Ok(0)));
    })
    .await;
}
