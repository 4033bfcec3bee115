//! A lab's volume: the owner is notified when its files are lost, and the provided size is billed.

use domain::{
    Result,
    labs::{EarlierSize, Failure, Lab, Observation, VOLUME_LOST, VOLUME_NOT_GROWN, Volume},
    notifications::Notice,
};

use super::{JOB, Next, Trouble, follow};
use crate::{
    Services,
    error::OrDomain,
    hub::News,
    jobs::lease,
    labs::transition::{self, By},
    notifications::{Told, notify},
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
/// and so is one that another client enlarged. Comes after [`grow`]: a claim that still requests less was refused the rest, and the owner
/// is told. Returns whether the lab was changed.
pub(super) async fn follow_size(services: &Services, lab: &Lab, seen: &Observation) -> Result<bool, Trouble> {
    let Some(volume) = seen.volume.as_ref().filter(|volume| !volume.lost && lab.spec.storage_gib > 0) else { return Ok(false) };
    let is_refused = volume.requested_gib < lab.spec.storage_gib;
    let there = volume.size_gib().or(is_refused.then_some(volume.requested_gib));
    let Some(size) = there.filter(|size| *size > 0 && *size != lab.spec.storage_gib) else { return Ok(false) };
    let now = services.clock.now();
    let mut lab = lab.clone();
    let earlier = EarlierSize { until: now, spec: lab.spec.clone() };
    let mut write = lease::begin_write(services).await?;
    transition::alter(services, &mut write, &mut lab, "lab.resize", By::Job(JOB), |lab| lab.spec.storage_gib = size).await?;
    storage::labs::set_size(&mut write, &lab).await.or_domain()?;
    let mut told = Told::default();
    if is_refused {
        // The larger size never existed, so it does not become an earlier size and is not billed.
        let asked_gib = earlier.spec.storage_gib;
        let message = format!("{asked_gib} GiB asked, {size} GiB there");
        let note = Failure { reason: VOLUME_NOT_GROWN.to_owned(), message, at: now };
        storage::labs::add_failure(&mut write, lab.id, &note, None).await.or_domain()?;
        let notice = Notice::VolumeNotGrown { lab: lab.id, name: lab.name.clone(), asked_gib, gib: size, at: now };
        told = notify(services, &mut write, &[lab.owner].into(), &notice).await?;
    } else {
        storage::labs::add_earlier_size(&mut write, lab.id, &earlier).await.or_domain()?;
    }
    write.commit().await.or_domain()?;
    told.tell(services);
    tracing::info!(lab.id = %lab.id, lab.storage_gib = size, "the lab's volume has another size than the lab, which takes that size");
    services.hub.tell(News::lab(&lab));
    Ok(true)
}

/// Grows the lab's volume to the lab's storage if its claim requests less. Returns whether it grows.
pub(super) async fn grow(services: &Services, order: &LabOrder, seen: &Observation) -> Result<bool, Trouble> {
    let wanted = order.lab.spec.storage_gib;
    if !seen.volume.as_ref().is_some_and(|volume| !volume.lost && volume.requested_gib < wanted) {
        return Ok(false);
    }
    Ok(services.cluster.grow_volume(order).await?)
}
