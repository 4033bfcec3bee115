//! The queue: first come first served per kind of card, orders and restarted labs in one line.

use domain::{
    labs::{LabEvent, LabState},
    orders::OrderState,
};

use super::{SLICE, WHOLE, cards, on_each_engine, order, quota, records, reserved, slice, state, whole};
use crate::{
    orders::{approve, cancel, get, promote},
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

on_each_engine!(a_big_order_at_the_head_is_not_overtaken, |world| {
    cards(&world, WHOLE, 4).await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let running = order(&world, &teacher, &whole(&course, 1)).await.expect("ordered");
    assert_eq!(running.order.state, OrderState::Approved);
    let big = order(&world, &teacher, &whole(&course, 4)).await.expect("ordered").order.id;
    approve(&world.services, &manager, big, None).await.expect("approved");
    // Three cards are free, and yet a later order for one waits behind the big one.
    let small = order(&world, &teacher, &whole(&course, 1)).await.expect("ordered");
    assert_eq!((small.order.state, small.queue_position), (OrderState::Queued, Some(2)));
    assert_eq!(promote(&world.services).await, Ok(0));

    // The first lab goes; its card comes back with it.
    step(&world, running.labs[0], &[LabEvent::Destroy, LabEvent::ObjectsGone], true).await;
    assert_eq!(promote(&world.services).await, Ok(1));
    assert_eq!((state(&world.services, big).await, state(&world.services, small.order.id).await), (OrderState::Approved, OrderState::Queued));
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
