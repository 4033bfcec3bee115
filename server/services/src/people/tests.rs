use std::collections::BTreeSet;

use domain::{
    Error, Problem,
    access::Role,
    audit::Filter,
    ids::{CourseId, UserId},
    page::PageRequest,
    people::NewPerson,
};
use storage::testing::for_each_engine;
use uuid::Uuid;

use super::{create, disable, enable, list, set_access};
use crate::{accounts, audit, sessions, testing::TestWorld};

fn new(login: &str) -> NewPerson {
    NewPerson { login: login.into(), name: "李华".into(), password: "a long password".into() }
}

#[tokio::test]
async fn an_administrator_adds_somebody_who_then_signs_in() {
    for_each_engine("an_administrator_adds_somebody_who_then_signs_in", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let administrator = world.administrator("root").await;
        let (b, a) = (world.course("B2").add().await, world.course("A1").add().await);
        let made = create(services, &administrator, &new(" Li.Hua "), [Role::Teacher].into(), [a.id, b.id].into()).await.expect("made");
        assert_eq!(made.person.login, "li.hua");
        assert_eq!(made.courses, [a.brief(), b.brief()]);
        let signed_in = accounts::sign_in(services, &TestWorld::origin(), "li.hua", "a long password").await.expect("signed in");
        assert_eq!(signed_in.actor.courses, [a.id, b.id].into());

        let all = list(services, &administrator).await.expect("listed");
        let logins: Vec<_> = all.iter().map(|person| person.person.login.as_str()).collect();
        assert_eq!(logins, ["li.hua", "root"]);
        assert_eq!((all[0].courses.clone(), all[0].roles.clone()), (made.courses, made.roles));
        assert_eq!(all[0].last_sign_in_at, Some(services.clock.now()));

        let again = create(services, &administrator, &new("LI.HUA"), BTreeSet::new(), BTreeSet::new()).await.expect_err("refused");
        assert_eq!(again, Error::field("login", Problem::Taken));
    })
    .await;
}

#[tokio::test]
async fn courses_of_another_tenant_do_not_exist() {
    let world = TestWorld::college().await;
    let administrator = world.administrator("root").await;
    let elsewhere = world.other_tenant("law").await;
    let foreign = world.course("LAW1").in_tenant(elsewhere).add().await;
    for course in [foreign.id, CourseId::from_uuid(Uuid::from_u128(1))] {
        let error = create(&world.services, &administrator, &new("li.hua"), BTreeSet::new(), [course].into()).await.expect_err("refused");
        assert_eq!(error, Error::field("courses", Problem::NoSuch));
    }
    assert_eq!(list(&world.services, &administrator).await.expect("listed").len(), 1, "nothing half made");
}

#[tokio::test]
async fn a_changed_role_counts_at_once() {
    let world = TestWorld::college().await;
    let services = &world.services;
    let administrator = world.administrator("root").await;
    let course = world.course("CV2402").add().await;
    let li = world.teacher("li.hua", &[&course]).await;
    let user = li.actor.user;
    assert_eq!(accounts::actor(services, user, 1).await.expect("read").expect("there").roles, [Role::Teacher].into());
    let person = set_access(services, &administrator, user, [Role::Manager].into(), BTreeSet::new()).await.expect("set");
    assert_eq!((person.roles.clone(), person.courses.len()), ([Role::Manager].into(), 0));
    let actor = accounts::actor(services, user, 1).await.expect("read").expect("the session goes on");
    assert_eq!((actor.roles, actor.courses), ([Role::Manager].into(), BTreeSet::new()));

    let auditor = world.auditor("shen").await;
    let filter = Filter { action: Some("people.set_access".into()), ..Filter::default() };
    let page = audit::search(services, &auditor, &filter, &PageRequest::default()).await.expect("found");
    let event = &page.items[0].event;
    assert_eq!(event.before.as_ref().expect("before")["roles"], serde_json::json!(["teacher"]));
    assert_eq!(event.after.as_ref().expect("after")["roles"], serde_json::json!(["manager"]));
}

#[tokio::test]
async fn disabling_ends_sessions_and_signing_in_until_enabled() {
    for_each_engine("disabling_ends_sessions_and_signing_in_until_enabled", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let administrator = world.administrator("root").await;
        let li = world.person("li.hua").add().await;
        let user = li.actor.user;
        let signed_in = accounts::sign_in(services, &li.origin, "li.hua", TestWorld::PASSWORD).await.expect("signed in");
        let later = services.clock.now().plus_minutes(60);
        sessions::save(services, "hash", Some(user), "{}", later).await.expect("saved");
        assert!(accounts::actor(services, user, signed_in.credentials_version).await.expect("read").is_some());

        disable(services, &administrator, user).await.expect("disabled");
        disable(services, &administrator, user).await.expect("and again");
        assert_eq!(accounts::actor(services, user, signed_in.credentials_version).await, Ok(None));
        assert_eq!(sessions::load(services, "hash").await, Ok(None));
        let refused = accounts::sign_in(services, &li.origin, "li.hua", TestWorld::PASSWORD).await.expect_err("refused");
        assert_eq!(refused, Error::SignInFailed);

        enable(services, &administrator, user).await.expect("enabled");
        assert_eq!(accounts::actor(services, user, signed_in.credentials_version).await, Ok(None), "old sessions stay ended");
        accounts::sign_in(services, &li.origin, "li.hua", TestWorld::PASSWORD).await.expect("signed in");
    })
    .await;
}

#[tokio::test]
async fn one_cannot_lock_oneself_out_and_others_may_not_at_all() {
    let world = TestWorld::college().await;
    let services = &world.services;
    let administrator = world.administrator("root").await;
    let me = administrator.actor.user;
    assert_eq!(disable(services, &administrator, me).await, Err(Error::Forbidden));
    let error = set_access(services, &administrator, me, [Role::Manager].into(), BTreeSet::new()).await.expect_err("refused");
    assert_eq!(error, Error::Forbidden);

    let manager = world.manager("wang").await;
    assert_eq!(list(services, &manager).await.expect("managers see people").len(), 2);
    assert_eq!(disable(services, &manager, me).await, Err(Error::Forbidden));
    assert_eq!(create(services, &manager, &new("x.y"), BTreeSet::new(), BTreeSet::new()).await.expect_err("refused"), Error::Forbidden);
    let teacher = world.teacher("li.hua", &[]).await;
    assert_eq!(list(services, &teacher).await.expect_err("refused"), Error::Forbidden);

    let elsewhere = world.other_tenant("law").await;
    let foreign = world.person("judge").in_tenant(elsewhere).add().await;
    for user in [foreign.actor.user, UserId::from_uuid(Uuid::from_u128(1))] {
        assert_eq!(disable(services, &administrator, user).await, Err(Error::NotFound));
        assert_eq!(enable(services, &administrator, user).await, Err(Error::NotFound));
    }
    let auditor = world.auditor("shen").await;
    let filter = Filter { action: Some("people.".into()), ..Filter::default() };
    let page = audit::search(services, &auditor, &filter, &PageRequest::default()).await.expect("found");
    assert_eq!(page.items.len(), 9, "every refusal is recorded");
}
