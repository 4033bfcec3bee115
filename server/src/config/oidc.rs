//! Signing in through an identity provider that speaks OpenID Connect.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use domain::{catalogue::Localized, secret::Secret};
use openidconnect::url::{Host, Url};
use serde::Deserialize;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// The provider's own name for itself, exactly as it says it: `https://id.example.edu/realms/campus`.
    pub issuer: String,
    pub client_id: String,
    /// Without a secret, here or in a file, the portal is a public client and proves itself by PKCE alone.
    #[serde(default)]
    pub client_secret: Option<Secret>,
    /// File that holds the secret and nothing else; read at each sign-in, so that it may be replaced.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// What the button calls the provider: one text, or one for each language.
    #[serde(deserialize_with = "name")]
    pub name: Localized,
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// The claim that gives the login.
    #[serde(default = "login_claim")]
    pub login_claim: String,
    /// Other audiences that an ID token may name besides `client_id` without `client_id` as its `azp`.
    #[serde(default)]
    pub trusted_audiences: Vec<String>,
    /// The first sign-in is joined to the account with that login.
    #[serde(default = "yes")]
    pub link_accounts: bool,
    /// Somebody unknown gets an account without roles.
    #[serde(default)]
    pub create_accounts: bool,
}

fn scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(ToOwned::to_owned).to_vec()
}

fn login_claim() -> String {
    "preferred_username".to_owned()
}

const fn yes() -> bool {
    true
}

fn name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Localized, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "oidc.name must be one text, or { zh = \"…\", en = \"…\" }")]
    enum Name {
        One(String),
        Each(Localized),
    }
    Ok(match Name::deserialize(deserializer)? {
        Name::One(text) => Localized { zh: text.clone(), en: text },
        Name::Each(name) => name,
    })
}

impl Oidc {
    /// What can be seen to be wrong without asking the provider.
    pub fn check(&self) -> Result<()> {
        check_url("oidc.issuer", &self.issuer)?;
        if self.client_id.trim().is_empty() || self.login_claim.trim().is_empty() {
            bail!("oidc.client_id and oidc.login_claim must not be empty");
        }
        if self.name.zh.trim().is_empty() || self.name.en.trim().is_empty() {
            bail!("oidc.name must not be empty: it is what people read on the button");
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            bail!("oidc.scopes must contain \"openid\", without which no provider says who somebody is");
        }
        self.secret().map(drop)
    }

    /// The secret as it is now. Errors: both places are set, or the file cannot be read or is empty.
    pub fn secret(&self) -> Result<Option<Secret>> {
        match (&self.client_secret, &self.client_secret_file) {
            (Some(_), Some(_)) => bail!("set oidc.client_secret or oidc.client_secret_file, not both"),
            (Some(secret), None) if secret.expose().is_empty() => bail!("oidc.client_secret is empty"),
            (secret, None) => Ok(secret.clone()),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file).with_context(|| format!("cannot read oidc.client_secret_file {}", file.display()))?;
                match text.trim() {
                    "" => bail!("oidc.client_secret_file {} is empty", file.display()),
                    secret => Ok(Some(Secret::new(secret.to_owned()))),
                }
            }
        }
    }

    /// Whether the provider is on this machine, where plain http may be spoken.
    pub fn is_local(&self) -> bool {
        Url::parse(&self.issuer).is_ok_and(|url| is_loopback(&url))
    }
}

/// Whether secrets may travel to this address: https, or this machine.
pub fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn check_url(key: &str, text: &str) -> Result<()> {
    let url = Url::parse(text).with_context(|| format!("{key} must be like https://id.example.edu: {text:?}"))?;
    if !is_safe(&url) {
        bail!("{key} must begin with https:// (http:// only for a loopback address): {text:?}");
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        bail!("{key} is the provider's name alone, without query, fragment or user: {:?}", url.host_str().unwrap_or_default());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(more: &str) -> Result<Oidc> {
        let oidc: Oidc = toml::from_str(&format!("client_id = \"lectern\"\nname = \"Campus\"\n{more}"))?;
        oidc.check()?;
        Ok(oidc)
    }

    #[test]
    fn what_may_be_left_out_has_its_default() {
        let oidc = parsed("issuer = \"https://id.example.edu\"").unwrap();
        assert_eq!((oidc.login_claim.as_str(), oidc.link_accounts, oidc.create_accounts), ("preferred_username", true, false));
        assert_eq!((oidc.name.zh.as_str(), oidc.scopes.join(" ").as_str()), ("Campus", "openid profile email"));
        assert!(oidc.trusted_audiences.is_empty(), "nobody else is trusted unless somebody says so");
        assert_eq!(oidc.secret().unwrap(), None);
        let text = "issuer = \"https://id\"\nclient_id = \"l\"\nname = { zh = \"统一认证\", en = \"Campus\" }";
        assert_eq!(toml::from_str::<Oidc>(text).unwrap().name, Localized { zh: "统一认证".into(), en: "Campus".into() });
    }

    #[test]
    fn the_issuer_is_https_or_on_this_machine() {
        for good in ["https://id.example.edu/realms/x", "http://127.0.0.1:8080", "http://localhost:9000/a", "http://[::1]:1"] {
            parsed(&format!("issuer = \"{good}\"")).unwrap_or_else(|error| panic!("{good}: {error}"));
        }
        for bad in
            ["id.example.edu", "http://id.example.edu", "http://localhost.example.edu", "ftp://127.0.0.1", "https://id/?a=b", "https://u:p@id/"]
        {
            let error = parsed(&format!("issuer = \"{bad}\"")).unwrap_err().to_string();
            assert!(error.contains("oidc.issuer") && !error.contains("u:p"), "{bad}: {error}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let issuer = "issuer = \"https://id\"";
        for (more, word) in [
            ("scopes = [\"profile\"]", "openid"),
            ("login_claim = \" \"", "oidc.login_claim"),
            ("client_secret = \"a\"\nclient_secret_file = \"b\"", "not both"),
            ("client_secret_file = \"/no/such/file\"", "oidc.client_secret_file"),
            ("client_secret = \"\"", "oidc.client_secret"),
            ("isuer = \"x\"", "isuer"),
        ] {
            let error = parsed(&format!("{issuer}\n{more}")).unwrap_err().to_string();
            assert!(error.contains(word), "{more}: {error}");
        }
        let error = toml::from_str::<Oidc>("issuer = \"https://id\"\nclient_id = \"l\"\nname = 5").unwrap_err().to_string();
        assert!(error.contains("one text"), "{error}");
    }

    #[test]
    fn the_secret_is_shown_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "hush-hush\n").unwrap();
        let oidc = parsed(&format!("issuer = \"https://id\"\nclient_secret_file = {file:?}")).unwrap();
        let secret = oidc.secret().unwrap().unwrap();
        assert_eq!(secret.expose(), "hush-hush", "without the line's end");
        let given = parsed("issuer = \"https://id\"\nclient_secret = \"hush-hush\"").unwrap();
        assert!(!format!("{given:?} {secret:?}").contains("hush"), "{given:?}");
    }
}
