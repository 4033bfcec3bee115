//! How long a connection may make the server wait, and how many connections there may be; for every port that Lectern opens.

use std::time::Duration;

use anyhow::{Result, bail};
use listener::Limits;
use serde::Deserialize;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connections {
    /// Seconds for the head of a request: 20.
    pub head_seconds: u64,
    /// Seconds that an idle connection is kept between requests; longer than the 60 of proxies: 75.
    pub idle_seconds: u64,
    /// Seconds that the server waits for the body of a request; each KiB that arrives gives one second back: 10.
    pub body_seconds: u64,
    /// Seconds in which a client must accept part of an answer: 60.
    pub write_seconds: u64,
    /// Most connections at a time, as far as there are file descriptors: 4096.
    pub max: usize,
    /// Most connections of one address that may send slowly at a time; fast ones are not counted: 32.
    pub slow_per_address: usize,
}

impl Default for Connections {
    fn default() -> Self {
        let Limits { head, idle, body, write, connections, slow_per_address, half_close: _ } = Limits::default();
        Self {
            head_seconds: head.as_secs(),
            idle_seconds: idle.as_secs(),
            body_seconds: body.as_secs(),
            write_seconds: write.as_secs(),
            max: connections,
            slow_per_address,
        }
    }
}

impl Connections {
    pub const fn limits(&self) -> Limits {
        let Self { head_seconds, idle_seconds, body_seconds, write_seconds, max, slow_per_address } = *self;
        Limits {
            head: Duration::from_secs(head_seconds),
            idle: Duration::from_secs(idle_seconds),
            body: Duration::from_secs(body_seconds),
            write: Duration::from_secs(write_seconds),
            connections: max,
            slow_per_address,
            // The lab site alone keeps answering those who send no more.
            half_close: Duration::ZERO,
        }
    }

    pub fn check(&self) -> Result<()> {
        let Self { head_seconds, idle_seconds, body_seconds, write_seconds, max, slow_per_address } = *self;
        if [head_seconds, idle_seconds, body_seconds, write_seconds].contains(&0) || slow_per_address == 0 {
            bail!("the settings of [connections] must be at least 1");
        }
        if max < 16 {
            bail!("connections.max must be at least 16: a browser opens six");
        }
        Ok(())
    }
}
