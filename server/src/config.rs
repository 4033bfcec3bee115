//! What an operator can set: one struct for each section of the TOML file, with its default beside it. Flags and environment
//! variables go over the file. An unknown key stops the start with an error that names it. A new key is a field with a default.

mod connections;
mod labs;
mod metrics;
mod oidc;
mod simulated_labs;

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context as _, Result, anyhow, bail};
use openidconnect::url::Url;
use serde::Deserialize;

pub use connections::Connections;
pub use labs::{Labs, PLACEHOLDER};
pub use metrics::Metrics;
pub use oidc::{Oidc, is_safe};
pub use simulated_labs::SimulatedLabs;

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub connections: Connections,
    pub metrics: Metrics,
    pub storage: Storage,
    pub cluster: Cluster,
    pub sessions: Sessions,
    /// Signing in through an identity provider; none unless set.
    pub oidc: Option<Oidc>,
    pub orders: Orders,
    pub labs: Labs,
    pub secrets: Secrets,
    pub demo: Demo,
    pub log: Log,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port to listen on: `127.0.0.1:3000`.
    pub listen: SocketAddr,
    /// What people type to get here: `https://lectern.example.edu`. With `https` cookies are `Secure` and `__Host-`.
    pub public_url: Option<String>,
    /// Further host names that people and programs may use, besides those of `public_url` and loopback: none.
    pub hosts: Vec<String>,
    /// Folder with the built site: the site in the binary where there is one, else `target/site`.
    pub site_root: Option<PathBuf>,
    /// A proxy in front sets `X-Forwarded-For`; its last address is then taken as the client's: `false`.
    pub behind_proxy: bool,
    /// Seconds before a request is given up: 30.
    pub timeout_seconds: u64,
    /// Largest request body in bytes: 262144.
    pub max_body_bytes: usize,
    /// Demonstration content in an empty installation: `false`. Only on a loopback address.
    pub demo: bool,
}

#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// Folder for everything that must survive a restart: `data`.
    pub data: PathBuf,
    /// `sqlite:PATH` or `postgres://…`; a SQLite file in the data folder by default.
    pub database: Option<String>,
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { data, database } = self;
        let database = database.as_deref().map(storage::database::redacted);
        f.debug_struct("Storage").field("data", data).field("database", &database).finish()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cluster {
    /// `simulator`, `kubeconfig`, `kubeconfig:PATH` or `in-cluster`: `simulator`.
    pub source: Source,
    /// Address of the built-in simulator, loopback only; port 0 picks one and keeps it: `127.0.0.1:0`.
    pub simulator_listen: SocketAddr,
    /// Simulated pods start as quickly as possible instead of at a believable pace: `false`.
    pub simulator_fast: bool,
    /// What runs in simulated pods: `pretend` for a page that says so, `local` for processes of this machine without isolation: `pretend`.
    pub simulator_labs: SimulatedLabs,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// Hours that a session lives without use: 12.
    pub hours: i64,
    /// Hours after which a session ends however much it is used: 168, a week, or `hours` where that is more.
    pub longest_hours: Option<i64>,
}

