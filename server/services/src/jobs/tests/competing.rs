//! Changes of a lab that meet others: what somebody else gave meanwhile, and who waits for the same cards.

use domain::{Error, access::Role, capacity::NoRoom, labs::Extension, orders::OrderState};
use storage::testing::for_each_engine;

use super::{
    Scene,
    fixtures::{Supervised, cards_form, input, key, quota, require_approval, require_operator_over, with_cards},
};
use crate::{jobs::watch, labs, orders, ports::Change};

#[tokio::test]
async fn minutes_that_others_gave_meanwhile_are_not_given_twice() {
    for_each_engine("minutes_that_others_gave_meanwhile_are_not_given_twice", |database| async {
        let Supervised { scene, manager, id } = Supervised::on(database).await;
        let services = &scene.world.services;
        let end = scene.lab(id).await.ends_at.expect("it runs");
        // Given in part, then in full.
        for (asked, given) in [(45, 30), (30, 30)] {
            let (minutes, seen) = (scene.lab(id).await.minutes, quota(&scene).await.budget.held);
            let cost = labs::extend_preview(services, &scene.teacher, id, Extension::Minutes(asked)).await.expect("a preview").cost;
            let order = labs::extend(services, &scene.teacher, id, Extension::Minutes(asked), None).await.expect("filed").pending_change;
            labs::extend(services, &manager, id, Extension::Minutes(given), None).await.expect("given at once");
            orders::approve(services, &manager, order.expect("an order waits"), None).await.expect("approved");
            assert_eq!(scene.lab(id).await.minutes, minutes + asked);
            let more = quota(&scene).await.budget.held.minus(seen).minus(cost).micros;
            assert!((-10..=10).contains(&more), "the time is held once: {more} micros differ");
        }
        assert_eq!(scene.lab(id).await.ends_at, Some(end.plus_minutes(75)));
    })
    .await;
}

#[tokio::test]
async fn a_size_that_others_gave_meanwhile_is_not_given_or_held_twice() {
    for_each_engine("a_size_that_others_gave_meanwhile_is_not_given_or_held_twice", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.one_node(8).await;
        let manager = scene.world.manager("zhang").await;
        // What a manager gives at once while the request for so many cards waits, and what the lab has after the approval.
        for (asked, given, after) in [("6", "3", 6), ("6", "6", 6), ("5", "6", 6)] {
            let id = with_cards(&scene, &scene.teacher, 1).await;
            let before = quota(&scene).await.budget.held;
            let form = labs::resize_context(services, &scene.teacher, id).await.expect("a form");
            let cost = form.preview(&input(&[("cards", &after.to_string())])).expect("the offering allows it").difference;
            let order = labs::resize(services, &scene.teacher, id, &input(&[("cards", asked)]), "").await.expect("filed").pending_change;
            labs::resize(services, &manager, id, &input(&[("cards", given)]), "").await.expect("given at once");
            scene.settle_restart().await;
            orders::approve(services, &manager, order.expect("an order waits"), None).await.expect("approved");
            assert_eq!(scene.lab(id).await.spec.cards(), after, "{asked} asked, {given} given");
            let more = quota(&scene).await.budget.held.minus(before).minus(cost).micros;
            assert!((-10..=10).contains(&more), "what was given is held once: {more} micros differ");
            labs::destroy(services, &scene.teacher, id).await.expect("goes");
            scene.settle().await;
            // The cards that a course may start are counted by the day.
            scene.world.clock.advance(24 * 3_600);
        }
    })
    .await;
}

