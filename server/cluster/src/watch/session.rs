//! One stretch of watching, from the first contact until something breaks.

use std::time::Duration;

use futures::{StreamExt, stream::select_all};
use services::ports::{Change, ClusterError};
use tokio::sync::mpsc;

use super::{
    heartbeat,
    mirror::{Mirror, Shared, lock},
    sources::{self, Item},
};
use crate::client::Kubernetes;

/// How long the first lists may take together.
const SYNC_WITHIN: Duration = Duration::from_mins(1);

/// Why and from what a session ended.
pub struct End {
    pub reason: ClusterError,
    /// Whether it had reported `All`.
    pub was_live: bool,
}

/// Takes the contents out of the mirror however the session ends, also when its task is dropped.
struct Shown<'a> {
    mirror: &'a Mirror,
    contents: Shared,
    live: bool,
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.mirror.hide(&self.contents);
    }
}

pub async fn run(cluster: &Kubernetes, out: &mpsc::Sender<Change>) -> End {
    let mut shown = Shown { mirror: &cluster.mirror, contents: Shared::default(), live: false };
    let reason = match cluster.version().await {
        Ok(_) => follow(cluster, out, &mut shown).await,
        Err(error) => error,
    };
    End { reason, was_live: shown.live }
}

async fn follow(cluster: &Kubernetes, out: &mpsc::Sender<Change>, shown: &mut Shown<'_>) -> ClusterError {
    let mut items = select_all(sources::all(&cluster.client));
    let lost = heartbeat::lost(cluster);
    let late = tokio::time::sleep(SYNC_WITHIN);
    tokio::pin!(lost, late);
    loop {
        let (source, item) = tokio::select! {
            reason = &mut lost => return reason,
            () = &mut late, if !shown.live => return away(format!("the lists did not come within {} s", SYNC_WITHIN.as_secs())),
            item = items.next() => match item {
                Some((_, Item::Broken(reason))) => return reason,
                Some(item) => item,
                None => return away("the watch ended"),
            },
        };
        let changes = lock(&shown.contents).take(source, item);
        if !shown.live && changes.contains(&Change::All) {
            shown.live = true;
            shown.mirror.show(&shown.contents);
        }
        for change in changes {
            if out.send(change).await.is_err() {
                return away("nobody listens");
            }
        }
    }
}

fn away(reason: impl Into<String>) -> ClusterError {
    ClusterError::Away(reason.into())
}
