//! What changes of a lab after it was made, at the level of rows, on both engines.

use domain::{
    catalogue::LabSpec,
    courses::CourseKey,
    labs::{Autostop, EarlierSize, Failure, Lab, LabState, Lifecycle, Observation},
    orders::OrderState,
    time::Timestamp,
};

use super::ground::{card, ground, lab, now, order, spec, tenant};
use crate::{Write, labs, orders, pools, reservations, testing::for_each_engine};

async fn stored(write: &mut Write, number: i64, state: LabState, change: impl FnOnce(&mut Lab)) -> Lab {
    let order = order(number, OrderState::Fulfilled);
    orders::insert(write, &order).await.expect("an order");
    let mut row = lab(&order, state);
    change(&mut row);
    labs::insert(write, &row, order.estimate.total.currency).await.expect("a lab");
    row
}

#[tokio::test]
async fn a_lab_reads_back_with_all_that_its_owner_set() {
    for_each_engine("a_lab_reads_back_with_all_that_its_owner_set", |database| async move {
        let mut write = ground(&database).await;
        let mut row = stored(&mut write, 1, LabState::Running, |_| {}).await;
        row.minutes = 135;
        row.lifecycle = Lifecycle {
            generation: 3,
            autostop: Autostop { idle_minutes: Some(30), daily: "22:00".parse().ok() },
            daily_stop_at: Some(now()),
            kept_until: Some(now().plus_seconds(1)),
            grace_from: Some(now().plus_seconds(-1)),
        };
        assert!(labs::save(&mut write, &row).await.expect("saved"));
        row.version = 2;
        row.spec = LabSpec { cards_per_node: 2, storage_gib: 40, ..spec() };
        labs::set_size(&mut write, &row).await.expect("resized");
        assert_eq!(labs::get(&mut write, row.id).await.expect("read"), Some(row.clone()));
        assert_eq!(labs::held(&mut write, row.order).await.expect("read"), 6_000_000);
        labs::set_held(&mut write, row.order, 7).await.expect("held");
        let listed = labs::listed(&mut write, row.id).await.expect("read").expect("there");
        assert_eq!((listed.held_micros, listed.offering.to_string().len()), (7, 36));
        let used = crate::quotas::of_course(&mut write, row.course, now()).await.expect("read").expect("there").status.used;
        assert_eq!((used.cards.parts(), used.storage_gib), (2 * 840, 40), "the quota counts the new size");
    })
    .await;
}

