//! What owners ask of labs that exist: restart, retry, extend, resize. Each step repeated, cut off and raced.

use std::collections::BTreeMap;

use domain::{
    Error, Problem,
    capacity::NoRoom,
    decisions::ChangeForm,
    labs::{Extension, LabFilter, LabState, lifecycle::EXTENSIONS, resize::CardChange},
    orders::{LAB_GONE, OrderState},
    page::PageRequest,
    pricing::Meter,
};
use storage::testing::for_each_engine;

use super::{
    Scene,
    fixtures::{Supervised, input, quota, require_approval, with_cards},
};
use crate::{
    Caller,
    jobs::{metering, reconcile, watch},
    labs, orders,
    ports::{Change, Clock as _},
};

#[tokio::test]
async fn a_restart_is_metered_as_it_was_and_counts_as_no_start() {
    for_each_engine("a_restart_is_metered_as_it_was_and_counts_as_no_start", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        let before = (scene.lab(id).await, quota(&scene).await);
        scene.world.clock.advance(100);
        scene.world.cluster.hold_pods();
        let view = labs::restart(services, &scene.teacher, id, Some(0)).await.expect("restarts");
        assert_eq!((view.lab.state, view.lab.lifecycle.generation), (LabState::Starting, 1));
        scene.settle().await;
        scene.world.clock.advance(40);
        scene.world.cluster.make_ready(id);
        watch::take(services, &[Change::Lab(id)]).await.expect("work");
        scene.settle().await;
        scene.world.clock.advance(60);
        metering::run(services).await.expect("meters");
        let after = scene.lab(id).await;
        assert_eq!((after.state, after.ends_at, after.reserved), (LabState::Running, before.0.ends_at, true));
        assert_eq!(quota(&scene).await.started_today, before.1.started_today);
        let detail = labs::get(services, &scene.teacher, id).await.expect("reads");
        let cards: i64 = detail.usage.iter().filter(|line| matches!(line.meter, Meter::CardHour(_))).map(|line| line.seconds).sum();
        assert_eq!(cards, 160, "not the 40 seconds without a ready pod");
        assert_eq!(scene.steps(id).await[3..], ["starting restart", "running ready"]);
        // The same request again, its answer lost: nothing is done again.
        let again = labs::restart(services, &scene.teacher, id, Some(0)).await.expect("answers");
        assert_eq!((again.lab.state, again.lab.lifecycle.generation), (LabState::Running, 1));
        let recorded = scene.recorded(&id.to_string()).await;
        assert_eq!(recorded.iter().filter(|action| *action == "lab.restart").count(), 1, "{recorded:?}");
    })
    .await;
}

