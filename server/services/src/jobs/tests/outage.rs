//! The portal is down for a time, and afterwards learns what the cluster did: usage counts by when things happened, not by when they were
//! noticed.

use domain::{
    labs::{Autostop, Extension, LabEvent, LabState, StateChange},
    orders::{ClassForm, Order, OrderForm, OrderState},
    pricing::Meter,
    steady_clock::SteadyClock,
    time::Timestamp,
};
use storage::testing::for_each_engine;

use super::Scene;
use crate::{
    clock, dashboard, figures,
    jobs::{metering, watch},
    labs, orders,
    ports::Clock as _,
    testing::recount,
};

pub(super) const DAY: i64 = 24 * 3_600;
const MINUTES: i64 = 90;

impl Scene {
    /// Seconds that are charged for the lab's cards and for its volume.
    pub(super) async fn charged(&self, id: domain::ids::LabId) -> (i64, i64) {
        metering::run(&self.world.services).await.expect("meters");
        let wrong = recount::recount(&self.world.services).await;
        assert!(wrong.is_empty(), "charges differ from the recount: {wrong:?}");
        let mut read = self.world.services.db.read().await.expect("a connection");
        let lines = storage::usage::of_lab(&mut read, id).await.expect("read");
        let seconds = |counts: fn(Meter) -> bool| lines.iter().filter(|line| counts(line.meter)).map(|line| line.seconds).sum();
        (seconds(|meter| matches!(meter, Meter::CardHour(_))), seconds(|meter| meter == Meter::StorageGibMonth))
    }

    /// The last state change of the lab with this event.
    pub(super) async fn step(&self, id: domain::ids::LabId, event: LabEvent) -> StateChange {
        let mut read = self.world.services.db.read().await.expect("a connection");
        let history = storage::labs::history(&mut read, id).await.expect("read");
        history.into_iter().rfind(|change| change.cause == event.as_str()).expect("it happened")
    }

    /// The order for the first seat of a lesson tomorrow, approved.
    pub(super) async fn lesson(&self) -> Order {
        let services = &self.world.services;
        let day = self.now().end_of_campus_day().on_campus().date();
        let class = ClassForm { seats: "2".into(), first_day: day, bell: "08:20".into(), weeks: "1".into(), ..ClassForm::default() };
        let form = OrderForm {
            offering: "jupyterlab-slice".into(),
            course: self.course.code.clone(),
            duration_minutes: "90".into(),
            class,
            ..OrderForm::default()
        };
        let key = orders::IdempotencyKey::parse(&services.entropy.uuid().to_string()).expect("a key");
        let order = orders::submit(services, &self.teacher, &form, &key).await.expect("an order").order;
        if order.state == OrderState::PendingApproval {
            let manager = self.world.manager("zhang").await;
            orders::approve_class(services, &manager, order.class.as_ref().expect("a class").id).await.expect("approved");
        }
        order
    }

    pub(super) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// Advances the time without the portal; the cluster still ends pods by itself.
    pub(super) fn outage(&self, seconds: i64) {
        self.world.clock.advance(seconds);
        self.world.cluster.pass_to(self.now());
    }
}

#[tokio::test]
async fn an_outage_of_eight_days_is_charged_to_nobody() {
    for_each_engine("an_outage_of_eight_days_is_charged_to_nobody", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        // The result does not depend on which job runs first after the outage.
        for first in ["meter", "stop", "reconcile"] {
            let id = scene.running().await;
            let ends = scene.lab(id).await.ends_at.expect("it runs");
            assert_eq!(scene.world.cluster.end_of(id), Some(ends), "the cluster knows the end");
            scene.outage(8 * DAY);
            match first {
                "meter" => assert_eq!(scene.charged(id).await.0, MINUTES * 60),
                "stop" => assert_eq!(labs::stop_ended(services).await, Ok(1)),
                _ => drop(watch::resync(services).await.expect("looks")),
            }
            scene.settle().await;
            labs::stop_ended(services).await.expect("stops");
            scene.settle().await;
            assert_eq!(scene.lab(id).await.state, LabState::Stopped, "{first}");
            assert_eq!(scene.charged(id).await.0, MINUTES * 60, "{first}");
            let stop = scene.step(id, LabEvent::Stop).await;
            assert_eq!((stop.at, stop.noticed_at, stop.ran_until), (ends, Some(scene.now()), None), "{first}: the cluster ended it in time");
        }
        assert_eq!(scene.world.cluster.calls().iter().filter(|call| call.starts_with("start")).count(), 3, "none was started again");
        assert_eq!(figures::read(services).await.expect("read").overrun_seconds, 0);
    })
    .await;
}

