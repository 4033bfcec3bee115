//! Submitting: what is held, what is refused, and that a retry makes no second order.

use domain::{
    Error, FieldError, Problem,
    approvals::Outcome,
    gpu::CardShare,
    money::{Currency, Money},
    orders::{OrderForm, OrderState},
    quotas::{Item, Shortfall},
};

use super::{SLICE, WHOLE, cards, key, on_each_engine, order, quota, records, reserved, slice, whole};
use crate::{
    orders::{get, preview, submit},
    testing::TestWorld,
};

fn fields(error: &Error) -> Vec<(&str, &Problem)> {
    let Error::Invalid(problems) = error else { panic!("not a form mistake: {error:?}") };
    problems.iter().map(|FieldError { field, problem }| (field.as_str(), problem)).collect()
}

on_each_engine!(an_automatic_order_gets_its_lab_and_card_at_once, |world| {
    cards(&world, SLICE, 14).await;
    let course = world.course("AI2301").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let view = order(&world, &teacher, &slice(&course)).await.expect("ordered");
    assert_eq!((view.order.number, view.order.state, view.labs.len()), (1_001, OrderState::Approved, 1));
    assert_eq!((&view.order.ruling.outcome, view.order.decided_by), (&Outcome::Automatic, None));
    assert_eq!((view.may_cancel, view.may_decide, view.queue_position), (true, false, None));
    assert_eq!(reserved(&world, SLICE).await, 1);

    let mut connection = world.services.db.read().await.expect("a connection");
    let lab = storage::labs::get(&mut connection, view.labs[0]).await.expect("read").expect("a lab");
    assert_eq!((lab.name.as_str(), lab.namespace.as_str(), lab.reserved), ("lab-1001", "lectern-ai-ai2301", true));
    let work = storage::outbox::due(&mut connection, view.order.submitted_at, 10).await.expect("read");
    assert_eq!(work.iter().map(|work| work.subject.clone()).collect::<Vec<_>>(), [lab.id.to_string()]);
    drop(connection);

    let quota = quota(&world, course.id).await;
    assert_eq!((quota.used, quota.held), (view.order.amounts(), domain::quotas::Amounts::default()), "a lab counts as used, not as held");
    assert_eq!(quota.budget.held, view.order.estimate.total);
    assert_eq!(quota.started_today.to_string(), "1/7");
    assert_eq!(records(&world, "order.submit").await, [("success".to_owned(), None)]);
});

on_each_engine!(an_order_above_the_policy_waits_for_a_manager_and_holds_quota_and_budget, |world| {
    cards(&world, WHOLE, 16).await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let view = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered");
    assert_eq!((view.order.state, view.labs.len(), reserved(&world, WHOLE).await), (OrderState::PendingApproval, 0, 0));
    let quota = quota(&world, course.id).await;
    assert_eq!(quota.held, view.order.amounts());
    assert_eq!((quota.held.cards, quota.held.running_labs), (CardShare::whole(2), 1));
    assert_eq!(quota.budget.held, view.order.estimate.total);
    assert_eq!(quota.started_today, CardShare::ZERO, "nothing starts before somebody agrees");
});

on_each_engine!(over_quota_says_by_how_much_and_holds_nothing, |world| {
    let course = world.course("CV2402").cards(3).add().await;
    let teacher = world.teacher("li", &[&course]).await;
    order(&world, &teacher, &whole(&course, 2)).await.expect("two of three");
    let error = order(&world, &teacher, &whole(&course, 2)).await.expect_err("one too many");
    let card = CardShare::WHOLE.parts();
    let expected = Shortfall { item: Item::Cards, limit: 3 * card, in_use: 2 * card, asked: 2 * card, over: card };
    assert_eq!(error, Error::OverQuota(vec![expected]));
    assert_eq!(quota(&world, course.id).await.held.cards, CardShare::whole(2));
    assert_eq!(records(&world, "order.submit").await[0], ("refused".to_owned(), Some("over_quota".to_owned())));
    // The number was given back with the transaction.
    assert_eq!(order(&world, &teacher, &whole(&course, 1)).await.expect("the third card").order.number, 1_002);
});

on_each_engine!(over_budget_says_what_is_missing, |world| {
    let course = world.course("CV2402").budget(30).add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let first = order(&world, &teacher, &whole(&course, 2)).await.expect("within the budget").order.estimate.total;
    let left = Money::units(30, Currency::Cny).minus(first);
    let error = order(&world, &teacher, &whole(&course, 2)).await.expect_err("the rest is too little");
    assert_eq!(error, Error::OverBudget { left, asked: first, over: first.minus(left) });
});

