//! Those who submit at the same moment stand in one line and are answered [`together`]: one transaction for many of them. Whoever comes
//! alone is answered alone, and as soon.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{Error, Result, courses::Course, ids::UserId, orders::OrderForm};
use tokio::sync::oneshot;
use tracing::instrument::WithSubscriber as _;

use super::{
    submit::IdempotencyKey,
    together::{self, Answer},
};
use crate::{Caller, Services, catalogue::Shelf};

/// A request that has passed every check that needs no quota.
#[derive(Debug)]
pub(super) struct Request {
    pub caller: Caller,
    pub form: OrderForm,
    pub key: IdempotencyKey,
    /// Of the form.
    pub hash: String,
    pub course: Course,
    pub shelf: Arc<Shelf>,
}

impl Request {
    /// By which the same request is known.
    pub(super) fn id(&self) -> (UserId, &str) {
        (self.caller.actor.user, self.key.as_str())
    }
}

/// Most that one transaction answers: others wait meanwhile, on SQLite all who write.
const MOST: usize = 64;

/// The line of one process. Several processes with one database lock courses and cards against each other.
#[derive(Debug, Default)]
pub(crate) struct Line(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    requests: VecDeque<(Request, oneshot::Sender<Result<Answer>>)>,
    /// Somebody answers them.
    served: bool,
}

impl Line {
    /// Waits for the answer. Whoever leaves before it comes is answered all the same, and finds the order by its key.
    pub(super) async fn stand(&self, services: &Services, request: Request) -> Result<Answer> {
        let (reply, answer) = oneshot::channel();
        self.waiting().requests.push_back((request, reply));
        self.serve(services);
        // Dropped unanswered only where the process ends or has met a fault of its own.
        answer.await.unwrap_or(Err(Error::Unavailable { retry_after_seconds: 1 }))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A panic while the lock is held leaves nothing half done: what is done under it cannot stop in the middle.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that the line is served. A task of its own: who happens to come first may leave, the others stay.
    fn serve(&self, services: &Services) {
        let served = std::mem::replace(&mut self.waiting().served, true);
        if !served {
            tokio::spawn(serve(services.clone()).with_current_subscriber());
        }
    }

    /// Whether anybody waits; if not, the line is not served from here on.
    fn goes_on(&self) -> bool {
        let mut waiting = self.waiting();
        waiting.served = !waiting.requests.is_empty();
        waiting.served
    }

    /// Those whose turn it is: who orders for a class or for lessons alone, else as many as there are, none of them twice.
    fn next(&self) -> (Vec<Request>, Vec<oneshot::Sender<Result<Answer>>>) {
        let mut waiting = self.waiting();
        let plain = |(request, _): &(Request, _)| request.form.class.is_plain();
        let most = if waiting.requests.front().is_some_and(plain) { MOST } else { 1 };
        let (mut known, mut turn, mut later) = (BTreeSet::new(), Vec::new(), VecDeque::new());
        while turn.len() < most
            && let Some(next) = waiting.requests.pop_front_if(|next| turn.is_empty() || plain(next))
        {
            let (user, key) = next.0.id();
            if known.insert((user, key.to_owned())) { turn.push(next) } else { later.push_back(next) }
        }
        // The same request once more is answered by what the first one makes, in the next turn.
        later.append(&mut waiting.requests);
        waiting.requests = later;
        turn.into_iter().unzip()
    }
}

/// Answers all who wait. When it is cut off by a fault the rest of the line is served anew.
struct Served(Services);

impl Drop for Served {
    fn drop(&mut self) {
        if std::thread::panicking() && self.0.line.goes_on() {
            self.0.line.waiting().served = false;
            self.0.line.serve(&self.0);
        }
    }
}

async fn serve(services: Services) {
    let services = Served(services);
    while services.0.line.goes_on() {
        // The turn to write comes first: those who come while it is waited for are answered in it.
        let begun = together::begin(&services.0).await;
        let (requests, replies) = services.0.line.next();
        let answers = Box::pin(together::answer(&services.0, begun, &requests)).await;
        for (reply, answer) in replies.into_iter().zip(answers) {
            // A client that has disconnected finds the answer by its key.
            let _ = reply.send(answer);
        }
    }
}

#[cfg(test)]
mod tests;
