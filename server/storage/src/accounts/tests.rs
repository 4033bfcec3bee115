use std::collections::BTreeSet;

use domain::{
    access::Role,
    courses::{Course, Department, DepartmentKind, Tenant},
    ids::{CourseId, TenantId, UserId},
    money::{Currency, Money},
    people::{PersonState, Post},
    quotas::QuotaSettings,
    time::Timestamp,
};
use uuid::Uuid;

use super::{attempts, devices, identities, members, roles, users};
use crate::{Write, courses, departments, testing::for_each_engine};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn tenant() -> Tenant {
    Tenant { id: TenantId::from_uuid(Uuid::from_u128(1)), slug: "ai".into(), name: "School of AI".into() }
}

fn user(number: u128, login: &str) -> users::User {
    users::User {
        password_hash: "$argon2id$".into(),
        ..users::User::new(UserId::from_uuid(Uuid::from_u128(number)), tenant().id, login.into(), "李华".into(), NOW)
    }
}

fn course(number: u128, code: &str) -> Course {
    Course {
        id: CourseId::from_uuid(Uuid::from_u128(number)),
        tenant: tenant().id,
        code: code.into(),
        name: "计算机视觉".into(),
        namespace: format!("lectern-{code}"),
        settings: QuotaSettings::reference(Money::units(7, Currency::Cny)),
    }
}

fn all() -> users::Query {
    users::Query { tenant: tenant().id, teaching: None, text: None, role: None, state: None, after: None, limit: 50 }
}

async fn add(write: &mut Write, users: &[users::User], courses: &[Course]) {
    courses::insert_tenant(write, &tenant(), NOW).await.expect("a tenant");
    for user in users {
        users::insert(write, user).await.expect("a person");
    }
    for course in courses {
        courses::insert(write, course, NOW).await.expect("a course");
    }
}

#[tokio::test]
async fn an_account_comes_back_as_it_was_put_in() {
    for_each_engine("an_account_comes_back_as_it_was_put_in", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        assert!(!users::any(&mut write).await.expect("read"));
        let (li, wang) = (user(1, "li.hua"), user(2, "wang"));
        add(&mut write, &[wang.clone(), li.clone()], &[]).await;
        write.commit().await.expect("committed");

        let mut read = test.database.read().await.expect("a connection");
        assert!(users::any(&mut read).await.expect("read"));
        assert_eq!(users::by_id(&mut read, li.id).await.expect("read"), Some(li.clone()));
        assert_eq!(users::by_login(&mut read, "li.hua").await.expect("read"), Some(li.clone()));
        assert_eq!(users::by_login(&mut read, "nobody").await.expect("read"), None);
        assert_eq!(users::search(&mut read, &all()).await.expect("read"), [li, wang]);
        let elsewhere = users::Query { tenant: TenantId::from_uuid(Uuid::from_u128(9)), ..all() };
        assert_eq!(users::search(&mut read, &elsewhere).await.expect("read"), []);
    })
    .await;
}

