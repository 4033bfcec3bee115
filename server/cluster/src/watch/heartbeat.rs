//! A connection can die without a word (a pulled cable, a firewall that forgot it): then a watch is silent as if nothing happened.

use std::time::Duration;

use services::ports::ClusterError;

use crate::client::Kubernetes;

const EVERY: Duration = Duration::from_secs(3);

/// Asks the server for a sign of life for ever; gives the reason when two questions in a row were not answered, since one slow answer is
/// only a busy server.
pub async fn lost(cluster: &Kubernetes) -> ClusterError {
    let mut missed = false;
    loop {
        tokio::time::sleep(EVERY).await;
        match cluster.version().await {
            Ok(_) => missed = false,
            Err(error) if missed => return error,
            Err(_) => missed = true,
        }
    }
}
