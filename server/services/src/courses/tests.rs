use domain::{
    Error, Problem,
    access::Scope,
    audit::Filter,
    courses::{Course, CourseForm},
    money::{Currency, Money},
    orders::{OrderForm, OrderState, OrderView},
    page::PageRequest,
    quotas::{BudgetForm, Item, QuotaForm},
};
use storage::testing::for_each_engine;

use super::{Below, add_member, archive, create, get, list, refresh_quotas, remove_member, rename, restore, set_budget, set_quota, tell_thresholds};
use crate::{
    jobs::reconcile,
    labs, orders,
    testing::{TestWorld, with_scopes},
};

fn form(code: &str) -> CourseForm {
    CourseForm { code: code.into(), name: "计算机视觉".into(), budget: "5000".into(), cards: "8".into(), ..CourseForm::default() }
}

#[tokio::test]
async fn an_administrator_makes_a_course_with_a_namespace_and_a_record() {
    let world = TestWorld::college().await;
    let administrator = world.administrator("root").await;
    let course = create(&world.services, &administrator, &form("CV2402")).await.expect("made");
    assert_eq!(course.namespace, "lectern-ai-cv2402");
    assert_eq!(course.settings.limits.cards.parts(), 8 * 840);
    assert_eq!(course.settings.budget, Money::units(5_000, Currency::Cny));
    assert_eq!(list(&world.services, &administrator).await.expect("listed"), [course.brief()]);

    let auditor = world.auditor("shen").await;
    let filter = Filter { action: Some("course.create".into()), ..Filter::default() };
    let page = crate::audit::search(&world.services, &auditor, &filter, &PageRequest::default()).await.expect("found");
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].event.course, Some(course.id));
    assert_eq!(page.items[0].event.object.label, "CV2402");
}

#[tokio::test]
async fn a_code_that_makes_the_same_namespace_is_taken() {
    let world = TestWorld::college().await;
    let administrator = world.administrator("root").await;
    create(&world.services, &administrator, &form("CV2402")).await.expect("made");
    for code in ["CV2402", "cv2402"] {
        let error = create(&world.services, &administrator, &form(code)).await.expect_err("taken");
        assert_eq!(error, Error::field("code", Problem::Taken), "{code}");
    }
}

#[tokio::test]
async fn teachers_see_their_own_courses_and_make_none() {
    let world = TestWorld::college().await;
    let mine = world.course("CV2402").add().await;
    world.course("NLP2401").add().await;
    let teacher = world.teacher("li.hua", &[&mine]).await;
    assert_eq!(list(&world.services, &teacher).await.expect("listed"), [mine.brief()]);
    assert_eq!(create(&world.services, &teacher, &form("ML1")).await.expect_err("refused"), Error::Forbidden);
    let narrow = with_scopes(&teacher, &[Scope::LabsRead]);
    assert_eq!(list(&world.services, &narrow).await.expect_err("refused"), Error::ScopeMissing { scope: "quotas:read".into() });
}

fn limits(cards: &str, running_labs: &str) -> QuotaForm {
    QuotaForm {
        cards: cards.into(),
        cpu_cores: "512".into(),
        memory_gib: "4096".into(),
        storage_gib: "10240".into(),
        running_labs: running_labs.into(),
        cards_per_order: "4".into(),
        starts_per_day: "12".into(),
    }
}

async fn order(world: &TestWorld, caller: &crate::Caller, course: &Course, key: &str) -> domain::Result<OrderView> {
    let form = OrderForm { offering: "jupyterlab-slice".into(), course: course.code.clone(), duration_minutes: "90".into(), ..OrderForm::default() };
    orders::submit(&world.services, caller, &form, &orders::IdempotencyKey::parse(key).expect("a key")).await
}

#[tokio::test]
async fn a_new_quota_reaches_the_namespace_and_is_mended_there() {
    for_each_engine("a_new_quota_reaches_the_namespace_and_is_mended_there", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let operator = world.operator("ops").await;
        let course = world.course("CV2402").add().await;
        let li = world.teacher("li", &[&course]).await;
        crate::cluster_status::refresh(services).await.expect("the cluster tells its nodes");
        order(&world, &li, &course, "1").await.expect("ordered");
        reconcile::due(services).await.expect("started");

        set_quota(services, &operator, course.id, &limits("2", "9"), Below::Refuse).await.expect("set");
        reconcile::due(services).await.expect("brought there");
        assert_eq!(world.cluster.quota_of(&course.namespace).map(|limits| limits.running_labs), Some(9));
        let Err(Error::LimitBelowUse(short)) = set_quota(services, &operator, course.id, &limits("0", "0"), Below::Refuse).await else {
            panic!("a lab runs")
        };
        assert_eq!(short.iter().map(|short| short.item).collect::<Vec<_>>(), [Item::Cards, Item::RunningLabs]);
        set_quota(services, &operator, course.id, &limits("0", "0"), Below::Accept).await.expect("chosen");
        let detail = get(services, &operator, course.id).await.expect("read");
        assert_eq!((detail.course.settings.limits.running_labs, detail.quota.used.running_labs), (0, 1), "what runs goes on");
        assert!(matches!(order(&world, &li, &course, "2").await, Err(Error::OverQuota(_))), "nothing new starts");
        assert_eq!(set_quota(services, &li, course.id, &limits("9", "9"), Below::Refuse).await, Err(Error::Forbidden));

        reconcile::due(services).await.expect("brought there");
        assert_eq!(refresh_quotas(services).await, Ok(1));
        let before = world.cluster.calls().len();
        reconcile::due(services).await.expect("looked at again");
        let calls = world.cluster.calls();
        assert!(calls[before..].iter().any(|call| call.starts_with("set_quota")), "{calls:?}");
    })
    .await;
}

