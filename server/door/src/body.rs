//! A body on its way through the door: nothing of it is kept, its bytes are counted, and it breaks off when the pass ends or the pod is gone.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::{limits::Place, ports::SharedPass};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ToLab,
    ToBrowser,
}

/// Why a body broke off.
#[derive(Debug)]
struct Over;

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the way to the lab is over")
    }
}

impl std::error::Error for Over {}

/// The client sent a malformed body.
#[derive(Debug)]
struct OfClient(axum::Error);

impl fmt::Display for OfClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for OfClient {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Whether a request failed because of its own body.
pub fn is_of_client(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| std::error::Error::source(*error)).any(<dyn std::error::Error>::is::<OfClient>)
}

pub struct Passing {
    body: Body,
    way: Way,
    pass: SharedPass,
    /// Cancelled when the pod is gone.
    gone: CancellationToken,
    /// Wakes the body when the pass ends or the pod is gone. Made when the body has to be waited for: most answers are there at once, and two
    /// entries in lists of waiting tasks cost more than the rest of a small body.
    over: Option<[Pin<Box<WaitForCancellationFutureOwned>>; 2]>,
    /// Taken until the body has passed.
    _place: Option<Place>,
}

impl Passing {
    /// `gone`: cancelled when the pod is gone that the body comes from or goes to.
    pub fn wrap(body: Body, way: Way, pass: &SharedPass, gone: &CancellationToken, place: Option<Place>) -> Body {
        if body.is_end_stream() {
            return body;
        }
        Body::new(Self { body, way, pass: SharedPass::clone(pass), gone: gone.clone(), over: None, _place: place })
    }

    fn is_over(&self) -> bool {
        self.pass.ended().is_cancelled() || self.gone.is_cancelled()
    }

    /// Whether the way ended after [`Self::is_over`] was asked; else the task is woken when it ends.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> bool {
        let (ended, gone) = (self.pass.ended(), &self.gone);
        let over = self.over.get_or_insert_with(|| [ended, gone].map(|token| Box::pin(token.clone().cancelled_owned())));
        over.iter_mut().any(|over| over.as_mut().poll(cx).is_ready())
    }
}

impl HttpBody for Passing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if this.is_over() {
            return Poll::Ready(Some(Err(axum::Error::new(Over))));
        }
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if polled.is_pending() && this.poll_over(cx) {
            return Poll::Ready(Some(Err(axum::Error::new(Over))));
        }
        match polled {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                match this.way {
                    Way::ToLab => this.pass.count(bytes, 0),
                    Way::ToBrowser => this.pass.count(0, bytes),
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) if this.way == Way::ToLab => Poll::Ready(Some(Err(axum::Error::new(OfClient(error))))),
            other => other,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
