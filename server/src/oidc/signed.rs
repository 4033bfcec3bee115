//! ID tokens, and signed user info. The library verifies both: algorithm, key, signature, issuer, audience, times and nonce. But its struct
//! of standard claims refuses a whole token for a claim that is not used here, such as an `address` that is a text. So the library gets a
//! copy of the token with only the claims that it verifies, and keys that check the signature over the original token. To read another
//! claim from the verified ones, use [`Claims`].

use std::{sync::Arc, time::Duration};

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::general_purpose::{GeneralPurpose, NO_PAD},
};
use domain::time::Timestamp;
use openidconnect::{
    AccessToken, AccessTokenHash, Audience, ClaimsVerificationError, ClientId, EmptyAdditionalClaims, IdToken, IdTokenVerifier, IssuerUrl,
    JsonWebKey, JsonWebKeyAlgorithm, JsonWebKeyId, JsonWebKeySet, Nonce, SignatureVerificationError, SubjectIdentifier, UserInfoJsonWebToken,
    UserInfoVerifier,
    core::{CoreGenderClaim, CoreJsonWebKey, CoreJsonWebKeyType, CoreJsonWebKeyUse, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    claims::{Claims, Kind},
    failure::{Failure, words},
};

type Token = IdToken<EmptyAdditionalClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type UserInfo = UserInfoJsonWebToken<EmptyAdditionalClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

/// The claims of an ID token that the library verifies.
const ID_TOKEN: [(&str, Kind); 7] = [
    ("iss", Kind::Address),
    ("sub", Kind::Subject),
    ("aud", Kind::Texts),
    ("exp", Kind::Time),
    ("iat", Kind::Time),
    ("nonce", Kind::Text),
    ("azp", Kind::OptionalText),
];
/// The same for user info.
const USER_INFO: [(&str, Kind); 3] = [("iss", Kind::Address), ("sub", Kind::Subject), ("aud", Kind::Texts)];

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

/// How far the provider's clock may be ahead, of an ID token's `iat` and `nbf`.
const CLOCK_SKEW_SECONDS: i64 = 120;

/// The values that a token is checked against.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'e> {
    pub issuer: &'e IssuerUrl,
    pub client: &'e ClientId,
    /// Other audiences that a token may name without this client as its `azp`.
    pub trusted_audiences: &'e [String],
    pub keys: &'e JsonWebKeySet<CoreJsonWebKey>,
    pub nonce: &'e str,
    pub now: Timestamp,
}

/// Subject and claims of an ID token after all checks. `access_token`: the one that was issued with it.
///
/// Errors: `UnknownKey`; `BadSignature`; `Unusable`, which names the wrong claim.
pub fn id_token(token: &str, access_token: Option<&AccessToken>, expected: &Expected<'_>) -> Result<(String, Claims), Failure> {
    let signed = Signed::read(token, &ID_TOKEN)?;
    let reduced: Token = signed.reduced.parse().map_err(|error| Failure::Unusable(format!("the ID token cannot be read: {error}")))?;
    let issued_to = signed.claims.get("azp").and_then(Value::as_str);
    let client = expected.client.as_str();
    if let Some(other) = issued_to.filter(|party| *party != client) {
        return Err(Failure::Unusable(format!("`azp` is {other:?}: the ID token was issued to another client")));
    }
    let issued_here = issued_to.is_some();
    let trusts = move |audience: &Audience| issued_here || expected.trusted_audiences.iter().any(|trusted| *trusted == **audience);
    let time = std::time::UNIX_EPOCH + Duration::from_secs(expected.now.seconds().unsigned_abs());
    let latest = expected.now.seconds() + CLOCK_SKEW_SECONDS;
    // The verifier gets no client secret, so algorithms that need it are not allowed.
    let verifier = IdTokenVerifier::new_public_client(expected.client.clone(), expected.issuer.clone(), signed.keys(expected.keys))
        .set_allowed_algs(SIGNATURES)
        .set_other_audience_verifier_fn(trusts)
        .set_time_fn(move || time.into())
        .set_issue_time_verifier_fn(move |at| if at.timestamp() > latest { Err(format!("`iat` is {at}, which is still to come")) } else { Ok(()) });
    reduced.claims(&verifier, &Nonce::new(expected.nonce.to_owned())).map_err(verification_failure)?;
    // The library does not read it.
    if let Some(begin) = signed.claims.get("nbf").filter(|begin| !begin.is_null()) {
        Kind::Time.check("nbf", Some(begin)).map_err(Failure::Unusable)?;
        if begin.as_f64().is_some_and(|seconds| Duration::from_secs_f64(seconds) > Duration::from_secs(latest.unsigned_abs())) {
            return Err(Failure::Unusable(format!("`nbf` is {begin}, which is still to come")));
        }
    }
    if let (Some(said), Some(token)) = (signed.claims.get("at_hash").filter(|said| !said.is_null()), access_token) {
        let unusable = |error: &(dyn std::error::Error + 'static)| Failure::Unusable(format!("`at_hash`: {}", words(error)));
        let algorithm = reduced.signing_alg().map_err(|error| unusable(&error))?;
        let key = reduced.signing_key(&verifier).map_err(|error| unusable(&error))?;
        let hash = AccessTokenHash::from_token(token, algorithm, key).map_err(|error| unusable(&error))?;
        if serde_json::to_value(&hash).ok().as_ref() != Some(said) {
            return Err(Failure::Unusable("`at_hash` is not of the access token that came with the ID token".to_owned()));
        }
    }
    let subject = signed.claims.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok((subject, Claims::of(signed.claims)))
}

/// The claims of signed user info about this person.
///
/// Errors: as for [`id_token`].
pub fn user_info(token: &str, subject: &str, expected: &Expected<'_>) -> Result<Claims, Failure> {
    let signed = Signed::read(token, &USER_INFO)?;
    let reduced: UserInfo = serde_json::from_value(Value::String(signed.reduced.clone()))
        .map_err(|error| Failure::Unusable(format!("what it says of the person cannot be read: {error}")))?;
    let subject = Some(SubjectIdentifier::new(subject.to_owned()));
    let verifier = UserInfoVerifier::new(expected.client.clone(), expected.issuer.clone(), signed.keys(expected.keys), subject);
    reduced.claims(&verifier).map_err(verification_failure)?;
    Ok(Claims::of(signed.claims))
}

fn verification_failure(error: ClaimsVerificationError) -> Failure {
    match error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => Failure::UnknownKey,
        bad @ ClaimsVerificationError::SignatureVerification(SignatureVerificationError::CryptoError(_)) => Failure::BadSignature(words(&bad)),
        ClaimsVerificationError::InvalidAudience(reason) => {
            Failure::Unusable(format!("`aud`: {reason} (`azp` or oidc.trusted_audiences can make other audiences good)"))
        }
        ClaimsVerificationError::InvalidIssuer(reason) => Failure::Unusable(format!("`iss`: {reason}")),
        ClaimsVerificationError::InvalidNonce(reason) => Failure::Unusable(format!("`nonce`: {reason}")),
        ClaimsVerificationError::InvalidSubject(reason) => Failure::Unusable(format!("`sub`: {reason}")),
        ClaimsVerificationError::Expired(reason) => Failure::Unusable(format!("`exp` and `iat`: {reason}")),
        other => Failure::Unusable(words(&other)),
    }
}

