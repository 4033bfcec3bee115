//! News for open pages: what changed, not how. Pages read again what they show. Slow listeners skip news and read everything.
//! News of an order or a lab also wakes the background jobs of this process, so that a start reaches the cluster at once.

use domain::ids::{LabId, OrderId, TenantId, UserId};
use tokio::sync::{Notify, broadcast};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    work: Notify,
}

impl Default for Hub {
    fn default() -> Self {
        Self { news: broadcast::channel(1_024).0, work: Notify::new() }
    }
}

impl Hub {
    /// Tells whoever listens; call it after the commit.
    pub fn tell(&self, news: News) {
        if matches!(news, News::Order(..) | News::Lab(..)) {
            self.wake();
        }
        // No listeners is fine.
        let _ = self.news.send(news);
    }
    pub fn listen(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }
    /// Has the reconciler look at the outbox now; call it after the commit. A call while it is busy is not lost.
    pub fn wake(&self) {
        self.work.notify_one();
    }
    pub(crate) async fn woken(&self) {
        self.work.notified().await;
    }
}
