//! Orders for a class and for lessons: made together, let through together, each lab up before its bell and down after it.

use domain::{
    Error, Problem,
    capacity::WaitReason,
    courses::Course,
    ids::ClassId,
    labs::LabState,
    notifications::Notice,
    orders::{ClassForm, EXPIRED, OrderFilter, OrderForm, OrderState, OrderView, class::ROSTER},
    page::PageRequest,
    time::Timestamp,
};
use storage::{
    Engine,
    testing::{execute, fuse::Fault},
};

use super::{SLICE, WHOLE, cards, key, on_each_engine, order, quota, records, reserved, slice, state, whole};
use crate::{
    Caller, cluster_status, courses,
    jobs::reconcile,
    labs,
    orders::{approval, approve, approve_class, cancel_class, class_summary, expire, get, list, promote, reject_class, remind, submit, waiting},
    ports::Clock as _,
    testing::TestWorld,
};

const MINUTE: i64 = 60;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a time")
}

/// So many seats at 08:20 of Monday, 23 November, and the same hour of the weeks after.
fn lessons(form: OrderForm, seats: &str, weeks: u32) -> OrderForm {
    lessons_from(form, seats, "2026-11-23", weeks)
}

fn lessons_from(form: OrderForm, seats: &str, first_day: &str, weeks: u32) -> OrderForm {
    let class =
        ClassForm { seats: seats.into(), first_day: first_day.into(), bell: "08:20".into(), weeks: weeks.to_string(), ..ClassForm::default() };
    OrderForm { class, ..form }
}

async fn all(world: &TestWorld, caller: &Caller, class: ClassId) -> Vec<OrderView> {
    let filter = OrderFilter { class: Some(class), ..OrderFilter::default() };
    let page = PageRequest { limit: 200, after: None };
    let mut orders = list(&world.services, caller, &filter, &page).await.expect("listed").items;
    orders.reverse();
    orders
}

async fn count(world: &TestWorld, caller: &Caller, state: OrderState) -> usize {
    let filter = OrderFilter { state: Some(state), ..OrderFilter::default() };
    list(&world.services, caller, &filter, &PageRequest { limit: 200, after: None }).await.expect("listed").items.len()
}

async fn told(world: &TestWorld, caller: &Caller) -> Vec<Notice> {
    let mut read = world.services.db.read().await.expect("a connection");
    let latest = storage::notifications::latest(&mut read, caller.actor.user, 500).await.expect("read");
    latest.into_iter().rev().map(|each| each.notice).collect()
}

async fn settle(world: &TestWorld) {
    while reconcile::due(&world.services).await.expect("the database answers") > 0 {}
}

/// A class of three with a roster, its teacher and a manager; the cluster has told of its nodes.
async fn class(world: &TestWorld) -> (Course, Caller, Caller) {
    cluster_status::refresh(&world.services).await.expect("the cluster tells its nodes");
    let course = world.course("CV2402").budget(100_000).add().await;
    let (teacher, manager) = (world.teacher("li", &[&course]).await, world.manager("zhou").await);
    courses::set_roster(&world.services, &teacher, course.id, "2401 示范学生甲\n2402 示范学生乙\n2403").await.expect("a roster");
    (course, teacher, manager)
}

