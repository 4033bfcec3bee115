//! Who is asking, and the services: the only reader of Leptos context on the server. A server function is
//!
//! ```ignore
//! #[server(Reject, endpoint = "approvals/reject")]
//! pub async fn reject(id: String, reason: String) -> Result<OrderView, AppError> {
//!     let typed = typed([("id", &id), ("reason", &reason)]);          // what a form without scripts gets back; never passwords
//!     let result = async { Ok(services::orders::reject(&services()?, &caller()?, id_of(&id)?, &reason, None).await?) }.await;
//!     answer("reject", routes::APPROVALS, typed, result, |_| routes::APPROVALS.to_owned()).await
//! }
//! // in the page, outside the Suspense that reads it: let flash = crate::flash::flash("reject");
//! // then fields start with flash.value("reason") and the notice shows flash.error
//! ```
//!
//! Reading needs two lines: `Ok(services::labs::get(&services()?, &caller()?, id_of(&id)?).await?)`.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use domain::{Error, Problem, ids::UserId, offerings::typed_again, secret::has_secret};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use services::accounts::{SignedIn, sessions};
pub use services::{Caller, Origin, Services};
use tower_sessions::{Expiry, Session, cookie::time::Duration};

use crate::{caller_view::Viewer, error::AppError, flash::Flash, preferences::safe_back};

/// The session key that holds the person: the store indexes sessions by it.
pub const USER: &str = "user";
const CREDENTIALS: &str = "credentials_version";
/// A session of nobody only carries what a form left behind.
const ANONYMOUS_MINUTES: i64 = 15;
/// Most bytes that are kept of what nobody in particular typed; people type less.
const ANONYMOUS_BYTES: usize = 4_096;

/// The use cases' world. Errors: `Internal` outside a request (the list of routes is made so).
pub fn services() -> Result<Services, AppError> {
    use_context::<Services>().ok_or_else(|| outside("services"))
}

/// The signed-in person. Errors: `Unauthenticated`.
pub fn caller() -> Result<Caller, AppError> {
    maybe_caller().ok_or_else(|| Error::Unauthenticated.into())
}

/// The signed-in person, if somebody is.
pub fn maybe_caller() -> Option<Caller> {
    use_context::<Parts>()?.extensions.get::<Caller>().cloned()
}

/// From where the request came, signed in or not.
pub fn origin() -> Result<Origin, AppError> {
    extension::<Origin>("origin")
}

/// An identifier from a URL or a form: what is none names nothing. Errors: `NotFound`.
pub fn id_of<T: FromStr>(text: &str) -> Result<T, AppError> {
    text.parse().map_err(|_| Error::NotFound.into())
}

/// The signed-in person as the layout shows them.
pub async fn viewer() -> Result<Option<Viewer>, AppError> {
    let Some(caller) = maybe_caller() else { return Ok(None) };
    Ok(Some(services::accounts::viewer(&services()?, &caller).await?))
}

/// Makes this session the person's, under a new id, so that nobody else knows it.
pub async fn begin_session(signed_in: &SignedIn) -> Result<(), AppError> {
    let headers = use_context::<Parts>().map(|parts| parts.headers).unwrap_or_default();
    let services = services()?;
    begin(&services, &session()?, &origin()?, &headers, signed_in).await?;
    if let (Some(device), Some(options)) = (&signed_in.device, use_context::<ResponseOptions>())
        && let Ok(cookie) = HeaderValue::from_str(&device.cookie(services.settings.is_https()))
    {
        options.append_header(header::SET_COOKIE, cookie);
    }
    Ok(())
}

/// The same for a route that is no server function.
pub async fn begin(services: &Services, session: &Session, origin: &Origin, headers: &HeaderMap, signed_in: &SignedIn) -> Result<(), Error> {
    session.clear().await;
    session.cycle_id().await.map_err(away)?;
    session.insert(USER, signed_in.actor.user).await.map_err(away)?;
    session.insert(CREDENTIALS, signed_in.credentials_version).await.map_err(away)?;
    // For its owner to know it by, among others.
    let now = services.clock.now();
    session.insert(sessions::BEGAN, now).await.map_err(away)?;
    session.insert(sessions::TOUCHED, now).await.map_err(away)?;
    session.insert(sessions::AGENT, agent(headers)).await.map_err(away)?;
    session.insert(sessions::ADDRESS, &origin.address).await.map_err(away)?;
    session.set_expiry(Some(Expiry::OnInactivity(Duration::hours(services.settings.session_hours))));
    Ok(())
}

/// Before something is kept for somebody who is not signed in: such a session lives shortly, and a source begins only so many of them.
/// Errors: `RateLimited`.
pub async fn visit(services: &Services, session: &Session, origin: &Origin) -> Result<(), Error> {
    // Only after a look is it known whether the database holds a session for the cookie. Where that fails, nothing can be kept either.
    if session.get_value(USER).await.is_ok() && session.id().is_none() {
        services.cache.visits.admit(origin, services.clock.now())?;
    }
    session.set_expiry(Some(Expiry::OnInactivity(Duration::minutes(ANONYMOUS_MINUTES))));
    Ok(())
}

