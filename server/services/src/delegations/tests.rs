use domain::{
    Error, Problem,
    access::{Role, Scope},
    approvals::{Condition, Outcome, Policy, Rule},
    catalogue::Localized,
    courses::Course,
    decisions::{ChangeForm, Step},
    delegations::{Delegation, DelegationForm},
    ids::OrderId,
    orders::{OrderForm, OrderState},
    page::PageRequest,
};
use storage::testing::for_each_engine;

use super::{create, end, end_due, list, stands_in};
use crate::{
    Caller, accounts, orders, people, policies,
    ports::Clock as _,
    testing::{TestWorld, with_scopes},
};

const DAY: i64 = 86_400;

/// Today and tomorrow on campus.
fn form(world: &TestWorld, stand_in: &str) -> DelegationForm {
    let tomorrow = world.clock.now().plus_seconds(DAY).on_campus().date();
    DelegationForm { stand_in: stand_in.into(), from: String::new(), until: tomorrow, note: "出差".into() }
}

async fn named(world: &TestWorld, absent: &Caller, stand_in: &str) -> Delegation {
    create(&world.services, absent, &form(world, stand_in)).await.expect("named")
}

/// An order that asks a decision.
async fn asked(world: &TestWorld, caller: &Caller, course: &Course) -> OrderId {
    let form = OrderForm { offering: "jupyterlab-slice".into(), course: course.code.clone(), duration_minutes: "90".into(), ..OrderForm::default() };
    let key = orders::IdempotencyKey::parse(&world.services.entropy.uuid().to_string()).expect("a key");
    orders::submit(&world.services, caller, &form, &key).await.expect("ordered").order.id
}

async fn waiting(world: &TestWorld, caller: &Caller) -> Vec<OrderId> {
    let page = orders::inbox(&world.services, caller, &PageRequest::default()).await.expect("an inbox");
    assert!(page.items.iter().all(|each| each.view.may_decide), "what is in the inbox can be decided");
    page.items.into_iter().map(|each| each.view.order.id).collect()
}

async fn stages(world: &TestWorld, roles: &[Role]) {
    let rule = Rule::new(Localized { zh: "全部".into(), en: "All".into() }, Condition::Always, Outcome::Stages(roles.to_vec()));
    let admin = world.administrator(&format!("admin-{}", world.services.entropy.uuid())).await;
    let version = policies::get(&world.services, &admin).await.expect("read").stored.version;
    let policy = Policy { rules: vec![rule], same_person_twice: false };
    policies::replace(&world.services, &admin, &policy, version).await.expect("in force");
}

/// What somebody was told, the oldest first.
async fn told(world: &TestWorld, caller: &Caller) -> Vec<String> {
    let mut connection = world.services.db.read().await.expect("a connection");
    let mut list = storage::notifications::latest(&mut connection, caller.actor.user, 50).await.expect("read");
    list.reverse();
    list.into_iter().map(|each| serde_json::to_value(&each.notice).expect("JSON")["kind"].as_str().expect("a kind").to_owned()).collect()
}

