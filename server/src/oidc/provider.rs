//! The identity provider: finding out where its parts are, sending people there, and checking what it says when they come back.
//! It is asked when somebody wants to sign in, never at the start; what it says of itself is kept for a while.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use openidconnect::{
    AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, StandardErrorResponse, StandardTokenResponse, TokenResponse as _,
    UserInfoClaims, UserInfoError,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken, CoreRevocationErrorResponse,
        CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use services::{accounts::external::Presented, ports::Entropy, secret};
use tokio::sync::{Mutex, OnceCell};

use super::{
    begun::Begun,
    claims::{Claims, Extra},
    failure::{Failure, words},
    fetch::{Fetch, FetchError},
};
use crate::config::Oidc;

/// What the provider says of itself is read again after this.
const KEPT: Duration = Duration::from_hours(1);
/// It is not asked again sooner than this: after a failure, so that people need not wait for it one after the other; and for a key
/// that is not known, so that nobody can make the portal ask all the time.
const PAUSE: Duration = Duration::from_secs(10);

type Tokens = StandardTokenResponse<
    IdTokenFields<Extra, EmptyExtraTokenFields, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>,
    CoreTokenType,
>;
/// With the endpoints that discovery gives.
type Client = openidconnect::Client<
    Extra,
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
    pub async fn begin(&self, redirect: &str, back: &str, entropy: &dyn Entropy, now: domain::time::Timestamp) -> Result<(String, Begun), Failure> {
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
    pub async fn end(&self, redirect: &str, begun: &Begun, code: &str) -> Result<Presented, Failure> {
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
        match identity(&client, &tokens, &begun.nonce) {
            Err(Failure::UnknownKey) => {
                let metadata = self.metadata(fetch, Some(&metadata)).await?;
                let client = self.client(&metadata, redirect)?;
                let known = identity(&client, &tokens, &begun.nonce)?;
                self.complete(fetch, &client, &tokens, known).await
            }
            known => self.complete(fetch, &client, &tokens, known?).await,
        }
    }

    /// Asks for what the token leaves out: many providers keep it to the bare subject.
    async fn complete(&self, fetch: &Fetch, client: &Client, tokens: &Tokens, (subject, mut claims): (String, Claims)) -> Result<Presented, Failure> {
        let login_claim = self.config.login_claim.as_str();
        let lacking = claims.login(login_claim).is_none() || (self.config.create_accounts && claims.name().is_none());
        if lacking && client.user_info_url().is_some() {
            let asked = client
                .user_info(tokens.access_token().clone(), Some(openidconnect::SubjectIdentifier::new(subject.clone())))
                .map_err(|error| Failure::Unusable(words(&error)))?;
            let said: UserInfoClaims<Extra, CoreGenderClaim> = asked.request_async(fetch).await.map_err(user_info_failure)?;
            claims.complete(Claims::of(&said));
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
            let asked = CoreProviderMetadata::discover_async(issuer, fetch).await;
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
        // What was known an hour ago is most likely true still.
        match known {
            Some((metadata, _)) if outdated.is_none() => {
                tracing::warn!(reason = %refused, "the identity provider could not be asked again; what is known of it is used");
                Ok(metadata)
            }
            _ => Err(refused),
        }
    }
}

/// Subject and claims of an ID token that holds in every respect.
fn identity(client: &Client, tokens: &Tokens, nonce: &str) -> Result<(String, Claims), Failure> {
    let token = tokens.id_token().ok_or_else(|| Failure::Unusable("it gave no ID token".to_owned()))?;
    // Keys that two know sign nothing.
    let verifier = client.id_token_verifier().set_allowed_algs(SIGNATURES);
    let claims = token.claims(&verifier, &Nonce::new(nonce.to_owned())).map_err(|error| match error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => Failure::UnknownKey,
        other => Failure::Unusable(words(&other)),
    })?;
    if let Some(expected) = claims.access_token_hash() {
        let unusable = |error: SignatureVerificationError| Failure::Unusable(words(&error));
        let (algorithm, key) = (token.signing_alg().map_err(unusable)?, token.signing_key(&verifier).map_err(unusable)?);
        let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key).map_err(|error| Failure::Unusable(words(&error)))?;
        if actual != *expected {
            return Err(Failure::Unusable("the access token is not the one of the ID token".to_owned()));
        }
    }
    Ok((claims.subject().to_string(), Claims::of(claims)))
}

const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What the provider answers may hold tokens where it cannot be read: only its own words for a refusal are kept.
fn exchange_failure(error: RequestTokenError<FetchError, StandardErrorResponse<CoreErrorResponseType>>) -> Failure {
    match error {
        RequestTokenError::ServerResponse(answer) if *answer.error() == CoreErrorResponseType::InvalidGrant => Failure::CodeOver,
        RequestTokenError::ServerResponse(answer) => Failure::Unusable(format!("it refused the code: {:?}", answer.to_string())),
        RequestTokenError::Request(error) => Failure::Away(words(&error)),
        RequestTokenError::Parse(..) => Failure::Unusable("what it gave for the code cannot be read".to_owned()),
        RequestTokenError::Other(reason) => Failure::Unusable(reason),
    }
}

/// The same for what it says of a person.
fn user_info_failure(error: UserInfoError<FetchError>) -> Failure {
    match error {
        UserInfoError::Request(error) => Failure::Away(words(&error)),
        UserInfoError::Parse(_) => Failure::Unusable("what it says of the person cannot be read".to_owned()),
        other => Failure::Unusable(words(&other)),
    }
}
