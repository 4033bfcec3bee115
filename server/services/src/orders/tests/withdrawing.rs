//! Changes that an approver takes back before the requester has answered.

use domain::{
    Error,
    access::Role,
    decisions::{ChangeForm, Step},
    orders::OrderState,
};

use super::{WHOLE, cards, on_each_engine, order, quota, records, whole};
use crate::orders::{accept, approval, approve, approve_with, decisions, withdraw};

on_each_engine!(withdrawn_changes_leave_the_order_as_it_was_asked_for, |world| {
    cards(&world, WHOLE, 16).await;
    let services = &world.services;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let (manager, other) = (world.manager("zhou").await, world.manager("wu").await);
    let operator = world.operator("qian").await;
    let asked = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order;
    let held = quota(&world, course.id).await.held;
    let longer = ChangeForm { duration_minutes: "240".into(), ..ChangeForm::default() };
    let nothing = withdraw(services, &manager, asked.id, "", None).await.expect_err("nothing to take back");
    assert!(matches!(nothing, Error::InvalidTransition { .. }), "{nothing:?}");
    approve_with(services, &manager, asked.id, &longer, "", Some(1)).await.expect("proposed");
    assert!(approval(services, &manager, asked.id).await.expect("read").view.may_withdraw);
    assert_eq!(withdraw(services, &teacher, asked.id, "", None).await.expect_err("the requester's own"), Error::Forbidden);
    assert_eq!(withdraw(services, &operator, asked.id, "", None).await.expect_err("another stage"), Error::Forbidden);
    assert_eq!(withdraw(services, &manager, asked.id, "", Some(1)).await.expect_err("an older version"), Error::Stale);

    let back = withdraw(services, &manager, asked.id, "还是原来的好", Some(2)).await.expect("withdrawn");
    assert_eq!((back.order.state, back.order.proposal.is_none(), back.order.minutes), (OrderState::PendingApproval, true, asked.minutes));
    assert_eq!((back.may_decide, back.may_withdraw, quota(&world, course.id).await.held), (true, false, held));
    let again = withdraw(services, &manager, asked.id, "还是原来的好", Some(2)).await.expect("a second click");
    assert_eq!(again.order.version, back.order.version);
    assert!(matches!(accept(services, &teacher, asked.id, None).await, Err(Error::InvalidTransition { .. })), "there is nothing to agree to");
    let steps = decisions(services, &teacher, asked.id).await.expect("read");
    let last = steps.last().expect("a step");
    assert_eq!((last.step, last.role, last.text.as_str()), (Step::Withdraw, Some(Role::Manager), "还是原来的好"));
    let notices = {
        let mut connection = services.db.read().await.expect("a connection");
        storage::notifications::latest(&mut connection, teacher.actor.user, 9).await.expect("read")
    };
    let kinds: Vec<_> = notices
        .iter()
        .map(|each| (serde_json::to_value(&each.notice).expect("JSON")["kind"].as_str().expect("a kind").to_owned(), each.read_at.is_some()))
        .collect();
    assert_eq!(kinds, [("proposal_withdrawn".to_owned(), false), ("order_proposed".to_owned(), true)], "nobody is asked any more");

    // Somebody else who may decide the stage takes back what a colleague proposed.
    approve_with(services, &manager, asked.id, &longer, "", None).await.expect("proposed again");
    withdraw(services, &other, asked.id, "", None).await.expect("withdrawn");
    assert_eq!(approve(services, &other, asked.id, None).await.expect("approved").order.minutes, asked.minutes);
    let all = records(&world, "order.withdraw").await;
    assert_eq!(all.iter().filter(|(outcome, _)| outcome == "success").count(), 2);
    assert!(all.iter().any(|(_, code)| code.as_deref() == Some("forbidden")), "{all:?}");
});
