//! Which lab a request is for: the label in its host. A request for any other host is refused before anything else looks at it.

use http::{HeaderMap, HeaderValue, Uri, Version, header, request::Parts};

/// Longest label of a host name.
const LABEL_MAX: usize = 63;
const PLACEHOLDER: &str = "{lab}";

/// The sites of all labs, from the setting `http://{lab}.localhost:3001`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sites {
    https: bool,
    /// Text of the host before the label, in lower case.
    before: String,
    /// Text of the host after the label, in lower case: `.localhost`.
    after: String,
    port: u16,
}

/// The site of one lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    pub label: String,
    /// As browsers write it in `Origin`.
    pub origin: String,
    /// The host as the client wrote it.
    pub host: HeaderValue,
}

/// Why a request is for no lab's site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostError {
    /// No host, several, or a target that names another one.
    Malformed,
    /// A host that is no lab's.
    Misdirected,
}

impl Sites {
    /// `None` for a text that is not such a URL.
    pub fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        let (host, port) = split_port(&authority, https)?;
        let (before, after) = host.split_once(PLACEHOLDER)?;
        let is_plain = |text: &str| text.bytes().all(|byte| is_label(byte) || byte == b'.');
        let good = is_plain(before) && is_plain(after) && after.starts_with('.') && after.len() > 1;
        good.then(|| Self { https, before: before.to_owned(), after: after.to_owned(), port })
    }

    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// The lab's site that a request is for.
    pub fn site(&self, request: &Parts) -> Result<Site, HostError> {
        let host = host_header(&request.headers, request.version)?;
        let host = match (host, request.uri.authority()) {
            (Some(host), None) => host,
            (host, Some(target)) => {
                let target = HeaderValue::from_str(target.as_str()).map_err(|_| HostError::Malformed)?;
                if host.as_ref().is_some_and(|host| !self.same(host, &target)) {
                    return Err(HostError::Malformed);
                }
                host.unwrap_or(target)
            }
            (None, None) => return Err(HostError::Malformed),
        };
        if has_other_scheme(&request.uri) {
            return Err(HostError::Malformed);
        }
        let label = host.to_str().ok().and_then(|host| self.label(host)).ok_or(HostError::Misdirected)?;
        let origin = self.origin(&label);
        Ok(Site { label, origin, host })
    }

    /// The label of a host with or without a port; `None` if it is no lab's.
    fn label(&self, authority: &str) -> Option<String> {
        let authority = authority.to_ascii_lowercase();
        let (host, port) = split_port(&authority, self.https)?;
        let label = host.strip_prefix(&self.before)?.strip_suffix(&self.after)?;
        let good = port == self.port && (1..=LABEL_MAX).contains(&label.len()) && label.bytes().all(is_label);
        good.then(|| label.to_owned())
    }

    fn same(&self, one: &HeaderValue, other: &HeaderValue) -> bool {
        let read = |value: &HeaderValue| value.to_str().ok().and_then(|text| self.label(text));
        one == other || read(one).is_some_and(|label| read(other) == Some(label))
    }

    fn origin(&self, label: &str) -> String {
        let Self { https, before, after, port } = self;
        let scheme = if *https { "https" } else { "http" };
        if *port == default_port(*https) { format!("{scheme}://{before}{label}{after}") } else { format!("{scheme}://{before}{label}{after}:{port}") }
    }
}

/// The only `Host` of the request. HTTP/2 has an authority in its place.
fn host_header(headers: &HeaderMap, version: Version) -> Result<Option<HeaderValue>, HostError> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => Ok(Some(host.clone())),
        (None, None) if version == Version::HTTP_2 => Ok(None),
        _ => Err(HostError::Malformed),
    }
}

fn has_other_scheme(uri: &Uri) -> bool {
    uri.scheme_str().is_some_and(|scheme| !matches!(scheme, "http" | "https"))
}

