//! Identifies a person by the claims of the identity provider. Only the claims that are used are checked: no other claim can make a sign-in
//! fail.

use openidconnect::url::Url;
use serde_json::{Map, Value};
use services::accounts::external::Presented;

const SUBJECT_MAX: usize = 255;

/// The type of a claim that must be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// Names a person for ever: a text of 1 to 255 characters (OpenID Connect Core, 2), none of them a control character.
    Subject,
    /// A text; may be absent.
    OptionalText,
    /// One text or several.
    Texts,
    Address,
    /// Seconds since 1970, up to the year 9999.
    Time,
}

impl Kind {
    /// Errors: what is wrong, with the claim's name and without its value.
    pub fn check(self, claim: &str, value: Option<&Value>) -> Result<(), String> {
        let Some(value) = value else {
            return if self == Self::OptionalText { Ok(()) } else { Err(format!("`{claim}` is absent")) };
        };
        if let (Self::Subject, Some(text)) = (self, value.as_str()) {
            let fits = (1..=SUBJECT_MAX).contains(&text.chars().take(SUBJECT_MAX + 1).count()) && !text.contains(char::is_control);
            return if fits { Ok(()) } else { Err(format!("`{claim}` must have 1 to {SUBJECT_MAX} characters and no control characters")) };
        }
        let (fits, wanted) = match self {
            Self::Text | Self::Subject | Self::OptionalText => (value.is_string(), "text"),
            Self::Texts => (value.is_string() || value.as_array().is_some_and(|list| list.iter().all(Value::is_string)), "text or a list of texts"),
            Self::Address => (value.as_str().is_some_and(|text| Url::parse(text).is_ok()), "URL"),
            Self::Time => (value.as_f64().is_some_and(|seconds| (0.0..253_402_300_800.0).contains(&seconds)), "time in seconds since 1970"),
        };
        if fits { Ok(()) } else { Err(format!("`{claim}` is {}, not a {wanted}", kind_of(value))) }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

const EMAIL: [&str; 2] = ["email", "email_verified"];

/// All verified claims about a person, by name.
#[derive(Debug, Default)]
pub struct Claims(Map<String, Value>);

impl Claims {
    pub const fn of(verified: Map<String, Value>) -> Self {
        Self(verified)
    }

    /// Adds what `others` say beyond this; what is here stays.
    pub fn complete(&mut self, others: Self) {
        self.0.retain(|_, value| !value.is_null());
        // An address and its verification belong together, so both come from the same source.
        if !EMAIL.iter().all(|claim| self.0.contains_key(*claim)) && others.0.contains_key(EMAIL[0]) {
            self.0.retain(|claim, _| !EMAIL.contains(&claim.as_str()));
        }
        for (name, value) in others.0 {
            self.0.entry(name).or_insert(value);
        }
    }

    /// A text or number, trimmed. Errors: what is wrong, with the claim's name.
    fn text(&self, claim: &str) -> Result<String, String> {
        match self.0.get(claim) {
            None | Some(Value::Null) => Err(format!("`{claim}` is absent")),
            Some(Value::String(text)) if text.trim().is_empty() => Err(format!("`{claim}` is empty")),
            Some(Value::String(text)) => Ok(text.trim().to_owned()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(other) => Err(format!("`{claim}` is {}, not a text", kind_of(other))),
        }
    }

    /// The login by this claim. An address counts only once the provider has verified it: anybody can type another's.
    ///
    /// Errors: what is wrong, with the claim's name.
    pub fn login(&self, claim: &str) -> Result<String, String> {
        // Some providers write the boolean as a text.
        let verified = self.0.get("email_verified").is_some_and(|value| *value == Value::Bool(true) || value.as_str() == Some("true"));
        if claim == "email" && !verified {
            return Err("`email` does not count, since `email_verified` is not true".to_owned());
        }
        self.text(claim)
    }

    /// Errors: as [`Self::login`].
    pub fn name(&self) -> Result<String, String> {
        self.text("name")
    }

    pub fn presented(&self, subject: &str, login_claim: &str) -> Presented {
        Presented { subject: subject.to_owned(), login: self.login(login_claim).ok(), name: self.name().ok() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(said: Value) -> Claims {
        let Value::Object(claims) = said else { panic!("claims are an object") };
        Claims::of(claims)
    }

    #[test]
    fn the_login_is_the_claim_that_the_settings_name() {
        let claims = claims(json!({"preferred_username": " li.hua ", "name": "李华", "number": 2_026_001, "groups": ["a"], "empty": " "}));
        let presented = claims.presented("s", "preferred_username");
        assert_eq!(presented, Presented { subject: "s".into(), login: Some("li.hua".into()), name: Some("李华".into()) });
        assert_eq!(claims.login("number").as_deref(), Ok("2026001"));
        for (claim, reason) in [("groups", "`groups` is a list, not a text"), ("empty", "`empty` is empty"), ("absent", "`absent` is absent")] {
            assert_eq!(claims.login(claim), Err(reason.to_owned()));
        }
    }

    #[test]
    fn an_address_counts_when_it_is_verified() {
        for verified in [json!(true), json!("true")] {
            let said = claims(json!({"email": "li@example.edu", "email_verified": verified}));
            assert_eq!(said.login("email").as_deref(), Ok("li@example.edu"), "{verified}");
        }
        for unverified in [json!(false), json!("false"), json!("yes"), json!(1), Value::Null] {
            let said = claims(json!({"email": "li@example.edu", "email_verified": unverified}));
            assert!(said.login("email").unwrap_err().contains("`email_verified`"), "{unverified}");
        }
    }

    #[test]
    fn claims_of_any_kind_are_nobody_rather_than_a_failure() {
        let kinds =
            [json!(null), json!(true), json!(-0.0), json!(u64::MAX), json!(""), json!(" \u{0} "), json!([]), json!(["li"]), json!({"login": "li"})];
        for value in kinds {
            let claims = claims(json!({"preferred_username": value, "name": value, "email": value, "email_verified": value}));
            let presented = claims.presented("", "preferred_username");
            assert!(presented.login.is_none_or(|login| !login.is_empty() && value.as_str().is_none_or(|text| login == text.trim())), "{value}");
            assert!(claims.login("email").is_err() || value == true, "{value}");
        }
    }

    #[test]
    fn the_token_goes_before_what_is_asked_afterwards() {
        let mut said = claims(json!({"preferred_username": "li"}));
        said.complete(claims(json!({"preferred_username": "wang", "name": "Li"})));
        assert_eq!((said.login("preferred_username").as_deref(), said.name().as_deref()), (Ok("li"), Ok("Li")));
        let mut null = claims(json!({"preferred_username": null}));
        null.complete(claims(json!({"preferred_username": "wang"})));
        assert_eq!(null.login("preferred_username").as_deref(), Ok("wang"), "null is absent");
    }

    #[test]
    fn one_address_is_not_verified_by_what_is_said_of_another() {
        let mut said = claims(json!({"email": "root@example.edu"}));
        said.complete(claims(json!({"email": "li@example.edu", "email_verified": true})));
        assert_eq!(said.login("email").as_deref(), Ok("li@example.edu"));
    }

    #[test]
    fn a_claim_that_is_verified_is_of_its_kind() {
        let good = [
            (Kind::Text, json!("s")),
            (Kind::Texts, json!("lectern")),
            (Kind::Texts, json!(["lectern", "other"])),
            (Kind::Address, json!("https://id.example.edu")),
            (Kind::Subject, json!("用户 7")),
            (Kind::Subject, json!("s".repeat(255))),
            (Kind::Time, json!(1_795_212_189)),
            (Kind::Time, json!(1_795_212_189.5)),
        ];
        for (kind, value) in good {
            assert_eq!(kind.check("c", Some(&value)), Ok(()), "{value}");
        }
        let bad = [
            (Kind::Text, json!(24_400_320), "`c` is a number, not a text"),
            (Kind::OptionalText, json!(["lectern"]), "`c` is a list, not a text"),
            (Kind::Texts, json!(["lectern", 5]), "`c` is a list, not a text or a list of texts"),
            (Kind::Address, json!("id"), "`c` is a text, not a URL"),
            (Kind::Time, json!("1795212189"), "`c` is a text, not a time in seconds since 1970"),
            (Kind::Time, json!(1e300), "`c` is a number, not a time in seconds since 1970"),
        ];
        for (kind, value, reason) in bad {
            assert_eq!(kind.check("c", Some(&value)), Err(reason.to_owned()));
        }
        for subject in [String::new(), "s".repeat(256), "a\u{0}b".to_owned(), "a\nb".to_owned(), "a\u{85}".to_owned()] {
            let reason = "`sub` must have 1 to 255 characters and no control characters";
            assert_eq!(Kind::Subject.check("sub", Some(&json!(subject))), Err(reason.to_owned()), "{subject:?}");
        }
        assert_eq!(Kind::Subject.check("sub", Some(&json!(5))), Err("`sub` is a number, not a text".to_owned()));
        assert_eq!(Kind::OptionalText.check("azp", None), Ok(()));
        assert_eq!(Kind::Time.check("exp", None), Err("`exp` is absent".to_owned()));
    }
}
