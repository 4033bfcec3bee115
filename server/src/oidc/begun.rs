//! Sign-ins that have begun and wait for the browser to come back from the identity provider. The browser keeps each in a cookie of its own,
//! encrypted, so that beginning one writes no row and tabs do not get in each other's way. A cookie is good for one state and for ten minutes,
//! and is gone when the browser is back. A stranger can begin as many as they like.

use domain::{Error, secret::Secret, time::Timestamp};
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use services::{
    digest::hex_sha256,
    encryption::{Keyring, Sealed},
    error::internal,
    ports::Entropy,
};

const SECONDS: i64 = 600;
/// Sign-ins that a browser keeps. All their cookies together are within the 8 KiB that proxies allow for a header.
const MOST: usize = 6;
/// Before 16 digits of the state's hash. A name has the prefix of the session's cookie too: no other host can set it then.
const NAME: &str = "-oidc-";

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// In the name of the cookie, and bound to its content.
    #[serde(skip)]
    pub state: String,
    pub nonce: String,
    /// Of PKCE.
    pub verifier: String,
    /// Where the reader wanted to go.
    pub back: String,
    pub at: Timestamp,
}

/// The sign-ins of the browser that sent these headers.
pub struct All<'r> {
    headers: &'r HeaderMap,
    keyring: &'r Keyring,
    /// Of the names of its cookies.
    prefix: String,
    secure: &'static str,
}

impl<'r> All<'r> {
    /// `session`: the name of the session's cookie.
    pub fn of(headers: &'r HeaderMap, keyring: &'r Keyring, session: &str) -> Self {
        let secure = if session.starts_with("__Host-") { "; Secure" } else { "" };
        Self { headers, keyring, prefix: format!("{session}{NAME}"), secure }
    }

    /// The headers by which the browser keeps another one. The oldest gives way, which browsers name first.
    pub fn add(&self, begun: &Begun, entropy: &dyn Entropy) -> Result<Vec<HeaderValue>, Error> {
        let content = Secret::new(serde_json::to_string(begun).map_err(|error| internal(&error))?);
        let Sealed { key_id, text } = self.keyring.seal(entropy, &place(&begun.state), &content).map_err(|error| internal(&error))?;
        let known: Vec<_> = self.cookies().map(|(name, _)| name).filter(|name| name.starts_with(&self.prefix)).collect();
        let over = (known.len() + 1).saturating_sub(MOST);
        let mut headers: Vec<_> = known.into_iter().take(over).filter_map(|name| self.header(name, "", 0)).collect();
        headers.extend(self.header(&self.name(&begun.state), &format!("{key_id}.{text}"), SECONDS));
        Ok(headers)
    }

    /// The one with this state, if it is good, and the header by which the browser forgets it.
    pub fn take(&self, state: &str, now: Timestamp) -> (Option<Begun>, Option<HeaderValue>) {
        let name = self.name(state);
        let mut values = self.cookies().filter(|(other, _)| *other == name).map(|(_, value)| value).peekable();
        if values.peek().is_none() {
            return (None, None);
        }
        let begun = values.find_map(|value| self.open(state, value)).filter(|begun| now.seconds_since(begun.at) < SECONDS);
        (begun, self.header(&name, "", 0))
    }

    fn open(&self, state: &str, value: &str) -> Option<Begun> {
        let (key_id, text) = value.split_once('.')?;
        let sealed = Sealed { key_id: key_id.to_owned(), text: text.to_owned() };
        let content = self.keyring.open(&place(state), &sealed).ok()?;
        let begun: Begun = serde_json::from_str(content.expose()).ok()?;
        Some(Begun { state: state.to_owned(), ..begun })
    }

    fn name(&self, state: &str) -> String {
        let mut digits = hex_sha256(state);
        digits.truncate(16);
        format!("{}{digits}", self.prefix)
    }

    /// `None` for a name that no header takes, which a browser may have from elsewhere.
    fn header(&self, name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
        HeaderValue::from_str(&format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{}", self.secure)).ok()
    }

    fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='))
    }
}

