//! From the order to the last object, and who may do what on the way.

use domain::{
    Error,
    access::Action,
    labs::{LabFilter, LabState},
    orders::OrderState,
    page::PageRequest,
};
use storage::testing::for_each_engine;

use super::Scene;
use crate::{jobs::reconcile, labs, testing::with_scopes};

#[tokio::test]
async fn an_order_becomes_a_lab_that_runs_stops_starts_and_leaves_nothing() {
    for_each_engine("an_order_becomes_a_lab_that_runs_stops_starts_and_leaves_nothing", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.pending().await;
        assert_eq!(scene.reserved().await, 1);
        scene.settle().await;
        let detail = labs::get(services, &scene.teacher, id).await.expect("its owner reads it");
        assert_eq!(detail.view.lab.state, LabState::Running);
        assert_eq!(detail.view.lab.ends_at, Some(services.clock.now().plus_minutes(90)));
        assert_eq!(detail.view.running_since, Some(services.clock.now()));
        assert_eq!((detail.observation.pods, detail.observation.ready), (1, 1));
        assert!(!detail.observation.objects.is_empty() && detail.observed_at.is_some());
        assert!(detail.view.may_stop && detail.view.may_destroy && !detail.view.may_start);
        assert_eq!(scene.order_state(id).await, OrderState::Fulfilled);
        assert_eq!(scene.waiting_work().await, 0);

        labs::stop(services, &scene.teacher, id).await.expect("stops");
        assert_eq!(scene.reserved().await, 1, "the cards are held until the pods are gone");
        scene.settle().await;
        assert_eq!((scene.lab(id).await.state, scene.reserved().await), (LabState::Stopped, 0));

        labs::start(services, &scene.teacher, id).await.expect("starts again");
        scene.settle().await;
        assert_eq!((scene.lab(id).await.state, scene.reserved().await), (LabState::Running, 1));

        labs::destroy(services, &scene.teacher, id).await.expect("goes");
        scene.settle().await;
        assert_eq!((scene.lab(id).await.state, scene.reserved().await), (LabState::Destroyed, 0));
        assert!(!scene.world.cluster.holds(id), "nothing is left in the cluster");
        assert_eq!(scene.order_state(id).await, OrderState::Fulfilled);
        assert_eq!(
            scene.steps(id).await,
            [
                "pending order",
                "starting applied",
                "running ready",
                "stopping stop",
                "stopped pods_gone",
                "pending start",
                "starting applied",
                "running ready",
                "destroying destroy",
                "destroyed objects_gone",
            ]
        );
        assert_eq!(
            scene.recorded(&id.to_string()).await,
            ["lab.applied", "lab.ready", "lab.stop", "lab.pods_gone", "lab.start", "lab.applied", "lab.ready", "lab.destroy", "lab.objects_gone",]
        );
    })
    .await;
}

#[tokio::test]
async fn asking_again_for_what_is_already_so_changes_nothing() {
    for_each_engine("asking_again_for_what_is_already_so_changes_nothing", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        labs::start(services, &scene.teacher, id).await.expect("it runs");
        labs::stop(services, &scene.teacher, id).await.expect("stops");
        labs::stop(services, &scene.teacher, id).await.expect("is stopping");
        scene.settle().await;
        labs::stop(services, &scene.teacher, id).await.expect("is stopped");
        labs::destroy(services, &scene.teacher, id).await.expect("goes");
        labs::destroy(services, &scene.teacher, id).await.expect("is going");
        scene.settle().await;
        labs::destroy(services, &scene.teacher, id).await.expect("is gone");
        assert_eq!(scene.steps(id).await.len(), 7);
        let error = labs::start(services, &scene.teacher, id).await.expect_err("nothing to start");
        assert_eq!(error, Error::InvalidTransition { state: "destroyed".into(), event: "start".into() });
    })
    .await;
}

#[tokio::test]
async fn a_stop_that_is_thought_better_of_keeps_the_cards_and_makes_new_pods() {
    for_each_engine("a_stop_that_is_thought_better_of_keeps_the_cards_and_makes_new_pods", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        let held = scene.reserved().await;
        labs::stop(services, &scene.teacher, id).await.expect("stops");
        let back = labs::start(services, &scene.teacher, id).await.expect("comes back");
        assert_eq!((back.lab.state, back.lab.reserved, back.lab.lifecycle.generation), (LabState::Pending, true, 1));
        assert_eq!(scene.reserved().await, held, "nobody else got its cards");
        scene.settle().await;
        scene.world.clock.advance(5);
        scene.settle().await;
        assert_eq!((scene.lab(id).await.state, scene.reserved().await), (LabState::Running, held));
    })
    .await;
}

