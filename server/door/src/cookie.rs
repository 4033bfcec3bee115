//! Cookies on a lab's site: the pass is one of ours, all others belong to the application in the lab. The lab sees none of ours and can
//! set none of ours, nor any that its neighbours would get.

use http::{HeaderMap, HeaderValue, header};
use services::accounts::devices;

use crate::own_tokens;

/// Most cookies of our name that are tried for one request: another site of the domain may have set more over http.
const TRIED: usize = 8;

const SECURE: &str = "__Host-lectern-lab";
const PLAIN: &str = "lectern-lab";

/// Cookies that are never a lab's business: passes, the portal's session, known browsers.
const OURS: [&str; 6] = [SECURE, PLAIN, "__Host-lectern", "lectern", devices::cookie_name(true), devices::cookie_name(false)];

/// Name of the pass's cookie: with https the browser itself guarantees that no other host of the domain set it.
pub const fn name(https: bool) -> &'static str {
    if https { SECURE } else { PLAIN }
}

/// `Set-Cookie` for a pass. It lives as long as the browser's window; the pass itself ends with the portal's session.
pub fn set(https: bool, value: &str) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    let mut cookie = HeaderValue::from_str(&format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}", name(https))).ok()?;
    cookie.set_sensitive(true);
    Some(cookie)
}

/// Values that may be a pass, the last of the request first. Browsers send cookies for longer paths before ours, however many somebody set;
/// behind ours there is at most one for each domain above.
pub fn candidates(headers: &HeaderMap, https: bool) -> Vec<String> {
    let all = headers.get_all(header::COOKIE).iter().flat_map(|value| pieces(value.as_bytes()));
    let ours = all.filter_map(|piece| {
        let (found, value) = split(piece)?;
        let value = std::str::from_utf8(value).ok()?;
        (found == name(https).as_bytes()).then(|| value.to_owned())
    });
    ours.rev().filter(|value| !value.is_empty()).take(TRIED).collect()
}

/// Takes our cookies out of a request, and others that hold an access token.
pub fn strip_request(headers: &mut HeaderMap) {
    let all = headers.get_all(header::COOKIE).iter().flat_map(|value| pieces(value.as_bytes()));
    let kept: Vec<&[u8]> = all.filter(|piece| !is_ours(split(piece).map_or(*piece, |(name, _)| name)) && !own_tokens::holds(piece)).collect();
    let kept = kept.join(&b"; "[..]);
    headers.remove(header::COOKIE);
    if let (false, Ok(kept)) = (kept.is_empty(), HeaderValue::from_bytes(&kept)) {
        headers.insert(header::COOKIE, kept);
    }
}

/// Takes cookies out of a lab's answer that are named like ours or go to other hosts too.
pub fn strip_answer(headers: &mut HeaderMap) {
    if headers.get_all(header::SET_COOKIE).iter().all(may_set) {
        return;
    }
    let kept: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).iter().filter(|value| may_set(value)).cloned().collect();
    headers.remove(header::SET_COOKIE);
    for value in kept {
        headers.append(header::SET_COOKIE, value);
    }
}

/// A cookie without a name is refused too: the browser sends its value alone, which may read `lectern-lab=...`.
fn may_set(value: &HeaderValue) -> bool {
    let mut parts = pieces(value.as_bytes());
    let named = parts.next().and_then(split).is_some_and(|(name, _)| !name.is_empty() && !is_ours(name));
    named && !parts.any(|part| split(part).map_or(part, |(name, _)| name).eq_ignore_ascii_case(b"domain"))
}

fn pieces(value: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|piece| !piece.is_empty())
}

/// Name and value; `None` without `=`.
fn split(piece: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = piece.iter().position(|byte| *byte == b'=')?;
    Some((piece[..at].trim_ascii(), piece[at + 1..].trim_ascii()))
}

/// Browsers take a prefix like `__Host-` in any case.
fn is_ours(name: &[u8]) -> bool {
    OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn stripped(cookies: &[&str]) -> Option<String> {
        let mut headers = headers("cookie", cookies);
        strip_request(&mut headers);
        assert!(headers.get_all("cookie").iter().count() <= 1);
        headers.get("cookie").map(|value| value.to_str().unwrap().to_owned())
    }

    fn passed(cookies: &[&str]) -> Vec<String> {
        let mut headers = headers("set-cookie", cookies);
        strip_answer(&mut headers);
        headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_cookie_is_of_this_host_alone_and_no_script_reads_it() {
        assert_eq!(set(false, "abc").unwrap(), "lectern-lab=abc; Path=/; HttpOnly; SameSite=Lax");
        let secure = set(true, "abc").unwrap();
        assert_eq!(secure, "__Host-lectern-lab=abc; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert!(!format!("{secure:?}").contains("abc"), "never in a log");
        assert_eq!(set(true, "a\nb"), None);
    }

    #[test]
    fn several_cookies_of_the_name_are_tried_and_only_the_last_few() {
        let many = headers("cookie", &["a=1; lectern-lab=one; lectern-lab=", "lectern-lab = two ;lectern-labs=x; LECTERN-LAB=y"]);
        assert_eq!(candidates(&many, false), ["two", "one"]);
        assert_eq!(candidates(&many, true), [""; 0]);
        let flood: Vec<String> = (0..300).map(|number| format!("lectern-lab=v{number}")).collect();
        let last: Vec<String> = (292..300).rev().map(|number| format!("v{number}")).collect();
        assert_eq!(candidates(&headers("cookie", &[flood.join("; ").as_str()]), false), last);
        assert_eq!(candidates(&headers("cookie", &["__Host-lectern-lab=s; lectern-lab=p"]), true), ["s"]);
    }

    #[test]
    fn the_lab_sees_its_own_cookies_and_none_of_ours() {
        assert_eq!(stripped(&["_xsrf=2|a; lectern-lab=secret; theme=dark"]).as_deref(), Some("_xsrf=2|a; theme=dark"));
        assert_eq!(stripped(&["a=1", "__Host-lectern-lab=s; b=2"]).as_deref(), Some("a=1; b=2"));
        for ours in OURS {
            assert_eq!(stripped(&[format!("{ours}=s").as_str()]), None, "{ours}");
            assert_eq!(stripped(&[format!("{} =s;;", ours.to_uppercase()).as_str()]), None, "{ours}");
            assert_eq!(stripped(&[ours]), None, "{ours}");
        }
        let token = format!("a=1; key=lct_{}; b=2", "x".repeat(43));
        assert_eq!(stripped(&[token.as_str()]).as_deref(), Some("a=1; b=2"));
        assert_eq!(stripped(&["lectern-labs=1; xlectern=2; =3"]).as_deref(), Some("lectern-labs=1; xlectern=2; =3"));
        assert_eq!(stripped(&[]), None);
    }

    #[test]
    fn the_lab_sets_its_own_cookies_and_none_of_ours_or_of_its_neighbours() {
        let good = ["a=1; Path=/; HttpOnly", "_xsrf=x; expires=Wed, 01 Jan 2031 00:00:00 GMT", "domain=1"];
        assert_eq!(passed(&good), good);
        for bad in [
            "lectern-lab=x; Path=/",
            "__HOST-lectern-lab=x; Secure; Path=/",
            "lectern=x",
            "lectern-device=x",
            "a=1; Domain=labs.example.edu",
            "a=1; path=/; DOMAIN = .labs.example.edu",
            "a=1; domain",
            "=lectern-lab=x",
            "lectern-lab",
        ] {
            assert_eq!(passed(&["a=1", bad, "b=2"]), ["a=1", "b=2"], "{bad}");
        }
    }
}
