//! Labs that nobody uses: when they are warned of and stopped, and what keeps them.

use domain::{
    Error,
    ids::LabId,
    labs::{Autostop, LabFilter, LabState, LabUse},
    notifications::Notice,
    page::PageRequest,
    visits::UseKind,
};
use storage::{
    lab_use::Use,
    testing::{execute, for_each_engine},
};

use super::Scene;
use crate::{
    Settings,
    labs::{self, IdleRound},
    ports::Clock as _,
    testing::{FakeJupyter, Kernel},
};

impl Scene {
    /// A running lab that is stopped after half an hour without use.
    async fn idle_after_30(&self) -> LabId {
        let id = self.running().await;
        let wanted = Autostop { idle_minutes: Some(30), daily: None };
        labs::set_autostop(&self.world.services, &self.teacher, id, wanted).await.expect("set");
        id
    }

    async fn look(&self) -> IdleRound {
        labs::stop_idle(&self.world.services).await.expect("a round")
    }

    fn minutes(&self, minutes: i64) {
        self.world.clock.advance(minutes * 60);
    }

    async fn used(&self, id: LabId) -> Option<LabUse> {
        labs::get(&self.world.services, &self.teacher, id).await.expect("the lab").view.used
    }

    /// Uses the lab now.
    async fn use_it(&self, id: LabId, kind: UseKind) {
        let mut write = self.world.services.db.begin_write().await.expect("a transaction");
        let last = Use { at: self.world.clock.now(), kind, user: Some(self.teacher.actor.user) };
        storage::lab_use::put(&mut write, id, last).await.expect("stored");
        write.commit().await.expect("committed");
    }

    async fn idle_notices(&self) -> Vec<Notice> {
        let mut read = self.world.services.db.read().await.expect("a connection");
        let latest = storage::notifications::latest(&mut read, self.teacher.actor.user, 100).await.expect("read");
        let idle: fn(&Notice) -> bool = |notice| matches!(notice, Notice::LabIdle { .. } | Notice::LabIdleStopped { .. });
        latest.into_iter().rev().map(|each| each.notice).filter(idle).collect()
    }
}

const NOTHING: IdleRound = IdleRound { warned: 0, stopped: 0, working: 0 };
const WARNED: IdleRound = IdleRound { warned: 1, ..NOTHING };
const STOPPED: IdleRound = IdleRound { stopped: 1, ..NOTHING };
const WORKING: IdleRound = IdleRound { working: 1, ..NOTHING };