#[tokio::test]
async fn a_stopped_lab_waits_in_the_queue_until_cards_are_free() {
    for_each_engine("a_stopped_lab_waits_in_the_queue_until_cards_are_free", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let first = scene.running().await;
        labs::stop(services, &scene.teacher, first).await.expect("stops");
        scene.settle().await;
        scene.world.cluster.set_nodes(&[("gpu-3", "a100-80g-1g.10gb", 1)]);
        crate::cluster_status::refresh(services).await.expect("counts");
        let second = scene.running().await;
        let waiting = labs::start(services, &scene.teacher, first).await.expect("is accepted");
        assert_eq!((waiting.lab.state, waiting.lab.reserved, waiting.queue_position), (LabState::Pending, false, Some(1)));
        scene.settle().await;
        assert_eq!(scene.world.cluster.calls().iter().filter(|call| call.starts_with("start")).count(), 2, "no start without cards");
        labs::destroy(services, &scene.teacher, second).await.expect("goes");
        scene.settle().await;
        assert_eq!(scene.lab(first).await.state, LabState::Running);
        assert_eq!(scene.reserved().await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_start_asks_for_quota_again() {
    for_each_engine("a_start_asks_for_quota_again", |database| async {
        let scene = Scene::on(database).await;
        let course = scene.world.course("AI101").running_labs(1).add().await;
        let teacher = scene.world.teacher("wang", &[&course]).await;
        let scene = Scene { course, teacher, ..scene };
        let services = scene.world.services.clone();
        let first = scene.running().await;
        labs::stop(&services, &scene.teacher, first).await.expect("stops");
        scene.settle().await;
        scene.running().await;
        let error = labs::start(&services, &scene.teacher, first).await.expect_err("one lab at a time");
        assert!(matches!(&error, Error::OverQuota(short) if short.len() == 1 && short[0].over == 1), "{error:?}");
        assert_eq!(scene.lab(first).await.state, LabState::Stopped);
    })
    .await;
}

#[tokio::test]
async fn a_lab_stops_when_its_time_is_over_and_is_not_started_after_it() {
    for_each_engine("a_lab_stops_when_its_time_is_over_and_is_not_started_after_it", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        scene.world.clock.advance(90 * 60 - 1);
        assert_eq!(labs::stop_ended(services).await, Ok(0));
        scene.world.clock.advance(1);
        assert_eq!(labs::stop_ended(services).await, Ok(1));
        assert_eq!(labs::stop_ended(services).await, Ok(0));
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Stopped);
        let error = labs::start(services, &scene.teacher, id).await.expect_err("its time is over");
        assert_eq!(error, Error::InvalidTransition { state: "ended".into(), event: "start".into() });
        assert!(!labs::get(services, &scene.teacher, id).await.expect("reads").view.may_start);
    })
    .await;
}

#[tokio::test]
async fn destroying_a_lab_that_never_ran_cancels_its_order() {
    for_each_engine("destroying_a_lab_that_never_ran_cancels_its_order", |database| async {
        let scene = Scene::on(database).await;
        scene.world.cluster.hold_pods();
        let id = scene.pending().await;
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Starting);
        labs::destroy(&scene.world.services, &scene.teacher, id).await.expect("goes");
        assert_eq!(scene.order_state(id).await, OrderState::Cancelled);
        scene.settle().await;
        assert_eq!((scene.lab(id).await.state, scene.reserved().await), (LabState::Destroyed, 0));
    })
    .await;
}

#[tokio::test]
async fn the_last_lab_of_a_course_takes_the_namespace_with_it() {
    for_each_engine("the_last_lab_of_a_course_takes_the_namespace_with_it", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let (one, two, three) = (scene.running().await, scene.running().await, scene.running().await);
        services.cluster.set_quota(&scene.course, &scene.course.settings.limits).await.expect("the namespace is there");
        labs::destroy(services, &scene.teacher, one).await.expect("goes");
        scene.settle().await;
        assert!(scene.world.cluster.quota_of(&scene.course.namespace).is_some(), "others are still there");
        // Two that go at once: neither may leave the namespace to the other.
        labs::destroy(services, &scene.teacher, two).await.expect("goes");
        labs::destroy(services, &scene.teacher, three).await.expect("goes");
        scene.settle().await;
        assert!(scene.world.cluster.quota_of(&scene.course.namespace).is_none());
    })
    .await;
}

