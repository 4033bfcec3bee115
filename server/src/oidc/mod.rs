//! Signing in through an identity provider (OpenID Connect, authorisation code with PKCE): `GET /sign-in/oidc` sends the browser
//! there, `GET /sign-in/oidc/callback` takes it back. What goes wrong is said on the sign-in page, as after a wrong password.

mod begun;
mod claims;
mod failure;
mod fetch;
mod provider;
mod signed;
mod tokens;

use std::{collections::BTreeMap, time::Duration};

use app::{caller, flash::Flash, preferences::safe_back, routes};
use axum::{
    Extension,
    extract::{Query, State},
    response::{IntoResponse as _, Redirect, Response},
};
use domain::Error;
use http::{HeaderMap, HeaderValue, header};
use services::{
    Caller, Origin,
    accounts::external::{self, Presented},
};
use tower_sessions::Session;

pub use provider::Provider;

use crate::{auth::cookie_name, config::is_safe, error_page, state::AppState};
use begun::All;
use failure::Failure;

/// Together its answers may take so long; each has a time of its own.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of a path that is gone back to. A longer one is not: a cookie holds it.
const LONGEST_BACK: usize = 400;

type Parameters = Query<BTreeMap<String, String>>;

/// `GET /sign-in/oidc?back=/orders`
pub async fn start(
    State(state): State<AppState>,
    Extension(origin): Extension<Origin>,
    signed_in: Option<Extension<Caller>>,
    session: Session,
    Query(parameters): Parameters,
    headers: HeaderMap,
) -> Response {
    let Some(provider) = &state.provider else { return error_page::answer(&headers, &Error::NotFound) };
    let back = short(safe_back(parameters.get("back").map_or("/", String::as_str)));
    let visit = Visit { state: &state, origin: &origin, session: &session, headers: &headers, nobody: signed_in.is_none() };
    let begun = async {
        let redirect = visit.redirect()?;
        in_time(provider.begin(&redirect, back, &*state.services.entropy, state.services.clock.now())).await
    };
    match begun.await {
        Ok((url, begun)) => match visit.all().add(&begun, &*state.services.entropy) {
            Ok(cookies) => with(Redirect::to(&url).into_response(), cookies),
            Err(error) => error_page::answer(&headers, &error),
        },
        Err(failure) => visit.failed(&failure, back).await,
    }
}

/// The path, if a cookie may hold it.
fn short(back: &str) -> &str {
    // A quotation mark is written with an escape.
    const QUOTE: char = '\u{22}';
    if back.len() + back.matches(QUOTE).count() > LONGEST_BACK { "/" } else { back }
}

fn with(mut response: Response, cookies: impl IntoIterator<Item = HeaderValue>) -> Response {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// `GET /sign-in/oidc/callback?code=…&state=…`
pub async fn callback(
    State(state): State<AppState>,
    Extension(origin): Extension<Origin>,
    signed_in: Option<Extension<Caller>>,
    session: Session,
    Query(parameters): Parameters,
    headers: HeaderMap,
) -> Response {
    let Some(provider) = &state.provider else { return error_page::answer(&headers, &Error::NotFound) };
    let visit = Visit { state: &state, origin: &origin, session: &session, headers: &headers, nobody: signed_in.is_none() };
    let (begun, forget) = visit.all().take(parameters.get("state").map_or("", String::as_str), state.services.clock.now());
    let Some(begun) = begun else { return with(visit.failed(&Failure::NotBegun, "/").await, forget) };
    let presented = async {
        let code = answered(&parameters, provider.issuer())?;
        in_time(provider.end(&visit.redirect()?, &begun, code, &state.services)).await
    };
    let response = match presented.await {
        Ok(presented) => visit.enter(&presented, &begun.back).await,
        Err(failure) => visit.failed(&failure, &begun.back).await,
    };
    with(response, forget)
}

async fn in_time<T>(asked: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(Failure::Away("it takes too long".to_owned())))
}

