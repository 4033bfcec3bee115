//! People who leave a course, in every way: nothing is spent in their name any more, and their orders cannot be approved.

use std::collections::BTreeSet;

use domain::{
    Error,
    access::{Action, Resource, Role},
    audit::Via,
    courses::Course,
    ids::{LabId, OrderId},
    labs::{Autostop, Extension, LabFilter, LabState},
    notifications::Notice,
    orders::{ClassForm, OrderForm, OrderState, REQUESTER_LEFT},
    page::PageRequest,
};

use super::{SLICE, WHOLE, cards, on_each_engine, order, quota, records, reserved, slice, state, whole};
use crate::{
    Caller,
    jobs::reconcile,
    labs,
    orders::{self, again, approval, approve, approve_all, approve_class, approve_with, cancel_of_leavers, inbox, preview, promote, reject},
    people,
    testing::{TestWorld, with_scopes},
};

/// The caller with the rights of their next request.
async fn now(world: &TestWorld, caller: &Caller) -> Option<Caller> {
    let (actor, _) = crate::accounts::current(&world.services, caller.actor.user).await.expect("read")?;
    Some(Caller { actor, origin: caller.origin.clone() })
}

/// Removes the teacher from the course, as the course's page does.
async fn take_off(world: &TestWorld, teacher: &Caller, course: &Course) -> Caller {
    let administrator = world.administrator("admin").await;
    crate::courses::remove_member(&world.services, &administrator, course.id, teacher.actor.user).await.expect("removed");
    now(world, teacher).await.expect("still an account")
}

async fn settle(world: &TestWorld) {
    while reconcile::due(&world.services).await.expect("the database answers") > 0 {}
}

async fn lab_state(world: &TestWorld, id: LabId) -> LabState {
    let mut read = world.services.db.read().await.expect("a connection");
    storage::labs::get(&mut read, id).await.expect("read").expect("a lab").state
}

async fn reason(world: &TestWorld, id: OrderId) -> Option<String> {
    let mut read = world.services.db.read().await.expect("a connection");
    storage::orders::find(&mut read, id).await.expect("read").expect("an order").reason
}

async fn told(world: &TestWorld, caller: &Caller) -> Vec<Notice> {
    let page = crate::notifications::list(&world.services, caller, crate::notifications::Wanted::All, &PageRequest::default()).await.expect("listed");
    page.items.into_iter().map(|each| each.notice).filter(|notice| matches!(notice, Notice::RequesterLeft { .. })).collect()
}

on_each_engine!(who_was_taken_off_the_course_makes_no_lab_cost_more_and_may_still_stop_it, |world| {
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li.hua", &[&course]).await;
    crate::cluster_status::refresh(&world.services).await.expect("the cluster tells its nodes");
    let running = order(&world, &teacher, &slice(&course)).await.expect("taken").labs[0];
    let stopped = order(&world, &teacher, &slice(&course)).await.expect("taken").labs[0];
    settle(&world).await;
    labs::stop(&world.services, &teacher, stopped).await.expect("stops");
    let services = &world.services;
    let gone = take_off(&world, &teacher, &course).await;
    let token = with_scopes(&gone, &domain::access::Scope::ALL);
    assert_eq!(token.origin.via, Via::Api);
    for caller in [&gone, &token] {
        // This includes undoing a stop: the lab is still stopping.
        assert_eq!(lab_state(&world, stopped).await, LabState::Stopping);
        assert_eq!(labs::start(services, caller, stopped).await.err(), Some(Error::Forbidden));
        assert_eq!(labs::retry(services, caller, stopped).await.err(), Some(Error::Forbidden));
        assert_eq!(labs::keep(services, caller, stopped).await.err(), Some(Error::Forbidden));
        assert_eq!(labs::restart(services, caller, running, None).await.err(), Some(Error::Forbidden));
        assert_eq!(labs::extend(services, caller, running, Extension::Minutes(30), None).await.err(), Some(Error::Forbidden));
        assert_eq!(labs::extend_preview(services, caller, running, Extension::Minutes(30)).await.err(), Some(Error::Forbidden));
        let more = [("cpu_cores".to_owned(), "8".to_owned())].into();
        assert_eq!(labs::resize(services, caller, running, &more, "").await.err(), Some(Error::Forbidden));
        assert_eq!(labs::set_autostop(services, caller, running, Autostop::default()).await.err(), Some(Error::Forbidden));
        let refused = order(&world, caller, &slice(&course)).await.err();
        assert_eq!(refused, Some(Error::field("course", domain::Problem::NoSuch)), "to them it is no course any more");
        assert!(preview(services, caller, &slice(&course)).await.is_err());
        let class = OrderForm { class: ClassForm { seats: "3".into(), ..ClassForm::default() }, ..slice(&course) };
        assert!(order(&world, caller, &class).await.is_err());
        let view = labs::get(services, caller, running).await.expect("still theirs to look at").view;
        assert!(view.owner_left && view.may_stop && view.may_destroy);
        assert!(!(view.may_start || view.options.may_extend || view.options.may_resize || view.options.may_restart));
        let ordered = again(services, caller, view.lab.order).await.err();
        assert_eq!(ordered, Some(Error::NotFound), "no order again for a course that is not theirs");
    }
    // The running lab is left to its end, and managers see its owner.
    assert_eq!(cancel_of_leavers(services).await, Ok(0));
    let manager = world.manager("zhang").await;
    let left = LabFilter { owner_left: true, live: true, ..LabFilter::default() };
    let listed = labs::list(services, &manager, &left, &PageRequest::default()).await.expect("listed").items;
    let ids: BTreeSet<_> = listed.iter().map(|view| view.lab.id).collect();
    assert_eq!(ids, [running, stopped].into());
    labs::extend(services, &manager, running, Extension::Minutes(30), None).await.expect("a manager may, for the class");
    world.clock.advance(3 * 3_600);
    labs::stop_ended(services).await.expect("the clock");
    settle(&world).await;
    assert_eq!(lab_state(&world, running).await, LabState::Stopped);
    labs::destroy(services, &gone, running).await.expect("ending what costs is theirs");
});

