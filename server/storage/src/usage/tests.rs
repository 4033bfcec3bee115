//! Sums over a handful of rows that are easily added in the head.

use std::collections::BTreeSet;

use domain::{
    billing::Dimension,
    labs::LabState,
    metering::UsageLine,
    money::{Currency, Money},
    orders::OrderState,
    pricing::{BasisPoints, Meter},
    time::{Month, Timestamp},
};

use super::*;
use crate::{
    Write, labs,
    orders::{
        self,
        tests::ground::{card, course, ground, lab, now, order, teacher, tenant, uuid},
    },
    testing::for_each_engine,
};

/// One card from `from` on.
pub(crate) fn line(from: Timestamp, seconds: i64, micros: i64) -> UsageLine {
    UsageLine {
        meter: Meter::CardHour(card()),
        card: card(),
        quantity: 1,
        from,
        to: from.plus_seconds(seconds),
        seconds,
        unit_price: Money::new(1_000, Currency::Cny),
        discount: BasisPoints::new(2_500).expect("a share"),
        amount: Money::new(micros, Currency::Cny),
        month: from.campus_month(),
        open: false,
    }
}

/// Two labs: one with a day in October and two in November, the other with one day in November, of which CPU as well.
async fn used(write: &mut Write) -> (Lab, Lab, Month) {
    let mut made = Vec::new();
    for number in [1, 2] {
        let order = order(number, OrderState::Approved);
        orders::insert(write, &order).await.expect("an order");
        let lab = lab(&order, LabState::Running);
        labs::insert(write, &lab, Currency::Cny).await.expect("a lab");
        made.push(lab);
    }
    let day = now().start_of_campus_day();
    for line in [line(day.plus_seconds(-30 * 86_400), 60, 1_000), line(day, 60, 10), line(day.plus_seconds(86_400), 60, 20)] {
        put(write, &made[0], &line).await.expect("a line");
    }
    put(write, &made[1], &line(day.plus_seconds(5), 30, 300)).await.expect("a line");
    put(write, &made[1], &UsageLine { meter: Meter::CpuCoreHour, open: true, ..line(day.plus_seconds(5), 30, 7) }).await.expect("a line");
    let second = made.pop().expect("two");
    (made.remove(0), second, day.campus_month())
}

#[tokio::test]
async fn a_month_adds_up_by_course_day_and_part() {
    for_each_engine("a_month_adds_up_by_course_day_and_part", |database| async move {
        let mut write = ground(&database).await;
        let (one, _, month) = used(&mut write).await;
        let all = courses(&mut write, tenant(), None, month).await.expect("read");
        let shown: Vec<_> = all.iter().map(|each| (each.usage.micros, each.previous.micros, each.labs, each.card_seconds)).collect();
        assert_eq!(shown, [(337, 1_000, 2, 150)]);
        assert_eq!(courses(&mut write, tenant(), Some(&BTreeSet::new()), month).await.expect("read"), [], "sees no course");

        let first = now().campus_day();
        let by_day = days(&mut write, tenant(), None, Some(course()), month, month.start()).await.expect("read");
        assert_eq!(by_day.iter().map(|each| (each.day - first, each.micros)).collect::<Vec<_>>(), [(0, 317), (1, 20)]);
        let (before, since) = course_days(&mut write, course(), month.start()).await.expect("read");
        assert_eq!((before, since), (1_000, vec![(first, 317), (first + 1, 20)]));
        let months = months(&mut write, tenant(), None).await.expect("read");
        assert_eq!(months.iter().map(|(month, used, _)| (*month, used.micros)).collect::<Vec<_>>(), [(month, 337), (month.previous(), 1_000)]);

        let scope = Scope::month(tenant(), month);
        for (by, key) in [
            (Dimension::Course, "CV1".to_owned()),
            (Dimension::Offering, uuid(4).to_string()),
            (Dimension::Card, card().id().to_owned()),
            (Dimension::Person, teacher().to_string()),
        ] {
            let groups = groups(&mut write, &scope, by).await.expect("read");
            assert_eq!(
                groups.iter().map(|group| (group.key.clone(), group.amount.micros, group.labs, group.card_seconds)).collect::<Vec<_>>(),
                [(key, 337, 2, 150)]
            );
        }
        let all = lines(&mut write, &scope, None, 10).await.expect("read");
        let shown: Vec<_> = all.iter().map(|line| (line.lab == one.id, line.amount.micros, line.unit_seconds, line.open)).collect();
        assert_eq!(shown, [(true, 30, 120, false), (false, 7, 30, true), (false, 300, 30, false)]);
        let rest = lines(&mut write, &scope, Some((all[0].lab, all[0].meter)), 10).await.expect("read");
        assert_eq!(rest, all[1..]);
        let none = Scope { owner: Some(domain::ids::UserId::from_uuid(uuid(77))), ..scope.clone() };
        assert_eq!(lines(&mut write, &none, None, 10).await.expect("read"), []);
        let discount = BasisPoints::new(2_500).expect("a share");
        let sums = meters(&mut write, tenant(), month).await.expect("read");
        assert_eq!(sums, [(course(), Meter::CpuCoreHour, discount, 30, 7), (course(), Meter::CardHour(card()), discount, 150, 330)]);
        assert_eq!(cost_since(&mut write, tenant(), None, now().start_of_campus_day().plus_seconds(86_400)).await.expect("read"), 20);
        assert_eq!(cost_since(&mut write, tenant(), Some(&(teacher(), BTreeSet::new())), month.start()).await.expect("read"), 337, "owns the labs");
    })
    .await;
}