#[tokio::test]
async fn a_lab_of_half_an_hour_costs_no_more_than_its_estimate_after_an_outage_of_eight_days() {
    for_each_engine("a_lab_of_half_an_hour_costs_no_more_than_its_estimate", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let form = OrderForm {
            offering: "jupyterlab-slice".into(),
            course: scene.course.code.clone(),
            duration_minutes: "30".into(),
            ..OrderForm::default()
        };
        let key = orders::IdempotencyKey::parse(&services.entropy.uuid().to_string()).expect("a key");
        let view = orders::submit(services, &scene.teacher, &form, &key).await.expect("an order");
        let (id, estimate) = (view.labs[0], view.order.estimate.total);
        assert!(estimate.to_string().ends_with("0.58"), "{estimate}");
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Running);
        scene.outage(8 * DAY);
        labs::stop_ended(services).await.expect("stops");
        scene.settle().await;
        assert_eq!(scene.charged(id).await.0, 30 * 60);
        let mut read = services.db.read().await.expect("a connection");
        let lines = storage::usage::of_lab(&mut read, id).await.expect("read");
        let running = lines.iter().filter(|line| line.meter != Meter::StorageGibMonth);
        let charged: i64 = running.map(|line| line.amount.micros).sum();
        assert!((1..=estimate.micros).contains(&charged), "{charged} micros of {estimate}");
    })
    .await;
}

#[tokio::test]
async fn pods_that_ran_beyond_their_time_are_shown_to_operators_and_charged_to_nobody() {
    for_each_engine("pods_that_ran_beyond_their_time_are_shown_to_operators", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        let ends = scene.lab(id).await.ends_at.expect("it runs");
        // Neither the portal nor the cluster ends the pods.
        scene.world.clock.advance(8 * DAY);
        labs::stop_ended(services).await.expect("stops");
        scene.settle().await;
        assert_eq!(scene.charged(id).await.0, MINUTES * 60);
        let stop = scene.step(id, LabEvent::Stop).await;
        assert_eq!((stop.at, stop.ran_until), (ends, Some(scene.now())));
        let beyond = scene.now().seconds_since(ends);
        assert_eq!(figures::read(services).await.expect("read").overrun_seconds, beyond);
        let operator = scene.world.operator("ops").await;
        let shown = dashboard::get(services, &operator).await.expect("reads").operating.expect("an operator").overruns;
        assert_eq!((shown.labs, shown.seconds), (1, beyond));
        let detail = labs::get(services, &scene.teacher, id).await.expect("reads");
        assert!(detail.history.iter().any(|change| change.ran_until.is_some()), "and on the lab's own page");
    })
    .await;
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_asked_for_one_of_the_labs_that_are_over() {
    for_each_engine("a_cluster_that_does_not_answer_is_asked_for_one_of_the_labs_that_are_over", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let over = [scene.running().await, scene.running().await];
        scene.world.clock.advance(8 * DAY);
        scene.world.cluster.go_away();
        let asked = || scene.world.cluster.calls().iter().filter(|call| call.starts_with("observe")).count();
        let before = asked();
        assert_eq!(labs::stop_ended(services).await, Ok(2));
        assert_eq!(asked() - before, 1);
        for id in over {
            assert_eq!(scene.charged(id).await.0, MINUTES * 60);
        }
    })
    .await;
}

#[tokio::test]
async fn the_cluster_knows_the_end_and_an_extension_moves_it() {
    for_each_engine("the_cluster_knows_the_end_and_an_extension_moves_it", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        let ends = scene.lab(id).await.ends_at.expect("it runs");
        labs::extend(services, &scene.teacher, id, Extension::Minutes(30), None).await.expect("more time");
        scene.settle().await;
        assert_eq!(scene.world.cluster.end_of(id), Some(ends.plus_minutes(30)));
        scene.world.cluster.pass_to(ends.plus_seconds(1));
        watch::resync(services).await.expect("looks");
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Running, "the old end is past");
        let soon = scene.now().plus_minutes(20).on_campus().time().parse().expect("a time of day");
        let daily = Autostop { daily: Some(soon), idle_minutes: None };
        labs::set_autostop(services, &scene.teacher, id, daily).await.expect("set");
        scene.settle().await;
        assert_eq!(scene.world.cluster.end_of(id), scene.lab(id).await.lifecycle.daily_stop_at, "the daily stop is an end too");
    })
    .await;
}

