//! Shells in labs for the browser's terminal. A shell is a program in the lab's first pod; it lasts while a browser is connected and for a
//! minute after, so that a reload or a broken connection comes back to it. The parts: `program` is what runs in the pod, `ring` the last
//! output, `shell` the task that carries a shell, `shells` all shells of this process. A restart of the portal ends them.

mod program;
mod ring;
mod shell;
mod shells;

pub use shell::{Heard, Said};
pub use shells::Shells;

use domain::{
    Error,
    ids::LabId,
    labs::LabState,
    secret::Secret,
    terminal::{Notice, fitting},
};
use tokio::sync::mpsc;

use self::{
    shell::{Attach, Shell},
    shells::{Full, Key},
};
use crate::{
    Caller, Services,
    digest::hex_sha256,
    ports::{ClusterError, TerminalSize},
    reach, secret,
    visits::enter_from_portal,
};

/// Messages that wait for the other side.
const WAITING: usize = 16;

/// What a browser wants to be connected to.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub columns: u16,
    pub rows: u16,
    /// Of the shell that it was connected to before; a new one begins without it, or if it is over.
    pub token: Option<Secret>,
    /// How much of that shell's output is on its screen.
    pub seen: Option<u64>,
    pub reason: Option<String>,
}

/// A browser's connection to a shell. Dropping it leaves the shell, which waits for a browser then.
pub struct Line {
    pub said: mpsc::Sender<Said>,
    pub heard: mpsc::Receiver<Heard>,
}

/// Why there is no shell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoShell {
    #[error("no shell: {}", .0.as_str())]
    Notice(Notice),
    #[error(transparent)]
    Refused(#[from] Error),
}

/// Connects a browser to its shell, or to a new one. `session`: the stored id of the caller's session.
///
/// Errors: those of [`enter_from_portal`] as `Refused`; else what the browser says to its reader.
pub async fn connect(services: &Services, caller: &Caller, session: &str, lab: LabId, wanted: Wanted) -> Result<Line, NoShell> {
    let Wanted { columns, rows, token, seen, reason } = wanted;
    let (columns, rows) = fitting(columns, rows);
    let size = TerminalSize { columns, rows };
    let (said, from_browser) = mpsc::channel(WAITING);
    let (to_browser, heard) = mpsc::channel(WAITING);
    let mut attach = Attach { size, seen, said: from_browser, heard: to_browser, is_instead: false };
    if let Some(token) = token {
        let key = Key { lab, person: caller.actor.user, session: session.to_owned(), token_hash: hex_sha256(token.expose()) };
        match services.shells.attach(&key, attach).await {
            Ok(()) => return Ok(Line { said, heard }),
            // It is over: the browser gets a new one, and is told so.
            Err(back) => attach = Attach { seen: None, is_instead: true, ..back },
        }
    }
    begin(services, caller, session, lab, reason.as_deref(), attach).await?;
    Ok(Line { said, heard })
}

/// Starts a shell, to which `attach` is connected.
async fn begin(services: &Services, caller: &Caller, session: &str, lab: LabId, reason: Option<&str>, attach: Attach) -> Result<(), NoShell> {
    let token = secret::random(&*services.entropy, "");
    let key = Key { lab, person: caller.actor.user, session: session.to_owned(), token_hash: hex_sha256(&token) };
    let (links, attached) = mpsc::channel(1);
    let place = services.shells.reserve(services, key, links).map_err(|full| {
        NoShell::Notice(match full {
            Full::OfPerson => Notice::TooManyOfPerson,
            Full::OfLab => Notice::TooManyInLab,
        })
    })?;
    let entry = enter_from_portal(services, caller, session, lab, reason).await.map_err(refusal)?;
    let Some((pod, _)) = entry.target() else { return Err(NoShell::Notice(Notice::NotRunning)) };
    // Before the program is there: a pod that is replaced meanwhile is noticed.
    let gone = entry.pod_gone();
    let mark = services.entropy.uuid().simple().to_string();
    let exec = reach::exec(services, &pod, &program::shell(&mark, attach.size)).await.map_err(|error| NoShell::Notice(not_started(&error)))?;
    if let Some(resize) = &exec.resize {
        // The channel is new and has room.
        let _ = resize.try_send(attach.size);
    }
    // Without it the shell may outlive its connection, which is no reason to have none.
    let keeper = reach::exec(services, &pod, &program::keeper(&mark)).await;
    if let Err(error) = &keeper {
        tracing::warn!(%error, lab = %entry.lab_name, "nothing will end this shell if the portal is killed");
    }
    let shell = Shell::new(entry, gone, exec, keeper.ok(), Secret::new(token), attached);
    tokio::spawn(async move {
        shell.run(attach).await;
        drop(place);
    });
    Ok(())
}

/// States that the lab does not leave by itself.
const AT_REST: [LabState; 5] = [LabState::Stopping, LabState::Stopped, LabState::Failed, LabState::Destroying, LabState::Destroyed];

/// What the reader can do something about has words of its own.
fn refusal(error: Error) -> NoShell {
    match error {
        Error::InvalidTransition { state, .. } if AT_REST.iter().any(|rest| rest.as_str() == state) => NoShell::Notice(Notice::Stopped),
        Error::InvalidTransition { .. } => NoShell::Notice(Notice::NotRunning),
        Error::Unavailable { .. } => NoShell::Notice(Notice::Unavailable),
        other => NoShell::Refused(other),
    }
}

fn not_started(error: &ClusterError) -> Notice {
    tracing::warn!(%error, "a shell could not be started");
    match error {
        ClusterError::Busy(_) => Notice::NotRunning,
        ClusterError::Blocked(_) => Notice::NoRight,
        ClusterError::Refused { .. } => Notice::NoShell,
        ClusterError::Away(_) => Notice::Unavailable,
    }
}

#[cfg(test)]
mod tests;
