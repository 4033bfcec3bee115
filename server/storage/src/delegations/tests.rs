use domain::{
    access::Role,
    delegations::Delegation,
    ids::{DelegationId, UserId},
    people::PersonRef,
    time::Timestamp,
};
use uuid::Uuid;

use super::{away, by_id, deciders_for_course, due, end, given, insert, list, lock, open};
use crate::{
    accounts::{roles, users},
    testing::{for_each_engine, user},
};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

#[tokio::test]
async fn a_delegation_lends_the_roles_that_the_absent_person_has_while_it_holds() {
    for_each_engine("a_delegation_lends_the_roles_that_the_absent_person_has_while_it_holds", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let zhou = user(&mut write, "zhou").await;
        let tenant = users::by_id(&mut write, zhou).await.expect("read").expect("there").tenant;
        // Each of the others would be of a college of their own.
        let wu = UserId::from_uuid(Uuid::from_u128(2));
        users::insert(&mut write, &users::User::new(wu, tenant, "wu".into(), "wu".into(), NOW)).await.expect("a colleague");
        let person = |id: UserId, login: &str| PersonRef { id, login: login.into(), name: login.into() };
        let delegation = |number: u128, from: i64, until: i64| Delegation {
            id: DelegationId::from_uuid(Uuid::from_u128(number)),
            absent: person(zhou, "zhou"),
            stand_in: person(wu, "wu"),
            from: NOW.plus_minutes(from),
            until: NOW.plus_minutes(until),
            note: "出差".into(),
            created_at: NOW,
            ended_at: None,
        };
        let (past, now, later) = (delegation(1, -20, -10), delegation(2, -5, 5), delegation(3, 10, 20));
        lock(&mut write, zhou).await.expect("locked");
        for each in [&past, &now, &later] {
            insert(&mut write, tenant, each).await.expect("named");
        }
        assert_eq!(by_id(&mut write, now.id).await.expect("read"), Some(now.clone()));
        let ids = |all: Vec<Delegation>| all.into_iter().map(|each| each.id).collect::<Vec<_>>();
        assert_eq!(ids(list(&mut write, wu, None, 9).await.expect("read")), [later.id, now.id, past.id]);
        assert_eq!(ids(list(&mut write, zhou, Some(later.id), 1).await.expect("read")), [now.id]);
        assert_eq!(ids(given(&mut write, zhou, NOW).await.expect("read")), [now.id, later.id]);
        assert_eq!(ids(given(&mut write, wu, NOW).await.expect("read")), []);
        assert_eq!(ids(open(&mut write, NOW).await.expect("read")), [now.id, later.id]);
        assert_eq!(due(&mut write, NOW, 9).await.expect("read"), [(tenant, past.clone())]);

        assert_eq!(away(&mut write, wu, NOW).await.expect("read"), [], "who has no role lends none");
        roles::set(&mut write, zhou, &[Role::Manager].into()).await.expect("a role");
        let found = away(&mut write, wu, NOW).await.expect("read");
        assert_eq!(found.iter().map(|each| (each.delegation, each.actor.user, each.until)).collect::<Vec<_>>(), [(now.id, zhou, now.until)]);
        assert_eq!(found[0].actor.roles, [Role::Manager].into());
        assert_eq!(away(&mut write, wu, now.until).await.expect("read"), []);
        assert_eq!(away(&mut write, zhou, NOW).await.expect("read"), []);
        users::set_disabled(&mut write, wu, Some(NOW)).await.expect("disabled");
        assert_eq!(away(&mut write, wu, NOW).await.expect("read"), []);
        users::set_disabled(&mut write, wu, None).await.expect("enabled");
        assert!(end(&mut write, now.id, NOW).await.expect("ended"));
        assert!(!end(&mut write, now.id, NOW).await.expect("ended before"));
        assert_eq!(away(&mut write, wu, NOW).await.expect("read"), []);
        let nowhere = domain::ids::CourseId::from_uuid(Uuid::from_u128(99));
        assert_eq!(deciders_for_course(&mut write, nowhere, Role::Manager, NOW).await.expect("read"), []);
    })
    .await;
}
