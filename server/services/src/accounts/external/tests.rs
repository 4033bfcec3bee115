use domain::{
    Error, Result,
    access::Role,
    audit::{Filter, Outcome},
    catalogue::Localized,
    page::PageRequest,
    people::PersonState,
};
use storage::testing::{TestDatabase, for_each_engine};

use super::{Presented, joined, remove, sign_in};
use crate::{
    Caller, IdentityProvider, Settings,
    accounts::{SignedIn, change_password},
    audit, people,
    testing::TestWorld,
};

fn provider() -> IdentityProvider {
    let name = Localized { zh: "统一身份认证".into(), en: "Campus sign-in".into() };
    IdentityProvider { issuer: "https://id.example.edu".into(), name, link_accounts: true, create_accounts: false }
}

/// A college that people sign in to through this provider.
async fn college(database: TestDatabase, provider: IdentityProvider) -> TestWorld {
    TestWorld::college_with(database, Settings { identity_provider: Some(provider), ..Settings::default() }).await
}

fn says(subject: &str, login: &str) -> Presented {
    Presented { subject: subject.into(), login: Some(login.into()), name: Some("李华".into()) }
}

async fn enters(world: &TestWorld, subject: &str, login: &str) -> Result<SignedIn> {
    sign_in(&world.services, &TestWorld::origin(), &says(subject, login)).await
}

/// Action, outcome and code of what was recorded, oldest first.
async fn records(world: &TestWorld, auditor: &Caller) -> Vec<(String, Outcome, Option<String>)> {
    audit::refusals::flush(&world.services).await.expect("written");
    let page = audit::search(&world.services, auditor, &Filter::default(), &PageRequest::default()).await.expect("found");
    let kept = page.items.into_iter().rev().map(|listed| (listed.event.action, listed.event.outcome, listed.event.code));
    kept.filter(|(action, ..)| action != "audit.read").collect()
}

fn no_account<T>(login: &str) -> Result<T> {
    Err(Error::NoAccount { login: login.into() })
}

fn privileged<T>(login: &str) -> Result<T> {
    Err(Error::PrivilegedAccount { login: login.into() })
}

#[tokio::test]
async fn the_first_sign_in_joins_the_account_and_later_ones_find_it() {
    for_each_engine("the_first_sign_in_joins_the_account_and_later_ones_find_it", async |database| {
        let world = college(database, provider()).await;
        let auditor = world.auditor("shen").await;
        let li = world.person("li.hua").named("Li").role(Role::Teacher).add().await;
        assert_eq!(joined(&world.services, &li).await, Ok(None));
        let first = enters(&world, "s-1", " Li.Hua ").await.expect("signed in");
        assert_eq!(first.actor, li.actor, "with the name and the roles that the account has here");
        world.clock.advance(60);
        let again = enters(&world, "s-1", "renamed").await.expect("signed in");
        assert_eq!(again.actor.user, li.actor.user, "the subject counts, not what else the provider says");

        let identity = joined(&world.services, &li).await.expect("read").expect("joined");
        assert_eq!((identity.provider.en.as_str(), identity.has_password), ("Campus sign-in", true));
        assert_eq!(identity.last_used_at.seconds_since(identity.since), 60);
        let recorded: Vec<_> = records(&world, &auditor).await.into_iter().map(|(action, ..)| action).collect();
        assert_eq!(recorded, ["identity.link", "session.sign_in", "session.sign_in"]);
    })
    .await;
}

#[tokio::test]
async fn an_account_is_joined_to_one_person_of_the_provider() {
    for_each_engine("an_account_is_joined_to_one_person_of_the_provider", async |database| {
        let world = college(database, provider()).await;
        let auditor = world.auditor("shen").await;
        world.person("li.hua").add().await;
        enters(&world, "s-1", "li.hua").await.expect("signed in");
        assert_eq!(enters(&world, "s-2", "li.hua").await.map(drop), no_account("li.hua"), "who got the login later is somebody else");
        assert_eq!(enters(&world, "s-3", "nobody").await.map(drop), no_account("nobody"));
        assert_eq!(enters(&world, "s-4", "a\u{7}?").await.map(drop), no_account("a?"));
        let refused: Vec<_> = records(&world, &auditor).await.into_iter().filter(|(_, outcome, _)| *outcome == Outcome::Refused).collect();
        assert_eq!(refused, [("session.sign_in".to_owned(), Outcome::Refused, Some("no_account".to_owned()))], "the first of the minute");
    })
    .await;
}

#[tokio::test]
async fn a_login_of_two_alphabets_joins_its_account_and_makes_none() {
    for_each_engine("a_login_of_two_alphabets_joins_its_account_and_makes_none", async |database| {
        let world = college(database, IdentityProvider { create_accounts: true, ..provider() }).await;
        // Made before the rule for logins.
        let teacher = world.person("teaсher").role(Role::Teacher).add().await;
        assert_eq!(enters(&world, "s-1", "teaсher").await.expect("signed in").actor.user, teacher.actor.user);
        assert_eq!(enters(&world, "s-2", "аdmin").await.map(drop), no_account("аdmin"));
    })
    .await;
}