/// A token as received, and the copy of it that the library reads.
struct Signed {
    /// All claims. They are valid only once `reduced` is verified.
    claims: Map<String, Value>,
    /// The signed text, `header.claims`.
    text: Arc<str>,
    /// `header.claims.signature` with only the claims that the library verifies.
    reduced: String,
}

impl Signed {
    /// `verified`: the claims that the library verifies. Errors: `Unusable`, which names the wrong claim.
    fn read(token: &str, verified: &[(&str, Kind)]) -> Result<Self, Failure> {
        // The same decoding as in the library, which reads the other two parts.
        let base64 = GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));
        let no_token = || Failure::Unusable("what it gives is no signed token".to_owned());
        let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().map_err(|_| no_token())?;
        let decoded = base64.decode(claims).map_err(|_| no_token())?;
        let all: Map<String, Value> = serde_json::from_slice(&decoded).map_err(|_| no_token())?;
        let mut kept = Map::new();
        for (claim, kind) in verified {
            let value = all.get(*claim).filter(|value| !value.is_null());
            kind.check(claim, value).map_err(Failure::Unusable)?;
            kept.extend(value.map(|value| ((*claim).to_owned(), value.clone())));
        }
        let reduced = base64.encode(Value::Object(kept).to_string());
        Ok(Self { claims: all, text: format!("{header}.{claims}").into(), reduced: format!("{header}.{reduced}.{signature}") })
    }

    /// The provider's keys, bound to this token.
    fn keys(&self, published: &JsonWebKeySet<CoreJsonWebKey>) -> JsonWebKeySet<Key> {
        JsonWebKeySet::new(published.keys().iter().map(|key| Key { key: key.clone(), signed: Arc::clone(&self.text) }).collect())
    }
}

/// A published key that checks the signature of one token: over the original text, not over the copy that the library reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Key {
    key: CoreJsonWebKey,
    #[serde(skip)]
    signed: Arc<str>,
}

impl JsonWebKey for Key {
    type KeyUse = CoreJsonWebKeyUse;
    type SigningAlgorithm = CoreJwsSigningAlgorithm;

    fn key_id(&self) -> Option<&JsonWebKeyId> {
        self.key.key_id()
    }
    fn key_type(&self) -> &CoreJsonWebKeyType {
        self.key.key_type()
    }
    fn key_use(&self) -> Option<&CoreJsonWebKeyUse> {
        self.key.key_use()
    }
    fn signing_alg(&self) -> JsonWebKeyAlgorithm<&CoreJwsSigningAlgorithm> {
        self.key.signing_alg()
    }
    /// A symmetric key verifies nothing here: without a token's text every signature fails.
    fn new_symmetric(key: Vec<u8>) -> Self {
        Self { key: CoreJsonWebKey::new_symmetric(key), signed: Arc::default() }
    }
    fn verify_signature(&self, algorithm: &CoreJwsSigningAlgorithm, _reduced: &[u8], signature: &[u8]) -> Result<(), SignatureVerificationError> {
        self.key.verify_signature(algorithm, self.signed.as_bytes(), signature)
    }
    fn hash_bytes(&self, bytes: &[u8], algorithm: &CoreJwsSigningAlgorithm) -> Result<Vec<u8>, String> {
        self.key.hash_bytes(bytes, algorithm)
    }
}

#[cfg(test)]
mod tests;
