use domain::{courses::Course, orders::OrderForm, search::Hit};
use storage::testing::for_each_engine;

use super::{Depth, search};
use crate::{Caller, jobs, orders, ports, testing::TestWorld};

async fn order(world: &TestWorld, teacher: &Caller, course: &Course, purpose: &str) {
    let form = OrderForm {
        offering: "jupyterlab-slice".into(),
        course: course.code.clone(),
        duration_minutes: "60".into(),
        purpose: purpose.into(),
        ..OrderForm::default()
    };
    jobs::watch::take(&world.services, &[ports::Change::Nodes]).await.expect("nodes are counted");
    let key = orders::IdempotencyKey::parse(&world.services.entropy.uuid().to_string()).expect("a key");
    orders::submit(&world.services, teacher, &form, &key).await.expect("ordered");
}

/// What is found, briefly.
async fn find(world: &TestWorld, who: &Caller, text: &str) -> Vec<String> {
    let hits = search(&world.services, who, text, Depth::Everything).await.expect("found");
    hits.into_iter()
        .map(|hit| match hit {
            Hit::Lab { name, .. } => name,
            Hit::Order { number, .. } => format!("#{number}"),
            Hit::Offering { slug, .. } => slug,
            Hit::Course { code, .. } => code,
            Hit::Person { person } => person.login,
            Hit::Audit { action, .. } => action,
        })
        .collect()
}

#[tokio::test]
async fn everybody_finds_what_they_may_see_and_nothing_else() {
    for_each_engine("everybody_finds_what_they_may_see_and_nothing_else", async |database| {
        let world = TestWorld::college_on(database).await;
        let (vision, text) = (world.course("CV2402").named("计算机视觉").add().await, world.course("NLP2305").add().await);
        let li = world.teacher("li.hua", &[&vision]).await;
        let wang = world.teacher("wang", &[&text]).await;
        let (manager, auditor) = (world.manager("head").await, world.auditor("shen").await);
        order(&world, &li, &vision, "目标检测 实验").await;
        order(&world, &wang, &text, "another").await;

        assert_eq!(find(&world, &li, "").await, [""; 0]);
        assert_eq!(find(&world, &li, "视觉").await, ["lab-1001", "#1001", "CV2402"]);
        assert_eq!(find(&world, &li, "检测 CV2402").await, ["#1001"]);
        assert_eq!(find(&world, &li, "NLP2305").await, [""; 0], "a colleague's course");
        assert_eq!(find(&world, &li, "#1002").await, [""; 0], "a colleague's order");
        assert_eq!(find(&world, &manager, "#1002").await, ["#1002"]);
        assert_eq!(find(&world, &manager, "wang").await, ["lab-1002", "#1002", "wang"]);
        assert_eq!(find(&world, &li, "100%").await, [""; 0], "a sign is a sign");
        assert!(find(&world, &auditor, "CV2402").await.contains(&"CV2402".to_owned()));
        assert!(find(&world, &auditor, "1001").await.contains(&"order.submit".to_owned()));
        assert!(find(&world, &li, "slice").await.contains(&"jupyterlab-slice".to_owned()));
        let typing = search(&world.services, &auditor, "1001", Depth::Typing).await.expect("found");
        assert!(!typing.iter().any(|hit| matches!(hit, Hit::Audit { .. })));

        let elsewhere = world.other_tenant("law").await;
        let judge = world.person("judge").in_tenant(elsewhere).role(domain::access::Role::Manager).add().await;
        assert_eq!(find(&world, &judge, "CV2402").await, [""; 0]);
        assert_eq!(find(&world, &judge, "1001").await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn names_are_found_as_they_are_typed_and_not_as_they_are_stored() {
    for_each_engine("names_are_found_as_they_are_typed_and_not_as_they_are_stored", async |database| {
        let world = TestWorld::college_on(database).await;
        let vision = world.course("CV2402").named("ＡＩ 视觉").add().await;
        let anna = world.person("anna").named("Анна Österberg").role(domain::access::Role::Teacher).teaches(&vision).add().await;
        let manager = world.manager("head").await;
        order(&world, &anna, &vision, "目标检测 实验").await;
        for text in ["Österberg", "ÖSTERBERG", "Анна", "анна"] {
            assert_eq!(find(&world, &manager, text).await, ["lab-1001", "#1001", "anna"], "{text}");
        }
        for text in ["ＡＩ 视", "ai 视觉"] {
            assert_eq!(find(&world, &anna, text).await, ["lab-1001", "#1001", "CV2402"], "{text}");
        }
        for text in ["zh", "{", ":", "\"en\""] {
            assert_eq!(find(&world, &anna, text).await, [""; 0], "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_finds_only_what_its_scopes_allow() {
    let world = TestWorld::college().await;
    let course = world.course("CV2402").add().await;
    let li = world.teacher("li.hua", &[&course]).await;
    order(&world, &li, &course, "lesson").await;
    let token = crate::testing::with_scopes(&li, &[domain::access::Scope::OrdersRead]);
    assert_eq!(find(&world, &token, "1001").await, ["#1001"]);
}
