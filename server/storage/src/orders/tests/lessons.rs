//! Orders for lessons at the level of rows: when they count, what they were made together with, and when they are over.

use domain::{
    access::Role,
    gpu::CardShare,
    ids::ClassId,
    labs::LabState,
    money::Currency,
    orders::{ClassRef, Order, OrderState, class::Span},
    quotas::Booking,
};

use super::ground::{course, everything, ground, lab, now, order, tenant, uuid};
use crate::{
    labs,
    orders::{self, Decider, Query},
    quotas,
    testing::for_each_engine,
};

/// For one of two seats, from one hour hence on for an hour.
fn seat(number: i64, state: OrderState) -> Order {
    let class = ClassRef { id: ClassId::from_uuid(uuid(0x50)), seats: 2, lessons: 1, lesson: 1 };
    let starts_at = Some(now().plus_minutes(60));
    Order {
        starts_at,
        seat: Some(format!("{number}/2")),
        class: Some(class),
        queued_at: starts_at.filter(|_| state == OrderState::Queued),
        ..order(number, state)
    }
}

#[tokio::test]
async fn lessons_are_booked_for_their_time_and_their_money_at_once() {
    for_each_engine("lessons_are_booked_for_their_time_and_their_money_at_once", |database| async move {
        let mut write = ground(&database).await;
        for row in [seat(1, OrderState::Queued), seat(2, OrderState::PendingApproval), order(3, OrderState::PendingApproval)] {
            orders::insert(&mut write, &row).await.expect("inserted");
            assert_eq!(orders::find(&mut write, row.id).await.expect("read"), Some(row));
        }
        let one = order(3, OrderState::PendingApproval).amounts();
        let span = Span { from: now().plus_minutes(60), to: now().plus_minutes(120) };
        let before = quotas::of_course(&mut write, course(), now()).await.expect("read").expect("there").status;
        assert_eq!(before.booked, [Booking { span, amounts: one.times(2), starting: CardShare::WHOLE }]);
        assert_eq!((before.held, before.budget.held.micros), (one, 18_000_000));
        assert_eq!((before.started_today, before.ends.as_slice()), (CardShare::WHOLE, [].as_slice()), "the approved one starts today");
        let during = quotas::of_tenant(&mut write, tenant(), span.from).await.expect("read").remove(0).status;
        assert_eq!((during.held, during.booked), (one.times(3), before.booked.clone()));
        let after = quotas::of_tenant_ahead(&mut write, tenant(), span.to).await.expect("read").remove(0).status;
        assert_eq!((after.held, after.budget.held), (one, before.budget.held));
        let tomorrow = quotas::of_course(&mut write, course(), now().plus_seconds(86_400)).await.expect("read").expect("there").status;
        assert_eq!(tomorrow.started_today, CardShare::ZERO);

        // Labs with a planned end are told where somebody looks ahead.
        let ran = order(4, OrderState::Fulfilled);
        orders::insert(&mut write, &ran).await.expect("inserted");
        let mut row = lab(&ran, LabState::Running);
        row.ends_at = Some(now().plus_minutes(30));
        labs::insert(&mut write, &row, Currency::Cny).await.expect("inserted");
        let ahead = quotas::of_course_ahead(&mut write, course(), now()).await.expect("read").expect("there").status;
        assert_eq!(ahead.ends.iter().map(|end| (end.at, end.amounts)).collect::<Vec<_>>(), [(now().plus_minutes(30), one)]);
        assert_eq!(ahead.during(span, now()).used.cards, CardShare::ZERO);
        assert_eq!(ahead.used.cards, CardShare::WHOLE);
    })
    .await;
}

#[tokio::test]
async fn orders_that_were_made_together_stand_together() {
    for_each_engine("orders_that_were_made_together_stand_together", |database| async move {
        let mut write = ground(&database).await;
        let rows = [seat(1, OrderState::PendingApproval), seat(2, OrderState::PendingApproval), order(3, OrderState::PendingApproval)];
        for row in &rows {
            orders::insert(&mut write, row).await.expect("inserted");
        }
        let class = rows[0].class.expect("one of two").id;
        let only = Query { class: Some(class), ..everything() };
        let listed: Vec<_> = orders::list(&mut write, &only).await.expect("read").into_iter().map(|each| each.order.number).collect();
        assert_eq!(listed, [2, 1]);
        let manager = Decider {
            tenant: tenant(),
            user: domain::ids::UserId::from_uuid(uuid(97)),
            roles: [Role::Manager].into(),
            department_roles: [].into(),
            away: Vec::new(),
        };
        let numbers = |rows: Vec<orders::Listed>| rows.into_iter().map(|each| each.order.number).collect::<Vec<_>>();
        assert_eq!(numbers(orders::inbox(&mut write, &manager, None, 10).await.expect("read")), [1, 3], "one for both");
        assert_eq!(orders::pending_count(&mut write, &manager, 10).await.expect("counted"), 2);
        assert_eq!(numbers(orders::class_inbox(&mut write, &manager, class).await.expect("read")), [1, 2]);
        let nobody = Decider { roles: [Role::Operator].into(), ..manager.clone() };
        assert_eq!(numbers(orders::class_inbox(&mut write, &nobody, class).await.expect("read")), [] as [i64; 0]);
        let standing = orders::standing(&mut write, class, Some(Role::Manager)).await.expect("read").expect("there");
        assert_eq!((standing.first, standing.number, standing.waiting, standing.undecided, standing.rejected), (rows[0].id, 1, 2, 2, 0));
        let rejected = Order { state: OrderState::Rejected, ..rows[0].clone() };
        assert!(orders::save(&mut write, &rejected).await.expect("saved"));
        let standing = orders::standing(&mut write, class, Some(Role::Operator)).await.expect("read").expect("there");
        assert_eq!((standing.waiting, standing.undecided, standing.rejected), (0, 1, 1));
        assert_eq!(numbers(orders::inbox(&mut write, &manager, None, 10).await.expect("read")), [2, 3], "the next one stands for the rest");
        assert_eq!(orders::standing(&mut write, ClassId::from_uuid(uuid(0x51)), None).await.expect("read"), None);
    })
    .await;
}

#[tokio::test]
async fn a_lesson_that_is_over_is_waited_for_no_more() {
    for_each_engine("a_lesson_that_is_over_is_waited_for_no_more", |database| async move {
        let mut write = ground(&database).await;
        let queued = seat(1, OrderState::Queued);
        orders::insert(&mut write, &queued).await.expect("inserted");
        orders::insert(&mut write, &order(2, OrderState::Queued)).await.expect("inserted");
        let end = queued.ends_at().expect("a lesson");
        assert_eq!(orders::expired(&mut write, end.plus_seconds(-1), 10).await.expect("read"), []);
        assert_eq!(orders::expired(&mut write, end, 10).await.expect("read"), [queued], "the other one waits on");
    })
    .await;
}
