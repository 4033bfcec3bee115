use std::{collections::BTreeSet, time::Duration};

use domain::{
    Error, Problem, Result,
    access::{Action, Role},
    audit::{Filter, Outcome},
    page::PageRequest,
    people::Viewer,
};
use storage::testing::for_each_engine;

use super::{
    actor, change_password, devices,
    limits::{self, Bucket},
    reset_password, sign_in, sign_out, viewer,
};
use crate::{Caller, Origin, Services, audit, testing::TestWorld};

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
async fn the_holder_of_a_session_is_the_person_as_they_are_now() {
    for_each_engine("the_holder_of_a_session_is_the_person_as_they_are_now", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let (vision, empty) = (world.department("Vision").await, world.department("Nothing yet").await);
        let course = world.course("CV2402").add().await;
        let mut write = services.db.begin_write().await.expect("a transaction");
        let place = storage::courses::Place { department: Some(vision), archived_at: None };
        storage::courses::set_place(&mut write, course.id, place).await.expect("moved");
        write.commit().await.expect("committed");
        let posts = [(vision, Role::Manager), (empty, Role::Auditor)];
        let person = world.person("li.hua").named("李华").role(Role::Teacher).teaches(&course);
        let li = posts.into_iter().fold(person, |person, (department, role)| person.role_at(department, role)).add().await;
        let user = li.actor.user;
        let version = sign_in(services, &TestWorld::origin(), "li.hua", RIGHT).await.expect("signed in").credentials_version;
        let save = async |id: &str| crate::sessions::save(services, id, Some(user), "{}", services.clock.now().plus_seconds(60)).await;
        save("one").await.expect("saved");
        let holder = async |id: &str, user, version| crate::sessions::holder(services, id, user, version).await.expect("read");
        assert_eq!(holder("one", user, version).await, Some(li.actor.clone()));
        let wang = world.person("wang").add().await.actor.user;
        for (id, user, version) in [("other", user, version), ("one", wang, version), ("one", user, version + 1)] {
            assert_eq!(holder(id, user, version).await, None, "{id} {version}");
        }
        // Past every cache: another process took the course away.
        let mut write = services.db.begin_write().await.expect("a transaction");
        storage::accounts::members::remove(&mut write, user, course.id).await.expect("removed");
        write.commit().await.expect("committed");
        assert_eq!(holder("one", user, version).await.expect("still there").courses, BTreeSet::new());
        world.clock.advance(60);
        assert_eq!(holder("one", user, version).await, None, "over");
        save("two").await.expect("saved");
        let mut write = services.db.begin_write().await.expect("a transaction");
        storage::accounts::users::set_disabled(&mut write, user, Some(services.clock.now())).await.expect("disabled");
        write.commit().await.expect("committed");
        let disabled = [holder("two", user, version).await, holder("two", user, version + 1).await];
        assert_eq!(disabled, [None, None]);
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

/// Result of a guess: `None` if it was checked and wrong, else the seconds to wait.
async fn guess(services: &Services, address: &str, login: &str) -> Option<u32> {
    match try_from(services, address, login, "wrong").await {
        Err(Error::SignInFailed) => None,
        Err(Error::RateLimited { retry_after_seconds }) => Some(retry_after_seconds),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn guesses_wait_longer_and_longer_on_every_replica() {
    for_each_engine("guesses_wait_longer_and_longer_on_every_replica", async |database| {
        let world = TestWorld::college_on(database).await;
        world.person("li.hua").add().await;
        let other = world.replica();
        for index in 0..5 {
            let services = if index % 2 == 0 { &world.services } else { &other };
            assert_eq!(guess(services, "10.0.0.1", "li.hua").await, None, "try {index}");
        }
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(guess(&world.services, "10.0.0.1", "li.hua").await, Some(pause));
            assert_eq!(guess(&other, "10.0.0.1", "LI.HUA").await, Some(pause), "however it is typed, and a refusal counts for nothing");
            world.clock.advance(i64::from(pause));
            assert_eq!(guess(&other, "10.0.0.1", "li.hua").await, None, "after {pause} s");
        }
        assert_eq!(try_from(&world.services, "10.0.0.1", "li.hua", RIGHT).await, Err(Error::RateLimited { retry_after_seconds: 60 }));
        world.clock.advance(60);
        assert_eq!(try_from(&world.services, "10.0.0.1", "li.hua", RIGHT).await, Ok(()));
        assert_eq!(guess(&world.services, "10.0.0.1", "li.hua").await, None, "whoever knows the password begins anew");
    })
    .await;
}

#[tokio::test]
async fn ten_wrong_tries_a_minute_lock_neither_an_account_nor_an_address() {
    for_each_engine("ten_wrong_tries_a_minute_lock_neither_an_account_nor_an_address", async |database| {
        let world = TestWorld::college_on(database).await;
        world.person("li.hua").add().await;
        world.person("wang").add().await;
        // A college behind one proxy. For a quarter of an hour an attacker there guesses: first at one account, then at all of them.
        let college = "10.0.0.1";
        for index in 0..150 {
            guess(&world.services, college, "li.hua").await;
            world.clock.advance(6);
            if index % 30 == 29 {
                assert_eq!(try_from(&world.services, "10.7.7.7", "li.hua", RIGHT).await, Ok(()), "the owner elsewhere, after {index}");
                assert_eq!(try_from(&world.services, college, "wang", RIGHT).await, Ok(()), "another account there, after {index}");
            }
        }
        for index in 0..150 {
            assert_eq!(guess(&world.services, college, &format!("guess{index}")).await, None, "try {index}");
            world.clock.advance(6);
        }
        assert_eq!(try_from(&world.services, college, "wang", RIGHT).await, Ok(()));
    })
    .await;
}

#[tokio::test]
async fn a_college_behind_one_proxy_is_slowed_by_a_guesser_in_it_and_not_refused() {
    for_each_engine("a_college_behind_one_proxy_is_slowed_by_a_guesser_in_it_and_not_refused", async |database| {
        let world = TestWorld::college_on(database).await;
        let proxy = "10.0.0.1";
        for index in 0..40 {
            world.person(&format!("student{index}")).add().await;
        }
        // Failures at many accounts: more than the address has free.
        let services = &world.services;
        let mut write = services.db.begin_write().await.expect("a transaction");
        for _ in 0..5 {
            let buckets = [Bucket::Pair { login: "guess", address: proxy }, Bucket::Address(proxy)];
            limits::count(&mut write, &buckets, services.clock.now()).await.expect("counted");
        }
        for _ in 0..305 {
            limits::count(&mut write, &[Bucket::Address(proxy)], services.clock.now()).await.expect("counted");
        }
        write.commit().await.expect("committed");
        let all = (0..40).map(|index| async move { try_from(services, proxy, &format!("student{index}"), RIGHT).await });
        let answers = futures::future::join_all(all).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert_eq!(world.clock.slept(), [Duration::from_secs(5); 40]);
        // The pair of account and address is refused, as ever.
        assert_eq!(guess(services, proxy, "guess").await, Some(1));
    })
    .await;
}

#[tokio::test]
async fn a_network_of_ipv6_is_one_address() {
    let world = TestWorld::college().await;
    for index in 1..=5 {
        assert_eq!(guess(&world.services, &format!("2001:db8:1:2::{index}"), "li.hua").await, None, "try {index}");
    }
    assert_eq!(guess(&world.services, "2001:db8:1:2:aaaa::6", "li.hua").await, Some(1));
    assert_eq!(guess(&world.services, "2001:db8:1:3::1", "li.hua").await, None, "another network");
    for index in 1..=5 {
        let address = if index % 2 == 0 { "10.0.0.1" } else { "::ffff:10.0.0.1" };
        assert_eq!(guess(&world.services, address, "li.hua").await, None, "try {index}");
    }
    assert_eq!(guess(&world.services, "10.0.0.1", "li.hua").await, Some(1));
}

#[tokio::test]
async fn who_is_known_by_their_browser_is_kept_out_by_nobody() {
    for_each_engine("who_is_known_by_their_browser_is_kept_out_by_nobody", async |database| {
        let world = TestWorld::college_on(database).await;
        world.person("li.hua").add().await;
        let first = sign_in(&world.services, &TestWorld::origin_at("10.0.0.1"), "li.hua", RIGHT).await.expect("signed in");
        let cookie = first.device.expect("a new browser is told its secret").cookie(false);
        let secret = cookie.split(['=', ';']).nth(1).expect("a value");
        let at_home = Origin { device: devices::digest(secret), ..TestWorld::origin_at("10.0.0.1") };
        assert!(at_home.device.is_some());
        // Guesses from many addresses, one of them the owner's, more than any limit allows.
        for index in 0..120 {
            guess(&world.services, &format!("10.0.{}.1", index % 60), "li.hua").await;
        }
        assert_eq!(try_from(&world.services, "10.9.9.9", "li.hua", RIGHT).await, Ok(()), "in another browser it takes a moment");
        assert_eq!(world.clock.slept().last(), Some(&Duration::from_secs(5)));
        let pauses = world.clock.slept().len();
        let again = sign_in(&world.services, &at_home, "li.hua", RIGHT).await.expect("signed in");
        assert_eq!(again.device, None, "it is known already");
        assert_eq!(world.clock.slept().len(), pauses, "at once");

        // The cookie does not bypass the limit: its own tries are counted, and for another account it has no effect.
        world.person("wang").add().await;
        for index in 0..10 {
            let wrong = sign_in(&world.services, &at_home, "li.hua", "wrong").await.map(drop);
            assert_eq!(wrong, Err(Error::SignInFailed), "try {index}");
        }
        assert_eq!(sign_in(&world.services, &at_home, "li.hua", "wrong").await.map(drop), Err(Error::RateLimited { retry_after_seconds: 1 }));
        for index in 0..5 {
            assert_eq!(sign_in(&world.services, &at_home, "wang", "wrong").await.map(drop), Err(Error::SignInFailed), "try {index}");
        }
        assert_eq!(sign_in(&world.services, &at_home, "wang", RIGHT).await.map(drop), Err(Error::RateLimited { retry_after_seconds: 1 }));

        // After a reset no browser is known.
        reset_password(&world.services, &Origin::cli(), "li.hua").await.expect("reset");
        let after = sign_in(&world.services, &at_home, "li.hua", RIGHT).await.map(drop);
        assert_eq!(after, Err(Error::SignInFailed), "it is counted with the strangers, and not with the ten tries of the browser");
        assert_eq!(world.clock.slept().len(), pauses + 1, "and slowed like them");
    })
    .await;
}

#[tokio::test]
async fn of_three_hundred_guesses_at_once_few_are_looked_at_and_somebody_known_passes() {
    for_each_engine("of_three_hundred_guesses_at_once_few_are_looked_at_and_somebody_known_passes", async |database| {
        let world = TestWorld::college_on(database).await;
        world.person("li.hua").add().await;
        let services = &world.services;
        let device = sign_in(services, &TestWorld::origin(), "li.hua", RIGHT).await.expect("signed in").device.expect("a secret").cookie(false);
        let known = Origin { device: devices::digest(device.split(['=', ';']).nth(1).expect("a value")), ..TestWorld::origin() };
        // A try keeps its place for hashing until its failure is counted; the next in the queue checks the limit again.
        let places = services.hashing.places();
        let guesses = futures::future::join_all((0..300).map(|_| try_from(services, "10.0.0.1", "li.hua", "wrong")));
        let (answers, owner) = tokio::join!(guesses, sign_in(services, &known, "li.hua", RIGHT));
        owner.expect("the owner");
        let looked_at = answers.iter().filter(|answer| **answer == Err(Error::SignInFailed)).count();
        assert!((5..5 + places).contains(&looked_at), "{looked_at} of 300 with {places} places");
        assert!(answers.iter().all(|answer| matches!(answer, Err(Error::SignInFailed | Error::RateLimited { .. }))));
    })
    .await;
}

#[tokio::test]
async fn a_right_password_from_elsewhere_does_not_wait_for_two_hundred_guesses() {
    let world = TestWorld::college().await;
    world.person("li.hua").add().await;
    let services = &world.services;
    // All from one network.
    let guesses = futures::future::join_all(
        (0..200).map(|index| async move { try_from(services, &format!("2001:db8:1:2::{index}"), &format!("guess{index}"), "wrong").await }),
    );
    tokio::select! {
        biased;
        _ = guesses => panic!("all guesses had their turn first"),
        answer = try_from(services, "10.0.0.9", "li.hua", RIGHT) => assert_eq!(answer, Ok(())),
    }
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
        assert_eq!((later[0].who.label(), later[0].count, later[0].code.as_deref()), ("guess24", 24, Some("sign_in_failed")));
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
    assert_eq!(error, Error::RateLimited { retry_after_seconds: 1 });
    assert_eq!(try_from(&world.services, "10.0.0.1", "li.hua", RIGHT).await, Ok(()), "signing in is another matter");
    let codes: BTreeSet<_> = records(&world, &auditor, "password.change").await.into_iter().filter_map(|event| event.code).collect();
    assert_eq!(codes, ["rate_limited".to_owned(), "wrong_password".to_owned()].into());
}

#[tokio::test]
async fn of_many_changes_at_once_the_right_one_is_refused_once_the_others_have_failed() {
    let world = TestWorld::college().await;
    let li = world.person("li.hua").add().await;
    let services = &world.services;
    let failed = tokio::sync::Notify::new();
    let wrong = futures::future::join_all((0..79).map(|_| async {
        let answer = change_password(services, &li, "wrong", "a new and longer one").await;
        failed.notify_one();
        answer
    }));
    // Behind all others in the queue, and the limit did not refuse it when it came.
    let right = async {
        failed.notified().await;
        change_password(services, &li, RIGHT, "a new and longer one").await
    };
    let (wrong, right) = tokio::join!(wrong, right);
    assert!(matches!(right, Err(Error::RateLimited { .. })), "{right:?}");
    let looked_at = wrong.iter().filter(|answer| **answer == Err(Error::field("current", Problem::WrongPassword))).count();
    assert_eq!(looked_at, 10, "{wrong:?}");
    assert_eq!(try_from(services, "10.0.0.1", "li.hua", RIGHT).await, Ok(()), "the old one stays");
}

#[tokio::test]
async fn a_password_that_is_guessed_first_is_not_taken() {
    let world = TestWorld::college().await;
    let li = world.person("li.hua").add().await;
    for common in ["1234567890", "password123", "li.hua.li.hua", "aaaaaaaaaa"] {
        let refused = change_password(&world.services, &li, RIGHT, common).await.expect_err(common);
        assert_eq!(refused, Error::field("new", Problem::CommonPassword), "{common}");
    }
    assert_eq!(try_from(&world.services, "10.0.0.1", "li.hua", RIGHT).await, Ok(()), "the old one stays");
}

#[tokio::test]
async fn a_login_in_wide_characters_is_the_same_account() {
    for_each_engine("a_login_in_wide_characters_is_the_same_account", async |database| {
        let world = TestWorld::college_on(database).await;
        let known = world.person("202401").add().await;
        let signed_in = sign_in(&world.services, &TestWorld::origin(), "２０２４０１", RIGHT).await.expect("signed in");
        assert_eq!(signed_in.actor.user, known.actor.user);
        let root = world.administrator("root").await;
        let wide = domain::people::Invitation { login: "２０２４０１".into(), name: "Second".into() };
        let taken = crate::people::links::invite(&world.services, &root, &wide, &crate::people::links::Access::default()).await.map(drop);
        assert_eq!(taken, Err(Error::field("login", Problem::Taken)));
        for _ in 0..5 {
            guess(&world.services, "10.0.0.1", "２０２４０１").await;
        }
        assert_eq!(guess(&world.services, "10.0.0.1", "202401").await, Some(1), "counted together");
    })
    .await;
}

/// Accounts that were stored before the rule for logins.
#[tokio::test]
async fn an_account_with_an_odd_login_still_signs_in() {
    for_each_engine("an_account_with_an_odd_login_still_signs_in", async |database| {
        let world = TestWorld::college_on(database).await;
        for odd in ["２０２４０９", "li\u{3164}hua", "ﬁona", "e\u{301}va", "teaсher"] {
            let person = world.person(odd).add().await;
            let signed_in = sign_in(&world.services, &TestWorld::origin(), odd, RIGHT).await.unwrap_or_else(|error| panic!("{odd}: {error}"));
            assert_eq!(signed_in.actor.user, person.actor.user, "{odd}");
        }
        // Both accounts were made before the rule: each is found by its login as typed.
        let (wide, plain) = (world.person("１２３４").add().await, world.person("1234").add().await);
        for (typed, person) in [("１２３４", wide), ("1234", plain)] {
            let signed_in = sign_in(&world.services, &TestWorld::origin(), typed, RIGHT).await.expect("signed in");
            assert_eq!(signed_in.actor.user, person.actor.user, "{typed}");
        }
    })
    .await;
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