#[tokio::test]
async fn a_size_that_waits_costs_what_the_lab_makes_of_it_and_is_approved_as_it_is_shown() {
    for_each_engine("a_size_that_waits_costs_what_the_lab_makes_of_it_and_is_approved_as_it_is_shown", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.one_node(8).await;
        let manager = scene.world.manager("zhang").await;
        let id = with_cards(&scene, &scene.teacher, 1).await;
        let size = input(&[("cards", "6")]);
        let filed = labs::resize(services, &scene.teacher, id, &size, "").await.expect("filed").pending_change.expect("an order waits");
        let order = async || orders::get(services, &manager, filed).await.expect("read").order;
        let cost = async || labs::resize_context(services, &manager, id).await.expect("a form").preview(&size).expect("it is allowed").difference;
        let seen = order().await;
        assert_eq!(seen.estimate.total, cost().await);
        labs::extend(services, &manager, id, Extension::Minutes(90), None).await.expect("given at once");
        let renewed = order().await;
        assert_eq!(renewed.estimate.total, cost().await, "five more cards for all of the time");
        assert!(renewed.estimate.total.micros > seen.estimate.total.micros);
        assert!(scene.recorded(&filed.to_string()).await.contains(&"order.renew".to_owned()));
        assert_eq!(orders::approve(services, &manager, filed, Some(seen.version)).await.err(), Some(Error::Stale));
        // Something else made it cost more, and nobody renewed it: the approval does, and gives nothing.
        let mut lab = scene.lab(id).await;
        (lab.minutes, lab.ends_at) = (lab.minutes + 60, lab.ends_at.map(|end| end.plus_minutes(60)));
        let mut write = services.db.begin_write().await.expect("a transaction");
        assert!(storage::labs::save(&mut write, &lab).await.expect("written"));
        write.commit().await.expect("kept");
        assert_eq!(orders::approve(services, &manager, filed, Some(renewed.version)).await.err(), Some(Error::Stale));
        let shown = order().await;
        assert_eq!((shown.estimate.total, scene.lab(id).await.spec.cards()), (cost().await, 1));
        let held = quota(&scene).await.budget.held;
        orders::approve(services, &manager, filed, Some(shown.version)).await.expect("approved as it is shown");
        assert_eq!((scene.lab(id).await.spec.cards(), quota(&scene).await.budget.held), (6, held), "the lab's own order holds all of it");
    })
    .await;
}

#[tokio::test]
async fn time_that_waits_costs_what_the_size_costs_that_the_lab_has_meanwhile() {
    for_each_engine("time_that_waits_costs_what_the_size_costs_that_the_lab_has_meanwhile", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.one_node(8).await;
        let manager = scene.world.manager("zhang").await;
        let id = with_cards(&scene, &scene.teacher, 1).await;
        require_approval(&scene).await;
        let filed = labs::extend(services, &scene.teacher, id, Extension::Minutes(60), None).await.expect("filed").pending_change;
        let filed = filed.expect("an order waits");
        labs::resize(services, &manager, id, &input(&[("cards", "3")]), "").await.expect("given at once");
        let shown = orders::get(services, &manager, filed).await.expect("read").order;
        let wanted = labs::extend_preview(services, &manager, id, Extension::Minutes(60)).await.expect("a preview");
        assert_eq!((shown.estimate.total, shown.spec.cards(), shown.version), (wanted.cost, 3, 2), "an hour of three cards");
        assert_eq!(orders::approve(services, &manager, filed, Some(1)).await.err(), Some(Error::Stale), "the approver saw one card");
        let held = quota(&scene).await.budget.held;
        orders::approve(services, &manager, filed, Some(2)).await.expect("approved as it is shown");
        assert_eq!((scene.lab(id).await.minutes, quota(&scene).await.budget.held), (wanted.minutes, held));
    })
    .await;
}

