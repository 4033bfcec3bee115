//! How the identity provider is asked: in a few seconds or not at all, without following it elsewhere, and taking no more than an
//! answer of this kind can need.

use std::{pin::Pin, time::Duration};

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, url::Url};
use reqwest::{Client, Request, redirect::Policy};
use serde_json::{Map, Value};

use crate::config::is_safe;

const MAX_BYTES: usize = 1024 * 1024;
const CONNECT: Duration = Duration::from_secs(4);
const WHOLE: Duration = Duration::from_secs(8);

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("no answer")]
    Http(#[from] reqwest::Error),
    #[error("the answer is larger than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("{0} is not asked: it is not https")]
    Unsafe(String),
}

#[derive(Debug, Clone)]
pub struct Fetch {
    client: Client,
    local: bool,
}

impl Fetch {
    /// `local`: the provider is on this machine, and so is everything that it names.
    pub fn new(local: bool) -> Result<Self, FetchError> {
        let client = Client::builder().redirect(Policy::none()).connect_timeout(CONNECT).timeout(WHOLE).user_agent("lectern");
        let client = if local { client.no_proxy() } else { client };
        Ok(Self { client: client.build()?, local })
    }

    /// Whether an address that the provider named may be used. Errors: `Unsafe`.
    pub fn check(&self, url: &Url) -> Result<(), FetchError> {
        // A provider elsewhere has no business on this machine.
        if is_safe(url) && (self.local || url.scheme() == "https") { Ok(()) } else { Err(FetchError::Unsafe(url.to_string())) }
    }

    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let request = Request::try_from(request)?;
        self.check(request.url())?;
        let mut answer = self.client.execute(request).await?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = HttpResponse::new(body);
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

/// The members that are read from a provider's description and keys. The library requires the first three lists.
const NEEDED: [&str; 10] = [
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "token_endpoint_auth_methods_supported",
    "userinfo_endpoint",
    "jwks_uri",
    "keys",
];

/// Requests like [`Fetch`] and keeps only the needed members, so that an unexpected one cannot make the answer unreadable.
pub struct OnlyNeeded<'f>(&'f Fetch);

impl Fetch {
    /// For reading the provider's description.
    pub const fn only_needed(&self) -> OnlyNeeded<'_> {
        OnlyNeeded(self)
    }
}

fn without_the_rest(body: &mut Vec<u8>) {
    if let Ok(mut said) = serde_json::from_slice::<Map<String, Value>>(body) {
        said.retain(|name, value| NEEDED.contains(&name.as_str()) && !value.is_null());
        *body = Value::Object(said).to_string().into_bytes();
    }
}

impl<'c> AsyncHttpClient<'c> for OnlyNeeded<'_> {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut response = self.0.fetch(request).await?;
            without_the_rest(response.body_mut());
            Ok(response)
        })
    }
}

impl<'c> AsyncHttpClient<'c> for Fetch {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.fetch(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_needed_is_kept() {
        let mut body =
            br#"{"issuer": "https://id", "ui_locales_supported": "not a list", "service_documentation": 5, "keys": [], "jwks_uri": null}"#.to_vec();
        without_the_rest(&mut body);
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), serde_json::json!({"issuer": "https://id", "keys": []}));
        let mut page = b"<html>".to_vec();
        without_the_rest(&mut page);
        assert_eq!(page, b"<html>");
    }

    #[test]
    fn a_provider_elsewhere_names_only_https() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let asked = |local, url| Fetch::new(local).unwrap().check(&Url::parse(url).unwrap()).is_ok();
        assert!(asked(false, "https://id.example.edu/token") && asked(true, "http://127.0.0.1:9000/token"));
        for (local, url) in [(false, "http://127.0.0.1:9000/token"), (false, "http://id.example.edu/"), (true, "http://id.example.edu/")] {
            assert!(!asked(local, url), "{url}");
        }
    }
}
