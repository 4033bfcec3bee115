//! Orders of several stages, changes, questions, bulk decisions, and time.

use domain::{
    Error, Problem,
    access::Role,
    approvals::{Condition, Outcome, Policy, Rule},
    catalogue::Localized,
    decisions::{ChangeForm, Step},
    gpu::CardShare,
    money::Money,
    notifications::Notice,
    orders::{EXPIRED, Order, OrderState},
    page::PageRequest,
};

use super::{WHOLE, cards, on_each_engine, order, quota, records, reserved, state, whole};
use crate::{
    Caller,
    orders::{
        accept, answer, approval, approve, approve_all, approve_with, ask, decisions, decline, expire, get, inbox, reject, reject_all, remind,
        summary,
    },
    policies,
    testing::TestWorld,
};

/// Every order asks these, one after the other.
async fn stages(world: &TestWorld, roles: &[Role], same_person_twice: bool) {
    let rule = Rule::new(Localized { zh: "全部".into(), en: "All".into() }, Condition::Always, Outcome::Stages(roles.to_vec()));
    put(world, &Policy { rules: vec![rule], same_person_twice }).await;
}

async fn put(world: &TestWorld, policy: &Policy) {
    let admin = world.administrator(&format!("admin-{}", crate::ports::Entropy::uuid(&*world.services.entropy))).await;
    let version = policies::get(&world.services, &admin).await.expect("read").stored.version;
    policies::replace(&world.services, &admin, policy, version).await.expect("in force");
}

fn fewer(cards: &str, minutes: &str) -> ChangeForm {
    let parameters = if cards.is_empty() { [].into() } else { [("cards".to_owned(), cards.to_owned())].into() };
    ChangeForm { parameters, duration_minutes: minutes.into() }
}

/// What somebody was told, the oldest first.
async fn told(world: &TestWorld, caller: &Caller) -> Vec<String> {
    let mut connection = world.services.db.read().await.expect("a connection");
    let mut list = storage::notifications::latest(&mut connection, caller.actor.user, 50).await.expect("read");
    list.reverse();
    list.into_iter().map(|each| serde_json::to_value(&each.notice).expect("JSON")["kind"].as_str().expect("a kind").to_owned()).collect()
}

on_each_engine!(resources_are_made_after_the_last_stage_only, |world| {
    cards(&world, WHOLE, 16).await;
    stages(&world, &[Role::Manager, Role::Administrator, Role::Operator], false).await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let (manager, budget, operator) = (world.manager("zhou").await, world.administrator("qian").await, world.operator("wu").await);
    let asked = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order;
    let waiting = |caller: &Caller| {
        let (services, caller) = (world.services.clone(), caller.clone());
        async move { inbox(&services, &caller, &PageRequest::default()).await.expect("an inbox").items.len() }
    };
    assert_eq!((waiting(&manager).await, waiting(&budget).await, waiting(&operator).await), (1, 0, 0));
    assert_eq!(approve(&world.services, &operator, asked.id, None).await.expect_err("not yet theirs"), Error::Forbidden);
    let first = approve(&world.services, &manager, asked.id, Some(1)).await.expect("passed");
    assert_eq!((first.order.state, first.order.stage, first.order.version, first.may_decide), (OrderState::PendingApproval, 1, 2, false));
    assert_eq!((reserved(&world, WHOLE).await, first.labs.len(), first.decided_by), (0, 0, None));
    assert_eq!((waiting(&manager).await, waiting(&budget).await, waiting(&operator).await), (0, 1, 0));
    // A second click of the manager changes nothing.
    let again = approve(&world.services, &manager, asked.id, Some(1)).await.expect("no error");
    assert_eq!((again.order.stage, again.order.version), (1, 2));
    let again = approve(&world.services, &manager, asked.id, None).await.expect("no error");
    assert_eq!((again.order.stage, again.order.version), (1, 2));
    approve(&world.services, &budget, asked.id, Some(2)).await.expect("passed");
    let last = approve(&world.services, &operator, asked.id, Some(3)).await.expect("approved");
    assert_eq!((last.order.state, last.labs.len(), reserved(&world, WHOLE).await), (OrderState::Approved, 1, 2));
    let steps = decisions(&world.services, &teacher, asked.id).await.expect("read");
    let steps: Vec<_> = steps.into_iter().map(|step| (step.stage, step.role, step.step, step.by.map(|by| by.login))).collect();
    let by = |stage, role, login: &str| (stage, Some(role), Step::Approve, Some(login.to_owned()));
    assert_eq!(steps, [by(0, Role::Manager, "zhou"), by(1, Role::Administrator, "qian"), by(2, Role::Operator, "wu")]);
    assert_eq!(records(&world, "order.approve").await.iter().filter(|(outcome, _)| outcome == "success").count(), 3);
    assert_eq!(told(&world, &operator).await, ["order_waits"]);
    assert_eq!(told(&world, &teacher).await, ["order_decided"]);
});

