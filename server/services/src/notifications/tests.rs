use domain::{
    Error,
    ids::{LabId, NotificationId},
    notifications::Notice,
    page::PageRequest,
    time::Timestamp,
};
use storage::testing::for_each_engine;
use uuid::Uuid;

use super::{Wanted, inbox, list, mark_read, notify, sweep, unread};
use crate::{Caller, hub::News, testing::TestWorld};

#[tokio::test]
async fn a_person_is_told_the_same_once_and_open_pages_hear_of_it() {
    for_each_engine("a_person_is_told_the_same_once_and_open_pages_hear_of_it", async |database| {
        let world = TestWorld::college_on(database).await;
        let li = world.person("li.hua").add().await.actor.user;
        let notice = Notice::LabFailed { lab: LabId::from_uuid(Uuid::from_u128(1)), name: "lab-1".into(), at: Timestamp::from_seconds(1) };
        let mut listening = world.services.hub.listen(std::time::Duration::ZERO, |_| true);
        for times in 0..2 {
            let mut write = world.services.db.begin_write().await.expect("a transaction");
            let told = notify(&world.services, &mut write, &[li].into(), &notice).await.expect("told");
            write.commit().await.expect("committed");
            told.tell(&world.services);
            let heard = listening.so_far();
            assert_eq!(heard, if times == 0 { vec![News::Notice(li)] } else { vec![] }, "time {times}");
        }
        let mut connection = world.services.db.read().await.expect("a connection");
        assert_eq!(storage::notifications::latest(&mut connection, li, 10).await.expect("read").len(), 1);
    })
    .await;
}

/// Tells the person of `count` labs, a second each.
async fn told(world: &TestWorld, person: &Caller, count: u128) {
    for number in 0..count {
        let mut write = world.services.db.begin_write().await.expect("a transaction");
        let notice =
            Notice::LabFailed { lab: LabId::from_uuid(Uuid::from_u128(number)), name: format!("lab-{number}"), at: Timestamp::from_seconds(1) };
        let _ = notify(&world.services, &mut write, &[person.actor.user].into(), &notice).await.expect("told");
        write.commit().await.expect("committed");
        world.clock.advance(1);
    }
}

#[tokio::test]
async fn pages_are_complete_and_reading_takes_out_of_the_unread() {
    for_each_engine("pages_are_complete_and_reading_takes_out_of_the_unread", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let (li, wang) = (world.person("li.hua").add().await, world.person("wang").add().await);
        told(&world, &li, 5).await;
        let mut request = PageRequest { limit: 2, after: None };
        let mut seen = Vec::new();
        loop {
            let page = list(services, &li, Wanted::All, &request).await.expect("a page");
            seen.extend(page.items.into_iter().map(|each| each.id));
            match page.next {
                Some(next) => request.after = Some(next),
                None => break,
            }
        }
        assert_eq!(seen.len(), 5);
        assert!(seen.is_sorted_by(|a, b| a > b), "newest first");
        assert_eq!(unread(services, &li).await, Ok(5));
        assert_eq!(inbox(services, &li).await.expect("read").latest.len(), 5);
        mark_read(services, &li, Some(seen[0])).await.expect("read");
        mark_read(services, &li, Some(seen[0])).await.expect("again");
        assert_eq!(unread(services, &li).await, Ok(4));
        assert_eq!(list(services, &li, Wanted::Unread, &PageRequest::default()).await.expect("a page").items.len(), 4);
        assert_eq!(mark_read(services, &wang, Some(seen[1])).await, Err(Error::NotFound), "not theirs");
        assert_eq!(mark_read(services, &li, Some(NotificationId::from_uuid(Uuid::nil()))).await, Err(Error::NotFound));
        mark_read(services, &wang, None).await.expect("nothing to read");
        assert_eq!(unread(services, &li).await, Ok(4), "others' stay as they are");
        mark_read(services, &li, None).await.expect("all");
        assert_eq!(unread(services, &li).await, Ok(0));
    })
    .await;
}

#[tokio::test]
async fn old_ones_are_swept_and_the_rest_stays() {
    for_each_engine("old_ones_are_swept_and_the_rest_stays", async |database| {
        let world = TestWorld::college_on(database).await;
        let li = world.person("li.hua").add().await;
        told(&world, &li, 3).await;
        world.clock.advance(90 * 86_400 - 2);
        assert_eq!(sweep(&world.services).await, Ok(1));
        assert_eq!(unread(&world.services, &li).await, Ok(2));
    })
    .await;
}
