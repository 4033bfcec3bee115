//! The general guard: a request that was refused leaves a record, whatever refused it. Use cases record their refusals themselves, in
//! the words of their own; what they do not record the server records for them when the answer goes out. All are counted (see
//! [`super::refusal_counts`]); for those of this file no request waits.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    Error,
    audit::{Chain, Outcome, Who},
};

pub use super::refusal_counts::{RefusalCounts, flush, flush_all};
use super::{
    Entry, event,
    refusal_counts::{Source, Span, count},
};
use crate::{Caller, Origin, Services};

/// A refused request of a known caller that no use case recorded.
const ACTION: &str = "request.refuse";
/// A refused request without a session: an open page that asks on after its session has ended does so for days.
const NO_SESSION: &str = "session.authenticate";
/// Requests that are remembered at a time; those that nobody takes back are forgotten together.
const MOST: usize = 10_000;
/// Most characters of a path that are kept.
const LONGEST: usize = 200;

/// Ids of the requests whose refusal has been recorded.
#[derive(Debug, Default)]
pub struct Recorded(Mutex<HashSet<String>>);

impl Recorded {
    fn ids(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn note(&self, request_id: Option<&str>) {
        let Some(id) = request_id else { return };
        let mut ids = self.ids();
        if ids.len() >= MOST {
            ids.clear();
        }
        ids.insert(id.to_owned());
    }
    /// Whether the refusal of this request has been recorded; forgets the request.
    pub fn take(&self, request_id: &str) -> bool {
        self.ids().remove(request_id)
    }
}

/// Facts that become known while a request is handled. Put into the request's extensions before anything else, read when the answer is
/// sent.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Mutex<Seen>>);

#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The caller, once known.
    pub caller: Option<Caller>,
    /// Code of a refusal that the answer does not show: the form returns to its page, or the reader is redirected to sign-in.
    pub code: Option<&'static str>,
    /// Answered in place of what the handler answered.
    pub instead: Option<Error>,
}

impl Progress {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub fn is_of(&self, caller: &Caller) {
        self.seen().caller = Some(caller.clone());
    }
    /// Notes the error if it is a refusal.
    pub fn failed(&self, error: &Error) {
        if is_refusal(error) {
            self.seen().code = Some(error.code());
        }
    }
    /// Answers this error in place of what the handler answers.
    pub fn answers_instead(&self, error: Error) {
        self.seen().instead = Some(error);
    }
    pub fn take(&self) -> Seen {
        std::mem::take(&mut *self.seen())
    }
}

/// Whether the error denies access; other errors report a mistake or a failure.
pub const fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Unauthenticated | Error::Forbidden | Error::ScopeMissing { .. } | Error::NotFound)
}

/// Counts a refused request of somebody known.
pub fn request_refused(services: &Services, caller: &Caller, request: &str, code: &str) {
    let label: String = request.chars().take(LONGEST).collect();
    let entry = Entry::new(ACTION, "request", "", label);
    let event = event(services, caller.who(), &caller.origin, Chain::Tenant(caller.actor.tenant), entry, Outcome::Refused, Some(code));
    count(services, Source::Person(caller.actor.user), Span::Minute, event);
}

/// Counts a refused request without a session.
pub fn no_session(services: &Services, origin: &Origin, code: &str) {
    unauthenticated(services, origin, NO_SESSION, None, code);
}

/// Counts a refused attempt of nobody in particular. `login`: what was typed, if anything.
pub fn unauthenticated(services: &Services, origin: &Origin, action: &str, login: Option<&str>, code: &str) {
    let kind = action.split('.').next().unwrap_or_default();
    let entry = Entry::new(action, kind, "", login.unwrap_or_default());
    let who = Who::Anonymous { login: login.filter(|login| !login.is_empty()).map(ToOwned::to_owned) };
    let event = event(services, who, origin, Chain::System, entry, Outcome::Refused, Some(code));
    let source = Source::Address(origin.source().unwrap_or_default());
    let span = if action == NO_SESSION { Span::Hour } else { Span::Minute };
    count(services, source, span, event);
}
