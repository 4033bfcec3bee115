//! What ends a pass, a visit and the sockets to a pod; and what does not.

use domain::{Error, visits::VisitEnd};
use storage::{
    accounts::users,
    testing::{execute, for_each_engine},
};

use super::*;
use crate::{labs, people};

/// Goes in, lets `cause` happen, and expects the pass to be over for this reason.
async fn ends_by(name: &str, expected: &'static str, cause: impl AsyncFn(&Scene, &str)) {
    let cause = &cause;
    for_each_engine(name, |database| async move {
        let scene = Scene::on(database).await;
        let (session, cookie) = scene.visit(&scene.teacher).await;
        let entry = scene.admit(&cookie).await.expect("a pass");
        entry.count(1, 2);
        scene.round().await;
        cause(&scene, session.as_str()).await;
        scene.round().await;
        assert!(entry.ended().is_cancelled(), "open sockets are told");
        assert!(scene.admit(&cookie).await.is_none());
        assert_eq!(scene.ends().await, [expected]);
        let log = scene.log().await;
        assert_eq!(log.iter().map(|visit| (visit.ended_by, visit.bytes_out)).collect::<Vec<_>>(), [(Some(VisitEnd::PassEnded), 2)]);
        // A last few bytes of sockets that are being closed begin no visit.
        entry.count(1, 1);
        scene.round().await;
        assert_eq!(scene.log().await.len(), 1);
        assert!(scene.admit(&cookie).await.is_none(), "also by what this process remembers");
    })
    .await;
}

#[tokio::test]
async fn a_pass_ends_when_its_person_signs_out() {
    ends_by("a_pass_ends_when_its_person_signs_out", "signed_out", async |scene, session| {
        sessions::delete(scene.services(), session).await.expect("signed out");
    })
    .await;
}

#[tokio::test]
async fn a_pass_ends_with_the_time_of_its_session() {
    ends_by("a_pass_ends_with_the_time_of_its_session", "expired", async |scene, _| {
        scene.world.clock.advance(12 * 3_600);
    })
    .await;
}

#[tokio::test]
async fn a_pass_ends_when_its_person_is_disabled() {
    ends_by("a_pass_ends_when_its_person_is_disabled", "access_lost", async |scene, _| {
        let administrator = scene.world.administrator("admin").await;
        people::disable(scene.services(), &administrator, scene.teacher.actor.user).await.expect("disabled");
    })
    .await;
}

#[tokio::test]
async fn a_pass_ends_when_its_person_leaves_the_course() {
    ends_by("a_pass_ends_when_its_person_leaves_the_course", "access_lost", async |scene, _| {
        execute(&scene.services().db, "DELETE FROM course_members").await.expect("left the course");
    })
    .await;
}

#[tokio::test]
async fn a_pass_ends_when_its_lab_is_destroyed() {
    ends_by("a_pass_ends_when_its_lab_is_destroyed", "lab_destroyed", async |scene, _| {
        labs::destroy(scene.services(), &scene.teacher, scene.id).await.expect("destroyed");
    })
    .await;
}

#[tokio::test]
async fn a_pass_ends_when_its_session_does_not_follow_new_credentials() {
    ends_by("a_pass_ends_when_its_session_does_not_follow_new_credentials", "access_lost", async |scene, _| {
        let mut write = scene.services().db.begin_write().await.expect("a transaction");
        users::set_password(&mut write, scene.teacher.actor.user, "x").await.expect("changed");
        write.commit().await.expect("committed");
        scene.round().await;
        assert_eq!(scene.ends().await, ["-"], "a session in which they were changed follows in a moment");
        scene.world.clock.advance(2);
    })
    .await;
}