#[tokio::test]
async fn a_restart_that_is_cut_off_between_any_two_steps_is_finished() {
    for_each_engine("a_restart_that_is_cut_off_between_any_two_steps_is_finished", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        let old = scene.lab_order(id).await;
        labs::restart(services, &scene.teacher, id, None).await.expect("restarts");
        // Killed after the cluster took the pods away and before the portal knew.
        services.cluster.stop(&scene.lab_order(id).await).await.expect("a cluster");
        reconcile::lab(services, id).await.expect("goes on");
        // A start of the old generation that was on its way arrives late: its pods go again.
        services.cluster.stop(&old).await.expect("a cluster");
        services.cluster.start(&old).await.expect("the cluster does not know better");
        watch::take(services, &[Change::Lab(id)]).await.expect("work");
        scene.settle_restart().await;
        let seen = services.cluster.observe(&scene.lab_order(id).await).await.expect("answers");
        assert_eq!((scene.lab(id).await.state, seen.ready, seen.outdated), (LabState::Running, 1, 0));
        assert_eq!(scene.reserved().await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_retry_keeps_the_first_failure_with_its_evidence() {
    for_each_engine("a_retry_keeps_the_first_failure_with_its_evidence", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.world.cluster.hold_pods();
        let id = scene.pending().await;
        scene.settle().await;
        for reason in ["ImagePullBackOff", "CrashLoopBackOff"] {
            scene.world.cluster.fail(id, reason, "in detail");
            watch::take(services, &[Change::Lab(id)]).await.expect("work");
            scene.settle().await;
            labs::retry(services, &scene.teacher, id).await.expect("again");
            labs::retry(services, &scene.teacher, id).await.expect("a second click is fine");
            scene.settle().await;
            scene.world.clock.advance(60);
        }
        scene.world.cluster.make_ready(id);
        watch::take(services, &[Change::Lab(id)]).await.expect("work");
        scene.settle().await;
        let detail = labs::get(services, &scene.teacher, id).await.expect("reads");
        assert_eq!((detail.view.lab.state, &detail.view.lab.failure), (LabState::Running, &None));
        let kept: Vec<_> = detail.failures.iter().map(|each| (each.attempt, each.failure.reason.as_str())).collect();
        assert_eq!(kept, [(1, "ImagePullBackOff"), (2, "CrashLoopBackOff")]);
        let evidence = detail.failures[0].evidence.as_ref().expect("evidence");
        assert_eq!(evidence.failure, Some(("ImagePullBackOff".into(), "in detail".into())));
        let refused = labs::stop(services, &scene.teacher, id).await.map(drop).and(labs::retry(services, &scene.teacher, id).await.map(drop));
        assert!(matches!(refused, Err(Error::InvalidTransition { .. })), "only what failed is tried again: {refused:?}");
    })
    .await;
}

#[tokio::test]
async fn an_extension_holds_its_cost_once() {
    for_each_engine("an_extension_holds_its_cost_once", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        let (lab, before) = (scene.lab(id).await, quota(&scene).await.budget.held);
        let wanted = labs::extend_preview(services, &scene.teacher, id, Extension::Minutes(30)).await.expect("a preview");
        let view = labs::extend(services, &scene.teacher, id, Extension::Minutes(30), Some(90)).await.expect("more time");
        assert_eq!((view.lab.minutes, view.lab.ends_at), (120, lab.ends_at.map(|end| end.plus_minutes(30))));
        assert_eq!(quota(&scene).await.budget.held, before.plus(wanted.cost));
        labs::extend(services, &scene.teacher, id, Extension::Minutes(30), Some(90)).await.expect("a second click");
        assert_eq!((scene.lab(id).await.minutes, quota(&scene).await.budget.held), (120, before.plus(wanted.cost)));
        let stale = labs::extend(services, &scene.teacher, id, Extension::Minutes(45), Some(90)).await.expect_err("another page extended it");
        assert_eq!(stale, Error::Stale);
        let until = view.lab.ends_at.expect("an end").plus_minutes(15);
        for _ in 0..2 {
            labs::extend(services, &scene.teacher, id, Extension::Until(until), None).await.expect("until a time");
        }
        assert_eq!((scene.lab(id).await.minutes, scene.lab(id).await.ends_at), (135, Some(until)));
        let longest = labs::extend(services, &scene.teacher, id, Extension::Minutes(100_000), None).await.expect_err("too long");
        assert!(matches!(longest, Error::Invalid(_)), "{longest:?}");
        let other = scene.world.teacher("wang", &[&scene.course]).await;
        let refused = labs::extend(services, &other, id, Extension::Minutes(30), None).await.expect_err("a colleague's");
        assert_eq!(refused, Error::Forbidden);
    })
    .await;
}

#[tokio::test]
async fn what_the_policy_would_ask_approval_for_a_manager_gives_and_not_to_oneself() {
    for_each_engine("what_the_policy_would_ask_approval_for_a_manager_gives_and_not_to_oneself", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.world.cluster.set_nodes(&[("gpu-1", "a100-80g", 8), ("gpu-2", "a100-80g", 8)]);
        watch::take(services, &[Change::Nodes]).await.expect("counts");
        let manager =
            scene.world.person("zhang").role(domain::access::Role::Manager).role(domain::access::Role::Teacher).teaches(&scene.course).add().await;
        let id = with_cards(&scene, &scene.teacher, 1).await;
        let size = input(&[("cards", "6")]);
        let own = with_cards(&scene, &manager, 1).await;
        let view = labs::resize(services, &manager, own, &size, "").await.expect("nobody approves their own: it waits for another manager");
        assert_eq!((view.lab.spec.cards(), view.pending_change.is_some()), (1, true));
        let given = labs::resize(services, &manager, id, &size, "").await.expect("they may decide it");
        assert_eq!(given.lab.spec.cards(), 6);
        let recorded = scene.recorded(&id.to_string()).await;
        assert!(recorded.contains(&"lab.resize".to_owned()), "{recorded:?}");
    })
    .await;
}

