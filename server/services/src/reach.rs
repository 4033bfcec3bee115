//! Calls into pods: connections, programs, logs. A right that the portal lacks for one is shown to operators until such a call succeeds.

use domain::{Result, cluster::Obstacle};

use crate::{
    Services, cluster_status,
    error::OrDomain,
    hub::News,
    ports::{ClusterError, Connection, Exec, ExecRequest, LogRequest, LogStream, PodTarget},
};

const CONNECT: &str = "pods/portforward";
const EXEC: &str = "pods/exec";
const LOGS: &str = "pods/log";

/// [`crate::ports::Workloads::connect`].
pub async fn connect(services: &Services, pod: &PodTarget, port: u16) -> Result<Connection, ClusterError> {
    noted(services, CONNECT, services.cluster.connect(pod, port).await).await
}

/// [`crate::ports::Workloads::exec`].
pub async fn exec(services: &Services, pod: &PodTarget, request: &ExecRequest) -> Result<Exec, ClusterError> {
    noted(services, EXEC, services.cluster.exec(pod, request).await).await
}

/// [`crate::ports::Workloads::logs`].
pub async fn logs(services: &Services, pod: &PodTarget, request: &LogRequest) -> Result<LogStream, ClusterError> {
    noted(services, LOGS, services.cluster.logs(pod, request).await).await
}

async fn noted<T>(services: &Services, resource: &str, outcome: Result<T, ClusterError>) -> Result<T, ClusterError> {
    let met = match &outcome {
        Ok(_) => None,
        Err(ClusterError::Blocked(obstacle)) => Some(obstacle.clone()),
        Err(_) => return outcome,
    };
    // The caller has its answer; the note may fail.
    if let Err(error) = Box::pin(note(services, resource, met.as_ref())).await {
        tracing::debug!(%error, "an obstacle on the way to a pod could not be noted");
    }
    outcome
}

/// Usually a look into memory, also while the database is away.
async fn note(services: &Services, resource: &str, met: Option<&Obstacle>) -> Result<()> {
    if let Some(obstacle) = met {
        return cluster_status::blocked(services, obstacle).await;
    }
    let lacks = match services.cache.cluster.peek() {
        Some(known) => known.lacks_right(resource),
        None => cluster_status::current(services).await?.lacks_right(resource),
    };
    if !lacks {
        return Ok(());
    }
    let mut write = services.db.begin_write_behind().await.or_domain()?;
    let mut status = cluster_status::for_change(services, &mut write).await?;
    if status.has_right(resource) {
        storage::cluster_status::put(&mut write, &status, services.clock.now()).await.or_domain()?;
        write.commit().await.or_domain()?;
        tracing::info!(resource, "the cluster lets the portal reach pods again");
        services.hub.tell(News::Cluster);
    }
    services.cache.cluster.forget();
    Ok(())
}
