//! Bills and usage lists against an independent recount, and who may read them.

use std::collections::BTreeSet;

use domain::{Error, billing, metering as rules, money::Money, page::PageRequest, time::Month};
use storage::testing::for_each_engine;

use super::{CNY, Scene};
use crate::{billing as bills, jobs::metering, labs};

/// Two labs over a month's end, one of them stopped and started again.
async fn busy(scene: &Scene) -> Month {
    let services = &scene.world.services;
    let month = services.clock.now().campus_month();
    scene.world.clock.set(month.end().plus_seconds(-1_800));
    let one = scene.running().await;
    scene.world.clock.advance(600);
    scene.running().await;
    labs::stop(services, &scene.teacher, one).await.expect("stops");
    scene.settle().await;
    scene.world.clock.advance(61);
    labs::start(services, &scene.teacher, one).await.expect("starts");
    scene.settle().await;
    scene.world.clock.advance(1_800);
    metering::run(services).await.expect("meters");
    month
}

#[tokio::test]
async fn a_bill_is_the_sum_of_its_usage_counted_another_way() {
    for_each_engine("a_bill_is_the_sum_of_its_usage_counted_another_way", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let month = busy(&scene).await;
        for month in [month, month.next()] {
            let bill = bills::bill(services, &scene.teacher, &scene.course.code, month).await.expect("a bill");
            let records = bills::usage(services, &scene.teacher, Some("CV2402"), None, Some(month), &PageRequest { limit: 200, after: None })
                .await
                .expect("usage")
                .items;
            assert!(!records.is_empty());
            assert_eq!(bill.lines, billing::lines(&records, |_| scene.teacher.actor.name.clone()));
            assert_eq!(bill.counted_to, services.clock.now().min(month.end()));
            // From the recorded changes alone, without what metering stored.
            let mut recount = 0;
            let mut read = services.db.read().await.expect("a connection");
            let book = storage::prices::books(&mut read).await.expect("read").remove(0).1;
            for id in bill.lines.iter().map(|line| line.lab).collect::<BTreeSet<_>>() {
                let changes = storage::labs::history(&mut read, id).await.expect("read");
                let lab = storage::labs::get(&mut read, id).await.expect("read").expect("is there");
                let lines = rules::usage(&rules::Life::of(&lab, &[], &changes), &book, services.clock.now()).expect("is rated");
                recount += lines.iter().filter(|line| line.month == month).map(|line| line.amount.micros).sum::<i64>();
            }
            assert_eq!(bill.total, Money::new(recount, CNY));
            let summaries = bills::bills(services, &scene.teacher, month).await.expect("bills");
            assert_eq!(summaries.iter().map(|one| (one.total, one.labs)).collect::<Vec<_>>(), [(bill.total, 2)]);
        }
    })
    .await;
}

#[tokio::test]
async fn usage_is_read_page_by_page_and_by_lab() {
    for_each_engine("usage_is_read_page_by_page_and_by_lab", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        busy(&scene).await;
        let all = bills::usage(services, &scene.teacher, None, None, None, &PageRequest { limit: 200, after: None }).await.expect("usage").items;
        let mut page = PageRequest { limit: 3, after: None };
        let mut seen = Vec::new();
        loop {
            let part = bills::usage(services, &scene.teacher, None, None, None, &page).await.expect("usage");
            seen.extend(part.items);
            match part.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, all);
        let first = &all[0];
        let page = PageRequest { limit: 200, after: None };
        for lab in [first.lab.to_string(), first.lab_name.clone()] {
            let some = bills::usage(services, &scene.teacher, None, Some(&lab), None, &page).await.expect("usage").items;
            assert_eq!(some.len(), all.iter().filter(|record| record.lab == first.lab).count());
        }
        let bad = PageRequest { limit: 3, after: Some("1_2_3".into()) };
        assert!(matches!(bills::usage(services, &scene.teacher, None, None, None, &bad).await, Err(Error::Invalid(_))));
    })
    .await;
}

#[tokio::test]
async fn a_course_of_somebody_else_has_no_bill_for_a_teacher() {
    let scene = Scene::on(storage::testing::TestDatabase::sqlite().await).await;
    let services = &scene.world.services;
    let month = busy(&scene).await;
    let other = scene.world.course("NLP").add().await;
    let teacher = scene.world.teacher("wang", &[&other]).await;
    let operator = scene.world.operator("zhao").await;
    let manager = scene.world.manager("zhang").await;
    assert_eq!(bills::bill(services, &teacher, "CV2402", month).await.expect_err("not theirs"), Error::NotFound);
    assert_eq!(bills::bill(services, &teacher, "no-such", month).await.expect_err("is not there"), Error::NotFound);
    assert_eq!(bills::bills(services, &operator, month).await.expect_err("reads no bills"), Error::Forbidden);
    let codes =
        async |caller| bills::bills(services, caller, month).await.expect("bills").into_iter().map(|bill| bill.course.code).collect::<Vec<_>>();
    assert_eq!(codes(&teacher).await, ["NLP"]);
    assert_eq!(codes(&manager).await, ["CV2402", "NLP"]);
    let page = PageRequest::default();
    assert!(bills::usage(services, &teacher, None, None, None, &page).await.expect("usage").items.is_empty());
    assert!(!bills::usage(services, &operator, None, None, None, &page).await.expect("usage").items.is_empty());
    assert_eq!(bills::usage(services, &teacher, Some("CV2402"), None, None, &page).await.expect_err("not theirs"), Error::NotFound);
}
