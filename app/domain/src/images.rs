//! References of container images: `[registry[:port]/]path[:tag][@digest]`, by the grammar that registries and runtimes share.

use crate::error::Problem;

/// An example of a valid reference.
pub const EXAMPLE: &str = "docker.io/library/python:3.12";
/// Longest registry and path together, in bytes.
const NAME_MAX: usize = 255;
const TAG_MAX: usize = 128;

/// Checks that a container runtime could pull this reference. An invalid one would only fail when the pod starts.
///
/// Errors: `Missing`, `BadFormat`.
pub fn check_image(text: &str) -> Result<(), Problem> {
    match text {
        "" => Err(Problem::Missing),
        _ if is_reference(text) => Ok(()),
        _ => Err(Problem::BadFormat { example: EXAMPLE.into() }),
    }
}

fn is_reference(text: &str) -> bool {
    let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
    // A colon after the last slash begins the tag; one before it begins a port.
    let last = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = rest[last..].find(':').map_or((rest, None), |colon| (&rest[..last + colon], Some(&rest[last + colon + 1..])));
    name.len() <= NAME_MAX && is_name(name) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest)
}

fn is_name(name: &str) -> bool {
    let path = match name.split_once('/') {
        // The first part is a registry if it is not valid as a part of the path.
        Some((first, path)) if first.contains(['.', ':']) || first == "localhost" || first.chars().any(|c| c.is_ascii_uppercase()) => {
            if !is_registry(first) {
                return false;
            }
            path
        }
        _ => name,
    };
    path.split('/').all(is_path_component)
}

/// A host name or an IPv4 address, with a port or without.
fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_label = |label: &str| !label.is_empty() && label.chars().all(plain) && !label.starts_with('-') && !label.ends_with('-');
    host.split('.').all(is_label)
        && port.is_none_or(|port| port.chars().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// Runs of lower-case letters and digits, separated by `.`, `_`, `__` or any number of `-`.
fn is_path_component(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let ends = part.starts_with(plain) && part.ends_with(plain);
    let mut separators = part.split(plain).filter(|between| !between.is_empty());
    ends && separators.all(|between| matches!(between, "." | "_" | "__") || between.bytes().all(|byte| byte == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=TAG_MAX).contains(&tag.len()) && tag.starts_with(plain) && tag.chars().all(|c| plain(c) || matches!(c, '.' | '-'))
}

/// `sha256:` with 64 hexadecimal digits, or `sha512:` with 128.
fn is_digest(digest: &str) -> bool {
    let (digits, length) = match digest.split_once(':') {
        Some(("sha256", digits)) => (digits, 64),
        Some(("sha512", digits)) => (digits, 128),
        _ => return false,
    };
    digits.len() == length && digits.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_runtime_pulls_is_a_reference() {
        let digest = format!("registry.example.edu:5000/team/app:1.2@sha256:{}", "0a".repeat(32));
        for good in [
            "python",
            "python:3.12",
            "library/python",
            "docker.io/library/python:3.12",
            "localhost/x",
            "localhost:5000/x",
            "10.0.0.7:5000/cv/train__gpu:V2.0_rc-1",
            "Registry.Example.edu/a.b/c-d---e/f_g",
            digest.as_str(),
        ] {
            assert_eq!(check_image(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_none_pulls_is_named_before_an_order_is_made() {
        assert_eq!(check_image(""), Err(Problem::Missing));
        let long = "a/".repeat(150);
        let tag = format!("python:{}", "1".repeat(129));
        for bad in [
            "-x",
            "file:///etc/passwd",
            "x y",
            " python",
            "python:",
            "python:-1",
            "python@sha256:abc",
            "python@md5:0a0a",
            "http://registry/x",
            "/etc/passwd",
            "a//b",
            "a/",
            "../x",
            "a/..",
            "Python",
            "registry:/x",
            "registry:0/x",
            "registry:99999/x",
            "registry:+80/x",
            "-host.example/x",
            "host-.example/x",
            "a..b",
            "a___b",
            "a-",
            "python\n",
            "ｐｙｔｈｏｎ",
            "$(id)",
            "a;b",
            long.as_str(),
            tag.as_str(),
        ] {
            assert_eq!(check_image(bad), Err(Problem::BadFormat { example: EXAMPLE.into() }), "{bad}");
        }
    }
}