/// After a change of password: this session goes on under a new id, all others are over.
pub async fn renew_session(credentials_version: i64) -> Result<(), AppError> {
    let session = session()?;
    session.cycle_id().await.map_err(away)?;
    session.insert(CREDENTIALS, credentials_version).await.map_err(away)?;
    Ok(())
}

/// The stored id of this session.
pub fn session_id() -> Result<String, AppError> {
    Ok(session()?.id().map(|id| services::digest::hex_sha256(id.to_string())).unwrap_or_default())
}

/// What the browser calls itself, not longer than is of use.
fn agent(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    agent.unwrap_or_default().chars().take(300).collect()
}

/// What stands before a path of this site in a link that is passed on: as the reader's browser reaches it.
pub fn site() -> Result<String, AppError> {
    let headers = use_context::<Parts>().map(|parts| parts.headers).unwrap_or_default();
    Ok(site_of(&services()?, &headers))
}

/// The same for a route that is not a server function: the public URL, or else the request's own host, which the host check has already
/// accepted.
pub fn site_of(services: &Services, headers: &HeaderMap) -> String {
    if let Some(url) = &services.settings.public_url {
        return url.clone();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if host.is_empty() { String::new() } else { format!("http://{host}") }
}

/// Forgets the session here and in the database.
pub async fn end_session() -> Result<(), AppError> {
    session()?.flush().await.map_err(away)?;
    Ok(())
}

/// Ends a session that is no longer good.
pub async fn drop_session(session: &Session) -> Result<(), Error> {
    session.flush().await.map_err(away)
}

/// The person a session belongs to and the version of their password it was made with.
pub async fn session_user(session: &Session) -> Result<Option<(UserId, i64)>, Error> {
    let user = session.get::<UserId>(USER).await.map_err(away)?;
    let version = session.get::<i64>(CREDENTIALS).await.map_err(away)?;
    Ok(user.zip(version))
}

/// `typed([("login", &login)])`: what a form was filled with.
pub fn typed<const N: usize>(fields: [(&str, &str); N]) -> BTreeMap<String, String> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Shortens the values so that together they have at most `bytes`.
fn cut(values: &mut BTreeMap<String, String>, bytes: usize) {
    let mut left = bytes;
    for value in values.values_mut() {
        value.truncate(value.floor_char_boundary(left));
        left -= value.len();
    }
}

/// Empties the values that hold a secret, ours or another system's, by their form or by the error at their field: the database keeps none in
/// clear. An empty value, unlike none, keeps the form from showing its default there.
fn without_secrets(mut values: BTreeMap<String, String>, error: Option<&Error>) -> BTreeMap<String, String> {
    let problems = if let Some(Error::Invalid(problems)) = error { problems.as_slice() } else { &[] };
    let is_refused = |name: &str| problems.iter().any(|each| each.problem == Problem::SecretInClear && each.field == name);
    // The offering form has emptied its secrets line by line. The name of a variable is none.
    let is_done: BTreeSet<String> = typed_again(&values).map(ToOwned::to_owned).collect();
    for (name, value) in &mut values {
        let is_found = value.lines().any(has_secret) || is_refused(name) && !name.ends_with(".variable");
        if services::secret::is_in(value) || is_found && !is_done.contains(name) {
            value.clear();
        }
    }
    values
}

/// Sends a form without scripts on: to `then` when it worked; back where it came from (`page` if that is not known) when it
/// did not, with what was typed and the error waiting for [`crate::flash::flash`]. With scripts the result goes back as it is.
pub async fn answer<T>(
    form: &str,
    page: &str,
    typed: BTreeMap<String, String>,
    result: Result<T, AppError>,
    then: impl FnOnce(&T) -> String,
) -> Result<T, AppError> {
    if !is_plain_form() {
        return result;
    }
    match &result {
        Ok(value) => see_other(&then(value)),
        Err(AppError(error)) => {
            // The answer is a redirect; the refusal is recorded when the answer is sent.
            let progress = extension::<services::audit::refusals::Progress>("the request's progress").unwrap_or_default();
            progress.failed(error);
            let session = session()?;
            let mut values = without_secrets(typed, Some(error));
            if maybe_caller().is_none() {
                if let Err(limited) = visit(&services()?, &session, &origin()?).await {
                    progress.answers_instead(limited);
                    return result;
                }
                cut(&mut values, ANONYMOUS_BYTES);
            }
            let flash = Flash { values, error: Some(error.clone()) };
            // The database may be away, which is then the error itself: the redirect still says where the form is.
            if let Err(error) = session.insert(&flash_key(form), flash).await {
                tracing::warn!(%error, "what was typed could not be kept");
            }
            see_other(&came_from().unwrap_or_else(|| page.to_owned()));
        }
    }
    result
}

/// Keeps what was typed for the form's next showing, without an error: a form that only asked for another row.
pub async fn keep(form: &str, values: BTreeMap<String, String>) -> Result<(), AppError> {
    session()?.insert(&flash_key(form), Flash { values: without_secrets(values, None), error: None }).await.map_err(away)?;
    Ok(())
}

/// What the last try of this form left behind; the second look finds nothing.
pub async fn take_flash(form: &str) -> Option<Flash> {
    let session = session().ok()?;
    // Without a cookie there is nothing, and no reason to ask the database.
    session.id()?;
    let key = flash_key(form);
    // Looked at first: removing counts as a change even of nothing, and a changed session is written.
    let flash = session.get::<Flash>(&key).await.ok().flatten()?;
    session.remove_value(&key).await.ok()?;
    if maybe_caller().is_none() {
        // A session of nobody has served its purpose.
        session.flush().await.ok()?;
    }
    Some(flash)
}

/// What [`take_flash`] finds, left by a route that is no server function.
pub async fn leave_flash(session: &Session, form: &str, flash: Flash) -> Result<(), Error> {
    let flash = Flash { values: without_secrets(flash.values, flash.error.as_ref()), error: flash.error };
    session.insert(&flash_key(form), flash).await.map_err(away)
}

fn flash_key(form: &str) -> String {
    format!("flash.{form}")
}

/// A form that the browser itself posted, which shows whatever comes back as a page.
pub fn is_plain_form() -> bool {
    use_context::<Parts>().is_some_and(|parts| {
        let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        parts.method == http::Method::POST && accept.is_some_and(|accept| accept.contains("text/html"))
    })
}

/// 303, so that a reload does not post again. `path` must be of this site; anything else becomes `/`.
pub fn see_other(path: &str) {
    if let (Some(options), Ok(location)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(safe_back(path))) {
        options.set_status(StatusCode::SEE_OTHER);
        options.insert_header(header::LOCATION, location);
    }
}

/// Path and query of the page that the form was on.
fn came_from() -> Option<String> {
    let parts = use_context::<Parts>()?;
    let uri: http::Uri = parts.headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    uri.path_and_query().map(ToString::to_string)
}

fn session() -> Result<Session, AppError> {
    extension::<Session>("session")
}

fn extension<T: Clone + Send + Sync + 'static>(what: &str) -> Result<T, AppError> {
    use_context::<Parts>().and_then(|parts| parts.extensions.get::<T>().cloned()).ok_or_else(|| outside(what))
}