on_each_engine!(orders_of_who_left_are_not_approved_by_any_door_and_say_so, |world| {
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li.hua", &[&course]).await;
    let manager = world.manager("zhang").await;
    cards(&world, WHOLE, 8).await;
    cards(&world, SLICE, 2).await;
    let services = &world.services;
    let one = order(&world, &teacher, &whole(&course, 2)).await.expect("waits for a manager").order;
    let class = OrderForm { class: ClassForm { seats: "2".into(), ..ClassForm::default() }, ..whole(&course, 2) };
    let class = order(&world, &teacher, &class).await.expect("waits for a manager").order;
    let before = quota(&world, course.id).await;
    take_off(&world, &teacher, &course).await;

    let page = inbox(services, &manager, &PageRequest::default()).await.expect("an inbox");
    assert!(page.items.iter().all(|item| item.view.owner_left), "the inbox says it");
    let shown = approval(services, &manager, one.id).await.expect("an approval").view;
    assert!(shown.owner_left && shown.may_decide, "it can be rejected");
    assert_eq!(approve(services, &manager, one.id, None).await.err(), Some(Error::RequesterLeft));
    let smaller = domain::decisions::ChangeForm { duration_minutes: "60".into(), ..Default::default() };
    assert_eq!(approve_with(services, &manager, one.id, &smaller, "", None).await.err(), Some(Error::RequesterLeft));
    let rows = approve_all(services, &manager, &[(one.id, None)]).await.expect("rows");
    assert_eq!(rows[0].error, Some(Error::RequesterLeft));
    let class_id = class.class.expect("a class").id;
    assert_eq!(approve_class(services, &manager, class_id).await, Err(Error::RequesterLeft), "a class is decided as a whole");
    assert_eq!(reserved(&world, WHOLE).await, 0);
    assert!(
        records(&world, "order.approve").await.iter().any(|(_, code)| code.as_deref() == Some("requester_left")),
        "the record keeps the attempts"
    );
    assert_eq!(quota(&world, course.id).await.in_use(), before.in_use(), "held until it is cancelled");

    let rejected = reject(services, &manager, one.id, "Li Hua left", None).await.expect("rejected");
    assert_eq!(rejected.order.state, OrderState::Rejected);
    assert_eq!(cancel_of_leavers(services).await, Ok(2), "the class's two seats");
    assert_eq!((state(services, class.id).await, reason(&world, class.id).await.as_deref()), (OrderState::Cancelled, Some(REQUESTER_LEFT)));
    let after = quota(&world, course.id).await;
    assert_eq!((after.budget.held.micros, after.in_use().get(domain::quotas::Item::Cards)), (0, 0), "what it held is free");
    let notices = told(&world, &manager).await;
    assert!(matches!(notices.as_slice(), [Notice::RequesterLeft { order, orders: 2, .. }] if *order == class.id), "{notices:?}");
    assert_eq!(told(&world, &teacher).await, notices, "the requester hears the same");
    assert_eq!(orders::waiting(services, &manager, &PageRequest::default()).await.expect("an inbox").items, []);
    assert_eq!(cancel_of_leavers(services).await, Ok(0));
});

