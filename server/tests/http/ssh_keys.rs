//! Public keys over the API and on the account page.

use domain::access::Scope;
use serde_json::json;

use crate::support::{Portal, good};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkqJQz67Fz7AMAY/mC0VMP9qFFndLTJTEhAwJFce4To";
const FINGERPRINT: &str = "SHA256:93NrMd2qOAOQpAmCdq9j8M0A42bnIsDbHGjopEP8PBU";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_added_listed_and_removed_by_their_owner() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (teacher, colleague) = (portal.api(&people.teacher).await, portal.api(&people.colleague).await);
    let added = teacher.say("/ssh-keys", &json!({"public_key": format!("{KEY} li@laptop")})).await;
    assert_eq!((&added["name"], &added["public_key"], &added["fingerprint"]), (&json!("li@laptop"), &json!(KEY), &json!(FINGERPRINT)));
    assert_eq!(teacher.say("/ssh-keys", &json!({"name": "li@laptop", "public_key": KEY})).await, added, "once");
    assert_eq!(teacher.read("/ssh-keys").await, json!({"items": [added], "next": null}));
    assert_eq!(colleague.read("/ssh-keys").await["items"], json!([]));
    let path = format!("/ssh-keys/{}", added["id"].as_str().unwrap());
    assert_eq!(colleague.delete(&path).send().await.unwrap().status(), 404, "not theirs");
    let reader = portal.token(&people.teacher, &[Scope::LabsRead]).await;
    assert_eq!(reader.delete(&path).send().await.unwrap().status(), 403, "without the scope");
    assert_eq!(teacher.delete(&path).send().await.unwrap().status(), 204);
    assert_eq!(teacher.read("/ssh-keys").await["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_key_is_refused_and_shown_nowhere() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    let private = "-----BEGIN OPENSSH PRIVATE KEY-----\nhush\n-----END OPENSSH PRIVATE KEY-----";
    let refused = good(teacher.post("/ssh-keys").json(&json!({"name": "x", "public_key": private})).send().await.unwrap(), 422).await;
    assert_eq!(refused["errors"][0]["field"], "public_key", "{refused}");
    assert!(refused.to_string().contains("private key") && !refused.to_string().contains("hush"), "{refused}");
    let browser = portal.browser_of(&people.teacher).await;
    let fields = [("key_name", "my laptop"), ("public_key", private)];
    let answer = browser.form("/api/account/add-ssh-key", "/account", &fields).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let page = browser.page("/account").await.text().await.unwrap();
    assert!(page.contains("This is the private key") && page.contains("my laptop") && !page.contains("hush"), "the form comes back without it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_account_page_adds_shows_and_removes_a_key() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let browser = portal.browser_of(&people.teacher).await;
    assert!(browser.page("/account").await.text().await.unwrap().contains("No SSH keys"));
    let fields = [("key_name", "<b>laptop"), ("public_key", KEY)];
    browser.form("/api/account/add-ssh-key", "/account", &fields).send().await.unwrap();
    let page = browser.page("/account").await.text().await.unwrap();
    assert!(page.contains(FINGERPRINT) && page.contains("&lt;b&gt;laptop") && !page.contains("<b>laptop"), "{page}");
    let id = portal.api(&people.teacher).await.read("/ssh-keys").await["items"][0]["id"].as_str().unwrap().to_owned();
    browser.form("/api/account/remove-ssh-key", "/account", &[("id", &id)]).send().await.unwrap();
    assert!(!browser.page("/account").await.text().await.unwrap().contains(FINGERPRINT));
}
