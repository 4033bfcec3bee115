//! Bodies in transit: a request's body, which must arrive fast enough, and an answer's body, whose end is the end of the request.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::body::Body;
use bytes::{Buf as _, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower::BoxError;

use crate::table::Place;

/// Whether the body of this request arrived too slowly. It is an extension of the request, so the answer can report it.
#[derive(Debug, Clone, Default)]
pub struct BodyPace(Arc<AtomicBool>);

impl BodyPace {
    pub fn is_too_slow(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
struct TooSlow;

impl std::fmt::Display for TooSlow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body of the request comes too slowly")
    }
}

impl std::error::Error for TooSlow {}

/// Tells the meter when reading a body ends.
struct Reading(Arc<Place>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.meter.end_body();
    }
}

pin_project! {
    /// A request's body. Only the time in which the handler waits for more of it counts: a handler that reads late is not the client's
    /// doing.
    pub(crate) struct Arriving {
        body: Incoming,
        reading: Reading,
        pace: BodyPace,
        allowed: Duration,
        #[pin]
        deadline: Sleep,
    }
}

impl Arriving {
    pub(crate) fn new(body: Incoming, of: &Arc<Place>, pace: BodyPace, allowed: Duration) -> Self {
        Self { body, reading: Reading(Arc::clone(of)), pace, allowed, deadline: tokio::time::sleep(allowed) }
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        let (meter, now) = (&this.reading.0.meter, Instant::now());
        if let Poll::Ready(frame) = Pin::new(&mut *this.body).poll_frame(cx) {
            let bytes = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()).map_or(0, |data| data.remaining() as u64);
            meter.body_came(now, bytes);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        meter.body_waits(now);
        let rest = this.allowed.saturating_sub(meter.body_waited(now));
        if !rest.is_zero() {
            this.deadline.as_mut().reset((now + rest).into());
            // Asked for its own sake: it wakes this body when the time is over.
            if this.deadline.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
        this.pace.0.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(TooSlow.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// One request, from its head to the end of its answer.
pub(crate) struct Turn(Arc<Place>);

impl Turn {
    pub(crate) fn begin(place: &Arc<Place>) -> Self {
        place.meter.begin_request();
        Self(Arc::clone(place))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.meter.end_request(Instant::now());
    }
}

pin_project! {
    /// An answer's body.
    pub(crate) struct Answering {
        #[pin]
        body: Body,
        turn: Turn,
    }
}

impl Answering {
    pub(crate) const fn new(body: Body, turn: Turn) -> Self {
        Self { body, turn }
    }
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
