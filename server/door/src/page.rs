//! The door's own answers: a page for people, JSON for programs, nothing for those that only look. They are few and small, carry their
//! styles themselves, and allow nothing but what they need.

use axum::{body::Body, response::Response};
use html_escape::{encode_double_quoted_attribute, encode_text};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};

use crate::{
    timeline::{self, Step},
    words::{Language, Matter},
};

const STYLE: &str = "\
:root{color-scheme:light;--paper:#f8f6f0;--surface:#fffefa;--line:#e1ddd3;--ink:#21221b;--soft:#5b5c53;--accent:#1d5740;--on:#fbfaf5}\
@media (prefers-color-scheme:dark){:root{color-scheme:dark;--paper:#1c2722;--surface:#25302b;--line:#3b4741;--ink:#ecebe3;--soft:#b4b8ad;--accent:#a8d2bb;--on:#12201a}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.25rem;background:var(--paper);color:var(--ink);\
font:1rem/1.6 \"Segoe UI\",-apple-system,BlinkMacSystemFont,\"PingFang SC\",\"Microsoft YaHei\",\"Noto Sans CJK SC\",sans-serif}\
main{width:min(34rem,100%);padding:1.75rem;background:var(--surface);border:1px solid var(--line);border-radius:.5rem;overflow-wrap:anywhere}\
.name{margin:0;color:var(--soft);font-size:.875rem}h1{margin:.25rem 0 .75rem;font-size:1.375rem;line-height:1.35}p{margin:0 0 1rem}\
dl{display:grid;grid-template-columns:auto minmax(0,1fr);gap:.25rem 1rem;margin:0 0 1.25rem}dt{color:var(--soft)}dd{margin:0;font-variant-numeric:tabular-nums}\
ol{list-style:none;margin:0 0 1.25rem;padding:0;border-top:1px solid var(--line)}\
li{display:flex;flex-wrap:wrap;gap:0 .75rem;padding:.375rem 0;border-bottom:1px solid var(--line);color:var(--soft)}\
li::before{content:\"\\25CB\";width:1em}li small{margin-left:auto;font-variant-numeric:tabular-nums}\
li[data-mark=done],li[data-mark=now],li[data-mark=late]{color:var(--ink)}li[data-mark=done]::before{content:\"\\2713\";color:var(--accent)}\
li[data-mark=now],li[data-mark=late]{font-weight:600}li[data-mark=now]::before{content:\"\\25CF\";color:var(--accent)}\
li[data-mark=late]::before{content:\"!\"}\
.sr{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}\
nav{display:flex;flex-wrap:wrap;gap:.75rem}\
a{display:inline-block;padding:.5rem 1rem;border:1px solid var(--accent);border-radius:.375rem;color:var(--accent);text-decoration:none}\
a:first-child{background:var(--accent);color:var(--on)}a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}";

/// Waits for the lab: asks every two seconds, draws the steps of its start, and reloads when there is something else to show. The line for
/// screen readers changes with the step only.
const WAIT: &str = "\
(()=>{const shown=document.documentElement.dataset.state;const rows=[...document.querySelectorAll('li')];\
const line=document.querySelector('[role=status]');\
const draw=steps=>{if(steps.length!==rows.length)return false;steps.forEach((step,at)=>{const row=rows[at];const [name,text,about]=row.children;\
const current=step.mark==='now'||step.mark==='late';row.dataset.mark=step.mark;name.textContent=step.name;text.textContent=step.text;\
about.textContent=step.about;if(current)row.setAttribute('aria-current','step');else row.removeAttribute('aria-current');\
if(current&&line.textContent!==step.name)line.textContent=step.name});return true};\
const ask=async()=>{try{\
const answer=await fetch('/.lectern/status',{cache:'no-store',headers:{accept:'application/json'}});\
if(answer.status===401||answer.status===404){location.reload();return}\
if(answer.ok){const lab=await answer.json();if(lab.ready||lab.state!==shown||(lab.steps&&!draw(lab.steps))){location.reload();return}}\
}catch{}setTimeout(ask,2000)};setTimeout(ask,2000)})()";

/// The kind of reader of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A person who opens a page.
    Person(Language),
    /// A script or another program.
    Program(Language),
    /// `HEAD`, or a browser that fetches ahead: it shows nothing, and without a pass nothing happens for it.
    Onlooker,
}

