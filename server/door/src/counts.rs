//! Counts of the door's requests, sockets and bytes since the start, for the metrics. Every label is a word of the door's own. To count another
//! outcome: a constant here, or a matter, which counts by itself.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use domain::{
    ids::{LabId, UserId},
    labs::LabState,
    secret::Secret,
    shares::ViewOnly,
    time::Timestamp,
    visits::UseKind,
};
use services::ports::PodTarget;
use tokio_util::sync::CancellationToken;

use crate::ports::{Pass, SharedPass};

/// The lab answered.
pub const PASSED: &str = "passed";
/// The connection became a socket.
pub const SOCKET: &str = "socket";
/// A ticket became a pass.
pub const ENTERED: &str = "entered";
/// A person without a pass was sent to the portal.
pub const TO_PORTAL: &str = "to_portal";

#[derive(Debug, Default)]
pub struct Counts {
    outcomes: Mutex<BTreeMap<&'static str, u64>>,
    sockets: AtomicI64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    /// Tickets that were used before, too late or made up, and those that another site sent.
    bad_tickets: AtomicU64,
    foreign_tickets: AtomicU64,
}

impl Counts {
    /// Requests that are answered, by outcome: one of the constants here or the code of a refusal.
    pub fn outcomes(&self) -> Vec<(&'static str, u64)> {
        self.lock().iter().map(|(outcome, count)| (*outcome, *count)).collect()
    }

    /// Sockets that are open now.
    pub fn sockets(&self) -> i64 {
        self.sockets.load(Ordering::Relaxed)
    }

    /// Bytes to labs and from them.
    pub fn bytes(&self) -> (u64, u64) {
        (self.bytes_in.load(Ordering::Relaxed), self.bytes_out.load(Ordering::Relaxed))
    }

    /// Tickets that were refused: of no use, and from another site.
    pub fn refused_tickets(&self) -> (u64, u64) {
        (self.bad_tickets.load(Ordering::Relaxed), self.foreign_tickets.load(Ordering::Relaxed))
    }

    pub(crate) fn outcome(&self, outcome: &'static str) {
        *self.lock().entry(outcome).or_default() += 1;
    }

    pub(crate) fn bad_ticket(&self) {
        self.bad_tickets.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn foreign_ticket(&self) {
        self.foreign_tickets.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a socket until the answer is dropped.
    pub(crate) fn open_socket(self: &Arc<Self>) -> OpenSocket {
        self.outcome(SOCKET);
        self.sockets.fetch_add(1, Ordering::Relaxed);
        OpenSocket(Arc::clone(self))
    }

    /// The same pass, whose bytes are counted here too.
    pub(crate) fn counting(self: &Arc<Self>, pass: SharedPass) -> SharedPass {
        Arc::new(Counted { pass, counts: Arc::clone(self) })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket that is open.
#[derive(Debug)]
pub struct OpenSocket(Arc<Counts>);

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.sockets.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Counted {
    pass: SharedPass,
    counts: Arc<Counts>,
}

impl Pass for Counted {
    fn person(&self) -> UserId {
        self.pass.person()
    }
    fn lab(&self) -> LabId {
        self.pass.lab()
    }
    fn lab_name(&self) -> &str {
        self.pass.lab_name()
    }
    fn lab_state(&self) -> LabState {
        self.pass.lab_state()
    }
    fn observed_at(&self) -> Option<Timestamp> {
        self.pass.observed_at()
    }
    fn is_guest(&self) -> bool {
        self.pass.is_guest()
    }
    fn view_only(&self) -> Option<ViewOnly> {
        self.pass.view_only()
    }
    fn target(&self) -> Option<(PodTarget, u16)> {
        self.pass.target()
    }
    fn secret_header(&self, pod: &PodTarget) -> Option<(String, Secret)> {
        self.pass.secret_header(pod)
    }
    fn ended(&self) -> &CancellationToken {
        self.pass.ended()
    }
    fn pod_gone(&self) -> CancellationToken {
        self.pass.pod_gone()
    }
    fn count(&self, bytes_in: u64, bytes_out: u64) {
        self.counts.bytes_in.fetch_add(bytes_in, Ordering::Relaxed);
        self.counts.bytes_out.fetch_add(bytes_out, Ordering::Relaxed);
        self.pass.count(bytes_in, bytes_out);
    }
    fn used(&self, kind: UseKind) {
        self.pass.used(kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_counts_until_it_is_closed() {
        let counts = Arc::new(Counts::default());
        let (one, two) = (counts.open_socket(), counts.open_socket());
        assert_eq!(counts.sockets(), 2);
        drop(one);
        assert_eq!((counts.sockets(), counts.outcomes()), (1, vec![(SOCKET, 2)]));
        drop(two);
        assert_eq!(counts.sockets(), 0);
    }
}