#[tokio::test]
async fn a_login_is_there_once() {
    for_each_engine("a_login_is_there_once", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        add(&mut write, &[user(1, "li.hua")], &[]).await;
        let error = users::insert(&mut write, &user(2, "li.hua")).await.expect_err("refused");
        assert!(error.is_not_unique("users", "login"), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_new_password_and_disabling_raise_the_credentials_version() {
    for_each_engine("a_new_password_and_disabling_raise_the_credentials_version", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let li = user(1, "li.hua");
        add(&mut write, &[li.clone(), user(2, "wang")], &[]).await;
        assert_eq!(users::set_password(&mut write, li.id, "new").await.expect("set"), 2);
        users::set_disabled(&mut write, li.id, Some(NOW)).await.expect("set");
        let now = users::by_id(&mut write, li.id).await.expect("read").expect("there");
        assert_eq!((now.credentials_version, now.disabled_at, now.password_hash.as_str()), (3, Some(NOW), "new"));
        users::set_disabled(&mut write, li.id, None).await.expect("set");
        users::set_signed_in(&mut write, li.id, NOW).await.expect("set");
        let now = users::by_id(&mut write, li.id).await.expect("read").expect("there");
        assert_eq!((now.credentials_version, now.disabled_at, now.last_sign_in_at), (4, None, Some(NOW)));
        let other = users::by_login(&mut write, "wang").await.expect("read").expect("there");
        assert_eq!(other, user(2, "wang"), "nobody else changed");
        users::set_password(&mut write, UserId::from_uuid(Uuid::from_u128(9)), "x").await.expect_err("nobody");
    })
    .await;
}

#[tokio::test]
async fn roles_and_courses_are_replaced_as_a_whole() {
    for_each_engine("roles_and_courses_are_replaced_as_a_whole", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let (li, b, a) = (user(1, "li.hua"), course(1, "b2"), course(2, "a1"));
        add(&mut write, std::slice::from_ref(&li), &[b.clone(), a.clone()]).await;
        for expected in [BTreeSet::from([Role::Teacher, Role::Manager]), [Role::Auditor].into(), BTreeSet::new()] {
            roles::set(&mut write, li.id, &expected).await.expect("set");
            assert_eq!(roles::of_user(&mut write, li.id).await.expect("read"), expected);
            let all = roles::of_people(&mut write, &[li.id].into()).await.expect("read");
            assert_eq!(all.get(&li.id).cloned().unwrap_or_default(), (expected.clone(), Vec::new()));
            for role in Role::ALL {
                let holders = roles::holders(&mut write, tenant().id, role).await.expect("read");
                assert_eq!(holders.contains(&li.id), expected.contains(&role));
            }
        }
        for expected in [BTreeSet::from([a.id, b.id]), [b.id].into(), BTreeSet::new()] {
            members::set(&mut write, li.id, &expected).await.expect("set");
            assert_eq!(members::of_user(&mut write, li.id).await.expect("read"), expected);
            let refs = members::refs_of_user(&mut write, li.id).await.expect("read");
            assert_eq!(members::of_people(&mut write, &[li.id].into()).await.expect("read").get(&li.id).cloned().unwrap_or_default(), refs);
            assert_eq!(refs.iter().map(|course| course.id).collect::<BTreeSet<_>>(), expected);
            assert!(refs.is_sorted_by(|a, b| a.code < b.code));
        }
    })
    .await;
}

#[tokio::test]
async fn people_are_found_by_text_role_state_and_course() {
    for_each_engine("people_are_found_by_text_role_state_and_course", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let (li, b) = (user(1, "li.hua"), course(1, "b2"));
        let mut invited = user(2, "a_b");
        (invited.password_hash, invited.name) = (String::new(), "Zhao".into());
        let gone = user(3, "gone");
        add(&mut write, &[li.clone(), invited.clone(), gone.clone()], std::slice::from_ref(&b)).await;
        users::set_disabled(&mut write, gone.id, Some(NOW)).await.expect("set");
        roles::set(&mut write, li.id, &[Role::Teacher].into()).await.expect("set");
        assert!(members::add(&mut write, li.id, b.id).await.expect("added"));
        assert!(!members::add(&mut write, li.id, b.id).await.expect("there already"));
        assert_eq!(members::of_course(&mut write, b.id).await.expect("read").iter().map(|who| who.id).collect::<Vec<_>>(), [li.id]);
        let found = async |write: &mut Write, query: users::Query| {
            users::search(write, &query).await.expect("read").into_iter().map(|user| user.login).collect::<Vec<_>>()
        };
        let text = |text: &str| users::Query { text: Some(text.into()), ..all() };
        assert_eq!(found(&mut write, text("ZHA")).await, ["a_b"]);
        assert_eq!(found(&mut write, text("a_")).await, ["a_b"], "an underscore is itself");
        assert_eq!(found(&mut write, text("李")).await, ["gone", "li.hua"]);
        assert_eq!(found(&mut write, users::Query { role: Some(Role::Teacher), ..all() }).await, ["li.hua"]);
        for (state, login) in [(PersonState::Active, "li.hua"), (PersonState::Invited, "a_b"), (PersonState::Disabled, "gone")] {
            assert_eq!(found(&mut write, users::Query { state: Some(state), ..all() }).await, [login]);
        }
        assert_eq!(found(&mut write, users::Query { teaching: Some([b.id].into()), ..all() }).await, ["li.hua"]);
        assert_eq!(found(&mut write, users::Query { teaching: Some(BTreeSet::new()), ..all() }).await, Vec::<String>::new());
        assert_eq!(found(&mut write, users::Query { after: Some("a_b".into()), limit: 1, ..all() }).await, ["gone"]);
        let logins = ["a_b", "axb", "li.hua"].map(String::from).into();
        let some = users::by_logins(&mut write, &logins).await.expect("read");
        assert_eq!(some.iter().map(|user| user.login.as_str()).collect::<Vec<_>>(), ["a_b", "li.hua"]);
        users::set_name(&mut write, li.id, "新名").await.expect("set");
        assert_eq!(users::by_id(&mut write, li.id).await.expect("read").expect("there").name, "新名");
        assert!(members::remove(&mut write, li.id, b.id).await.expect("removed"));
        assert!(!members::remove(&mut write, li.id, b.id).await.expect("gone already"));
    })
    .await;
}

