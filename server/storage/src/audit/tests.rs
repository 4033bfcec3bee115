//! Saved searches, runs, and reading along the chain. Searching itself is tested with its use case.

use domain::{
    audit::{
        Chain, Event, Filter, Hash, Object, Outcome, Range, SavedSearch, Via, Who,
        run::{ChainResult, Run, RunState},
    },
    ids::{AuditEventId, AuditRunId, AuditSearchId, TenantId, UserId},
    people::PersonRef,
    time::Timestamp,
};
use uuid::Uuid;

use super::{chain, insert, read, runs, searches};
use crate::{
    Write,
    testing::{for_each_engine, user},
};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn tenant_of(user: UserId) -> TenantId {
    TenantId::from_uuid(user.uuid())
}

fn saved(number: u128, owner: UserId, login: &str, name: &str, shared: bool) -> SavedSearch {
    SavedSearch {
        id: AuditSearchId::from_uuid(Uuid::from_u128(number)),
        owner: PersonRef { id: owner, login: login.into(), name: login.into() },
        name: name.into(),
        shared,
        filter: Filter { range: Some(Range::Week), text: Some("深度学习".into()), ..Filter::default() },
        created_at: NOW,
    }
}

#[tokio::test]
async fn a_person_sees_their_own_searches_and_what_is_shared() {
    for_each_engine("a_person_sees_their_own_searches_and_what_is_shared", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let (shen, he) = (user(&mut write, "shen").await, user(&mut write, "he").await);
        let tenant = tenant_of(shen);
        let (own, common) = (saved(1, shen, "shen", "own", false), saved(2, he, "he", "common", true));
        for search in [&own, &common, &saved(3, he, "he", "hidden", false)] {
            searches::insert(&mut write, tenant, search).await.expect("kept");
        }
        assert_eq!(searches::visible(&mut write, tenant, shen, 10).await.expect("read"), [common.clone(), own.clone()]);
        assert_eq!(searches::visible(&mut write, tenant_of(he), shen, 10).await.expect("read"), []);
        assert_eq!(searches::find(&mut write, tenant, own.id).await.expect("read"), Some(own.clone()));
        assert_eq!(searches::find(&mut write, tenant_of(he), own.id).await.expect("read"), None);
        assert_eq!(searches::count(&mut write, he).await.expect("read"), 2);
        assert!(searches::delete(&mut write, own.id).await.expect("deleted"));
        assert!(!searches::delete(&mut write, own.id).await.expect("asked"));
        write.commit().await.expect("committed");
        let mut write = test.database.begin_write().await.expect("a transaction");
        let error = searches::insert(&mut write, tenant, &SavedSearch { id: own.id, ..common }).await.expect_err("the name is taken");
        assert!(error.is_not_unique("audit_searches", "owner_id"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_run_goes_from_waiting_to_its_end_once() {
    for_each_engine("a_run_goes_from_waiting_to_its_end_once", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let shen = user(&mut write, "shen").await;
        let tenant = tenant_of(shen);
        let run = |number: u128| Run {
            id: AuditRunId::from_uuid(Uuid::from_u128(number)),
            asked_by: PersonRef { id: shen, login: "shen".into(), name: "shen".into() },
            asked_at: NOW,
            state: RunState::Waiting,
            checked: 0,
            total: 0,
            finished_at: None,
            chains: Vec::new(),
        };
        assert_eq!(runs::newest(&mut write, tenant).await.expect("read"), (None, None));
        assert_eq!(runs::next_open(&mut write).await.expect("read"), None);
        runs::insert(&mut write, tenant, &run(1)).await.expect("asked");
        assert_eq!(runs::next_open(&mut write).await.expect("read"), Some((tenant, run(1))));
        runs::set_progress(&mut write, run(1).id, 3, 7).await.expect("noted");
        let going = Run { state: RunState::Running, checked: 3, total: 7, ..run(1) };
        assert_eq!(runs::newest(&mut write, tenant).await.expect("read"), (None, Some(going.clone())));
        let chains = [ChainResult { chain: Chain::System, checked: 7, broken: None }];
        assert!(runs::finish(&mut write, run(1).id, RunState::Good, &chains, NOW).await.expect("ended"));
        assert!(!runs::finish(&mut write, run(1).id, RunState::Broken, &[], NOW).await.expect("asked"));
        let good = Run { state: RunState::Good, checked: 7, finished_at: Some(NOW), chains: chains.to_vec(), ..going };
        runs::insert(&mut write, tenant, &run(2)).await.expect("asked");
        assert_eq!(runs::newest(&mut write, tenant).await.expect("read"), (Some(good), Some(run(2))));
    })
    .await;
}

fn event(number: u128, action: &str, label: &str) -> Event {
    Event {
        id: AuditEventId::from_uuid(Uuid::from_u128(number)),
        chain: Chain::System,
        at: NOW.plus_seconds(i64::try_from(number).expect("small")),
        who: Who::System { job: "seal".into() },
        via: if number == 2 { Via::Cli } else { Via::Job },
        address: (number == 3).then(|| "10.1.1.1".into()),
        request_id: None,
        action: action.into(),
        object: Object { kind: "lab".into(), id: label.into(), label: label.into() },
        course: None,
        outcome: Outcome::Success,
        code: None,
        before: None,
        after: None,
        count: 1,
    }
}

/// Four records, the first three sealed.
async fn chained(write: &mut Write) -> Vec<Event> {
    let events =
        vec![event(1, "lab.start", "lab-1"), event(2, "people.create", "he"), event(3, "lab.stop", "lab-1"), event(4, "token.create", "lab-1")];
    let mut prev = Hash::ZERO;
    for (seq, event) in (1_i64..).zip(&events) {
        insert(write, event).await.expect("recorded");
        if seq <= 3 {
            let hash = event.hash(seq, &prev);
            chain::set_seal(write, event.id, seq, &prev, &hash).await.expect("sealed");
            chain::set_head(write, "system", seq, &hash).await.expect("moved");
            prev = hash;
        }
    }
    events
}

#[tokio::test]
async fn the_chain_is_read_along_its_places() {
    for_each_engine("the_chain_is_read_along_its_places", async |test| {
        let engine = test.engine();
        let mut write = test.database.begin_write().await.expect("a transaction");
        let empty = Chain::Tenant(TenantId::from_uuid(Uuid::from_u128(9)));
        let events = chained(&mut write).await;
        let states = chain::states(&mut write, [empty, Chain::System]).await.expect("read");
        assert_eq!((states[0].sealed, states[0].head, states[0].unsealed), (0, Hash::ZERO, 0));
        assert_eq!((states[1].sealed, states[1].unsealed), (3, 1));
        assert_eq!(chain::neighbours(&mut write, Chain::System, 2).await.expect("read"), (Some(events[0].id), Some(events[2].id)));
        assert_eq!(chain::neighbours(&mut write, Chain::System, 3).await.expect("read"), (Some(events[1].id), None));
        let find = async |write: &mut Write, filter: Filter, span| {
            let found = read::sealed(write, engine, Chain::System, &filter, span, 10).await.expect("read");
            found.into_iter().map(|(seq, record)| if record.is_ok() { seq } else { -seq }).collect::<Vec<_>>()
        };
        assert_eq!(find(&mut write, Filter::default(), (0, 9)).await, [1, 2, 3]);
        assert_eq!(find(&mut write, Filter::default(), (1, 2)).await, [2]);
        assert_eq!(find(&mut write, Filter { object: Some("lab-1".into()), ..Filter::default() }, (0, 9)).await, [1, 3]);
        assert_eq!(find(&mut write, Filter { via: Some(Via::Cli), ..Filter::default() }, (0, 9)).await, [2]);
        assert_eq!(find(&mut write, Filter { address: Some("10.1.1.1".into()), ..Filter::default() }, (0, 9)).await, [3]);
        let latest = read::latest_of(&mut write, Chain::System, &["people.", "token."], NOW, 5).await.expect("read");
        assert_eq!(latest.into_iter().map(|listed| listed.event.id).collect::<Vec<_>>(), [events[3].id, events[1].id]);
        let later = read::latest_of(&mut write, Chain::System, &["people.", "token."], NOW.plus_seconds(3), 5).await.expect("read");
        assert_eq!(later.into_iter().map(|listed| listed.event.id).collect::<Vec<_>>(), [events[3].id]);
    })
    .await;
}
