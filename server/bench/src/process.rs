//! Processes that are measured: started here, their output in a file, their memory as the kernel counts it, stopped at the end.

use std::{
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use tokio::process::{Child, Command};

/// Killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pub log: PathBuf,
}

impl Process {
    /// Standard output and error go to `log`, which is written anew.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        // What is set for whoever runs the bench must not change what is measured.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LECTERN_") || name == "RUST_LOG") {
            command.env_remove(name);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self { child, log: log.to_owned() })
    }

    pub fn id(&self) -> Result<u32> {
        self.child.id().with_context(|| format!("it ended by itself: {}", self.said()))
    }

    /// What it wrote so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until this URL answers 200; returns how long that took.
    pub async fn ready(&mut self, url: &str, patience: Duration) -> Result<Duration> {
        let started = Instant::now();
        let client = reqwest::Client::new();
        loop {
            if client.get(url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(started.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status} before {url} answered:\n{}", self.said());
            }
            if started.elapsed() > patience {
                bail!("{url} does not answer after {patience:?}:\n{}", self.said());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until its output holds this text.
    pub async fn until_it_says(&mut self, text: &str, patience: Duration) -> Result<()> {
        let started = Instant::now();
        while !self.said().contains(text) {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status} before it said {text:?}:\n{}", self.said());
            }
            if started.elapsed() > patience {
                bail!("it does not say {text:?} after {patience:?}:\n{}", self.said());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    /// SIGTERM, and SIGKILL for what does not end in 20 s.
    pub async fn stop(mut self) -> Result<()> {
        if let Some(id) = self.child.id() {
            Command::new("kill").arg(id.to_string()).status().await.context("kill")?;
        }
        if tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }

    pub fn memory(&self) -> Result<Memory> {
        Memory::of(self.id()?)
    }

    /// Processor time that it has taken so far, in its own code and in the kernel for it, to a hundredth of a second.
    pub fn processor_time(&self) -> Result<Duration> {
        let id = self.id()?;
        let text = std::fs::read_to_string(format!("/proc/{id}/stat")).with_context(|| format!("no /proc/{id}/stat"))?;
        processor_time(&text).with_context(|| format!("/proc/{id}/stat cannot be read: {text}"))
    }
}

/// Fields 14 and 15 of `/proc/PID/stat`, which count hundredths of a second. The name in the second field may hold spaces and parentheses.
fn processor_time(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + kernel) * 10))
}

/// Bytes of resident memory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    pub now: u64,
    /// The most since the process was started.
    pub peak: u64,
}

impl Memory {
    fn of(id: u32) -> Result<Self> {
        let text = std::fs::read_to_string(format!("/proc/{id}/status")).with_context(|| format!("no /proc/{id}/status"))?;
        let find = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
            Ok::<u64, anyhow::Error>(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1_024)
        };
        Ok(Self { now: find("VmRSS:")?, peak: find("VmHWM:")? })
    }
}

/// A port that nobody listens on right now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Runs a command to its end; returns what it wrote to standard output.
pub async fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().await.with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}: {}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_that_of_the_process_and_of_the_kernel_for_it() {
        let stat = "4711 (a (b) c) S 1 4711 4711 0 -1 4194560 1523 0 0 0 250 75 9 9 20 0 12 0 1";
        assert_eq!(processor_time(stat), Some(Duration::from_millis(3_250)));
        assert_eq!(processor_time("4711 (a) S 1"), None);
    }
}
