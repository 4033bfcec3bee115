//! Which answers of an identity provider are accepted, and which are refused; with a provider for tests.

use serde_json::{Value, json};

use crate::{
    campus::{Campus, Says},
    support::Log,
};

/// Claims of an ID token that identify the teacher, with these changes.
#[expect(clippy::needless_pass_by_value, reason = "a document written in place")]
fn teacher(changes: Value) -> Value {
    let mut claims = json!({"preferred_username": "teacher"});
    for (claim, value) in changes.as_object().expect("an object") {
        claims[claim] = value.clone();
    }
    claims
}

const IN: &str = "/orders";
const REFUSED: &str = "/sign-in?back=/orders";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_for_several_audiences_signs_in_by_azp_or_by_the_setting() {
    let campus = Campus::start().await;
    let portal = campus.portal(|oidc| oidc.trusted_audiences = vec!["account".into()]).await;
    portal.people().await;
    for (claims, ends) in [
        (json!({"aud": ["284712", "lectern"], "azp": "lectern"}), IN),
        (json!({"aud": ["account", "lectern"]}), IN),
        (json!({"aud": ["284712", "lectern"]}), REFUSED),
        (json!({"aud": ["account", "lectern"], "azp": "wiki"}), REFUSED),
        (json!({"azp": "wiki"}), REFUSED),
    ] {
        let says = Says { claims: teacher(claims.clone()), ..Says::default() };
        assert_eq!(campus.sends(&portal, says).await, ends, "{claims}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_that_nobody_reads_may_be_of_any_type_wherever_they_stand() {
    let campus = Campus::start().await;
    let portal = campus.portal(|_| {}).await;
    portal.people().await;
    let odd = json!({
        "address": "1 Campus Road", "picture": {"url": "p"}, "birthdate": 19_900_101, "updated_at": "1795212189", "name": ["Li", "Hua"],
    });
    let configuration = json!({"service_documentation": 5, "ui_locales_supported": "zh", "claims_supported": {}, "display_values_supported": "page"});
    let tokens = json!({"expires_in": "3600", "scope": ["openid"], "token_type": "bearer"});
    // The token has no login, so user info is requested.
    let another = Says { configuration, user_info: teacher(json!({"sub": "u-2"})), ..Says::default() };
    assert_eq!(campus.sends(&portal, another).await, REFUSED, "user info of somebody else");
    let asked = Says { user_info: teacher(odd.clone()), ..Says::default() };
    assert_eq!(campus.sends(&portal, asked).await, IN);
    let in_token = Says { tokens, claims: teacher(odd), ..Says::default() };
    assert_eq!(campus.sends(&portal, in_token).await, IN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_no_answers_refuse_and_break_nothing() {
    let campus = Campus::start().await;
    let portal = campus.portal(|_| {}).await;
    portal.people().await;
    for tokens in [json!({"id_token": null}), json!({"id_token": 5}), json!({"id_token": "a.b.c"}), json!({"access_token": []})] {
        let says = Says { tokens: tokens.clone(), claims: teacher(json!({})), ..Says::default() };
        assert_eq!(campus.sends(&portal, says).await, REFUSED, "{tokens}");
    }
    for user_info in [json!({"sub": 5}), json!({"sub": null}), json!({"preferred_username": ["teacher"]})] {
        let says = Says { user_info: user_info.clone(), ..Says::default() };
        assert_eq!(campus.sends(&portal, says).await, REFUSED, "{user_info}");
    }
    let says = Says { claims: teacher(json!({"iat": portal.world.services.clock.now().seconds() + 86_400})), ..Says::default() };
    assert_eq!(campus.sends(&portal, says).await, REFUSED, "issued tomorrow");
    assert_eq!(campus.sends(&portal, Says { claims: teacher(json!({})), ..Says::default() }).await, IN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_set_up_anew_is_asked_for_its_keys_again() {
    let campus = Campus::start().await;
    let portal = campus.portal(|_| {}).await;
    portal.people().await;
    let says = || Says { claims: teacher(json!({})), ..Says::default() };
    assert_eq!(campus.sends(&portal, says()).await, IN);
    campus.is_set_up_anew();
    assert_eq!(campus.sends(&portal, says()).await, IN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_info_is_needed_for_a_first_sign_in_alone_and_there_for_the_login_alone() {
    let campus = Campus::start().await;
    let portal = campus.portal(|oidc| oidc.create_accounts = true).await;
    portal.people().await;
    let silent = |claims| Says { claims, user_info_fails: true, ..Says::default() };
    assert_eq!(campus.sends(&portal, silent(json!({}))).await, REFUSED, "nobody knows whose account it is");
    assert_eq!(campus.sends(&portal, silent(teacher(json!({"name": ["Li"]})))).await, IN);
    assert_eq!(campus.sends(&portal, silent(json!({}))).await, IN, "known by the subject");
    assert_eq!(campus.sends(&portal, silent(json!({"sub": "u-9", "preferred_username": "new.teacher"}))).await, IN, "the login does for a name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subject_that_names_nobody_signs_nobody_in() {
    let campus = Campus::start().await;
    let portal = campus.portal(|_| {}).await;
    portal.people().await;
    for subject in [json!(""), json!("a\u{0}b"), json!("s".repeat(256)), json!(7), json!(null)] {
        let says = Says { claims: teacher(json!({"sub": subject})), ..Says::default() };
        assert_eq!(campus.sends(&portal, says).await, REFUSED, "{subject}");
    }
    let joined = storage::testing::number(&portal.world.services.db, "SELECT COUNT(*) FROM identities").await;
    assert_eq!(joined, 0);
}

// One thread, which is the one whose log is read.
#[tokio::test]
async fn the_log_names_the_claim_that_is_wrong() {
    let campus = Campus::start().await;
    let portal = campus.portal(|_| {}).await;
    portal.people().await;
    let log = Log::begin();
    let failed = "a sign-in through the identity provider failed request.id=";
    let lacks = "the identity provider does not say all that is needed of a person";
    for (claims, message, named) in [
        (json!({"sub": 7}), failed, "`sub` is a number"),
        (json!({"aud": {"client": "lectern"}}), failed, "`aud` is an object"),
        (json!({"iat": {}}), failed, "`iat` is an object"),
        (json!({"nonce": "another"}), failed, "`nonce`"),
        (json!({"preferred_username": ["teacher"]}), lacks, "`preferred_username` is a list"),
    ] {
        let before = log.lines().len();
        assert_eq!(campus.sends(&portal, Says { claims: teacher(claims.clone()), ..Says::default() }).await, REFUSED, "{claims}");
        let lines = log.lines().split_off(before);
        assert!(lines.iter().any(|line| line.contains(message) && line.contains(named)), "{claims}: {lines:#?}");
    }
}
