//! The end of a pod, as its worker waits for it: the pod is deleted, or the simulator stops.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What processes get when the simulator stops. A server that stops should not keep people waiting.
const AT_SHUTDOWN: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub struct Stop {
    asked: watch::Receiver<Option<Duration>>,
    stopping: CancellationToken,
}

impl Stop {
    pub fn new(asked: watch::Receiver<Option<Duration>>, stopping: CancellationToken) -> Self {
        Self { asked, stopping }
    }

    /// Ends when the pod is to stop, with the time that its processes get.
    pub async fn asked(&self) -> Duration {
        let mut asked = self.asked.clone();
        tokio::select! {
            // Without a sender nobody waits for the pod any more.
            grace = async { asked.wait_for(Option::is_some).await.map_or(Duration::ZERO, |grace| grace.unwrap_or_default()) } => grace,
            () = self.stopping.cancelled() => AT_SHUTDOWN,
        }
    }

    /// Ends when the pod is to stop without delay.
    pub async fn forced(&self) {
        let mut asked = self.asked.clone();
        // Without a sender nobody waits for the pod any more.
        let _ = asked.wait_for(|grace| *grace == Some(Duration::ZERO)).await;
    }

    pub fn is_asked(&self) -> bool {
        self.asked.borrow().is_some() || self.stopping.is_cancelled()
    }

    /// Whether the simulator stops and the pod stays.
    pub fn is_shutdown(&self) -> bool {
        self.asked.borrow().is_none() && self.stopping.is_cancelled()
    }
}
