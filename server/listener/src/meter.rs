//! What a connection does at the moment, and since when. Written by its socket and its requests, read by the table.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::limits::{BODY_BYTES_PER_SECOND, Limits};

/// What the server waits for on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// For nothing: a request is being answered.
    Busy,
    /// For the first byte of the first request.
    New,
    /// For the next request.
    Idle,
    /// For the rest of a request's head.
    Head,
    /// For more of a request's body.
    Body,
    /// For the client to take more of the answer.
    Answer,
}

#[derive(Debug)]
pub(crate) struct Meter(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Requests that are being read or answered.
    open: u32,
    /// Reading bytes does not mean that a request begins: HTTP/2, whose frames are also sent between requests.
    framed: bool,
    /// A request was answered.
    served: bool,
    /// Since when nothing is asked.
    quiet: Instant,
    /// Since when a head is being read.
    head: Option<Instant>,
    /// Since when a body is being read, and its bytes.
    body: Option<(Instant, u64)>,
    /// Since when the client takes nothing.
    blocked: Option<Instant>,
}

impl Meter {
    pub(crate) const fn new(now: Instant) -> Self {
        Self(Mutex::new(State { open: 0, framed: false, served: false, quiet: now, head: None, body: None, blocked: None }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn use_frames(&self) {
        self.lock().framed = true;
    }

    /// TLS is set up: what was read so far is no request.
    pub(crate) fn start(&self, now: Instant) {
        let mut state = self.lock();
        state.head = None;
        state.quiet = now;
    }

    pub(crate) fn read(&self, now: Instant) {
        let mut state = self.lock();
        if state.open > 0 {
            return;
        }
        if state.framed {
            state.quiet = now;
        } else if state.head.is_none() {
            state.head = Some(now);
        }
    }

    pub(crate) fn begin_request(&self) {
        let mut state = self.lock();
        state.open += 1;
        state.head = None;
    }

    /// The connection is no longer one of HTTP.
    pub(crate) fn hand_over(&self) {
        self.lock().open += 1;
    }

    pub(crate) fn end_request(&self, now: Instant) {
        let mut state = self.lock();
        state.open = state.open.saturating_sub(1);
        state.served = true;
        state.body = None;
        state.quiet = now;
    }

    pub(crate) fn begin_body(&self, now: Instant) {
        self.lock().body = Some((now, 0));
    }

    pub(crate) fn body_brought(&self, bytes: u64) {
        if let Some((_, brought)) = &mut self.lock().body {
            *brought += bytes;
        }
    }

    pub(crate) fn end_body(&self) {
        self.lock().body = None;
    }

    pub(crate) fn blocked(&self, now: Instant) {
        self.lock().blocked.get_or_insert(now);
    }

    pub(crate) fn wrote(&self) {
        self.lock().blocked = None;
    }

    /// What the server waits for, and for how long already.
    pub(crate) fn standing(&self, now: Instant) -> (Standing, Duration) {
        let state = self.lock();
        let for_long = |since: Instant| now.saturating_duration_since(since);
        if let Some(since) = state.blocked {
            return (Standing::Answer, for_long(since));
        }
        if let Some((since, brought)) = state.body {
            // Only one that is behind: a large body takes its time.
            let earned = Duration::from_secs(brought / BODY_BYTES_PER_SECOND);
            return (Standing::Body, for_long(since).saturating_sub(earned));
        }
        if state.open > 0 {
            return (Standing::Busy, Duration::ZERO);
        }
        if let Some(since) = state.head {
            return (Standing::Head, for_long(since));
        }
        (if state.served { Standing::Idle } else { Standing::New }, for_long(state.quiet))
    }
}

impl Standing {
    /// How long this may last; `None` for as long as it likes.
    pub(crate) const fn longest(self, limits: &Limits) -> Option<Duration> {
        match self {
            Self::Busy => None,
            Self::New | Self::Head => Some(limits.head),
            Self::Idle => Some(limits.idle),
            Self::Body => Some(limits.body),
            Self::Answer => Some(limits.write),
        }
    }

    /// Whether a client that is neither slow nor hostile is in it for a moment only.
    pub(crate) const fn is_dripping(self) -> bool {
        matches!(self, Self::Head | Self::Body)
    }
}
