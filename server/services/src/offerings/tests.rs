//! The life of an offering as its operator lives it, and what others see of it.

use domain::{
    Error, Problem,
    access::{Role, Scope},
    catalogue::Offering,
    offerings::{Audience, VersionState},
    orders::OrderForm,
    page::PageRequest,
};

use super::*;
use crate::{
    catalogue,
    orders::{self, IdempotencyKey},
    testing::{TestWorld, with_scopes},
};

async fn on_sale(world: &TestWorld, operator: &Caller, slug: &str) -> Offering {
    history(&world.services, operator, slug).await.expect("there").published().expect("on sale").offering.clone()
}

fn order(offering: &str) -> OrderForm {
    OrderForm { offering: offering.into(), course: "AI2301".into(), duration_minutes: "90".into(), ..OrderForm::default() }
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).expect("a key")
}

#[tokio::test]
async fn an_edit_is_a_draft_until_it_is_published_and_orders_keep_their_version() {
    storage::testing::for_each_engine("an_edit_is_a_draft_until_it_is_published_and_orders_keep_their_version", |database| async move {
        let world = TestWorld::college_on(database).await;
        let course = world.course("AI2301").add().await;
        let (teacher, operator) = (world.teacher("li", &[&course]).await, world.operator("ops").await);
        let services = &world.services;
        crate::cluster_status::refresh(services).await.expect("the cluster reports its cards");
        let first = orders::submit(services, &teacher, &order("vscode"), &key("one")).await.expect("ordered");

        let mut changed = on_sale(&world, &operator, "vscode").await;
        changed.summary.en = "Another text".into();
        let draft = save(services, &operator, Some("vscode"), changed.clone(), Some(0)).await.expect("saved");
        assert_eq!((draft.offering.version, draft.state, draft.revision), (2, VersionState::Draft, 1));
        let again = save(services, &operator, Some("vscode"), changed.clone(), None).await.expect("saved");
        assert_eq!((again.offering.version, again.revision), (2, 1), "saving what is there changes nothing");
        let card = catalogue::get(services, &teacher, "vscode").await.expect("on sale");
        assert_eq!(card.offering.version, 1, "nobody orders a draft");

        changed.duration.max = 60 * 24;
        let draft = save(services, &operator, Some("vscode"), changed.clone(), Some(1)).await.expect("saved");
        assert_eq!((draft.offering.version, draft.revision), (2, 2), "one draft at a time");
        changed.duration.max = 60 * 48;
        let stale = save(services, &operator, Some("vscode"), changed, Some(1)).await.expect_err("somebody else saved");
        assert_eq!(stale, Error::Stale);
        assert_eq!(publish(services, &operator, "vscode", Some(1)).await.expect_err("looked at another"), Error::Stale);

        let published = publish(services, &operator, "vscode", Some(2)).await.expect("published");
        assert_eq!((published.offering.version, published.state), (2, VersionState::Published));
        publish(services, &operator, "vscode", Some(2)).await.expect("twice is once");
        let mut late = published.offering.clone();
        late.summary.en = "Typed into the draft".into();
        let error = save(services, &operator, Some("vscode"), late, Some(2)).await.expect_err("published meanwhile");
        assert_eq!(error, Error::Stale);
        let second = orders::submit(services, &teacher, &order("vscode"), &key("two")).await.expect("ordered");
        assert_eq!((first.order.offering_version, second.order.offering_version), (1, 2));

        let history = history(services, &operator, "vscode").await.expect("there");
        let states: Vec<_> = history.versions.iter().map(|version| (version.offering.version, version.state)).collect();
        assert_eq!(states, [(2, VersionState::Published), (1, VersionState::Retired)]);
        assert_eq!((history.labs(), history.labs.get(&1), history.labs.get(&2)), (2, Some(&1), Some(&1)));
        let row = list(services, &operator).await.expect("a list").into_iter().find(|row| row.current.offering.slug == "vscode").expect("there");
        assert_eq!((row.labs, row.draft, row.current.offering.version), (2, None, 2));
    })
    .await;
}

#[tokio::test]
async fn what_is_retired_runs_on_is_ordered_no_more_and_can_come_back() {
    let world = TestWorld::college().await;
    let course = world.course("AI2301").add().await;
    let (teacher, operator) = (world.teacher("li", &[&course]).await, world.operator("ops").await);
    let services = &world.services;
    let before = orders::submit(services, &teacher, &order("vscode"), &key("one")).await.expect("ordered");
    assert_eq!(retire(services, &operator, "vscode").await.expect("retired").state, VersionState::Retired);
    retire(services, &operator, "vscode").await.expect("twice is once");
    let refused = orders::submit(services, &teacher, &order("vscode"), &key("two")).await.expect_err("gone");
    assert_eq!(refused, Error::field("offering", Problem::NoSuch));
    assert_eq!(catalogue::get(services, &teacher, "vscode").await.expect_err("gone"), Error::NotFound);
    let kept = orders::get(services, &teacher, before.order.id).await.expect("there");
    assert_eq!(kept.order.state, before.order.state);
    assert_eq!(restore(services, &operator, "vscode").await.expect("back").state, VersionState::Published);
    orders::submit(services, &teacher, &order("vscode"), &key("three")).await.expect("ordered");
}