#[tokio::test]
async fn what_was_added_before_a_lab_first_ran_stays_held_when_it_runs() {
    for_each_engine("what_was_added_before_a_lab_first_ran_stays_held_when_it_runs", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.pending().await;
        let before = quota(&scene).await.budget.held;
        let wanted = labs::extend_preview(services, &scene.teacher, id, Extension::Minutes(30)).await.expect("a preview");
        labs::extend(services, &scene.teacher, id, Extension::Minutes(30), Some(90)).await.expect("given");
        let held = before.plus(wanted.cost);
        assert_eq!(quota(&scene).await.budget.held, held);
        scene.settle().await;
        let lab = scene.lab(id).await;
        assert_eq!((lab.state, lab.minutes, scene.order_state(id).await), (LabState::Running, 120, OrderState::Fulfilled));
        assert_eq!(quota(&scene).await.budget.held, held, "two hours, as they were paid for");
    })
    .await;
}

#[tokio::test]
async fn an_extension_that_needs_approval_is_filed_held_decided_and_given() {
    for_each_engine("an_extension_that_needs_approval_is_filed_held_decided_and_given", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let manager = scene.world.manager("zhang").await;
        let id = scene.running().await;
        let asks = async |caller: &Caller| labs::get(services, caller, id).await.expect("read").view.more_time_asks;
        let listed = async |caller: &Caller| {
            let page = labs::list(services, caller, &LabFilter::default(), &PageRequest::default()).await.expect("a list");
            page.items.into_iter().find(|view| view.lab.id == id).expect("in the list").more_time_asks
        };
        assert_eq!(asks(&scene.teacher).await, [0; 0], "what needs no approval is not said to need it");
        assert_eq!(listed(&scene.teacher).await, [0; 0], "nor in the list");
        require_approval(&scene).await;
        assert_eq!(asks(&scene.teacher).await, EXTENSIONS, "the page says before that it needs approval");
        assert_eq!(listed(&scene.teacher).await, EXTENSIONS, "and so does the list");
        assert_eq!(asks(&manager).await, [0; 0], "a manager gives it at once");
        let (lab, before) = (scene.lab(id).await, quota(&scene).await.budget.held);
        let wanted = labs::extend_preview(services, &scene.teacher, id, Extension::Minutes(30)).await.expect("a preview");
        let view = labs::extend(services, &scene.teacher, id, Extension::Minutes(30), Some(90)).await.expect("filed");
        let order = view.pending_change.expect("an order waits");
        assert_eq!((view.lab.minutes, view.lab.ends_at), (90, lab.ends_at), "the lab is as it was");
        let held = before.plus(wanted.cost);
        assert_eq!(quota(&scene).await.budget.held, held, "the money is held at once");
        assert_eq!(quota(&scene).await.held.running_labs, 0, "it is no second lab");
        let again = labs::extend(services, &scene.teacher, id, Extension::Minutes(30), Some(90)).await.expect("a second click");
        assert_eq!((again.pending_change, quota(&scene).await.budget.held), (Some(order), held));
        let page = labs::get(services, &scene.teacher, id).await.expect("read").view;
        assert!(page.more_time_waits, "the page offers no more time meanwhile");
        assert!(!labs::get(services, &manager, id).await.expect("read").view.more_time_waits, "a manager gives it at once");
        let other = labs::extend(services, &scene.teacher, id, Extension::Minutes(45), Some(90)).await.expect_err("one at a time");
        let waits = orders::get(services, &scene.teacher, order).await.expect("read").order.number;
        assert_eq!(other, Error::ChangeWaits { order, number: waits }, "it names the order that waits");

        let inbox = orders::waiting(services, &manager, &PageRequest::default()).await.expect("an inbox").items;
        assert_eq!(inbox.iter().map(|view| view.order.id).collect::<Vec<_>>(), [order]);
        assert_eq!(orders::approve(services, &scene.teacher, order, None).await.err(), Some(Error::Forbidden));
        let smaller = ChangeForm { duration_minutes: "15".into(), ..ChangeForm::default() };
        let changed = orders::approve_with(services, &manager, order, &smaller, "", None).await;
        assert!(matches!(changed, Err(Error::InvalidTransition { .. })), "{changed:?}");
        let shown = orders::approval(services, &manager, order).await.expect("an approval");
        assert_eq!(shown.view.order.change.as_ref().map(|change| change.lab), Some(id));
        let ends = shown.what_if.later_end.map(|end| (end.before, end.after));
        assert_eq!(ends, lab.ends_at.map(|end| (end, end.plus_minutes(30))), "the approver sees until when it would run");
        for _ in 0..2 {
            let decided = orders::approve(services, &manager, order, None).await.expect("approved, and a second click");
            assert_eq!(decided.order.state, OrderState::Fulfilled);
        }
        let after = scene.lab(id).await;
        assert_eq!((after.minutes, after.ends_at), (120, lab.ends_at.map(|end| end.plus_minutes(30))));
        assert_eq!(quota(&scene).await.budget.held, held, "the lab's own order holds it now");
        let page = labs::get(services, &scene.teacher, id).await.expect("read").view;
        assert_eq!((page.pending_change, page.more_time_waits), (None, false));
        assert!(scene.recorded(&id.to_string()).await.contains(&"lab.extend".to_owned()));

        // Rejected, and left alone until it expires: the held money is free, the lab unchanged.
        for reject in [true, false] {
            let view = labs::extend(services, &scene.teacher, id, Extension::Minutes(30), Some(120)).await.expect("filed");
            let order = view.pending_change.expect("an order waits");
            if reject {
                orders::reject(services, &manager, order, "The lesson is over", None).await.expect("rejected");
            } else {
                orders::cancel(services, &scene.teacher, order).await.expect("cancelled");
            }
            assert_eq!((scene.lab(id).await.minutes, quota(&scene).await.budget.held), (120, held));
        }
        // A lab that is gone cannot be given more.
        let order = labs::extend(services, &scene.teacher, id, Extension::Minutes(30), Some(120)).await.expect("filed").pending_change;
        labs::destroy(services, &scene.teacher, id).await.expect("goes");
        let late = orders::approve(services, &manager, order.expect("an order waits"), None).await;
        assert!(matches!(late, Err(Error::InvalidTransition { .. })), "{late:?}");
        assert_eq!(orders::expire(services).await, Ok(1), "nothing is left to decide");
        let view = orders::get(services, &scene.teacher, order.expect("an order")).await.expect("read");
        assert_eq!((view.order.state, view.order.reason.as_deref()), (OrderState::Cancelled, Some(LAB_GONE)));
        assert_eq!((quota(&scene).await.budget.held.micros, orders::expire(services).await), (0, Ok(0)));
    })
    .await;
}