fn outside(what: &str) -> AppError {
    tracing::debug!("{what} asked for outside a request");
    AppError(Error::Internal { reference: String::new() })
}

/// The session store reports an away database by this text; everything else is a fault of ours.
pub const STORE_AWAY: &str = "the database is away";

/// What a failure of the session store means.
#[expect(clippy::needless_pass_by_value, reason = "used as `map_err(away)`")]
pub fn away(error: tower_sessions::session::Error) -> Error {
    match &error {
        tower_sessions::session::Error::Store(tower_sessions::session_store::Error::Backend(text)) if text == STORE_AWAY => {
            Error::Unavailable { retry_after_seconds: 5 }
        }
        other => services::error::internal(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_of_a_value_that_holds_a_secret() {
        for mark in services::secret::MARKS {
            let link = format!("https://lectern.example/join/{mark}{}", "a".repeat(43));
            let values = typed([("login", &link), ("name", "Li"), ("purpose", mark)]);
            assert_eq!(without_secrets(values, None), typed([("login", ""), ("name", "Li"), ("purpose", mark)]));
        }
    }

    #[test]
    fn nothing_is_kept_of_a_value_that_was_refused_as_a_secret_or_looks_like_one() {
        let refused = |field: &str| domain::FieldError { field: field.into(), problem: Problem::SecretInClear };
        let error = Error::Invalid(vec![
            refused("parameters.note"),
            refused("parameters.2.variable"),
            refused("base.environment"),
            domain::FieldError { field: "seats".into(), problem: Problem::NotANumber },
        ]);
        let values = typed([
            ("parameters.git_url", "https://li:ghp_abc123def456@git.example.edu/a.git"),
            ("purpose", "Lesson 7\ntoken=abc12345"),
            ("parameters.note", "hush"),
            ("parameters.2.variable", "HF_TOKEN"),
            ("base.environment", "HF_TOKEN=\nLESSON=lesson-1"),
            ("again.base.environment", "on"),
            ("seats", "two"),
        ]);
        let kept = without_secrets(values.clone(), Some(&error));
        let emptied: Vec<_> = kept.iter().filter(|(_, value)| value.is_empty()).map(|(name, _)| name.as_str()).collect();
        assert_eq!(emptied, ["parameters.git_url", "parameters.note", "purpose"]);
        assert!(kept.iter().all(|(name, value)| value.is_empty() || values[name] == *value), "anything else as it was typed: {kept:?}");
    }

    #[test]
    fn what_is_kept_of_a_form_is_bounded_as_a_whole() {
        let mut values = typed([("a", "abcd"), ("b", "中文字"), ("c", "more")]);
        cut(&mut values, 4 + 7);
        assert_eq!(values, typed([("a", "abcd"), ("b", "中文"), ("c", "m")]));
        cut(&mut values, 3);
        assert_eq!(values, typed([("a", "abc"), ("b", ""), ("c", "")]));
    }
}
