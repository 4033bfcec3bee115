//! Accepts connections, for every port that Lectern opens: the portal, its metrics and the simulated cluster. Each thing that a connection
//! makes the server wait for has a time limit ([`Limits`]), and the number of connections is capped. At the cap, connections that make the
//! server wait are closed first; a connection whose request is being answered is never closed for room.
//!
//! A new port is a [`Listener`] too. A test searches the source for ports that are served in another way.

mod body;
mod choice;
mod connection;
mod descriptors;
mod limits;
mod meter;
mod socket;
mod table;

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{extract::Request, response::Response};
use rustix::io::Errno;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::{BoxError, Service};

pub use body::BodyPace;
pub use descriptors::raise as raise_descriptor_limit;
pub use limits::Limits;

use connection::Connection;
use socket::Socket;
use table::{Entry, Table};

/// After a failed accept, most likely because file descriptors are used up, and while no connection can make room for another.
const PAUSE: Duration = Duration::from_millis(50);

/// A bound port and its limits.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    limits: Limits,
    tls: Option<Tls>,
    gate: Option<Gate>,
    stop: CancellationToken,
    patience: Duration,
}

#[derive(Clone)]
struct Tls(TlsAcceptor);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

/// Whether connections are accepted at the moment.
#[derive(Clone)]
struct Gate {
    is_open: Arc<dyn Fn() -> bool + Send + Sync>,
    turned: watch::Receiver<u64>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every request was answered.
    Done,
    /// This many connections were closed during an answer because it took longer than `patience`.
    CutOff(usize),
}

impl Listener {
    /// Serves HTTP/1.1 until `stop`. Requests that are open then have `patience` to finish.
    pub const fn new(socket: TcpListener, limits: Limits, stop: CancellationToken, patience: Duration) -> Self {
        Self { socket, limits, tls: None, gate: None, stop, patience }
    }

    /// Serves TLS, with HTTP/1.1 or HTTP/2 inside.
    #[must_use]
    pub fn tls(mut self, acceptor: TlsAcceptor) -> Self {
        self.tls = Some(Tls(acceptor));
        self
    }

    /// While `is_open` returns `false`, the port stays bound and every connection is closed at once. It is called for each connection and
    /// each time that `turned` changes.
    #[must_use]
    pub fn open_while(mut self, turned: watch::Receiver<u64>, is_open: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.gate = Some(Gate { is_open: Arc::new(is_open), turned });
        self
    }

    /// Each request carries `ConnectInfo<SocketAddr>`. If `service` returns an error, the connection is closed without an answer.
    pub async fn serve<S>(self, service: S) -> Ended
    where
        S: Service<Request, Response = Response> + Clone + Send + 'static,
        S::Error: Into<BoxError> + Send,
        S::Future: Send,
    {
        let Self { socket, limits, tls, mut gate, stop, patience } = self;
        let table = Arc::new(Table::new(limits));
        let mut connections = JoinSet::new();
        let mut sweeping = tokio::time::interval(limits.sweep());
        sweeping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                () = turned(&mut gate) => {
                    if !is_open(gate.as_ref()) {
                        connections.shutdown().await;
                    }
                    continue;
                }
                _ = sweeping.tick() => {
                    table.sweep(Instant::now());
                    continue;
                }
                Some(_) = connections.join_next() => continue,
                accepted = socket.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    after_failed_accept(&table, &error).await;
                    continue;
                }
            };
            if !is_open(gate.as_ref()) {
                continue;
            }
            // Answers are sent in pieces; without this each would wait up to 40 ms for the acknowledgement of the previous one.
            let _ = stream.set_nodelay(true);
            let Some(entry) = admitted(&table, peer, &stop).await else { break };
            // Watched from here on: its bytes may wait for its task to begin.
            let watched = Socket::new(stream, entry, limits.half_close);
            let connection =
                Connection { limits, peer, service: service.clone(), tls: tls.clone().map(|Tls(acceptor)| acceptor), stop: stop.clone() };
            connections.spawn(connection.run(watched));
        }
        drop(socket);
        drain(&table, connections, patience, &mut sweeping).await
    }
}

/// A place for the connection. While there is none without closing a connection that is being answered, new ones wait in the backlog of the
/// system.
async fn admitted(table: &Arc<Table>, peer: SocketAddr, stop: &CancellationToken) -> Option<Entry> {
    loop {
        if let Some(entry) = table.admit(peer.ip(), Instant::now()) {
            return Some(entry);
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = table.left() => {}
            () = tokio::time::sleep(PAUSE) => table.sweep(Instant::now()),
        }
    }
}

async fn after_failed_accept(table: &Table, error: &io::Error) {
    if error.kind() == io::ErrorKind::ConnectionAborted {
        // The client left before its turn came.
        tracing::debug!(%error, "a connection cannot be accepted");
        return;
    }
    tracing::warn!(%error, "a connection cannot be accepted");
    if lacks_room(error) {
        table.make_room(Instant::now());
    }
    tokio::time::sleep(PAUSE).await;
}

/// Whether closing another connection helps: descriptors or memory are used up.
fn lacks_room(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM))
}

async fn drain(table: &Table, mut connections: JoinSet<()>, patience: Duration, sweeping: &mut tokio::time::Interval) -> Ended {
    let late = tokio::time::sleep(patience);
    tokio::pin!(late);
    loop {
        tokio::select! {
            ended = connections.join_next() => if ended.is_none() { return Ended::Done },
            _ = sweeping.tick() => table.sweep(Instant::now()),
            () = &mut late => {
                let cut = connections.len();
                connections.shutdown().await;
                return Ended::CutOff(cut);
            }
        }
    }
}

fn is_open(gate: Option<&Gate>) -> bool {
    gate.is_none_or(|gate| (gate.is_open)())
}

/// Ends at the next change of the gate; never without a gate.
async fn turned(gate: &mut Option<Gate>) {
    let changed = match gate {
        Some(gate) => gate.turned.changed().await.is_ok(),
        None => false,
    };
    if !changed {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn room_is_made_only_when_an_accept_fails_for_want_of_it() {
        let table = Arc::new(Table::new(Limits::for_testing()));
        let a_while_ago = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        let entry = table.admit("10.0.0.7".parse().unwrap(), a_while_ago).unwrap();
        for other in [Errno::CONNABORTED, Errno::PERM, Errno::INTR] {
            after_failed_accept(&table, &io::Error::from_raw_os_error(other.raw_os_error())).await;
            assert!(!entry.place.cut.is_cancelled(), "{other}");
        }
        for lacking in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
            assert!(lacks_room(&io::Error::from_raw_os_error(lacking.raw_os_error())), "{lacking}");
        }
        after_failed_accept(&table, &io::Error::from_raw_os_error(Errno::MFILE.raw_os_error())).await;
        assert!(entry.place.cut.is_cancelled());
    }
}
