use base64::prelude::BASE64_STANDARD;
use openidconnect::{
    PrivateSigningKey as _,
    core::{CoreEdDsaPrivateSigningKey, CoreHmacKey},
};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const SECRET: &str = "the client's secret";
const BASE64: GeneralPurpose = base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// A key made from this number; all have the same id.
fn key(seed: u8) -> CoreEdDsaPrivateSigningKey {
    // PKCS #8 of an Ed25519 key: a fixed beginning and 32 bytes.
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    der.extend([seed; 32]);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64_STANDARD.encode(der));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new("one".to_owned()))).expect("a key")
}

fn signed(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let text = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
    let signature = BASE64.encode(sign(text.as_bytes()));
    format!("{text}.{signature}")
}

fn token(claims: &Value) -> String {
    signed(&json!({"alg": "EdDSA", "kid": "one", "typ": "JWT"}), claims, |text| key(1).sign(&CoreJwsSigningAlgorithm::EdDsa, text).expect("signed"))
}

/// Valid claims with these changes; `null` removes a claim.
fn claims(changes: Value) -> Value {
    let mut claims = json!({"iss": "https://id.example.edu", "sub": "u-1", "aud": "lectern", "nonce": "n", "preferred_username": "li.hua"});
    claims["exp"] = (NOW.seconds() + 300).into();
    claims["iat"] = NOW.seconds().into();
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (claim, value) in changes {
        claims[&claim] = value;
    }
    claims
}

fn read(token: &str, trusted: &[String]) -> Result<(String, Claims), Failure> {
    let issuer = IssuerUrl::new("https://id.example.edu".to_owned()).unwrap();
    let keys = JsonWebKeySet::new(vec![key(1).as_verification_key()]);
    let client = ClientId::new("lectern".to_owned());
    let access_token = AccessToken::new("access".to_owned());
    let expected = Expected { issuer: &issuer, client: &client, trusted_audiences: trusted, keys: &keys, nonce: "n", now: NOW };
    id_token(token, Some(&access_token), &expected)
}

/// The login from a token with these changes, or the reason of its refusal.
fn login(changes: Value, trusted: &[&str]) -> Result<String, String> {
    let trusted: Vec<String> = trusted.iter().map(|&audience| audience.to_owned()).collect();
    match read(&token(&claims(changes)), &trusted) {
        Ok((subject, claims)) => {
            assert_eq!(subject, "u-1");
            claims.login("preferred_username")
        }
        Err(failure) => Err(failure.to_string()),
    }
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "a document written in place")]
fn refused(changes: Value, trusted: &[&str], word: &str) {
    let reason = login(changes.clone(), trusted).expect_err(&changes.to_string());
    assert!(reason.contains(word), "{changes}: {reason}");
}

#[test]
fn a_token_for_several_audiences_is_good_when_it_was_issued_to_this_client() {
    let good = Ok("li.hua".to_owned());
    for audiences in [json!("lectern"), json!(["lectern"]), json!(["lectern", "lectern"])] {
        assert_eq!(login(json!({"aud": audiences}), &[]), good, "{audiences}");
    }
    // As ZITADEL writes it: all applications of the project, and the project.
    let several = json!(["284712@project", "lectern", "284712"]);
    assert_eq!(login(json!({"aud": several, "azp": "lectern"}), &[]), good);
    assert_eq!(login(json!({"aud": several}), &["284712", "284712@project"]), good, "trusted by the setting");
    refused(json!({"aud": several}), &[], "`aud`");
    refused(json!({"aud": several}), &["284712"], "`284712@project` is not a trusted audience");
    refused(json!({"aud": ["284712"], "azp": "lectern"}), &["284712"], "`aud`");
    refused(json!({"aud": []}), &[], "`aud`");
}

#[test]
fn a_token_that_was_issued_to_another_client_is_refused() {
    for audiences in [json!("lectern"), json!(["lectern", "wiki"])] {
        refused(json!({"aud": audiences, "azp": "wiki"}), &["wiki"], "`azp` is \"wiki\"");
    }
    refused(json!({"azp": ["lectern"]}), &[], "`azp` is a list, not a text");
    assert_eq!(login(json!({"azp": null}), &[]), Ok("li.hua".to_owned()), "null is absent");
}

#[test]
fn claims_that_nobody_reads_may_be_of_any_type() {
    for (claim, value) in [
        ("address", json!("1 Campus Road")),
        ("picture", json!({"url": "https://id.example.edu/li.png"})),
        ("birthdate", json!(19_900_101)),
        ("updated_at", json!("1795212189")),
        ("name", json!(["Li", "Hua"])),
        ("auth_time", json!("yesterday")),
        ("amr", json!("pwd")),
        ("acr", json!(1)),
        ("c_hash", json!(5)),
        ("locale", json!({})),
        ("phone_number_verified", json!("maybe")),
        ("gender", json!(["f"])),
        ("zoneinfo", json!(8)),
        ("name#zh", json!(5)),
    ] {
        assert_eq!(login(json!({claim: value}), &[]), Ok("li.hua".to_owned()), "{claim}");
    }
}

#[test]
fn a_claim_that_is_used_and_wrong_is_named() {
    for (claim, value, word) in [
        ("iss", json!("https://other.example.edu"), "`iss`"),
        ("iss", json!(5), "`iss` is a number"),
        ("sub", json!(24_400_320), "`sub` is a number, not a text"),
        ("sub", Value::Null, "`sub` is absent"),
        ("aud", json!({"client": "lectern"}), "`aud` is an object"),
        ("exp", json!("1795212189"), "`exp` is a text"),
        ("exp", json!(NOW.seconds()), "`exp`"),
        ("exp", Value::Null, "`exp` is absent"),
        ("iat", json!({}), "`iat` is an object"),
        ("nonce", json!("another"), "`nonce`"),
        ("nonce", Value::Null, "`nonce` is absent"),
        ("preferred_username", json!(["li.hua"]), "`preferred_username` is a list"),
        ("at_hash", json!("AAAA"), "`at_hash`"),
        ("at_hash", json!(5), "`at_hash`"),
    ] {
        refused(json!({claim: value}), &[], word);
    }
}