/// The code in what the provider sent the browser back with.
fn answered<'p>(parameters: &'p BTreeMap<String, String>, issuer: &str) -> Result<&'p str, Failure> {
    // RFC 9207: who answers says who it is.
    if parameters.get("iss").is_some_and(|iss| iss != issuer) {
        return Err(Failure::Unusable("another provider answered".to_owned()));
    }
    match (parameters.get("error").map(String::as_str), parameters.get("code")) {
        (Some("server_error" | "temporarily_unavailable"), _) => Err(Failure::Away("it says so itself".to_owned())),
        // Anybody can write this into the address: no more than a word of it is logged.
        (Some(error), _) => Err(Failure::Refused(error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect())),
        (None, Some(code)) => Ok(code),
        (None, None) => Err(Failure::Refused("it gave no code".to_owned())),
    }
}

/// One request of somebody who signs in.
struct Visit<'r> {
    state: &'r AppState,
    origin: &'r Origin,
    session: &'r Session,
    headers: &'r HeaderMap,
    /// Nobody is signed in in this browser.
    nobody: bool,
}

impl Visit<'_> {
    /// Where the provider sends the browser back to, which it must know beforehand.
    fn redirect(&self) -> Result<String, Failure> {
        let site = caller::site_of(&self.state.services, self.headers);
        // Without a public URL only this machine's own names are believed.
        let known = openidconnect::url::Url::parse(&site).is_ok_and(|url| is_safe(&url)) || self.state.config.server.public_url.is_some();
        if known { Ok(format!("{site}{}", routes::SIGN_IN_OIDC_CALLBACK)) } else { Err(Failure::Away("set server.public_url".to_owned())) }
    }

    /// Those that this browser has begun.
    fn all(&self) -> All<'_> {
        All::of(self.headers, &self.state.services.settings.keyring, cookie_name(&self.state.config))
    }

    async fn enter(&self, presented: &Presented, back: &str) -> Response {
        let entered = async {
            let signed_in = external::sign_in(&self.state.services, self.origin, presented).await?;
            caller::begin(&self.state.services, self.session, self.origin, self.headers, &signed_in).await
        };
        match entered.await {
            Ok(()) => Redirect::to(back).into_response(),
            Err(error) => self.back_to_sign_in(error, back).await,
        }
    }

    async fn failed(&self, failure: &Failure, back: &str) -> Response {
        tracing::warn!(request.id = self.origin.request_id.as_deref(), reason = %failure, "a sign-in through the identity provider failed");
        let error = external::refused(&self.state.services, self.origin, failure.into());
        self.back_to_sign_in(error, back).await
    }

    async fn back_to_sign_in(&self, error: Error, back: &str) -> Response {
        if self.nobody
            && let Err(limited) = caller::visit(&self.state.services, self.session, self.origin).await
        {
            return error_page::answer(self.headers, &limited);
        }
        let flash = Flash { error: Some(error), ..Flash::default() };
        match caller::leave_flash(self.session, "sign-in", flash).await {
            Ok(()) if back == "/" => Redirect::to(routes::SIGN_IN).into_response(),
            Ok(()) => Redirect::to(&routes::sign_in_then(back)).into_response(),
            Err(error) => error_page::answer(self.headers, &error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_path_that_is_too_long_for_a_cookie_is_not_gone_back_to() {
        let (longest, quoted) = ("/".repeat(LONGEST_BACK), "\"".repeat(LONGEST_BACK));
        assert_eq!(short(&longest), longest);
        assert_eq!(short(&format!("{longest}a")), "/");
        assert_eq!(short(&quoted), "/");
    }

    #[test]
    fn an_answer_is_a_code_from_this_provider() {
        let good = parameters(&[("code", "c"), ("iss", "https://id")]);
        assert_eq!(answered(&good, "https://id").unwrap(), "c");
        assert!(matches!(answered(&good, "https://other"), Err(Failure::Unusable(_))));
        assert!(matches!(answered(&parameters(&[]), "https://id"), Err(Failure::Refused(_))));
        let away = parameters(&[("error", "temporarily_unavailable"), ("code", "c")]);
        assert!(matches!(answered(&away, "https://id"), Err(Failure::Away(_))));
        let denied = answered(&parameters(&[("error", "access_denied\nforged line")]), "https://id").unwrap_err();
        assert_eq!(denied.to_string(), "the identity provider refused: access_deniedforgedline");
    }
}
