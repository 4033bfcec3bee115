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
