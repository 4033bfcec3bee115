//! Every open connection of one port.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use domain::network;
use rustix::event::{PollFd, PollFlags, Timespec};
use tokio::{net::TcpStream, sync::Notify};
use tokio_util::sync::CancellationToken;

use crate::{
    choice::{self, Seen},
    limits::Limits,
    meter::{Meter, Standing},
};

#[derive(Debug)]
pub(crate) struct Table {
    limits: Limits,
    next: AtomicU64,
    places: Mutex<HashMap<u64, Arc<Place>>>,
    left: Notify,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Place {
    /// As connections are counted: see [`network::source`].
    address: IpAddr,
    pub(crate) meter: Meter,
    /// Empty for the moment between the place and the socket.
    stream: OnceLock<Weak<TcpStream>>,
    /// Ends the connection at once.
    pub(crate) cut: CancellationToken,
    /// Ends the connection after a request that may be arriving.
    pub(crate) close: CancellationToken,
}

impl Place {
    pub(crate) fn watch(&self, stream: &Arc<TcpStream>) {
        let _ = self.stream.set(Arc::downgrade(stream));
    }

    /// What the server waits for. A busy server comes late to what a client has sent or taken; the client is not blamed for that.
    fn standing(&self, now: Instant) -> (Standing, Duration) {
        let seen = self.meter.standing(now);
        let wanted = match seen.0 {
            Standing::Busy => return seen,
            Standing::Answer => PollFlags::OUT,
            Standing::New | Standing::Idle | Standing::Head | Standing::Body => PollFlags::IN,
        };
        let Some(stream) = self.stream.get().and_then(Weak::upgrade) else { return seen };
        let mut asked = [PollFd::new(&*stream, wanted)];
        if rustix::event::poll(&mut asked, Some(&Timespec::default())).is_ok_and(|ready| ready > 0) {
            if wanted == PollFlags::OUT {
                self.meter.can_write(now);
            } else {
                self.meter.arrived(now);
            }
            return (Standing::Busy, Duration::ZERO);
        }
        seen
    }

    /// An idle connection is shut down gracefully, so that a request that is already on its way is answered.
    fn end(&self, standing: Standing) {
        if standing == Standing::Idle { self.close.cancel() } else { self.cut.cancel() }
    }
}

/// A place in the table, taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    id: u64,
    pub(crate) place: Arc<Place>,
    table: Arc<Table>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.table.lock().remove(&self.id);
        self.table.left.notify_waiters();
    }
}

impl Table {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, next: AtomicU64::new(0), places: Mutex::default(), left: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Place>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends when any connection ends.
    pub(crate) async fn left(&self) {
        self.left.notified().await;
    }

    /// A place for one more connection, if necessary by closing another; `None` while all of them are being answered.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr, now: Instant) -> Option<Entry> {
        let mut places = self.lock();
        if places.len() >= self.limits.connections && !self.end_one(&mut places, now) {
            return None;
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let address = network::source(address);
        let place = Arc::new(Place {
            address,
            meter: Meter::new(now),
            stream: OnceLock::new(),
            cut: CancellationToken::new(),
            close: CancellationToken::new(),
        });
        places.insert(id, Arc::clone(&place));
        Some(Entry { id, place, table: Arc::clone(self) })
    }

    pub(crate) fn make_room(&self, now: Instant) {
        self.end_one(&mut self.lock(), now);
    }

    /// Ends connections over a limit.
    pub(crate) fn sweep(&self, now: Instant) {
        let places = self.lock();
        let all = seen(&places, now);
        let ended = choice::overdue(&all, &self.limits);
        for id in &ended {
            if let (Some(place), Some(seen)) = (places.get(id), all.iter().find(|seen| seen.id == *id)) {
                place.end(seen.standing);
            }
        }
        let slow = ended.len();
        if slow > 0 {
            tracing::debug!(connections = slow, "slow and idle connections are closed");
        }
    }

    /// Ends one connection for room. It no longer counts, although its socket closes a moment later.
    fn end_one(&self, places: &mut HashMap<u64, Arc<Place>>, now: Instant) -> bool {
        let all = seen(places, now);
        let Some(id) = choice::victim(&all, &self.limits) else { return false };
        let standing = all.iter().find(|seen| seen.id == id).map(|seen| seen.standing);
        if let (Some(place), Some(standing)) = (places.remove(&id), standing) {
            place.end(standing);
        }
        true
    }
}

fn seen(places: &HashMap<u64, Arc<Place>>, now: Instant) -> Vec<Seen> {
    let one = |(id, place): (&u64, &Arc<Place>)| {
        let (standing, waited) = place.standing(now);
        Seen { id: *id, address: place.address, standing, waited }
    };
    places.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tokio::{io::AsyncWriteExt as _, net::TcpListener};

    use super::*;
    use crate::socket::Socket;

    #[tokio::test]
    async fn a_client_is_not_slow_while_its_bytes_wait_for_the_server() {
        let start = Instant::now();
        let later = start + Duration::from_hours(1);
        let table = Arc::new(Table::new(Limits::default()));
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(port.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = port.accept().await.unwrap();
        let entry = table.admit(peer.ip(), start).unwrap();
        let place = Arc::clone(&entry.place);
        let _socket = Socket::new(stream, entry, Duration::ZERO);
        place.meter.begin_request();
        place.meter.body_waits(start);
        place.meter.read_nothing(start);
        assert_eq!(place.standing(later), (Standing::Body, Duration::from_hours(1)));
        client.write_all(b"name=").await.unwrap();
        while place.standing(later).0 != Standing::Busy {
            tokio::task::yield_now().await;
        }
        table.sweep(later);
        assert!(!place.cut.is_cancelled());
    }

    #[test]
    fn connections_of_one_network_are_counted_together() {
        let table = Arc::new(Table::new(Limits::default()));
        let admit = |address: &str| table.admit(address.parse().unwrap(), Instant::now()).unwrap();
        let entries = ["2001:db8::1", "2001:db8::2:1", "10.0.0.7", "::ffff:10.0.0.7"].map(admit);
        let addresses: HashSet<IpAddr> = entries.iter().map(|entry| entry.place.address).collect();
        assert_eq!(addresses.len(), 2, "{addresses:?}");
    }
}
