//! The servers of this section, each a process: the upstream, and what stands in front of it.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use tokio::process::Command;

use super::opening::Entered;
use crate::{
    load::{Load, Target},
    process::{Memory, Process, free_port},
    settings::Settings,
    stats::Times,
};

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing in front: the upstream itself.
    Direct,
    /// The proxy that JupyterHub runs in front of its labs.
    Peer,
    /// The least that a proxy on hyper does.
    Bare,
    Door,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Direct => "Nothing in front",
            Self::Peer => "configurable-http-proxy 5.3.0",
            Self::Bare => "Bare hyper proxy",
            Self::Door => "Lectern's door",
        })
    }
}

/// One server.
#[derive(Debug)]
pub struct Stand {
    pub kind: Kind,
    process: Process,
    /// `127.0.0.1:PORT`
    address: String,
}

impl Stand {
    pub fn memory(&self) -> Result<Memory> {
        self.process.memory()
    }

    pub fn processor_time(&self) -> Result<Duration> {
        self.process.processor_time()
    }

    pub async fn stop(self) -> Result<()> {
        self.process.stop().await
    }

    /// One of the bench's own servers.
    async fn own(settings: &Settings, kind: Kind, words: &[&str]) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?.with_file_name("stand"));
        command.arg(role(kind)).arg(&address).args(words);
        let mut process = Process::start(&mut command, &settings.work.join(log(kind)))?;
        process.until_it_says("listening on", PATIENCE).await?;
        Ok(Self { kind, process, address })
    }

    async fn peer(settings: &Settings, program: &Path, upstream: &str) -> Result<Self> {
        let (address, control) = (free_address()?, free_address()?);
        let mut command = Command::new(program);
        for (name, address) in [("", &address), ("api-", &control)] {
            let (ip, port) = address.split_once(':').context("an address has a port")?;
            command.args([format!("--{name}ip"), ip.to_owned(), format!("--{name}port"), port.to_owned()]);
        }
        command.args(["--log-level", "warn", "--default-target"]).arg(format!("http://{upstream}"));
        let mut process = Process::start(&mut command, &settings.work.join(log(Kind::Peer)))?;
        process.ready(&format!("http://{address}/"), PATIENCE).await?;
        Ok(Self { kind: Kind::Peer, process, address })
    }
}

const fn role(kind: Kind) -> &'static str {
    match kind {
        Kind::Direct => "upstream",
        Kind::Peer => "peer",
        Kind::Bare => "bare",
        Kind::Door => "door",
    }
}

fn log(kind: Kind) -> String {
    format!("stand-{}.log", role(kind))
}

fn free_address() -> Result<String> {
    Ok(format!("127.0.0.1:{}", free_port()?))
}

/// The upstream, and all that servers in front of it are started with.
#[derive(Debug)]
pub struct Front<'a> {
    pub settings: &'a Settings,
    pub upstream: Stand,
    /// Kinds of servers in front of it that can be had on this machine.
    pub kinds: Vec<Kind>,
    peer: Option<PathBuf>,
    database: String,
    entered: Vec<Entered>,
}

impl<'a> Front<'a> {
    /// `database`: with the passes of those who `entered`.
    pub async fn start(settings: &'a Settings, database: String, entered: Vec<Entered>) -> Result<Self> {
        let peer = std::env::var("BENCH_DOOR_PROXY").ok().filter(|path| !path.is_empty()).map(PathBuf::from);
        let kinds = peer.is_some().then_some(Kind::Peer).into_iter().chain([Kind::Bare, Kind::Door]).collect();
        let upstream = Stand::own(settings, Kind::Direct, &[]).await?;
        Ok(Self { settings, upstream, kinds, peer, database, entered })
    }

    pub async fn stop(self) -> Result<()> {
        self.upstream.stop().await
    }

    /// A new server in front of the upstream.
    pub async fn stand(&self, kind: Kind) -> Result<Stand> {
        let upstream = self.upstream.address.as_str();
        let started = match (kind, &self.peer) {
            (Kind::Peer, Some(program)) => Stand::peer(self.settings, program, upstream).await,
            (Kind::Door, _) => Stand::own(self.settings, kind, &[upstream, &self.database]).await,
            _ => Stand::own(self.settings, kind, &[upstream]).await,
        };
        started.with_context(|| kind.to_string())
    }

    /// One of each kind.
    pub async fn stands(&self) -> Result<Vec<Stand>> {
        let mut stands = Vec::new();
        for kind in &self.kinds {
            stands.push(self.stand(*kind).await?);
        }
        Ok(stands)
    }

    /// What the browser at this place asks for. Each place before the door has a lab and a person of its own, as long as there are enough.
    pub fn target(&self, stand: &Stand, path: &str, place: usize) -> Target {
        let target = Target::new(&stand.address, path, None);
        match self.entered.get(place % self.entered.len().max(1)) {
            Some(Entered { label, cookie }) if stand.kind == Kind::Door => {
                let port = stand.address.rsplit(':').next().unwrap_or_default();
                Target { site: Some(format!("{label}.localhost:{port}")), cookie: Some(cookie.clone()), ..target }
            }
            _ => target,
        }
    }

    /// So many browsers that ask again as soon as they were answered.
    pub async fn load(&self, stand: &Stand, browsers: usize, duration: Duration) -> Result<Load> {
        let targets: Vec<_> = (0..browsers).map(|place| self.target(stand, "/", place)).collect();
        let loads = try_join_all(targets.iter().map(|target| target.load(1, duration))).await?;
        loads.into_iter().reduce(Load::with).context("no browser")
    }

    /// So many browsers that ask once in each period, one shortly after the other.
    pub async fn paced(&self, stand: &Stand, browsers: u32, period: Duration, count: usize) -> Result<Times> {
        let asking = (0..browsers).map(|place| async move {
            tokio::time::sleep(period * place / browsers).await;
            self.target(stand, "/", place as usize).paced(period, count).await
        });
        let times = try_join_all(asking).await?;
        Ok(times.into_iter().fold(Times::default(), Times::with))
    }
}