#[tokio::test]
async fn pods_that_ended_before_their_time_are_charged_until_then() {
    for_each_engine("pods_that_ended_before_their_time_are_charged_until_then", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        for looks_first in [true, false] {
            let id = scene.running().await;
            let died = scene.now().plus_minutes(10);
            scene.world.clock.advance(8 * DAY);
            scene.world.cluster.fail(id, "Evicted", "the node was low on memory");
            scene.world.cluster.ended_at(id, died);
            if looks_first {
                watch::resync(services).await.expect("looks");
                scene.settle().await;
                assert_eq!(scene.lab(id).await.state, LabState::Failed, "it failed before its time was over, and says so");
            }
            labs::stop_ended(services).await.expect("stops");
            scene.settle().await;
            assert_eq!(scene.charged(id).await.0, 10 * 60);
        }
        let id = scene.running().await;
        scene.world.clock.advance(DAY);
        scene.world.cluster.finish(id);
        scene.world.cluster.ended_at(id, scene.lab(id).await.first_running_at.expect("it ran").plus_minutes(5));
        watch::resync(services).await.expect("looks");
        scene.settle().await;
        assert_eq!(scene.charged(id).await.0, 5 * 60, "a job that ended well");
    })
    .await;
}

#[tokio::test]
async fn a_lab_that_came_up_during_an_outage_runs_from_when_its_pods_were_ready() {
    for_each_engine("a_lab_that_came_up_during_an_outage_runs_from_when_its_pods_were_ready", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.world.cluster.hold_pods();
        let id = scene.pending().await;
        scene.settle().await;
        let ready = scene.now().plus_minutes(3);
        scene.world.clock.advance(43 * 60);
        scene.world.cluster.make_ready_since(id, ready);
        watch::resync(services).await.expect("looks");
        scene.settle().await;
        let lab = scene.lab(id).await;
        assert_eq!((lab.first_running_at, lab.ends_at), (Some(ready), Some(ready.plus_minutes(MINUTES))));
        assert_eq!(scene.charged(id).await.0, 40 * 60);
        let step = scene.step(id, LabEvent::Ready).await;
        assert_eq!((step.at, step.noticed_at), (ready, Some(scene.now())));
        scene.outage(DAY);
        labs::stop_ended(services).await.expect("stops");
        assert_eq!(scene.charged(id).await.0, MINUTES * 60);
    })
    .await;
}

#[tokio::test]
async fn clocks_that_differ_never_make_time_run_backwards() {
    for_each_engine("clocks_that_differ_never_make_time_run_backwards", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.world.cluster.hold_pods();
        let id = scene.pending().await;
        scene.settle().await;
        let applied = scene.step(id, LabEvent::Applied).await.at;
        scene.world.clock.advance(60);
        // The cluster's clock is an hour slow.
        scene.world.cluster.make_ready_since(id, scene.now().plus_minutes(-60));
        watch::resync(services).await.expect("looks");
        scene.settle().await;
        assert_eq!(scene.step(id, LabEvent::Ready).await.at, applied);
        scene.world.clock.advance(60);
        scene.world.cluster.lose_pod(id);
        // The cluster's clock is an hour fast.
        scene.world.cluster.ended_at(id, scene.now().plus_minutes(60));
        watch::resync(services).await.expect("looks");
        scene.settle().await;
        assert_eq!(scene.step(id, LabEvent::Lost).await.at, scene.now());
        assert_eq!(scene.charged(id).await.0, 120);
    })
    .await;
}

