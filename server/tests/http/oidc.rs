//! Signing in through an identity provider, as far as none is needed for it; with one it is in `end2end/tests/oidc.spec.ts`.

use domain::{
    audit::{Filter, Outcome},
    catalogue::Localized,
    page::PageRequest,
};
use server::config::{Config, Oidc};
use services::{IdentityProvider, Settings, encryption::Keyring, testing::TestWorld};

use crate::support::{Portal, location, set_cookie};

const START: &str = "/sign-in/oidc?back=/orders";
const CALLBACK: &str = "/sign-in/oidc/callback?code=c&state=s";
/// Nothing listens there.
const ISSUER: &str = "http://127.0.0.1:9";

/// A portal whose provider is away.
async fn portal() -> Portal {
    let name = Localized { zh: "统一认证".into(), en: "Campus".into() };
    let identity_provider = Some(IdentityProvider { issuer: ISSUER.into(), name: name.clone(), link_accounts: true, create_accounts: false });
    let database = storage::testing::TestDatabase::sqlite().await;
    let world = TestWorld::college_with(database, Settings { identity_provider, keyring: Keyring::for_testing(1), ..Settings::default() }).await;
    Portal::configured(world, |config: &mut Config| {
        config.oidc = Some(Oidc {
            issuer: ISSUER.into(),
            client_id: "lectern".into(),
            client_secret: None,
            client_secret_file: None,
            name,
            scopes: vec!["openid".into()],
            login_claim: "preferred_username".into(),
            trusted_audiences: Vec::new(),
            link_accounts: true,
            create_accounts: false,
        });
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_provider_nothing_leads_there() {
    let portal = Portal::college().await;
    portal.people().await;
    for path in [START, CALLBACK] {
        assert_eq!(portal.browser().page(path).await.status(), 404, "{path}");
    }
    assert!(!portal.browser().page("/sign-in").await.text().await.unwrap().contains("/sign-in/oidc"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_away_leads_back_to_the_form_with_a_word() {
    let portal = portal().await;
    let people = portal.people().await;
    let browser = portal.browser();
    let page = browser.page("/sign-in?back=/orders").await.text().await.unwrap();
    assert!(page.contains("href=\"/sign-in/oidc?back=/orders\"") && page.contains("Sign in with Campus"), "{page}");
    let away = browser.page(START).await;
    assert_eq!((away.status().as_u16(), location(&away)), (303, "/sign-in?back=/orders"));
    let (_, attributes) = set_cookie(&away).expect("a session for what is said");
    assert!(attributes.contains(&"Max-Age=900".to_owned()), "nobody's session is short: {attributes:?}");
    assert!(browser.page("/sign-in?back=/orders").await.text().await.unwrap().contains("does not answer as it should"));
    assert!(!browser.page("/sign-in?back=/orders").await.text().await.unwrap().contains("does not answer as it should"), "said once");

    let over = browser.page(CALLBACK).await;
    assert_eq!((over.status().as_u16(), location(&over)), (303, "/sign-in"));
    assert!(browser.page("/sign-in").await.text().await.unwrap().contains("began in another browser"));

    services::audit::refusals::flush(&portal.world.services).await.unwrap();
    let filter = Filter { action: Some("session.sign_in".into()), ..Filter::default() };
    let found = services::audit::search(&portal.world.services, &people.auditor, &filter, &PageRequest::default()).await.unwrap();
    let first = &found.items.last().expect("a record").event;
    assert_eq!((first.outcome, first.code.as_deref()), (Outcome::Refused, Some("provider_away")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_nobody_set_up_is_not_believed() {
    let portal = portal().await;
    let forged = portal.browser().client.get(portal.url("/sign-in/oidc")).header("host", "evil.example").send().await.unwrap();
    assert_eq!(forged.status(), 421);
}