on_each_engine!(a_class_is_up_before_the_bell_and_down_after_the_lesson, |world| {
    let (course, teacher, manager) = class(&world).await;
    let services = &world.services;
    let first = order(&world, &teacher, &lessons(whole(&course, 1), ROSTER, 2)).await.expect("ordered");
    let made = first.order.class.expect("it is one of many");
    assert_eq!((made.seats, made.lessons, made.lesson, made.orders()), (3, 2, 1, 6));
    assert_eq!(first.order.starts_at, Some(at("2026-11-23T08:10:00+08:00")));
    assert_eq!((first.order.minutes, first.order.lesson_minutes(), first.order.seat.as_deref()), (130, 120, Some("2401 示范学生甲")));
    let orders = all(&world, &teacher, made.id).await;
    let numbers: Vec<_> = orders.iter().map(|view| (view.order.number, view.order.class.expect("one of many").lesson)).collect();
    assert_eq!(numbers, [(1_001, 1), (1_002, 1), (1_003, 1), (1_004, 2), (1_005, 2), (1_006, 2)]);
    assert!(orders.iter().all(|view| view.order.state == OrderState::PendingApproval && view.order.ruling == first.order.ruling));
    assert_eq!(records(&world, "order.submit").await.len(), 6, "each is an order with a record");
    let held = quota(&world, course.id).await;
    let price: i64 = orders.iter().map(|view| view.order.estimate.total.micros).sum();
    assert_eq!((held.held.cards.parts(), held.budget.held.micros), (0, price), "the money now, the cards at their time");
    assert_eq!(held.booked.iter().map(|each| each.amounts.running_labs).collect::<Vec<_>>(), [3, 3]);

    // One card in the inbox and one notice.
    let inbox = waiting(services, &manager, &PageRequest::default()).await.expect("an inbox").items;
    assert_eq!(inbox.iter().map(|view| view.order.id).collect::<Vec<_>>(), [first.order.id]);
    let [Notice::ClassWaits { orders: 6, number: 1_001, .. }] = told(&world, &manager).await[..] else {
        panic!("{:?}", told(&world, &manager).await)
    };
    let summary = class_summary(services, &manager, made.id).await.expect("what it comes to");
    assert_eq!((summary.orders.len(), summary.cards.parts()), (6, 6 * 840));
    assert_eq!(approve_class(services, &teacher, made.id).await, Err(Error::Forbidden));
    let rows = approve_class(services, &manager, made.id).await.expect("decided");
    assert_eq!(
        rows.iter().map(|row| (row.number, row.state)).collect::<Vec<_>>(),
        (1_001..=1_006).map(|number| (Some(number), Some(OrderState::Queued))).collect::<Vec<_>>()
    );
    assert_eq!(rows[3].starts_at, Some(at("2026-11-30T08:10:00+08:00")), "it waits for its time, not for cards");
    assert_eq!(approve_class(services, &manager, made.id).await, Ok(vec![]), "all are decided");
    let told_owner = told(&world, &teacher).await;
    assert!(matches!(told_owner[..], [Notice::ClassDecided { orders: 6, rejected: 0, number: 1_001, .. }]), "{told_owner:?}");
    let view = get(services, &teacher, first.order.id).await.expect("read");
    assert_eq!((view.wait, view.queue_position), (Some(WaitReason::Scheduled { at: at("2026-11-23T08:10:00+08:00") }), None));

    // Nothing before its time, all of the first lesson at its time.
    world.clock.set(at("2026-11-23T08:09:59+08:00"));
    assert_eq!((promote(services).await, expire(services).await), (Ok(0), Ok(0)));
    world.clock.advance(1);
    assert_eq!(quota(&world, course.id).await.held.running_labs, 3, "it is due");
    assert_eq!((promote(services).await, promote(services).await), (Ok(3), Ok(0)));
    world.clock.advance(3 * MINUTE);
    settle(&world).await;
    let up = all(&world, &teacher, made.id).await;
    let lab_of = |view: &OrderView| view.labs.first().copied();
    let labs_up: Vec<_> = up.iter().filter_map(lab_of).collect();
    assert_eq!(labs_up.len(), 3);
    for lab in &labs_up {
        let detail = labs::get(services, &teacher, *lab).await.expect("read").view;
        assert_eq!((detail.lab.state, detail.lab.ends_at), (LabState::Running, Some(at("2026-11-23T10:20:00+08:00"))), "whenever it came up");
        assert!(detail.seat.is_some());
    }
    world.clock.set(at("2026-11-23T10:06:00+08:00"));
    assert_eq!(labs::warn_ending(services).await, Ok(3));
    let warned = told(&world, &teacher).await.into_iter().filter(|notice| matches!(notice, Notice::ClassEndsSoon { minutes: 15, .. }));
    assert_eq!(warned.count(), 1, "one for the whole class");
    world.clock.set(at("2026-11-23T10:19:59+08:00"));
    assert_eq!(labs::stop_ended(services).await, Ok(0));
    world.clock.advance(1);
    assert_eq!(labs::stop_ended(services).await, Ok(3));
    settle(&world).await;
    let used = quota(&world, course.id).await;
    assert_eq!((used.used.running_labs, used.booked.len()), (0, 1));

    // The second lesson is not wanted any more: what has run stays.
    let auditor = world.auditor("shen").await;
    assert_eq!(cancel_class(services, &auditor, made.id).await, Err(Error::Forbidden));
    let rows = cancel_class(services, &teacher, made.id).await.expect("cancelled");
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [Some(1_004), Some(1_005), Some(1_006)]);
    assert_eq!(cancel_class(services, &teacher, made.id).await, Ok(vec![]));
    let stranger = world.teacher("wang", &[]).await;
    assert_eq!(cancel_class(services, &stranger, made.id).await, Err(Error::NotFound));
    assert_eq!(quota(&world, course.id).await.booked, []);
});

