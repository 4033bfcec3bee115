//! How long a connection may make the server wait, and how many connections there may be.

use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From a new connection, or from the first byte of a later request, until the whole head of the request is there.
    pub head: Duration,
    /// Between two requests. Longer than the 60 s of proxies: a proxy that sends on a connection just closed would answer 502.
    pub idle: Duration,
    /// The server may wait this long for a body. Time in which nothing came adds up, less a second for each [`BODY_BYTES_PER_SECOND`] that
    /// came since; what came early is credit for [`BODY_CREDIT`] at most.
    pub body: Duration,
    /// The client takes nothing of the answer for this long. Time in which it took nothing adds up, less a second for each
    /// [`ANSWER_BYTES_PER_SECOND`] that it took since.
    pub write: Duration,
    /// Most connections at a time.
    pub connections: usize,
    /// Most slow connections of one address at a time. Other connections of the address (a college may be behind one) are not affected.
    pub slow_per_address: usize,
    /// A client that has sent its request and closed its own side may still want the answer, as `nc` does, or be gone: the system says the same of
    /// both. So long it is taken as the first. Without TLS and for HTTP/1.1 only.
    pub half_close: Duration,
}

/// Bytes of a body that extend its time by a second.
pub const BODY_BYTES_PER_SECOND: u64 = 1_024;

/// Most time that a body can earn in advance.
pub const BODY_CREDIT: Duration = Duration::from_secs(3);

/// Bytes of an answer that earn a client a second.
pub const ANSWER_BYTES_PER_SECOND: u64 = 1_024;

/// Bytes of a request's head: its line and headers.
pub(crate) const HEAD_BYTES: usize = 64 * 1_024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(20),
            idle: Duration::from_secs(75),
            body: Duration::from_secs(10),
            write: Duration::from_mins(1),
            connections: 4_096,
            slow_per_address: 32,
            half_close: Duration::ZERO,
        }
    }
}

impl Limits {
    /// Short times and few connections.
    pub const fn for_testing() -> Self {
        Self {
            head: Duration::from_millis(400),
            idle: Duration::from_millis(1_500),
            body: Duration::from_millis(400),
            write: Duration::from_millis(400),
            connections: 16,
            slow_per_address: 4,
            half_close: Duration::ZERO,
        }
    }

    /// Limits the connections to the available descriptors, minus `others` that are used elsewhere.
    #[must_use]
    pub fn within_descriptors(mut self, descriptors: usize, others: usize) -> Self {
        self.connections = self.connections.min(descriptors.saturating_sub(others).max(16));
        self
    }

    /// A head that takes longer than this is slow: an honest client sends it at once.
    pub(crate) fn slow(&self) -> Duration {
        self.head / 8
    }

    /// How often deadlines are checked.
    pub(crate) fn sweep(&self) -> Duration {
        let shortest = self.head.min(self.idle).min(self.body).min(self.write);
        (shortest / 8).clamp(Duration::from_millis(10), Duration::from_secs(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_connection_outlives_that_of_a_proxy() {
        assert!(Limits::default().idle > Duration::from_mins(1));
    }

    #[test]
    fn connections_leave_descriptors_for_the_rest() {
        let limits = Limits::default();
        assert_eq!(limits.within_descriptors(256, 128).connections, 128);
        assert_eq!(limits.within_descriptors(64, 128).connections, 16);
        assert_eq!(limits.within_descriptors(1_000_000, 128).connections, limits.connections);
    }
}
