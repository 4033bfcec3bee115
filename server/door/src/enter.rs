//! `/.lectern/enter`: the portal's opening page posts a ticket here, which becomes the cookie of the lab's site. Coming here again, by
//! Reload or Back, leads into the lab if the cookie is good, and otherwise to a page with Open.

use std::{collections::HashMap, time::Duration};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header, request::Parts};
use percent_encoding::percent_decode_str;
use services::visits::EnterError;

use crate::{
    Asked, Inner, cookie,
    counts::ENTERED,
    page::{self, Reader},
    words::Matter,
};

pub const PATH: &str = "/.lectern/enter";

/// Most bytes of the form.
const FORM_BYTES: usize = 4_096;
/// A browser sends the form in one piece. Anybody may post here, so nobody may keep a connection by posting slowly.
const FORM_TIME: Duration = Duration::from_secs(10);

pub async fn answer(door: &Inner, asked: &Asked, parts: &Parts, body: Body) -> Response {
    match parts.method {
        Method::POST => post(door, asked, parts, body).await,
        Method::GET | Method::HEAD => come_again(door, asked, parts).await,
        _ => door.about(asked.reader, Matter::Method),
    }
}

async fn post(door: &Inner, asked: &Asked, parts: &Parts, body: Body) -> Response {
    let form = if is_form(&parts.headers) { take(body, FORM_TIME).await } else { None };
    let Some(mut form) = form.and_then(|form| read(&form)) else {
        let mut refusal = door.about(asked.reader, Matter::Malformed);
        // The rest of the body is not waited for.
        refusal.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        return refusal;
    };
    let ticket = form.remove("ticket").unwrap_or_default();
    let address = asked.address.map(|address| address.to_canonical().to_string());
    let label = &asked.site.label;
    match door.passes.enter(label, &ticket, origin(&parts.headers), address.as_deref()).await {
        Ok(entered) => {
            door.counts.outcome(ENTERED);
            let mut response = page::see_other(inside(&entered.next));
            if let Some(cookie) = cookie::set(door.sites.is_https(), entered.cookie.expose()) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(EnterError::WrongOrigin) => {
            tracing::warn!(lab.host = %label, "a ticket for a lab came from another site and was refused");
            door.counts.foreign_ticket();
            door.about(asked.reader, Matter::WrongOrigin)
        }
        // A form that is sent again carries no cookie, since it comes from the portal's site; the page that this leads to gets it.
        Err(EnterError::NoTicket) => {
            door.counts.bad_ticket();
            page::see_other(PATH)
        }
        Err(EnterError::Unavailable(_)) => door.about(asked.reader, Matter::Unavailable),
    }
}

async fn come_again(door: &Inner, asked: &Asked, parts: &Parts) -> Response {
    if asked.reader == Reader::Onlooker {
        return door.without_ticket(asked, parts).await;
    }
    match door.admit(asked, &parts.headers).await {
        Ok(Some(_)) => page::see_other("/"),
        Ok(None) => door.without_ticket(asked, parts).await,
        Err(_) => door.about(asked.reader, Matter::Unavailable),
    }
}

/// The whole form; `None` if it is too large or does not come within this time.
async fn take(body: Body, within: Duration) -> Option<Bytes> {
    tokio::time::timeout(within, axum::body::to_bytes(body, FORM_BYTES)).await.ok()?.ok()
}

/// The only `Origin`; none if there are several.
fn origin(headers: &HeaderMap) -> Option<&str> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let origin = origins.next()?.to_str().ok()?;
    origins.next().is_none().then_some(origin)
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The fields of a form; `None` if it is no text or names a field twice.
fn read(form: &[u8]) -> Option<HashMap<String, String>> {
    let form = std::str::from_utf8(form).ok()?;
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(std::borrow::Cow::into_owned);
    let mut fields = HashMap::new();
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if fields.insert(decode(name)?, decode(value)?).is_some() {
            return None;
        }
    }
    Some(fields)
}

/// A place on this site, whatever the ticket says.
fn inside(next: &str) -> &str {
    let good = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\') && !next.starts_with(PATH);
    if good { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let form = read(b"ticket=lab_a-b_c&next=%2Flab%2Ftree%3Fx%3D1%262&note=a+b").unwrap();
        assert_eq!((form["ticket"].as_str(), form["next"].as_str(), form["note"].as_str()), ("lab_a-b_c", "/lab/tree?x=1&2", "a b"));
        assert_eq!(read(b"").unwrap().len(), 0);
        for bad in [&b"ticket=a&ticket=b"[..], b"ticket=%ff", b"\xff", b"a=1&%61=2"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[tokio::test]
    async fn a_form_that_does_not_come_is_not_waited_for() {
        let begun = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"ticket="))]);
        let never = Body::from_stream(futures::StreamExt::chain(begun, futures::stream::pending()));
        assert_eq!(take(never, Duration::from_millis(10)).await, None);
        assert_eq!(take(Body::from("ticket=a"), Duration::from_mins(1)).await.as_deref(), Some(&b"ticket=a"[..]));
        assert_eq!(take(Body::from("x".repeat(FORM_BYTES + 1)), Duration::from_mins(1)).await, None);
    }

    #[test]
    fn entering_leads_nowhere_but_into_the_lab() {
        for good in ["/lab/tree?x=1", "/.lectern/terminal"] {
            assert_eq!(inside(good), good);
        }
        for outside in ["", "lab", "//evil.example", "/\\evil.example", "https://evil.example", "/.lectern/enter"] {
            assert_eq!(inside(outside), "/", "{outside}");
        }
    }

    #[test]
    fn a_request_has_one_origin_or_none() {
        let mut headers = HeaderMap::new();
        assert_eq!(origin(&headers), None);
        headers.append("origin", "http://127.0.0.1:3000".parse().unwrap());
        assert_eq!(origin(&headers), Some("http://127.0.0.1:3000"));
        headers.append("origin", "null".parse().unwrap());
        assert_eq!(origin(&headers), None);
    }
}
