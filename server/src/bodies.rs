//! Memory for the bodies of requests. What arrives is counted until its request is answered, for each source and for all together. A body
//! that would pass a bound is refused: 429 where its source has too much on the way, 503 where all together have.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    BoxError,
    body::{Body, HttpBody as _},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use domain::{Error, network};
use futures::StreamExt as _;
use services::Origin;

use crate::{rest::problem::Problem, state::AppState};

/// Largest bodies that one source may have on the way at a time. A college may be behind one address; its forms are a few kB each.
pub const OF_SOURCE: usize = 32;
/// Largest bodies that may be on the way at a time.
const OF_ALL: usize = 128;

const RETRY_AFTER_SECONDS: u32 = 5;

#[derive(Debug)]
pub struct Bodies {
    most: usize,
    most_of_source: usize,
    held: Mutex<Held>,
}

/// In bytes.
#[derive(Debug, Default)]
struct Held {
    all: usize,
    by_source: HashMap<String, usize>,
}

/// The bytes of one request's body, counted until this is dropped.
#[derive(Debug)]
struct Share {
    bodies: Arc<Bodies>,
    source: String,
    bytes: AtomicUsize,
    refused: OnceLock<Error>,
}

impl Bodies {
    /// `largest`: bytes of the largest body that is accepted.
    pub fn new(largest: usize) -> Self {
        Self { most: largest.saturating_mul(OF_ALL), most_of_source: largest.saturating_mul(OF_SOURCE), held: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    fn new(bodies: &Arc<Bodies>, source: String) -> Self {
        Self { bodies: Arc::clone(bodies), source, bytes: AtomicUsize::new(0), refused: OnceLock::new() }
    }

    /// Errors: `RateLimited` beyond the source's bound, `Unavailable` beyond that of all.
    fn take(&self, bytes: usize) -> Result<(), Error> {
        let mut held = self.bodies.lock();
        let of_source = held.by_source.get(&self.source).copied().unwrap_or_default() + bytes;
        if of_source > self.bodies.most_of_source {
            return Err(Error::RateLimited { retry_after_seconds: RETRY_AFTER_SECONDS });
        }
        if held.all + bytes > self.bodies.most {
            return Err(Error::Unavailable { retry_after_seconds: RETRY_AFTER_SECONDS });
        }
        held.all += bytes;
        held.by_source.insert(self.source.clone(), of_source);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let bytes = self.bytes.load(Ordering::Relaxed);
        let mut held = self.bodies.lock();
        held.all = held.all.saturating_sub(bytes);
        if let Some(of_source) = held.by_source.get_mut(&self.source) {
            *of_source = of_source.saturating_sub(bytes);
            if *of_source == 0 {
                held.by_source.remove(&self.source);
            }
        }
    }
}

pub async fn bound(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let address = request.extensions().get::<Origin>().and_then(|origin| origin.address.as_deref());
    let share = Arc::new(Share::new(&state.bodies, address.map(network::source_text).unwrap_or_default()));
    let counting = Arc::clone(&share);
    let request = request.map(|body| {
        Body::from_stream(body.into_data_stream().map(move |piece| -> Result<Bytes, BoxError> {
            // Without another layer of errors, behind which the body's own limit would not be found.
            let piece = piece.map_err(axum::Error::into_inner)?;
            if let Err(error) = counting.take(piece.len()) {
                let _ = counting.refused.set(error.clone());
                return Err(BoxError::from(error));
            }
            Ok(piece)
        }))
    });
    let response = next.run(request).await;
    // The handler only saw a body that cannot be read.
    share.refused.get().map_or(response, |error| Problem::Refused(error.clone()).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_and_all_together_have_a_bound_each() {
        let bodies = Arc::new(Bodies::new(100));
        let of = |source: &str| Share::new(&bodies, source.to_owned());
        let first = of("10.0.0.7");
        let (limited, unavailable) = (Error::RateLimited { retry_after_seconds: 5 }, Error::Unavailable { retry_after_seconds: 5 });
        assert_eq!(first.take(3_000), Ok(()));
        assert_eq!(first.take(201), Err(limited.clone()));
        assert_eq!(of("10.0.0.7").take(201), Err(limited), "in another request");
        let others: Vec<_> = (0..4).map(|number| of(&number.to_string())).collect();
        for other in &others[..3] {
            assert_eq!(other.take(3_200), Ok(()));
        }
        assert_eq!(others[3].take(201), Err(unavailable), "12,600 of 12,800 are taken");
        assert_eq!(others[3].take(200), Ok(()));
        drop(others);
        assert_eq!(first.take(200), Ok(()));
        drop(first);
        let held = bodies.lock();
        assert!(held.all == 0 && held.by_source.is_empty(), "{held:?}");
    }
}
