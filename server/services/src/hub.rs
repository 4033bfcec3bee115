//! News for open pages: what changed, not how. Pages read again what they show. Slow listeners skip news and read everything.
//! News of an order or a lab also wakes the background jobs of this process, so that a start reaches the cluster at once.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::ids::{LabId, OrderId, TenantId, UserId};
use tokio::sync::{Notify, broadcast};

/// So much is kept for a listener that lags, and for a page that begins to listen only after it was made.
const KEPT: usize = 1_024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    Order(TenantId, OrderId),
    Lab(TenantId, LabId),
    Cluster,
    /// Something for this person alone.
    Notice(UserId),
    /// A verification of the audit chains moved on.
    Audit(TenantId),
}

#[derive(Debug)]
pub struct Hub {
    news: broadcast::Sender<News>,
    /// The newest, with when they were told.
    recent: Mutex<VecDeque<(Instant, News)>>,
    work: Notify,
}

impl Default for Hub {
    fn default() -> Self {
        Self { news: broadcast::channel(KEPT).0, recent: Mutex::default(), work: Notify::new() }
    }
}

impl Hub {
    /// Tells whoever listens; call it after the commit.
    pub fn tell(&self, news: News) {
        if matches!(news, News::Order(..) | News::Lab(..)) {
            self.wake();
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == KEPT {
            recent.pop_front();
        }
        recent.push_back((Instant::now(), news));
        // No listeners is fine.
        let _ = self.news.send(news);
    }
    pub fn listen(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }
    /// Listens as well, with what was told within `age` before; `None` where that is more than is kept.
    pub fn listen_since(&self, age: Duration) -> (broadcast::Receiver<News>, Option<BTreeSet<News>>) {
        // Whatever is told is in one of the two, and in one only.
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let reaches_back = recent.len() < KEPT || recent.front().is_some_and(|(at, _)| at.elapsed() > age);
        let missed = reaches_back.then(|| recent.iter().filter(|(at, _)| at.elapsed() <= age).map(|(_, news)| *news).collect());
        (self.news.subscribe(), missed)
    }
    /// Has the reconciler look at the outbox now; call it after the commit. A call while it is busy is not lost.
    pub fn wake(&self) {
        self.work.notify_one();
    }
    pub(crate) async fn woken(&self) {
        self.work.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_begins_late_hears_what_was_told_before_and_once() {
        let hub = Hub::default();
        let somebody = News::Notice("01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e".parse().expect("an id"));
        hub.tell(News::Cluster);
        hub.tell(somebody);
        hub.tell(News::Cluster);
        let (mut listening, missed) = hub.listen_since(Duration::from_mins(1));
        assert_eq!(missed, Some([News::Cluster, somebody].into()));
        assert!(listening.try_recv().is_err(), "what was told before is not told again");
        assert_eq!(hub.listen_since(Duration::ZERO).1, Some(BTreeSet::new()));
        for _ in 0..KEPT {
            hub.tell(News::Cluster);
        }
        assert_eq!(hub.listen_since(Duration::from_mins(1)).1, None, "more than is kept");
    }
}