#[tokio::test]
async fn every_mistake_of_the_form_is_named_at_its_field() {
    let world = TestWorld::college().await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let mut form = OrderForm { duration_minutes: "soon".into(), ..slice(&course) };
    form.course = String::new();
    form.parameters = [("colour".into(), "red".into()), ("cpu_cores".into(), "900".into())].into();
    let error = order(&world, &teacher, &form).await.expect_err("mistakes");
    let expected = [
        ("course", &Problem::Missing),
        ("duration_minutes", &Problem::NotANumber),
        ("parameters.colour", &Problem::UnknownField),
        ("parameters.cpu_cores", &Problem::OutOfRange { min: 1, max: 8 }),
    ];
    assert_eq!(fields(&error), expected);
    assert_eq!(preview(&world.services, &teacher, &form).await.expect_err("the same"), error, "the preview says what submitting says");
    assert_eq!(records(&world, "order.submit").await, [], "a form mistake is no refusal");

    let nothing = OrderForm { offering: "hovercraft".into(), ..slice(&course) };
    assert_eq!(fields(&order(&world, &teacher, &nothing).await.expect_err("no such")), [("offering", &Problem::NoSuch)]);
}

#[tokio::test]
async fn a_course_that_is_not_the_callers_is_answered_like_none_and_recorded() {
    let world = TestWorld::college().await;
    let own = world.course("CV2402").add().await;
    let others = world.course("AI2301").add().await;
    let elsewhere = world.other_tenant("law").await;
    let foreign = world.course("LAW1").in_tenant(elsewhere).add().await;
    let teacher = world.teacher("li", &[&own]).await;
    let missing = OrderForm { course: "NOPE1".into(), ..slice(&own) };
    let expected = order(&world, &teacher, &missing).await.expect_err("no such course");
    assert_eq!(fields(&expected), [("course", &Problem::NoSuch)]);
    assert_eq!(order(&world, &teacher, &slice(&others)).await.expect_err("not theirs"), expected);
    let by_id = OrderForm { course: foreign.id.to_string(), ..slice(&own) };
    assert_eq!(order(&world, &teacher, &by_id).await.expect_err("another tenant's"), expected);
    assert_eq!(records(&world, "order.submit").await, [("refused".to_owned(), Some("not_found".to_owned()))]);

    let auditor = world.auditor("shen").await;
    assert_eq!(order(&world, &auditor, &slice(&own)).await.expect_err("not their job"), Error::Forbidden);
}

on_each_engine!(the_same_key_gives_the_same_order_and_another_request_is_refused, |world| {
    cards(&world, SLICE, 14).await;
    let course = world.course("AI2301").running_labs(1).add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let form = slice(&course);
    let first = submit(&world.services, &teacher, &form, &key("k")).await.expect("ordered");
    // The quota is used up by now: a retry finds its order all the same.
    let again = submit(&world.services, &teacher, &form, &key("k")).await.expect("the same");
    assert_eq!(first, again);
    let other = OrderForm { purpose: "another".into(), ..form.clone() };
    let error = submit(&world.services, &teacher, &other, &key("k")).await.expect_err("another request");
    assert_eq!(error, Error::IdempotencyKeyReused { order: Some(first.order.id) });
    // A key belongs to its person.
    let colleague = world.teacher("wang", &[&course]).await;
    assert!(matches!(submit(&world.services, &colleague, &form, &key("k")).await, Err(Error::OverQuota(_))));
});

on_each_engine!(twenty_parallel_submissions_with_one_key_make_one_order, |world| {
    cards(&world, SLICE, 14).await;
    let course = world.course("AI2301").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let replica = world.replica();
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let services = if number % 2 == 0 { world.services.clone() } else { replica.clone() };
            let (teacher, form) = (teacher.clone(), slice(&course));
            tokio::spawn(async move { submit(&services, &teacher, &form, &key("one")).await })
        })
        .collect();
    let mut orders = std::collections::BTreeSet::new();
    for task in tasks {
        orders.insert(task.await.expect("no panic").expect("the order").order.id);
    }
    assert_eq!(orders.len(), 1);
    assert_eq!((reserved(&world, SLICE).await, quota(&world, course.id).await.used.running_labs), (1, 1));
    assert_eq!(records(&world, "order.submit").await.len(), 1);
});

