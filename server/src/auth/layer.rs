//! Looks behind the session cookie before anything else of the pages' half runs: a server function's arguments are decoded before
//! its body, so the body would be too late. Puts the [`Caller`] into the request, or sends to sign-in.

use app::preferences::safe_back;
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use domain::{Error, time::Timestamp};
use http::{Method, Uri, header, request::Parts};
use services::{Caller, Origin, Services, accounts::sessions, audit::refusals::Progress};
use tower_sessions::Session;

use super::public;
use crate::{error_page, forms, state::AppState};

/// Without use a session ends; using it moves the end, at most this often, so that reading pages seldom writes.
const TOUCH_SECONDS: i64 = 15 * 60;

pub async fn authenticate(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let session = request.extensions().get::<Session>().cloned();
    let origin = request.extensions().get::<Origin>().cloned();
    let caller = match caller(&state.services, session, origin).await {
        Ok(caller) => caller,
        Err(error) => {
            let (parts, body) = request.into_parts();
            forms::discard(body).await;
            return error_page::answer(&parts.headers, &error);
        }
    };
    let signed_in = caller.is_some();
    let progress = request.extensions().get::<Progress>().cloned().unwrap_or_default();
    if let Some(caller) = caller {
        progress.is_of(&caller);
        request.extensions_mut().insert(caller);
    }
    // What does not exist is not there for anybody: the page that says so needs no sign-in.
    let exists = request.extensions().get::<MatchedPath>().is_some();
    if signed_in || !exists || public::is_public(request.uri().path()) {
        return next.run(request).await;
    }
    // The request itself cannot be held over a wait, since its body cannot.
    let (parts, body) = request.into_parts();
    // The reader is redirected to sign-in; this counts as a refusal too.
    progress.failed(&Error::Unauthenticated);
    // A session that ended while somebody filled in a long form: the browser must get the way to sign-in.
    forms::discard(body).await;
    refuse(&state.services, &parts).await
}

/// The person behind the session. A session ends if the person was disabled, if their password changed since, or if it began too long ago.
async fn caller(services: &Services, session: Option<Session>, origin: Option<Origin>) -> Result<Option<Caller>, Error> {
    let (Some(session), Some(origin)) = (session, origin) else { return Ok(None) };
    if session.id().is_none() {
        return Ok(None);
    }
    let Some((user, credentials_version)) = app::caller::session_user(&session).await? else { return Ok(None) };
    let began = session.get::<Timestamp>(sessions::BEGAN).await.ok().flatten();
    let lives = began.is_none_or(|began| services.clock.now() < sessions::last_moment(services, began));
    let actor = if lives { services::accounts::actor(services, user, credentials_version).await? } else { None };
    let Some(actor) = actor else {
        app::caller::drop_session(&session).await?;
        return Ok(None);
    };
    touch(&session, services.clock.now(), origin.address.as_deref()).await;
    Ok(Some(Caller { actor, origin }))
}

async fn touch(session: &Session, now: Timestamp, address: Option<&str>) {
    let last = session.get::<Timestamp>(sessions::TOUCHED).await.ok().flatten();
    if last.is_none_or(|last| now.seconds_since(last) >= TOUCH_SECONDS) {
        // Saved with the answer; when that fails the session ends earlier, which is no error of this request.
        let _ = session.insert(sessions::TOUCHED, now).await;
        // A session from an earlier version has no beginning; it counts from now on.
        if session.get::<Timestamp>(sessions::BEGAN).await.is_ok_and(|began| began.is_none()) {
            let _ = session.insert(sessions::BEGAN, now).await;
        }
        let _ = session.insert(sessions::ADDRESS, address).await;
    }
}

/// Sends a reader to sign-in (or set-up) and back afterwards; tells scripts that it is over.
async fn refuse(services: &Services, request: &Parts) -> Response {
    if !error_page::wants_page(&request.headers) {
        return error_page::answer(&request.headers, &Error::Unauthenticated);
    }
    match services::setup::needed(services).await {
        Ok(true) => return Redirect::to(app::routes::SETUP).into_response(),
        Ok(false) => {}
        Err(error) => return error_page::answer(&request.headers, &error),
    }
    let reading = request.method == Method::GET && !request.uri.path().starts_with("/api/");
    let asked = request.uri.path_and_query().map(ToString::to_string);
    // A form goes back to the page that it was on.
    let back = if reading { asked } else { came_from(request) }.unwrap_or_default();
    let to = if matches!(back.as_str(), "" | "/") { app::routes::SIGN_IN.to_owned() } else { app::routes::sign_in_then(&back) };
    Redirect::to(&to).into_response()
}

/// Path and query of the page that the request came from; the rest of the referrer is not used.
fn came_from(request: &Parts) -> Option<String> {
    let from: Uri = request.headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    from.path_and_query().map(ToString::to_string).filter(|path| safe_back(path) == path)
}