on_each_engine!(two_stages_need_two_people_unless_the_policy_says_otherwise, |world| {
    cards(&world, WHOLE, 16).await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let both = world.person("zhou").role(Role::Manager).role(Role::Operator).add().await;
    stages(&world, &[Role::Manager, Role::Operator], false).await;
    let id = order(&world, &teacher, &whole(&course, 1)).await.expect("ordered").order.id;
    approve(&world.services, &both, id, Some(1)).await.expect("the first");
    assert_eq!(approve(&world.services, &both, id, Some(2)).await.expect_err("the second"), Error::DecidedBefore);
    assert_eq!(reject(&world.services, &both, id, "no", Some(2)).await.expect_err("the second"), Error::DecidedBefore);
    assert_eq!(inbox(&world.services, &both, &PageRequest::default()).await.expect("an inbox").items, []);
    let operator = world.operator("wu").await;
    approve(&world.services, &operator, id, Some(2)).await.expect("another person");

    stages(&world, &[Role::Manager, Role::Operator], true).await;
    let id = order(&world, &teacher, &whole(&course, 1)).await.expect("ordered").order.id;
    approve(&world.services, &both, id, Some(1)).await.expect("the first");
    let done = approve(&world.services, &both, id, Some(2)).await.expect("the second");
    assert_eq!(done.order.state, OrderState::Approved);
});

on_each_engine!(of_two_approvers_of_one_stage_one_passes_it, |world| {
    cards(&world, WHOLE, 16).await;
    stages(&world, &[Role::Manager, Role::Operator], false).await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let id = order(&world, &teacher, &whole(&course, 1)).await.expect("ordered").order.id;
    let mut tasks = Vec::new();
    for (number, services) in [world.services.clone(), world.replica()].into_iter().enumerate() {
        // Both hold the second stage's role as well: neither may slip into it by being late.
        let person = world.person(&format!("both-{number}")).role(Role::Manager).role(Role::Operator).add().await;
        tasks.push(async move { approve(&services, &person, id, Some(1)).await.map(|view| view.order.stage) });
    }
    let answers = futures::future::join_all(tasks.into_iter().map(tokio::spawn)).await;
    let mut answers: Vec<_> = answers.into_iter().map(|answer| answer.expect("no panic")).collect();
    answers.sort_by_key(Result::is_err);
    assert_eq!(answers, [Ok(1), Err(Error::Stale)]);
    assert_eq!(state(&world.services, id).await, OrderState::PendingApproval);
});

