use std::collections::BTreeSet;

use domain::{
    access::Role,
    courses::{Course, Tenant},
    ids::{CourseId, TenantId, UserId},
    money::{Currency, Money},
    quotas::QuotaSettings,
    time::Timestamp,
};
use uuid::Uuid;

use super::{attempts, members, roles, users};
use crate::{Write, courses, testing::for_each_engine};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn tenant() -> Tenant {
    Tenant { id: TenantId::from_uuid(Uuid::from_u128(1)), slug: "ai".into(), name: "School of AI".into() }
}

fn user(number: u128, login: &str) -> users::User {
    users::User {
        id: UserId::from_uuid(Uuid::from_u128(number)),
        tenant: tenant().id,
        login: login.into(),
        name: "李华".into(),
        password_hash: "$argon2id$".into(),
        credentials_version: 1,
        disabled_at: None,
        created_at: NOW,
        last_sign_in_at: None,
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
        assert_eq!(users::list(&mut read, tenant().id).await.expect("read"), [li, wang]);
        assert_eq!(users::list(&mut read, TenantId::from_uuid(Uuid::from_u128(9))).await.expect("read"), []);
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
            let all = roles::of_tenant(&mut write, tenant().id).await.expect("read");
            assert_eq!(all.get(&li.id).cloned().unwrap_or_default(), expected);
            for role in Role::ALL {
                let holders = roles::holders(&mut write, tenant().id, role).await.expect("read");
                assert_eq!(holders.contains(&li.id), expected.contains(&role));
            }
        }
        for expected in [BTreeSet::from([a.id, b.id]), [b.id].into(), BTreeSet::new()] {
            members::set(&mut write, li.id, &expected).await.expect("set");
            assert_eq!(members::of_user(&mut write, li.id).await.expect("read"), expected);
            let refs = members::refs_of_user(&mut write, li.id).await.expect("read");
            assert_eq!(members::of_tenant(&mut write, tenant().id).await.expect("read").get(&li.id).cloned().unwrap_or_default(), refs);
            assert_eq!(refs.iter().map(|course| course.id).collect::<BTreeSet<_>>(), expected);
            assert!(refs.is_sorted_by(|a, b| a.code < b.code));
        }
    })
    .await;
}

#[tokio::test]
async fn tries_are_summed_over_any_sixty_seconds() {
    for_each_engine("tries_are_summed_over_any_sixty_seconds", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let used = async |write: &mut Write, at: Timestamp| {
            let attempts::Used { attempts, wait_seconds } = attempts::used(write, "account:li", 3, at).await.expect("read");
            (attempts, wait_seconds)
        };
        assert_eq!(used(&mut write, NOW).await, (0, 0));
        for seconds in [0, 0, 10, 20] {
            attempts::add(&mut write, "account:li", NOW.plus_seconds(seconds)).await.expect("counted");
        }
        attempts::add(&mut write, "account:wang", NOW).await.expect("counted");
        // Two must leave before a third has room: both are of second 0.
        assert_eq!(used(&mut write, NOW.plus_seconds(20)).await, (4, 40));
        assert_eq!(used(&mut write, NOW.plus_seconds(59)).await, (4, 1));
        assert_eq!(used(&mut write, NOW.plus_seconds(60)).await, (2, 0));
        assert_eq!(used(&mut write, NOW.plus_seconds(80)).await, (0, 0));
        assert_eq!(attempts::sweep(&mut write, NOW.plus_seconds(69)).await.expect("swept"), 2);
        assert_eq!(used(&mut write, NOW.plus_seconds(69)).await, (2, 0), "what a window still reaches stays");
    })
    .await;
}
