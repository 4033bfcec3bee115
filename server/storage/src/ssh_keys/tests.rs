use domain::{
    ids::{LabId, SshKeyId},
    labs::LabState,
    money::Currency,
    orders::OrderState,
    ssh_keys::{KeysProblem, SshKey, VARIABLE},
    time::Timestamp,
};
use uuid::Uuid;

use super::{delete, insert, labs_of, lock, note_removed, note_try, of_user, problem, removed, tried_before};
use crate::{
    Write, labs,
    orders::{
        self,
        tests::ground::{ground, lab, order, teacher},
    },
    testing::{for_each_engine, user},
};

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

#[tokio::test]
async fn removed_keys_are_noted_once() {
    for_each_engine("removed_keys_are_noted_once", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let (li, wang) = (user(&mut write, "li.hua").await, user(&mut write, "wang").await);
        for key in ["ssh-ed25519 B", "ssh-ed25519 A", "ssh-ed25519 B"] {
            note_removed(&mut write, li, key, NOW).await.expect("noted");
        }
        assert_eq!(removed(&mut write, li).await.expect("read"), ["ssh-ed25519 A", "ssh-ed25519 B"]);
        assert!(removed(&mut write, wang).await.expect("read").is_empty());
    })
    .await;
}

/// A lab of the teacher, with an SSH server or without.
async fn add(write: &mut Write, number: i64, state: LabState, variable: Option<&str>) -> LabId {
    let order = order(number, OrderState::Approved);
    orders::insert(write, &order).await.expect("an order");
    let mut lab = lab(&order, state);
    lab.spec.environment = variable.into_iter().map(|name| (name.to_owned(), "ssh-ed25519 AAAA".to_owned())).collect();
    labs::insert(write, &lab, Currency::Cny).await.expect("a lab");
    lab.id
}

#[tokio::test]
async fn running_labs_with_ssh_are_found_with_the_problem_of_their_last_try() {
    for_each_engine("running_labs_with_ssh_are_found_with_the_problem_of_their_last_try", async |test| {
        let mut write = ground(&test).await;
        let one = add(&mut write, 1, LabState::Running, Some(VARIABLE)).await;
        let two = add(&mut write, 2, LabState::Running, Some(VARIABLE)).await;
        let stopped = add(&mut write, 3, LabState::Stopped, Some(VARIABLE)).await;
        add(&mut write, 4, LabState::Running, Some("LECTERN_AUTHORIZED_KEYS_FILE")).await;
        add(&mut write, 5, LabState::Running, None).await;
        assert_eq!(labs_of(&mut write, teacher()).await.expect("read"), [one, two]);
        assert_eq!(problem(&mut write, one).await.expect("read"), None);
        for found in [Some(KeysProblem::NotWritten), Some(KeysProblem::NoFile), None] {
            note_try(&mut write, one, NOW, found).await.expect("noted");
            assert_eq!(problem(&mut write, one).await.expect("read"), found);
        }
        note_try(&mut write, two, NOW.plus_seconds(-1), Some(KeysProblem::NotWritten)).await.expect("noted");
        note_try(&mut write, stopped, NOW, None).await.expect("noted");
        assert_eq!(tried_before(&mut write, NOW, 9).await.expect("read"), [two]);
        assert_eq!(tried_before(&mut write, NOW.plus_seconds(1), 9).await.expect("read"), [two, one]);
        assert_eq!(tried_before(&mut write, NOW.plus_seconds(1), 1).await.expect("read"), [two]);
        note_try(&mut write, two, NOW, Some(KeysProblem::NoFile)).await.expect("noted");
        assert_eq!(tried_before(&mut write, NOW.plus_seconds(1), 9).await.expect("read"), [one]);
    })
    .await;
}