const fn is_label(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

const fn default_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

/// Host and port; the port of the scheme where there is none.
fn split_port(authority: &str, https: bool) -> Option<(&str, u16)> {
    match authority.rsplit_once(':') {
        None => Some((authority, default_port(https))),
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => Some((host, port.parse().ok()?)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn local() -> Sites {
        Sites::parse("http://{lab}.localhost:3001").unwrap()
    }

    fn parts(target: &str, hosts: &[&str]) -> Parts {
        let request = hosts.iter().fold(Request::get(target), |request, host| request.header("host", *host));
        request.body(()).unwrap().into_parts().0
    }

    fn label(sites: &Sites, target: &str, hosts: &[&str]) -> Result<String, HostError> {
        sites.site(&parts(target, hosts)).map(|site| site.label)
    }

    #[test]
    fn the_setting_has_one_placeholder_that_is_a_part_of_the_host() {
        for good in ["http://{lab}.localhost:3001", "https://{lab}.labs.example.edu", "HTTPS://{lab}.Labs.example.edu/", "http://x-{lab}.a"] {
            assert!(Sites::parse(good).is_some(), "{good}");
        }
        for bad in ["", "{lab}.a", "ftp://{lab}.a", "http://labs.a/{lab}", "http://{lab}", "http://{lab}.", "http://{lab}a.b", "http://{lab}.a:x"] {
            assert_eq!(Sites::parse(bad), None, "{bad}");
        }
        assert_eq!(Sites::parse("http://{lab}.{lab}.a"), None);
        assert_eq!(Sites::parse("http://u@{lab}.a"), None);
    }

    #[test]
    fn the_label_of_the_host_names_the_lab() {
        assert_eq!(label(&local(), "/", &["lab-7-1f0c9a33be.localhost:3001"]), Ok("lab-7-1f0c9a33be".into()));
        assert_eq!(label(&local(), "/", &["LAB-7-1f.LocalHost:3001"]), Ok("lab-7-1f".into()));
        let site = local().site(&parts("/", &["LAB-7-1f.LocalHost:3001"])).unwrap();
        assert_eq!((site.origin.as_str(), site.host.to_str().unwrap()), ("http://lab-7-1f.localhost:3001", "LAB-7-1f.LocalHost:3001"));
    }

    #[test]
    fn a_port_of_a_lab_has_a_site_of_its_own() {
        let site = local().site(&parts("/", &["8501--lab-7-1f0c9a33be.localhost:3001"])).unwrap();
        assert_eq!((site.label.as_str(), site.origin.as_str()), ("8501--lab-7-1f0c9a33be", "http://8501--lab-7-1f0c9a33be.localhost:3001"));
    }

    #[test]
    fn any_other_host_is_misdirected() {
        let others = [
            "localhost:3001",
            ".localhost:3001",
            "a.b.localhost:3001",
            "lab-7.localhost",
            "lab-7.localhost:3000",
            "lab-7.localhost:03001x",
            "lab-7.localhost.:3001",
            "lab-7.localhost.evil.example:3001",
            "user@lab-7.localhost:3001",
            "lab_7.localhost:3001",
            "127.0.0.1:3001",
            "[::1]:3001",
            "",
        ];
        for host in others {
            assert_eq!(label(&local(), "/", &[host]), Err(HostError::Misdirected), "{host}");
        }
        let long = format!("{}.localhost:3001", "a".repeat(64));
        assert_eq!(label(&local(), "/", &[long.as_str()]), Err(HostError::Misdirected));
    }

    #[test]
    fn the_port_of_the_scheme_may_be_left_out() {
        let college = Sites::parse("https://{lab}.labs.example.edu").unwrap();
        for host in ["lab-7.labs.example.edu", "lab-7.labs.example.edu:443"] {
            assert_eq!(college.site(&parts("/", &[host])).unwrap().origin, "https://lab-7.labs.example.edu", "{host}");
        }
        assert_eq!(label(&college, "/", &["lab-7.labs.example.edu:80"]), Err(HostError::Misdirected));
        assert_eq!(Sites::parse("https://{lab}.labs.example.edu:443"), Some(college));
    }

    #[test]
    fn a_request_has_one_host_and_its_target_agrees() {
        let host = "lab-7.localhost:3001";
        assert_eq!(label(&local(), "/", &[]), Err(HostError::Malformed));
        assert_eq!(label(&local(), "/", &[host, host]), Err(HostError::Malformed));
        assert_eq!(label(&local(), "/", &[host, "lab-8.localhost:3001"]), Err(HostError::Malformed));
        assert_eq!(label(&local(), "http://lab-7.localhost:3001/a", &[host]), Ok("lab-7".into()));
        assert_eq!(label(&local(), "http://LAB-7.localhost:3001/a", &[host]), Ok("lab-7".into()));
        assert_eq!(label(&local(), "http://lab-8.localhost:3001/a", &[host]), Err(HostError::Malformed));
        assert_eq!(label(&local(), "ftp://lab-7.localhost:3001/a", &[host]), Err(HostError::Malformed));
    }

    #[test]
    fn in_http2_the_authority_stands_for_the_host() {
        let mut request = parts("https://lab-7.localhost:3001/a", &[]);
        assert_eq!(local().site(&request), Err(HostError::Malformed));
        request.version = Version::HTTP_2;
        assert_eq!(local().site(&request).unwrap().host, "lab-7.localhost:3001");
        request.headers.insert("host", HeaderValue::from_static("lab-8.localhost:3001"));
        assert_eq!(local().site(&request), Err(HostError::Malformed));
    }
}