on_each_engine!(changes_that_cost_no_more_stand_at_once, |world| {
    cards(&world, WHOLE, 16).await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let asked = order(&world, &teacher, &whole(&course, 4)).await.expect("ordered").order;
    let bad = approve_with(&world.services, &manager, asked.id, &fewer("99", "x"), "", None).await.expect_err("not allowed by the offering");
    let Error::Invalid(problems) = bad else { panic!("{bad:?}") };
    assert_eq!(problems.iter().map(|each| each.field.as_str()).collect::<Vec<_>>(), ["duration_minutes", "parameters.cards"]);
    let view = approve_with(&world.services, &manager, asked.id, &fewer("2", "60"), "两张够了", Some(1)).await.expect("approved");
    assert_eq!((view.order.state, view.order.spec.cards(), view.order.minutes, view.labs.len()), (OrderState::Approved, 2, 60, 1));
    assert!(view.order.estimate.total.micros < asked.estimate.total.micros);
    let after = quota(&world, course.id).await;
    assert_eq!((after.used.cards, after.held.cards, reserved(&world, WHOLE).await), (CardShare::whole(2), CardShare::ZERO, 2));
    let again = approve_with(&world.services, &manager, asked.id, &fewer("2", "60"), "两张够了", Some(1)).await.expect("no error");
    assert_eq!(again.order.version, view.order.version);
    let shown = get(&world.services, &teacher, asked.id).await.expect("read");
    assert_eq!((shown.steps[0].step, shown.steps[0].changes.len(), shown.steps[0].text.as_str()), (Step::Change, 3, "两张够了"));
    assert_eq!(told(&world, &teacher).await, ["order_decided", "order_changed"]);
    assert_eq!(records(&world, "order.change").await, [("success".to_owned(), None)]);
});

on_each_engine!(changes_that_cost_more_wait_for_the_requester, |world| {
    cards(&world, WHOLE, 16).await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let colleague = world.teacher("zhao", &[&course]).await;
    let manager = world.manager("zhou").await;
    let asked = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order;
    let held = quota(&world, course.id).await.held;
    let view = approve_with(&world.services, &manager, asked.id, &fewer("4", ""), "四张快一倍", Some(1)).await.expect("proposed");
    assert_eq!((view.order.state, view.order.spec.cards(), view.may_decide), (OrderState::AwaitingRequester, 2, false));
    assert_eq!((quota(&world, course.id).await.held, reserved(&world, WHOLE).await), (held, 0), "the hold grows by the requester's yes only");
    assert_eq!(accept(&world.services, &manager, asked.id, None).await.expect_err("not theirs"), Error::Forbidden);
    assert_eq!(accept(&world.services, &colleague, asked.id, None).await.expect_err("not theirs"), Error::NotFound);
    let other = world.manager("wu").await;
    assert!(matches!(approve(&world.services, &other, asked.id, None).await, Err(Error::InvalidTransition { .. })), "it waits for the requester");
    assert!(get(&world.services, &teacher, asked.id).await.expect("read").may_reply);

    let back = decline(&world.services, &teacher, asked.id, "两张就好", Some(2)).await.expect("declined");
    assert_eq!((back.order.state, back.order.proposal, back.order.spec.cards()), (OrderState::PendingApproval, None, 2));
    approve_with(&world.services, &manager, asked.id, &fewer("4", ""), "", Some(3)).await.expect("proposed again");
    assert_eq!(accept(&world.services, &teacher, asked.id, Some(3)).await.expect_err("another version"), Error::Stale);
    let done = accept(&world.services, &teacher, asked.id, Some(4)).await.expect("agreed");
    assert_eq!((done.order.state, done.order.spec.cards(), done.labs.len()), (OrderState::Approved, 4, 1));
    assert_eq!(done.decided_by.map(|by| by.login).as_deref(), Some("zhou"));
    let again = accept(&world.services, &teacher, asked.id, Some(4)).await.expect("no error");
    assert_eq!((again.order.version, reserved(&world, WHOLE).await), (5, 4));
    assert_eq!(quota(&world, course.id).await.used.cards, CardShare::whole(4));
    assert_eq!(told(&world, &manager).await, ["order_waits", "proposal_answered", "proposal_answered"]);
    for action in ["order.propose", "order.decline", "order.accept"] {
        assert!(records(&world, action).await.iter().any(|(outcome, _)| outcome == "success"), "{action}");
    }
});

