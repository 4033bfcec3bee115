//! What a connection is doing, and since when. Its socket and its requests write it, the table reads it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::limits::{ANSWER_BYTES_PER_SECOND, BODY_BYTES_PER_SECOND, BODY_CREDIT, Limits};

/// What the server waits for on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing: a request is being answered.
    Busy,
    /// The first byte of the first request.
    New,
    /// The next request.
    Idle,
    /// The rest of a request's head.
    Head,
    /// More of a request's body.
    Body,
    /// The client, which has to accept more of the answer.
    Answer,
}

#[derive(Debug)]
pub(crate) struct Meter(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Number of requests that are being read or answered.
    open: u32,
    /// Whether bytes may arrive without a request: HTTP/2 also sends frames between requests.
    framed: bool,
    /// Whether the connection is no longer HTTP.
    upgraded: bool,
    /// Whether a request was answered.
    served: bool,
    /// Since when there is no request.
    quiet: Instant,
    /// Since when a head is being read.
    head: Option<Instant>,
    /// Since when there is nothing to read. `None` while bytes of the client wait for the server, however late the server is.
    dry: Option<Instant>,
    body: Option<Body>,
    /// Since when the client takes nothing.
    blocked: Option<Instant>,
    /// For how long it took nothing before, less what it earned by what it took: a client that takes a few bytes now and then is slow too.
    owed: Duration,
}

/// A body that a handler reads.
#[derive(Debug, Default)]
struct Body {
    /// Since when the handler waits for more.
    waiting: Option<Instant>,
    /// For how long it waited before, less the time that its bytes earned since.
    waited: Duration,
    /// The time that its bytes earned beyond what was waited, at most [`BODY_CREDIT`]: a body that brought much and then drips is slow too.
    credit: Duration,
}

impl Body {
    fn earn(&mut self, bytes: u64) {
        let earned = self.credit + Duration::from_micros(bytes.saturating_mul(1_000_000) / BODY_BYTES_PER_SECOND);
        self.credit = earned.saturating_sub(self.waited).min(BODY_CREDIT);
        self.waited = self.waited.saturating_sub(earned);
    }
}

