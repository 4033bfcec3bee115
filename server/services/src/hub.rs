//! News for open pages: what changed, not how. Pages read again what they show. Slow listeners skip news and read everything.
//! News of an order or a lab also wakes the background jobs of this process, so that a start reaches the cluster at once.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{
    access::Resource,
    ids::{LabId, OrderId, TenantId, UserId},
    labs::Lab,
    orders::Order,
};
use tokio::sync::{Notify, mpsc};

/// So much is kept for a page that begins to listen only after it was made.
const KEPT: usize = 1_024;
/// So much may wait for one listener before it is told to read everything.
const BEHIND: usize = 256;

/// Each says whose it is, so that nobody has to look that up for every page that may want to hear of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    Order(Resource, OrderId),
    Lab(Resource, LabId),
    Cluster,
    /// Something for this person alone.
    Notice(UserId),
    /// A verification of the audit chains moved on.
    Audit(TenantId),
    /// What this person may do has changed, or a session of theirs has ended; `None` where it may be anybody's. For the streams of events
    /// themselves, which look again whether they may go on; no page hears of it.
    Access(Option<UserId>),
}

impl News {
    pub(crate) const fn order(order: &Order) -> Self {
        Self::Order(Resource::owned(order.tenant, order.course, order.owner), order.id)
    }
    pub(crate) const fn lab(lab: &Lab) -> Self {
        Self::Lab(Resource::owned(lab.tenant, lab.course, lab.owner), lab.id)
    }
    /// Of a lab that this order made.
    pub(crate) const fn lab_of(order: &Order, lab: LabId) -> Self {
        Self::Lab(Resource::owned(order.tenant, order.course, order.owner), lab)
    }
}

#[derive(Default)]
pub struct Hub {
    told: Mutex<Told>,
    work: Notify,
}

#[derive(Default)]
struct Told {
    /// The newest, with when they were told.
    recent: VecDeque<(Instant, News)>,
    listeners: Vec<Listener>,
}

struct Listener {
    hears: Box<dyn Fn(&News) -> bool + Send>,
    to: mpsc::Sender<News>,
    missed: Arc<AtomicBool>,
}

impl Listener {
    /// `false` when nobody listens any more.
    fn tell(&self, news: News) -> bool {
        if self.to.is_closed() {
            return false;
        }
        if (self.hears)(&news) && self.to.try_send(news).is_err() {
            self.missed.store(true, Ordering::Release);
        }
        true
    }
}

impl Hub {
    /// Tells whoever listens and may hear it; call it after the commit.
    pub fn tell(&self, news: News) {
        if matches!(news, News::Order(..) | News::Lab(..)) {
            self.wake();
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.recent.len() == KEPT {
            told.recent.pop_front();
        }
        told.recent.push_back((Instant::now(), news));
        told.listeners.retain(|listener| listener.tell(news));
    }

    /// Listens to what `hears` says yes to, also to what was told within `age` before. `hears` is asked while news is told: it must be quick.
    pub fn listen(&self, age: Duration, hears: impl Fn(&News) -> bool + Send + 'static) -> Listening {
        let (to, from) = mpsc::channel(BEHIND);
        // Whatever is told is in one of the two, and in one only.
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = &told.recent;
        let reaches_back = recent.len() < KEPT || recent.front().is_some_and(|(at, _)| at.elapsed() > age);
        let before = recent.iter().filter(|(at, news)| at.elapsed() <= age && hears(news)).map(|(_, news)| *news).collect();
        let missed = Arc::new(AtomicBool::new(!reaches_back));
        told.listeners.push(Listener { hears: Box::new(hears), to, missed: Arc::clone(&missed) });
        Listening { before, from, missed }
    }

    /// Has the reconciler look at the outbox now; call it after the commit. A call while it is busy is not lost.
    pub fn wake(&self) {
        self.work.notify_one();
    }
    pub(crate) async fn woken(&self) {
        self.work.notified().await;
    }
}

/// What a listener hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    News(News),
    /// More happened than could be told.
    TooMuch,
}

/// One open page's ear. Dropping it ends the listening.
#[derive(Debug)]
pub struct Listening {
    /// From before, each once.
    before: BTreeSet<News>,
    from: mpsc::Receiver<News>,
    missed: Arc<AtomicBool>,
}

impl Listening {
    /// The next thing, as soon as there is one; `None` when the process ends.
    pub async fn next(&mut self) -> Option<Heard> {
        if self.missed.swap(false, Ordering::Acquire) {
            self.before.clear();
            while self.from.try_recv().is_ok() {}
            return Some(Heard::TooMuch);
        }
        match self.before.pop_first() {
            Some(news) => Some(Heard::News(news)),
            None => self.from.recv().await.map(Heard::News),
        }
    }

    /// Forgets what there is by now.
    pub fn skip(&mut self) {
        self.missed.store(false, Ordering::Release);
        self.before.clear();
        while self.from.try_recv().is_ok() {}
    }

    /// What there is by now.
    #[cfg(test)]
    pub(crate) fn so_far(&mut self) -> Vec<News> {
        std::iter::from_fn(|| self.before.pop_first().or_else(|| self.from.try_recv().ok())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGES: Duration = Duration::from_mins(1);

    fn somebody() -> News {
        News::Notice("01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e".parse().expect("an id"))
    }

    #[tokio::test]
    async fn who_begins_late_hears_what_was_told_before_and_once() {
        let hub = Hub::default();
        for news in [News::Cluster, somebody(), News::Cluster] {
            hub.tell(news);
        }
        let mut listening = hub.listen(AGES, |_| true);
        assert_eq!(listening.so_far(), [News::Cluster, somebody()], "and not a second time");
        assert_eq!(hub.listen(Duration::ZERO, |_| true).so_far(), []);
        for _ in 0..KEPT {
            hub.tell(News::Cluster);
        }
        assert_eq!(hub.listen(AGES, |_| true).next().await, Some(Heard::TooMuch), "more than is kept");
    }

    #[tokio::test]
    async fn nobody_hears_what_is_not_theirs() {
        let hub = Hub::default();
        hub.tell(somebody());
        let mut listening = hub.listen(AGES, |news| *news == News::Cluster);
        hub.tell(somebody());
        hub.tell(News::Cluster);
        assert_eq!(listening.so_far(), [News::Cluster]);
    }

    #[tokio::test]
    async fn who_is_slow_reads_everything_once_and_hears_on() {
        let hub = Hub::default();
        let mut listening = hub.listen(Duration::ZERO, |_| true);
        for _ in 0..=BEHIND {
            hub.tell(News::Cluster);
        }
        assert_eq!(listening.next().await, Some(Heard::TooMuch));
        hub.tell(somebody());
        assert_eq!(listening.next().await, Some(Heard::News(somebody())));
    }

    #[test]
    fn who_has_gone_is_forgotten() {
        let hub = Hub::default();
        drop(hub.listen(Duration::ZERO, |_| false));
        hub.tell(News::Cluster);
        assert!(hub.told.lock().expect("unharmed").listeners.is_empty());
    }
}