on_each_engine!(forty_teachers_at_once_hold_exactly_the_quota, |world| {
    cards(&world, SLICE, 100).await;
    let course = world.course("AI2301").running_labs(25).add().await;
    let replica = world.replica();
    let mut tasks = Vec::new();
    for number in 0..40 {
        let services = if number % 2 == 0 { world.services.clone() } else { replica.clone() };
        let teacher = world.teacher(&format!("teacher-{number}"), &[&course]).await;
        let form = slice(&course);
        tasks.push(tokio::spawn(async move { submit(&services, &teacher, &form, &key(number)).await }));
    }
    let mut numbers = std::collections::BTreeSet::new();
    let mut refused = 0;
    for task in tasks {
        match task.await.expect("no panic") {
            Ok(view) => assert!(numbers.insert(view.order.number), "every number once"),
            Err(Error::OverQuota(short)) => {
                assert_eq!((short[0].item, short[0].over), (Item::RunningLabs, 1));
                refused += 1;
            }
            Err(other) => panic!("a technical refusal: {other:?}"),
        }
    }
    assert_eq!((numbers.len(), refused), (25, 15));
    assert_eq!(numbers.last(), Some(&1_025), "no gaps");
    let quota = quota(&world, course.id).await;
    assert_eq!((quota.used.running_labs, quota.used.cards), (25, CardShare::from_parts(25 * 120)));
    assert_eq!(reserved(&world, SLICE).await, 25);
});

on_each_engine!(splitting_an_order_does_not_dodge_the_limit_per_day, |world| {
    // No cards at all: what waits in the queue will start as soon as there are some, so it counts.
    let course = world.course("CV2402").starts_per_day(2).add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let mut states = Vec::new();
    for _ in 0..3 {
        states.push(order(&world, &teacher, &whole(&course, 1)).await.expect("ordered").order.state);
    }
    assert_eq!(states, [OrderState::Queued, OrderState::Queued, OrderState::PendingApproval]);
    assert_eq!(quota(&world, course.id).await.started_today, CardShare::whole(2));
});

on_each_engine!(the_preview_shows_what_submitting_then_does, |world| {
    cards(&world, WHOLE, 16).await;
    let course = world.course("CV2402").cards(5).add().await;
    let teacher = world.teacher("li", &[&course]).await;
    for count in [1, 2, 5] {
        let form = whole(&course, count);
        let shown = preview(&world.services, &teacher, &form).await.expect("a preview");
        let context = crate::catalogue::context(&world.services, &teacher, &form.offering).await.expect("a context");
        assert_eq!(context.preview(&form).as_ref(), Ok(&shown), "the browser computes the same");
        match order(&world, &teacher, &form).await {
            Ok(view) => {
                assert_eq!(shown.refusal, None);
                let ruling = domain::approvals::Ruling { facts: None, ..shown.ruling };
                assert_eq!((view.order.ruling, view.order.estimate, view.order.spec), (ruling, shown.estimate, shown.spec));
                assert_eq!(get(&world.services, &teacher, view.order.id).await.expect("read").order.purpose, "");
            }
            Err(error) => assert_eq!(shown.refusal, Some(error)),
        }
    }
});

on_each_engine!(an_answer_is_kept_for_a_week_and_its_key_for_ever, |world| {
    cards(&world, SLICE, 14).await;
    let course = world.course("AI2301").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let again = async || submit(&world.services, &teacher, &slice(&course), &key("kept")).await.expect("answered");
    let first = again().await;
    crate::orders::cancel(&world.services, &teacher, first.order.id).await.expect("cancelled");
    world.clock.advance(6 * 86_400);
    assert_eq!(crate::answers::sweep(&world.services).await, Ok(0));
    assert_eq!(again().await, first, "word for word, whatever became of it");
    world.clock.advance(2 * 86_400);
    assert_eq!(crate::answers::sweep(&world.services).await, Ok(1));
    assert_eq!(crate::answers::sweep(&world.services).await, Ok(0));
    let late = again().await;
    assert_eq!((late.order.id, late.order.state), (first.order.id, OrderState::Cancelled), "no second order");
});

on_each_engine!(quotas_read_together_are_those_read_one_by_one, |world| {
    // More than one statement reads, with one order in one of them.
    let mut courses = Vec::new();
    for number in 0..35 {
        courses.push(world.course(&format!("AI{number}")).running_labs(number + 1).add().await);
    }
    let teacher = world.teacher("li", &[&courses[33]]).await;
    order(&world, &teacher, &slice(&courses[33])).await.expect("ordered");
    let now = crate::ports::Clock::now(&*world.clock);
    let mut ids: Vec<_> = courses.iter().map(|course| course.id).collect();
    ids.push("01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e".parse().expect("an id of none"));
    let mut read = world.services.db.read().await.expect("a connection");
    let together = storage::quotas::of_courses(&mut read, &ids, now).await.expect("read");
    assert_eq!(together.len(), courses.len());
    for course in &courses {
        let alone = storage::quotas::of_course(&mut read, course.id, now).await.expect("read");
        assert_eq!(together.get(&course.id), alone.as_ref());
    }
});
