//! The servers that listen in a lab, read from its kernel when somebody asks. Nothing of it is kept, and the program that reads it changes
//! nothing.

use std::time::Duration;

use domain::{
    Error, Result,
    access::Action,
    ids::LabId,
    labs::{
        host,
        ports::{ListeningPort, listening},
    },
};
use tokio::io::AsyncReadExt as _;

use super::{load, transition};
use crate::{
    Caller, Services, audit,
    error::OrDomain,
    ports::{ClusterError, Exec, ExecRequest, PodTarget},
    reach,
};

/// Most bytes of the list that are read: the kernel names listening sockets first.
const LONGEST: u64 = 256 * 1_024;
/// For the whole list.
const PATIENCE: Duration = Duration::from_secs(10);
/// Seconds after which a cluster that does not answer is asked again.
const AGAIN_SECONDS: u32 = 5;

/// The ports of the lab's first pod that can be opened beside the lab's own. `None` if its image has no program that can list them.
///
/// Errors: `NotFound`, `Forbidden`; `InvalidTransition` with the lab's state where no container of it runs; `Unavailable` while the cluster
/// does not answer or does not let the portal run a program.
pub async fn ports(services: &Services, caller: &Caller, id: LabId) -> Result<Option<Vec<ListeningPort>>> {
    let seen = load::seen(services, id).await?;
    let allowed = seen.as_ref().ok_or(Error::NotFound).and_then(|lab| load::authorise(caller, Action::LabEnter, lab));
    if let Err(error) = allowed {
        let entry = transition::attempt(caller, Action::LabEnter, id, seen.as_ref());
        return Err(audit::refused(services, caller, entry, error).await);
    }
    let lab = seen.ok_or(Error::NotFound)?;
    let observed = {
        let mut read = services.db.read().await.or_domain()?;
        storage::observations::get(&mut read, id).await.or_domain()?
    };
    let down = || Error::InvalidTransition { state: lab.state.as_str().into(), event: "ports".into() };
    let member = observed.and_then(|(observation, _)| observation.members.into_iter().next()).ok_or_else(down)?;
    let target = PodTarget { namespace: lab.namespace.clone(), name: member.name, uid: member.uid };
    // Either file alone is a list too: some machines have no IPv6.
    let command = ["cat", "/proc/net/tcp", "/proc/net/tcp6"].map(ToOwned::to_owned).into();
    let request = ExecRequest { container: member.containers.into_iter().next(), command, terminal: false };
    let text = match reach::exec(services, &target, &request).await {
        Ok(exec) => read(exec).await,
        Err(ClusterError::Busy(_)) => return Err(down()),
        Err(ClusterError::Refused { .. }) => return Ok(None),
        Err(error @ (ClusterError::Away(_) | ClusterError::Blocked(_))) => {
            tracing::warn!(%error, "the ports of a lab cannot be listed");
            return Err(Error::Unavailable { retry_after_seconds: AGAIN_SECONDS });
        }
    };
    let is_other = |listening: &ListeningPort| listening.port != lab.spec.port && host::is_port(listening.port);
    Ok(listening(&text).map(|all| all.into_iter().filter(is_other).collect()))
}

/// The output of the program; as much as came in time.
async fn read(exec: Exec) -> String {
    // Its input is open until then, as some clusters take its end for the end of the program.
    let Exec { stdin, stdout, .. } = exec;
    let mut output = Vec::new();
    let mut limited = stdout.take(LONGEST);
    // What was read before the time was over, or before the connection broke, is a list too.
    let _ = tokio::time::timeout(PATIENCE, limited.read_to_end(&mut output)).await;
    drop(stdin);
    String::from_utf8_lossy(&output).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exec(output: &'static [u8]) -> Exec {
        Exec { stdin: Box::new(tokio::io::sink()), stdout: Box::new(output), stderr: None, resize: None, exit: Box::pin(std::future::pending()) }
    }

    #[tokio::test]
    async fn the_output_is_read_to_its_end_whatever_it_holds() {
        assert_eq!(read(exec(b"  sl  local_address\n")).await, "  sl  local_address\n");
        assert_eq!(read(exec(b"")).await, "");
        assert_eq!(read(exec(b"a\xff")).await, "a\u{fffd}");
    }
}
