use domain::{
    Error, Problem,
    access::Scope,
    audit::Filter,
    page::PageRequest,
    ssh_keys::{KEYS_MAX, NAME_MAX, SshKeyForm},
};
use storage::testing::for_each_engine;

use super::{add, list, remove};
use crate::{Caller, audit, catalogue, testing::TestWorld};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkqJQz67Fz7AMAY/mC0VMP9qFFndLTJTEhAwJFce4To";
const FINGERPRINT: &str = "SHA256:93NrMd2qOAOQpAmCdq9j8M0A42bnIsDbHGjopEP8PBU";

fn form(name: &str, public_key: &str) -> SshKeyForm {
    SshKeyForm { name: name.into(), public_key: public_key.into() }
}

/// A key of the right form, another for each number.
fn numbered(number: u32) -> String {
    const DIGITS: &[u8; 16] = b"ABCDEFGHIJKLMNOP";
    let digit = |at: u32| char::from(DIGITS[((number >> at) & 15) as usize]);
    format!("{}{}{}{}", &KEY[..KEY.len() - 5], digit(4), digit(0), &KEY[KEY.len() - 3..])
}

#[tokio::test]
async fn a_key_is_its_owners_from_adding_to_removing() {
    for_each_engine("a_key_is_its_owners_from_adding_to_removing", async |database| {
        let world = TestWorld::college_on(database).await;
        let li = world.person("li.hua").add().await;
        let wang = world.person("wang").add().await;
        let services = &world.services;
        let key = add(services, &li, &form("", &format!("{KEY} li@laptop\n"))).await.expect("added");
        assert_eq!((key.name.as_str(), key.public_key.as_str(), key.fingerprint.as_str()), ("li@laptop", KEY, FINGERPRINT));
        assert_eq!(add(services, &li, &form("li@laptop", KEY)).await.expect("the same"), key);
        assert_eq!(add(services, &li, &form("desk", KEY)).await, Err(Error::field("public_key", Problem::Taken)));
        world.clock.advance(1);
        let second = add(services, &li, &form("desk", &numbered(1))).await.expect("added");
        assert_eq!(list(services, &li).await.expect("listed"), [second.clone(), key.clone()]);
        assert_eq!(list(services, &wang).await.expect("listed"), []);
        add(services, &wang, &form("li@laptop", KEY)).await.expect("who has the private key is not known here");
        assert_eq!(remove(services, &wang, key.id).await, Err(Error::NotFound));
        remove(services, &li, key.id).await.expect("removed");
        assert_eq!(remove(services, &li, key.id).await, Err(Error::NotFound));
        assert_eq!(list(services, &li).await.expect("listed"), [second]);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_key_is_refused_by_field_and_there_is_an_end_to_keys() {
    for_each_engine("what_is_no_key_is_refused_by_field_and_there_is_an_end_to_keys", async |database| {
        let world = TestWorld::college_on(database).await;
        let li = world.person("li.hua").add().await;
        let services = &world.services;
        let private = add(services, &li, &form("desk", "-----BEGIN OPENSSH PRIVATE KEY-----")).await;
        assert_eq!(private, Err(Error::field("public_key", Problem::PrivateKey)));
        assert_eq!(add(services, &li, &form("", KEY)).await, Err(Error::field("name", Problem::Missing)));
        let only_key = add(services, &li, &form(" ", "ssh-ed25519")).await.expect_err("refused");
        assert!(matches!(only_key, Error::Invalid(problems) if problems.iter().map(|each| each.field.as_str()).eq(["public_key"])));
        let both = add(services, &li, &form(&"x".repeat(NAME_MAX as usize + 1), "ssh-ed25519")).await.expect_err("refused");
        assert!(matches!(both, Error::Invalid(problems) if problems.len() == 2));
        for number in 0..KEYS_MAX {
            add(services, &li, &form("many", &numbered(number))).await.expect("added");
        }
        let more = add(services, &li, &form("more", &numbered(KEYS_MAX))).await;
        assert_eq!(more, Err(Error::field("public_key", Problem::TooMany { max: KEYS_MAX })));
    })
    .await;
}

#[tokio::test]
async fn a_token_for_other_things_touches_no_key_and_all_is_recorded() {
    let world = TestWorld::college().await;
    let li = world.person("li.hua").add().await;
    let services = &world.services;
    let with = |scope| {
        let mut caller: Caller = li.clone();
        caller.actor.scopes = Some([scope].into());
        caller
    };
    let missing = |scope: &str| Error::ScopeMissing { scope: scope.into() };
    assert_eq!(list(services, &with(Scope::OrdersRead)).await, Err(missing("labs:read")));
    assert_eq!(add(services, &with(Scope::LabsRead), &form("desk", KEY)).await, Err(missing("labs:write")));
    let key = add(services, &with(Scope::LabsWrite), &form("desk", KEY)).await.expect("added");
    assert_eq!(remove(services, &with(Scope::LabsRead), key.id).await, Err(missing("labs:write")));
    remove(services, &li, key.id).await.expect("removed");
    let auditor = world.auditor("shen").await;
    let filter = Filter { action: Some("ssh_key.".into()), ..Filter::default() };
    let page = audit::search(services, &auditor, &filter, &PageRequest::default()).await.expect("found");
    let done = page.items.iter().filter(|listed| listed.event.code.is_none()).map(|listed| listed.event.action.as_str()).collect::<Vec<_>>();
    assert_eq!(done, ["ssh_key.remove", "ssh_key.add"]);
}

#[tokio::test]
async fn the_newest_key_is_in_the_form_of_an_order_for_ssh() {
    let world = TestWorld::college().await;
    let course = world.course("CV2402").add().await;
    let li = world.teacher("li.hua", &[&course]).await;
    let services = &world.services;
    let offered = async || {
        let context = catalogue::context(services, &li, "linux-ssh").await.expect("they may order");
        let parameter = context.offering.parameters.into_iter().find(|parameter| parameter.key == "public_key").expect("it takes a key");
        parameter.default
    };
    assert_eq!(offered().await, None);
    add(services, &li, &form("desk", &numbered(1))).await.expect("added");
    world.clock.advance(1);
    add(services, &li, &form("laptop", KEY)).await.expect("added");
    assert_eq!(offered().await.as_deref(), Some(KEY));
}