impl Sessions {
    /// Hours after which a session ends however much it is used.
    pub fn longest_hours(&self) -> i64 {
        self.longest_hours.unwrap_or_else(|| self.hours.max(168))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Orders {
    /// Days that an undecided order holds its quota: 7.
    pub hold_days: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// File with the keys that encrypt secrets in the database: `secret.key` in the data folder, made at the first start. Several servers
    /// on one database share it.
    pub key_file: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Demo {
    /// Demonstration content comes with a college's whole term instead of two courses and nobody there: `true`.
    pub history: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`: `text`.
    pub format: LogFormat,
    /// What is logged, as `tracing` filter directives; `RUST_LOG` goes over it: `info`.
    pub filter: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Which cluster is driven.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Source {
    Simulator,
    /// `None`: `$KUBECONFIG`, then `~/.kube/config`.
    Kubeconfig(Option<PathBuf>),
    InCluster,
}

impl FromStr for Source {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "simulator" => Ok(Self::Simulator),
            None if text == "in-cluster" => Ok(Self::InCluster),
            None if text == "kubeconfig" => Ok(Self::Kubeconfig(None)),
            Some(("kubeconfig", path)) if !path.is_empty() => Ok(Self::Kubeconfig(Some(path.into()))),
            _ => Err(format!("{text:?} is none of simulator, kubeconfig, kubeconfig:PATH, in-cluster")),
        }
    }
}

impl TryFrom<String> for Source {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simulator => f.write_str("simulator"),
            Self::Kubeconfig(None) => f.write_str("kubeconfig"),
            Self::Kubeconfig(Some(path)) => write!(f, "kubeconfig:{}", path.display()),
            Self::InCluster => f.write_str("in-cluster"),
        }
    }
}

const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(LOOPBACK, 3000),
            public_url: None,
            hosts: Vec::new(),
            site_root: None,
            behind_proxy: false,
            timeout_seconds: 30,
            max_body_bytes: 256 * 1024,
            demo: false,
        }
    }
}
impl Default for Storage {
    fn default() -> Self {
        Self { data: "data".into(), database: None }
    }
}
impl Default for Cluster {
    fn default() -> Self {
        Self {
            source: Source::Simulator,
            simulator_listen: SocketAddr::new(LOOPBACK, 0),
            simulator_fast: false,
            simulator_labs: SimulatedLabs::Pretend,
        }
    }
}
impl Default for Sessions {
    fn default() -> Self {
        Self { hours: 12, longest_hours: None }
    }
}
impl Default for Orders {
    fn default() -> Self {
        Self { hold_days: 7 }
    }
}

impl Default for Demo {
    fn default() -> Self {
        Self { history: true }
    }
}
impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".into() }
    }
}

impl Config {
    /// The file's settings, or the defaults without a file. Errors: unreadable, not TOML, or a key that is not one of these.
    pub fn read(file: Option<&Path>) -> Result<Self> {
        let Some(file) = file else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not a configuration", file.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|mut error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            // The reader's own text shows the line, which may hold a password. Without it, it names the key.
            error.set_input(None);
            let shown = error.to_string();
            match shown.trim_end().rsplit_once("\nin `").map(|(_, key)| key.trim_end_matches('`')) {
                Some(key) => anyhow!("line {line}, {key}: {}", error.message()),
                None => anyhow!("line {line}: {}", error.message()),
            }
        })
    }

    /// A configuration for tests: everything in `data`, any free port.
    pub fn for_testing(data: &Path) -> Self {
        let mut config = Self::default();
        data.clone_into(&mut config.storage.data);
        config.server.listen = SocketAddr::new(LOOPBACK, 0);
        config.cluster.simulator_fast = true;
        config
    }

    /// What can be seen to be wrong before anything is started.
    pub fn check(&self) -> Result<()> {
        if self.server.demo && !self.server.listen.ip().is_loopback() {
            bail!(
                "demonstration content is only for a loopback address, and {} is none: listen on 127.0.0.1 or start with --no-demo",
                self.server.listen
            );
        }
        if let Some(url) = &self.server.public_url {
            if let Some(ascii) = as_browsers_send(url) {
                bail!("public_url must be written as browsers send it, {ascii}: {url:?} has other letters than ASCII");
            }
            let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            if rest.is_none_or(|rest| rest.is_empty() || rest.contains(['/', '?', '#', '@'])) {
                bail!("public_url must be like https://lectern.example.edu, without a path: {url:?}");
            }
        }
        if let Some(host) = self.server.hosts.iter().find(|host| crate::hosts::name(host).is_none()) {
            match as_browsers_send(&format!("http://{host}")) {
                Some(ascii) => bail!("server.hosts must be written as browsers send them, {}: {host:?}", ascii.trim_start_matches("http://")),
                None => bail!("server.hosts must be host names like gpu.example.edu: {host:?}"),
            }
        }
        self.connections.check()?;
        self.metrics.token().map(drop)?;
        if !self.cluster.simulator_listen.ip().is_loopback() {
            bail!("the simulated cluster listens on loopback only, and {} is not", self.cluster.simulator_listen);
        }
        self.labs.check(&self.server)?;
        self.cluster.simulator_labs.check(self)?;
        if let Some(oidc) = &self.oidc {
            oidc.check()?;
            if self.server.public_url.is_none() && !self.server.listen.ip().is_loopback() {
                bail!("oidc needs server.public_url: the identity provider sends people back to it");
            }
        }
        if self.sessions.longest_hours() < self.sessions.hours {
            bail!("sessions.longest_hours must be at least sessions.hours");
        }
        if self.sessions.hours < 1 || self.orders.hold_days < 1 || self.server.timeout_seconds < 1 {
            bail!("sessions.hours, orders.hold_days and server.timeout_seconds must be at least 1");
        }
        Ok(())
    }

    /// Whether cookies travel over https only.
    pub fn is_https(&self) -> bool {
        services::is_https(self.server.public_url.as_deref())
    }

    pub fn database_url(&self) -> String {
        self.storage.database.clone().unwrap_or_else(|| format!("sqlite:{}", self.storage.data.join("lectern.db").display()))
    }
}

