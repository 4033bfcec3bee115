//! Changes as they happen. A session watches all kinds at once and ends with the first thing that is really broken; the loop here reports
//! that once, waits a little and opens the next. What a session sees is kept for reading (`mirror`). To watch another kind add a stream in
//! `sources`.

mod contents;
mod heartbeat;
mod mirror;
mod pace;
mod session;
mod sources;

use std::time::Duration;

use futures::{StreamExt, stream::BoxStream};
use services::ports::{Change, ClusterError};
use tokio::sync::mpsc;

pub use self::{mirror::Mirror, pace::Paced};
use crate::client::Kubernetes;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Changes that a slow reader may be behind before the watch waits for it.
const BUFFERED: usize = 1_024;

/// The stream ends never; the work behind it ends when the stream is dropped.
pub fn changes(cluster: Kubernetes) -> BoxStream<'static, Change> {
    let (out, changes) = mpsc::channel(BUFFERED);
    tokio::spawn(async move {
        tokio::select! {
            () = out.closed() => {}
            () = run(&cluster, &out) => {}
        }
    });
    futures::stream::unfold(changes, |mut changes| async move { changes.recv().await.map(|change| (change, changes)) }).boxed()
}

/// Returns only when nobody listens any more.
async fn run(cluster: &Kubernetes, out: &mpsc::Sender<Change>) {
    let mut pause = FIRST_PAUSE;
    let mut away = false;
    loop {
        let end = session::run(cluster, out).await;
        if end.was_live {
            (pause, away) = (FIRST_PAUSE, false);
        }
        if !away {
            tracing::warn!(reason = %end.reason, "the watch of the cluster broke");
        }
        let change = match end.reason {
            // Reported each time: an obstacle that is not reported again counts as gone.
            ClusterError::Blocked(obstacle) => Some(Change::Blocked(obstacle)),
            _ if away => None,
            ClusterError::Away(reason) => Some(Change::Away(reason)),
            other => Some(Change::Away(other.to_string())),
        };
        away = true;
        if let Some(change) = change
            && out.send(change).await.is_err()
        {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
