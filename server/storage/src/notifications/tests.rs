use domain::ids::{LabId, NotificationId};
use uuid::Uuid;

use super::*;
use crate::testing::{for_each_engine, user};

#[tokio::test]
async fn the_same_is_told_once_and_the_newest_comes_first() {
    for_each_engine("the_same_is_told_once_and_the_newest_comes_first", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let reader = user(&mut write, "li").await;
        let at = Timestamp::from_seconds(1_800_000_000);
        let failed = |lab| Notice::LabFailed { lab: LabId::from_uuid(Uuid::from_u128(lab)), name: "lab".into(), at };
        let id = |number| NotificationId::from_uuid(Uuid::from_u128(number));
        assert!(insert(&mut write, id(1), reader, (&failed(1), "aa"), at).await.expect("told"));
        assert!(!insert(&mut write, id(2), reader, (&failed(1), "aa"), at).await.expect("known"));
        assert!(insert(&mut write, id(3), reader, (&failed(2), "bb"), at).await.expect("told"));
        let seen = latest(&mut write, reader, 10).await.expect("read");
        assert_eq!(seen.iter().map(|one| one.id).collect::<Vec<_>>(), [id(3), id(1)]);
        assert_eq!(seen[0], Notification { id: id(3), notice: failed(2), created_at: at, read_at: None });
    })
    .await;
}

#[tokio::test]
async fn unread_ones_are_counted_paged_read_and_swept() {
    for_each_engine("unread_ones_are_counted_paged_read_and_swept", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let (reader, other) = (user(&mut write, "li").await, user(&mut write, "wang").await);
        let at = Timestamp::from_seconds(1_800_000_000);
        let id = |number| NotificationId::from_uuid(Uuid::from_u128(number));
        for number in 1..=4 {
            let notice = Notice::LabFailed { lab: LabId::from_uuid(Uuid::from_u128(number)), name: "lab".into(), at };
            let when = at.plus_seconds(i64::try_from(number).expect("small"));
            assert!(insert(&mut write, id(number), reader, (&notice, &number.to_string()), when).await.expect("told"));
        }
        assert_eq!(unread(&mut write, reader, 100).await.expect("read"), 4);
        assert_eq!(unread(&mut write, reader, 3).await.expect("read"), 3, "counts no further");
        let first = page(&mut write, reader, false, None, 3).await.expect("read");
        assert_eq!(first.iter().map(|one| one.id).collect::<Vec<_>>(), [id(4), id(3), id(2)]);
        assert_eq!(page(&mut write, reader, false, Some(id(2)), 3).await.expect("read")[0].id, id(1));
        assert_eq!(set_read(&mut write, other, Some(id(2)), at).await.expect("asked"), 0, "not theirs");
        assert_eq!(set_read(&mut write, reader, Some(id(2)), at).await.expect("read"), 1);
        assert!(is_of(&mut write, reader, id(2)).await.expect("read"));
        assert!(!is_of(&mut write, other, id(2)).await.expect("read"));
        let waiting = page(&mut write, reader, true, None, 9).await.expect("read");
        assert_eq!(waiting.iter().map(|one| one.id).collect::<Vec<_>>(), [id(4), id(3), id(1)]);
        assert_eq!(set_read(&mut write, reader, None, at).await.expect("all"), 3);
        assert_eq!(sweep(&mut write, at.plus_seconds(3), 1).await.expect("swept"), 1);
        assert_eq!(sweep(&mut write, at.plus_seconds(3), 9).await.expect("swept"), 1);
        assert_eq!(page(&mut write, reader, false, None, 9).await.expect("read").len(), 2);
    })
    .await;
}