#[tokio::test]
async fn a_daily_stop_that_the_portal_missed_is_the_end_all_the_same() {
    for_each_engine("a_daily_stop_that_the_portal_missed_is_the_end_all_the_same", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        for changes_it in [false, true] {
            let id = scene.running().await;
            let soon = scene.now().plus_minutes(20).on_campus().time().parse().expect("a time of day");
            labs::set_autostop(services, &scene.teacher, id, Autostop { daily: Some(soon), idle_minutes: None }).await.expect("set");
            let ends = scene.lab(id).await.lifecycle.daily_stop_at.expect("today");
            let runs = ends.seconds_since(scene.lab(id).await.first_running_at.expect("it runs"));
            scene.world.clock.advance(40 * 60);
            if changes_it {
                labs::set_autostop(services, &scene.teacher, id, Autostop::default()).await.expect("too late for today");
            } else {
                assert_eq!(labs::stop_daily(services).await, Ok(1));
            }
            assert_eq!(scene.charged(id).await.0, runs, "{changes_it}");
            scene.settle().await;
            assert_eq!(scene.lab(id).await.state, LabState::Stopped);
            assert_eq!(scene.charged(id).await.0, runs, "{changes_it}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_extension_after_an_outage_charges_the_new_time_alone() {
    for_each_engine("an_extension_after_an_outage_charges_the_new_time_alone", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        scene.world.clock.advance(8 * DAY);
        labs::resize(services, &scene.teacher, id, &[("storage_gib".to_owned(), "30".to_owned())].into(), "").await.expect_err("its time is over");
        labs::restart(services, &scene.teacher, id, None).await.expect_err("its time is over");
        labs::extend(services, &scene.teacher, id, Extension::Minutes(30), None).await.expect("more time");
        assert_eq!(scene.lab(id).await.state, LabState::Stopping, "its time was over");
        scene.settle().await;
        assert_eq!(scene.charged(id).await.0, MINUTES * 60);
        labs::start(services, &scene.teacher, id).await.expect("starts again");
        scene.settle().await;
        scene.world.clock.advance(10 * 60);
        assert_eq!(scene.charged(id).await.0, (MINUTES + 10) * 60);
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_bills_no_time_that_never_was() {
    for_each_engine("a_clock_that_jumps_ahead_bills_no_time_that_never_was", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        labs::extend(services, &scene.teacher, id, Extension::Minutes(120), None).await.expect("more time");
        scene.world.clock.advance(600);
        scene.world.clock.jump(7_200);
        assert_eq!(scene.charged(id).await, (600, 600));
        scene.world.clock.advance(300);
        assert_eq!(scene.charged(id).await, (900, 900));
        labs::stop(services, &scene.teacher, id).await.expect("stops");
        scene.settle().await;
        assert_eq!(scene.charged(id).await, (900, 900));
        let operator = scene.world.operator("ops").await;
        let shown = dashboard::get(services, &operator).await.expect("reads").operating.expect("an operator").clock_jump;
        assert_eq!(shown.map(|jump| jump.seconds), Some(7_200), "and operators see it");
    })
    .await;
}

#[tokio::test]
async fn a_restart_during_a_clock_jump_that_is_not_believed_bills_nothing_for_it() {
    for_each_engine("a_restart_during_a_clock_jump_that_is_not_believed_bills_nothing_for_it", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        labs::extend(services, &scene.teacher, id, Extension::Minutes(120), None).await.expect("more time");
        scene.world.clock.advance(600);
        scene.world.clock.jump_unbelieved(7_200);
        clock::note_jump(services).await.expect("stored");
        assert_eq!(scene.charged(id).await, (600, 600));
        // The process ends and the next one starts a minute later, while the machine's clock is still ahead.
        let jump = clock::pending_jump(&services.db).await.expect("read").expect("known to the next process");
        let wall = scene.now().plus_seconds(7_200 + 60);
        let mut resumed = SteadyClock::resume(jump, wall, 0);
        scene.world.clock.set(resumed.read(wall, 0));
        assert_eq!(scene.charged(id).await, (660, 660));
        labs::stop_ended(services).await.expect("the clock");
        assert_eq!(scene.lab(id).await.state, LabState::Running, "its end has not come");
        // The next process believes it after its own ten minutes.
        scene.world.clock.advance(600);
        scene.world.clock.jump(7_200);
        assert_eq!(scene.charged(id).await, (1_260, 1_260));
        assert_eq!(clock::pending_jump(&services.db).await, Ok(None));
        // A jump that is undone before it is believed is forgotten.
        scene.world.clock.jump_unbelieved(7_200);
        clock::note_jump(services).await.expect("stored");
        scene.world.clock.end_jump();
        scene.world.clock.advance(60);
        assert_eq!(scene.charged(id).await, (1_320, 1_320));
        assert_eq!(clock::pending_jump(&services.db).await, Ok(None));
    })
    .await;
}