on_each_engine!(lessons_to_come_and_orders_in_the_queue_bring_up_no_lab_after_the_requester_left, |world| {
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li.hua", &[&course]).await;
    let colleague = world.teacher("wang", &[&course]).await;
    cards(&world, SLICE, 1).await;
    let services = &world.services;
    let running = order(&world, &teacher, &slice(&course)).await.expect("taken");
    let queued = order(&world, &teacher, &slice(&course)).await.expect("queued").order;
    let theirs = order(&world, &colleague, &slice(&course)).await.expect("queued").order;
    let lesson =
        ClassForm { when: "lessons".into(), first_day: "2026-11-23".into(), bell: "08:20".into(), weeks: "2".into(), ..ClassForm::default() };
    let lesson = order(&world, &teacher, &OrderForm { class: lesson, ..slice(&course) }).await.expect("scheduled").order;
    assert_eq!((queued.state, theirs.state, lesson.state), (OrderState::Queued, OrderState::Queued, OrderState::Queued));
    take_off(&world, &teacher, &course).await;
    cards(&world, SLICE, 4).await;
    world.clock.set(lesson.starts_at.expect("a time"));
    // Before the job has run.
    assert_eq!(promote(services).await, Ok(1), "only the colleague's");
    assert_eq!(state(services, theirs.id).await, OrderState::Approved);
    assert_eq!((state(services, queued.id).await, state(services, lesson.id).await), (OrderState::Queued, OrderState::Queued));
    assert_eq!(cancel_of_leavers(services).await, Ok(3), "the queued one and both lessons");
    for id in [queued.id, lesson.id] {
        assert_eq!((state(services, id).await, reason(&world, id).await.as_deref()), (OrderState::Cancelled, Some(REQUESTER_LEFT)));
    }
    assert_eq!(state(services, running.order.id).await, OrderState::Approved, "a lab that is there runs to its end");
    assert_eq!(promote(services).await, Ok(0));
});

on_each_engine!(a_lab_that_a_leaver_started_again_gets_no_cards_and_stops, |world| {
    let course = world.course("CV2402").add().await;
    let (teacher, colleague) = (world.teacher("li.hua", &[&course]).await, world.teacher("wang", &[&course]).await);
    let operator = world.operator("chen").await;
    let services = &world.services;
    cards(&world, SLICE, 2).await;
    let mut down = Vec::new();
    for _ in 0..2 {
        let lab = order(&world, &teacher, &slice(&course)).await.expect("taken").labs[0];
        settle(&world).await;
        labs::stop(services, &teacher, lab).await.expect("stops");
        settle(&world).await;
        down.push(lab);
    }
    for _ in 0..2 {
        order(&world, &colleague, &slice(&course)).await.expect("taken");
    }
    assert_eq!(reserved(&world, SLICE).await, 2);
    labs::start(services, &teacher, down[0]).await.expect("waits for cards");
    let gone = take_off(&world, &teacher, &course).await;
    assert_eq!(labs::start(services, &gone, down[1]).await.err(), Some(Error::Forbidden));
    labs::start(services, &operator, down[1]).await.expect("an operator helps, in their own name");
    // Two more cards: the lab that the leaver started is first in the queue, and gets none.
    cards(&world, SLICE, 4).await;
    assert_eq!(promote(services).await, Ok(1), "the operator's start");
    assert_eq!(cancel_of_leavers(services).await, Ok(1));
    settle(&world).await;
    assert_eq!(lab_state(&world, down[0]).await, LabState::Stopped);
    assert_eq!(promote(services).await, Ok(0));
});

