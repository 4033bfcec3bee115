//! Real use of a lab, told from what its pages send by themselves: an open JupyterLab polls, an editor sends a heartbeat, ssh keeps its
//! connection alive (B4, E7). Everything here is a pure function of sizes, names and times; the door feeds it.
//!
//! A new kind of use is a variant of [`UseKind`] with its words in `app/src/labs/idle.rs`.

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};

/// Kinds of use of a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseKind {
    /// A page of the lab was opened.
    Page,
    /// A request changed something: a file was saved, a form was sent.
    Change,
    /// A cell was run.
    Cell,
    /// Keys or clicks in a page of the lab.
    Input,
    /// Keys in a terminal.
    Terminal,
    /// Data over a connection that is no page, such as SSH.
    Connection,
    /// A kernel was executing when it was asked.
    Kernel,
    /// The processor of a pod was busy.
    Processor,
    /// A job, which ends by itself, was running, and its load is not known.
    Job,
    /// Its owner asked to keep it running.
    Kept,
}

impl UseKind {
    pub const ALL: [Self; 10] =
        [Self::Page, Self::Change, Self::Cell, Self::Input, Self::Terminal, Self::Connection, Self::Kernel, Self::Processor, Self::Job, Self::Kept];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Change => "change",
            Self::Cell => "cell",
            Self::Input => "input",
            Self::Terminal => "terminal",
            Self::Connection => "connection",
            Self::Kernel => "kernel",
            Self::Processor => "processor",
            Self::Job => "job",
            Self::Kept => "kept",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Ends of paths to which applications send changes without a person: saved layouts and settings, the kernels and checkpoints of documents that
/// a page opens again as it is loaded, event queues that are polled by POST, telemetry.
const POLLED: [&str; 9] = [
    "/lab/api/workspaces",
    "/lab/api/settings",
    "/api/sessions",
    "/checkpoints",
    "/api/events",
    "/events/get_events",
    "/api/status",
    "/_stcore/health",
    "/healthz",
];

/// The use that a request is. `opens_page`: a browser navigates to it. Reading for a script is none, whatever is read: pages poll.
pub fn of_request(method: &str, path: &str, opens_page: bool) -> Option<UseKind> {
    match method {
        "GET" if opens_page => Some(UseKind::Page),
        "POST" | "PUT" | "PATCH" | "DELETE" if !is_polled(path) => Some(UseKind::Change),
        _ => None,
    }
}

fn is_polled(path: &str) -> bool {
    // `/lab/api/workspaces/default` too.
    POLLED.iter().filter_map(|polled| path.split_once(polled)).any(|(_, rest)| rest.is_empty() || rest.starts_with('/'))
}

/// Content of an upgraded connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// Messages to a Jupyter kernel.
    Kernel,
    /// Keys and sizes of a Jupyter terminal.
    JupyterTerminal,
    /// Messages of another application.
    Messages,
    /// Bytes without messages, such as SSH.
    Bytes,
}

impl Talk {
    /// By the path of a WebSocket.
    pub fn of_socket(path: &str) -> Self {
        if path.contains("/api/kernels/") && path.ends_with("/channels") {
            Self::Kernel
        } else if path.contains("/terminals/websocket/") {
            Self::JupyterTerminal
        } else {
            Self::Messages
        }
    }

    /// How many bytes of a message's beginning decide.
    pub const fn peek(self) -> usize {
        match self {
            Self::Kernel => 512,
            Self::JupyterTerminal => 16,
            Self::Messages | Self::Bytes => 0,
        }
    }
}

/// Messages to a kernel that a person causes, besides running a cell. JupyterLab itself sends `kernel_info_request` and others as it opens a
/// notebook.
const KERNEL_USE: [&str; 8] =
    ["input_reply", "comm_open", "comm_msg", "comm_close", "complete_request", "inspect_request", "is_complete_request", "interrupt_request"];
const MESSAGE_TYPE: &[u8] = b"\"msg_type\"";

