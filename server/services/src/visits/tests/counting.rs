//! The connection log: what is counted is written once, whatever happens on the way.

use domain::visits::{UseKind, VisitEnd, VisitRole};
use storage::testing::{for_each_engine, fuse::Fault, number};

use super::*;

#[tokio::test]
async fn known_passes_are_admitted_without_a_statement_also_while_the_database_is_away() {
    for_each_engine("known_passes_are_admitted_without_a_statement_also_while_the_database_is_away", async |database| {
        let scene = Scene::on(database).await;
        let (_, cookie) = scene.visit(&scene.teacher).await;
        scene.services().db.close().await;
        for _ in 0..10_000 {
            assert!(scene.admit(&cookie).await.is_some());
        }
        assert!(admit(scene.services(), &scene.label, &"a".repeat(43)).await.is_err(), "others must wait for the database");
        // Nobody looked for too long, and the database is away.
        scene.world.clock.advance(6);
        for _ in 0..10_000 {
            assert!(scene.admit(&cookie).await.is_some());
        }
        assert!(round(scene.services()).await.is_err());
        scene.world.clock.advance(6);
        assert!(scene.admit(&cookie).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_visit_is_one_line_and_one_record_whatever_the_number_of_requests() {
    for_each_engine("a_visit_is_one_line_and_one_record_whatever_the_number_of_requests", async |database| {
        let scene = Scene::on(database).await;
        let began = scene.world.clock.now();
        let (_, cookie) = scene.visit(&scene.teacher).await;
        let entry = scene.admit(&cookie).await.expect("a pass");
        for _ in 0..100 {
            entry.count(10, 1_000);
        }
        scene.round().await;
        let log = scene.log().await;
        assert_eq!(log.len(), 1);
        assert_eq!((log[0].bytes_in, log[0].bytes_out, log[0].from, log[0].until), (1_000, 100_000, began, None));
        assert_eq!((log[0].person.login.as_str(), log[0].role, log[0].address.as_deref()), ("li.hua", VisitRole::Owner, Some(ADDRESS)));

        scene.world.clock.advance(10);
        entry.count(1, 1);
        scene.round().await;
        assert_eq!(scene.log().await[0].bytes_in, 1_000, "counters are written every 15 seconds");
        scene.world.clock.advance(5);
        scene.round().await;
        let log = scene.log().await;
        assert_eq!((log[0].bytes_in, log[0].bytes_out, log[0].last_used_at), (1_001, 100_001, began.plus_seconds(10)));

        scene.world.clock.advance(300);
        for _ in 0..3 {
            scene.round().await;
        }
        let log = scene.log().await;
        assert_eq!(log.len(), 1);
        assert_eq!((log[0].until, log[0].ended_by), (Some(began.plus_seconds(10)), Some(VisitEnd::Left)));
        assert_eq!(scene.recorded().await, ["lab.open success", "lab.visit success"]);
        entry.count(7, 7);
        scene.round().await;
        assert_eq!(scene.log().await.len(), 2, "a use after that begins another visit");
    })
    .await;
}

#[tokio::test]
async fn real_use_is_written_with_the_counters_and_shown_to_the_owner() {
    for_each_engine("real_use_is_written_with_the_counters_and_shown_to_the_owner", async |database| {
        let scene = Scene::on(database).await;
        let (session, cookie) = scene.visit(&scene.teacher).await;
        let entry = scene.admit(&cookie).await.expect("a pass");
        let shown = async || crate::labs::get(scene.services(), &scene.teacher, scene.id).await.expect("the lab").view.used.expect("it runs").last;
        // Bytes alone are no use: an open page polls.
        entry.count(1_000, 1_000);
        scene.round().await;
        assert_eq!(shown().await, None);
        scene.world.clock.advance(15);
        entry.used(UseKind::Page);
        entry.used(UseKind::Cell);
        let at = scene.world.clock.now();
        scene.round().await;
        let last = shown().await.expect("a use");
        assert_eq!((last.at, last.kind, last.person.map(|person| person.login)), (at, UseKind::Cell, Some("li.hua".to_owned())));
        // A write that fails is made up for.
        scene.world.clock.advance(15);
        entry.used(UseKind::Input);
        let fuse = scene.services().db.fuse();
        fuse.arm(Some((0, Fault::Fail)));
        assert!(flush(scene.services()).await.is_err());
        fuse.arm(None);
        assert_eq!(last_use(scene.services(), scene.id).map(|last| last.kind), Some(UseKind::Input));
        flush(scene.services()).await.expect("written");
        assert_eq!(shown().await.map(|last| last.kind), Some(UseKind::Input));
        sessions::delete(scene.services(), &session).await.expect("signed out");
        scene.round().await;
        scene.world.clock.advance(15);
        entry.used(UseKind::Cell);
        scene.round().await;
        assert_eq!(shown().await.map(|last| last.kind), Some(UseKind::Input), "a pass that is over uses nothing");
    })
    .await;
}

#[tokio::test]
async fn counters_whose_write_fails_or_whose_answer_is_lost_are_counted_once() {
    for_each_engine("counters_whose_write_fails_or_whose_answer_is_lost_are_counted_once", async |database| {
        let scene = Scene::on(database).await;
        let (_, cookie) = scene.visit(&scene.teacher).await;
        let entry = scene.admit(&cookie).await.expect("a pass");
        let fuse = scene.services().db.fuse();
        let mut total = 0;
        for fault in [Fault::Fail, Fault::AnswerLost] {
            entry.count(10, 20);
            total += 10;
            fuse.arm(Some((0, fault)));
            assert!(flush(scene.services()).await.is_err());
            fuse.arm(None);
            entry.count(1, 2);
            total += 1;
            for _ in 0..2 {
                flush(scene.services()).await.expect("written");
            }
            let log = scene.log().await;
            assert_eq!((log.len(), log[0].bytes_in, log[0].bytes_out), (1, total, 2 * total), "{fault:?}");
        }
        // The same as the visit ends.
        entry.count(5, 10);
        scene.world.clock.advance(300);
        fuse.arm(Some((0, Fault::AnswerLost)));
        assert!(flush(scene.services()).await.is_err());
        fuse.arm(None);
        flush(scene.services()).await.expect("written");
        scene.round().await;
        let sum = "SELECT CAST(SUM(bytes_in) AS BIGINT) FROM lab_visits";
        assert_eq!(number(&scene.services().db, sum).await, total + 5);
        assert_eq!(scene.log().await.iter().filter(|visit| visit.until.is_none()).count(), 0);
        assert_eq!(scene.recorded().await, ["lab.open success", "lab.visit success"]);
    })
    .await;
}

#[tokio::test]
async fn visits_of_a_process_that_was_killed_are_ended_at_their_last_use() {
    for_each_engine("visits_of_a_process_that_was_killed_are_ended_at_their_last_use", async |database| {
        let scene = Scene::on(database).await;
        let (_, cookie) = scene.visit(&scene.teacher).await;
        let entry = scene.admit(&cookie).await.expect("a pass");
        entry.count(1, 2);
        scene.round().await;
        let used = scene.world.clock.now();
        // From here on only the next process is there.
        let next = scene.world.replica();
        scene.world.clock.advance(300);
        round(&next).await.expect("a round");
        assert_eq!(scene.log().await[0].until, None, "its own process would have ended it soon");
        scene.world.clock.advance(61);
        for _ in 0..2 {
            round(&next).await.expect("a round");
            scene.world.clock.advance(15);
        }
        let log = scene.log().await;
        assert_eq!((log.len(), log[0].until, log[0].ended_by), (1, Some(used), Some(VisitEnd::Left)));
        assert_eq!(scene.recorded().await, ["lab.open success", "lab.visit success"]);
        // It was not dead after all: what it counts from now on is another visit.
        entry.count(3, 4);
        scene.round().await;
        scene.round().await;
        let log = scene.log().await;
        assert_eq!(log.iter().map(|visit| visit.bytes_in).collect::<Vec<_>>(), [1, 3]);
    })
    .await;
}

#[tokio::test]
async fn visitors_are_shown_before_the_owner_and_once() {
    for_each_engine("visitors_are_shown_before_the_owner_and_once", async |database| {
        let scene = Scene::on(database).await;
        let manager = scene.world.manager("zhang").await;
        let mut entries = Vec::new();
        for caller in [&manager, &scene.teacher, &scene.teacher] {
            let (_, cookie) = scene.visit(caller).await;
            let entry = scene.admit(&cookie).await.expect("a pass");
            entry.count(1, 1);
            entries.push(entry);
        }
        scene.round().await;
        assert_eq!(scene.log().await.len(), 3, "each browser has its line");
        let here = present(scene.services(), &scene.teacher, scene.id).await.expect("read");
        let shown: Vec<_> = here.iter().map(|visit| (visit.person.login.as_str(), visit.role)).collect();
        assert_eq!(shown, [("zhang", VisitRole::Manager), ("li.hua", VisitRole::Owner)]);
        // Seen at once, though no round has written it, and since the first visit that lasts.
        scene.world.clock.advance(60);
        let again = scene.admit(&scene.visit(&manager).await.1).await.expect("a pass");
        again.count(1, 1);
        let first = here[0].from;
        let here = present(scene.services(), &scene.teacher, scene.id).await.expect("read");
        assert_eq!((here.len(), here[0].from), (2, first));
        assert_eq!(scene.log().await.len(), 4);
        let elsewhere = scene.world.course("EE1000").add().await;
        let stranger = scene.world.teacher("wang", &[&elsewhere]).await;
        assert_eq!(present(scene.services(), &stranger, scene.id).await, Err(domain::Error::NotFound));
        let refused = list(scene.services(), &stranger, scene.id, &PageRequest::default()).await;
        assert_eq!(refused.map(drop), Err(domain::Error::NotFound));

        let first = list(scene.services(), &manager, scene.id, &PageRequest { limit: 2, after: None }).await.expect("read");
        assert_eq!(first.items.len(), 2);
        let rest = list(scene.services(), &manager, scene.id, &PageRequest { limit: 2, after: first.next }).await.expect("read");
        assert_eq!((rest.items.len(), rest.next), (2, None));
    })
    .await;
}

#[tokio::test]
async fn a_session_that_is_used_through_its_lab_lives_on_but_not_for_ever() {
    for_each_engine("a_session_that_is_used_through_its_lab_lives_on_but_not_for_ever", async |database| {
        let scene = Scene::on(database).await;
        let (session, cookie) = scene.visit(&scene.teacher).await;
        let entry = scene.admit(&cookie).await.expect("a pass");
        let began = scene.world.clock.now();
        let until = async || sessions::load(scene.services(), &session).await.expect("read").map(|(_, until)| until);
        let services = scene.services();
        let longest = began.plus_seconds(services.settings.longest_session_hours * 3_600);
        while scene.world.clock.now() < longest.plus_seconds(-3_600) {
            scene.world.clock.advance(3_600);
            entry.count(1, 1);
            scene.round().await;
            let wanted = scene.world.clock.now().plus_seconds(services.settings.session_hours * 3_600).min(longest);
            assert_eq!(until().await, Some(wanted));
        }
        assert!(!entry.ended().is_cancelled());
        scene.world.clock.advance(3_600);
        scene.round().await;
        assert_eq!(scene.ends().await, ["expired"]);
    })
    .await;
}

#[tokio::test]
async fn tickets_that_nobody_used_go_after_a_day() {
    for_each_engine("tickets_that_nobody_used_go_after_a_day", async |database| {
        let scene = Scene::on(database).await;
        let session = scene.session(&scene.teacher).await;
        scene.open_in(&scene.teacher, &session).await;
        scene.round().await;
        scene.world.clock.advance(23 * 3_600);
        scene.round().await;
        assert_eq!(scene.ends().await, ["-"]);
        scene.world.clock.advance(2 * 3_600);
        scene.round().await;
        assert_eq!(scene.ends().await, [""; 0]);
    })
    .await;
}