on_each_engine!(the_same_request_makes_one_set_and_a_refused_one_makes_nothing, |world| {
    let (course, teacher, manager) = class(&world).await;
    let services = &world.services;
    let form = lessons(slice(&course), "5", 3);
    let first = submit(services, &teacher, &form, &key("one")).await.expect("ordered");
    assert_eq!(submit(services, &teacher, &form, &key("one")).await, Ok(first.clone()), "the same answer");
    let other = lessons(slice(&course), "4", 3);
    assert!(matches!(submit(services, &teacher, &other, &key("one")).await, Err(Error::IdempotencyKeyReused { .. })));
    // Five slices are less than a card: nobody has to decide, and all wait for their time.
    assert_eq!((first.order.state, first.order.queued_at), (OrderState::Queued, first.order.starts_at));
    assert_eq!((count(&world, &manager, OrderState::Queued).await, first.order.seat.as_deref()), (15, Some("1/5")));
    assert_eq!(first.queue_position, None);

    // Sixty labs at a time are the course's limit: 5 and 56 do not fit, and not one of them is made.
    let too_many = order(&world, &teacher, &lessons(slice(&course), "56", 1)).await;
    assert!(matches!(too_many, Err(Error::OverQuota(_))), "{too_many:?}");
    assert_eq!(count(&world, &manager, OrderState::Queued).await, 15);
    let made = records(&world, "order.submit").await.into_iter().filter(|(outcome, _)| outcome == "success");
    assert_eq!(made.count(), 15);
    let empty = world.course("NLP2401").add().await;
    let without = world.teacher("wang", &[&empty]).await;
    let refused = order(&world, &without, &lessons(slice(&empty), ROSTER, 1)).await;
    assert_eq!(refused, Err(Error::field("seats", Problem::EmptyRoster)));
    let past = order(&world, &teacher, &lessons_from(slice(&course), "2", "2026-11-20", 1)).await;
    assert_eq!(past, Err(Error::field("first_day", Problem::InThePast { now: world.clock.now() })));
});

on_each_engine!(two_classes_at_one_hour_cannot_both_have_the_last_cards_and_next_weeks_can, |world| {
    cards(&world, WHOLE, 16).await;
    let course = world.course("CV2402").cards(4).budget(100_000).add().await;
    let (teacher, manager) = (world.teacher("li", &[&course]).await, world.manager("zhou").await);
    let services = &world.services;
    let first = order(&world, &teacher, &lessons(whole(&course, 1), "3", 2)).await.expect("ordered");
    let second = order(&world, &teacher, &lessons(whole(&course, 1), "2", 1)).await;
    assert!(matches!(second, Err(Error::OverQuota(_))), "{second:?}");
    order(&world, &teacher, &lessons_from(whole(&course, 1), "4", "2026-11-24", 1)).await.expect("on Tuesday they are free");
    order(&world, &teacher, &lessons_from(whole(&course, 1), "4", "2026-12-07", 1)).await.expect("and in the third week");
    // What runs at once has them until the lesson: two hours now, but not two days.
    let now = order(&world, &teacher, &whole(&course, 4)).await.expect("nothing runs now");
    approve(services, &manager, now.order.id, None).await.expect("approved");
    settle(&world).await;
    let third = order(&world, &teacher, &lessons_from(whole(&course, 1), "4", "2026-12-14", 1)).await;
    assert!(third.is_ok(), "the labs of today end before it: {third:?}");
    let rows = approve_class(services, &manager, first.order.class.expect("one of many").id).await.expect("decided");
    assert_eq!(rows.len(), 6);
    world.clock.set(at("2026-11-23T07:30:00+08:00"));
    labs::stop_ended(services).await.expect("stopped");
    settle(&world).await;
    let into = order(&world, &teacher, &whole(&course, 2)).await;
    assert!(matches!(into, Err(Error::OverQuota(_))), "it would run into the lesson: {into:?}");
    assert!(order(&world, &teacher, &whole(&course, 1)).await.is_ok());
});