on_each_engine!(a_proposal_must_fit_when_it_is_made_and_when_it_is_accepted, |world| {
    cards(&world, WHOLE, 16).await;
    let course = world.course("CV2402").cards(5).add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let asked = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order;
    let over = approve_with(&world.services, &manager, asked.id, &fewer("6", ""), "", None).await.expect_err("over quota");
    assert_eq!(over.code(), "over_quota");
    approve_with(&world.services, &manager, asked.id, &fewer("4", ""), "", None).await.expect("proposed");
    order(&world, &teacher, &whole(&course, 2)).await.expect("somebody takes what was left");
    assert_eq!(accept(&world.services, &teacher, asked.id, None).await.expect_err("over quota").code(), "over_quota");
    assert_eq!(state(&world.services, asked.id).await, OrderState::AwaitingRequester);
});

on_each_engine!(an_enlarged_order_gets_the_stages_of_its_size, |world| {
    cards(&world, WHOLE, 16).await;
    let name = |text: &str| Localized { zh: text.into(), en: text.into() };
    let big = domain::approvals::OrderTest::CardsOver(CardShare::whole(3));
    let huge = domain::approvals::OrderTest::CardsOver(CardShare::whole(6));
    let policy = Policy::new(vec![
        Rule::new(name("huge"), huge.into(), Outcome::Refuse(name("too many"))),
        Rule::new(name("big"), big.into(), Outcome::Stages(vec![Role::Manager, Role::Operator])),
        Rule::new(name("rest"), Condition::Always, Outcome::Stages(vec![Role::Manager])),
    ]);
    put(&world, &policy).await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let refused = order(&world, &teacher, &whole(&course, 8)).await.expect_err("refused by a rule");
    assert_eq!(refused, Error::RefusedByPolicy { rule: Some(name("huge")), reason: name("too many") });
    let asked = order(&world, &teacher, &whole(&course, 1)).await.expect("ordered").order;
    let refused = approve_with(&world.services, &manager, asked.id, &fewer("8", ""), "", None).await.expect_err("nor by way of a change");
    assert_eq!(refused.code(), "refused_by_policy");
    approve_with(&world.services, &manager, asked.id, &fewer("4", ""), "", None).await.expect("proposed");
    let view = accept(&world.services, &teacher, asked.id, None).await.expect("agreed");
    assert_eq!((view.order.state, view.order.stage, view.order.awaits()), (OrderState::PendingApproval, 1, Some(Role::Operator)));
    assert_eq!(reserved(&world, WHOLE).await, 0);
});

on_each_engine!(questions_and_answers_leave_the_order_as_it_is, |world| {
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let id = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id;
    assert!(matches!(answer(&world.services, &teacher, id, "好").await, Err(Error::InvalidTransition { .. })), "nobody asked");
    assert_eq!(ask(&world.services, &manager, id, " ").await.expect_err("nothing"), Error::field("text", Problem::Missing));
    assert_eq!(ask(&world.services, &teacher, id, "?").await.expect_err("not the approver"), Error::Forbidden);
    ask(&world.services, &manager, id, "一张够吗？").await.expect("asked");
    ask(&world.services, &manager, id, "一张够吗？").await.expect("a second click");
    let thread = answer(&world.services, &teacher, id, "不够，要四组。").await.expect("answered");
    let said: Vec<_> = thread.iter().map(|each| (each.step, each.text.as_str())).collect();
    assert_eq!(said, [(Step::Ask, "一张够吗？"), (Step::Answer, "不够，要四组。")]);
    let shown = approval(&world.services, &manager, id).await.expect("read");
    assert_eq!((shown.view.order.state, shown.view.order.version, shown.view.steps.len()), (OrderState::PendingApproval, 1, 2));
    assert_eq!(told(&world, &teacher).await, ["order_asked"]);
    assert_eq!(told(&world, &manager).await, ["order_waits", "order_answered"]);
    reject(&world.services, &manager, id, "改用分片", None).await.expect("rejected");
    assert!(matches!(ask(&world.services, &manager, id, "还要吗？").await, Err(Error::InvalidTransition { .. })));
});

