//! The identity provider: finding out where its parts are, sending people there, and checking what it says when they come back.
//! It is asked when somebody wants to sign in, never at the start; what it says of itself is kept for a while.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::time::Timestamp;
use http::{HeaderValue, StatusCode, header};
use openidconnect::{
    AsyncHttpClient as _, AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EmptyAdditionalClaims, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardErrorResponse,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreProviderMetadata, CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse,
    },
    url::Url,
};
use serde_json::{Map, Value};
use services::{
    Services,
    accounts::external::{self, Presented},
    ports::Entropy,
    secret,
};
use tokio::sync::{Mutex, OnceCell};

use super::{
    begun::Begun,
    claims::{Claims, Kind},
    failure::{Failure, words},
    fetch::{Fetch, FetchError},
    signed::{self, Expected},
    tokens::Tokens,
};
use crate::config::Oidc;

/// The provider's description is read again after this time.
const KEPT: Duration = Duration::from_hours(1);
/// It is not asked again sooner than this: after a failure, so that people need not wait for it one after the other; and for a key
/// that is not known or does not fit, so that nobody can make the portal ask all the time.
const PAUSE: Duration = Duration::from_secs(10);

/// With the endpoints that discovery gives.
type Client = openidconnect::Client<
    EmptyAdditionalClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

pub struct Provider {
    config: Oidc,
    fetch: OnceCell<Fetch>,
    kept: Mutex<Kept>,
}

/// What is known, and since when the provider is left alone.
#[derive(Default)]
struct Kept {
    metadata: Option<(Arc<CoreProviderMetadata>, Instant)>,
    paused: Option<Instant>,
}

impl Provider {
    pub fn new(config: Oidc) -> Self {
        Self { config, fetch: OnceCell::new(), kept: Mutex::default() }
    }

    pub fn issuer(&self) -> &str {
        &self.config.issuer
    }

    /// Made when it is first needed: reading the certificates that the system trusts takes a while.
    async fn fetch(&self) -> Result<&Fetch, Failure> {
        self.fetch.get_or_try_init(async || Fetch::new(self.config.is_local())).await.map_err(|error| Failure::Away(words(&error)))
    }

    /// Where to send the browser, with what must be remembered of it.
    pub async fn begin(&self, redirect: &str, back: &str, entropy: &dyn Entropy, now: Timestamp) -> Result<(String, Begun), Failure> {
        let fetch = self.fetch().await?;
        let metadata = self.metadata(fetch, None).await?;
        fetch.check(metadata.authorization_endpoint().url()).map_err(|error| Failure::Unusable(words(&error)))?;
        let client = self.client(&metadata, redirect)?;
        let random = || secret::random(entropy, "");
        let begun = Begun { state: random(), nonce: random(), verifier: random(), back: back.to_owned(), at: now };
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(begun.verifier.clone()));
        let (state, nonce) = (CsrfToken::new(begun.state.clone()), Nonce::new(begun.nonce.clone()));
        // `openid` is added by itself.
        let scopes = self.config.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new);
        let (url, ..) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce)
            .set_pkce_challenge(challenge)
            .add_scopes(scopes)
            .url();
        Ok((url.into(), begun))
    }

    /// Exchanges the code and says who came: only what is signed, meant for this portal, fresh, and an answer to this question.
    pub async fn end(&self, redirect: &str, begun: &Begun, code: &str, services: &Services) -> Result<Presented, Failure> {
        let now = services.clock.now();
        let fetch = self.fetch().await?;
        let metadata = self.metadata(fetch, None).await?;
        let client = self.client(&metadata, redirect)?;
        let tokens = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| Failure::Unusable(words(&error)))?
            .set_pkce_verifier(PkceCodeVerifier::new(begun.verifier.clone()))
            .request_async(fetch)
            .await
            .map_err(exchange_failure)?;
        let client = ClientId::new(self.config.client_id.clone());
        let expected = |metadata| self.expected(metadata, &client, &begun.nonce, now);
        match tokens.identity(&expected(&metadata)) {
            // A provider that was set up anew may use the same id for another key.
            Err(Failure::UnknownKey | Failure::BadSignature(_)) => {
                let metadata = self.metadata(fetch, Some(&metadata)).await?;
                let known = tokens.identity(&expected(&metadata))?;
                self.complete(fetch, &metadata, &tokens, &expected(&metadata), known, services).await
            }
            known => self.complete(fetch, &metadata, &tokens, &expected(&metadata), known?, services).await,
        }
    }

    fn expected<'e>(&'e self, metadata: &'e CoreProviderMetadata, client: &'e ClientId, nonce: &'e str, now: Timestamp) -> Expected<'e> {
        let trusted_audiences = self.config.trusted_audiences.as_slice();
        Expected { issuer: metadata.issuer(), client, trusted_audiences, keys: metadata.jwks(), nonce, now }
    }

    /// Asks for what the token leaves out and a first sign-in needs: many providers keep it to the bare subject. Who has signed in before is
    /// known by that, and a login does for a name.
    async fn complete(
        &self,
        fetch: &Fetch,
        metadata: &CoreProviderMetadata,
        tokens: &Tokens,
        expected: &Expected<'_>,
        (subject, mut claims): (String, Claims),
        services: &Services,
    ) -> Result<Presented, Failure> {
        let login_claim = self.config.login_claim.as_str();
        let lacking =
            |claims: &Claims| claims.login(login_claim).and(if self.config.create_accounts { claims.name() } else { Ok(String::new()) }).err();
        if lacking(&claims).is_none() || external::is_known(services, &subject).await.unwrap_or_default() {
            return Ok(claims.presented(&subject, login_claim));
        }
        if let Some(endpoint) = metadata.userinfo_endpoint() {
            match ask_user_info(fetch, endpoint.url(), tokens, &subject, expected).await {
                Ok(others) => claims.complete(others),
                Err(failure) if claims.login(login_claim).is_err() => return Err(failure),
                Err(failure) => tracing::warn!(reason = %failure, "the identity provider does not say what a person is called"),
            }
        }
        if let Some(reason) = lacking(&claims) {
            tracing::warn!(reason, "the identity provider does not say all that is needed of a person");
        }
        Ok(claims.presented(&subject, login_claim))
    }

    fn client(&self, metadata: &CoreProviderMetadata, redirect: &str) -> Result<Client, Failure> {
        let secret = self.config.secret().map_err(|error| Failure::Away(format!("{error:#}")))?;
        let secret = secret.map(|secret| ClientSecret::new(secret.expose().to_owned()));
        let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|error| Failure::Unusable(words(&error)))?;
        let client = Client::from_provider_metadata(metadata.clone(), ClientId::new(self.config.client_id.clone()), secret);
        // The header unless the provider takes the body alone.
        let body_alone = metadata
            .token_endpoint_auth_methods_supported()
            .is_some_and(|ways| ways.contains(&CoreClientAuthMethod::ClientSecretPost) && !ways.contains(&CoreClientAuthMethod::ClientSecretBasic));
        let way = if body_alone { AuthType::RequestBody } else { AuthType::BasicAuth };
        Ok(client.set_redirect_uri(redirect).set_auth_type(way))
    }

    /// What the provider says of itself, with its keys. `outdated`: what was known and does not do.
    async fn metadata(&self, fetch: &Fetch, outdated: Option<&Arc<CoreProviderMetadata>>) -> Result<Arc<CoreProviderMetadata>, Failure> {
        // Held while it is asked: others wait for the same answer instead of asking too.
        let mut kept = self.kept.lock().await;
        let known = kept.metadata.clone();
        if let Some((metadata, at)) = &known {
            let enough = outdated.map_or(at.elapsed() < KEPT, |outdated| !Arc::ptr_eq(outdated, metadata));
            if enough {
                return Ok(Arc::clone(metadata));
            }
        }
        let refused = if kept.paused.is_some_and(|since| since.elapsed() < PAUSE) {
            Failure::Away("it was asked a moment ago and will be again soon".to_owned())
        } else {
            let issuer = IssuerUrl::new(self.config.issuer.clone()).map_err(|error| Failure::Unusable(words(&error)))?;
            let asked = CoreProviderMetadata::discover_async(issuer, &fetch.only_needed()).await;
            kept.paused = (asked.is_err() || outdated.is_some()).then(Instant::now);
            match asked {
                Ok(metadata) => {
                    let metadata = Arc::new(metadata);
                    kept.metadata = Some((Arc::clone(&metadata), Instant::now()));
                    return Ok(metadata);
                }
                Err(error) => Failure::Away(words(&error)),
            }
        };
        // The description of an hour ago is most likely still valid.
        match known {
            Some((metadata, _)) if outdated.is_none() => {
                tracing::warn!(reason = %refused, "the identity provider could not be asked again; what is known of it is used");
                Ok(metadata)
            }
            _ => Err(refused),
        }
    }
}

