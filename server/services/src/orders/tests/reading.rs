//! Reading: who sees which orders, pages, and the facts beside a decision.

use domain::{
    Error, Problem,
    access::Role,
    courses::CourseKey,
    gpu::CardShare,
    orders::{OrderFilter, OrderState},
    page::PageRequest,
};

use super::{SLICE, WHOLE, cards, on_each_engine, order, slice, whole};
use crate::{
    Caller,
    orders::{approval, approve, get, inbox, list},
    testing::TestWorld,
};

async fn numbers(world: &TestWorld, caller: &Caller, filter: &OrderFilter) -> Vec<i64> {
    let page = list(&world.services, caller, filter, &PageRequest::default()).await.expect("a list");
    page.items.iter().map(|view| view.order.number).collect()
}

on_each_engine!(everybody_sees_what_the_policy_lets_them_see, |world| {
    cards(&world, SLICE, 14).await;
    let course = world.course("AI2301").add().await;
    let other = world.course("CV2402").add().await;
    let li = world.teacher("li", &[&course]).await;
    let wang = world.teacher("wang", &[&course, &other]).await;
    let first = order(&world, &li, &slice(&course)).await.expect("ordered").order.id;
    order(&world, &wang, &slice(&course)).await.expect("ordered");
    order(&world, &wang, &whole(&other, 2)).await.expect("ordered");
    let all = OrderFilter::default();
    assert_eq!(numbers(&world, &li, &all).await, [1_001]);
    assert_eq!(numbers(&world, &wang, &all).await, [1_003, 1_002]);
    let manager = world.manager("zhou").await;
    assert_eq!(numbers(&world, &manager, &all).await, [1_003, 1_002, 1_001]);
    assert_eq!(numbers(&world, &manager, &OrderFilter { mine: true, ..all.clone() }).await, [] as [i64; 0]);
    for key in [course.id.to_string(), course.code.clone()] {
        assert_eq!(numbers(&world, &manager, &OrderFilter { course: CourseKey::read(&key), ..all.clone() }).await, [1_002, 1_001], "{key}");
    }
    assert_eq!(numbers(&world, &manager, &OrderFilter { course: CourseKey::read("X1"), ..all.clone() }).await, [] as [i64; 0]);
    let pending = OrderFilter { state: Some(OrderState::PendingApproval), ..all.clone() };
    assert_eq!(numbers(&world, &manager, &pending).await, [1_003]);

    assert_eq!(get(&world.services, &wang, first).await.expect_err("a colleague's"), Error::NotFound);
    let nowhere = domain::ids::OrderId::from_uuid(crate::ports::Entropy::uuid(&*world.services.entropy));
    assert_eq!(get(&world.services, &wang, nowhere).await.expect_err("nobody's"), Error::NotFound);
    let nobody = world.person("root").add().await;
    assert_eq!(list(&world.services, &nobody, &all, &PageRequest::default()).await.expect_err("no orders"), Error::Forbidden);
    assert_eq!(numbers(&world, &world.administrator("qian").await, &pending).await, [1_003], "the owner of the budget decides, too");
});

on_each_engine!(pages_follow_one_another_without_gaps_or_repeats, |world| {
    cards(&world, SLICE, 14).await;
    let course = world.course("AI2301").add().await;
    let li = world.teacher("li", &[&course]).await;
    for _ in 0..5 {
        order(&world, &li, &slice(&course)).await.expect("ordered");
    }
    let mut seen = Vec::new();
    let mut request = PageRequest { limit: 2, after: None };
    loop {
        let page = list(&world.services, &li, &OrderFilter::default(), &request).await.expect("a page");
        seen.push(page.items.iter().map(|view| view.order.number).collect::<Vec<_>>());
        match page.next {
            Some(next) => request.after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, [vec![1_005, 1_004], vec![1_003, 1_002], vec![1_001]]);
    let bad = |limit, after: Option<&str>| PageRequest { limit, after: after.map(Into::into) };
    let error = list(&world.services, &li, &OrderFilter::default(), &bad(0, None)).await.expect_err("no rows");
    assert_eq!(error, Error::field("limit", Problem::OutOfRange { min: 1, max: 200 }));
    let error = list(&world.services, &li, &OrderFilter::default(), &bad(10, Some("x"))).await.expect_err("no cursor");
    assert_eq!(error, Error::field("after", Problem::NoSuch));
});

on_each_engine!(the_inbox_has_what_waits_with_the_facts_beside_it, |world| {
    cards(&world, WHOLE, 3).await;
    let course = world.course("CV2402").add().await;
    let li = world.teacher("li", &[&course]).await;
    let wang = world.teacher("wang", &[&course]).await;
    let zhou = world.manager("zhou").await;
    let (first, second) = (order(&world, &li, &whole(&course, 2)).await, order(&world, &wang, &whole(&course, 2)).await);
    let (first, second) = (first.expect("ordered").order.id, second.expect("ordered").order.id);
    // A manager's own order is for another manager to decide.
    let own = order(&world, &zhou, &whole(&course, 2)).await.expect("ordered").order;
    assert_eq!(own.state, OrderState::PendingApproval);
    let page = inbox(&world.services, &zhou, &PageRequest::default()).await.expect("an inbox");
    let waiting: Vec<_> = page.items.iter().map(|item| (item.view.order.id, item.view.may_decide)).collect();
    assert_eq!(waiting, [(first, true), (second, true)], "oldest first");
    let what_if = &page.items[0].what_if;
    assert_eq!((what_if.quota.held.cards, what_if.cards_free, what_if.waiting_for_same_card), (CardShare::whole(6), Some(3), 0));

    approve(&world.services, &zhou, first, None).await.expect("approved");
    approve(&world.services, &zhou, second, None).await.expect("queued");
    let page = inbox(&world.services, &zhou, &PageRequest::default()).await.expect("an inbox");
    assert_eq!(page.items, []);
    let after = approval(&world.services, &zhou, second).await.expect("still to be read");
    assert_eq!((after.view.order.state, after.view.may_decide), (OrderState::Queued, false));
    assert_eq!((after.what_if.cards_free, after.what_if.waiting_for_same_card), (Some(1), 1));
    assert_eq!(inbox(&world.services, &li, &PageRequest::default()).await.expect_err("not a manager"), Error::Forbidden);

    let mut connection = world.services.db.read().await.expect("a connection");
    let decider = |caller: &crate::Caller, roles: &[Role]| storage::orders::Decider {
        tenant: world.tenant,
        user: caller.actor.user,
        roles: roles.iter().copied().collect(),
        department_roles: std::collections::BTreeMap::new(),
        away: Vec::new(),
    };
    let pending = storage::orders::pending_count(&mut connection, &decider(&li, &[Role::Manager]), 100).await;
    assert_eq!(pending.expect("counted"), 1, "the manager's own");
    let pending = storage::orders::pending_count(&mut connection, &decider(&li, &[Role::Operator]), 100).await;
    assert_eq!(pending.expect("counted"), 0, "it waits for another role");
});