#[test]
fn a_token_from_the_future_is_refused_beyond_a_small_difference_of_clocks() {
    let at = |seconds: i64| json!({"iat": NOW.seconds() + seconds, "exp": NOW.seconds() + 100_000});
    assert_eq!(login(at(CLOCK_SKEW_SECONDS), &[]), Ok("li.hua".to_owned()));
    for ahead in [CLOCK_SKEW_SECONDS + 1, 86_400] {
        refused(at(ahead), &[], "`iat`");
    }
    for good in [json!(NOW.seconds() + CLOCK_SKEW_SECONDS), json!(NOW.seconds() - 86_400), json!(0), Value::Null] {
        assert_eq!(login(json!({"nbf": good}), &[]), Ok("li.hua".to_owned()), "{good}");
    }
    for bad in [json!(NOW.seconds() + CLOCK_SKEW_SECONDS + 1), json!(NOW.seconds() + 86_400), json!(1_800_000_121.5), json!("1795212189"), json!(-1)]
    {
        refused(json!({"nbf": bad}), &[], "`nbf`");
    }
}

#[test]
fn the_access_token_is_the_one_that_the_id_token_names() {
    let hash = AccessTokenHash::from_token(&AccessToken::new("access".to_owned()), &CoreJwsSigningAlgorithm::EdDsa, &key(1).as_verification_key());
    assert_eq!(login(json!({"at_hash": hash.unwrap()}), &[]), Ok("li.hua".to_owned()));
}

#[test]
fn a_signature_is_over_the_token_as_it_came() {
    let good = token(&claims(json!({})));
    let parts: Vec<&str> = good.split('.').collect();
    let forged = BASE64.encode(claims(json!({"preferred_username": "administrator"})).to_string());
    let reduced = Signed::read(&good, &ID_TOKEN).unwrap().reduced;
    for bad in
        [format!("{}.{forged}.{}", parts[0], parts[2]), reduced, format!("{}.{}.", parts[0], parts[1]), format!("{}.{}.AAAA", parts[0], parts[1])]
    {
        let failure = read(&bad, &[]).unwrap_err();
        assert!(failure.to_string().contains("Signature verification failed"), "{failure}");
    }
    let by = |seed| {
        signed(&json!({"alg": "EdDSA", "kid": "one"}), &claims(json!({})), |text| key(seed).sign(&CoreJwsSigningAlgorithm::EdDsa, text).unwrap())
    };
    assert!(read(&by(1), &[]).is_ok());
    assert!(matches!(read(&by(2), &[]), Err(Failure::BadSignature(_))), "another key under the same id");
}

#[test]
fn only_signatures_of_the_providers_own_keys_count() {
    let unsigned = signed(&json!({"alg": "none"}), &claims(json!({})), |_| Vec::new());
    assert!(matches!(read(&unsigned, &[]), Err(Failure::Unusable(_))));
    for secret in [SECRET, ""] {
        let shared = CoreHmacKey::new(secret.as_bytes().to_vec());
        let shared = signed(&json!({"alg": "HS256"}), &claims(json!({})), |text| shared.sign(&CoreJwsSigningAlgorithm::HmacSha256, text).unwrap());
        assert!(matches!(read(&shared, &[]), Err(Failure::Unusable(_))));
    }
    let sign = |text: &[u8]| key(1).sign(&CoreJwsSigningAlgorithm::EdDsa, text).unwrap();
    let unknown = signed(&json!({"alg": "EdDSA", "kid": "two"}), &claims(json!({})), sign);
    assert!(matches!(read(&unknown, &[]), Err(Failure::UnknownKey)));
    let critical = signed(&json!({"alg": "EdDSA", "kid": "one", "crit": ["exp"]}), &claims(json!({})), sign);
    assert!(matches!(read(&critical, &[]), Err(Failure::Unusable(_))));
}

#[test]
fn signed_user_info_is_for_this_client() {
    let issuer = IssuerUrl::new("https://id.example.edu".to_owned()).unwrap();
    let keys = JsonWebKeySet::new(vec![key(1).as_verification_key()]);
    let client = ClientId::new("lectern".to_owned());
    let expected = Expected { issuer: &issuer, client: &client, trusted_audiences: &[], keys: &keys, nonce: "", now: NOW };
    let read = |changes| user_info(&token(&claims(changes)), "u-1", &expected).unwrap_err().to_string();
    assert!(read(json!({"aud": "wiki"})).contains("`aud`"));
    assert!(read(json!({"sub": 5})).contains("`sub` is a number"));
    // Here the library allows RS256 only. Reaching that check shows that the odd claim was accepted.
    assert!(read(json!({"address": "1 Campus Road"})).contains("Disallowed signature algorithm"));
}

proptest! {
    #[test]
    fn what_is_no_token_is_refused(text in ".{0,200}", claims in ".{0,60}", at in 0..3_usize) {
        prop_assert!(read(&text, &[]).is_err());
        let good = token(&super::tests::claims(json!({})));
        let mut parts: Vec<String> = good.split('.').map(ToOwned::to_owned).collect();
        parts[at] = BASE64.encode(&claims);
        prop_assert!(read(&parts.join("."), &[]).is_err());
        parts[at] = claims;
        prop_assert!(read(&parts.join("."), &[]).is_err());
    }
}
