//! News for open pages: what changed, not how. Pages read again what they show. Slow listeners skip news and read everything.

use domain::ids::{LabId, OrderId, TenantId};
use tokio::sync::broadcast;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    Order(TenantId, OrderId),
    Lab(TenantId, LabId),
    Cluster,
}

#[derive(Debug)]
pub struct Hub(broadcast::Sender<News>);

impl Default for Hub {
    fn default() -> Self {
        Self(broadcast::channel(1_024).0)
    }
}

impl Hub {
    /// Tells whoever listens; call it after the commit.
    pub fn tell(&self, news: News) {
        // No listeners is fine.
        let _ = self.0.send(news);
    }
    pub fn listen(&self) -> broadcast::Receiver<News> {
        self.0.subscribe()
    }
}