/// The type of a message to a kernel, from the beginning of its JSON, which may follow a binary head.
fn message_type(start: &[u8]) -> Option<&[u8]> {
    let at = start.windows(MESSAGE_TYPE.len()).position(|part| part == MESSAGE_TYPE)?;
    let rest = start[at + MESSAGE_TYPE.len()..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    Some(&rest[..end])
}

/// Decides for one connection which of the client's messages are use.
#[derive(Debug)]
pub struct TalkUse {
    talk: Talk,
    rhythm: Rhythm,
}

impl TalkUse {
    pub fn new(talk: Talk) -> Self {
        Self { talk, rhythm: Rhythm::default() }
    }

    pub const fn talk(&self) -> Talk {
        self.talk
    }

    /// A message of this many bytes, or a piece of a stream, at this time since any fixed instant. `start`: its first [`Talk::peek`] bytes,
    /// `None` if they cannot be read, since they are compressed.
    pub fn message(&mut self, start: Option<&[u8]>, bytes: u64, at: Duration) -> Option<UseKind> {
        match (self.talk, start) {
            (Talk::Kernel, Some(start)) => match message_type(start) {
                Some(b"execute_request") => Some(UseKind::Cell),
                Some(known) => KERNEL_USE.iter().any(|used| used.as_bytes() == known).then_some(UseKind::Input),
                // The type of a message comes after its content: only a cell is long.
                None => (bytes > self.talk.peek() as u64).then_some(UseKind::Cell),
            },
            // `["stdin","ls\r"]`; the others are sizes.
            (Talk::JupyterTerminal, Some(start)) => start.trim_ascii_start().starts_with(b"[\"stdin\"").then_some(UseKind::Terminal),
            (Talk::Bytes, _) => self.rhythm.is_use(bytes, at).then_some(UseKind::Connection),
            _ => self.rhythm.is_use(bytes, at).then_some(UseKind::Input),
        }
    }
}

/// Tells keys and clicks from heartbeats by size and time: a heartbeat is short and comes alone, at a steady interval; keys and clicks come in
/// bursts.
#[derive(Debug, Default)]
pub struct Rhythm {
    /// Times of the last short messages.
    last: VecDeque<Duration>,
}

/// A longer message is no heartbeat.
const SHORT: u64 = 128;
/// This many short messages within less than `BURST_WITHIN` are a burst. VS Code acknowledges what it gets once in 2 s and sends a heartbeat
/// each 5 s, which makes three at most.
const BURST: usize = 4;
const BURST_WITHIN: Duration = Duration::from_secs(3);
/// Times that are remembered.
const REMEMBERED: usize = 9;
/// Messages that come faster are no heartbeat, however steady they are: a key that is held down.
const FASTEST_HEARTBEAT: Duration = Duration::from_millis(250);

impl Rhythm {
    pub fn is_use(&mut self, bytes: u64, at: Duration) -> bool {
        if bytes == 0 {
            return false;
        }
        if bytes > SHORT {
            return true;
        }
        if self.last.len() == REMEMBERED {
            self.last.pop_front();
        }
        self.last.push_back(at);
        let first_of_burst = self.last.len().checked_sub(BURST).and_then(|index| self.last.get(index));
        first_of_burst.is_some_and(|first| at.saturating_sub(*first) < BURST_WITHIN) && !self.is_steady()
    }

    /// Whether the last messages came at one interval, give or take a fifth.
    fn is_steady(&self) -> bool {
        if self.last.len() < REMEMBERED {
            return false;
        }
        let gaps = || self.last.iter().zip(self.last.iter().skip(1)).map(|(earlier, later)| later.saturating_sub(*earlier));
        let (Some(shortest), Some(longest)) = (gaps().min(), gaps().max()) else { return false };
        shortest >= FASTEST_HEARTBEAT && longest.saturating_sub(shortest) <= longest / 5
    }
}

#[cfg(test)]
mod tests;
