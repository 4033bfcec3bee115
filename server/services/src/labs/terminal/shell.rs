//! A shell and its browser. One task carries both ways and waits for neither: what is typed gets through while nobody takes the output, so
//! that Ctrl-C ends a program that writes without end. Output is read only as far as the browser keeps up, which makes the program wait.

use std::{future::pending, sync::Arc, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use domain::{
    secret::Secret,
    terminal::{KEPT_SECONDS, Notice, WINDOW},
    visits::UseKind,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc::{self, OwnedPermit},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::ring::{KEPT, Ring};
use crate::{
    ports::{ClusterError, Exec, TerminalSize},
    visits::Entry,
};

/// Most bytes of output in one message.
const PIECE: usize = 16 * 1_024;
/// Input that is kept for a program that reads none. A terminal keeps less.
const TYPED: usize = 1_024 * 1_024;
/// A shell is left for so long before it is ended.
const LEFT: Duration = Duration::from_secs(KEPT_SECONDS);
/// Longest wait for a last word to the browser, for an exit code and for the keeper.
const PATIENCE: Duration = Duration::from_secs(5);

/// A browser's part of the conversation.
pub enum Said {
    Data(Bytes),
    Size(TerminalSize),
    /// The count of the output that its screen has taken in.
    Seen(u64),
}

/// The shell's part of the conversation. No `Debug`: the token is a secret.
pub enum Heard {
    /// Comes first. `from`: the count before the first byte that follows; to questions before `live` nothing may be answered.
    Attached {
        token: Secret,
        from: u64,
        live: u64,
    },
    Data(Bytes),
    Notice(Notice),
}

/// A browser that is to be connected.
pub(super) struct Attach {
    pub size: TerminalSize,
    /// How much of the output is on its screen. `None` for an empty screen.
    pub seen: Option<u64>,
    pub said: mpsc::Receiver<Said>,
    pub heard: mpsc::Sender<Heard>,
    /// It asked for a shell that is over.
    pub is_instead: bool,
}

pub(super) struct Shell {
    entry: Arc<Entry>,
    gone: CancellationToken,
    exec: Exec,
    keeper: Option<Exec>,
    token: Secret,
    attached: mpsc::Receiver<Attach>,
}

/// The connected browser, if there is one, and the output that it gets.
struct Browser {
    said: Option<mpsc::Receiver<Said>>,
    heard: Option<mpsc::Sender<Heard>>,
    ring: Ring,
    /// Counts of the output that was sent, and that the screen has taken in.
    sent: u64,
    seen: u64,
    left_at: Instant,
}

impl Browser {
    fn is_there(&self) -> bool {
        self.heard.is_some()
    }

    /// Whether there is output that it is ready for.
    fn is_due(&self) -> bool {
        self.is_there() && self.sent < self.ring.end() && self.sent - self.seen < WINDOW
    }

    /// Whether more output is read. A browser that is there gets no further behind the program than the window, so that the answer to Ctrl-C
    /// is not behind hundreds of kilobytes. For one that left more is kept.
    fn has_room(&self) -> bool {
        let most = if self.is_there() { WINDOW } else { KEPT as u64 };
        self.ring.end() - self.seen < most
    }

    fn leave(&mut self) {
        (self.said, self.heard, self.left_at) = (None, None, Instant::now());
    }

    /// Takes the place of the one that was connected before.
    fn arrive(&mut self, token: &Secret, attach: Attach) {
        if let Some(before) = self.heard.take() {
            // One that takes nothing any more gets no last word either.
            let _ = before.try_send(Heard::Notice(Notice::Taken));
        }
        let Attach { seen, said, heard, is_instead, .. } = attach;
        let end = self.ring.end();
        let known = seen.filter(|seen| (self.ring.start()..=end).contains(seen));
        let (from, live) = known.map_or_else(|| (self.ring.first_line(), end), |seen| (seen, seen));
        (self.sent, self.seen) = (from, from);
        // The channel is new and has room.
        if is_instead {
            let _ = heard.try_send(Heard::Notice(Notice::NewShell));
        }
        let _ = heard.try_send(Heard::Attached { token: token.clone(), from, live });
        (self.said, self.heard) = (Some(said), Some(heard));
    }

    fn has_seen(&mut self, count: u64) {
        if (self.seen..=self.sent).contains(&count) {
            self.seen = count;
        }
    }
}

impl Shell {
    pub fn new(
        entry: Arc<Entry>,
        gone: CancellationToken,
        exec: Exec,
        keeper: Option<Exec>,
        token: Secret,
        attached: mpsc::Receiver<Attach>,
    ) -> Self {
        Self { entry, gone, exec, keeper, token, attached }
    }

    /// Carries the shell until it ends, beginning with this browser.
    pub async fn run(self, first: Attach) {
        let Self { entry, gone, exec, keeper, token, mut attached } = self;
        let Exec { mut stdin, mut stdout, stderr: _, resize, mut exit } = exec;
        let mut browser = Browser { said: None, heard: None, ring: Ring::default(), sent: 0, seen: 0, left_at: Instant::now() };
        let mut size = first.size;
        browser.arrive(&token, first);
        let mut typed = BytesMut::new();
        let mut piece = vec![0; PIECE];
        let (mut writes, mut takes) = (true, true);
        let mut exited: Option<Result<i32, ClusterError>> = None;
        let end = loop {
            // The last output goes out before the last word.
            if !writes && !browser.is_due() && (!browser.is_there() || browser.sent == browser.ring.end()) {
                break last_word(exited, &mut exit).await;
            }
            let (is_due, has_room) = (browser.is_due(), browser.has_room());
            tokio::select! {
                // What ends the shell, then what is typed, then what it writes.
                biased;
                () = entry.ended().cancelled() => break Notice::AccessOver,
                () = gone.cancelled() => break Notice::LabStopped,
                Some(attach) = attached.recv() => {
                    size = resized(resize.as_ref(), size, attach.size);
                    browser.arrive(&token, attach);
                }
                said = next(browser.said.as_mut()) => match said {
                    Some(Said::Data(data)) if typed.len() + data.len() <= TYPED => typed.extend_from_slice(&data),
                    Some(Said::Data(_)) => {
                        if let Some(heard) = &browser.heard {
                            let _ = heard.try_send(Heard::Notice(Notice::InputDropped));
                        }
                    }
                    Some(Said::Size(wanted)) => size = resized(resize.as_ref(), size, wanted),
                    Some(Said::Seen(count)) => browser.has_seen(count),
                    None => browser.leave(),
                },
                written = stdin.write(&typed), if takes && !typed.is_empty() => match written {
                    Ok(length) if length > 0 => {
                        entry.count(length as u64, 0);
                        entry.used(UseKind::Terminal);
                        typed.advance(length);
                    }
                    _ => takes = false,
                },
                permit = room(browser.heard.clone().filter(|_| is_due)), if is_due => {
                    let bytes = browser.ring.piece(browser.sent, PIECE);
                    let length = bytes.len() as u64;
                    let is_there = permit.map(|permit| permit.send(Heard::Data(bytes))).is_some();
                    if is_there { browser.sent += length } else { browser.leave() }
                }
                read = stdout.read(&mut piece), if writes && has_room => match read {
                    Ok(length) if length > 0 => {
                        entry.count(0, length as u64);
                        browser.ring.push(&piece[..length]);
                    }
                    _ => writes = false,
                },
                // The rest of the output is still read.
                outcome = &mut exit, if exited.is_none() => exited = Some(outcome),
                () = sleep_until(browser.left_at + LEFT), if !browser.is_there() => break Notice::NewShell,
            }
        };
        drop((stdin, stdout, attached));
        if let Some(heard) = browser.heard.take() {
            let _ = timeout(PATIENCE, heard.send(Heard::Notice(end))).await;
        }
        if let Some(keeper) = keeper {
            hang_up(keeper).await;
        }
    }
}

/// Passes a size on if it is another one. The window of a program that does not take sizes stays as it is.
fn resized(resize: Option<&mpsc::Sender<TerminalSize>>, before: TerminalSize, wanted: TerminalSize) -> TerminalSize {
    let is_sent = wanted != before && resize.is_some_and(|resize| resize.try_send(wanted).is_ok());
    if is_sent { wanted } else { before }
}

/// The next word of the browser; waits while there is none.
async fn next(said: Option<&mut mpsc::Receiver<Said>>) -> Option<Said> {
    match said {
        Some(said) => said.recv().await,
        None => pending().await,
    }
}

/// Room for a message to the browser; `None` if it left.
async fn room(heard: Option<mpsc::Sender<Heard>>) -> Option<OwnedPermit<Heard>> {
    match heard {
        Some(heard) => heard.reserve_owned().await.ok(),
        None => pending().await,
    }
}

/// What the browser is told of a program whose output has ended.
async fn last_word(exited: Option<Result<i32, ClusterError>>, exit: &mut (impl Future<Output = Result<i32, ClusterError>> + Unpin)) -> Notice {
    let outcome = match exited {
        Some(outcome) => Some(outcome),
        None => timeout(PATIENCE, exit).await.ok(),
    };
    match outcome {
        Some(Ok(_)) => Notice::Ended,
        Some(Err(ClusterError::Refused { .. })) => Notice::NoShell,
        Some(Err(_)) | None => Notice::Lost,
    }
}

/// Ends the keeper's input, by which it hangs the shell up.
async fn hang_up(keeper: Exec) {
    let Exec { mut stdin, exit, .. } = keeper;
    let ending = async {
        // If the connection is gone, so is its input.
        let _ = stdin.shutdown().await;
        exit.await
    };
    match timeout(PATIENCE, ending).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the keeper of a shell was gone before it"),
        Err(_) => tracing::debug!("the keeper of a shell does not end"),
    }
}
