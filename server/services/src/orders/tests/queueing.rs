//! The queue: those that waited longest first, orders and restarted labs in one line; who finds no place is passed for a while.

use domain::{
    capacity::{PASSED_MINUTES, WaitReason},
    labs::{LabEvent, LabState},
    orders::{ClassForm, OrderForm, OrderState},
};

use super::{SLICE, WHOLE, cards, cards_on, on_each_engine, order, quota, records, reserved, slice, state, whole};
use crate::{
    orders::{approval, approve, approve_class, cancel, get, preview, promote},
    testing::TestWorld,
};

on_each_engine!(cards_go_to_those_that_wait_longest, |world| {
    let course = world.course("AI2301").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        world.clock.advance(60);
        ids.push(order(&world, &teacher, &slice(&course)).await.expect("ordered").order.id);
    }
    assert_eq!(promote(&world.services).await, Ok(0), "the cluster has not reported");
    cards(&world, SLICE, 2).await;
    assert_eq!(promote(&world.services).await, Ok(2));
    let mut states = Vec::new();
    for id in &ids {
        let view = get(&world.services, &teacher, *id).await.expect("read");
        states.push((view.order.state, view.labs.len(), view.queue_position));
    }
    let (approved, queued) = (OrderState::Approved, OrderState::Queued);
    assert_eq!(states, [(approved, 1, None), (approved, 1, None), (queued, 0, Some(1)), (queued, 0, Some(2))]);
    assert_eq!(promote(&world.services).await, Ok(0), "no more cards");
    // What was cancelled does not wait any more.
    cancel(&world.services, &teacher, ids[2]).await.expect("cancelled");
    cards(&world, SLICE, 3).await;
    assert_eq!(promote(&world.services).await, Ok(1));
    assert_eq!(state(&world.services, ids[3]).await, approved);
    assert_eq!((reserved(&world, SLICE).await, quota(&world, course.id).await.used.running_labs), (3, 3));
    assert_eq!(records(&world, "order.promote").await.len(), 3);
});

on_each_engine!(small_orders_pass_a_big_one_that_finds_no_place_until_it_waited_too_long, |world| {
    cards(&world, WHOLE, 4).await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let running = order(&world, &teacher, &whole(&course, 1)).await.expect("ordered");
    assert_eq!(running.order.state, OrderState::Approved);
    let big = order(&world, &teacher, &whole(&course, 4)).await.expect("ordered").order.id;
    approve(&world.services, &manager, big, None).await.expect("approved");
    // Three cards are free, and the big one cannot use them now: a small one need not wait.
    world.clock.advance(PASSED_MINUTES * 60 - 1);
    let passes = order(&world, &teacher, &whole(&course, 1)).await.expect("ordered");
    assert_eq!(passes.order.state, OrderState::Approved);
    // Half an hour later the node is kept for it.
    world.clock.advance(1);
    let small = order(&world, &teacher, &whole(&course, 1)).await.expect("ordered");
    assert_eq!((small.order.state, small.queue_position), (OrderState::Queued, Some(2)));
    assert_eq!(promote(&world.services).await, Ok(0));

    // The labs go; their cards come back with them.
    for lab in [running.labs[0], passes.labs[0]] {
        step(&world, lab, &[LabEvent::Destroy, LabEvent::ObjectsGone], true).await;
    }
    assert_eq!(promote(&world.services).await, Ok(1));
    assert_eq!((state(&world.services, big).await, state(&world.services, small.order.id).await), (OrderState::Approved, OrderState::Queued));
});

