//! `/labs/{id}/open`: the way from the portal into a lab. POST makes a ticket and answers with a page that posts it on to the lab's site; a
//! redirect cannot, since it carries no body. GET asks first: it is where links to a lab lead, and gives nobody a ticket by itself. Both
//! pages have scripts and styles by a nonce alone, and say in their own policy where their form may go. A lab without pages is used on those
//! of the portal, so both lead there.

use std::collections::BTreeMap;

use app::{html_text::escaped, labs::open as texts, language::Language, preferences::Preferences, routes};
use axum::{
    Extension, Form,
    extract::{Path, Query, State},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use domain::{
    Error, Problem,
    access::{Action, Resource},
    catalogue::Entrance,
    ids::LabId,
    labs::{Lab, LabState, LabView},
    visits::{REASON_MAX, REASON_MIN, VisitRole},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use services::{
    Caller, Services,
    digest::hex_sha256,
    visits::{Opened, Opening, Way},
};
use tower_sessions::Session;

use crate::{
    error_page,
    landing::{self, Frame},
    state::AppState,
};

/// `POST /labs/{id}/open` with `next` (path and query on the lab's site), `port` (of the lab's pod) and `reason`, all optional.
pub async fn open(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(asked): Form<BTreeMap<String, String>>,
) -> Response {
    let services = &state.services;
    let given = |name: &str| asked.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let opening = async {
        let id = id.parse::<LabId>().map_err(|_| Error::NotFound)?;
        let session = session_id(&session)?;
        let origin = origin(services, &headers);
        let way = Way { session: &session, origin: &origin, next: given("next").unwrap_or("/"), port: port(given("port"))? };
        Ok::<_, Error>(match services::visits::open(services, &caller, id, way, given("reason")).await? {
            Opened::Site(opening) => hand_over(&Sheet::of(services, &headers), &opening),
            Opened::Elsewhere(entrance) => Redirect::to(&place(id, entrance)).into_response(),
        })
    };
    match opening.await {
        Ok(answer) => answer,
        Err(Error::InvalidTransition { state, .. }) if error_page::wants_page(&headers) => {
            let is_destroyed = [LabState::Destroying, LabState::Destroyed].iter().any(|gone| gone.as_str() == state);
            closed(&Sheet::of(services, &headers), &id, is_destroyed)
        }
        Err(error) => error_page::answer(&headers, &error),
    }
}

/// The portal's own page on which a lab is used.
fn place(id: LabId, entrance: Entrance) -> String {
    match entrance {
        Entrance::Page => routes::lab(id),
        Entrance::Terminal => routes::lab_terminal(id),
        Entrance::Log => routes::lab_log_card(id),
    }
}

/// The stored id of the session. Errors: `Unauthenticated`.
pub fn session_id(session: &Session) -> Result<String, Error> {
    session.id().map(|id| hex_sha256(id.to_string())).ok_or(Error::Unauthenticated)
}

/// A port as it is typed; 0 for the lab's own, where none is named.
fn port(text: Option<&str>) -> Result<u16, Error> {
    text.map_or(Ok(0), |text| text.parse().map_err(|_| Error::field("port", Problem::NotANumber)))
}

/// `GET /labs/{id}/open?next=&port=`: a page with the button. It presses itself for the lab's owner.
pub async fn ask(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(given): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let found = async {
        let id = id.parse::<LabId>().map_err(|_| Error::NotFound)?;
        let view = services::labs::get(&state.services, &caller, id).await?.view;
        let role = role(&caller, &view.lab)?;
        let port = port(given.get("port").map(|text| text.trim()).filter(|text| !text.is_empty()))?;
        Ok::<_, Error>((view, role, port))
    };
    match found.await {
        Ok((view, role, port)) => {
            let (lab, sheet) = (&view.lab, Sheet::of(&state.services, &headers));
            let is_destroyed = matches!(lab.state, LabState::Destroying | LabState::Destroyed);
            let is_down = matches!(lab.state, LabState::Stopping | LabState::Stopped | LabState::Failed);
            if is_destroyed || is_down && role == VisitRole::BreakGlass {
                return closed(&sheet, &lab.id.to_string(), is_destroyed);
            }
            if port == 0 && !lab.spec.has_pages() {
                return Redirect::to(&place(lab.id, lab.spec.entrance())).into_response();
            }
            let presses_itself = role == VisitRole::Owner && is_navigation(&headers);
            let next = given.get("next").map_or("/", String::as_str);
            question(&sheet, &view, role, (next, port), presses_itself)
        }
        Err(error) => error_page::answer(&headers, &error),
    }
}

/// As what the caller would enter the lab. Errors: those of [`domain::access::Actor::can`].
fn role(caller: &Caller, lab: &Lab) -> Result<VisitRole, Error> {
    let on = Resource::owned(lab.tenant, lab.course, lab.owner);
    match caller.actor.can(Action::LabEnter, &on) {
        Ok(()) => Ok(VisitRole::of(&caller.actor, lab.course, lab.owner)),
        Err(error) => caller.actor.can(Action::LabBreakGlass, &on).map(|()| VisitRole::BreakGlass).map_err(|_| error),
    }
}

/// The origin of the portal as this browser knows it: the lab's site takes the ticket from there only.
pub fn origin(services: &Services, headers: &HeaderMap) -> String {
    let said = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).filter(|origin| *origin != "null");
    said.map_or_else(|| app::caller::site_of(services, headers), ToOwned::to_owned)
}

/// Whether a person goes to this page now. A browser that fetches it ahead, a previewer of links or a script does not.
fn is_navigation(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_ahead = ["sec-purpose", "purpose"].iter().any(|name| text(name).is_some_and(|purpose| purpose.contains("prefetch")));
    !is_ahead && text("sec-fetch-mode").is_none_or(|mode| mode == "navigate")
}

/// What these pages are drawn with.
pub struct Sheet {
    pub language: Language,
    theme: &'static str,
    nonce: String,
}

impl Sheet {
    pub fn of(services: &Services, headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
        let Preferences { language, theme } = Preferences::from_headers(text(header::COOKIE), text(header::ACCEPT_LANGUAGE));
        let mut bytes = [0; 16];
        services.entropy.fill(&mut bytes);
        Self { language, theme: theme.name(), nonce: hex_sha256(bytes) }
    }

    /// A page with one form, which may be sent to `to` only.
    pub fn page(&self, title: &str, inside: &str, presses_itself: bool, to: &str) -> Response {
        let Self { language, theme, nonce } = self;
        let script =
            if presses_itself { format!("<script nonce=\"{nonce}\">document.getElementById(\"open\").submit()</script>") } else { String::new() };
        let html = Frame { language: *language, theme, nonce: Some(nonce.as_str()) }.html(title, inside, &script);
        let policy = format!(
            "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self' data:; form-action {to}; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        let mut response = Html(html).into_response();
        // Without a policy of its own the page gets the strictest, by which nothing can be sent.
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", attribute(value))
}

/// Text as the value of an attribute in double quotes.
pub fn attribute(text: &str) -> String {
    escaped(text).replace('"', "&quot;")
}

pub fn button(text: &str) -> String {
    format!("<button class=\"btn\" data-kind=\"primary\" type=\"submit\">{}</button>", escaped(text))
}

/// The page that carries the ticket. Its script sends it while the page still loads, so that the browser's Back leads past it.
pub fn hand_over(sheet: &Sheet, opening: &Opening) -> Response {
    let Opening { lab_name, action, site, ticket, next } = opening;
    let inside = format!(
        "<form id=\"open\" method=\"post\" action=\"{}\">{}{}<p>{}</p><p>{}</p></form>",
        attribute(action),
        hidden("ticket", ticket.expose()),
        hidden("next", next),
        escaped(&texts::opening_text(sheet.language, lab_name)),
        button(texts::open_text(sheet.language)),
    );
    let mut response = sheet.page(lab_name, &inside, true, site);
    // The other side takes the ticket from the portal only: with the usual policy the browser would say that it comes from nowhere.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    response
}

/// The page in the place of a lab that nobody can enter now. `id`: of the lab.
fn closed(sheet: &Sheet, id: &str, is_destroyed: bool) -> Response {
    let language = sheet.language;
    let (title, text) = texts::closed_texts(language, is_destroyed);
    let inside = format!("<p>{}</p><p>{}</p>", escaped(text), lab_link(language, id));
    let mut response = sheet.page(title, &inside, false, "'none'");
    *response.status_mut() = if is_destroyed { StatusCode::GONE } else { StatusCode::CONFLICT };
    response
}

fn lab_link(language: Language, id: &str) -> String {
    format!("<a class=\"btn\" href=\"{}\">{}</a>", attribute(&routes::lab(id)), escaped(texts::to_lab_page_text(language)))
}

/// The page that asks whether to enter.
fn question(sheet: &Sheet, view: &LabView, role: VisitRole, (next, port): (&str, u16), presses_itself: bool) -> Response {
    let language = sheet.language;
    let id = view.lab.id.to_string();
    let port = if port == 0 { String::new() } else { hidden("port", &port.to_string()) };
    let (reason, terminal) =
        if role == VisitRole::BreakGlass { (reason(language), terminal_link(language, view)) } else { (String::new(), String::new()) };
    let inside = format!(
        "<p>{}</p>{}<form id=\"open\" method=\"post\" action=\"{}\">{}{port}{reason}<div class=\"row\">{}{terminal}{}</div></form>",
        escaped(&texts::visit_text(language, view, role)),
        landing::facts(&texts::about_facts(language, &view.lab, &view.course, &view.owner.name)),
        attribute(&routes::lab_open(&id)),
        hidden("next", next),
        button(texts::visit_button_text(language, role)),
        lab_link(language, &id),
    );
    sheet.page(&texts::title_text(language, &view.lab.name, role), &inside, presses_itself, "'self'")
}

/// The field of an operator's reason.
fn reason(language: Language) -> String {
    format!(
        "<p>{}</p><div class=\"field\"><label for=\"reason\">{}</label><input class=\"input\" id=\"reason\" name=\"reason\" required \
         minlength=\"{REASON_MIN}\" maxlength=\"{REASON_MAX}\" aria-describedby=\"reason-note\"><p class=\"help\" id=\"reason-note\">{}</p></div>",
        escaped(texts::limit_text(language)),
        escaped(texts::reason_label(language)),
        escaped(&texts::reason_help(language)),
    )
}

/// The other way of an operator: its page asks for a reason of its own.
fn terminal_link(language: Language, view: &LabView) -> String {
    if view.lab.state != LabState::Running {
        return String::new();
    }
    let to = attribute(&routes::lab_terminal(view.lab.id));
    format!("<a class=\"btn\" href=\"{to}\">{}</a>", escaped(texts::terminal_text(language)))
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use domain::secret::Secret;

    use super::*;

    fn sheet() -> Sheet {
        Sheet { language: Language::en, theme: "light", nonce: "abc".into() }
    }

    async fn body(response: Response) -> String {
        String::from_utf8(to_bytes(response.into_body(), 100_000).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_ticket_may_go_to_the_labs_site_only() {
        let opening = Opening {
            lab_name: "lab-7".into(),
            action: "http://lab-7-0123456789.localhost:3001/.lectern/enter".into(),
            site: "http://lab-7-0123456789.localhost:3001".into(),
            ticket: Secret::new("hush".to_owned()),
            next: "/lab?a=\"><script>".into(),
        };
        let response = hand_over(&sheet(), &opening);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'; script-src 'nonce-abc';"), "{policy}");
        assert!(policy.contains("; form-action http://lab-7-0123456789.localhost:3001; base-uri 'none'; frame-ancestors 'none'"), "{policy}");
        assert_eq!(response.headers()[header::REFERRER_POLICY], "strict-origin");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let html = body(response).await;
        assert!(html.contains("name=\"ticket\" value=\"hush\"") && html.contains("/lab?a=&quot;&gt;&lt;script&gt;"), "{html}");
        assert_eq!(html.matches("<script").count(), 1, "{html}");
    }

    #[test]
    fn what_is_fetched_ahead_does_not_open() {
        let goes = |pairs: &[(&'static str, &'static str)]| {
            let headers: HeaderMap = pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), (*value).parse().unwrap())).collect();
            is_navigation(&headers)
        };
        let navigate = ("sec-fetch-mode", "navigate");
        assert!(goes(&[]) && goes(&[navigate]));
        assert!(!goes(&[("sec-fetch-mode", "cors")]));
        for ahead in [("sec-purpose", "prefetch"), ("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch")] {
            assert!(!goes(&[navigate, ahead]), "{ahead:?}");
        }
    }
}
