//! Watches that break as soon as they are opened are not opened again at once: kube's watcher resumes a watch that ends without a pause of
//! its own, which is right for one that lived its minute and would be a storm of lists at a server that is unwell.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use http::Request;
use tokio::time::Instant;
use tower::{Layer, Service};

/// A watch that lived as long is opened again at once.
const GOOD_LIFE: Duration = Duration::from_secs(20);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// For the client that watches.
#[derive(Debug, Clone, Default)]
pub struct Paced(Arc<Mutex<HashMap<String, Last>>>);

/// When a watch of a path is to begin, and the pause after which it does.
#[derive(Debug, Clone, Copy)]
struct Last {
    begins: Instant,
    pause: Duration,
}

impl Paced {
    /// When the next watch of this path may begin.
    fn next(&self, path: &str, now: Instant) -> Instant {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = match all.get(path) {
            Some(last) if now < last.begins + GOOD_LIFE => {
                let pause = (last.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                Last { begins: now + pause, pause }
            }
            _ => Last { begins: now, pause: Duration::ZERO },
        };
        all.insert(path.to_owned(), next);
        next.begins
    }
}

impl<S> Layer<S> for Paced {
    type Service = PacedService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        PacedService { inner, paced: self.clone() }
    }
}

#[derive(Debug)]
pub struct PacedService<S> {
    inner: S,
    paced: Paced,
}

impl<S, B> Service<Request<B>> for PacedService<S>
where
    S: Service<Request<B>>,
    S::Future: Send + 'static,
    S::Response: 'static,
    S::Error: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let is_watch = request.uri().query().is_some_and(|query| query.split('&').any(|part| part.starts_with("watch=")));
        let begins = is_watch.then(|| self.paced.next(request.uri().path(), Instant::now()));
        // Nothing is sent before the answer is waited for.
        let answer = self.inner.call(request);
        Box::pin(async move {
            if let Some(begins) = begins {
                tokio::time::sleep_until(begins).await;
            }
            answer.await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watches_that_break_at_once_are_opened_ever_more_slowly_and_others_are_not_delayed() {
        let (paced, start) = (Paced::default(), Instant::now());
        let mut now = start;
        let mut pauses = Vec::new();
        for _ in 0..6 {
            let begins = paced.next("/api/v1/pods", now);
            pauses.push(u64::try_from((begins - now).as_millis()).expect("short"));
            now = begins;
        }
        assert_eq!(pauses, [0, 250, 500, 1_000, 2_000, 2_000]);
        assert_eq!(paced.next("/api/v1/nodes", now), now, "another path");
        let later = now + GOOD_LIFE;
        assert_eq!(paced.next("/api/v1/pods", later), later, "it lived well");
    }
}
