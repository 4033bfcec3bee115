use std::collections::BTreeSet;

use domain::{
    Error, Problem, Result,
    access::{Action, Role},
    audit::{Filter, Outcome},
    page::PageRequest,
    people::Viewer,
};
use storage::testing::for_each_engine;

use super::{actor, change_password, sign_in, sign_out, viewer};
use crate::{Caller, Services, audit, testing::TestWorld};

const RIGHT: &str = TestWorld::PASSWORD;

async fn try_from(services: &Services, address: &str, login: &str, password: &str) -> Result<()> {
    sign_in(services, &TestWorld::origin_at(address), login, password).await.map(drop)
}

async fn records(world: &TestWorld, auditor: &Caller, action: &str) -> Vec<domain::audit::Event> {
    let filter = Filter { action: Some(action.into()), ..Filter::default() };
    let page = audit::search(&world.services, auditor, &filter, &PageRequest::default()).await.expect("found");
    page.items.into_iter().map(|listed| listed.event).collect()
}

#[tokio::test]
async fn signing_in_gives_the_person_with_roles_and_courses() {
    for_each_engine("signing_in_gives_the_person_with_roles_and_courses", async |database| {
        let world = TestWorld::college_on(database).await;
        let course = world.course("CV2402").add().await;
        let li = world.person("li.hua").named("李华").role(Role::Teacher).teaches(&course).add().await;
        // However it is typed.
        let signed_in = sign_in(&world.services, &TestWorld::origin(), " Li.Hua ", RIGHT).await.expect("signed in");
        assert_eq!(signed_in.actor, li.actor);
        let again = actor(&world.services, li.actor.user, signed_in.credentials_version).await.expect("read");
        assert_eq!(again, Some(li.actor.clone()));
        assert_eq!(actor(&world.services, li.actor.user, signed_in.credentials_version + 1).await, Ok(None));

        sign_out(&world.services, &li).await.expect("signed out");
        let auditor = world.auditor("shen").await;
        let actions: Vec<_> = records(&world, &auditor, "session.").await.into_iter().map(|event| (event.action, event.outcome)).collect();
        assert_eq!(actions, [("session.sign_out".to_owned(), Outcome::Success), ("session.sign_in".to_owned(), Outcome::Success)]);
    })
    .await;
}

#[tokio::test]
async fn unknown_disabled_and_wrong_get_one_answer() {
    let world = TestWorld::college().await;
    let administrator = world.administrator("root").await;
    world.person("li.hua").add().await;
    let gone = world.person("zhao").add().await;
    crate::people::disable(&world.services, &administrator, gone.actor.user).await.expect("disabled");
    let long = "x".repeat(100_000);
    let tries = [
        ("li.hua", "wrong"),
        ("nobody", RIGHT),
        ("zhao", RIGHT),
        ("li.hua", ""),
        ("", ""),
        ("li.hua", long.as_str()),
        (&long, RIGHT),
        ("a\0b", RIGHT),
    ];
    for (index, (login, password)) in tries.into_iter().enumerate() {
        let answer = try_from(&world.services, &format!("10.0.0.{index}"), login, password).await;
        assert_eq!(answer, Err(Error::SignInFailed), "try {index}");
    }
}

