use domain::{ids::SshKeyId, ssh_keys::SshKey, time::Timestamp};
use uuid::Uuid;

use super::{delete, insert, lock, of_user};
use crate::testing::{for_each_engine, user};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

#[tokio::test]
async fn keys_are_listed_newest_first_and_one_person_has_each_once() {
    for_each_engine("keys_are_listed_newest_first_and_one_person_has_each_once", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let li = user(&mut write, "li.hua").await;
        let key = |number: u128, fingerprint: &str| SshKey {
            id: SshKeyId::from_uuid(Uuid::from_u128(number)),
            name: "笔记本".into(),
            public_key: "ssh-ed25519 AAAA".into(),
            fingerprint: fingerprint.into(),
            created_at: NOW,
        };
        lock(&mut write, li).await.expect("locked");
        let (one, two) = (key(1, "SHA256:a"), key(2, "SHA256:b"));
        for key in [&one, &two] {
            insert(&mut write, li, key).await.expect("added");
        }
        assert_eq!(of_user(&mut write, li).await.expect("read"), [two.clone(), one.clone()]);
        assert!(delete(&mut write, one.id).await.expect("deleted"));
        assert!(!delete(&mut write, one.id).await.expect("asked"), "once");
        assert_eq!(of_user(&mut write, li).await.expect("read"), [two]);
        assert!(insert(&mut write, li, &key(3, "SHA256:b")).await.is_err(), "the same key twice");
    })
    .await;
}