#[tokio::test]
async fn time_until_an_instant_that_others_gave_in_part_is_not_given_twice() {
    for_each_engine("time_until_an_instant_that_others_gave_in_part_is_not_given_twice", |database| async {
        let Supervised { scene, manager, id } = Supervised::on(database).await;
        let services = &scene.world.services;
        let end = scene.lab(id).await.ends_at.expect("it runs");
        let until = end.plus_minutes(45);
        let asked = labs::extend(services, &scene.teacher, id, Extension::Until(until), None).await.expect("filed");
        labs::extend(services, &manager, id, Extension::Minutes(30), None).await.expect("given at once");
        orders::approve(services, &manager, asked.pending_change.expect("an order waits"), None).await.expect("approved");
        let lab = scene.lab(id).await;
        assert_eq!((lab.minutes, lab.ends_at), (90 + 45, Some(until)));
        // Too late for the time that was asked for.
        let asked = labs::extend(services, &scene.teacher, id, Extension::Until(until.plus_minutes(30)), None).await.expect("filed");
        scene.world.clock.set(until.plus_minutes(30));
        let late = orders::approve(services, &manager, asked.pending_change.expect("an order waits"), None).await;
        assert!(matches!(late, Err(Error::InvalidTransition { .. })), "{late:?}");
    })
    .await;
}