#[tokio::test]
async fn a_role_at_a_department_covers_its_courses() {
    for_each_engine("a_role_at_a_department_covers_its_courses", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let (li, root, a, b) = (user(1, "li.hua"), user(2, "root"), course(1, "a1"), course(2, "b2"));
        add(&mut write, &[li.clone(), root.clone()], &[a.clone(), b.clone()]).await;
        let department =
            Department { id: TenantId::from_uuid(Uuid::from_u128(7)), tenant: tenant().id, kind: DepartmentKind::Department, name: "软件".into() };
        departments::insert(&mut write, &department, NOW).await.expect("a department");
        roles::set_at(&mut write, li.id, department.id, &[Role::Manager].into()).await.expect("set");
        roles::set(&mut write, root.id, &[Role::Administrator, Role::Manager].into()).await.expect("set");
        let found = roles::at_departments(&mut write, li.id).await.expect("read");
        assert_eq!(found.roles, [(Role::Manager, BTreeSet::new())].into(), "a department without courses still gives the role");
        courses::set_place(&mut write, a.id, courses::Place { department: Some(department.id), archived_at: None }).await.expect("moved");
        let found = roles::at_departments(&mut write, li.id).await.expect("read");
        assert_eq!((found.roles, found.departments), ([(Role::Manager, [a.id].into())].into(), [department.id].into()));
        assert_eq!(roles::of_user(&mut write, li.id).await.expect("read"), BTreeSet::new(), "nothing at the college");
        let people = roles::of_people(&mut write, &[li.id, root.id].into()).await.expect("read");
        assert_eq!(people[&li.id].1, [Post { department: department.brief(), roles: [Role::Manager].into() }]);
        assert_eq!(people[&root.id].0, [Role::Administrator, Role::Manager].into());
        assert_eq!(roles::holders(&mut write, tenant().id, Role::Manager).await.expect("read"), [root.id].into());
        assert_eq!(roles::holders_anywhere(&mut write, tenant().id, Role::Manager).await.expect("read"), [li.id, root.id].into());
        assert_eq!(roles::holders_anywhere(&mut write, tenant().id, Role::Auditor).await.expect("read"), BTreeSet::new());
        assert_eq!(roles::holders_for_course(&mut write, a.id, Role::Manager).await.expect("read"), [li.id, root.id].into());
        assert_eq!(roles::holders_for_course(&mut write, b.id, Role::Manager).await.expect("read"), [root.id].into());
        members::add(&mut write, root.id, a.id).await.expect("added");
        assert_eq!(roles::at_departments(&mut write, root.id).await.expect("read").departments, [department.id].into(), "one teaches there");
        assert_eq!(users::other_administrators(&mut write, tenant().id, li.id).await.expect("read"), 1);
        assert_eq!(users::other_administrators(&mut write, tenant().id, root.id).await.expect("read"), 0);
    })
    .await;
}