impl Meter {
    pub(crate) const fn new(now: Instant) -> Self {
        Self(Mutex::new(State {
            open: 0,
            framed: false,
            upgraded: false,
            served: false,
            quiet: now,
            head: None,
            dry: None,
            body: None,
            blocked: None,
            owed: Duration::ZERO,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn use_frames(&self) {
        self.lock().framed = true;
    }

    /// Called when TLS is set up: the bytes so far were not a request.
    pub(crate) fn start(&self, now: Instant) {
        let mut state = self.lock();
        state.head = None;
        state.quiet = now;
    }

    /// The server wants to read and there is nothing.
    pub(crate) fn read_nothing(&self, now: Instant) {
        self.lock().dry.get_or_insert(now);
    }

    /// Bytes of the client are there, which the server has not read yet.
    pub(crate) fn arrived(&self, now: Instant) {
        self.lock().end_dry(now);
    }

    pub(crate) fn read(&self, now: Instant) {
        let mut state = self.lock();
        state.end_dry(now);
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

    /// The connection was upgraded and is no longer HTTP.
    pub(crate) fn hand_over(&self) {
        let mut state = self.lock();
        state.open += 1;
        state.upgraded = true;
    }

    /// Whether the client's request is whole and its answer is not.
    pub(crate) fn is_answering(&self) -> bool {
        let state = self.lock();
        state.open > 0 && state.body.is_none() && !state.framed && !state.upgraded
    }

    pub(crate) fn end_request(&self, now: Instant) {
        let mut state = self.lock();
        state.open = state.open.saturating_sub(1);
        state.served = true;
        state.body = None;
        state.quiet = now;
    }

    /// A handler waits for more of a body.
    pub(crate) fn body_waits(&self, now: Instant) {
        self.lock().body.get_or_insert_default().waiting.get_or_insert(now);
    }

    pub(crate) fn body_came(&self, now: Instant, bytes: u64) {
        let mut state = self.lock();
        state.end_dry(now);
        let body = state.body.get_or_insert_default();
        body.earn(bytes);
        body.waiting = None;
    }

    /// How long the client has let the handler wait for the body, less what its bytes earned.
    pub(crate) fn body_waited(&self, now: Instant) -> Duration {
        self.lock().body_waited(now).unwrap_or_default()
    }

    pub(crate) fn end_body(&self) {
        self.lock().body = None;
    }

    pub(crate) fn blocked(&self, now: Instant) {
        self.lock().blocked.get_or_insert(now);
    }

    /// The client took so many bytes. What it takes beyond the least earns it nothing for later.
    pub(crate) fn wrote(&self, now: Instant, bytes: u64) {
        let mut state = self.lock();
        state.end_blocked(now);
        if !state.owed.is_zero() {
            let earned = Duration::from_micros(bytes.saturating_mul(1_000_000) / ANSWER_BYTES_PER_SECOND);
            state.owed = state.owed.saturating_sub(earned);
        }
    }

    /// The client has taken what was written, and the server has not noticed yet.
    pub(crate) fn can_write(&self, now: Instant) {
        self.lock().end_blocked(now);
    }

    /// What the server waits for, and for how long already.
    pub(crate) fn standing(&self, now: Instant) -> (Standing, Duration) {
        let state = self.lock();
        let for_long = |since: Instant| now.saturating_duration_since(since);
        if let Some(since) = state.blocked {
            return (Standing::Answer, state.owed + for_long(since));
        }
        if let Some(waited) = state.body_waited(now) {
            return (Standing::Body, waited);
        }
        if state.open > 0 {
            return (Standing::Busy, Duration::ZERO);
        }
        if let Some(since) = state.head {
            return if state.dry.is_some() { (Standing::Head, for_long(since)) } else { (Standing::Busy, Duration::ZERO) };
        }
        (if state.served { Standing::Idle } else { Standing::New }, for_long(state.quiet))
    }
}

impl State {
    fn end_dry(&mut self, now: Instant) {
        if let (Some(dry), Some(body)) = (self.dry.take(), &mut self.body)
            && let Some(waiting) = body.waiting
        {
            body.waited += now.saturating_duration_since(waiting.max(dry));
            body.waiting = Some(now);
        }
    }

    fn end_blocked(&mut self, now: Instant) {
        if let Some(since) = self.blocked.take() {
            self.owed += now.saturating_duration_since(since);
        }
    }

    /// `None` while the handler does not wait, or the server itself is late.
    fn body_waited(&self, now: Instant) -> Option<Duration> {
        let (Some(dry), Some(Body { waiting: Some(waiting), waited, credit })) = (self.dry, &self.body) else { return None };
        Some((*waited + now.saturating_duration_since(dry.max(*waiting))).saturating_sub(*credit))
    }
}

impl Standing {
    /// Time limit of this wait; `None` for no limit.
    pub(crate) const fn longest(self, limits: &Limits) -> Option<Duration> {
        match self {
            Self::Busy => None,
            Self::New | Self::Head => Some(limits.head),
            Self::Idle => Some(limits.idle),
            // The body ends by itself at its limit, with an answer. This is for one that nobody polls any more.
            Self::Body => Some(limits.body.saturating_mul(2)),
            Self::Answer => Some(limits.write),
        }
    }

    /// Whether an honest client with a good connection is in this state for a moment only.
    pub(crate) const fn is_dripping(self) -> bool {
        matches!(self, Self::Head | Self::Body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_takes_a_few_bytes_now_and_then_is_waited_for_all_the_same() {
        let (start, limits) = (Instant::now(), Limits::default());
        let at = |seconds| start + Duration::from_secs(seconds);
        let after = |bytes, pieces| {
            let meter = Meter::new(start);
            meter.begin_request();
            for piece in 0..pieces {
                meter.blocked(at(10 * piece));
                meter.wrote(at(10 * piece + 10), bytes);
            }
            meter.blocked(at(10 * pieces));
            meter.standing(at(10 * pieces))
        };
        let (standing, waited) = after(100, 7);
        assert_eq!(standing, Standing::Answer);
        assert!(standing.longest(&limits).is_some_and(|longest| waited > longest), "{waited:?}");
        assert_eq!(after(20_000, 1_000), (Standing::Answer, Duration::ZERO), "2 kB/s, for hours");
        // What was taken quickly is no credit for a rest.
        let meter = Meter::new(start);
        meter.begin_request();
        meter.wrote(at(1), 1_000_000_000);
        meter.blocked(at(1));
        assert_eq!(meter.standing(at(61)), (Standing::Answer, Duration::from_mins(1)));
    }

    #[test]
    fn a_body_that_brought_much_and_then_drips_is_waited_for_all_the_same() {
        let (start, limits) = (Instant::now(), Limits::default());
        let at = |seconds| start + Duration::from_secs(seconds);
        // Pieces of so many bytes, each after so many seconds in which nothing came.
        let after = |first: u64, bytes: u64, pause: u64, pieces: u64| {
            let meter = Meter::new(start);
            meter.begin_request();
            meter.body_came(at(0), first);
            for piece in 0..pieces {
                meter.body_waits(at(pause * piece));
                meter.read_nothing(at(pause * piece));
                meter.read(at(pause * (piece + 1)));
                meter.body_came(at(pause * (piece + 1)), bytes);
            }
            meter.body_waits(at(pause * pieces));
            meter.read_nothing(at(pause * pieces));
            meter.body_waited(at(pause * pieces))
        };
        let dripping = after(250_000, 1, 2, 7);
        assert!(dripping > limits.body && dripping < Duration::from_secs(11), "14 seconds, less 3 of credit and 7 bytes: {dripping:?}");
        assert_eq!(after(250_000, 2_048, 2, 1_000), Duration::ZERO, "1 kB/s, for half an hour");
        assert_eq!(after(0, 16_384, 8, 3), Duration::ZERO, "pieces with pauses");
        // A long pause counts only beyond the credit, and the credit is spent once.
        assert_eq!(after(250_000, 0, 3, 1), Duration::ZERO);
        assert_eq!(after(250_000, 0, 3, 2), Duration::from_secs(3));
    }

    #[test]
    fn a_body_is_waited_for_only_while_a_handler_reads_it() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let meter = Meter::new(start);
        meter.begin_request();
        assert_eq!(meter.standing(at(100)), (Standing::Busy, Duration::ZERO), "nobody reads it yet");
        meter.body_waits(at(100));
        assert_eq!(meter.standing(at(103)), (Standing::Busy, Duration::ZERO), "it is there, and the server has not come to it");
        meter.read_nothing(at(103));
        assert_eq!(meter.standing(at(106)), (Standing::Body, Duration::from_secs(3)));
        meter.read(at(106));
        meter.body_came(at(110), 1_024);
        assert_eq!(meter.standing(at(200)), (Standing::Busy, Duration::ZERO), "the handler does something else");
        meter.body_waits(at(200));
        meter.read_nothing(at(200));
        assert_eq!(meter.standing(at(204)), (Standing::Body, Duration::from_secs(6)), "3 and 4 seconds, of which 1,024 bytes earned one");
    }
}
