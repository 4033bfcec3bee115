use domain::{
    ids::{LabId, PassId, VisitId},
    labs::LabState,
    money::Currency,
    orders::OrderState,
    visits::VisitRole,
};

use super::*;
use crate::{
    Write, labs,
    orders::{
        self,
        tests::ground::{ground, lab, now, order, teacher, tenant, uuid},
    },
    testing::{TestDatabase, for_each_engine, user},
    visits,
};

const NOBODY: LabId = LabId::from_uuid(uuid::Uuid::from_u128(0x999));

fn id(number: u128) -> ShareId {
    ShareId::from_uuid(uuid(0x700 + number))
}

fn new(number: u128, lab: LabId) -> NewShare {
    NewShare { id: id(number), tenant: tenant(), lab, user: teacher(), view_only: number == 1, created_at: now(), ends_at: now().plus_seconds(3_600) }
}

async fn running(database: &TestDatabase) -> (Write, LabId) {
    let mut write = ground(database).await;
    let order = order(1, OrderState::Approved);
    orders::insert(&mut write, &order).await.expect("an order");
    let lab = lab(&order, LabState::Running);
    labs::insert(&mut write, &lab, Currency::Cny).await.expect("a lab");
    (write, lab.id)
}

#[tokio::test]
async fn a_link_is_found_by_its_secret_and_withdrawn_once() {
    for_each_engine("a_link_is_found_by_its_secret_and_withdrawn_once", async |test| {
        let (mut write, lab) = running(&test).await;
        for number in [1, 2] {
            insert(&mut write, &new(number, lab), &format!("hash {number}")).await.expect("a link");
        }
        let found = by_secret(&mut write, "hash 1").await.expect("read").expect("a link");
        assert_eq!((found.id, found.lab, found.owner.id, found.owner_disabled), (id(1), lab, teacher(), false));
        assert_eq!((found.view_only, found.ends_at, found.withdrawn_at), (true, now().plus_seconds(3_600), None));
        assert_eq!(by_secret(&mut write, "hash 9").await.expect("read"), None);
        let all = of_lab(&mut write, lab, 10).await.expect("read");
        assert_eq!(all.iter().map(|share| share.id).collect::<Vec<_>>(), [id(2), id(1)]);
        assert_eq!(get(&mut write, lab, id(1)).await.expect("read").as_ref(), all.last());
        assert_eq!(get(&mut write, NOBODY, id(1)).await.expect("read"), None, "a link of another lab");
        assert_eq!(good(&mut write, lab, now()).await.expect("counted"), 2);
        assert!(withdraw(&mut write, id(1), now()).await.expect("withdrawn"));
        assert!(!withdraw(&mut write, id(1), now()).await.expect("asked"), "once");
        assert!(!withdraw(&mut write, id(2), now().plus_seconds(3_600)).await.expect("asked"), "it is over");
        assert_eq!(good(&mut write, lab, now()).await.expect("counted"), 1);
        assert_eq!(good(&mut write, lab, now().plus_seconds(3_600)).await.expect("counted"), 0);
        assert_eq!(by_secret(&mut write, "hash 1").await.expect("read").expect("a link").withdrawn_at, Some(now()));
    })
    .await;
}

#[tokio::test]
async fn those_who_came_by_a_link_are_listed_with_it() {
    for_each_engine("those_who_came_by_a_link_are_listed_with_it", async |test| {
        let (mut write, lab) = running(&test).await;
        insert(&mut write, &new(1, lab), "hash").await.expect("a link");
        let guest = user(&mut write, "guest").await;
        let pass = |number: u128, share| visits::NewPass {
            id: PassId::from_uuid(uuid(0x500 + number)),
            tenant: tenant(),
            lab,
            user: guest,
            session: "session".into(),
            role: VisitRole::Share,
            reason: None,
            share,
            port: 0,
            origin: "https://lectern.example.edu".into(),
            next: "/".into(),
            created_at: now(),
            ticket_expires_at: now(),
        };
        for (number, share) in [(1, Some(id(1))), (2, Some(id(1))), (3, None)] {
            visits::new(&pass(number, share), &format!("ticket {number}")).run(&mut write).await.expect("a pass");
            let at = |seconds: i64| now().plus_seconds(seconds * i64::try_from(number).expect("small"));
            let visit = visits::LiveVisit {
                id: VisitId::from_uuid(uuid(0x600 + number)),
                pass: pass(number, share).id,
                tenant: tenant(),
                lab,
                user: guest,
                role: VisitRole::Share,
                reason: None,
                address: None,
                started_at: at(10),
                bytes_in: 1,
                bytes_out: 1,
                last_used_at: at(15),
            };
            assert!(visits::put(&mut write, &visit).await.expect("written"));
        }
        let found = visitors(&mut write, lab, 10).await.expect("read");
        assert_eq!(found.len(), 1, "{found:?}");
        let (share, visitor) = &found[0];
        assert_eq!((*share, visitor.person.login.as_str()), (id(1), "guest"));
        assert_eq!((visitor.first_at, visitor.last_at), (now().plus_seconds(10), now().plus_seconds(30)));
        assert_eq!(visitors(&mut write, NOBODY, 10).await.expect("read"), []);
    })
    .await;
}
