//! `/labs/shared/{secret}`: the page of a link to a lab. Looking at it does nothing, so that previewers and browsers that fetch ahead open no
//! lab; its button makes the pass. The address holds the secret, so both pages say no more of it to other pages than the portal's origin.

use app::{
    html_text::escaped,
    labs::{open::about_facts, share_texts as texts},
    routes,
};
use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};
use domain::Error;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use services::{Caller, shares::Shared};
use tower_sessions::Session;

use crate::{
    error_page,
    landing::facts,
    open::{Sheet, attribute, button, hand_over, origin, session_id},
    state::AppState,
};

/// GET: says whose lab it is and asks.
pub async fn ask(State(state): State<AppState>, Extension(caller): Extension<Caller>, Path(secret): Path<String>, headers: HeaderMap) -> Response {
    let services = &state.services;
    match services::shares::find(services, &caller, &secret).await {
        Ok(shared) => question(&Sheet::of(services, &headers), &shared, &secret),
        Err(error) => refusal(&state, &caller, &secret, &headers, &error).await,
    }
}

/// POST: makes a pass, and answers with the page that carries its ticket on to the lab's site.
pub async fn open(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    session: Session,
    Path(secret): Path<String>,
    headers: HeaderMap,
) -> Response {
    let services = &state.services;
    let opening = async {
        let session = session_id(&session)?;
        let origin = origin(services, &headers);
        services::visits::open_shared(services, &caller, &secret, &session, &origin).await
    };
    match opening.await {
        Ok(opening) => hand_over(&Sheet::of(services, &headers), &opening),
        Err(error) => refusal(&state, &caller, &secret, &headers, &error).await,
    }
}

fn question(sheet: &Sheet, shared: &Shared, secret: &str) -> Response {
    let language = sheet.language;
    let Shared { lab, course, owner, view_only, ends_at, .. } = shared;
    let inside = format!(
        "<p>{}</p>{}<p>{}</p><form id=\"open\" method=\"post\" action=\"{}\"><p>{}</p></form>",
        escaped(&texts::about(language, &lab.name, &owner.name, *ends_at)),
        facts(&about_facts(language, lab, course, &owner.name)),
        escaped(texts::limit(language, *view_only)),
        attribute(&routes::shared_lab(routes::encoded(secret))),
        button(texts::open(language)),
    );
    unnamed(sheet.page(&texts::title(language, &owner.name), &inside, false, "'self'"))
}

/// A link that opens nothing is the usual case, and has a page that says what to do. Who holds a link that was good once is told whom to ask.
async fn refusal(state: &AppState, caller: &Caller, secret: &str, headers: &HeaderMap, error: &Error) -> Response {
    if *error != Error::NotFound || !error_page::wants_page(headers) {
        return unnamed(error_page::answer(headers, error));
    }
    let sheet = Sheet::of(&state.services, headers);
    let (language, home) = (sheet.language, routes::HOME);
    let (status, title, text) = match services::shares::ended(&state.services, caller, secret).await {
        Ok(Some(owner)) => (StatusCode::GONE, texts::ended_title(language), texts::ended(language, &owner.name)),
        Ok(None) => (StatusCode::NOT_FOUND, texts::over_title(language), texts::over(language).to_owned()),
        Err(error) => return unnamed(error_page::answer(headers, &error)),
    };
    let inside = format!("<p>{}</p><p><a class=\"btn\" href=\"{home}\">{}</a></p>", escaped(&text), escaped(texts::home(language)));
    let mut response = unnamed(sheet.page(title, &inside, false, "'none'"));
    *response.status_mut() = status;
    response
}

/// Without the address of this page in requests that it leads to.
fn unnamed(mut response: Response) -> Response {
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    response
}