on_each_engine!(one_that_fits_no_single_node_keeps_one_node_and_leaves_the_others, |world| {
    cards_on(&world, WHOLE, &[4, 4]).await;
    let course = world.course("CV2402").starts_per_day(64).add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    // One card of each node is taken: six are free, and no node has four.
    let mut first = Vec::new();
    for cards in [3, 3, 1, 1] {
        let view = order(&world, &teacher, &whole(&course, cards)).await.expect("ordered");
        if cards > 1 {
            approve(&world.services, &manager, view.order.id, None).await.expect("approved");
            first.push(get(&world.services, &teacher, view.order.id).await.expect("read").labs[0]);
        }
    }
    for lab in first {
        step(&world, lab, &[LabEvent::Destroy, LabEvent::ObjectsGone], true).await;
    }
    let big = order(&world, &teacher, &whole(&course, 4)).await.expect("ordered").order.id;
    approve(&world.services, &manager, big, None).await.expect("approved");
    assert_eq!(state(&world.services, big).await, OrderState::Queued);
    world.clock.advance(PASSED_MINUTES * 60);
    let mut states = Vec::new();
    for _ in 0..4 {
        states.push(order(&world, &teacher, &whole(&course, 1)).await.expect("ordered").order.state);
    }
    let (there, waits) = (OrderState::Approved, OrderState::Queued);
    assert_eq!(states, [there, there, there, waits], "three cards of one node are for all, those of the other one are kept");
});

// What the form and the approver are told is what then happens.
on_each_engine!(what_is_foretold_of_an_order_is_what_the_queue_does_with_it, |world| {
    cards_on(&world, WHOLE, &[2, 2]).await;
    let course = world.course("CV2402").cards(64).starts_per_day(64).cards_per_order(64).add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let services = &world.services;
    let held = order(&world, &teacher, &whole(&course, 1)).await.expect("ordered");
    let big = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered");
    let other = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered");
    for view in [&big, &other] {
        if view.order.state == OrderState::PendingApproval {
            approve(services, &manager, view.order.id, None).await.expect("approved");
        }
    }
    // One card is free, and nobody who waits can use it.
    let outlook = preview(services, &teacher, &whole(&course, 1)).await.expect("a preview").outlook.expect("the cluster has reported");
    assert_eq!((outlook.now, outlook.wait), (1, None));
    world.clock.advance(PASSED_MINUTES * 60);
    let foretold = preview(services, &teacher, &whole(&course, 1)).await.expect("a preview");
    let outlook = foretold.outlook.expect("the cluster has reported");
    assert_eq!((foretold.cards_free, outlook.now), (Some(1), 0), "a free card that is kept for somebody is no promise");
    assert!(matches!(outlook.wait, Some(WaitReason::Turn { .. })), "{outlook:?}");
    let asked = order(&world, &teacher, &whole(&course, 1)).await.expect("ordered").order;
    assert_eq!(asked.state, OrderState::Queued, "as foretold");
    step(&world, held.labs[0], &[LabEvent::Destroy, LabEvent::ObjectsGone], true).await;
    assert_eq!(promote(services).await, Ok(1), "the big one has its node");
});

on_each_engine!(a_class_that_the_cluster_cannot_hold_is_told_so_on_the_form_and_to_its_approver, |world| {
    cards_on(&world, SLICE, &[4, 3]).await;
    let course = world.course("CV2402").cards(64).starts_per_day(64).cards_per_order(1).add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let services = &world.services;
    let class = OrderForm { class: ClassForm { seats: "12".into(), ..ClassForm::default() }, ..slice(&course) };
    let outlook = preview(services, &teacher, &class).await.expect("a preview").outlook.expect("the cluster has reported");
    assert_eq!((outlook.seats, outlook.at_once, outlook.now, outlook.waiting()), (12, 7, 7, 5));
    let first = order(&world, &teacher, &class).await.expect("nothing is refused").order;
    assert_eq!(first.state, OrderState::PendingApproval);
    let shown = approval(services, &manager, first.id).await.expect("an approval").what_if.outlook.expect("the cluster has reported");
    assert_eq!((shown.seats, shown.at_once, shown.now), (12, 7, 7));
    let rows = approve_class(services, &manager, first.class.expect("a class").id).await.expect("approved");
    let count = |state| rows.iter().filter(|row| row.state == Some(state)).count();
    assert_eq!((count(OrderState::Approved), count(OrderState::Queued)), (7, 5), "as foretold");
    let never = preview(services, &teacher, &whole(&course, 2)).await.expect("a preview");
    assert_eq!(never.outlook, None, "the cluster has never reported such cards");
    cards_on(&world, WHOLE, &[1, 1]).await;
    let never = preview(services, &teacher, &whole(&course, 2)).await.expect("a preview").outlook.expect("reported");
    assert!(never.never_fits());
});

