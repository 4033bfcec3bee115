//! Deciding: roles, one's own orders, stale pages, and the last card.

use std::collections::BTreeSet;

use domain::{
    Error, Problem,
    access::{Role, Scope},
    capacity::WaitReason,
    gpu::CardShare,
    orders::OrderState,
};

use super::{WHOLE, cards, cards_on, on_each_engine, order, quota, records, reserved, state, whole};
use crate::{
    notifications::unread,
    orders::{approve, get, reject},
    testing::{TestWorld, with_scopes},
};

on_each_engine!(approval_reserves_the_cards_and_makes_the_lab, |world| {
    cards(&world, WHOLE, 16).await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let bystander = world.manager("lin").await;
    let asked = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order;
    assert_eq!((unread(&world.services, &manager).await, unread(&world.services, &bystander).await), (Ok(1), Ok(1)));
    let view = approve(&world.services, &manager, asked.id, Some(asked.version)).await.expect("approved");
    assert_eq!((view.order.state, view.labs.len(), view.order.version), (OrderState::Approved, 1, 2));
    assert_eq!(unread(&world.services, &bystander).await, Ok(0), "nobody is asked for it any more");
    assert_eq!(view.decided_by.map(|person| person.login).as_deref(), Some("zhou"));
    assert_eq!(reserved(&world, WHOLE).await, 2);
    let quota = quota(&world, course.id).await;
    assert_eq!((quota.used.cards, quota.held.cards, quota.started_today), (CardShare::whole(2), CardShare::ZERO, CardShare::whole(2)));

    // A second click, with what the page then showed.
    let again = approve(&world.services, &manager, asked.id, Some(asked.version)).await.expect("no error");
    assert_eq!((again.order.version, reserved(&world, WHOLE).await), (2, 2));
    // Somebody else is told that it is decided.
    let other = world.manager("wu").await;
    assert_eq!(approve(&world.services, &other, asked.id, Some(1)).await.expect_err("seen before"), Error::Stale);
    let expected = Error::InvalidTransition { state: "approved".into(), event: "approve".into() };
    assert_eq!(approve(&world.services, &other, asked.id, None).await.expect_err("decided"), expected);
    let refused = |code: &str| ("refused".to_owned(), Some(code.to_owned()));
    assert_eq!(records(&world, "order.approve").await, [refused("invalid_transition"), refused("stale"), ("success".to_owned(), None)]);
});

on_each_engine!(a_rejection_needs_a_reason_and_releases_the_hold, |world| {
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let id = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id;
    let missing = reject(&world.services, &manager, id, " ", None).await.expect_err("no reason");
    assert_eq!(missing, Error::field("reason", Problem::Missing));
    let long = reject(&world.services, &manager, id, &"长".repeat(501), None).await.expect_err("too long");
    assert_eq!(long, Error::field("reason", Problem::TooLong { max: 500 }));
    let view = reject(&world.services, &manager, id, "请改用分片", None).await.expect("rejected");
    assert_eq!((view.order.state, view.order.reason.as_deref()), (OrderState::Rejected, Some("请改用分片")));
    let quota = quota(&world, course.id).await;
    assert_eq!((quota.in_use().cards, quota.budget.held.micros), (CardShare::ZERO, 0));
    assert!(matches!(approve(&world.services, &manager, id, None).await, Err(Error::InvalidTransition { .. })));
});

#[tokio::test]
async fn nobody_decides_their_own_order_and_only_managers_decide() {
    let world = TestWorld::college().await;
    cards(&world, WHOLE, 16).await;
    let course = world.course("CV2402").add().await;
    let both = world.person("zhou").role(Role::Manager).role(Role::Teacher).teaches(&course).add().await;
    let own = order(&world, &both, &whole(&course, 2)).await.expect("ordered");
    assert!(!own.may_decide);
    let id = own.order.id;
    assert_eq!(approve(&world.services, &both, id, None).await.expect_err("their own"), Error::OwnOrder);
    assert_eq!(reject(&world.services, &both, id, "no", None).await.expect_err("their own"), Error::OwnOrder);
    assert_eq!(records(&world, "order.approve").await, [("refused".to_owned(), Some("own_order".to_owned()))]);

    let teacher = world.teacher("li", &[&course]).await;
    assert_eq!(approve(&world.services, &teacher, id, None).await.expect_err("cannot see it"), Error::NotFound);
    let operator = world.operator("qian").await;
    assert_eq!(approve(&world.services, &operator, id, None).await.expect_err("sees it only"), Error::Forbidden);
    let manager = world.manager("wu").await;
    let token = with_scopes(&manager, &[Scope::OrdersRead]);
    assert_eq!(approve(&world.services, &token, id, None).await.expect_err("no scope").code(), "scope_missing");
    let abroad = world.other_tenant("law").await;
    let stranger = world.person("sun").in_tenant(abroad).role(Role::Manager).add().await;
    assert_eq!(approve(&world.services, &stranger, id, None).await.expect_err("another tenant"), Error::NotFound);
    assert_eq!(state(&world.services, id).await, OrderState::PendingApproval);
    approve(&world.services, &manager, id, None).await.expect("another manager decides");
}