#[tokio::test]
async fn a_stop_ends_the_visit_and_closes_sockets_but_not_the_pass() {
    for_each_engine("a_stop_ends_the_visit_and_closes_sockets_but_not_the_pass", async |database| {
        let scene = Scene::on(database).await;
        let (_, cookie) = scene.visit(&scene.teacher).await;
        let entry = scene.admit(&cookie).await.expect("a pass");
        let (sockets, (before, _)) = (entry.pod_gone(), entry.target().expect("a pod"));
        entry.count(5, 6);
        scene.round().await;
        // The cluster's reports are told apart by their time.
        scene.world.clock.advance(1);
        labs::stop(scene.services(), &scene.teacher, scene.id).await.expect("stops");
        scene.settle().await;
        scene.round().await;
        assert!(sockets.is_cancelled() && entry.target().is_none());
        assert_eq!(scene.log().await.iter().map(|visit| visit.ended_by).collect::<Vec<_>>(), [Some(VisitEnd::LabStopped)]);
        assert!(!entry.ended().is_cancelled(), "the page that says so is the lab's own");
        entry.count(1, 1);
        scene.round().await;
        assert_eq!(scene.log().await.len(), 1, "a lab that is down is not visited");

        scene.world.clock.advance(1);
        labs::start(scene.services(), &scene.teacher, scene.id).await.expect("starts again");
        scene.settle().await;
        scene.round().await;
        let (after, _) = entry.target().expect("a pod");
        assert_eq!(after.name, before.name);
        assert_ne!(after.uid, before.uid);
        assert!(!entry.pod_gone().is_cancelled(), "the next pod has another token");
    })
    .await;
}

#[tokio::test]
async fn a_pod_that_takes_the_place_of_another_is_not_reached_by_old_sockets() {
    for_each_engine("a_pod_that_takes_the_place_of_another_is_not_reached_by_old_sockets", async |database| {
        let scene = Scene::on(database).await;
        let (_, cookie) = scene.visit(&scene.teacher).await;
        let entry = scene.admit(&cookie).await.expect("a pass");
        let (sockets, (before, port)) = (entry.pod_gone(), entry.target().expect("a pod"));
        let mut connections = scene.world.cluster.listen(scene.id, port);
        scene.services().cluster.connect(&before, port).await.map(drop).expect("it answers");
        assert!(connections.recv().await.is_some());

        scene.world.cluster.replace_pods(scene.id);
        // The cluster knows no such pod any more, whatever the portal still believes.
        assert!(scene.services().cluster.connect(&before, port).await.is_err());
        // Reports are kept as they change, at another time than the one before.
        scene.world.clock.advance(1);
        reconcile::lab(scene.services(), scene.id).await.expect("observed");
        scene.round().await;
        let (after, _) = entry.target().expect("the next pod");
        assert_eq!(after.name, before.name);
        assert_ne!(after.uid, before.uid);
        assert!(sockets.is_cancelled() && !entry.pod_gone().is_cancelled());
        scene.services().cluster.connect(&after, port).await.map(drop).expect("the next pod answers");
        // A pod that is not ready for a moment keeps its sockets.
        let sockets = entry.pod_gone();
        scene.world.cluster.lose_pod(scene.id);
        scene.world.clock.advance(1);
        reconcile::lab(scene.services(), scene.id).await.expect("observed");
        scene.round().await;
        assert!(entry.target().is_none() && !sockets.is_cancelled());
    })
    .await;
}

#[tokio::test]
async fn a_restart_of_the_portal_and_another_replica_know_the_pass() {
    for_each_engine("a_restart_of_the_portal_and_another_replica_know_the_pass", async |database| {
        let scene = Scene::on(database).await;
        let (session, cookie) = scene.visit(&scene.teacher).await;
        let next = scene.world.replica();
        let entry = admit(&next, &scene.label, &cookie).await.expect("asked").expect("a pass");
        assert!(entry.target().is_some());
        // What one replica ends, the other one finds in its next round.
        sessions::delete(scene.services(), &session).await.expect("signed out");
        scene.round().await;
        assert_eq!(scene.ends().await, ["signed_out"]);
        round(&next).await.expect("a round");
        assert!(entry.ended().is_cancelled());
        let third = scene.world.replica();
        assert!(admit(&third, &scene.label, &cookie).await.expect("asked").is_none());
    })
    .await;
}

#[tokio::test]
async fn passes_end_while_somebody_waits_for_it() {
    let scene = Scene::on(TestDatabase::sqlite().await).await;
    let (session, cookie) = scene.visit(&scene.teacher).await;
    let entry = scene.admit(&cookie).await.expect("a pass");
    let kept = tokio::spawn(keep(scene.services().clone()));
    sessions::delete(scene.services(), &session).await.expect("signed out");
    entry.ended().cancelled().await;
    kept.abort();
}