#[tokio::test]
async fn a_budget_tells_asks_and_blocks() {
    for_each_engine("a_budget_tells_asks_and_blocks", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let operator = world.operator("ops").await;
        let course = world.course("CV2402").add().await;
        let (li, head) = (world.teacher("li", &[&course]).await, world.manager("head").await);
        let cost = order(&world, &li, &course, "1").await.expect("ordered").order.estimate.total.micros;
        // An amount of which that order is a little less than the half.
        let amount = (cost * 2 / 1_000_000 + 1).to_string();
        let budget = |from: &str, to: &str| BudgetForm {
            amount: amount.clone(),
            from: from.into(),
            to: to.into(),
            notify: "30".into(),
            approve: "60".into(),
            block: "120".into(),
        };
        set_budget(services, &operator, course.id, &budget("", ""), &[]).await.expect("set");
        assert_eq!(tell_thresholds(services).await, Ok(1));
        assert_eq!(tell_thresholds(services).await, Ok(1), "reached still");
        let mut read = services.db.read().await.expect("a connection");
        for person in [&li, &head] {
            let told = storage::notifications::latest(&mut read, person.actor.user, 10).await.expect("read").len();
            assert_eq!(told, 1, "told once");
        }
        drop(read);
        let second = order(&world, &li, &course, "2").await.expect("ordered").order;
        assert_eq!(second.state, OrderState::PendingApproval, "the budget asks");
        assert!(matches!(order(&world, &li, &course, "3").await, Err(Error::OverBudget { .. })));
        // Its term is over.
        set_budget(services, &operator, course.id, &budget("2020-01-01", "2020-06-30"), &[]).await.expect("set");
        assert!(matches!(order(&world, &li, &course, "4").await, Err(Error::OverBudget { .. })));
        assert_eq!(set_budget(services, &head, course.id, &budget("", ""), &[]).await, Err(Error::Forbidden));
    })
    .await;
}

#[tokio::test]
async fn a_course_is_archived_when_nothing_is_in_the_way() {
    for_each_engine("a_course_is_archived_when_nothing_is_in_the_way", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let administrator = world.administrator("root").await;
        let course = world.course("CV2402").add().await;
        let li = world.teacher("li", &[&course]).await;
        crate::cluster_status::refresh(services).await.expect("the cluster tells its nodes");
        let lab = order(&world, &li, &course, "1").await.expect("ordered").labs[0];
        assert_eq!(archive(services, &administrator, course.id).await, Err(Error::InTheWay { labs: 1, orders: 0 }));
        labs::destroy(services, &li, lab).await.expect("goes");
        for _ in 0..3 {
            reconcile::due(services).await.expect("gone");
        }
        archive(services, &administrator, course.id).await.expect("archived");
        archive(services, &administrator, course.id).await.expect("and again");
        let error = order(&world, &li, &course, "2").await.expect_err("refused");
        assert_eq!(error, Error::field("course", Problem::NoSuch));
        assert_eq!(crate::quotas::list(services, &administrator).await.expect("listed"), []);
        assert!(get(services, &administrator, course.id).await.expect("still there").archived_at.is_some());
        restore(services, &administrator, course.id).await.expect("back");
        order(&world, &li, &course, "3").await.expect("ordered");
    })
    .await;
}

#[tokio::test]
async fn an_account_from_before_the_rule_for_logins_joins_a_course() {
    let world = TestWorld::college().await;
    let services = &world.services;
    let administrator = world.administrator("root").await;
    let course = world.course("CV2402").add().await;
    world.person("wang").add().await;
    storage::testing::execute(&services.db, "UPDATE users SET login = 'wang\u{3164}' WHERE login = 'wang'").await.expect("as an earlier version");
    let member = add_member(services, &administrator, course.id, "wang\u{3164}").await.expect("added");
    assert_eq!(member.login, "wang\u{3164}");
}

#[tokio::test]
async fn members_come_and_go_and_the_name_changes() {
    let world = TestWorld::college().await;
    let services = &world.services;
    let administrator = world.administrator("root").await;
    let course = world.course("CV2402").add().await;
    let li = world.teacher("li", &[]).await;
    let elsewhere = world.other_tenant("law").await;
    world.person("judge").in_tenant(elsewhere).add().await;
    for _ in 0..2 {
        add_member(services, &administrator, course.id, " LI ").await.expect("added");
    }
    assert_eq!(crate::accounts::actor(services, li.actor.user, 1).await.expect("read").expect("there").courses, [course.id].into());
    for unknown in ["nobody", "judge"] {
        assert_eq!(add_member(services, &administrator, course.id, unknown).await, Err(Error::field("login", Problem::NoSuch)));
    }
    let malformed = add_member(services, &administrator, course.id, "li hua").await.expect_err("no login");
    assert!(matches!(malformed, Error::Invalid(_)) && malformed != Error::field("login", Problem::NoSuch), "{malformed:?}");
    rename(services, &administrator, course.id, "看见").await.expect("renamed");
    let detail = get(services, &li, course.id).await;
    assert_eq!(detail.expect_err("the caller was made before"), Error::NotFound);
    let detail = get(services, &administrator, course.id).await.expect("read");
    assert_eq!((detail.course.name.as_str(), detail.members.len()), ("看见", 1));
    remove_member(services, &administrator, course.id, li.actor.user).await.expect("removed");
    remove_member(services, &administrator, course.id, li.actor.user).await.expect("and again");
    assert_eq!(get(services, &administrator, course.id).await.expect("read").members, []);
}