on_each_engine!(every_way_out_of_a_course_is_noticed_and_the_way_back_too, |world| {
    let department = world.department("Vision").await;
    let course = world.course("CV2402").in_department(department).add().await;
    let administrator = world.administrator("admin").await;
    let services = &world.services;
    let waiting = |caller: Caller| {
        let (world, form) = (&world, whole(&course, 2));
        async move { order(world, &caller, &form).await.expect("waits for a decision").order.id }
    };
    let course = &course;
    let teacher = |login: &'static str| async { world.teacher(login, &[course]).await };
    let shut = teacher("disabled").await;
    let off = teacher("off").await;
    let no_role = teacher("no-role").await;
    let stays = teacher("stays").await;
    let comes_back = teacher("comes-back").await;
    let head = world.person("head").role_at(department, Role::Manager).add().await;
    let mut ids = Vec::new();
    for caller in [&shut, &off, &no_role, &head, &stays, &comes_back] {
        ids.push(waiting(caller.clone()).await);
    }
    let courses_taught = BTreeSet::from([course.id]);
    people::disable(services, &administrator, shut.actor.user).await.expect("disabled");
    people::set_access(services, &administrator, off.actor.user, [Role::Teacher].into(), BTreeSet::new()).await.expect("off");
    people::set_access(services, &administrator, no_role.actor.user, BTreeSet::new(), courses_taught.clone()).await.expect("no role");
    people::set_post(services, &administrator, head.actor.user, department, BTreeSet::new()).await.expect("no post");
    people::set_access(services, &administrator, comes_back.actor.user, [Role::Teacher].into(), BTreeSet::new()).await.expect("off");
    people::set_access(services, &administrator, comes_back.actor.user, [Role::Teacher].into(), courses_taught).await.expect("back");
    assert_eq!(now(&world, &shut).await.map(|caller| caller.actor.user), None);
    assert_eq!(cancel_of_leavers(services).await, Ok(4));
    let mut states = Vec::new();
    for id in ids {
        states.push(state(services, id).await);
    }
    let (gone, there) = (OrderState::Cancelled, OrderState::PendingApproval);
    assert_eq!(states, [gone, gone, gone, gone, there, there]);
});

on_each_engine!(one_leaver_whose_order_cannot_be_cancelled_holds_up_nobody_else, |world| {
    let course = world.course("CV2402").add().await;
    let services = &world.services;
    let administrator = world.administrator("admin").await;
    let mut waiting = Vec::new();
    for login in ["li.hua", "wang", "zhao"] {
        let teacher = world.teacher(login, &[&course]).await;
        let id = order(&world, &teacher, &whole(&course, 2)).await.expect("waits for a manager").order.id;
        crate::courses::remove_member(services, &administrator, course.id, teacher.actor.user).await.expect("removed");
        waiting.push((teacher.actor.user, id));
    }
    waiting.sort_unstable_by_key(|(user, _)| *user);
    let (user, first) = waiting[0];
    let sql = format!("SELECT ruling FROM orders WHERE id = '{first}'");
    let ruling = storage::testing::texts(&services.db, &sql).await.remove(0);
    let store = |ruling: String| async move {
        let sql = format!("UPDATE orders SET ruling = '{}' WHERE id = '{first}'", ruling.replace('\'', "''"));
        storage::testing::execute(&services.db, &sql).await.expect("stored");
    };
    store("{".into()).await;
    assert_eq!(cancel_of_leavers(services).await, Ok(2), "the others");
    let last = {
        let mut read = services.db.read().await.expect("a connection");
        storage::accounts::standing::leavers(&mut read, Some((user, course.id)), 20).await.expect("read")
    };
    assert!(last.is_empty(), "only the first still waits");
    for (_, id) in &waiting[1..] {
        assert_eq!(state(services, *id).await, OrderState::Cancelled);
    }
    store(ruling).await;
    assert_eq!(cancel_of_leavers(services).await, Ok(1), "the next round tries it again");
    assert_eq!(state(services, first).await, OrderState::Cancelled);
});

// The SQL condition and the policy agree for every person.
on_each_engine!(the_database_says_who_left_as_the_policy_does, |world| {
    let (department, other) = (world.department("Vision").await, world.department("Speech").await);
    let (inside, outside) = (world.course("CV2402").in_department(department).add().await, world.course("ML2301").add().await);
    let mut number = 0;
    let mut kept = 0;
    for role in Role::ALL.into_iter().map(Some).chain([None]) {
        for place in [None, Some(department), Some(other)] {
            for member in [false, true] {
                number += 1;
                let person = world.person(&format!("person-{number}"));
                let person = match (role, place) {
                    (Some(role), Some(place)) => person.role_at(place, role),
                    (Some(role), None) => person.role(role),
                    (None, _) => person,
                };
                let caller = if member { person.teaches(&inside).add().await } else { person.add().await };
                for course in [&inside, &outside] {
                    let may = caller.actor.can(Action::OrderSubmit, &Resource::course(world.tenant, course.id)).is_ok();
                    let mut read = world.services.db.read().await.expect("a connection");
                    let left = storage::accounts::standing::has_left(&mut read, caller.actor.user, course.id).await.expect("read");
                    assert_eq!(left, !may, "{role:?} at {place:?}, member: {member}, {}", course.code);
                    kept += u32::from(may);
                }
            }
        }
    }
    assert_eq!(kept, 9, "managers of the college in both courses, those of the department in its own, and teachers of any place who are members");
});