impl Scene {
    /// An operator comes in by break-glass: the cookie.
    async fn break_glass(&self, operator: &Caller) -> String {
        let session = self.session(operator).await;
        let opening = open(self.services(), operator, self.id, own_port(&session), Some("The disk is full.")).await.expect("with a reason");
        self.take(&opening).await.expect("in time").cookie.expose().clone()
    }

    /// Notices of the teacher's about visits, oldest first.
    async fn told(&self) -> Vec<String> {
        let sql = "SELECT notice FROM notifications WHERE notice LIKE '%lab_break_glass%' OR notice LIKE '%lab_visited%' ORDER BY id";
        texts(&self.services().db, sql).await
    }
}

#[tokio::test]
async fn a_break_glass_pass_lasts_an_hour_and_the_owner_is_told_of_each() {
    for_each_engine("a_break_glass_pass_lasts_an_hour_and_the_owner_is_told_of_each", async |database| {
        let scene = Scene::on(database).await;
        let operator = scene.world.operator("ops").await;
        let cookie = scene.break_glass(&operator).await;
        let told = scene.told().await;
        assert!(told.len() == 1 && told[0].contains("The disk is full."), "{told:?}");
        let entry = scene.admit(&cookie).await.expect("a pass");
        entry.count(1, 1);
        scene.world.clock.advance(59 * 60);
        entry.count(1, 1);
        scene.round().await;
        assert!(scene.admit(&cookie).await.is_some());
        assert_eq!(scene.told().await.len(), 1, "once");
        scene.world.clock.advance(60);
        scene.round().await;
        assert!(entry.ended().is_cancelled() && scene.admit(&cookie).await.is_none());
        assert_eq!(scene.ends().await, ["expired"]);
        // The next one is asked for again.
        scene.break_glass(&operator).await;
        assert_eq!(scene.told().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_break_glass_pass_does_not_outlive_a_stop_that_no_process_saw() {
    for_each_engine("a_break_glass_pass_does_not_outlive_a_stop_that_no_process_saw", async |database| {
        let scene = Scene::on(database).await;
        let operator = scene.world.operator("ops").await;
        let owner = scene.visit(&scene.teacher).await.1;
        let cookie = scene.break_glass(&operator).await;
        scene.world.clock.advance(1);
        labs::stop(scene.services(), &scene.teacher, scene.id).await.expect("stopped");
        scene.settle().await;
        let session = scene.session(&operator).await;
        let refused = open(scene.services(), &operator, scene.id, own_port(&session), Some("The disk is full.")).await;
        assert!(matches!(refused, Err(Error::InvalidTransition { .. })), "nothing runs in it: {refused:?}");
        labs::start(scene.services(), &scene.teacher, scene.id).await.expect("started");
        scene.settle().await;
        // A process that knew neither.
        let next = scene.world.replica();
        assert!(admit(&next, &scene.label, &cookie).await.expect("asked").is_none());
        assert_eq!(scene.ends().await, ["-", "lab_stopped"]);
        assert!(admit(&next, &scene.label, &owner).await.expect("asked").is_some(), "the owner's pass goes on");
    })
    .await;
}

#[tokio::test]
async fn the_owner_is_told_of_a_visitor_once_a_day() {
    for_each_engine("the_owner_is_told_of_a_visitor_once_a_day", async |database| {
        let scene = Scene::on(database).await;
        let colleague = scene.world.teacher("zhao", &[&scene.course]).await;
        let own = scene.admit(&scene.visit(&scene.teacher).await.1).await.expect("a pass");
        own.count(1, 1);
        scene.round().await;
        assert_eq!(scene.told().await, Vec::<String>::new(), "not of themselves");
        for _ in 0..2 {
            let entry = scene.admit(&scene.visit(&colleague).await.1).await.expect("a pass");
            entry.count(1, 1);
            scene.round().await;
        }
        let told = scene.told().await;
        assert!(told.len() == 1 && told[0].contains("zhao") && told[0].contains("teacher"), "{told:?}");
    })
    .await;
}
