//! Cancelling and expiring: what was held comes back.

use domain::{Error, decisions::Step, gpu::CardShare, labs::LabState, orders::OrderState};

use super::{SLICE, cards, on_each_engine, order, quota, records, slice, state, whole};
use crate::{
    orders::{approve, cancel, expire, get},
    testing::TestWorld,
};

on_each_engine!(cancelling_releases_what_a_waiting_order_holds, |world| {
    let course = world.course("CV2402").cards(2).add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let id = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id;
    let view = cancel(&world.services, &teacher, id).await.expect("cancelled");
    assert_eq!((view.order.state, view.may_cancel), (OrderState::Cancelled, false));
    let after = quota(&world, course.id).await;
    assert_eq!((after.in_use().cards, after.budget.held.micros), (CardShare::ZERO, 0));
    assert_eq!(cancel(&world.services, &teacher, id).await.expect("no error").order.version, 2, "cancelling again changes nothing");
    assert_eq!(records(&world, "order.cancel").await, [("success".to_owned(), None)]);
    order(&world, &teacher, &whole(&course, 2)).await.expect("the quota is free again");
});

on_each_engine!(cancelling_an_approved_order_takes_its_lab_down, |world| {
    cards(&world, SLICE, 14).await;
    let course = world.course("AI2301").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let view = order(&world, &teacher, &slice(&course)).await.expect("ordered");
    cancel(&world.services, &teacher, view.order.id).await.expect("cancelled");
    let mut connection = world.services.db.read().await.expect("a connection");
    let lab = storage::labs::get(&mut connection, view.labs[0]).await.expect("read").expect("the lab");
    // Its card comes back when the cluster has nothing left of it, not before.
    assert_eq!((lab.state, lab.reserved), (LabState::Destroying, true));
    drop(connection);
    assert_eq!(quota(&world, course.id).await.used.running_labs, 0);
});

on_each_engine!(a_cancelled_order_says_when_and_by_whom_it_was_cancelled, |world| {
    cards(&world, SLICE, 14).await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let waits = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id;
    let (starts, destroyed) = (order(&world, &teacher, &slice(&course)).await, order(&world, &teacher, &slice(&course)).await);
    let (starts, destroyed) = (starts.expect("ordered"), destroyed.expect("ordered"));
    world.clock.advance(60);
    for _ in 0..2 {
        cancel(&world.services, &manager, waits).await.expect("cancelled, and a second click");
    }
    cancel(&world.services, &teacher, starts.order.id).await.expect("cancelled");
    // Its lab was destroyed before it ran.
    crate::labs::destroy(&world.services, &teacher, destroyed.labs[0]).await.expect("destroyed");
    let now = world.services.clock.now();
    for (id, by) in [(waits, &manager), (starts.order.id, &teacher), (destroyed.order.id, &teacher)] {
        let view = get(&world.services, &teacher, id).await.expect("read");
        let last: Vec<_> = view.steps.iter().map(|step| (step.step, step.at, step.by.as_ref().map(|by| by.id))).collect();
        assert_eq!((view.order.state, last), (OrderState::Cancelled, vec![(Step::Cancel, now, Some(by.actor.user))]));
    }
});

#[tokio::test]
async fn only_the_owner_and_managers_cancel() {
    let world = TestWorld::college().await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let colleague = world.teacher("wang", &[&course]).await;
    let id = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id;
    assert_eq!(cancel(&world.services, &colleague, id).await.expect_err("not theirs"), Error::NotFound);
    let auditor = world.auditor("shen").await;
    assert_eq!(cancel(&world.services, &auditor, id).await.expect_err("reads only"), Error::Forbidden);
    let manager = world.manager("zhou").await;
    assert!(cancel(&world.services, &manager, id).await.is_ok());
}

on_each_engine!(an_undecided_order_expires_and_its_hold_with_it, |world| {
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let decided = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id;
    let undecided = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id;
    approve(&world.services, &manager, decided, None).await.expect("approved");
    world.clock.advance(7 * 86_400 - 1);
    assert_eq!(expire(&world.services).await, Ok(0));
    world.clock.advance(1);
    assert_eq!(expire(&world.services).await, Ok(1));
    assert_eq!(expire(&world.services).await, Ok(0), "once");
    assert_eq!(state(&world.services, undecided).await, OrderState::Cancelled);
    assert_eq!(state(&world.services, decided).await, OrderState::Queued, "what is decided does not expire");
    assert_eq!(quota(&world, course.id).await.held.cards, CardShare::whole(2));
    assert_eq!(records(&world, "order.expire").await, [("success".to_owned(), None)]);
    assert!(matches!(approve(&world.services, &manager, undecided, None).await, Err(Error::InvalidTransition { .. })));
});