/// The origin in ASCII (punycode) of a URL whose host has other letters; `None` for one that needs no such form, or has none.
fn as_browsers_send(url: &str) -> Option<String> {
    if url.is_ascii() {
        return None;
    }
    Url::parse(url).ok().map(|url| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named() {
        let error = Config::parse("[server]\nlisten = \"127.0.0.1:1\"\nlisen = 1\n").unwrap_err();
        assert!(error.to_string().contains("lisen"), "{error}");
        assert!(Config::parse("[srever]\n").unwrap_err().to_string().contains("srever"));
    }

    #[test]
    fn a_fault_of_the_file_is_named_without_its_text() {
        for text in [
            "[storage]\ndatabase = \"postgres://lectern:hush@db/lectern\n",
            "[storage]\ndatabse = \"postgres://lectern:hush@db/lectern\"\n",
            "[oidc]\nclient_secret = \"hush\"\nclient_secret = \"hush\"\n",
        ] {
            let error = format!("{:#} {0:?}", Config::parse(text).unwrap_err());
            assert!(error.contains("line ") && !error.contains("hush"), "{error}");
        }
        for (section, key) in [("metrics", "token"), ("oidc", "client_secret")] {
            let error = format!("{:#} {0:?}", Config::parse(&format!("[{section}]\n{key} = 4711\n")).unwrap_err());
            assert!(error.contains(&format!("line 2, {section}.{key}: ")) && error.contains("a text in quotes"), "{error}");
            assert!(!error.contains("4711"), "{error}");
        }
        let mut config = Config::default();
        config.storage.database = Some("postgres://lectern:hush@db/lectern".to_owned());
        assert!(!format!("{config:?}").contains("hush"), "{config:?}");
    }

    #[test]
    fn every_section_may_be_left_out_or_set() {
        assert_eq!(Config::parse("").unwrap(), Config::default());
        let set = Config::parse("[cluster]\nsource = \"kubeconfig:/etc/kube\"\n[log]\nformat = \"json\"\n").unwrap();
        assert_eq!(set.cluster.source, Source::Kubeconfig(Some("/etc/kube".into())));
        assert_eq!(set.log.format, LogFormat::Json);
        assert!(Config::parse("[cluster]\nsource = \"cloud\"\n").unwrap_err().to_string().contains("cloud"));
    }

    #[test]
    fn the_example_shows_every_key_with_its_default() {
        let example = include_str!("../../docs/lectern.toml");
        assert_eq!(Config::parse(example).unwrap(), Config::default());
        // An unknown key in each section makes the parser list those that there are.
        for section in ["server", "connections", "metrics", "storage", "cluster", "sessions", "oidc", "orders", "labs", "secrets", "demo", "log"] {
            let error = Config::parse(&format!("[{section}]\nno_such_key = 1\n")).unwrap_err().to_string();
            let expected = error.rsplit("expected ").next().unwrap_or_default();
            let keys: Vec<_> = expected.split('`').skip(1).step_by(2).collect();
            assert!(!keys.is_empty(), "{error}");
            for key in keys {
                let shown = example.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{key} = ")));
                assert!(shown, "{section}.{key} is not in the example");
            }
        }
    }

    #[test]
    fn demonstration_content_stays_at_home() {
        let mut config = Config::default();
        config.server.demo = true;
        config.check().unwrap();
        config.server.listen = "0.0.0.0:3000".parse().unwrap();
        assert!(config.check().unwrap_err().to_string().contains("loopback"));
    }

    #[test]
    fn an_identity_provider_must_find_the_way_back() {
        let text = "[server]\nlisten = \"0.0.0.0:3000\"\n[oidc]\nissuer = \"https://id.example.edu\"\nclient_id = \"lectern\"\nname = \"Campus\"\n";
        let mut config = Config::parse(text).unwrap();
        assert!(config.check().unwrap_err().to_string().contains("server.public_url"));
        config.server.public_url = Some("https://lectern.example.edu".to_owned());
        config.check().unwrap();
        config.oidc.as_mut().unwrap().issuer = "http://id.example.edu".to_owned();
        assert!(config.check().unwrap_err().to_string().contains("oidc.issuer"));
    }

    #[test]
    fn a_public_url_has_no_path() {
        let mut config = Config::default();
        for bad in ["lectern.example", "https://", "https://a.example/b"] {
            config.server.public_url = Some(bad.to_owned());
            assert!(config.check().is_err(), "{bad}");
        }
        config.server.public_url = Some("https://lectern.example.edu".to_owned());
        config.check().unwrap();
        assert!(config.is_https());
    }

    #[test]
    fn a_host_with_other_letters_is_refused_with_the_form_that_browsers_send() {
        let mut config = Config::default();
        config.server.public_url = Some("https://bücher.example:8443".to_owned());
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains("https://xn--bcher-kva.example:8443"), "{error}");
        config.server.public_url = Some("https://xn--bcher-kva.example:8443".to_owned());
        config.check().unwrap();
        config.server.hosts = vec!["中国.example".to_owned()];
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains(" xn--fiqs8s.example:"), "{error}");
    }

    #[test]
    fn a_session_may_live_longer_than_a_week() {
        let longest = |text: &str| {
            let config = Config::parse(text).unwrap();
            config.check().map(|()| config.sessions.longest_hours()).map_err(|error| error.to_string())
        };
        assert_eq!(longest(""), Ok(168));
        assert_eq!(longest("[sessions]\nhours = 720\n"), Ok(720));
        assert_eq!(longest("[sessions]\nhours = 8\nlongest_hours = 24\n"), Ok(24));
        assert!(longest("[sessions]\nhours = 720\nlongest_hours = 168\n").unwrap_err().contains("sessions.longest_hours"));
    }
}
