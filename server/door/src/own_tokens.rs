//! Access tokens of Lectern in a client's request. No lab gets one, wherever a program puts it: in any header, in a part of a cookie, in a
//! value of the query. Bodies are the client's own business.

use std::borrow::Cow;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use percent_encoding::percent_decode_str;
use services::secret;

const FORGIVING: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// Whether a whole token is anywhere in the text.
pub fn holds(text: &[u8]) -> bool {
    let is_of_token = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'-' | b'_');
    let mark = secret::TOKEN.as_bytes();
    text.windows(mark.len())
        .enumerate()
        .any(|(at, window)| window == mark && text[at + mark.len()..].iter().take_while(is_of_token).count() >= secret::LENGTH)
}

/// Takes the headers out that hold a token; cookies are stripped one by one, by [`crate::cookie::strip_request`].
pub fn strip_headers(headers: &mut HeaderMap) {
    let is_ours = |(name, value): &(&HeaderName, &HeaderValue)| {
        **name != header::COOKIE && (holds(value.as_bytes()) || **name == header::AUTHORIZATION && authorizes(value))
    };
    let ours: Vec<HeaderName> = headers.iter().filter(is_ours).map(|(name, _)| name.clone()).collect();
    for name in ours {
        headers.remove(name);
    }
}

/// Takes the pairs out of the query that hold a token, however they are written.
pub fn strip_query(uri: &mut Uri) {
    let is_ours = |pair: &&str| holds(&Cow::<[u8]>::from(percent_decode_str(pair)));
    let Some(query) = uri.query().filter(|query| query.split('&').any(|pair| is_ours(&pair))) else { return };
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_ours(pair)).collect();
    let target = if kept.is_empty() { uri.path().to_owned() } else { format!("{}?{}", uri.path(), kept.join("&")) };
    // Removing query pairs keeps a URI valid.
    *uri = target.parse().unwrap_or_default();
}

/// Whether this `Authorization` holds anything like a token, as a bearer or as a part of name and password.
fn authorizes(value: &HeaderValue) -> bool {
    let value = value.as_bytes().trim_ascii();
    let (scheme, credentials) = match value.iter().position(u8::is_ascii_whitespace) {
        Some(at) => (&value[..at], value[at..].trim_ascii()),
        None => (&value[..0], value),
    };
    let begins = |part: &[u8]| part.starts_with(secret::TOKEN.as_bytes());
    if scheme.eq_ignore_ascii_case(b"basic") {
        return FORGIVING.decode(credentials).is_ok_and(|decoded| decoded.split(|byte| *byte == b':').any(|part| begins(part) || holds(part)));
    }
    begins(credentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> String {
        format!("lct_{}", "aB3-_".repeat(9).split_at(secret::LENGTH).0)
    }

    fn passes(name: &'static str, value: &str) -> bool {
        let mut headers: HeaderMap = [(HeaderName::from_static(name), value.parse().unwrap())].into_iter().collect();
        strip_headers(&mut headers);
        headers.contains_key(name)
    }

    #[test]
    fn an_applications_own_authorization_passes_and_lecterns_tokens_do_not() {
        // `Basic`: user:hunter2, and nothing that is Base64.
        for own in ["Bearer eyJhbGciOi", "token 4f5a", "Basic dXNlcjpodW50ZXIy", "Basic %%%", "Bearer xlct_a", "x"] {
            assert!(passes("authorization", own), "{own}");
        }
        // `Basic`: li.hua:lct_abc with and without padding, and lct_abc: as the name.
        let ours = ["Bearer lct_abc", "bearer  lct_abc", "token lct_abc", "lct_abc", "Basic bGkuaHVhOmxjdF9hYmM=", "basic bGkuaHVhOmxjdF9hYmM"];
        for ours in ours.into_iter().chain(["Basic bGN0X2FiYzo="]) {
            assert!(!passes("authorization", ours), "{ours}");
        }
        let token = token();
        for ours in [format!("Bearer \"{token}\""), format!("Token token={token}"), format!("Bearer x, {token}")] {
            assert!(!passes("authorization", &ours), "{ours}");
        }
    }

    #[test]
    fn a_token_passes_in_no_header() {
        let token = token();
        for name in ["x-api-key", "referer", "sec-websocket-protocol", "x-auth-token", "user-agent"] {
            assert!(!passes(name, &format!("a={token};")) && passes(name, "lct_part") && passes(name, &token[..token.len() - 1]), "{name}");
        }
    }

    #[test]
    fn a_token_passes_in_no_query_and_the_rest_stays_as_it_is() {
        let token = token();
        let sent = |target: &str| {
            let mut uri: Uri = target.parse().unwrap();
            strip_query(&mut uri);
            uri.to_string()
        };
        let encoded = token.replace("lct_", "%6cct%5F");
        for (target, left) in [
            (format!("/api?access_token={token}"), "/api"),
            (format!("/api/%2Fa//b?x=%20&token={token}&y"), "/api/%2Fa//b?x=%20&y"),
            (format!("//a?token={encoded}&token=own"), "//a?token=own"),
            (format!("/a?{token}"), "/a"),
        ] {
            assert_eq!(sent(&target), left);
        }
        for own in ["/a?token=4f5a&&x", "/a?lct_=1", "/a"] {
            assert_eq!(sent(own), own);
        }
    }
}