#[tokio::test]
async fn an_unused_lab_is_stopped_after_a_warning_and_its_owner_sees_why() {
    for_each_engine("an_unused_lab_is_stopped_after_a_warning_and_its_owner_sees_why", |database| async {
        let scene = Scene::on(database).await;
        let began = scene.world.clock.now();
        let id = scene.idle_after_30().await;
        let _jupyter = FakeJupyter::start(&scene.world.cluster, id, Kernel::Idle);
        let used = scene.used(id).await.expect("it runs");
        assert_eq!((used.last, used.stops_at.map(|at| at.seconds_since(used.since)), used.warned), (None, Some(1_800), false));
        scene.minutes(19);
        assert_eq!(scene.look().await, NOTHING);
        scene.minutes(2);
        assert_eq!((scene.look().await, scene.look().await), (WARNED, NOTHING));
        let view = labs::get(&scene.world.services, &scene.teacher, id).await.expect("the lab").view;
        let used = view.used.clone().expect("it runs");
        assert!(used.warned);
        let stops_at = used.stops_at.expect("it is to be stopped");
        assert_eq!((view.stops_at(), view.lab.stops_at() > Some(stops_at)), (Some(stops_at), true), "pages say what comes first");
        assert!(stops_at >= scene.world.clock.now().plus_minutes(9));
        scene.minutes(8);
        assert_eq!(scene.look().await, NOTHING);
        scene.minutes(3);
        assert_eq!((scene.look().await, scene.look().await), (STOPPED, NOTHING));
        scene.settle().await;
        let lab = scene.lab(id).await;
        assert_eq!(lab.state, LabState::Stopped);
        assert!(scene.steps(id).await.contains(&"stopping idle".to_owned()), "{:?}", scene.steps(id).await);
        assert!(scene.recorded(&id.to_string()).await.contains(&"lab.idle".to_owned()));
        let stopped_at = scene.world.clock.now();
        let name = lab.name;
        let expected = [
            Notice::LabIdle { lab: id, name: name.clone(), since: used.since, stops_at },
            Notice::LabIdleStopped { lab: id, name, minutes: 30, at: stopped_at },
        ];
        assert_eq!(scene.idle_notices().await, expected);
        assert!(used.since >= began);

        labs::start(&scene.world.services, &scene.teacher, id).await.expect("starts again");
        scene.settle().await;
        assert_eq!(scene.look().await, NOTHING, "it counts from when it became ready");
        let used = scene.used(id).await.expect("it runs");
        assert!(!used.warned && used.last.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_use_after_the_warning_and_the_owners_word_keep_a_lab() {
    for_each_engine("a_use_after_the_warning_and_the_owners_word_keep_a_lab", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.idle_after_30().await;
        let _jupyter = FakeJupyter::start(&scene.world.cluster, id, Kernel::Idle);
        scene.minutes(21);
        assert_eq!(scene.look().await, WARNED);
        scene.minutes(5);
        scene.use_it(id, UseKind::Cell).await;
        let used = scene.used(id).await.expect("it runs");
        assert_eq!((used.warned, used.last.map(|last| last.kind)), (false, Some(UseKind::Cell)));
        scene.minutes(6);
        assert_eq!(scene.look().await, NOTHING, "it was used since");
        scene.minutes(15);
        assert_eq!(scene.look().await, WARNED);
        for _ in 0..2 {
            let view = labs::keep_running(services, &scene.teacher, id).await.expect("kept");
            let used = view.used.expect("it runs");
            assert_eq!((used.warned, used.last.map(|last| last.kind)), (false, Some(UseKind::Kept)));
        }
        let kept = scene.recorded(&id.to_string()).await.into_iter().filter(|action| action == "lab.keep_running").count();
        assert_eq!(kept, 1, "a second click changes nothing");
        scene.minutes(12);
        assert_eq!(scene.look().await, NOTHING);
        let manager = scene.world.manager("zhang").await;
        labs::keep_running(services, &manager, id).await.expect_err("the owner's choice");
        labs::stop(services, &scene.teacher, id).await.expect("stops");
        let refused = labs::keep_running(services, &scene.teacher, id).await;
        assert!(matches!(refused, Err(Error::InvalidTransition { .. })), "{refused:?}");
    })
    .await;
}

/// `time.sleep(7200)` in a cell, and the tab is closed.
#[tokio::test]
async fn a_kernel_that_executes_keeps_its_lab() {
    for_each_engine("a_kernel_that_executes_keeps_its_lab", |database| async {
        let scene = Scene::on(database).await;
        let id = scene.idle_after_30().await;
        scene.minutes(21);
        assert_eq!(scene.look().await, NOTHING, "a server that cannot be asked may be busy");
        let jupyter = FakeJupyter::start(&scene.world.cluster, id, Kernel::Busy);
        assert_eq!(scene.look().await, WORKING);
        let used = scene.used(id).await.expect("it runs");
        let last = used.last.expect("a use");
        assert_eq!((last.kind, last.at, last.person), (UseKind::Kernel, scene.world.clock.now(), None));
        scene.minutes(21);
        jupyter.turn(Kernel::Idle);
        assert_eq!(scene.look().await, WARNED);
        scene.minutes(10);
        jupyter.turn(Kernel::Busy);
        assert_eq!(scene.look().await, WORKING, "it began after the warning");
        scene.world.cluster.go_away();
        scene.minutes(25);
        assert_eq!(scene.look().await, NOTHING, "nothing is known of it");
    })
    .await;
}

/// `nohup train.py >log &`, and the shell is closed.
#[tokio::test]
async fn a_busy_processor_keeps_a_lab_on_average_over_two_looks() {
    for_each_engine("a_busy_processor_keeps_a_lab_on_average_over_two_looks", |database| async {
        let scene = Scene::on(database).await;
        let id = scene.idle_after_30().await;
        let _jupyter = FakeJupyter::start(&scene.world.cluster, id, Kernel::Idle);
        scene.world.cluster.measure(id, 900);
        scene.minutes(21);
        assert_eq!(scene.look().await, WORKING);
        assert_eq!(scene.used(id).await.and_then(|used| used.last).map(|last| last.kind), Some(UseKind::Processor));
        scene.world.cluster.measure(id, 20);
        scene.minutes(21);
        assert_eq!(scene.look().await, WARNED, "the look before was long ago");
        scene.world.cluster.measure(id, 600);
        scene.minutes(10);
        assert_eq!(scene.look().await, WORKING);
        scene.world.cluster.measure(id, 150);
        scene.minutes(21);
        assert_eq!(scene.look().await, WARNED, "a fifth of a core is no work");
    })
    .await;
}

#[tokio::test]
async fn a_job_without_metrics_is_in_use_as_long_as_it_runs() {
    for_each_engine("a_job_without_metrics_is_in_use_as_long_as_it_runs", |database| async {
        let scene = Scene::on(database).await;
        let id = scene.idle_after_30().await;
        let changed = format!(r#"UPDATE labs SET spec = REPLACE(spec, '"workload":"notebook"', '"workload":"batch_job"') WHERE id = '{id}'"#);
        assert_eq!(execute(&scene.world.services.db, &changed).await.expect("changed"), 1);
        scene.minutes(25);
        assert_eq!(scene.look().await, WORKING);
        assert_eq!(scene.used(id).await.and_then(|used| used.last).map(|last| last.kind), Some(UseKind::Job));
        scene.world.cluster.measure(id, 5);
        scene.minutes(25);
        assert_eq!(scene.look().await, WARNED, "it is measured, and does nothing");
    })
    .await;
}

#[tokio::test]
async fn the_college_stops_labs_whose_owners_chose_nothing_and_unused_cards_are_flagged() {
    for_each_engine("the_college_stops_labs_whose_owners_chose_nothing_and_unused_cards_are_flagged", |database| async {
        let settings = Settings { simulated_cluster: true, idle_minutes: Some(60), ..Settings::default() };
        let scene = Scene::with(database, settings).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        let _jupyter = FakeJupyter::start(&scene.world.cluster, id, Kernel::Idle);
        let listed = async || {
            let filter = LabFilter { unused: true, ..LabFilter::default() };
            labs::list(services, &scene.teacher, &filter, &PageRequest::default()).await.expect("listed").items.len()
        };
        scene.minutes(29);
        assert_eq!((scene.look().await, listed().await), (NOTHING, 0));
        scene.minutes(2);
        assert_eq!((scene.look().await, listed().await), (NOTHING, 1));
        let used = scene.used(id).await.expect("it runs");
        assert!(used.flagged);
        assert_eq!((used.minutes, used.stops_at), (Some(60), Some(used.since.plus_minutes(60))));
        scene.use_it(id, UseKind::Input).await;
        assert_eq!(listed().await, 0);
        scene.minutes(51);
        assert_eq!(scene.look().await, WARNED);
        // The owner's own choice goes over the college's.
        let longer = Autostop { idle_minutes: Some(120), daily: None };
        labs::set_autostop(services, &scene.teacher, id, longer).await.expect("set");
        scene.minutes(5);
        assert_eq!(scene.look().await, NOTHING);
    })
    .await;
}
