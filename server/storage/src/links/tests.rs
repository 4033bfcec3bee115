use domain::{
    ids::LinkId,
    people::{LinkKind, OpenLink},
    time::Timestamp,
};
use uuid::Uuid;

use super::{Link, insert, open, revoke_all, used, ways_in};
use crate::testing::{for_each_engine, user};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

#[tokio::test]
async fn a_link_opens_once_until_it_is_old_or_taken_back() {
    for_each_engine("a_link_opens_once_until_it_is_old_or_taken_back", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let li = user(&mut write, "li").await;
        let link = |number: u128| {
            let id = LinkId::from_uuid(Uuid::from_u128(number));
            Link { user: li, open: OpenLink { id, kind: LinkKind::Invite, created_at: NOW, expires_at: NOW.plus_minutes(1) } }
        };
        for number in 1..=3 {
            insert(&mut write, &link(number), &format!("hash {number}")).await.expect("a link");
        }
        assert_eq!(open(&mut write, "hash 1", NOW).await.expect("read"), Some(link(1)));
        assert_eq!(open(&mut write, "hash 9", NOW).await.expect("read"), None);
        assert_eq!(open(&mut write, "hash 1", NOW.plus_minutes(1)).await.expect("read"), None, "too old");
        assert_eq!(ways_in(&mut write, li, NOW).await.expect("read"), (Some(link(3).open), 0));
        assert!(used(&mut write, link(1).open.id, NOW).await.expect("used"));
        assert!(!used(&mut write, link(1).open.id, NOW).await.expect("used before"));
        assert_eq!(open(&mut write, "hash 1", NOW).await.expect("read"), None);
        assert_eq!(revoke_all(&mut write, li, NOW).await.expect("taken back"), 2);
        assert_eq!(open(&mut write, "hash 2", NOW).await.expect("read"), None);
        assert_eq!(ways_in(&mut write, li, NOW).await.expect("read"), (None, 0));
    })
    .await;
}
