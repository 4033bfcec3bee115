//! The cluster's changes become work: a changed lab is observed, changed nodes are counted again.
//! What a watch may have missed is looked at every half minute all the same.

use std::{collections::BTreeSet, time::Duration};

use domain::{Result, ids::LabId};
use futures::StreamExt;

use super::{
    lease,
    rounds::{Trouble, guarded},
};
use crate::{Services, cluster_status, error::OrDomain, labs::transition, ports::Change};

/// Changes that are taken together: a start of eight pods is dozens of them about one lab.
const AT_ONCE: usize = 256;

/// Listens for ever.
pub(super) async fn run(services: Services) {
    let mut trouble = Trouble::new("watch");
    loop {
        let mut changes = services.cluster.watch().ready_chunks(AT_ONCE);
        while let Some(changes) = changes.next().await {
            trouble.note(guarded(take(&services, &changes)).await.as_ref().err());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Turns changes into work and wakes the reconciler.
pub async fn take(services: &Services, changes: &[Change]) -> Result<()> {
    let mut labs = BTreeSet::new();
    let (mut all, mut nodes, mut away, mut blocked) = (false, false, None, None);
    for change in changes {
        match change {
            Change::Lab(id) => {
                labs.insert(*id);
            }
            Change::All => (all, away) = (true, None),
            Change::Nodes => nodes = true,
            Change::Away(reason) => away = Some(reason),
            Change::Blocked(obstacle) => blocked = Some(obstacle),
        }
    }
    if all {
        let mut read = services.db.read().await.or_domain()?;
        labs.extend(storage::labs::live(&mut read).await.or_domain()?);
    }
    want(services, labs).await?;
    if let Some(obstacle) = blocked {
        cluster_status::blocked(services, obstacle).await?;
    }
    if let Some(reason) = away {
        cluster_status::away(services, reason).await?;
    } else if all || nodes {
        cluster_status::refresh(services).await?;
    }
    Ok(())
}

/// Wants every lab that runs or is on its way somewhere; returns how many.
pub async fn resync(services: &Services) -> Result<u32> {
    let labs = {
        let mut read = services.db.read().await.or_domain()?;
        storage::labs::moving(&mut read).await.or_domain()?
    };
    let count = u32::try_from(labs.len()).unwrap_or(u32::MAX);
    want(services, labs).await?;
    Ok(count)
}

async fn want(services: &Services, labs: impl IntoIterator<Item = LabId>) -> Result<()> {
    let labs: Vec<_> = labs.into_iter().collect();
    // Short transactions: on SQLite everybody else waits meanwhile.
    for some in labs.chunks(100) {
        let mut write = lease::begin_write(services).await?;
        for id in some {
            transition::want(services, &mut write, *id).await?;
        }
        write.commit().await.or_domain()?;
    }
    if !labs.is_empty() {
        services.hub.wake();
    }
    Ok(())
}