on_each_engine!(the_last_card_goes_to_one_of_two_approvers, |world| {
    cards(&world, WHOLE, 2).await;
    let course = world.course("CV2402").add().await;
    let replica = world.replica();
    let mut tasks = Vec::new();
    for (number, services) in [world.services.clone(), replica].into_iter().enumerate() {
        let teacher = world.teacher(&format!("teacher-{number}"), &[&course]).await;
        let manager = world.manager(&format!("manager-{number}")).await;
        let id = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id;
        tasks.push(async move { approve(&services, &manager, id, None).await.expect("approved") });
    }
    let views = futures::future::join_all(tasks.into_iter().map(tokio::spawn)).await;
    let views: Vec<_> = views.into_iter().map(|view| view.expect("no panic")).collect();
    let states: BTreeSet<_> = views.iter().map(|view| view.order.state).collect();
    assert_eq!(states, [OrderState::Approved, OrderState::Queued].into());
    let queued = views.iter().find(|view| view.order.state == OrderState::Queued).expect("one waits");
    assert_eq!((queued.queue_position, queued.labs.len()), (Some(1), 0));
    assert_eq!(reserved(&world, WHOLE).await, 2);
});

on_each_engine!(a_hundred_approvals_at_once_give_away_no_card_twice, |world| {
    cards(&world, WHOLE, 30).await;
    let replica = world.replica();
    let manager = world.manager("zhou").await;
    let mut tasks = Vec::new();
    for number in 0..10 {
        let course = world.course(&format!("CV{number}")).add().await;
        let teacher = world.teacher(&format!("teacher-{number}"), &[&course]).await;
        for turn in 0..10 {
            let services = if turn % 2 == 0 { world.services.clone() } else { replica.clone() };
            let manager = manager.clone();
            let id = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id;
            tasks.push(async move { approve(&services, &manager, id, None).await.map(|view| view.order.state) });
        }
    }
    let mut approved = 0;
    let mut queued = 0;
    for answer in futures::future::join_all(tasks.into_iter().map(tokio::spawn)).await {
        match answer.expect("no panic").expect("no refusal") {
            OrderState::Approved => approved += 1,
            OrderState::Queued => queued += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((approved, queued), (15, 85));
    assert_eq!(reserved(&world, WHOLE).await, 30);
});

#[tokio::test]
async fn what_waits_is_seen_as_it_is_decided() {
    let world = TestWorld::college().await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let mut news = world.services.hub.listen(std::time::Duration::ZERO, |_| true);
    let id = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id;
    let view = approve(&world.services, &manager, id, None).await.expect("approved");
    // The cluster never reported a card: the answer is a place in the queue.
    assert_eq!((view.order.state, view.queue_position), (OrderState::Queued, Some(1)));
    assert_eq!(get(&world.services, &teacher, id).await.expect("read").queue_position, Some(1));
    let told = crate::hub::News::order(&view.order);
    // Notices to people have tests of their own.
    let heard: Vec<_> = news.so_far().into_iter().filter(|each| !matches!(each, crate::hub::News::Notice(_))).collect();
    assert_eq!(heard, [told, told]);
}

on_each_engine!(cards_on_two_nodes_are_no_place_for_one_pod, |world| {
    cards_on(&world, WHOLE, &[3, 3]).await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    // Six cards are free, never four on one node: it waits for the cluster to grow, and holds up nobody.
    let four = order(&world, &teacher, &whole(&course, 4)).await.expect("ordered").order.id;
    let view = approve(&world.services, &manager, four, None).await.expect("approved");
    assert_eq!((view.order.state, view.labs.len()), (OrderState::Queued, 0));
    let card = WHOLE.parse().expect("a card");
    let expected = WaitReason::NoSingleNode { card, per_node: 4, largest: 3 };
    assert_eq!(get(&world.services, &teacher, four).await.expect("read").wait, Some(expected));
    let two = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id;
    let view = approve(&world.services, &manager, two, None).await.expect("approved");
    assert_eq!((view.order.state, view.wait), (OrderState::Approved, None));
    // The next two go to the other node: one is left on each, and no order for two has a place.
    let more = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id;
    assert_eq!(approve(&world.services, &manager, more, None).await.expect("approved").order.state, OrderState::Approved);
    let late = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id;
    assert_eq!(approve(&world.services, &manager, late, None).await.expect("approved").order.state, OrderState::Queued);
    let expected = WaitReason::NoSingleNode { card, per_node: 2, largest: 1 };
    assert_eq!(get(&world.services, &teacher, late).await.expect("read").wait, Some(expected));
    assert_eq!(crate::orders::promote(&world.services).await, Ok(0), "nothing became free");
    // A node of eight comes.
    cards_on(&world, WHOLE, &[3, 3, 8]).await;
    assert_eq!(crate::orders::promote(&world.services).await, Ok(2));
});

on_each_engine!(the_last_node_with_room_goes_to_one_of_two_approvers, |world| {
    // Eight cards are free, four on one node: two orders for four at once must not both count on it.
    cards_on(&world, WHOLE, &[4, 2, 2]).await;
    let course = world.course("CV2402").add().await;
    let replica = world.replica();
    let mut tasks = Vec::new();
    for (number, services) in [world.services.clone(), replica].into_iter().enumerate() {
        let teacher = world.teacher(&format!("teacher-{number}"), &[&course]).await;
        let manager = world.manager(&format!("manager-{number}")).await;
        let id = order(&world, &teacher, &whole(&course, 4)).await.expect("ordered").order.id;
        tasks.push(async move { approve(&services, &manager, id, None).await.expect("approved").order.state });
    }
    let states = futures::future::join_all(tasks.into_iter().map(tokio::spawn)).await;
    let states: BTreeSet<_> = states.into_iter().map(|state| state.expect("no panic")).collect();
    assert_eq!(states, [OrderState::Approved, OrderState::Queued].into());
    assert_eq!(reserved(&world, WHOLE).await, 4);
});