#[tokio::test]
async fn a_size_that_needs_approval_is_filed_and_taken_with_the_approval() {
    for_each_engine("a_size_that_needs_approval_is_filed_and_taken_with_the_approval", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.one_node(8).await;
        let manager = scene.world.manager("zhang").await;
        let id = with_cards(&scene, &scene.teacher, 1).await;
        let before = quota(&scene).await;
        let size = input(&[("cards", "6")]);
        let form = labs::resize_context(services, &scene.teacher, id).await.expect("a form");
        let wanted = form.preview(&size).expect("the offering allows it");
        assert!(form.waits_for(&wanted).is_some(), "the form says so before it is sent");
        assert_eq!(form.cards(&wanted), CardChange::More { asked: 5, free: Some(7) });
        assert_eq!(form.waits_for(&form.preview(&input(&[("cards", "1")])).expect("as it is")), None, "nothing to approve");
        let theirs = labs::resize_context(services, &manager, id).await.expect("a form");
        assert_eq!(theirs.waits_for(&wanted), None, "a manager gives it");
        let long = "x".repeat(201);
        let refused = labs::resize(services, &scene.teacher, id, &size, &long).await.expect_err("nobody reads so much");
        assert!(matches!(&refused, Error::Invalid(problems) if problems[0].field == "purpose"), "{refused:?}");
        let view = labs::resize(services, &scene.teacher, id, &size, " Exam week ").await.expect("more than four cards: filed");
        let order = view.pending_change.expect("an order waits");
        assert_eq!(orders::get(services, &manager, order).await.expect("the order").order.purpose, "Exam week");
        assert_eq!(view.lab.spec.cards(), 1);
        let again = labs::resize(services, &scene.teacher, id, &size, "").await.expect("a second click");
        assert_eq!(again.pending_change, Some(order));
        let asked = quota(&scene).await;
        assert!(asked.budget.held.micros > before.budget.held.micros, "what it costs more is held");
        assert_eq!(asked.in_use(), before.in_use(), "cards are taken with the approval");
        let shown = async || orders::approval(services, &manager, order).await.expect("an approval").what_if.size_change.expect("a change of size");
        scene.one_node(5).await;
        let few = shown().await;
        assert_eq!((few.asked, few.free, few.no_room), (5, 4, Some(NoRoom::TooFew)), "the page says before why it cannot be approved");
        let refused = orders::approve(services, &manager, order, None).await.err();
        assert_eq!(refused, Some(Error::OverCapacity { asked: 5, free: 4, why: NoRoom::TooFew }));
        scene.one_node(8).await;
        let enough = shown().await;
        assert_eq!((enough.before.cards(), enough.asked, enough.free, enough.no_room), (1, 5, 7, None));
        let decided = orders::approve(services, &manager, order, None).await.expect("approved");
        assert_eq!((decided.order.state, scene.lab(id).await.spec.cards()), (OrderState::Fulfilled, 6));
        let after = quota(&scene).await;
        assert_eq!((after.budget.held, after.in_use().get(domain::quotas::Item::Cards)), (asked.budget.held, 6 * 840));
    })
    .await;
}