#[tokio::test]
async fn an_identity_belongs_to_one_account_and_an_account_has_one_at_a_provider() {
    for_each_engine("an_identity_belongs_to_one_account_and_an_account_has_one_at_a_provider", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let (mut li, wang) = (user(1, "li.hua"), user(2, "wang"));
        li.password_hash = String::new();
        add(&mut write, &[li.clone(), wang.clone()], &[]).await;
        let identity = |subject: &str, user: &users::User| identities::Identity {
            issuer: "https://id".into(),
            subject: subject.into(),
            user: user.id,
            created_at: NOW,
            last_used_at: NOW,
        };
        identities::insert(&mut write, &identity("s", &li)).await.expect("joined");
        write.commit().await.expect("committed");
        for again in [identity("s", &wang), identity("t", &li)] {
            let mut write = test.database.begin_write().await.expect("a transaction");
            let error = identities::insert(&mut write, &again).await.expect_err("refused");
            assert!(matches!(error, crate::Error::NotUnique { .. }), "{error:?}");
        }

        let mut write = test.database.begin_write().await.expect("a transaction");
        identities::set_used(&mut write, "https://id", "s", NOW.plus_seconds(5)).await.expect("set");
        let used = identities::Identity { last_used_at: NOW.plus_seconds(5), ..identity("s", &li) };
        assert_eq!(identities::by_subject(&mut write, "https://id", "s").await.expect("read"), Some(used.clone()));
        assert_eq!(identities::by_subject(&mut write, "https://other", "s").await.expect("read"), None);
        assert_eq!(identities::of_user(&mut write, li.id, "https://id").await.expect("read"), Some(used));
        let found = users::by_id(&mut write, li.id).await.expect("read").expect("there");
        assert_eq!(found.issuer.as_deref(), Some("https://id"));
        let invited = users::Query { state: Some(PersonState::Invited), ..all() };
        assert_eq!(users::search(&mut write, &invited).await.expect("read"), [], "who signs in through a provider waits for no link");
        assert!(identities::remove(&mut write, li.id, "https://id").await.expect("removed"));
        assert!(!identities::remove(&mut write, li.id, "https://id").await.expect("gone already"));
        assert_eq!(users::by_id(&mut write, li.id).await.expect("read"), Some(li.clone()));
        assert_eq!(users::search(&mut write, &invited).await.expect("read"), [li]);
    })
    .await;
}

#[tokio::test]
async fn tries_are_summed_over_the_window() {
    for_each_engine("tries_are_summed_over_the_window", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let buckets: Vec<String> = ["account:li", "address:10.0.0.1", "pair:x", "device:x", "account:wang"].map(str::to_owned).to_vec();
        let recent = async |write: &mut Write, seconds: i64| {
            let found = attempts::recent(write, &buckets, NOW.plus_seconds(seconds)).await.expect("read");
            found.into_iter().map(|(bucket, recent)| (bucket, recent.failures, recent.last - NOW.seconds())).collect::<Vec<_>>()
        };
        assert_eq!(recent(&mut write, 0).await, []);
        for seconds in [0, 0, 10, 20] {
            attempts::add(&mut write, "account:li", NOW.plus_seconds(seconds)).await.expect("counted");
        }
        attempts::add(&mut write, "account:wang", NOW).await.expect("counted");
        attempts::add(&mut write, "account:zhao", NOW).await.expect("counted");
        let (li, wang) = ("account:li".to_owned(), "account:wang".to_owned());
        assert_eq!(recent(&mut write, 20).await, [(li.clone(), 4, 20), (wang.clone(), 1, 0)]);
        assert_eq!(recent(&mut write, attempts::WINDOW_SECONDS).await, [(li.clone(), 2, 20)]);
        assert_eq!(recent(&mut write, attempts::WINDOW_SECONDS + 20).await, []);
        assert_eq!(attempts::sweep(&mut write, NOW.plus_seconds(attempts::WINDOW_SECONDS + 9)).await.expect("swept"), 3);
        assert_eq!(recent(&mut write, attempts::WINDOW_SECONDS + 9).await, [(li.clone(), 2, 20)], "what a window still reaches stays");
        attempts::clear(&mut write, "account:li").await.expect("cleared");
        assert_eq!(recent(&mut write, 20).await, []);
    })
    .await;
}

#[tokio::test]
async fn a_browser_is_known_until_it_is_forgotten() {
    for_each_engine("a_browser_is_known_until_it_is_forgotten", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let (li, wang) = (user(1, "li"), user(2, "wang"));
        add(&mut write, &[li.clone(), wang.clone()], &[]).await;
        for (person, seconds) in [(&li, 0), (&wang, 5), (&li, 10)] {
            devices::used(&mut write, "d1", person.id, NOW.plus_seconds(seconds)).await.expect("noted");
        }
        assert_eq!(devices::users(&mut write, "d1", NOW).await.expect("read"), [li.id, wang.id]);
        assert_eq!(devices::users(&mut write, "d1", NOW.plus_seconds(5)).await.expect("read"), [li.id], "used since");
        assert_eq!(devices::users(&mut write, "d2", NOW).await.expect("read"), []);
        assert_eq!(devices::sweep(&mut write, NOW.plus_seconds(5)).await.expect("swept"), 1);
        devices::forget(&mut write, li.id).await.expect("forgotten");
        assert_eq!(devices::users(&mut write, "d1", NOW).await.expect("read"), []);
    })
    .await;
}
