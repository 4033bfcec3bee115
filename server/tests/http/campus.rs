//! An identity provider for tests, whose answers the test sets: claims of any kind, signed with its own key.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use domain::catalogue::Localized;
use http::StatusCode;
use openidconnect::{
    JsonWebKeyId, JsonWebKeySet, PrivateSigningKey as _,
    core::{CoreEdDsaPrivateSigningKey, CoreJsonWebKey, CoreJwsSigningAlgorithm},
    url::Url,
};
use reqwest::Response;
use serde_json::{Value, json};
use server::config::{Config, Oidc};
use services::{IdentityProvider, Settings, encryption::Keyring, testing::TestWorld};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::support::{Portal, location};

/// The provider's answers; the members of each object replace the default ones.
#[derive(Default)]
pub struct Says {
    pub configuration: Value,
    /// In the answer to a code, beside the ID token.
    pub tokens: Value,
    /// In the ID token.
    pub claims: Value,
    pub user_info: Value,
    /// User info is answered with 500.
    pub user_info_fails: bool,
}

struct Known {
    issuer: String,
    says: Says,
    nonce: String,
    now: i64,
    /// What its key is made from; the id stays.
    seed: u8,
}

pub struct Campus {
    issuer: String,
    known: Arc<Mutex<Known>>,
    serving: JoinHandle<()>,
}

impl Drop for Campus {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Campus {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let known = Arc::new(Mutex::new(Known { issuer: issuer.clone(), says: Says::default(), nonce: String::new(), now: 0, seed: 7 }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .route("/token", post(tokens))
            .route("/user-info", get(user_info))
            .with_state(Arc::clone(&known));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { issuer, known, serving }
    }

    /// A portal that uses this provider for sign-in.
    pub async fn portal(&self, change: impl FnOnce(&mut Oidc)) -> Portal {
        let name = Localized { zh: "统一认证".into(), en: "Campus".into() };
        let mut oidc = Oidc {
            issuer: self.issuer.clone(),
            client_id: "lectern".into(),
            client_secret: None,
            client_secret_file: None,
            name: name.clone(),
            scopes: vec!["openid".into()],
            login_claim: "preferred_username".into(),
            trusted_audiences: Vec::new(),
            link_accounts: true,
            create_accounts: false,
        };
        change(&mut oidc);
        let (link_accounts, create_accounts) = (oidc.link_accounts, oidc.create_accounts);
        let identity_provider = Some(IdentityProvider { issuer: self.issuer.clone(), name, link_accounts, create_accounts });
        let database = storage::testing::TestDatabase::sqlite().await;
        let world = TestWorld::college_with(database, Settings { identity_provider, keyring: Keyring::for_testing(1), ..Settings::default() }).await;
        Portal::configured(world, |config: &mut Config| config.oidc = Some(oidc)).await
    }

    /// Signs with another key from now on, under the same id.
    pub fn is_set_up_anew(&self) {
        self.known.lock().unwrap().seed += 1;
    }

    /// Signs in through the link on the sign-in page, with these answers of the provider. Returns where the portal redirects in the end.
    pub async fn sends(&self, portal: &Portal, says: Says) -> String {
        let browser = portal.browser();
        self.known.lock().unwrap().says = says;
        let begun = browser.page("/sign-in/oidc?back=/orders").await;
        let asked = Url::parse(location(&begun)).expect("the provider's address");
        let asked = |name: &str| asked.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default();
        {
            let mut known = self.known.lock().unwrap();
            known.nonce = asked("nonce");
            known.now = portal.world.services.clock.now().seconds();
        }
        let back: Response = browser.page(&format!("/sign-in/oidc/callback?code=c&state={}", asked("state"))).await;
        location(&back).to_owned()
    }
}

type Provider = State<Arc<Mutex<Known>>>;

/// The default members, replaced by those of the test.
fn with(mut usual: Value, changes: &Value) -> Json<Value> {
    for (name, value) in changes.as_object().into_iter().flatten() {
        usual[name] = value.clone();
    }
    Json(usual)
}

async fn configuration(State(known): Provider) -> Json<Value> {
    let known = known.lock().unwrap();
    let issuer = &known.issuer;
    let usual = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/user-info"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    });
    with(usual, &known.says.configuration)
}

async fn keys(State(known): Provider) -> Json<JsonWebKeySet<CoreJsonWebKey>> {
    Json(JsonWebKeySet::new(vec![key(known.lock().unwrap().seed).as_verification_key()]))
}

async fn tokens(State(known): Provider) -> Json<Value> {
    let known = known.lock().unwrap();
    let usual = json!({"iss": known.issuer, "sub": "u-1", "aud": "lectern", "exp": known.now + 300, "iat": known.now, "nonce": known.nonce});
    let Json(claims) = with(usual, &known.says.claims);
    with(json!({"access_token": "access", "token_type": "Bearer", "id_token": signed(&claims, known.seed)}), &known.says.tokens)
}

async fn user_info(State(known): Provider) -> Result<Json<Value>, StatusCode> {
    let known = known.lock().unwrap();
    let says = &known.says;
    if says.user_info_fails { Err(StatusCode::INTERNAL_SERVER_ERROR) } else { Ok(with(json!({"sub": "u-1"}), &says.user_info)) }
}

fn key(seed: u8) -> CoreEdDsaPrivateSigningKey {
    // PKCS #8 of an Ed25519 key: a fixed beginning and 32 bytes.
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    der.extend([seed; 32]);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64_STANDARD.encode(der));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new("one".to_owned()))).expect("a key")
}

fn signed(claims: &Value, seed: u8) -> String {
    let base64 = BASE64_URL_SAFE_NO_PAD;
    let text = format!("{}.{}", base64.encode(r#"{"alg":"EdDSA","kid":"one"}"#), base64.encode(claims.to_string()));
    let signature = key(seed).sign(&CoreJwsSigningAlgorithm::EdDsa, text.as_bytes()).expect("signed");
    format!("{text}.{}", base64.encode(signature))
}
