use std::collections::BTreeSet;

use domain::{
    Error, Problem,
    access::{Action, Resource, Scope},
    audit::Filter,
    ids::TokenId,
    page::PageRequest,
    tokens::{TOKENS_MAX, TokenForm},
};
use storage::testing::for_each_engine;

use super::{authenticate, create, create_for, list, revoke, take};
use crate::{Origin, audit, testing::TestWorld};

#[tokio::test]
async fn a_token_is_its_owner_within_its_scopes() {
    for_each_engine("a_token_is_its_owner_within_its_scopes", async |database| {
        let world = TestWorld::college_on(database).await;
        let course = world.course("CV2402").add().await;
        let li = world.teacher("li.hua", &[&course]).await;
        let secret = create_for(&world.services, &Origin::cli(), "Li.Hua", "script", [Scope::OrdersRead].into(), 90).await.expect("made");
        assert!(secret.starts_with("lct_") && secret.len() == 47, "{secret}");

        let actor = authenticate(&world.services, &secret).await.expect("the owner");
        assert_eq!((actor.user, actor.roles.clone(), actor.courses.clone()), (li.actor.user, li.actor.roles.clone(), li.actor.courses.clone()));
        let own = Resource::owned(world.tenant, course.id, li.actor.user);
        assert_eq!(actor.can(Action::OrderRead, &own), Ok(()));
        assert_eq!(actor.can(Action::OrderSubmit, &own), Err(Error::ScopeMissing { scope: "orders:write".into() }));
        assert_eq!(actor.can(Action::OrderDecide, &own), Err(Error::ScopeMissing { scope: "orders:decide".into() }));

        let all = list(&world.services, &li).await.expect("listed");
        assert_eq!(all.len(), 1);
        assert!(all[0].last_used_at.is_some());
        let somebody = world.person("wang").add().await;
        assert_eq!(revoke(&world.services, &somebody, all[0].id).await, Err(Error::NotFound), "not theirs");
        revoke(&world.services, &li, all[0].id).await.expect("revoked");
        assert_eq!(authenticate(&world.services, &secret).await, Err(Error::Unauthenticated));
    })
    .await;
}

#[tokio::test]
async fn bad_tokens_open_nothing() {
    let world = TestWorld::college().await;
    let administrator = world.administrator("root").await;
    let li = world.person("li.hua").add().await;
    let secret = create_for(&world.services, &Origin::cli(), "li.hua", "script", [Scope::Admin].into(), 90).await.expect("made");
    for bad in ["", "lct_", "Bearer", &secret[..46], &format!("{secret}A"), &secret.replace("lct_", "xyz_"), &format!("lct_{}", "A".repeat(43))] {
        assert_eq!(authenticate(&world.services, bad).await, Err(Error::Unauthenticated), "{bad}");
    }
    crate::people::disable(&world.services, &administrator, li.actor.user).await.expect("disabled");
    assert_eq!(authenticate(&world.services, &secret).await, Err(Error::Unauthenticated), "of a disabled person");
    crate::people::enable(&world.services, &administrator, li.actor.user).await.expect("enabled");
    assert_eq!(authenticate(&world.services, &secret).await, Err(Error::Unauthenticated), "disabling ended it");
}

#[tokio::test]
async fn every_token_ends_also_one_of_the_command_line() {
    for_each_engine("every_token_ends_also_one_of_the_command_line", async |database| {
        let world = TestWorld::college_on(database).await;
        world.person("li.hua").add().await;
        let origin = Origin::cli();
        let make = |days| create_for(&world.services, &origin, "li.hua", "script", [Scope::Admin].into(), days);
        for days in [0, 366, u32::MAX] {
            assert_eq!(make(days).await, Err(Error::field("days", Problem::OutOfRange { min: 1, max: 365 })), "{days}");
        }
        let secret = make(365).await.expect("made");
        world.clock.advance(365 * 24 * 3_600 - 1);
        authenticate(&world.services, &secret).await.expect("its last second");
        world.clock.advance(1);
        assert_eq!(authenticate(&world.services, &secret).await, Err(Error::Unauthenticated), "over");
    })
    .await;
}

