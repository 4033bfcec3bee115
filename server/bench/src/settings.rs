//! What `make bench` was asked for, and what `.ci/bench` found on this machine.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

#[derive(Debug, Clone)]
pub struct Settings {
    /// The repository.
    pub root: PathBuf,
    /// The release binary that is measured.
    pub binary: PathBuf,
    /// The built site where the binary does not hold it.
    pub site: Option<PathBuf>,
    /// Everything that is made meanwhile; kept between runs are only installed peers.
    pub work: PathBuf,
    /// A smoke of a minute: small numbers, once each, written nowhere.
    pub quick: bool,
    /// Lines for the server's section `[log]` in place of its own, to find out where time goes; not for figures.
    pub log: Option<String>,
    /// Sections to run; empty for all.
    pub only: Vec<String>,
}

impl Settings {
    pub fn read() -> Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let path = |name: &str| variable(name).map(PathBuf::from).with_context(|| format!("{name} is not set: run `make bench`"));
        Ok(Self {
            root: path("BENCH_ROOT")?,
            binary: path("BENCH_BINARY")?,
            site: variable("BENCH_SITE").map(PathBuf::from),
            work: path("BENCH_WORK")?,
            quick: variable("QUICK").is_some_and(|text| text != "0"),
            log: variable("BENCH_LOG"),
            only: variable("ONLY").map(|text| text.split([',', ' ']).map(ToOwned::to_owned).collect()).unwrap_or_default(),
        })
    }

    /// The larger number, or the smaller one in a smoke.
    pub fn size<T>(&self, whole: T, quick: T) -> T {
        if self.quick { quick } else { whole }
    }

    /// A new, empty folder.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.work.join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}
