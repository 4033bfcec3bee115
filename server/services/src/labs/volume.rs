//! Checks a new size of a lab's volume with the cluster before anything is stored.

use domain::{
    Error, Problem, Result,
    catalogue::ParameterInput,
    ids::LabId,
    labs::{
        Volume,
        resize::{resized, storage_field},
    },
};

use storage::AnyConnection;

use super::basis;
use crate::{
    Caller, Services,
    catalogue::Shelf,
    cluster_status,
    error::OrDomain,
    jobs::lab_order,
    ports::{ClusterError, Growth},
};

/// What the cluster said about the volume.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// GiB in the cluster; `None` without a volume, and if the size does not change.
    pub(super) gib: Option<u32>,
    /// The storage that the cluster would accept.
    pub(super) checked: Option<u32>,
}

/// GiB of the lab's volume, as last reported.
pub(super) async fn reported(connection: &mut AnyConnection, id: LabId) -> Result<Option<u32>> {
    let observed = storage::observations::get(connection, id).await.or_domain()?;
    Ok(observed.and_then(|(seen, _)| seen.volume?.size_gib()))
}

/// Asks the cluster when `input` changes the storage. Errors: those of [`resized`]; `Invalid` on the storage parameter when the cluster would
/// refuse that size; `Unavailable` when it cannot be asked.
pub(super) async fn check(services: &Services, caller: &Caller, shelf: &Shelf, id: LabId, input: &ParameterInput) -> Result<Checked> {
    let listed = {
        let mut read = services.db.read().await.or_domain()?;
        basis::listed(&mut read, id).await?
    };
    let offering = basis::offering(shelf, &listed)?;
    let field = storage_field(offering);
    if !input.keys().any(|key| field == format!("parameters.{key}")) {
        return Ok(Checked::default());
    }
    let Some(mut order) = lab_order(services, id).await? else { return Err(Error::NotFound) };
    let volume = ask(services, services.cluster.volume(&order)).await?;
    let gib = volume.as_ref().and_then(Volume::size_gib);
    let wanted = resized(&listed.lab, offering, input, gib, shelf.book(caller.actor.tenant), services.clock.now())?.spec.storage_gib;
    let grows = volume.as_ref().is_some_and(|volume| wanted > volume.requested_gib);
    if wanted == listed.lab.spec.storage_gib || !grows {
        return Ok(Checked { gib, checked: Some(wanted) });
    }
    order.lab.spec.storage_gib = wanted;
    let there = volume.map_or(0, |volume| volume.size_gib().unwrap_or(volume.requested_gib));
    match services.cluster.check_growth(&order, wanted).await {
        Ok(Growth::Allowed) => Ok(Checked { gib, checked: Some(wanted) }),
        Ok(Growth::NotSupported) => Err(Error::field(field, Problem::VolumeFixed { gib: there })),
        Err(ClusterError::Refused { message, .. }) => Err(Error::field(field, Problem::VolumeRefused { gib: wanted, message })),
        Err(error) => Err(unavailable(services, &error).await),
    }
}

async fn ask<T>(services: &Services, call: impl Future<Output = Result<T, ClusterError>>) -> Result<T> {
    match call.await {
        Ok(answer) => Ok(answer),
        Err(error) => Err(unavailable(services, &error).await),
    }
}

/// The cluster cannot be asked now. If operators can fix the reason, it is shown to them.
async fn unavailable(services: &Services, error: &ClusterError) -> Error {
    tracing::warn!(%error, "the cluster cannot be asked about a volume");
    if let ClusterError::Blocked(obstacle) = error
        && let Err(error) = cluster_status::blocked(services, obstacle).await
    {
        return error;
    }
    Error::Unavailable { retry_after_seconds: 5 }
}