#[tokio::test]
async fn a_resize_takes_and_gives_cards_quota_and_budget_in_one_step() {
    for_each_engine("a_resize_takes_and_gives_cards_quota_and_budget_in_one_step", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let card = "a100-80g".parse().expect("a card");
        let reserved = async || {
            let mut read = services.db.read().await.expect("a connection");
            storage::pools::find(&mut read, card).await.expect("read").expect("a pool").reserved
        };
        let manager = scene.world.manager("zhang").await;
        let id = with_cards(&scene, &scene.teacher, 1).await;
        let before = quota(&scene).await;
        scene.world.clock.advance(600);
        labs::resize(services, &manager, id, &input(&[("cards", "3")]), "").await.expect("grows");
        let (after, lab) = (quota(&scene).await, scene.lab(id).await);
        assert_eq!((lab.state, lab.lifecycle.generation, lab.spec.cards()), (LabState::Starting, 1, 3));
        assert_eq!((after.used.cards.minus(before.used.cards).parts(), reserved().await), (2 * 840, 3));
        assert!(after.budget.held.micros > before.budget.held.micros);
        scene.settle_restart().await;
        assert_eq!(scene.lab(id).await.state, LabState::Running);
        labs::resize(services, &manager, id, &input(&[("cards", "3")]), "").await.expect("has that size already");
        assert_eq!(scene.lab(id).await.lifecycle.generation, 1);

        // Smaller: the cards are free when the old pods are gone, not before.
        labs::resize(services, &manager, id, &input(&[("cards", "2")]), "").await.expect("shrinks");
        assert_eq!(reserved().await, 3);
        scene.settle_restart().await;
        assert_eq!((scene.lab(id).await.state, reserved().await), (LabState::Running, 2));

        // More than there is: nothing changes.
        scene.one_node(3).await;
        let refused = labs::resize(services, &manager, id, &input(&[("cards", "4")]), "").await.expect_err("three cards are there");
        assert_eq!(refused, Error::OverCapacity { asked: 2, free: 1, why: NoRoom::TooFew });
        assert_eq!((scene.lab(id).await.spec.cards(), reserved().await), (2, 2));
        let smaller = labs::resize(services, &manager, id, &input(&[("storage_gib", "1")]), "").await.expect_err("files would be lost");
        assert!(matches!(smaller, Error::Invalid(_)), "{smaller:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_names_the_bounds_that_hold_for_this_lab() {
    let scene = Scene::on(storage::testing::TestDatabase::sqlite().await).await;
    let services = &scene.world.services;
    let id = scene.running().await;
    let now = scene.world.clock.now();
    let ends_at = scene.lab(id).await.ends_at.expect("it runs");
    let until = async |at| labs::extend(services, &scene.teacher, id, Extension::Until(at), None).await.map(drop);
    assert_eq!(until(now.plus_minutes(-5)).await, Err(Error::field("until", Problem::InThePast { now })));
    // Half an hour from now is in the future, but the lab runs longer already.
    assert_eq!(until(now.plus_minutes(30)).await, Err(Error::field("until", Problem::NotAfter { at: ends_at })));
    // Too long: a clock field is told the latest time, a number of minutes its bounds.
    let too_many = labs::extend(services, &scene.teacher, id, Extension::Minutes(100_000), None).await.map(drop);
    let Err(Error::Invalid(problems)) = too_many else { panic!("it must be refused: {too_many:?}") };
    let Problem::OutOfRange { min: 1, max } = problems[0].problem else { panic!("{problems:?}") };
    let at = ends_at.plus_minutes(max);
    assert_eq!(until(at.plus_minutes(1)).await, Err(Error::field("until", Problem::EndsTooLate { at })));
    let storage = async |gib| labs::resize(services, &scene.teacher, id, &input(&[("storage_gib", gib)]), "").await.map(drop);
    // The offering allows 10 to 200, and the volume has 20.
    for gib in ["10", "1", "210"] {
        assert_eq!(storage(gib).await, Err(Error::field("parameters.storage_gib", Problem::OutOfRange { min: 20, max: 200 })), "{gib}");
    }
}

#[tokio::test]
async fn two_who_grow_at_once_do_not_both_get_the_last_card() {
    for_each_engine("two_who_grow_at_once_do_not_both_get_the_last_card", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.one_node(3).await;
        let manager = scene.world.manager("zhang").await;
        let one = with_cards(&scene, &scene.teacher, 1).await;
        let two = with_cards(&scene, &scene.teacher, 1).await;
        let replica = scene.world.replica();
        let size = input(&[("cards", "2")]);
        let grow = (Box::pin(labs::resize(services, &manager, one, &size, "")), Box::pin(labs::resize(&replica, &manager, two, &size, "")));
        let (first, second) = futures::join!(grow.0, grow.1);
        let refused: Vec<_> = [first.err(), second.err()].into_iter().flatten().collect();
        assert_eq!(refused, [Error::OverCapacity { asked: 1, free: 0, why: NoRoom::TooFew }]);
    })
    .await;
}

#[tokio::test]
async fn usage_before_a_resize_stays_at_the_old_size() {
    for_each_engine("usage_before_a_resize_stays_at_the_old_size", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = with_cards(&scene, &scene.teacher, 1).await;
        let storage = scene.lab(id).await.spec.storage_gib;
        scene.world.clock.advance(600);
        metering::run(services).await.expect("meters");
        let grown = (storage + 128).to_string();
        let manager = scene.world.manager("zhang").await;
        labs::resize(services, &manager, id, &input(&[("cards", "2"), ("storage_gib", &grown)]), "").await.expect("grows");
        for _ in 0..3 {
            scene.settle().await;
            scene.world.clock.advance(5);
        }
        scene.world.clock.advance(285);
        metering::run(services).await.expect("meters");
        metering::run(services).await.expect("again changes nothing");
        let detail = labs::get(services, &scene.teacher, id).await.expect("reads");
        let mut seconds = BTreeMap::new();
        for line in &detail.usage {
            *seconds.entry((line.meter.to_string(), line.quantity)).or_insert(0) += line.seconds;
        }
        assert_eq!(seconds[&("gpu-a100-80g-hour".into(), 1)], 600);
        assert!(seconds[&("gpu-a100-80g-hour".into(), 2)] >= 285, "{seconds:?}");
        assert_eq!(seconds[&("storage-gib-month".into(), i64::from(storage))], 600);
        assert_eq!(seconds[&("storage-gib-month".into(), i64::from(storage) + 128)], 300);
        assert_eq!(detail.view.cost.micros, detail.usage.iter().map(|line| line.amount.micros).sum::<i64>());
    })
    .await;
}