on_each_engine!(what_is_for_later_holds_up_nobody_and_what_is_late_is_cancelled, |world| {
    cards(&world, WHOLE, 1).await;
    cards(&world, SLICE, 0).await;
    let course = world.course("CV2402").budget(100_000).add().await;
    let (teacher, manager) = (world.teacher("li", &[&course]).await, world.manager("zhou").await);
    let services = &world.services;
    let later = order(&world, &teacher, &lessons(whole(&course, 1), "", 1)).await.expect("ordered");
    assert_eq!((later.order.state, later.order.class, later.order.seat.clone()), (OrderState::Queued, None, None), "one seat, one lesson");
    let now = order(&world, &teacher, &whole(&course, 1)).await.expect("ordered");
    assert_eq!(now.order.state, OrderState::Approved, "the card is free now");
    // The lab of today is not stopped in time: the lesson waits for its card and is cancelled when it is over.
    let undecided = order(&world, &teacher, &lessons(whole(&course, 1), "2", 1)).await.expect("ordered");
    assert_eq!(undecided.order.expires_at, at("2026-11-23T10:20:00+08:00"), "nobody need decide after it");
    world.clock.set(at("2026-11-22T12:00:00+08:00"));
    assert_eq!((remind(services).await, remind(services).await), (Ok(2), Ok(0)));
    world.clock.set(at("2026-11-23T08:10:00+08:00"));
    assert_eq!(promote(services).await, Ok(0));
    let view = get(services, &teacher, later.order.id).await.expect("read");
    assert_eq!(view.queue_position, Some(1), "now it waits for cards");
    assert!(matches!(view.wait, Some(WaitReason::NotEnough { .. })), "{:?}", view.wait);
    world.clock.set(at("2026-11-23T10:20:00+08:00"));
    let over = approve(services, &manager, undecided.order.id, None).await;
    assert!(matches!(over, Err(Error::InvalidTransition { .. })), "{over:?}");
    assert_eq!((expire(services).await, expire(services).await), (Ok(3), Ok(0)));
    for id in [later.order.id, undecided.order.id] {
        let view = get(services, &teacher, id).await.expect("read");
        assert_eq!((view.order.state, view.order.reason.as_deref()), (OrderState::Cancelled, Some(EXPIRED)));
    }
    let kinds: Vec<_> = told(&world, &manager)
        .await
        .into_iter()
        .map(|notice| matches!(notice, Notice::ClassWaits { .. } | Notice::ClassExpiresSoon { .. }))
        .collect();
    assert_eq!(kinds, [true, true], "one each, not two");
    let expired =
        told(&world, &teacher).await.into_iter().filter(|notice| matches!(notice, Notice::ClassExpired { .. } | Notice::OrderExpired { .. }));
    assert_eq!(expired.count(), 2, "one for the lesson alone, one for the class");
    assert_eq!(quota(&world, course.id).await.budget.held.micros, now.order.estimate.total.micros);
});