#[tokio::test]
async fn a_new_offering_comes_last_and_its_slug_is_its_own() {
    let world = TestWorld::college().await;
    let course = world.course("AI2301").add().await;
    let (teacher, operator) = (world.teacher("li", &[&course]).await, world.operator("ops").await);
    let mut new = on_sale(&world, &operator, "vscode").await;
    let taken = save(&world.services, &operator, None, Offering { version: 9, ..new.clone() }, None).await;
    assert!(taken.is_ok(), "the same content again is a retry");
    new.summary.en = "Another".into();
    let taken = save(&world.services, &operator, None, new.clone(), None).await.expect_err("in use");
    assert_eq!(taken, Error::field("slug", Problem::Taken));
    new.slug = "vscode-large".into();
    let draft = save(&world.services, &operator, None, new.clone(), None).await.expect("saved");
    assert_ne!(draft.offering.id, new.id);
    let retried = save(&world.services, &operator, None, new, None).await.expect("a retry");
    assert_eq!(retried.offering, draft.offering);
    assert_eq!(retire(&world.services, &operator, "vscode-large").await.expect_err("never on sale").code(), "invalid_transition");
    publish(&world.services, &operator, "vscode-large", None).await.expect("published");
    let last = catalogue::list(&world.services, &teacher).await.expect("a catalogue").pop().expect("nine");
    assert_eq!((last.offering.slug.as_str(), last.offering.version), ("vscode-large", 1));
}

#[tokio::test]
async fn only_its_audience_sees_it_and_knows_of_it() {
    let world = TestWorld::college().await;
    let course = world.course("AI2301").add().await;
    let elsewhere = world.other_tenant("software").await;
    let (teacher, operator, manager) = (world.teacher("li", &[&course]).await, world.operator("ops").await, world.manager("zhao").await);
    let stranger = world.person("wu").role(Role::Teacher).in_tenant(elsewhere).add().await;
    let services = &world.services;
    let mut offering = on_sale(&world, &operator, "vscode").await;
    offering.audience = Audience { tenants: ["nowhere".to_owned()].into(), roles: [].into() };
    let unknown = save(services, &operator, Some("vscode"), offering.clone(), None).await.expect_err("no such tenant");
    assert_eq!(unknown, Error::field("audience.tenants.nowhere", Problem::NoSuch));
    offering.audience = Audience { tenants: ["ai".to_owned()].into(), roles: [Role::Teacher].into() };
    save(services, &operator, Some("vscode"), offering, None).await.expect("saved");
    publish(services, &operator, "vscode", None).await.expect("published");

    let seen = catalogue::get(services, &teacher, "vscode").await.expect("seen");
    assert!(seen.offering.audience.is_everyone(), "nobody learns who else may see it");
    for other in [&manager, &stranger] {
        assert_eq!(catalogue::get(services, other, "vscode").await.expect_err("hidden"), Error::NotFound);
        let all = catalogue::list(services, other).await.expect("a catalogue");
        assert!(all.iter().all(|card| card.offering.slug != "vscode"));
    }
    assert_eq!(catalogue::context(services, &manager, "vscode").await.expect_err("hidden"), Error::NotFound);
    let hidden = Err(Error::field("offering", Problem::NoSuch));
    assert_eq!(orders::preview(services, &manager, &order("vscode")).await.map(drop), hidden);
    assert_eq!(orders::submit(services, &manager, &order("vscode"), &key("one")).await.map(drop), hidden);
    orders::submit(services, &teacher, &order("vscode"), &key("two")).await.expect("ordered");
}

