//! A lab's volume: the owner is notified when its files are lost, and the provided size is billed.

use domain::{
    Result,
    labs::{EarlierSize, Lab, Observation, VOLUME_LOST, Volume},
    notifications::Notice,
};

use super::{JOB, Next, Trouble, follow};
use crate::{
    Services,
    error::OrDomain,
    hub::News,
    jobs::lease,
    labs::transition::{self, By},
    notifications::notify,
    ports::LabOrder,
};

const LOST_MESSAGE: &str = "the volume was deleted in the cluster, and the files with it; another start makes a new, empty volume";

/// The volume that a lab ran on, if it no longer exists. The server is asked too: a watch may be incomplete.
pub(super) async fn lost(services: &Services, order: &LabOrder, seen: &Observation) -> Result<Option<Volume>, Trouble> {
    let Some(had) = had(services, &order.lab).await? else { return Ok(None) };
    if is_same(&had, seen.volume.as_ref()) {
        return Ok(None);
    }
    let is_lost = had.lost || !is_same(&had, services.cluster.volume(order).await?.as_ref());
    Ok(is_lost.then_some(had))
}

/// The volume that the lab was last seen with, if it may hold files.
async fn had(services: &Services, lab: &Lab) -> Result<Option<Volume>> {
    if lab.spec.storage_gib == 0 || lab.first_running_at.is_none() {
        return Ok(None);
    }
    let mut read = services.db.read().await.or_domain()?;
    let before = storage::observations::get(&mut read, lab.id).await.or_domain()?;
    Ok(before.and_then(|(before, _)| before.volume))
}

fn is_same(had: &Volume, now: Option<&Volume>) -> bool {
    now.is_some_and(|now| now.uid == had.uid)
}

/// Fails the lab, so that a person decides: the next start makes an empty volume.
pub(super) async fn fail(services: &Services, lab: &Lab, volume: &Volume, mut seen: Observation) -> Result<Next, Trouble> {
    seen.volume = None;
    follow::fail_telling(services, lab, (VOLUME_LOST, LOST_MESSAGE), Some(&seen), Some(&notice(lab, volume))).await
}

/// The same notice for the same volume, so that the owner is notified once.
fn notice(lab: &Lab, volume: &Volume) -> Notice {
    Notice::LabFilesLost { lab: lab.id, name: lab.name.clone(), volume: volume.uid.clone() }
}

async fn tell_owner(services: &Services, lab: &Lab, volume: &Volume) -> Result<()> {
    let mut write = lease::begin_write(services).await?;
    let told = notify(services, &mut write, &[lab.owner].into(), &notice(lab, volume)).await?;
    write.commit().await.or_domain()?;
    told.tell(services);
    Ok(())
}

/// The observation of a lab that is down, completed with the volume that it had. If that volume was deleted, the owner is notified at once,
/// and the next start fails instead of making an empty volume.
pub(super) async fn remembered(services: &Services, order: &LabOrder, seen: Observation) -> Result<Observation, Trouble> {
    let Some(had) = had(services, &order.lab).await? else { return Ok(seen) };
    if is_same(&had, seen.volume.as_ref()) {
        return Ok(seen);
    }
    let lost = had.lost || !is_same(&had, services.cluster.volume(order).await?.as_ref());
    if lost && !had.lost {
        tell_owner(services, &order.lab, &had).await?;
    }
    Ok(Observation { volume: Some(Volume { lost, ..had }), ..seen })
}

/// Sets the lab's storage to the size of its volume once the cluster reports one: a volume that did not grow is billed with its real size,
/// and so is one that another client enlarged. Returns whether the lab was changed.
pub(super) async fn follow_size(services: &Services, lab: &Lab, seen: &Observation) -> Result<bool, Trouble> {
    let Some(volume) = seen.volume.as_ref().filter(|volume| !volume.lost && lab.spec.storage_gib > 0) else { return Ok(false) };
    let Some(size) = volume.size_gib().filter(|size| *size > 0 && *size != lab.spec.storage_gib) else { return Ok(false) };
    let now = services.clock.now();
    let mut lab = lab.clone();
    let earlier = EarlierSize { until: now, spec: lab.spec.clone() };
    let mut write = lease::begin_write(services).await?;
    transition::alter(services, &mut write, &mut lab, "lab.resize", By::Job(JOB), |lab| lab.spec.storage_gib = size).await?;
    storage::labs::set_size(&mut write, &lab).await.or_domain()?;
    storage::labs::add_earlier_size(&mut write, lab.id, &earlier).await.or_domain()?;
    write.commit().await.or_domain()?;
    tracing::info!(lab.id = %lab.id, lab.storage_gib = size, "the lab's volume has another size than the lab, which takes that size");
    services.hub.tell(News::lab(&lab));
    Ok(true)
}

/// Grows the volume of a lab that is down to the lab's storage. Returns whether it grows.
pub(super) async fn grow(services: &Services, order: &LabOrder, seen: &Observation) -> Result<bool, Trouble> {
    let wanted = order.lab.spec.storage_gib;
    if !seen.volume.as_ref().is_some_and(|volume| !volume.lost && volume.requested_gib < wanted) {
        return Ok(false);
    }
    Ok(services.cluster.grow_volume(order).await?)
}