#[tokio::test]
async fn labs_are_found_by_name_and_by_course() {
    for_each_engine("labs_are_found_by_name_and_by_course", |database| async move {
        let mut write = ground(&database).await;
        let row = stored(&mut write, 1, LabState::Running, |lab| lab.name = "lab-100%".into()).await;
        stored(&mut write, 2, LabState::Running, |_| {}).await;
        let mut find = async |text: Option<&str>, code: Option<&str>| {
            let query = labs::Query {
                tenant: tenant(),
                owner: None,
                visible_to: None,
                state: None,
                course: code.and_then(CourseKey::read),
                live: true,
                owner_left: false,
                unused_since: None,
                text: text.map(Into::into),
                before: None,
                limit: 10,
            };
            labs::list(&mut write, &query).await.expect("read").into_iter().map(|listed| listed.lab.id).collect::<Vec<_>>()
        };
        assert_eq!(find(Some("00%"), None).await, [row.id], "signs of patterns are taken as they are");
        assert_eq!((find(Some("JUPYTER"), None).await.len(), find(Some("李"), None).await.len(), find(Some("cv1"), None).await.len()), (2, 2, 2));
        assert_eq!(find(None, Some(&super::ground::course().to_string())).await.len(), 2, "by the course's id");
        assert_eq!((find(None, Some("CV1")).await.len(), find(None, Some("CV2")).await.len(), find(Some("nobody"), None).await.len()), (2, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn failures_are_numbered_and_kept() {
    for_each_engine("failures_are_numbered_and_kept", |database| async move {
        let mut write = ground(&database).await;
        let row = stored(&mut write, 1, LabState::Failed, |_| {}).await;
        let failure = |reason: &str| Failure { reason: reason.into(), message: "m".into(), at: now() };
        let seen = Observation { pods: 1, ..Observation::default() };
        labs::add_failure(&mut write, row.id, &failure("first"), Some(&seen)).await.expect("kept");
        labs::add_failure(&mut write, row.id, &failure("second"), None).await.expect("kept");
        let kept = labs::failures(&mut write, row.id).await.expect("read");
        assert_eq!(kept.iter().map(|each| (each.attempt, each.failure.reason.as_str())).collect::<Vec<_>>(), [(1, "first"), (2, "second")]);
        assert_eq!((&kept[0].evidence, &kept[1].evidence), (&Some(seen), &None));
    })
    .await;
}

#[tokio::test]
async fn earlier_sizes_are_read_for_labs_that_still_count() {
    for_each_engine("earlier_sizes_are_read_for_labs_that_still_count", |database| async move {
        let mut write = ground(&database).await;
        let row = stored(&mut write, 1, LabState::Running, |_| {}).await;
        let size = |seconds, cards| EarlierSize { until: now().plus_seconds(seconds), spec: LabSpec { cards_per_node: cards, ..spec() } };
        for each in [size(2, 3), size(1, 1), size(1, 2)] {
            labs::add_earlier_size(&mut write, row.id, &each).await.expect("kept");
        }
        let sizes = labs::sizes_of_unmetered(&mut write, None, row.id).await.expect("read");
        assert_eq!(sizes.into_values().collect::<Vec<_>>(), [vec![size(1, 1), size(2, 3)]], "the first of one instant, in order");
        labs::save_cost(&mut write, row.id, 1, 0, now(), Some(now())).await.expect("metered");
        assert!(labs::sizes_of_unmetered(&mut write, None, row.id).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_clock_finds_labs_once_for_each_warning() {
    for_each_engine("the_clock_finds_labs_once_for_each_warning", |database| async move {
        let mut write = ground(&database).await;
        let (end, daily) = (now().plus_minutes(10), now().plus_minutes(4));
        let up = stored(&mut write, 1, LabState::Running, |lab| lab.ends_at = Some(end)).await;
        let early = stored(&mut write, 2, LabState::Running, |lab| {
            lab.ends_at = Some(end);
            lab.lifecycle.daily_stop_at = Some(daily);
        })
        .await;
        let down = stored(&mut write, 3, LabState::Stopped, |lab| lab.lifecycle.kept_until = Some(end)).await;
        let soon = now().plus_minutes(15);
        let ids = |due: Vec<labs::Due>| due.into_iter().map(|due| (due.lab, due.about)).collect::<Vec<_>>();
        assert_eq!(ids(labs::ending(&mut write, "ends_15", now(), soon, 9).await.expect("read")), [(early.id, daily), (up.id, end)]);
        assert!(labs::warn(&mut write, up.id, "ends_15", end, now()).await.expect("noted"));
        assert!(!labs::warn(&mut write, up.id, "ends_15", end, now()).await.expect("asked"));
        assert_eq!(ids(labs::ending(&mut write, "ends_15", now(), soon, 9).await.expect("read")), [(early.id, daily)]);
        assert_eq!(labs::warned(&mut write, up.id).await.expect("read"), [("ends_15".to_owned(), end)]);
        assert_eq!(ids(labs::daily_stops(&mut write, daily, 9).await.expect("read")), [(early.id, daily)]);
        assert_eq!(ids(labs::expiring(&mut write, "destroy", end, 9).await.expect("read")), [(down.id, end)]);
        let due = async |write: &mut Write, at: Timestamp| ids(labs::destroy_due(write, "destroy", at, 9).await.expect("read"));
        assert!(due(&mut write, end).await.is_empty(), "nobody was told");
        labs::warn(&mut write, down.id, "destroy", end, now()).await.expect("noted");
        assert!(due(&mut write, now()).await.is_empty());
        assert_eq!(due(&mut write, end).await, [(down.id, end)]);
    })
    .await;
}

#[tokio::test]
async fn what_a_lab_holds_grows_only_while_cards_are_free() {
    for_each_engine("what_a_lab_holds_grows_only_while_cards_are_free", |database| async move {
        let mut write = ground(&database).await;
        pools::put(&mut write, card(), 4, 4, now()).await.expect("cards");
        let one = stored(&mut write, 1, LabState::Running, |_| {}).await;
        let two = stored(&mut write, 2, LabState::Running, |_| {}).await;
        for row in [&one, &two] {
            assert!(reservations::take(row.id, card(), 1, &[], now()).run(&mut write).await.expect("asked"));
        }
        assert!(reservations::change(&mut write, one.id, card(), 3).await.expect("asked"));
        assert!(!reservations::change(&mut write, two.id, card(), 2).await.expect("asked"), "one would be too many");
        let slice = "a100-80g-1g.10gb".parse().expect("a card");
        assert!(!reservations::change(&mut write, two.id, slice, 1).await.expect("asked"), "none of that kind");
        assert!(reservations::shrink(&mut write, one.id, 2).await.expect("asked"));
        assert!(!reservations::shrink(&mut write, one.id, 2).await.expect("asked"), "holds no more than that");
        assert_eq!(pools::find(&mut write, card()).await.expect("read").expect("a pool").reserved, 3);
    })
    .await;
}