#[tokio::test]
async fn an_offering_is_written_by_its_own_college_alone() {
    storage::testing::for_each_engine("an_offering_is_written_by_its_own_college_alone", |database| async move {
        let world = TestWorld::college_on(database).await;
        let operator = world.operator("ops").await;
        let elsewhere = world.other_tenant("law").await;
        let stranger = world.person("wu").role(Role::Administrator).in_tenant(elsewhere).add().await;
        let services = &world.services;
        let offering = on_sale(&world, &operator, "vscode").await;
        assert!(catalogue::get(services, &stranger, "vscode").await.is_ok(), "whoever sees it");
        for slug in ["vscode".to_owned(), offering.id.to_string()] {
            assert_eq!(retire(services, &stranger, &slug).await.expect_err("not theirs"), Error::NotFound);
            assert_eq!(history(services, &stranger, &slug).await.expect_err("not theirs"), Error::NotFound);
            assert_eq!(save(services, &stranger, Some(&slug), offering.clone(), None).await.expect_err("not theirs"), Error::NotFound);
        }
        let again = save(services, &stranger, None, offering.clone(), None).await.expect_err("the slug is in use");
        assert_eq!(again, Error::field("slug", Problem::Taken));
        assert!(list(services, &stranger).await.expect("a list").is_empty(), "nor are its drafts theirs to read");

        let own = Offering { slug: "law-editor".into(), ..offering };
        save(services, &stranger, None, own, None).await.expect("one of their own");
        publish(services, &stranger, "law-editor", None).await.expect("published");
        for refused in [retire(services, &operator, "law-editor").await, publish(services, &operator, "law-editor", None).await] {
            assert_eq!(refused.expect_err("not theirs either"), Error::NotFound);
        }
        retire(services, &stranger, "law-editor").await.expect("retired by its own");
        retire(services, &operator, "vscode").await.expect("retired by its own");
        assert_eq!(restore(services, &stranger, "vscode").await.expect_err("not theirs"), Error::NotFound);
    })
    .await;
}

#[tokio::test]
async fn only_operators_and_administrators_write_and_a_token_needs_the_scope() {
    let world = TestWorld::college().await;
    let (operator, teacher) = (world.operator("ops").await, world.teacher("li", &[]).await);
    let offering = on_sale(&world, &operator, "vscode").await;
    let services = &world.services;
    assert_eq!(list(services, &teacher).await.expect_err("not theirs"), Error::Forbidden);
    assert_eq!(preview(services, &teacher, &offering).await.expect_err("not theirs"), Error::Forbidden);
    assert_eq!(retire(services, &teacher, "vscode").await.expect_err("not theirs"), Error::Forbidden);
    assert_eq!(save(services, &teacher, Some("vscode"), offering, None).await.expect_err("not theirs"), Error::Forbidden);
    let token = with_scopes(&operator, &[Scope::OfferingsRead]);
    assert_eq!(publish(services, &token, "vscode", None).await.expect_err("no scope").code(), "scope_missing");
    assert!(list(services, &world.administrator("admin").await).await.is_ok());
}

#[tokio::test]
async fn a_preview_shows_price_and_objects_and_no_secret() {
    let world = TestWorld::college().await;
    let operator = world.operator("ops").await;
    let mut offering = on_sale(&world, &operator, "inference-service").await;
    offering.base.environment.insert("HF_TOKEN".into(), "hf_very_secret".into());
    let seen = preview(&world.services, &operator, &offering).await.expect("a preview");
    assert_eq!(seen.problems, []);
    let kinds: Vec<_> = seen.objects.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["Deployment", "Service", "PersistentVolumeClaim"]);
    assert!(seen.objects.iter().all(|(_, yaml)| !yaml.contains("hf_very_secret")));
    assert_eq!(seen.estimate.expect("a price").minutes, 240);
    offering.duration.min = 0;
    let bad = preview(&world.services, &operator, &offering).await.expect("problems");
    assert_eq!((bad.problems.len(), bad.objects.len()), (1, 0));
}

#[tokio::test]
async fn the_audit_record_names_what_changed() {
    let world = TestWorld::college().await;
    let (operator, auditor) = (world.operator("ops").await, world.auditor("shen").await);
    let mut offering = on_sale(&world, &operator, "vscode").await;
    offering.duration.max = 1_000;
    save(&world.services, &operator, Some("vscode"), offering, None).await.expect("saved");
    publish(&world.services, &operator, "vscode", None).await.expect("published");
    retire(&world.services, &operator, "vscode").await.expect("retired");
    restore(&world.services, &operator, "vscode").await.expect("restored");
    crate::audit::seal(&world.services).await.expect("sealed");
    let filter = domain::audit::Filter { action: Some("offering.".into()), ..domain::audit::Filter::default() };
    let page = crate::audit::search(&world.services, &auditor, &filter, &PageRequest::default()).await.expect("found");
    let mut shown: Vec<_> = page.items.iter().map(|row| (row.event.action.clone(), row.event.before.clone(), row.event.after.clone())).collect();
    shown.reverse();
    insta::assert_snapshot!(serde_json::to_string_pretty(&shown).expect("JSON"));
}