#[tokio::test]
async fn the_eleventh_failure_of_an_account_in_a_minute_waits_on_every_replica() {
    for_each_engine("the_eleventh_failure_of_an_account_in_a_minute_waits_on_every_replica", async |database| {
        let world = TestWorld::college_on(database).await;
        world.person("li.hua").add().await;
        world.person("wang").add().await;
        let other = world.replica();
        for index in 0..10 {
            let services = if index % 2 == 0 { &world.services } else { &other };
            let answer = try_from(services, &format!("10.0.0.{index}"), "li.hua", "wrong").await;
            assert_eq!(answer, Err(Error::SignInFailed), "try {index}");
            world.clock.advance(2);
        }
        // The first of the ten leaves the window 60 seconds after it was made, which was 20 seconds ago.
        let limited = Err(Error::RateLimited { retry_after_seconds: 40 });
        assert_eq!(try_from(&other, "10.0.1.1", "li.hua", "wrong").await, limited);
        assert_eq!(try_from(&world.services, "10.0.1.2", "LI.HUA", RIGHT).await, limited, "also with the right password");
        assert_eq!(try_from(&world.services, "10.0.1.2", "wang", RIGHT).await, Ok(()), "other accounts go on");
        world.clock.advance(39);
        assert_eq!(try_from(&world.services, "10.0.1.2", "li.hua", RIGHT).await, Err(Error::RateLimited { retry_after_seconds: 1 }));
        world.clock.advance(1);
        assert_eq!(try_from(&world.services, "10.0.1.2", "li.hua", RIGHT).await, Ok(()));
    })
    .await;
}

#[tokio::test]
async fn an_address_has_ten_failures_a_minute_over_all_accounts() {
    let world = TestWorld::college().await;
    world.person("li.hua").add().await;
    for index in 0..10 {
        assert_eq!(try_from(&world.services, "10.0.0.1", &format!("guess{index}"), RIGHT).await, Err(Error::SignInFailed));
    }
    let limited = Err(Error::RateLimited { retry_after_seconds: 60 });
    assert_eq!(try_from(&world.services, "10.0.0.1", "li.hua", RIGHT).await, limited);
    assert_eq!(try_from(&world.services, "10.0.0.2", "li.hua", RIGHT).await, Ok(()));
}

#[tokio::test]
async fn of_thirty_guesses_at_once_ten_get_an_answer() {
    for_each_engine("of_thirty_guesses_at_once_ten_get_an_answer", async |database| {
        let world = TestWorld::college_on(database).await;
        world.person("li.hua").add().await;
        let services = &world.services;
        let guesses = (0..30).map(|index| async move { try_from(services, &format!("10.0.0.{index}"), "li.hua", "wrong").await });
        let answers = futures::future::join_all(guesses).await;
        assert_eq!(answers.iter().filter(|answer| **answer == Err(Error::SignInFailed)).count(), 10);
        assert_eq!(answers.iter().filter(|answer| matches!(answer, Err(Error::RateLimited { .. }))).count(), 20);
    })
    .await;
}