#[tokio::test]
async fn usage_belongs_to_the_card_that_the_lab_had_then() {
    for_each_engine("usage_belongs_to_the_card_that_the_lab_had_then", |database| async move {
        let mut write = ground(&database).await;
        let (one, _, month) = used(&mut write).await;
        // The lab is resized to a smaller card: its earlier usage stays with its earlier card.
        let slice: domain::gpu::Card = "a100-80g-1g.10gb".parse().expect("a card");
        let smaller = Lab { spec: domain::catalogue::LabSpec { card: slice, ..one.spec.clone() }, ..one.clone() };
        labs::set_size(&mut write, &smaller).await.expect("resized");
        let later = now().start_of_campus_day().plus_seconds(90_000);
        put(&mut write, &smaller, &UsageLine { meter: Meter::CardHour(slice), card: slice, ..line(later, 60, 5) }).await.expect("a line");
        put(&mut write, &smaller, &UsageLine { meter: Meter::CpuCoreHour, card: slice, ..line(later, 60, 2) }).await.expect("a line");
        let scope = Scope::month(tenant(), month);
        let by_card = groups(&mut write, &scope, Dimension::Card).await.expect("read");
        assert_eq!(
            by_card.iter().map(|group| (group.key.as_str(), group.amount.micros, group.labs)).collect::<Vec<_>>(),
            [(card().id(), 337, 2), (slice.id(), 7, 1)]
        );
        let of_slice = Scope { card: Some(slice.id().to_owned()), ..scope };
        let lines = lines(&mut write, &of_slice, None, 10).await.expect("read");
        assert_eq!(lines.iter().map(|line| line.amount.micros).sum::<i64>(), 7);
    })
    .await;
}

#[tokio::test]
async fn amounts_beyond_every_bound_make_no_page_fail() {
    for_each_engine("amounts_beyond_every_bound_make_no_page_fail", |database| async move {
        let mut write = ground(&database).await;
        let (_, two, month) = used(&mut write).await;
        for minute in 0..3 {
            put(&mut write, &two, &line(now().plus_minutes(minute), 60, i64::MAX)).await.expect("a line");
        }
        let most = 1_000_000_000_000_000_000;
        assert_eq!(courses(&mut write, tenant(), None, month).await.expect("read")[0].usage.micros, most);
        assert_eq!(summaries(&mut write, tenant(), None, month).await.expect("read")[0].total.micros, most);
        assert_eq!(months(&mut write, tenant(), None).await.expect("read")[0].1.micros, most);
        let scope = Scope::month(tenant(), month);
        for by in Dimension::ALL {
            assert!(groups(&mut write, &scope, by).await.expect("read")[0].amount.micros >= most);
        }
        assert!(lines(&mut write, &scope, None, 10).await.expect("read").iter().any(|line| line.amount.micros == most));
        assert_eq!(cost_since(&mut write, tenant(), None, month.start()).await.expect("read"), most);
        days(&mut write, tenant(), None, None, month, month.start()).await.expect("read");
        course_days(&mut write, course(), month.start()).await.expect("read");
        meters(&mut write, tenant(), month).await.expect("read");
    })
    .await;
}

#[tokio::test]
async fn rows_are_read_in_pages_and_by_lab() {
    for_each_engine("rows_are_read_in_pages_and_by_lab", |database| async move {
        let mut write = ground(&database).await;
        let (one, two, month) = used(&mut write).await;
        let scope = Scope::month(tenant(), month);
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let rows = export(&mut write, &scope, after, 2).await.expect("read");
            let Some(last) = rows.last() else { break };
            after = Some((last.lab, last.line.meter, last.line.from));
            seen.extend(rows);
        }
        assert_eq!(seen.iter().map(|row| row.line.amount.micros).collect::<Vec<_>>(), [10, 20, 7, 300]);
        assert_eq!((seen[0].owner_login.as_str(), seen[0].course_code.as_str(), seen[0].line.card.id()), ("li", "CV1", "a100-80g"));
        assert_eq!(of_lab_month(&mut write, one.id, month).await.expect("read").len(), 2);
        assert_eq!(of_lab(&mut write, one.id).await.expect("read").len(), 3);

        // What ends before the frontier is not read again, until the lab changes.
        let frontier = now().start_of_campus_day().plus_seconds(86_400);
        assert!(labs::save_cost(&mut write, one.id, 1, 30, frontier, None).await.expect("saved"));
        let stored = of_unmetered(&mut write, None, two.id).await.expect("read");
        assert_eq!((stored[&one.id].lines.len(), stored[&one.id].frontier, stored[&two.id].lines.len()), (1, Some(frontier), 2));
        assert!(labs::save(&mut write, &one).await.expect("saved"));
        let stored = of_unmetered(&mut write, None, two.id).await.expect("read");
        assert_eq!((stored[&one.id].lines.len(), stored[&one.id].frontier), (3, None));
        remove(&mut write, one.id, Meter::CardHour(card()), now().start_of_campus_day()).await.expect("removed");
        assert_eq!(of_lab(&mut write, one.id).await.expect("read").len(), 2);
    })
    .await;
}
