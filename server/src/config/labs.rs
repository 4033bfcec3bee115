//! Labs: how long they are kept, and the lab site, on which each lab has a host of its own.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Result, bail};
use domain::labs::idle;
use openidconnect::url::{Host, Url};
use serde::Deserialize;

use super::{Server, as_browsers_send};

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Labs {
    /// Days that a stopped or failed lab is kept before it is destroyed with its files; its owner is warned a day before: 14.
    pub keep_stopped_days: i64,
    /// Minutes without use after which a lab is stopped whose owner chose none, 10 to 1440: by default no such lab is stopped.
    pub idle_minutes: Option<u32>,
    /// Address and port of the lab site: where `server.listen` is a loopback address, the same with the next port; none elsewhere.
    pub listen: Option<SocketAddr>,
    /// What browsers call the site of a lab, with `{lab}` in the place of its name: `http://{lab}.localhost:3001` by default, with the port
    /// of `listen`; only where that is a loopback address and `server.public_url` is none of another machine.
    pub url: Option<String>,
    /// Most connections to one lab at a time: 512.
    pub connections_per_lab: usize,
    /// Most connections of one person to labs at a time: 256.
    pub connections_per_person: usize,
}

/// In the place of a lab's name in [`Labs::url`].
pub const PLACEHOLDER: &str = "{lab}";
/// A name as labs have them.
const SAMPLE: &str = "lab-1-0123456789";

impl Default for Labs {
    fn default() -> Self {
        Self { keep_stopped_days: 14, idle_minutes: None, listen: None, url: None, connections_per_lab: 512, connections_per_person: 256 }
    }
}

impl Labs {
    /// Where the lab site listens; `None` where there is none.
    pub fn listen_beside(&self, server: &Server) -> Option<SocketAddr> {
        if self.listen.is_some() {
            return self.listen;
        }
        let (ip, port) = (server.listen.ip(), server.listen.port());
        // Where people come by a name of another machine, `*.localhost` would be their own.
        let is_reached = self.url.is_some() || server.is_at_home();
        let next = if port == 0 { Some(0) } else { port.checked_add(1) };
        next.filter(|_| ip.is_loopback() && is_reached).map(|port| SocketAddr::new(ip, port))
    }

    /// [`Self::url`] of a site that listens on this port.
    pub fn url_at(&self, port: u16) -> String {
        self.url.clone().unwrap_or_else(|| format!("http://{PLACEHOLDER}.localhost:{port}"))
    }

    pub fn check(&self, server: &Server) -> Result<()> {
        if self.keep_stopped_days < 2 {
            bail!("labs.keep_stopped_days must be at least 2, so that there is a day between the warning and the end");
        }
        if self.idle_minutes.is_some_and(|minutes| !idle::MINUTES.contains(&minutes)) {
            bail!("labs.idle_minutes must be from {} to {}", idle::MINUTES.start(), idle::MINUTES.end());
        }
        if self.connections_per_lab < 16 || self.connections_per_person < 16 {
            bail!("labs.connections_per_lab and labs.connections_per_person must be at least 16: a browser opens six, an application more");
        }
        match (&self.url, self.listen_beside(server)) {
            (Some(_), None) => bail!("labs.url needs labs.listen, the address that answers it: server.listen is no loopback address"),
            (None, Some(listen)) if !listen.ip().is_loopback() || !server.is_at_home() => {
                bail!("labs.listen needs labs.url, like https://{PLACEHOLDER}.labs.example.edu: {listen} is not only for browsers on this machine")
            }
            (Some(url), _) => check_url(url, server),
            (None, _) => Ok(()),
        }
    }
}

impl Server {
    /// Whether people use the portal in browsers on the machine that it runs on.
    pub fn is_at_home(&self) -> bool {
        let host = self.public_url.as_deref().and_then(|url| Url::parse(url).ok());
        self.listen.ip().is_loopback() && host.as_ref().and_then(Url::host).is_none_or(|host| is_loopback(&host))
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(ip) => IpAddr::V4(*ip).is_loopback(),
        Host::Ipv6(ip) => IpAddr::V6(*ip).is_loopback(),
    }
}

