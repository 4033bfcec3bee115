use domain::{
    Error, Problem,
    audit::Filter,
    page::PageRequest,
    pricing::{DiscountForm, Meter, PriceForm, Quoted},
};
use storage::testing::for_each_engine;

use super::*;
use crate::{jobs::metering, testing::TestWorld};

fn form(price: &str, from: &str) -> PriceForm {
    PriceForm { meter: "cpu-core-hour".into(), price: price.into(), quoted: String::new(), from: from.into() }
}

#[tokio::test]
async fn a_price_begins_later_and_never_changes_the_past() {
    for_each_engine("a_price_begins_later_and_never_changes_the_past", |database| async {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let administrator = world.administrator("zhou").await;
        metering::run(services).await.expect("meters");
        let now = services.clock.now();
        let past = set_price(services, &administrator, &form("1", "2026-11-20")).await.expect_err("is over");
        assert_eq!(past, Error::field("from", Problem::AlreadyMetered { to: now }));
        set_price(services, &administrator, &form("0.08", "2026-12-01")).await.expect("planned");
        let minute = PriceForm { quoted: "minute".into(), ..form("0.12", "") };
        let price = set_price(services, &administrator, &minute).await.expect("from now on");
        assert_eq!((price.unit_micros, price.quoted, price.from), (7_200_000, Quoted::Minute, now));
        let list = list(services, &administrator).await.expect("a list");
        let history: Vec<_> = list.book.history(Meter::CpuCoreHour).iter().map(|price| price.unit_micros).collect();
        assert_eq!(history, [80_000, 7_200_000, 50_000]);

        let planned = list.book.history(Meter::CpuCoreHour)[0].from;
        withdraw_price(services, &administrator, Meter::CpuCoreHour, planned).await.expect("withdrawn");
        assert_eq!(withdraw_price(services, &administrator, Meter::CpuCoreHour, planned).await, Err(Error::NotFound));
        let begun = withdraw_price(services, &administrator, Meter::CpuCoreHour, now).await.expect_err("has begun");
        assert!(matches!(begun, Error::Invalid(_)), "{begun:?}");

        // Another tenant's prices are as they were, and so is what the past costs here.
        let other = world.other_tenant("bio").await;
        let stranger = world.person("wu").in_tenant(other).role(domain::access::Role::Administrator).add().await;
        let theirs = super::list(services, &stranger).await.expect("a list").book;
        assert_eq!(theirs.price(Meter::CpuCoreHour, now.plus_seconds(1)).expect("a price").micros, 50_000);
        assert_ne!(theirs.id, list.book.id);

        let auditor = world.auditor("qian").await;
        let filter = Filter { action: Some("price.".into()), ..Filter::default() };
        let events = crate::audit::search(services, &auditor, &filter, &PageRequest::default()).await.expect("found").items;
        let actions: Vec<_> = events.iter().map(|found| (found.event.action.as_str(), found.event.before.is_some())).collect();
        assert_eq!(actions, [("price.withdraw", false), ("price.withdraw", true), ("price.set", true), ("price.set", true)]);
    })
    .await;
}

#[tokio::test]
async fn a_discount_counts_from_its_day_on_for_estimates_and_bills() {
    let world = TestWorld::college().await;
    let services = &world.services;
    let administrator = world.administrator("zhou").await;
    let discount = DiscountForm { percent: "20".into(), reason: "pilot term".into(), ..DiscountForm::default() };
    let given = grant_discount(services, &administrator, &discount).await.expect("a discount");
    let taken = grant_discount(services, &administrator, &discount).await.expect_err("another holds");
    assert_eq!(taken, Error::field("from", Problem::Taken));
    let offering = crate::catalogue::get(services, &administrator, "jupyterlab-slice").await.expect("an offering");
    assert!(offering.parts.iter().all(|part| part.discount.get() == 2_000));
    world.clock.advance(60);
    let ended = end_discount(services, &administrator, given.id).await.expect("ended");
    assert_eq!(ended.to, Some(services.clock.now()));
    assert_eq!(end_discount(services, &administrator, given.id).await.expect("twice is once"), ended);
    let offering = crate::catalogue::get(services, &administrator, "jupyterlab-slice").await.expect("an offering");
    assert!(offering.parts.iter().all(|part| part.discount.is_none()));
}

#[tokio::test]
async fn prices_are_the_administrators_to_set_and_managers_and_auditors_read_them() {
    let world = TestWorld::college().await;
    let services = &world.services;
    let (manager, operator) = (world.manager("zhang").await, world.operator("zhao").await);
    list(services, &manager).await.expect("a list");
    assert_eq!(list(services, &operator).await.expect_err("not theirs"), Error::Forbidden);
    assert_eq!(set_price(services, &manager, &form("1", "")).await.expect_err("not theirs"), Error::Forbidden);
    assert_eq!(preview_price(services, &manager, &form("1", "")).await.expect_err("not theirs"), Error::Forbidden);
}