#[tokio::test]
async fn who_may_not_read_a_lab_does_not_learn_that_it_exists() {
    let scene = Scene::on(storage::testing::TestDatabase::sqlite().await).await;
    let services = &scene.world.services;
    let id = scene.running().await;
    let colleague = scene.world.teacher("wang", &[&scene.course]).await;
    let manager = scene.world.manager("zhang").await;
    let auditor = scene.world.auditor("chen").await;
    let operator = scene.world.operator("zhao").await;
    let administrator = scene.world.administrator("sun").await;
    let elsewhere = scene.world.other_tenant("arts").await;
    let stranger = scene.world.person("stranger").in_tenant(elsewhere).role(domain::access::Role::Operator).add().await;

    let other = scene.world.course("EE1000").add().await;
    let outsider = scene.world.teacher("qian", &[&other]).await;
    assert_eq!(labs::get(services, &outsider, id).await.expect_err("another course's"), Error::NotFound);
    assert_eq!(labs::stop(services, &outsider, id).await.expect_err("another course's"), Error::NotFound);
    labs::get(services, &colleague, id).await.expect("they teach the course together");
    assert_eq!(labs::stop(services, &colleague, id).await.expect_err("not theirs"), Error::Forbidden);
    assert_eq!(labs::stop(services, &stranger, id).await.expect_err("another tenant's"), Error::NotFound);
    assert_eq!(labs::manifests(services, &stranger, id).await.expect_err("another tenant's"), Error::NotFound);
    assert_eq!(labs::stop(services, &auditor, id).await.expect_err("only reads"), Error::Forbidden);
    assert_eq!(labs::destroy(services, &manager, id).await.expect_err("not theirs to destroy"), Error::Forbidden);
    let token = with_scopes(&scene.teacher, &[domain::access::Scope::LabsRead]);
    assert_eq!(labs::stop(services, &token, id).await.expect_err("reads only"), Error::ScopeMissing { scope: "labs:write".into() });
    let refusals: Vec<_> = scene.recorded(&id.to_string()).await.into_iter().skip(2).collect();
    let [read, stop, destroy] = [Action::LabRead, Action::LabStop, Action::LabDestroy].map(Action::code);
    // The stranger's attempts are in their own tenant's chain.
    assert_eq!(refusals, [read, stop, stop, stop, destroy, stop]);

    let filter = LabFilter::default();
    let page = PageRequest::default();
    for (caller, seen) in [(&scene.teacher, 1), (&outsider, 0), (&colleague, 1), (&manager, 1), (&auditor, 1), (&operator, 1), (&stranger, 0)] {
        assert_eq!(labs::list(services, caller, &filter, &page).await.expect("a list").items.len(), seen, "{}", caller.actor.login);
    }
    assert_eq!(labs::list(services, &administrator, &filter, &page).await.expect_err("reads no labs"), Error::Forbidden);
    assert!(labs::manifests(services, &auditor, id).await.expect("may read").contains("StatefulSet"));
    labs::stop(services, &manager, id).await.expect("a manager may stop");
}

#[tokio::test]
async fn lists_go_on_where_the_page_before_ended() {
    for_each_engine("lists_go_on_where_the_page_before_ended", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let mut made = Vec::new();
        for _ in 0..5 {
            made.push(scene.pending().await);
        }
        scene.settle().await;
        labs::destroy(services, &scene.teacher, made[0]).await.expect("goes");
        scene.settle().await;
        made.reverse();
        let mut page = PageRequest { limit: 2, after: None };
        let mut seen = Vec::new();
        loop {
            let part = labs::list(services, &scene.teacher, &LabFilter { mine: true, ..LabFilter::default() }, &page).await.expect("a page");
            seen.extend(part.items.iter().map(|view| view.lab.id));
            match part.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, made);
        let live = LabFilter { live: true, course: Some(scene.course.id.into()), ..LabFilter::default() };
        assert_eq!(labs::list(services, &scene.teacher, &live, &PageRequest::default()).await.expect("a page").items.len(), 4);
        let gone = LabFilter { state: Some(LabState::Destroyed), ..LabFilter::default() };
        assert_eq!(labs::list(services, &scene.teacher, &gone, &PageRequest::default()).await.expect("a page").items.len(), 1);
        for bad in [PageRequest { limit: 0, after: None }, PageRequest { limit: 50, after: Some("x".into()) }] {
            assert!(matches!(labs::list(services, &scene.teacher, &live, &bad).await, Err(Error::Invalid(_))));
        }
    })
    .await;
}

#[tokio::test]
async fn a_cluster_that_refuses_makes_the_lab_fail_with_its_words() {
    for_each_engine("a_cluster_that_refuses_makes_the_lab_fail_with_its_words", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.world.cluster.refuse_next_start("Forbidden", "exceeded quota");
        let id = scene.pending().await;
        scene.settle().await;
        let lab = scene.lab(id).await;
        assert_eq!(lab.state, LabState::Failed);
        assert_eq!(lab.failure.map(|failure| (failure.reason, failure.message)), Some(("Forbidden".into(), "exceeded quota".into())));
        assert_eq!((scene.order_state(id).await, scene.reserved().await), (OrderState::Failed, 0));
        labs::start(services, &scene.teacher, id).await.expect("is tried again");
        scene.settle().await;
        let lab = scene.lab(id).await;
        assert_eq!((lab.state, lab.failure, scene.order_state(id).await), (LabState::Running, None, OrderState::Fulfilled));
        assert_eq!(reconcile::lab(services, id).await, Ok(false));
    })
    .await;
}
