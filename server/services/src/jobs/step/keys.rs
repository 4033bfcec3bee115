//! Brings the keys of its owner's account into a running lab with an SSH server: a program in each of its pods replaces the file
//! `authorized_keys`. The keys go over standard input, never into a command.

use std::time::Duration;

use domain::{
    Result,
    ids::{LabId, OutboxId},
    labs::{Lab, LabState},
    ssh_keys::{KeysProblem, VARIABLE, authorized_keys},
};
use storage::{
    Write,
    outbox::{self, WRITE_KEYS},
    ssh_keys as table,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use super::{Next, Trouble};
use crate::{
    Services, cluster_status,
    error::OrDomain,
    hub::News,
    jobs::lease,
    ports::{ClusterError, Exec, ExecRequest, PodTarget},
};

/// Tries in a row, about three minutes. Then the lab waits for the next change of the keys, its next start, or [`AGAIN_MINUTES`].
const TRIES: u32 = 10;
/// Failed tries before the lab's page shows it: a pod may be on its way out.
const QUIET_TRIES: u32 = 2;
/// Minutes after which the file is written again. A container that was started again by itself has that of its order.
const AGAIN_MINUTES: i64 = 10;
/// Labs of one round of [`renew`].
const BATCH: u32 = 256;
/// For the program in one pod.
const PATIENCE: Duration = Duration::from_secs(10);
/// For its complaint once it has ended, and the bytes of it that are kept.
const LAST_WORDS: Duration = Duration::from_secs(1);
const COMPLAINT: u64 = 300;
/// Exit code: the lab has no such file.
const NO_FILE: i32 = 3;

/// Where the image has no `mv`, nothing is tried. The simulated shell of a pretended lab has none, and reads no more than this.
const START: &str = "command -v mv >/dev/null || exit 3; eval \"$1\"";
/// Reads lines until one with a single dot, since not every cluster can end a program's input. Without the dot the old file stays. The new
/// file is complete when it takes the old one's name. The folder is that of the built-in offering, or the lab says where its file is.
const WRITE: &str = r#"
file=${LECTERN_AUTHORIZED_KEYS_FILE-}
if [ -z "$file" ]; then
  eval "home=~$(id -un)"
  file="$home/.lectern/${LECTERN_LAB-}/authorized_keys"
fi
[ -f "$file" ] || exit 3
umask 077
new="$file.new.$$"
: >"$new" || exit 4
while IFS= read -r line; do
  if [ "$line" = . ]; then
    mv -f "$new" "$file"
    exit
  fi
  printf '%s\n' "$line" >>"$new" || break
done
rm -f "$new"
exit 4
"#;

/// Asks for the keys to be written into this lab, in the transaction of the change.
pub(crate) async fn want(services: &Services, write: &mut Write, lab: LabId) -> Result<()> {
    let id = OutboxId::from_uuid(services.entropy.uuid());
    outbox::want(id, WRITE_KEYS, &lab.to_string(), services.clock.now()).run(write).await.or_domain().map(drop)
}

/// The same for a lab that has just become ready, if it has an SSH server.
pub(super) async fn want_in_new_pods(services: &Services, write: &mut Write, lab: &Lab) -> Result<()> {
    if lab.spec.environment.contains_key(VARIABLE) { want(services, write, lab.id).await } else { Ok(()) }
}

/// Asks for all labs whose file was written some minutes ago. Returns how many.
pub(crate) async fn renew(services: &Services) -> Result<usize> {
    let before = services.clock.now().plus_minutes(-AGAIN_MINUTES);
    let labs = {
        let mut read = services.db.read().await.or_domain()?;
        table::tried_before(&mut read, before, BATCH).await.or_domain()?
    };
    if labs.is_empty() {
        return Ok(0);
    }
    let mut write = lease::begin_write(services).await?;
    for lab in &labs {
        want(services, &mut write, *lab).await?;
    }
    write.commit().await.or_domain()?;
    services.hub.wake();
    Ok(labs.len())
}

/// A running lab with an SSH server, and its file.
struct Wanted {
    lab: Lab,
    lines: Vec<String>,
    /// Its ready pods, each with its first container.
    pods: Vec<(PodTarget, Option<String>)>,
}

/// Writes the keys that the lab is to take now. `failed`: tries in a row before this one.
pub(in crate::jobs) async fn write(services: &Services, id: LabId, failed: u32) -> Result<Next, Trouble> {
    let Some(wanted) = wanted(services, id).await? else { return Ok(Next::Done) };
    let error = match write_all(services, &wanted).await {
        Ok(problem) => {
            cluster_status::answered(services).await?;
            note(services, &wanted.lab, problem).await?;
            return Ok(Next::Done);
        }
        Err(ClusterError::Away(reason)) => {
            cluster_status::away(services, &reason).await?;
            return Err(ClusterError::Away(reason).into());
        }
        Err(error) => error,
    };
    cluster_status::answered(services).await?;
    if failed >= QUIET_TRIES {
        note(services, &wanted.lab, Some(KeysProblem::NotWritten)).await?;
    }
    if failed + 1 < TRIES {
        return Err(error.into());
    }
    tracing::warn!(lab.id = %id, %error, "the SSH keys of an account could not be brought into a lab, which keeps the keys that it has");
    Ok(Next::Done)
}

/// `None` for a lab that does not run or has no SSH server. When it runs again, that asks for its keys too.
async fn wanted(services: &Services, id: LabId) -> Result<Option<Wanted>> {
    let mut read = services.db.read().await.or_domain()?;
    let Some(lab) = storage::labs::get(&mut read, id).await.or_domain()? else { return Ok(None) };
    let Some(ordered) = lab.spec.environment.get(VARIABLE).filter(|_| lab.state == LabState::Running) else { return Ok(None) };
    let account = table::of_user(&mut read, lab.owner).await.or_domain()?;
    let removed = table::removed(&mut read, lab.owner).await.or_domain()?;
    let lines = authorized_keys(&account, &removed, ordered);
    let seen = storage::observations::get(&mut read, id).await.or_domain()?;
    let members = seen.map(|(seen, _)| seen.members).unwrap_or_default();
    let target = |name: String, uid: String| PodTarget { namespace: lab.namespace.clone(), name, uid };
    let ready = members.into_iter().filter(|pod| pod.ready);
    let pods = ready.map(|pod| (target(pod.name, pod.uid), pod.containers.into_iter().next())).collect();
    Ok(Some(Wanted { lab, lines, pods }))
}

async fn write_all(services: &Services, wanted: &Wanted) -> Result<Option<KeysProblem>, ClusterError> {
    if wanted.pods.is_empty() {
        return Err(ClusterError::Busy("no pod of the lab is ready".to_owned()));
    }
    for (pod, container) in &wanted.pods {
        let problem = write_one(services, pod, container.clone(), &wanted.lines).await?;
        if problem.is_some() {
            return Ok(problem);
        }
    }
    Ok(None)
}

/// Writes the file in one pod. Errors: as of [`crate::ports::Workloads::exec`]; `Busy` if the program failed.
async fn write_one(services: &Services, pod: &PodTarget, container: Option<String>, lines: &[String]) -> Result<Option<KeysProblem>, ClusterError> {
    let command = ["/bin/sh", "-c", START, "lectern-keys", WRITE].map(ToOwned::to_owned).into();
    let request = ExecRequest { container, command, terminal: false };
    let running = async {
        let Exec { mut stdin, stdout, stderr, resize: _, exit } = services.cluster.exec(pod, &request).await?;
        let text: String = lines.iter().map(String::as_str).chain(["."]).flat_map(|line| [line, "\n"]).collect();
        // A program that ended early says so by its code.
        let _ = stdin.write_all(text.as_bytes()).await;
        let _ = stdin.flush().await;
        let code = exit.await.map_err(broken)?;
        // Open until then, as some clusters take the end of the input for the end of the program.
        drop((stdin, stdout));
        match code {
            0 => Ok(None),
            NO_FILE => Ok(Some(KeysProblem::NoFile)),
            code => {
                let complaint = complaint(stderr).await;
                Err(ClusterError::Busy(format!("the program that writes SSH keys ended with {code}: {complaint}")))
            }
        }
    };
    let late = || ClusterError::Busy("the program that writes SSH keys did not end in time".to_owned());
    tokio::time::timeout(PATIENCE, running).await.unwrap_or_else(|_| Err(late()))
}

/// A connection that breaks under a program says nothing of the cluster: the pod may have gone.
fn broken(error: ClusterError) -> ClusterError {
    match error {
        ClusterError::Away(reason) => ClusterError::Busy(reason),
        other => other,
    }
}

/// The beginning of a program's output.
async fn complaint(stream: Option<Box<dyn AsyncRead + Send + Unpin>>) -> String {
    let mut said = Vec::new();
    if let Some(stream) = stream {
        // Output from before the connection broke is worth as much.
        let _ = tokio::time::timeout(LAST_WORDS, stream.take(COMPLAINT).read_to_end(&mut said)).await;
    }
    String::from_utf8_lossy(&said).trim().to_owned()
}

async fn note(services: &Services, lab: &Lab, problem: Option<KeysProblem>) -> Result<()> {
    let before = {
        let mut read = services.db.read().await.or_domain()?;
        table::problem(&mut read, lab.id).await.or_domain()?
    };
    let mut write = lease::begin_write(services).await?;
    table::note_try(&mut write, lab.id, services.clock.now(), problem).await.or_domain()?;
    write.commit().await.or_domain()?;
    if before != problem {
        services.hub.tell(News::lab(lab));
    }
    Ok(())
}