on_each_engine!(what_the_cluster_can_never_hold_does_not_stop_the_others, |world| {
    cards(&world, WHOLE, 2).await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let huge = order(&world, &teacher, &whole(&course, 8)).await.expect("ordered").order.id;
    approve(&world.services, &manager, huge, None).await.expect("approved");
    let small = order(&world, &teacher, &whole(&course, 1)).await.expect("ordered");
    assert_eq!(small.order.state, OrderState::Approved);
    assert_eq!(state(&world.services, huge).await, OrderState::Queued, "it waits for the cluster to grow");
});

on_each_engine!(a_restarted_lab_waits_in_the_same_line, |world| {
    cards(&world, SLICE, 1).await;
    let course = world.course("AI2301").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let first = order(&world, &teacher, &slice(&course)).await.expect("ordered");
    let lab = first.labs[0];
    // It runs, stops, gives its card back, and is started again behind an order that came meanwhile.
    world.clock.advance(60);
    step(&world, lab, &[LabEvent::Applied, LabEvent::Ready, LabEvent::Stop, LabEvent::PodsGone], true).await;
    let second = order(&world, &teacher, &slice(&course)).await.expect("ordered");
    assert_eq!(second.order.state, OrderState::Approved, "the card was free");
    world.clock.advance(60);
    let third = order(&world, &teacher, &slice(&course)).await.expect("ordered");
    world.clock.advance(60);
    let view = crate::labs::start(&world.services, &teacher, lab).await.expect("started");
    assert_eq!((view.lab.state, view.queue_position), (LabState::Pending, Some(2)));

    cards(&world, SLICE, 2).await;
    assert_eq!(promote(&world.services).await, Ok(1));
    assert_eq!(state(&world.services, third.order.id).await, OrderState::Approved);
    cards(&world, SLICE, 3).await;
    assert_eq!(promote(&world.services).await, Ok(1));
    let mut connection = world.services.db.read().await.expect("a connection");
    let lab = storage::labs::get(&mut connection, lab).await.expect("read").expect("the lab");
    assert_eq!((lab.state, lab.reserved), (LabState::Pending, true));
});

on_each_engine!(two_replicas_promoting_at_once_give_away_no_card_twice, |world| {
    let course = world.course("AI2301").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    for _ in 0..40 {
        order(&world, &teacher, &slice(&course)).await.expect("ordered");
    }
    cards(&world, SLICE, 30).await;
    let replica = world.replica();
    let (first, second) = tokio::join!(promote(&world.services), promote(&replica));
    assert_eq!(first.expect("promoted") + second.expect("promoted"), 30);
    assert_eq!(reserved(&world, SLICE).await, 30);
});

/// Takes a lab through these events as the reconciler would, and gives its cards back at the end if wanted.
async fn step(world: &TestWorld, id: domain::ids::LabId, events: &[LabEvent], release: bool) {
    use crate::labs::transition::{self, By};
    let mut write = world.services.db.begin_write().await.expect("a transaction");
    let mut lab = storage::labs::get(&mut write, id).await.expect("read").expect("the lab");
    for event in events {
        transition::take(&world.services, &mut write, &mut lab, *event, By::Job("test")).await.expect("a step");
    }
    if release {
        storage::reservations::release(&mut write, id).await.expect("released");
    }
    write.commit().await.expect("committed");
}