/// The content of a cookie cannot be moved to one of another state.
fn place(state: &str) -> String {
    format!("sign-in {state}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use services::testing::HandEntropy;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const HTTPS: &str = "__Host-lectern";

    fn begun(state: &str, at: Timestamp) -> Begun {
        let text = String::from;
        Begun { state: text(state), nonce: text("n"), verifier: text("v"), back: text("/"), at }
    }

    /// Follows `Set-Cookie` as a browser does.
    fn heed(jar: &mut Vec<(String, String)>, headers: &[HeaderValue]) {
        for set in headers {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            jar.retain(|(known, _)| known != name);
            if !set.contains("Max-Age=0;") {
                jar.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn sent(jar: &[(String, String)]) -> HeaderMap {
        let pairs: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(&pairs.join("; ")).unwrap());
        headers
    }

    #[test]
    fn each_tab_has_its_own_and_it_is_good_once() {
        let (keyring, entropy) = (Keyring::for_testing(1), HandEntropy::new(Arc::default()));
        let mut jar = vec![("theme".to_owned(), "dark".to_owned())];
        for state in ["a", "b"] {
            let headers = sent(&jar);
            let set = All::of(&headers, &keyring, "lectern").add(&begun(state, NOW), &entropy).unwrap();
            assert_eq!(set.len(), 1);
            heed(&mut jar, &set);
        }
        let headers = sent(&jar);
        let all = All::of(&headers, &keyring, "lectern");
        assert!(all.take("x", NOW) == (None, None));
        let (first, forget) = all.take("a", NOW.plus_seconds(599));
        assert!(first == Some(begun("a", NOW)));
        assert!(all.take("b", NOW.plus_seconds(600)).0.is_none(), "too late");
        heed(&mut jar, &[forget.unwrap()]);
        let headers = sent(&jar);
        let all = All::of(&headers, &keyring, "lectern");
        assert!(all.take("a", NOW) == (None, None), "replayed");
        assert!(all.take("b", NOW).0.is_some());
    }

    #[test]
    fn a_cookie_shows_nothing_and_is_good_for_its_state_and_with_its_key_alone() {
        let (keyring, entropy) = (Keyring::for_testing(1), HandEntropy::new(Arc::default()));
        let none = HeaderMap::new();
        let secret = Begun { verifier: "the-verifier".into(), ..begun("a", NOW) };
        let set = All::of(&none, &keyring, HTTPS).add(&secret, &entropy).unwrap();
        let text = set[0].to_str().unwrap();
        assert!(text.starts_with("__Host-lectern-oidc-") && text.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{text}");
        assert!(!text.contains("the-verifier"));
        let value = text.split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
        let all = All::of(&none, &keyring, HTTPS);
        let (whole, cut) = (value.as_str(), &value[..value.len() - 2]);
        for (state, value, key) in [("b", whole, 1), ("a", whole, 2), ("a", "", 1), ("a", "k.zz", 1), ("a", cut, 1)] {
            let keyring = Keyring::for_testing(key);
            let headers = sent(&[(all.name(state), value.to_owned())]);
            assert!(All::of(&headers, &keyring, HTTPS).take(state, NOW).0.is_none(), "{state} {key}");
        }
        let headers = sent(&[(all.name("a"), "of somebody else".to_owned()), (all.name("a"), value)]);
        assert!(All::of(&headers, &keyring, HTTPS).take("a", NOW).0 == Some(secret), "another of the same name does not hide it");
    }

    #[test]
    fn a_browser_keeps_only_a_few_within_a_header() {
        let (keyring, entropy) = (Keyring::for_testing(1), HandEntropy::new(Arc::default()));
        let mut jar = Vec::new();
        let (back, nonce) = ("b".repeat(super::super::LONGEST_BACK), "n".repeat(43));
        for number in 0..20 {
            let headers = sent(&jar);
            let long = Begun { back: back.clone(), nonce: nonce.clone(), verifier: nonce.clone(), ..begun(&number.to_string(), NOW) };
            let set = All::of(&headers, &keyring, HTTPS).add(&long, &entropy).unwrap();
            heed(&mut jar, &set);
        }
        assert_eq!(jar.len(), MOST);
        let headers = sent(&jar);
        assert!(headers[header::COOKIE].len() < 8 * 1_024 - 500, "{} bytes", headers[header::COOKIE].len());
        let all = All::of(&headers, &keyring, HTTPS);
        assert!(all.take("13", NOW).0.is_none() && all.take("14", NOW).0.is_some() && all.take("19", NOW).0.is_some());
    }
}