#[tokio::test]
async fn an_order_is_filled_again_as_it_was_with_what_changed() {
    for_each_engine("an_order_is_filled_again_as_it_was_with_what_changed", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let order = scene.order().await;
        let again = orders::again(services, &scene.teacher, order.order.id).await.expect("a filled form");
        assert_eq!((again.form.offering.as_str(), again.form.duration_minutes.as_str(), again.notes.len()), ("jupyterlab-slice", "90", 0));
        let key = orders::IdempotencyKey::parse("again-1").expect("a key");
        orders::submit(services, &scene.teacher, &again.form, &key).await.expect("can be sent as it is");
        let other = scene.world.teacher("wang", &[]).await;
        assert_eq!(orders::again(services, &other, order.order.id).await.expect_err("not theirs"), Error::NotFound);
    })
    .await;
}

#[tokio::test]
async fn the_steps_of_a_start_are_shown_and_kept_for_the_next_one() {
    for_each_engine("the_steps_of_a_start_are_shown_and_kept_for_the_next_one", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let first = scene.running().await;
        let steps = labs::get(services, &scene.teacher, first).await.expect("reads").start;
        let names: Vec<_> = steps.iter().map(|step| step.step.as_str()).collect();
        assert_eq!(names, ["approval", "queue", "volumes", "schedule", "pull", "container", "ready"]);
        assert!(steps.iter().all(|step| step.until.is_some()), "{steps:?}");
        let next = scene.pending().await;
        let steps = labs::get(services, &scene.teacher, next).await.expect("reads").start;
        assert!(steps[1].is_current() && steps.iter().all(|step| step.usual_seconds.is_some()), "{steps:?}");
        labs::stop(services, &scene.teacher, first).await.expect("stops");
        scene.settle().await;
        assert_eq!(labs::get(services, &scene.teacher, first).await.expect("reads").start, []);
    })
    .await;
}