#[tokio::test]
async fn nobody_becomes_somebody_privileged_by_what_they_are_called_at_the_provider() {
    for_each_engine("nobody_becomes_somebody_privileged_by_what_they_are_called_at_the_provider", async |database| {
        let world = college(database, IdentityProvider { create_accounts: true, ..provider() }).await;
        let department = world.department("软件技术系").await;
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Teacher) {
            let login = role.as_str();
            world.person(login).role(role).add().await;
            assert_eq!(enters(&world, &format!("s-{login}"), login).await.map(drop), privileged(login), "with the step that helps");
            let leads = format!("leads.{login}");
            world.person(&leads).role(Role::Teacher).role_at(department, role).add().await;
            assert_eq!(enters(&world, &format!("d-{login}"), &leads).await.map(drop), privileged(&leads), "at a department");
        }
        // An account that was joined before stays joined, even if it gets another role later.
        let li = world.person("li.hua").role(Role::Teacher).add().await;
        let root = world.administrator("root").await;
        enters(&world, "s-1", "li.hua").await.expect("joined as a teacher");
        let roles = [Role::Teacher, Role::Manager].into();
        people::set_access(&world.services, &root, li.actor.user, roles, [].into()).await.expect("a manager now");
        assert_eq!(enters(&world, "s-1", "li.hua").await.expect("signed in").actor.user, li.actor.user);
        assert_eq!(enters(&world, "s-2", "li.hua").await.map(drop), no_account("li.hua"), "joined to somebody else");
    })
    .await;
}

#[tokio::test]
async fn two_first_sign_ins_at_once_join_once() {
    for_each_engine("two_first_sign_ins_at_once_join_once", async |database| {
        let world = college(database, IdentityProvider { create_accounts: true, ..provider() }).await;
        let all = futures::future::join_all((0..6).map(|_| enters(&world, "s-1", "li.hua"))).await;
        let users: std::collections::BTreeSet<_> = all.into_iter().map(|signed_in| signed_in.expect("signed in").actor.user).collect();
        assert_eq!(users.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn accounts_are_joined_and_made_only_where_the_settings_say_so() {
    for_each_engine("accounts_are_joined_and_made_only_where_the_settings_say_so", async |database| {
        let world = college(database, IdentityProvider { link_accounts: false, create_accounts: true, ..provider() }).await;
        let (root, auditor) = (world.administrator("root").await, world.auditor("shen").await);
        assert_eq!(enters(&world, "s-1", "root").await.map(drop), no_account("root"));
        let made = enters(&world, "s-2", "Li.Hua").await.expect("signed in").actor;
        assert_eq!((made.login.as_str(), made.name.as_str(), made.roles.len(), made.tenant), ("li.hua", "李华", 0, world.tenant));
        let detail = people::get(&world.services, &root, made.user).await.expect("read");
        assert_eq!((detail.person.state, detail.provider), (PersonState::Active, Some(provider().name)));

        let recorded: Vec<_> = records(&world, &auditor).await.into_iter().map(|(action, ..)| action).collect();
        assert!(recorded.ends_with(&["account.create".into(), "identity.link".into(), "session.sign_in".into()]), "{recorded:?}");
        world.other_tenant("law").await;
        assert_eq!(enters(&world, "s-3", "wang").await.map(drop), no_account("wang"), "in which of two colleges?");
    })
    .await;
}

#[tokio::test]
async fn somebody_disabled_stays_out() {
    for_each_engine("somebody_disabled_stays_out", async |database| {
        let world = college(database, provider()).await;
        let root = world.administrator("root").await;
        let (li, wang) = (world.person("li.hua").add().await, world.person("wang").add().await);
        enters(&world, "s-1", "li.hua").await.expect("signed in");
        for person in [&li, &wang] {
            people::disable(&world.services, &root, person.actor.user).await.expect("disabled");
        }
        assert_eq!(enters(&world, "s-1", "li.hua").await.map(drop), Err(Error::AccountDisabled));
        assert_eq!(enters(&world, "s-2", "wang").await.map(drop), Err(Error::AccountDisabled));
        people::enable(&world.services, &root, wang.actor.user).await.expect("enabled");
        assert_eq!(joined(&world.services, &wang).await, Ok(None), "a refusal joins nothing");
    })
    .await;
}

#[tokio::test]
async fn only_who_has_a_password_parts_from_the_provider() {
    for_each_engine("only_who_has_a_password_parts_from_the_provider", async |database| {
        let world = college(database, IdentityProvider { create_accounts: true, ..provider() }).await;
        let auditor = world.auditor("shen").await;
        let li = world.person("li.hua").add().await;
        enters(&world, "s-1", "li.hua").await.expect("signed in");
        remove(&world.services, &li).await.expect("parted");
        remove(&world.services, &li).await.expect("nothing to part");
        assert_eq!(joined(&world.services, &li).await, Ok(None));
        let removed = records(&world, &auditor).await.into_iter().filter(|(action, ..)| action == "identity.remove").count();
        assert_eq!(removed, 1);

        let actor = enters(&world, "s-2", "new").await.expect("signed in").actor;
        let new = Caller { actor, origin: TestWorld::origin() };
        assert_eq!(remove(&world.services, &new).await, Err(Error::Forbidden));
        assert!(!joined(&world.services, &new).await.expect("read").expect("joined").has_password);
        change_password(&world.services, &new, "", "a long enough one").await.expect_err("there is no current one");
    })
    .await;
}

#[tokio::test]
async fn without_a_provider_there_is_no_such_way_in() {
    let world = TestWorld::college().await;
    let li = world.person("li.hua").add().await;
    assert_eq!(enters(&world, "s-1", "li.hua").await.map(drop), Err(Error::NotFound));
    assert_eq!(joined(&world.services, &li).await, Ok(None));
}