#[tokio::test]
async fn a_change_that_grew_past_a_rule_waits_for_the_people_of_that_rule_too() {
    for_each_engine("a_change_that_grew_past_a_rule_waits_for_the_people_of_that_rule_too", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.one_node(8).await;
        let (manager, operator) = (scene.world.manager("zhang").await, scene.world.operator("wu").await);
        let id = with_cards(&scene, &scene.teacher, 1).await;
        require_operator_over(&scene, 200).await;
        let filed = labs::resize(services, &scene.teacher, id, &input(&[("cards", "6")]), "").await.expect("filed").pending_change;
        let filed = filed.expect("an order waits");
        let stages = async || orders::get(services, &manager, filed).await.expect("read").order.ruling.outcome.stages().to_vec();
        assert_eq!(stages().await, [Role::Manager], "90 minutes");
        labs::extend(services, &manager, id, Extension::Minutes(150), None).await.expect("given at once");
        assert_eq!(stages().await, [Role::Manager, Role::Operator], "four hours");
        let passed = orders::approve(services, &manager, filed, None).await.expect("their stage").order;
        assert_eq!((passed.awaits(), scene.lab(id).await.spec.cards()), (Some(Role::Operator), 1));
        // It grows again before the last stage: who passed a smaller one is asked again.
        labs::extend(services, &manager, id, Extension::Minutes(30), None).await.expect("given at once");
        let again = orders::get(services, &manager, filed).await.expect("read").order;
        assert_eq!((again.awaits(), again.stage, again.barred.len()), (Some(Role::Manager), 0, 0));
        for decider in [&manager, &operator] {
            orders::approve(services, decider, filed, None).await.expect("approved");
        }
        assert_eq!(scene.lab(id).await.spec.cards(), 6);
    })
    .await;
}

#[tokio::test]
async fn free_cards_on_other_nodes_are_told_from_too_few() {
    for_each_engine("free_cards_on_other_nodes_are_told_from_too_few", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.world.cluster.set_nodes(&[("gpu-1", "a100-80g", 2), ("gpu-2", "a100-80g", 2)]);
        watch::take(services, &[Change::Nodes]).await.expect("counts");
        let manager = scene.world.manager("zhang").await;
        let id = with_cards(&scene, &scene.teacher, 1).await;
        let grow = async |cards| labs::resize(services, &manager, id, &input(&[("cards", cards)]), "").await.err();
        assert_eq!(grow("3").await, Some(Error::OverCapacity { asked: 2, free: 3, why: NoRoom::Elsewhere }));
        assert_eq!(grow("6").await, Some(Error::OverCapacity { asked: 5, free: 3, why: NoRoom::TooFew }));
        assert_eq!(grow("2").await, None, "its own node has room for two");
    })
    .await;
}

#[tokio::test]
async fn a_growth_passes_who_cannot_run_now_and_starves_nobody() {
    for_each_engine("a_growth_passes_who_cannot_run_now_and_starves_nobody", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.one_node(3).await;
        let manager = scene.world.manager("zhang").await;
        let id = with_cards(&scene, &scene.teacher, 1).await;
        let waits = orders::submit(services, &scene.teacher, &cards_form(&scene, 4), &key(&scene)).await.expect("an order").order;
        if waits.state == OrderState::PendingApproval {
            orders::approve(services, &manager, waits.id, None).await.expect("approved");
        }
        let queued = async || orders::get(services, &scene.teacher, waits.id).await.expect("read").order.state == OrderState::Queued;
        assert!(queued().await);
        let grow = async |cards| {
            labs::resize(services, &manager, id, &input(&[("cards", cards)]), "").await?;
            scene.settle_restart().await;
            Ok::<_, Error>(())
        };
        assert_eq!(grow("2").await, Ok(()), "four cards are on no node, however long the other waits");
        scene.one_node(4).await;
        assert_eq!(grow("3").await, Ok(()), "the other finds no place now");
        scene.world.clock.advance(domain::capacity::PASSED_MINUTES * 60);
        let refused = grow("4").await;
        assert!(matches!(refused, Err(Error::OverCapacity { asked: 1, why: NoRoom::Kept, .. })), "from now on the node is kept for it: {refused:?}");
        labs::stop(services, &scene.teacher, id).await.expect("stops");
        scene.settle().await;
        orders::promote(services).await.expect("the queue goes on");
        assert!(!queued().await, "it runs");
    })
    .await;
}