#[tokio::test]
async fn a_class_behind_one_address_signs_in_together() {
    let world = TestWorld::college().await;
    for index in 0..40 {
        world.person(&format!("student{index}")).add().await;
    }
    let services = &world.services;
    let all = (0..40).map(|index| async move { try_from(services, "10.0.0.1", &format!("student{index}"), RIGHT).await });
    assert!(futures::future::join_all(all).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_flood_of_failures_is_one_record_at_once_and_one_with_the_count() {
    for_each_engine("a_flood_of_failures_is_one_record_at_once_and_one_with_the_count", async |database| {
        let world = TestWorld::college_on(database).await;
        let auditor = world.auditor("shen").await;
        for index in 0..25 {
            try_from(&world.services, "10.0.0.1", &format!("guess{index}"), "wrong").await.expect_err("refused");
        }
        try_from(&world.services, "10.0.0.2", "guess", "wrong").await.expect_err("refused");

        let at_once = records(&world, &auditor, "session.sign_in").await;
        let seen: Vec<_> = at_once.iter().map(|event| (event.who.label(), event.address.as_deref(), event.count)).collect();
        assert_eq!(seen, [("guess", Some("10.0.0.2"), 1), ("guess0", Some("10.0.0.1"), 1)]);
        assert!(at_once.iter().all(|event| event.outcome == Outcome::Refused && event.code.as_deref() == Some("sign_in_failed")));

        audit::seal(&world.services).await.expect("sealed");
        assert_eq!(records(&world, &auditor, "session.sign_in").await.len(), 2, "the minute is not over");
        world.clock.advance(60);
        audit::seal(&world.services).await.expect("sealed");
        audit::seal(&world.services).await.expect("sealed again");
        let later = records(&world, &auditor, "session.sign_in").await;
        assert_eq!(later.len(), 3);
        assert_eq!((later[0].who.label(), later[0].count, later[0].code.as_deref()), ("guess24", 24, Some("rate_limited")));
    })
    .await;
}

#[tokio::test]
async fn a_changed_password_ends_every_other_session() {
    for_each_engine("a_changed_password_ends_every_other_session", async |database| {
        let world = TestWorld::college_on(database).await;
        let li = world.person("li.hua").add().await;
        let user = li.actor.user;
        let old = sign_in(&world.services, &li.origin, "li.hua", RIGHT).await.expect("signed in").credentials_version;
        let other = world.replica();
        assert!(actor(&world.services, user, old).await.expect("read").is_some());
        assert!(actor(&other, user, old).await.expect("read").is_some());

        let new = change_password(&world.services, &li, RIGHT, "a new and longer one").await.expect("changed");
        assert_eq!(actor(&world.services, user, old).await, Ok(None), "at once in this process");
        assert!(actor(&world.services, user, new).await.expect("read").is_some(), "the session that asked goes on");
        world.clock.advance(crate::cache::LIFE_SECONDS);
        assert_eq!(actor(&other, user, old).await, Ok(None), "within seconds elsewhere");

        assert_eq!(try_from(&world.services, "10.0.0.1", "li.hua", RIGHT).await, Err(Error::SignInFailed));
        assert_eq!(try_from(&world.services, "10.0.0.1", "li.hua", "a new and longer one").await, Ok(()));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_current_password_is_named_recorded_and_limited() {
    let world = TestWorld::college().await;
    let li = world.person("li.hua").add().await;
    let auditor = world.auditor("shen").await;
    let both = change_password(&world.services, &li, "", "short").await.expect_err("refused");
    assert!(matches!(&both, Error::Invalid(problems) if problems.len() == 2), "{both:?}");
    for _ in 0..10 {
        let error = change_password(&world.services, &li, "wrong", "a new and longer one").await.expect_err("refused");
        assert_eq!(error, Error::field("current", Problem::WrongPassword));
    }
    let error = change_password(&world.services, &li, RIGHT, "a new and longer one").await.expect_err("refused");
    assert_eq!(error, Error::RateLimited { retry_after_seconds: 60 });
    let codes: BTreeSet<_> = records(&world, &auditor, "password.change").await.into_iter().filter_map(|event| event.code).collect();
    assert_eq!(codes, ["rate_limited".to_owned(), "wrong_password".to_owned()].into());
}

#[tokio::test]
async fn no_record_holds_a_password() {
    let world = TestWorld::college().await;
    let li = world.person("li.hua").add().await;
    let auditor = world.auditor("shen").await;
    let secret = "plum-tree-in-the-yard";
    try_from(&world.services, "10.0.0.1", "li.hua", secret).await.expect_err("refused");
    change_password(&world.services, &li, RIGHT, secret).await.expect("changed");
    let everything =
        serde_json::to_string(&audit::search(&world.services, &auditor, &Filter::default(), &PageRequest::default()).await.expect("found"));
    let everything = everything.expect("JSON");
    assert!(everything.contains("password.change"), "{everything}");
    assert!(!everything.contains(secret) && !everything.contains(RIGHT) && !everything.contains("argon2"), "{everything}");
}

#[tokio::test]
async fn the_frame_knows_college_roles_and_cluster() {
    let world = TestWorld::college().await;
    let manager = world.manager("wang").await;
    assert!(manager.actor.can(Action::OrderDecide, &domain::access::Resource::tenant(world.tenant)).is_ok());
    let Viewer { login, roles, tenant_name, simulated_cluster, pending_approvals, .. } = viewer(&world.services, &manager).await.expect("a viewer");
    assert_eq!((login.as_str(), tenant_name.as_str()), ("wang", "School of Artificial Intelligence"));
    assert_eq!(roles, [Role::Manager].into());
    assert!(simulated_cluster);
    assert_eq!(pending_approvals, 0);
}