#[tokio::test]
async fn use_is_noted_once_a_minute() {
    let world = TestWorld::college().await;
    let li = world.person("li.hua").add().await;
    let secret = create_for(&world.services, &Origin::cli(), "li.hua", "script", [Scope::Admin].into(), 90).await.expect("made");
    let mut noted = BTreeSet::new();
    for _ in 0..6 {
        authenticate(&world.services, &secret).await.expect("good");
        noted.insert(list(&world.services, &li).await.expect("listed")[0].last_used_at);
        world.clock.advance(20);
    }
    assert_eq!(noted.len(), 2, "in two minutes");
}

#[tokio::test]
async fn making_and_revoking_is_recorded_without_the_secret() {
    let world = TestWorld::college().await;
    let li = world.person("li.hua").add().await;
    let auditor = world.auditor("shen").await;
    let secret = create_for(&world.services, &Origin::cli(), "li.hua", "script", [Scope::Admin].into(), 90).await.expect("made");
    let id = list(&world.services, &li).await.expect("listed")[0].id;
    revoke(&world.services, &li, id).await.expect("revoked");
    revoke(&world.services, &li, id).await.expect("no error the second time");
    let filter = Filter { action: Some("token.".into()), ..Filter::default() };
    let page = audit::search(&world.services, &auditor, &filter, &PageRequest::default()).await.expect("found");
    let actions: Vec<_> = page.items.iter().map(|listed| listed.event.action.as_str()).collect();
    assert_eq!(actions, ["token.revoke", "token.create"]);
    assert!(!serde_json::to_string(&page).expect("JSON").contains(&secret[4..]));

    assert_eq!(create_for(&world.services, &Origin::cli(), "nobody", "x", [Scope::Admin].into(), 90).await, Err(Error::NotFound));
    let both = create_for(&world.services, &Origin::cli(), "li.hua", " ", BTreeSet::new(), 90).await.expect_err("refused");
    assert!(matches!(both, Error::Invalid(problems) if problems.len() == 2));
}

fn form(name: &str) -> TokenForm {
    TokenForm { name: name.into(), scopes: vec!["orders:read".into()], days: "30".into() }
}

#[tokio::test]
async fn a_form_sent_twice_makes_one_token_that_is_shown_once_and_ends() {
    for_each_engine("a_form_sent_twice_makes_one_token_that_is_shown_once_and_ends", async |database| {
        let world = TestWorld::college_on(database).await;
        let li = world.person("li.hua").add().await;
        let id = TokenId::from_uuid(world.services.entropy.uuid());
        create(&world.services, &li, id, &form("grading")).await.expect("made");
        create(&world.services, &li, id, &form("grading")).await.expect("the same");
        assert_eq!(create(&world.services, &li, id, &form("other")).await, Err(Error::IdempotencyKeyReused { order: None }));
        let wang = world.person("wang").add().await;
        assert_eq!(take(&world.services, &wang, id), None, "its maker's only");
        let secret = take(&world.services, &li, id).expect("shown");
        assert_eq!(take(&world.services, &li, id), None, "once");
        let actor = authenticate(&world.services, &secret).await.expect("good");
        assert_eq!((actor.user, actor.scopes), (li.actor.user, Some([Scope::OrdersRead].into())));
        assert_eq!(list(&world.services, &li).await.expect("listed").len(), 1);
        world.clock.advance(30 * 24 * 3_600);
        assert_eq!(authenticate(&world.services, &secret).await, Err(Error::Unauthenticated), "over");
    })
    .await;
}

#[tokio::test]
async fn names_are_told_apart_and_there_is_an_end_to_them() {
    for_each_engine("names_are_told_apart_and_there_is_an_end_to_them", async |database| {
        let world = TestWorld::college_on(database).await;
        let li = world.person("li.hua").add().await;
        let new = |name: String| {
            let id = TokenId::from_uuid(world.services.entropy.uuid());
            let (services, li) = (world.services.clone(), li.clone());
            async move { create(&services, &li, id, &form(&name)).await.map(|()| id) }
        };
        let first = new("token 0".into()).await.expect("made");
        assert_eq!(new("token 0".into()).await, Err(Error::field("name", Problem::Taken)));
        for index in 1..TOKENS_MAX {
            new(format!("token {index}")).await.expect("made");
        }
        assert_eq!(new("one more".into()).await, Err(Error::field("name", Problem::TooMany { max: TOKENS_MAX })));
        revoke(&world.services, &li, first).await.expect("revoked");
        new("token 0".into()).await.expect("its name and its place are free again");
    })
    .await;
}