fn check_url(text: &str, server: &Server) -> Result<()> {
    let example = format!("https://{PLACEHOLDER}.labs.example.edu");
    if let Some(ascii) = as_browsers_send(&text.replace(PLACEHOLDER, SAMPLE)) {
        bail!("labs.url must be written as browsers send it, {}: {text:?}", ascii.replace(SAMPLE, PLACEHOLDER));
    }
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.strip_prefix(PLACEHOLDER)?.strip_prefix('.'));
    let is_host = host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', '{', '}']));
    let site = Url::parse(&text.replace(PLACEHOLDER, SAMPLE)).ok().filter(|_| is_host);
    let Some(site) = site.as_ref().and_then(Url::host_str) else {
        bail!("labs.url must be like {example}, with {PLACEHOLDER} as the first part of the host and without a path: {text:?}");
    };
    let portal = server.public_url.as_deref().and_then(|url| Url::parse(url).ok());
    let portal = portal.as_ref().and_then(Url::host_str).unwrap_or_default();
    let suffix = site.trim_start_matches(SAMPLE);
    if portal.strip_suffix(suffix).is_some_and(|label| !label.contains('.')) {
        bail!("labs.url must have a domain of its own, like {example}: {portal} is a host of the portal and would be one of a lab too");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(listen: &str, public_url: Option<&str>) -> Server {
        Server { listen: listen.parse().unwrap(), public_url: public_url.map(ToOwned::to_owned), ..Server::default() }
    }

    fn labs(listen: Option<&str>, url: Option<&str>) -> Labs {
        Labs { listen: listen.map(|listen| listen.parse().unwrap()), url: url.map(ToOwned::to_owned), ..Labs::default() }
    }

    #[test]
    fn the_time_without_use_has_the_limits_of_an_owners_choice() {
        let check = |minutes| Labs { idle_minutes: Some(minutes), ..Labs::default() }.check(&Server::default());
        assert!(check(10).is_ok() && check(1_440).is_ok());
        for bad in [0, 9, 1_441] {
            assert!(check(bad).unwrap_err().to_string().contains("labs.idle_minutes"), "{bad}");
        }
    }

    #[test]
    fn at_home_the_lab_site_has_the_next_port() {
        let at = |listen, public_url| labs(None, None).listen_beside(&server(listen, public_url)).map(|address| address.to_string());
        assert_eq!(at("127.0.0.1:3000", None).as_deref(), Some("127.0.0.1:3001"));
        assert_eq!(at("[::1]:3000", None).as_deref(), Some("[::1]:3001"));
        assert_eq!(at("127.0.0.1:0", None).as_deref(), Some("127.0.0.1:0"));
        assert_eq!(at("127.0.0.1:3000", Some("http://localhost:3000")).as_deref(), Some("127.0.0.1:3001"));
        assert_eq!(at("127.0.0.1:65535", None), None);
        assert_eq!(at("0.0.0.0:3000", None), None);
        assert_eq!(at("127.0.0.1:3000", Some("https://lectern.example.edu")), None, "behind a proxy");
        assert_eq!(labs(None, None).url_at(3001), "http://{lab}.localhost:3001");
    }

    #[test]
    fn elsewhere_both_settings_are_needed() {
        let (home, open) = (server("127.0.0.1:3000", None), server("0.0.0.0:3000", None));
        let behind = server("127.0.0.1:3000", Some("https://lectern.example.edu"));
        let url = Some("https://{lab}.labs.example.edu");
        for (labs, server) in [
            (labs(None, None), &home),
            (labs(Some("127.0.0.1:4000"), None), &home),
            (labs(None, url), &home),
            (labs(None, None), &open),
            (labs(Some("0.0.0.0:3001"), url), &open),
            (labs(None, None), &behind),
            (labs(None, url), &behind),
        ] {
            labs.check(server).unwrap();
        }
        let error = |labs: Labs, server| labs.check(server).unwrap_err().to_string();
        assert!(error(labs(None, url), &open).contains("needs labs.listen"));
        assert!(error(labs(Some("0.0.0.0:3001"), None), &open).contains("needs labs.url"));
        assert!(error(labs(Some("127.0.0.1:3001"), None), &behind).contains("needs labs.url"));
    }

    #[test]
    fn the_url_has_the_lab_first_and_nothing_after_the_host() {
        let server = server("127.0.0.1:3000", Some("https://lectern.example.edu"));
        for good in ["https://{lab}.labs.example.edu", "https://{lab}.labs.example.edu:8443", "http://{lab}.localhost:3001"] {
            labs(None, Some(good)).check(&server).unwrap();
        }
        for bad in [
            "https://labs.example.edu",
            "https://{lab}",
            "https://{lab}.",
            "https://a.{lab}.example.edu",
            "https://{lab}-a.example.edu",
            "https://{lab}.{lab}.example.edu",
            "https://{lab}.labs.example.edu/",
            "https://{lab}.labs.example.edu/lab",
            "https://a@{lab}.labs.example.edu",
            "ftp://{lab}.labs.example.edu",
            "{lab}.labs.example.edu",
            "https://{lab}.实验.example",
            "https://{lab}.labs.example.edu:99999",
        ] {
            assert!(labs(None, Some(bad)).check(&server).is_err(), "{bad}");
        }
        let error = labs(None, Some("https://{lab}.example.edu")).check(&server).unwrap_err().to_string();
        assert!(error.contains("lectern.example.edu"), "{error}");
    }
}