on_each_engine!(each_of_many_decisions_has_its_own_answer, |world| {
    cards(&world, WHOLE, 3).await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.person("zhou").role(Role::Manager).add().await;
    let other = world.manager("wu").await;
    let mut asked = Vec::new();
    for _ in 0..4 {
        asked.push(order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id);
    }
    let own = order(&world, &manager, &whole(&course, 2)).await.expect("ordered").order.id;
    reject(&world.services, &other, asked[2], "下周再说", None).await.expect("rejected");
    let all = [asked[0], asked[1], asked[2], own];
    let told = summary(&world.services, &manager, &all).await.expect("a summary");
    assert_eq!((told.orders.len(), told.cards), (2, CardShare::whole(4)), "those that wait for them");
    assert!(told.total.is_some_and(|total: Money| total.micros > 0));
    let chosen: Vec<_> = all.iter().map(|id| (*id, None)).collect();
    let rows = approve_all(&world.services, &manager, &chosen).await.expect("done");
    let codes: Vec<_> = rows.iter().map(|row| (row.state, row.error.as_ref().map(Error::code))).collect();
    let expected =
        [(Some(OrderState::Approved), None), (Some(OrderState::Queued), None), (None, Some("invalid_transition")), (None, Some("own_order"))];
    assert_eq!(codes, expected);
    assert!(rows.iter().all(|row| row.number.is_some()));
    let rows = reject_all(&world.services, &manager, &[(asked[3], Some(1)), (asked[0], Some(1))], "期中周").await.expect("done");
    assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [Some(OrderState::Rejected), None]);
    let too_many = vec![(asked[0], None); 51];
    assert_eq!(approve_all(&world.services, &manager, &too_many).await.expect_err("too many").code(), "invalid");
    assert_eq!(reject_all(&world.services, &manager, &chosen, "").await.expect_err("no reason"), Error::field("reason", Problem::Missing));
});

on_each_engine!(approvers_are_reminded_once_and_the_expiry_says_so, |world| {
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let asked: Order = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order;
    assert_eq!(remind(&world.services).await, Ok(0), "there is time");
    world.clock.advance(asked.expires_at.seconds_since(asked.submitted_at) - 23 * 3_600);
    assert_eq!((remind(&world.services).await, remind(&world.services).await), (Ok(1), Ok(0)));
    assert_eq!(told(&world, &manager).await, ["order_waits", "order_expires_soon"]);
    world.clock.advance(24 * 3_600);
    assert_eq!(expire(&world.services).await, Ok(1));
    let view = get(&world.services, &teacher, asked.id).await.expect("read");
    assert_eq!((view.order.state, view.order.reason.as_deref()), (OrderState::Cancelled, Some(EXPIRED)));
    let last = view.steps.last().expect("a step");
    assert_eq!((last.step, last.role, last.by.as_ref()), (Step::Expire, Some(Role::Manager), None));
    assert_eq!(told(&world, &teacher).await, ["order_expired"]);
    assert_eq!(quota(&world, course.id).await.held.cards, CardShare::ZERO);
});

#[tokio::test]
async fn the_decision_page_says_who_waits_and_by_which_offering() {
    let world = TestWorld::college().await;
    cards(&world, WHOLE, 2).await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let manager = world.manager("zhou").await;
    let first = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id;
    let second = order(&world, &teacher, &whole(&course, 2)).await.expect("ordered").order.id;
    let aid = approval(&world.services, &manager, first).await.expect("read").aid.expect("on the page of one order");
    assert_eq!(aid.waiters.iter().map(|each| each.order).collect::<Vec<_>>(), [second]);
    assert_eq!(aid.offering.map(|offering| offering.slug).as_deref(), Some("jupyterlab-2xa100-1tb"));
    let notice = Notice::OrderExpired { order: first, number: 1 };
    assert_eq!(notice.target(), domain::notifications::Target::Order(first));
}