/// The claims about this person from the user info endpoint.
async fn ask_user_info(fetch: &Fetch, endpoint: &Url, tokens: &Tokens, subject: &str, expected: &Expected<'_>) -> Result<Claims, Failure> {
    let unusable = |reason: String| Failure::Unusable(format!("user info: {reason}"));
    let mut request = HttpRequest::new(Vec::new());
    *request.uri_mut() = endpoint.as_str().parse().map_err(|error: http::uri::InvalidUri| unusable(words(&error)))?;
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    request.headers_mut().insert(header::AUTHORIZATION, tokens.bearer()?);
    let answer = fetch.call(request).await.map_err(|error| Failure::Away(words(&error)))?;
    if answer.status() != StatusCode::OK {
        return Err(unusable(format!("it answers {}", answer.status())));
    }
    let content_type = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.trim_start().to_ascii_lowercase().starts_with("application/jwt") {
        let token = std::str::from_utf8(answer.body()).map_err(|_| unusable("it is no text".to_owned()))?;
        return signed::user_info(token.trim(), subject, expected);
    }
    let said: Map<String, Value> = serde_json::from_slice(answer.body()).map_err(|_| unusable("it is no JSON object".to_owned()))?;
    Kind::Text.check("sub", said.get("sub")).map_err(unusable)?;
    if said.get("sub").and_then(Value::as_str) != Some(subject) {
        return Err(unusable("`sub` is not that of the ID token".to_owned()));
    }
    Ok(Claims::of(said))
}

/// An answer that cannot be parsed may hold tokens. So only the provider's own error message, or the name of the wrong member, is kept.
fn exchange_failure(error: RequestTokenError<FetchError, StandardErrorResponse<CoreErrorResponseType>>) -> Failure {
    match error {
        RequestTokenError::ServerResponse(answer) if *answer.error() == CoreErrorResponseType::InvalidGrant => Failure::CodeOver,
        RequestTokenError::ServerResponse(answer) => Failure::Unusable(format!("it refused the code: {:?}", answer.to_string())),
        RequestTokenError::Request(error) => Failure::Away(words(&error)),
        RequestTokenError::Parse(error, _) => {
            let inner = error.inner().to_string();
            // Other messages contain values.
            let what = if inner.starts_with("missing field") { inner } else { format!("it is wrong at `{}`", error.path()) };
            Failure::Unusable(format!("what it gave for the code cannot be read: {what}"))
        }
        RequestTokenError::Other(reason) => Failure::Unusable(reason),
    }
}
