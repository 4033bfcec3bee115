//! The catalogue as people see it, and that what it keeps in memory is what the database has.

use domain::{
    Error,
    access::Role,
    approvals::{Condition, OrderTest, Outcome, Policy, Rule},
    catalogue::Localized,
    money::{Currency, Money},
    orders::OrderForm,
    pricing::{Meter, Price},
};

use super::{context, get, install_defaults, list, shelf};
use crate::{ports::Clock as _, testing::TestWorld};

#[tokio::test]
async fn the_catalogue_has_eight_offerings_with_their_prices_per_hour() {
    let world = TestWorld::college().await;
    let course = world.course("AI2301").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let cards = list(&world.services, &teacher).await.expect("a catalogue");
    let shown: Vec<_> = cards.iter().map(|card| (card.offering.slug.as_str(), card.per_hour.map(|money| money.to_string()))).collect();
    let price = |text: &str| Some(text.to_owned());
    // 8 cards at 5.40, 128 cores at 0.05, 512 GiB at 0.01 and 100 GiB of volume at 1.08 a month make 54.87.
    let expected = [
        ("jupyterlab-slice", price("¥1.16")),
        ("jupyterlab-2xa100-1tb", price("¥16.50")),
        ("vscode", price("¥1.52")),
        ("linux-ssh", price("¥3.40")),
        ("batch-training", price("¥6.99")),
        ("inference-service", price("¥1.73")),
        ("pytorch-ddp-8", price("¥54.87")),
        ("pytorch-ddp-10", price("¥68.70")),
    ];
    assert_eq!(shown, expected);
    for card in &cards {
        let parts = card.parts.iter().fold(Money::zero(Currency::Cny), |sum, part| sum.plus(part.per_hour));
        assert_eq!(Some(parts), card.per_hour, "the parts make the whole");
        assert_eq!(card.cards_free, None, "the cluster has not reported");
        assert_eq!(get(&world.services, &teacher, &card.offering.id.to_string()).await.as_ref(), Ok(card), "by id as by slug");
    }
    assert_eq!(get(&world.services, &teacher, "hovercraft").await.expect_err("no such"), Error::NotFound);
}

#[tokio::test]
async fn laying_the_defaults_down_again_changes_nothing() {
    let world = TestWorld::college().await;
    let mut write = world.services.db.begin_write().await.expect("a transaction");
    let before = storage::offerings::version(&mut write).await.expect("read");
    install_defaults(&world.services, &mut write, world.tenant).await.expect("laid down");
    assert_eq!(storage::offerings::version(&mut write).await.expect("read"), before);
    assert_eq!(storage::prices::books(&mut write).await.expect("read").len(), 1);
}

#[tokio::test]
async fn the_form_rules_by_the_roles_that_one_has_in_the_course() {
    let world = TestWorld::college().await;
    let (own, other) = (world.course("AI2301").add().await, world.course("CV2402").add().await);
    let mut head = world.teacher("li", &[&own, &other]).await;
    head.actor.department_roles.insert(Role::Manager, [own.id].into());
    let mut context = context(&world.services, &head, "jupyterlab-slice").await.expect("a context");
    let rule =
        Rule::new(Localized { zh: "主任".into(), en: "Heads".into() }, Condition::Test(OrderTest::RequesterHas(Role::Manager)), Outcome::Automatic);
    context.policy = Policy::new(vec![rule]);
    let ruling = |course: &str| {
        let form = OrderForm { offering: "jupyterlab-slice".into(), course: course.into(), duration_minutes: "60".into(), ..OrderForm::default() };
        context.preview(&form).expect("a preview").ruling.outcome
    };
    assert_eq!((ruling("AI2301"), ruling("CV2402")), (Outcome::Automatic, Outcome::Stages(vec![Role::Manager])));
}

#[tokio::test]
async fn a_change_by_another_replica_is_seen_at_once() {
    storage::testing::for_each_engine("a_change_by_another_replica_is_seen_at_once", |database| async move {
        let world = TestWorld::college_on(database).await;
        let course = world.course("AI2301").add().await;
        let teacher = world.teacher("li", &[&course]).await;
        let before = context(&world.services, &teacher, "jupyterlab-slice").await.expect("a context");
        assert_eq!((before.courses.len(), before.policy.rules.len()), (1, 5));

        // The other replica writes; this one was not told.
        let replica = world.replica();
        let mut write = replica.db.begin_write().await.expect("a transaction");
        let dearer = Price::new(Meter::CpuCoreHour, 1_000_000, world.clock.now());
        storage::prices::insert_price(&mut write, before.book.id, &dearer).await.expect("a new price");
        let stored = storage::policies::find(&mut write, world.tenant).await.expect("read").expect("a policy");
        let by = teacher.actor.user;
        assert!(storage::policies::publish(&mut write, &stored, &Policy::default(), world.clock.now(), by).await.expect("a new policy"));
        storage::offerings::raise_version(&mut write).await.expect("raised");
        write.commit().await.expect("committed");
        let after = context(&world.services, &teacher, "jupyterlab-slice").await.expect("a context");
        assert_eq!((after.policy.rules.len(), after.book.prices.len()), (0, before.book.prices.len() + 1));

        // And what has not changed is not read again.
        let mut connection = world.services.db.read().await.expect("a connection");
        let first = shelf(&world.services, &mut connection).await.expect("a shelf");
        let second = shelf(&world.services, &mut connection).await.expect("a shelf");
        assert!(std::sync::Arc::ptr_eq(&first, &second));
    })
    .await;
}

#[tokio::test]
async fn a_slice_needs_no_approval_and_those_who_order_nothing_get_no_form() {
    let world = TestWorld::college().await;
    let course = world.course("AI2301").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let context = context(&world.services, &teacher, "jupyterlab-slice").await.expect("a context");
    let form = domain::orders::OrderForm {
        offering: "jupyterlab-slice".into(),
        course: "AI2301".into(),
        duration_minutes: "90".into(),
        ..Default::default()
    };
    let preview = context.preview(&form).expect("a preview");
    assert_eq!((preview.ruling.outcome, preview.refusal), (Outcome::Automatic, None));
    let auditor = world.auditor("shen").await;
    assert_eq!(super::context(&world.services, &auditor, "jupyterlab-slice").await.expect_err("not their job"), Error::Forbidden);
}
