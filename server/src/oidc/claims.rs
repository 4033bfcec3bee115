//! Who somebody is, out of what the identity provider says of them.

use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services::accounts::external::Presented;

/// Claims that no standard names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Extra {
    #[serde(flatten)]
    claims: Map<String, Value>,
}

impl AdditionalClaims for Extra {}

/// All claims about somebody, standard or not, by their names.
#[derive(Debug, Default)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Out of verified claims, which are an object.
    pub fn of(verified: &impl Serialize) -> Self {
        match serde_json::to_value(verified) {
            Ok(Value::Object(claims)) => Self(claims),
            _ => Self::default(),
        }
    }

    /// Adds what `others` say beyond this; what is here stays.
    pub fn complete(&mut self, others: Self) {
        for (name, value) in others.0 {
            self.0.entry(name).or_insert(value);
        }
    }

    /// Text or number, without space around it; `None` where there is nothing.
    fn text(&self, claim: &str) -> Option<String> {
        let text = match self.0.get(claim)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// The login by this claim. An address counts only once the provider has verified it: anybody can type another's.
    pub fn login(&self, claim: &str) -> Option<String> {
        let proven = claim != "email" || self.0.get("email_verified") == Some(&Value::Bool(true));
        self.text(claim).filter(|_| proven)
    }

    pub fn name(&self) -> Option<String> {
        self.text("name")
    }

    pub fn presented(&self, subject: &str, login_claim: &str) -> Presented {
        Presented { subject: subject.to_owned(), login: self.login(login_claim), name: self.name() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_login_is_the_claim_that_the_settings_name() {
        let claims = Claims::of(&json!({"preferred_username": " li.hua ", "name": "李华", "number": 2_026_001, "groups": ["a"], "empty": " "}));
        let presented = claims.presented("s", "preferred_username");
        assert_eq!(presented, Presented { subject: "s".into(), login: Some("li.hua".into()), name: Some("李华".into()) });
        assert_eq!(claims.login("number").as_deref(), Some("2026001"));
        for nothing in ["groups", "empty", "absent"] {
            assert_eq!(claims.login(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn an_address_counts_when_it_is_verified() {
        for (claims, login) in [
            (json!({"email": "li@example.edu", "email_verified": true}), Some("li@example.edu")),
            (json!({"email": "li@example.edu", "email_verified": false}), None),
            (json!({"email": "li@example.edu"}), None),
        ] {
            assert_eq!(Claims::of(&claims).login("email").as_deref(), login, "{claims}");
        }
    }

    /// As they come in a token and as they come from the user info endpoint.
    #[test]
    fn what_providers_write_otherwise_than_the_standard_is_read() {
        type Gender = openidconnect::core::CoreGenderClaim;
        for verified in [json!(true), json!("true")] {
            for updated in [json!(1_795_212_189), json!(1_795_212_189.5), json!("2026-11-21T14:03:09Z"), json!("2026-11-21T14:03:09.250+08:00")] {
                let mut said = json!({"sub": "s", "email": "li@example.edu", "email_verified": verified, "updated_at": updated});
                let info = openidconnect::UserInfoClaims::<Extra, Gender>::from_json::<std::io::Error>(said.to_string().as_bytes(), None);
                let info = info.unwrap_or_else(|error| panic!("{said}: {error}"));
                assert_eq!(Claims::of(&info).login("email").as_deref(), Some("li@example.edu"), "{said}");
                for (claim, value) in [("iss", json!("https://id.example.edu")), ("aud", json!(["lectern"])), ("exp", json!(2)), ("iat", json!(1))] {
                    said[claim] = value;
                }
                let token: openidconnect::IdTokenClaims<Extra, Gender> =
                    serde_json::from_value(said.clone()).unwrap_or_else(|error| panic!("{said}: {error}"));
                assert_eq!(Claims::of(&token).login("email").as_deref(), Some("li@example.edu"), "{said}");
            }
        }
        let unproven = json!({"sub": "s", "email": "li@example.edu", "email_verified": "false"});
        let info = openidconnect::UserInfoClaims::<Extra, Gender>::from_json::<std::io::Error>(unproven.to_string().as_bytes(), None).unwrap();
        assert_eq!(Claims::of(&info).login("email"), None);
    }

    #[test]
    fn claims_of_any_kind_are_nobody_rather_than_a_failure() {
        let kinds =
            [json!(null), json!(true), json!(-0.0), json!(u64::MAX), json!(""), json!(" \u{0} "), json!([]), json!(["li"]), json!({"login": "li"})];
        for value in kinds {
            let claims = Claims::of(&json!({"preferred_username": value, "name": value, "email": value, "email_verified": value}));
            let presented = claims.presented("", "preferred_username");
            assert!(presented.login.is_none_or(|login| !login.is_empty() && value.as_str().is_none_or(|text| login == text.trim())), "{value}");
            assert!(claims.login("email").is_none() || value == true, "{value}");
        }
        for nobody in [json!(null), json!([]), json!("li"), json!(1)] {
            assert_eq!(Claims::of(&nobody).login("preferred_username"), None, "{nobody}");
        }
    }

    #[test]
    fn the_token_goes_before_what_is_asked_afterwards() {
        let mut claims = Claims::of(&json!({"preferred_username": "li"}));
        claims.complete(Claims::of(&json!({"preferred_username": "wang", "name": "Li"})));
        assert_eq!((claims.login("preferred_username").as_deref(), claims.name().as_deref()), (Some("li"), Some("Li")));
    }
}
