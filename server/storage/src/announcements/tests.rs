use domain::{
    announcements::{Announcement, Level},
    catalogue::Localized,
    ids::AnnouncementId,
    people::PersonRef,
    time::Timestamp,
};
use uuid::Uuid;

use super::{by_id, dismiss, dismissed, end, insert, list, open};
use crate::{
    accounts::users,
    testing::{for_each_engine, user},
};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

#[tokio::test]
async fn an_announcement_is_open_until_its_end_and_put_away_by_each() {
    for_each_engine("an_announcement_is_open_until_its_end_and_put_away_by_each", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let li = user(&mut write, "li").await;
        let tenant = users::by_id(&mut write, li).await.expect("read").expect("there").tenant;
        let announcement = |number: u128, minutes: i64| Announcement {
            id: AnnouncementId::from_uuid(Uuid::from_u128(number)),
            level: Level::Info,
            text: Localized { zh: "维护".into(), en: "Maintenance".into() },
            from: NOW,
            to: NOW.plus_minutes(minutes),
            department: None,
            by: PersonRef { id: li, login: "li".into(), name: "li".into() },
            created_at: NOW,
            ended_at: None,
        };
        let (short, long) = (announcement(1, 1), announcement(2, 9));
        for each in [&short, &long] {
            insert(&mut write, tenant, each).await.expect("announced");
        }
        let ids = |all: Vec<(domain::ids::TenantId, Announcement)>| all.into_iter().map(|(_, each)| each.id).collect::<Vec<_>>();
        assert_eq!(by_id(&mut write, short.id).await.expect("read"), Some((tenant, short.clone())));
        assert_eq!(ids(open(&mut write, NOW).await.expect("read")), [long.id, short.id]);
        assert_eq!(ids(open(&mut write, NOW.plus_minutes(1)).await.expect("read")), [long.id]);
        assert_eq!(list(&mut write, tenant, Some(long.id), 5).await.expect("read"), std::slice::from_ref(&short));
        for _ in 0..2 {
            dismiss(&mut write, li, short.id).await.expect("put away");
        }
        assert_eq!(dismissed(&mut write, li, NOW).await.expect("read"), [short.id].into());
        assert!(end(&mut write, long.id, NOW).await.expect("ended"));
        assert!(!end(&mut write, long.id, NOW).await.expect("ended before"));
        assert_eq!(ids(open(&mut write, NOW).await.expect("read")), [short.id]);
    })
    .await;
}