on_each_engine!(a_class_order_is_rejected_with_one_reason_and_late_approval_brings_it_up_at_once, |world| {
    let (course, teacher, manager) = class(&world).await;
    let services = &world.services;
    let first = order(&world, &teacher, &lessons(whole(&course, 1), "2", 2)).await.expect("ordered");
    let id = first.order.class.expect("one of many").id;
    assert_eq!(reject_class(services, &manager, id, " ").await, Err(Error::field("reason", Problem::Missing)));
    // One of them is decided by itself; the rest stands together still.
    approve(services, &manager, first.order.id, Some(first.order.version)).await.expect("approved");
    let inbox = waiting(services, &manager, &PageRequest::default()).await.expect("an inbox").items;
    assert_eq!(inbox.iter().map(|view| view.order.number).collect::<Vec<_>>(), [1_002]);
    let rows = reject_class(services, &manager, id, "Not this term").await.expect("decided");
    assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [Some(OrderState::Rejected); 3]);
    assert!(matches!(told(&world, &teacher).await[..], [Notice::ClassDecided { orders: 4, rejected: 3, .. }]));
    assert_eq!(state(services, first.order.id).await, OrderState::Queued);

    // Approved five minutes into the lesson it comes up at once, and ends with the lesson.
    let second = order(&world, &teacher, &lessons(whole(&course, 1), "2", 1)).await.expect("ordered");
    world.clock.set(at("2026-11-23T08:25:00+08:00"));
    promote(services).await.expect("the first one comes up");
    let rows = approve_class(services, &manager, second.order.class.expect("one of many").id).await.expect("decided");
    assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [Some(OrderState::Approved); 2]);
    settle(&world).await;
    let lab = get(services, &teacher, second.order.id).await.expect("read").labs[0];
    let lab = labs::get(services, &teacher, lab).await.expect("read").view.lab;
    assert_eq!((lab.state, lab.ends_at), (LabState::Running, Some(at("2026-11-23T10:20:00+08:00"))));
});

on_each_engine!(an_approver_sees_the_whole_class_and_decides_all_of_it_with_one_press, |world| {
    cards(&world, SLICE, 14).await;
    let course = world.course("CV2402").cards(64).starts_per_day(64).cards_per_order(1).add().await;
    let (teacher, manager, other) = (world.teacher("li", &[&course]).await, world.manager("zhou").await, world.manager("qian").await);
    let services = &world.services;
    let first = order(&world, &teacher, &lessons(slice(&course), "20", 6)).await.expect("ordered").order;
    let made = first.class.expect("one of many");
    assert_eq!((first.state, made.orders()), (OrderState::PendingApproval, 120));
    let held = quota(&world, course.id).await.budget.held;

    // From any of its orders: all lessons, all seats, the price of all.
    let some = all(&world, &teacher, made.id).await[77].order.id;
    let decision = approval(services, &manager, some).await.expect("an approval");
    let shown = decision.class.expect("what waits together");
    assert_eq!((shown.orders, shown.total), (120, held));
    let status = &decision.what_if.quota;
    assert_eq!((shown.cards_beside(&decision.view.order).to_string().as_str(), status.held.cards.to_string().as_str()), ("2 6/7", "2 6/7"));
    assert_eq!(status.budget.left().plus(shown.total), status.budget.limit, "before it nothing was held");
    let spans: Vec<_> = shown.lessons.iter().map(|lesson| (lesson.seats, lesson.cards, lesson.span.expect("a time").from)).collect();
    assert_eq!(spans.len(), 6);
    assert_eq!((spans[0], spans[5].0), ((20, 20, at("2026-11-23T08:10:00+08:00")), 20));

    // One of them is decided by itself; of two approvers who press at the same moment one decides the rest.
    approve(services, &manager, some, None).await.expect("approved");
    let shown = approval(services, &manager, first.id).await.expect("an approval").class.expect("what waits together");
    assert_eq!(shown.orders, 119);
    let replica = world.replica();
    let (one, two) = tokio::join!(approve_class(services, &manager, made.id), approve_class(&replica, &other, made.id));
    let rows: Vec<_> = [one.expect("decided"), two.expect("decided")].into_iter().flatten().collect();
    assert_eq!(rows.len(), 119, "each once");
    assert!(rows.iter().all(|row| row.state == Some(OrderState::Queued) && row.error.is_none()));
    assert_eq!(approve_class(services, &manager, made.id).await, Ok(vec![]), "pressed again");
    assert_eq!(approval(services, &manager, first.id).await.expect("still to be read").class, None);
    assert_eq!(records(&world, "order.approve").await.len(), 120, "each has its record");
    let heard: Vec<_> = told(&world, &teacher).await.into_iter().filter(|notice| matches!(notice, Notice::ClassDecided { .. })).collect();
    assert_eq!(heard.len(), 1, "one notice for all");
});