/// Outcomes and codes of the records of an action, latest first, with what they say after.
async fn records(world: &TestWorld, action: &str) -> Vec<(String, Option<String>, Option<serde_json::Value>)> {
    let auditor = world.auditor(&format!("auditor-{}", world.services.entropy.uuid())).await;
    let filter = domain::audit::Filter { action: Some(action.into()), ..Default::default() };
    let page = crate::audit::search(&world.services, &auditor, &filter, &PageRequest::default()).await.expect("found");
    page.items.into_iter().map(|each| (each.event.outcome.as_str().to_owned(), each.event.code, each.event.after)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stand_in_decides_in_the_name_of_who_is_away() {
    for_each_engine("a_stand_in_decides_in_the_name_of_who_is_away", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let software = world.department("软件").await;
        let course = world.course("A1").in_department(software).cards_per_order(0).add().await;
        let other = world.course("B2").cards_per_order(0).add().await;
        let teacher = world.teacher("li", &[&course, &other]).await;
        // A teacher of no course decides nothing and reads nobody's orders.
        let stand_in = world.teacher("wu", &[]).await;
        let head = world.person("zhou").role_at(software, Role::Manager).add().await;
        let first = asked(&world, &teacher, &course).await;
        assert_eq!(orders::approve(services, &stand_in, first, None).await.expect_err("nobody named them"), Error::NotFound);
        assert_eq!(orders::inbox(services, &stand_in, &PageRequest::default()).await.expect_err("nothing"), Error::Forbidden);

        named(&world, &head, " Wu ").await;
        let elsewhere = asked(&world, &teacher, &other).await;
        let second = asked(&world, &teacher, &course).await;
        assert_eq!(told(&world, &stand_in).await, ["stand_in_named", "order_waits"], "of what came after");
        assert_eq!(waiting(&world, &stand_in).await, [first, second]);
        let viewer = accounts::viewer(services, &stand_in).await.expect("a viewer");
        assert_eq!((viewer.pending_approvals, viewer.stands_in), (2, true));
        let until = world.clock.now().plus_seconds(DAY).end_of_campus_day();
        assert_eq!(stands_in(services, &stand_in).await.expect("read"), [("zhou".to_owned(), until)]);
        assert!(orders::approval(services, &stand_in, first).await.expect("read").view.may_decide);
        assert_eq!(orders::approval(services, &stand_in, elsewhere).await.expect_err("another department"), Error::NotFound);
        assert_eq!(orders::approve(services, &stand_in, elsewhere, None).await.expect_err("another department"), Error::NotFound);

        orders::ask(services, &stand_in, second, "哪一节课？").await.expect("asked");
        let done = orders::approve(services, &stand_in, first, Some(1)).await.expect("decided");
        assert_eq!(done.decided_by.map(|by| by.login).as_deref(), Some("wu"));
        let again = orders::approve(services, &stand_in, first, Some(1)).await.expect("a second click");
        assert_eq!(again.order.version, done.order.version);
        let steps = orders::decisions(services, &teacher, first).await.expect("read");
        let step = &steps[0];
        let name = |person: &Option<domain::people::PersonRef>| person.as_ref().map(|person| person.login.clone());
        assert_eq!((step.step, name(&step.by), name(&step.on_behalf_of)), (Step::Approve, Some("wu".into()), Some("zhou".into())));
        let all = records(&world, "order.approve").await;
        assert_eq!(all[0].2.as_ref().expect("after")["on_behalf_of"]["login"], "zhou");
        let refused = all.iter().filter(|(outcome, ..)| outcome == "refused").count();
        assert_eq!(refused, 2, "attempts are on record: {all:?}");
        orders::reject(services, &stand_in, second, "下周再说", None).await.expect("decided");
        assert_eq!(records(&world, "order.reject").await[0].2.as_ref().expect("after")["on_behalf_of"]["login"], "zhou");
        // Their own decisions are nobody else's.
        let third = asked(&world, &teacher, &course).await;
        orders::approve(services, &head, third, None).await.expect("decided");
        assert_eq!(orders::decisions(services, &teacher, third).await.expect("read")[0].on_behalf_of, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn never_their_own_orders_nor_the_absent_persons_nor_twice() {
    for_each_engine("never_their_own_orders_nor_the_absent_persons_nor_twice", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let course = world.course("A1").cards_per_order(0).add().await;
        let teacher = world.teacher("li", &[&course]).await;
        let stand_in = world.person("wu").role(Role::Teacher).role(Role::Operator).teaches(&course).add().await;
        let absent = world.person("zhou").role(Role::Manager).role(Role::Operator).add().await;
        named(&world, &absent, "wu").await;
        let own = asked(&world, &stand_in, &course).await;
        let theirs = asked(&world, &absent, &course).await;
        assert_eq!(waiting(&world, &stand_in).await, []);
        assert_eq!(orders::approve(services, &stand_in, own, None).await.expect_err("their own"), Error::OwnOrder);
        assert_eq!(orders::approve(services, &stand_in, theirs, None).await.expect_err("the absent person's"), Error::Forbidden);
        assert_eq!(orders::approve(services, &absent, theirs, None).await.expect_err("their own"), Error::OwnOrder);

        stages(&world, &[Role::Manager, Role::Operator]).await;
        let id = asked(&world, &teacher, &course).await;
        let passed = orders::approve(services, &stand_in, id, Some(1)).await.expect("in the name of zhou");
        assert_eq!((passed.order.stage, passed.order.barred.len(), passed.may_decide), (1, 2, false));
        // Operators both of them, and both of them behind the first stage.
        assert_eq!(orders::approve(services, &stand_in, id, Some(2)).await.expect_err("two people"), Error::DecidedBefore);
        assert_eq!(orders::approve(services, &absent, id, Some(2)).await.expect_err("two people"), Error::DecidedBefore);
        assert_eq!((waiting(&world, &stand_in).await, waiting(&world, &absent).await), (vec![], vec![own]));
        let other = asked(&world, &teacher, &course).await;
        orders::approve(services, &absent, other, Some(1)).await.expect("themselves");
        // The absent person's stage was theirs; the stand-in's own role is another person's.
        orders::approve(services, &stand_in, other, Some(2)).await.expect("in their own name");
        let steps = orders::decisions(services, &teacher, other).await.expect("read");
        assert!(steps.iter().all(|step| step.on_behalf_of.is_none()));
        let operator = world.operator("qian").await;
        orders::approve(services, &operator, id, Some(2)).await.expect("a third person");

        // Changes that cost more bar both as well, once the requester agrees.
        let id = asked(&world, &teacher, &course).await;
        let longer = ChangeForm { duration_minutes: "240".into(), ..ChangeForm::default() };
        let asked_for = orders::approve_with(services, &stand_in, id, &longer, "", Some(1)).await.expect("proposed");
        assert_eq!(asked_for.order.state, OrderState::AwaitingRequester);
        let open = orders::accept(services, &teacher, id, None).await.expect("agreed");
        assert_eq!(open.order.barred, [absent.actor.user, stand_in.actor.user].into());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_by_itself_or_by_either_of_them_and_goes_no_further() {
    for_each_engine("it_ends_by_itself_or_by_either_of_them_and_goes_no_further", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let course = world.course("A1").cards_per_order(0).add().await;
        let teacher = world.teacher("li", &[&course]).await;
        let (absent, stand_in) = (world.manager("zhou").await, world.teacher("wu", &[]).await);
        let stranger = world.manager("sun").await;
        let administrator = world.administrator("qian").await;
        let id = asked(&world, &teacher, &course).await;
        let barred = async || orders::approve(services, &stand_in, id, None).await.expect_err("not any more");

        // Both of them may end it, nobody else.
        let one = named(&world, &absent, "wu").await;
        assert_eq!(waiting(&world, &stand_in).await, [id]);
        assert_eq!(end(services, &stranger, one.id).await, Err(Error::NotFound));
        assert_eq!(create(services, &stand_in, &form(&world, "li")).await.expect_err("no chains"), Error::Forbidden);
        end(services, &stand_in, one.id).await.expect("given back");
        end(services, &absent, one.id).await.expect("over already");
        assert_eq!((barred().await, told(&world, &absent).await.pop()), (Error::NotFound, Some("stand_in_gone".into())));
        assert!(!accounts::viewer(services, &stand_in).await.expect("a viewer").stands_in);
        let two = named(&world, &absent, "wu").await;
        end(services, &absent, two.id).await.expect("ended");
        assert_eq!((barred().await, told(&world, &stand_in).await.pop()), (Error::NotFound, Some("stand_in_ended".into())));

        // Nor by who may not sign in, on either side.
        let three = named(&world, &absent, "wu").await;
        people::disable(services, &administrator, absent.actor.user).await.expect("disabled");
        assert_eq!(barred().await, Error::NotFound);
        people::enable(services, &administrator, absent.actor.user).await.expect("enabled");
        let reader = with_scopes(&stand_in, &[Scope::OrdersRead]);
        assert!(matches!(orders::approve(services, &reader, id, None).await, Err(Error::ScopeMissing { .. })));
        assert!(matches!(list(services, &reader, &PageRequest::default()).await, Err(Error::ScopeMissing { .. })));

        // The last instant of the last day, and the first one after it.
        let last = three.until.seconds_since(world.clock.now()) - 1;
        world.clock.advance(last);
        assert_eq!((waiting(&world, &stand_in).await, end_due(services).await), (vec![id], Ok(0)));
        world.clock.advance(1);
        assert_eq!(barred().await, Error::NotFound);
        assert_eq!((end_due(services).await, end_due(services).await), (Ok(1), Ok(0)));
        assert_eq!(told(&world, &stand_in).await.iter().filter(|kind| *kind == "stand_in_ended").count(), 2);
        let all = list(services, &stand_in, &PageRequest::default()).await.expect("listed").items;
        assert_eq!(all.iter().map(|each| each.id).collect::<Vec<_>>(), [three.id, two.id, one.id]);
        assert!(all.iter().all(|each| each.is_over(world.clock.now())));
        assert_eq!(records(&world, "delegation.end").await.iter().filter(|(outcome, ..)| outcome == "success").count(), 3);
        assert!(records(&world, "delegation.end").await.iter().any(|(_, code, _)| code.as_deref() == Some("not_found")));
    })
    .await;
}

#[tokio::test]
async fn a_stand_in_is_somebody_else_of_the_college_and_named_once() {
    let world = TestWorld::college().await;
    let services = &world.services;
    let absent = world.manager("zhou").await;
    world.teacher("wu", &[]).await;
    let elsewhere = world.other_tenant("law").await;
    world.person("judge").in_tenant(elsewhere).add().await;
    let gone = world.teacher("gone", &[]).await;
    let administrator = world.administrator("qian").await;
    people::disable(services, &administrator, gone.actor.user).await.expect("disabled");
    for login in ["zhou", "judge", "gone", "nobody"] {
        let error = create(services, &absent, &form(&world, login)).await.expect_err(login);
        assert_eq!(error, Error::field("stand_in", Problem::NoSuch), "{login}");
    }
    let one = named(&world, &absent, "wu").await;
    assert_eq!(named(&world, &absent, "wu").await, one, "the same again is the same");
    let longer = DelegationForm { note: "还没回来".into(), ..form(&world, "wu") };
    assert_eq!(create(services, &absent, &longer).await.expect_err("some of these days"), Error::field("stand_in", Problem::Taken));
    assert_eq!(records(&world, "delegation.create").await.len(), 1, "mistakes in a form are no deeds");
    for number in 1..10 {
        world.teacher(&format!("t{number}"), &[]).await;
        named(&world, &absent, &format!("t{number}")).await;
    }
    world.teacher("last", &[]).await;
    assert_eq!(create(services, &absent, &form(&world, "last")).await.expect_err("ten"), Error::field("stand_in", Problem::TooMany { max: 10 }));
}