impl Reader {
    pub fn of(request: &Parts) -> Self {
        let language = Language::of(&request.headers);
        if request.method == Method::HEAD || is_prefetch(request) {
            return Self::Onlooker;
        }
        let text = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let opens = match text("sec-fetch-mode") {
            Some(mode) => mode == "navigate",
            None => text("accept").is_some_and(|accept| accept.contains("text/html")),
        };
        if opens && !request.headers.contains_key(header::UPGRADE) { Self::Person(language) } else { Self::Program(language) }
    }
}

/// Whether a browser fetches a page ahead. A changing request and a socket are never taken for that, even with the header.
pub fn is_prefetch(request: &Parts) -> bool {
    let says = |name: &&str| request.headers.get(*name).is_some_and(|value| value.as_bytes().starts_with(b"prefetch"));
    let only_reads = matches!(request.method, Method::GET | Method::HEAD) && !request.headers.contains_key(header::UPGRADE);
    only_reads && ["sec-purpose", "purpose", "x-moz"].iter().any(says)
}

/// Further content of a page.
#[derive(Debug, Default, Clone)]
pub struct Extras {
    /// Terms and texts.
    pub facts: Vec<(&'static str, String)>,
    /// In the place of the matter's own text.
    pub text: Option<String>,
    /// The steps of the lab's start.
    pub steps: Vec<Step>,
    /// Texts and addresses, the first one first.
    pub links: Vec<(&'static str, String)>,
    /// The lab's state, for a page that waits for another one and for programs.
    pub waits_in: Option<&'static str>,
}

/// The answer about a matter. `nonce` is made only for a page.
pub fn answer(reader: Reader, matter: Matter, extras: &Extras, nonce: impl FnOnce() -> String) -> Response {
    let mut response = match reader {
        Reader::Person(language) => page(language, matter, extras, &nonce()),
        Reader::Program(language) => json(matter.status(), &problem(language, matter, extras)),
        Reader::Onlooker => plain(matter.status()),
    };
    if let Some(seconds) = matter.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// An answer without a body.
pub fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    secure(response.headers_mut(), "default-src 'none'; frame-ancestors 'none'");
    response
}

/// Sends the reader on; nothing is kept of it.
pub fn see_other(to: &str) -> Response {
    let mut response = plain(StatusCode::SEE_OTHER);
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, to);
    response
}

pub fn json(status: StatusCode, body: &str) -> Response {
    let mut response = plain(status);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = Body::from(body.to_owned());
    response
}

/// Its texts are our own and hold no character that JSON escapes.
fn problem(language: Language, matter: Matter, extras: &Extras) -> String {
    let state = extras.waits_in.map(|state| format!(r#","state":"{state}""#)).unwrap_or_default();
    format!(r#"{{"code":"{}","message":"{}"{state}}}"#, matter.code(), matter.title(language))
}

fn page(language: Language, matter: Matter, extras: &Extras, nonce: &str) -> Response {
    let html = html(language, matter, extras, nonce);
    let mut response = plain(matter.status());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let script = if extras.waits_in.is_some() { format!("script-src 'nonce-{nonce}'; connect-src 'self'; ") } else { String::new() };
    let policy = format!("default-src 'none'; style-src 'nonce-{nonce}'; {script}base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    secure(headers, &policy);
    *response.body_mut() = Body::from(html);
    response
}

fn html(language: Language, matter: Matter, extras: &Extras, nonce: &str) -> String {
    let text = extras.text.as_deref().unwrap_or_else(|| matter.text(language));
    let (title, text, steps) = (encode_text(matter.title(language)), encode_text(text), timeline::html(&extras.steps));
    let facts: Vec<String> =
        extras.facts.iter().map(|(term, fact)| format!("<dt>{}</dt><dd>{}</dd>", encode_text(term), encode_text(fact))).collect();
    let facts = if facts.is_empty() { String::new() } else { format!("<dl>{}</dl>", facts.concat()) };
    // A page that waits stays, since it becomes the lab.
    let elsewhere = if extras.waits_in.is_some() { " target=\"_blank\" rel=\"noopener\"" } else { "" };
    let link =
        |(name, to): &(&'static str, String)| format!("<a href=\"{}\"{elsewhere}>{}</a>", encode_double_quoted_attribute(to), encode_text(name));
    let links: Vec<String> = extras.links.iter().map(link).collect();
    let links = if links.is_empty() { String::new() } else { format!("<nav>{}</nav>", links.concat()) };
    let waiting = extras.waits_in.map(|state| {
        let wait = format!("<script nonce=\"{nonce}\">{WAIT}</script>");
        (format!(" data-state=\"{state}\""), wait, "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>")
    });
    let (state, wait, refresh) = waiting.unwrap_or_default();
    format!(
        "<!DOCTYPE html><html lang=\"{}\"{state}><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} - Lectern</title>{refresh}<style nonce=\"{nonce}\">{STYLE}</style></head>\
         <body><main><p class=\"name\">Lectern</p><h1>{title}</h1><p>{text}</p>{facts}{steps}{links}</main>{wait}</body></html>",
        language.tag()
    )
}

fn secure(headers: &mut HeaderMap, policy: &str) {
    let fixed = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn reader(method: &str, headers: &[(&str, &str)]) -> Reader {
        let request = headers.iter().fold(Request::builder().method(method), |request, (name, value)| request.header(*name, *value));
        Reader::of(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_page_is_for_those_who_open_one() {
        let person = Reader::Person(Language::Chinese);
        let program = Reader::Program(Language::Chinese);
        assert_eq!(reader("GET", &[("sec-fetch-mode", "navigate")]), person);
        assert_eq!(reader("GET", &[("accept", "text/html,*/*;q=0.8")]), person);
        assert_eq!(reader("POST", &[("sec-fetch-mode", "navigate")]), person);
        assert_eq!(reader("GET", &[("sec-fetch-mode", "cors"), ("accept", "text/html")]), program);
        assert_eq!(reader("GET", &[("accept", "*/*")]), program);
        assert_eq!(reader("GET", &[]), program);
        assert_eq!(reader("GET", &[("accept", "text/html"), ("upgrade", "websocket")]), program);
        assert_eq!(reader("HEAD", &[("accept", "text/html")]), Reader::Onlooker);
        for purpose in [("sec-purpose", "prefetch"), ("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch"), ("x-moz", "prefetch")] {
            assert_eq!(reader("GET", &[purpose, ("sec-fetch-mode", "navigate")]), Reader::Onlooker, "{purpose:?}");
            assert_eq!(reader("DELETE", &[purpose, ("sec-fetch-mode", "cors")]), program, "{purpose:?}");
            assert_eq!(reader("GET", &[purpose, ("upgrade", "websocket")]), program, "{purpose:?}");
        }
    }

    #[test]
    fn no_name_of_a_lab_ends_its_place_in_the_page() {
        let extras = Extras {
            facts: vec![("Lab", "</dd><script>alert(1)</script>&\"'".to_owned())],
            links: vec![("Open", "https://a/?x=\"><script>".to_owned())],
            ..Extras::default()
        };
        let html = html(Language::English, Matter::NotReady, &extras, "n");
        assert!(html.contains("&lt;/dd&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;"), "{html}");
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("href=\"https://a/?x=&quot;"), "{html}");
    }

    #[test]
    fn own_pages_allow_nothing_but_what_they_need() {
        let answer = |extras: &Extras| answer(Reader::Person(Language::English), Matter::NotReady, extras, || "n0nce".to_owned());
        let plain = answer(&Extras::default());
        let policy = plain.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'nonce-n0nce'; base-uri") && !policy.contains("script-src"), "{policy}");
        let waits = answer(&Extras { waits_in: Some("starting"), ..Extras::default() });
        let policy = waits.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'nonce-n0nce'; connect-src 'self'"), "{policy}");
        for response in [&plain, &waits] {
            let headers = response.headers();
            assert_eq!(headers["cache-control"], "no-store");
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert_eq!(headers["x-frame-options"], "DENY");
            assert_eq!(headers["retry-after"], "5");
            assert_eq!(response.status(), 503);
        }
    }

    #[test]
    fn programs_get_json_and_onlookers_nothing() {
        let none = || -> String { panic!("no page, no nonce") };
        let extras = Extras { waits_in: Some("stopped"), ..Extras::default() };
        assert_eq!(
            problem(Language::English, Matter::NotReady, &extras),
            r#"{"code":"lab_not_ready","message":"The lab is getting ready","state":"stopped"}"#
        );
        let response = answer(Reader::Program(Language::English), Matter::NotReady, &extras, none);
        assert_eq!(response.headers()["content-type"], "application/json");
        let response = answer(Reader::Onlooker, Matter::NotReady, &extras, none);
        assert_eq!(response.status(), 503);
        assert!(!response.headers().contains_key("content-type"));
    }

    #[test]
    fn a_place_that_no_header_can_hold_is_the_front_page() {
        assert_eq!(see_other("/lab/tree?x=%20").headers()["location"], "/lab/tree?x=%20");
        assert_eq!(see_other("/a\r\nset-cookie: x").headers()["location"], "/");
    }

    #[test]
    fn the_script_and_the_styles_end_only_where_they_end() {
        assert!(!WAIT.contains("</") && !STYLE.contains("</"));
    }
}