on_each_engine!(a_class_is_decided_but_for_lessons_that_are_over_and_each_row_says_so, |world| {
    cards(&world, WHOLE, 4).await;
    let course = world.course("CV2402").add().await;
    let (teacher, manager) = (world.teacher("li", &[&course]).await, world.manager("zhou").await);
    let services = &world.services;
    let class = order(&world, &teacher, &lessons(whole(&course, 1), "2", 2)).await.expect("ordered").order.class.expect("one of many").id;
    // The first lesson is over, and the job that cancels its orders has not come by.
    world.clock.set(at("2026-11-23T10:30:00+08:00"));
    let rows = approve_class(services, &manager, class).await.expect("decided");
    let became: Vec<_> = rows.iter().map(|row| (row.state, row.error.as_ref().map(Error::code))).collect();
    let (over, done) = ((None, Some("invalid_transition")), (Some(OrderState::Queued), None));
    assert_eq!(became, [over, over, done, done]);
    assert_eq!(records(&world, "order.approve").await.len(), 2);
    assert_eq!(expire(services).await, Ok(2));
});

/// Whether nothing of the class is decided: every order waits, no card is taken, no record and no notice says otherwise.
async fn is_undecided(world: &TestWorld, teacher: &Caller, class: ClassId) -> bool {
    let orders = all(world, teacher, class).await;
    let wait = orders.iter().all(|view| view.order.state == OrderState::PendingApproval && view.labs.is_empty());
    let recorded = records(world, "order.approve").await.iter().any(|(outcome, _)| outcome == "success");
    wait && !recorded && reserved(world, WHOLE).await == 0 && told(world, teacher).await.is_empty()
}

on_each_engine!(a_failure_in_the_middle_of_a_class_decision_decides_nothing, |world| {
    let (course, teacher, manager) = class(&world).await;
    let services = &world.services;
    let form = OrderForm { class: ClassForm { seats: ROSTER.into(), ..ClassForm::default() }, ..whole(&course, 1) };
    let first = order(&world, &teacher, &form).await.expect("ordered").order;
    let made = first.class.expect("it is one of many").id;
    assert_eq!(first.number, 1_001);
    let held = quota(&world, course.id).await;
    assert!(is_undecided(&world, &teacher, made).await);

    // The second of three cannot be written.
    let (stick, free) = match services.db.engine() {
        Engine::Sqlite => {
            let sql = "CREATE TRIGGER stuck BEFORE UPDATE ON orders WHEN NEW.number = 1002 BEGIN SELECT RAISE(ABORT, 'stuck'); END";
            (sql, "DROP TRIGGER stuck")
        }
        Engine::Postgres => {
            let sql = "ALTER TABLE orders ADD CONSTRAINT stuck CHECK (number <> 1002 OR state = 'pending_approval')";
            (sql, "ALTER TABLE orders DROP CONSTRAINT stuck")
        }
    };
    execute(&services.db, stick).await.expect("stuck");
    approve_class(services, &manager, made).await.expect_err("one of them cannot be written");
    execute(&services.db, free).await.expect("free");
    assert!(is_undecided(&world, &teacher, made).await, "nor is the first");

    // All are written, and the commit fails.
    let fuse = services.db.fuse();
    fuse.arm(Some((0, Fault::Fail)));
    approve_class(services, &manager, made).await.expect_err("the commit fails");
    assert!(fuse.blown());
    fuse.arm(None);
    assert!(is_undecided(&world, &teacher, made).await);
    assert_eq!(quota(&world, course.id).await, held, "quota and money are held as before");

    // The answer of the commit is lost: all are decided, and once.
    fuse.arm(Some((0, Fault::AnswerLost)));
    approve_class(services, &manager, made).await.expect_err("its answer is lost");
    assert!(fuse.blown());
    fuse.arm(None);
    assert_eq!(count(&world, &teacher, OrderState::PendingApproval).await, 0);
    assert_eq!(approve_class(services, &manager, made).await, Ok(vec![]), "all are decided");
    let recorded = records(&world, "order.approve").await.into_iter().filter(|(outcome, _)| outcome == "success");
    assert_eq!(recorded.count(), 3);
});
