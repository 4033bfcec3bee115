use domain::{ids::SecretId, time::Timestamp};
use uuid::Uuid;

use super::*;
use crate::testing::for_each_engine;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn secret(number: u128, owner: &str, key: &str) -> StoredSecret {
    StoredSecret {
        id: SecretId::from_uuid(Uuid::from_u128(number)),
        owner: Owner { kind: OwnerKind::Offering, id: owner.into() },
        name: "HF_TOKEN".into(),
        key_id: key.into(),
        sealed: format!("sealed-{number}"),
        was_clear: number == 1,
        created_at: NOW,
    }
}

#[tokio::test]
async fn secrets_are_read_by_id_and_by_owner_and_removed_but_for_those_that_are_kept() {
    for_each_engine("secrets_are_read_by_id_and_by_owner_and_removed_but_for_those_that_are_kept", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let (one, two, other) = (secret(1, "a", "k1"), secret(2, "a", "k1"), secret(3, "b", "k1"));
        for each in [&one, &two, &other] {
            insert(&mut write, each).await.expect("kept");
        }
        assert_eq!(several(&mut write, [one.id, other.id]).await.expect("read").into_values().collect::<Vec<_>>(), [one.clone(), other.clone()]);
        assert_eq!(several(&mut write, []).await.expect("read").len(), 0);
        assert_eq!(of_owner(&mut write, &one.owner).await.expect("read"), [one.clone(), two.clone()]);
        assert_eq!(retain(&mut write, &one.owner, [two.id]).await.expect("removed"), 1);
        assert_eq!(of_owner(&mut write, &one.owner).await.expect("read"), [two]);
        assert_eq!(retain(&mut write, &other.owner, []).await.expect("removed"), 1);
    })
    .await;
}

#[tokio::test]
async fn one_key_is_current_and_what_lies_under_others_is_encrypted_anew() {
    for_each_engine("one_key_is_current_and_what_lies_under_others_is_encrypted_anew", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        assert_eq!(keys(&mut write).await.expect("read"), Keys::default());
        set_current_key(&mut write, "k1", NOW).await.expect("set");
        let (one, two) = (secret(1, "a", "k1"), secret(2, "a", "k1"));
        insert(&mut write, &one).await.expect("kept");
        insert(&mut write, &two).await.expect("kept");
        set_current_key(&mut write, "k2", NOW).await.expect("set");
        set_current_key(&mut write, "k2", NOW).await.expect("twice is once");
        let known = keys(&mut write).await.expect("read");
        assert_eq!(known, Keys { current: Some("k2".into()), in_use: [("k1".to_owned(), 2)].into() });
        assert_eq!(under_other_keys(&mut write, "k2", 1).await.expect("read"), std::slice::from_ref(&one));
        reseal(&mut write, &one, "k2", "anew").await.expect("written");
        let changed = StoredSecret { sealed: "somebody was quicker".into(), ..two.clone() };
        reseal(&mut write, &changed, "k2", "anew").await.expect("left");
        assert_eq!(under_other_keys(&mut write, "k2", 9).await.expect("read"), [two]);
        assert_eq!(several(&mut write, [one.id]).await.expect("read")[&one.id].sealed, "anew");
    })
    .await;
}

#[tokio::test]
async fn all_labs_have_one_secret_together() {
    for_each_engine("all_labs_have_one_secret_together", async |test| {
        let owner = Owner { kind: OwnerKind::Labs, id: "labs".into() };
        let one = StoredSecret { owner: owner.clone(), ..secret(1, "a", "k1") };
        let mut write = test.database.begin_write().await.expect("a transaction");
        insert(&mut write, &one).await.expect("kept");
        assert_eq!(of_owner(&mut write, &owner).await.expect("read"), [one]);
        let another = StoredSecret { owner, ..secret(2, "a", "k1") };
        assert!(matches!(insert(&mut write, &another).await, Err(crate::Error::NotUnique { .. })));
    })
    .await;
}
