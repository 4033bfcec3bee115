//! Work to do now and later.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, HashMap},
    time::Duration,
};

use tokio::time::Instant;

use crate::store::Key;

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    Namespace(String),
    Collect(Key),
    StatefulSet(Key),
    Deployment(Key),
    ReplicaSet(Key),
    Job(Key),
    Claim(Key),
    Volume(Key),
    Node(Key),
    Schedule(Key),
    ScheduleAll,
    Pod(Key),
    Endpoints(Key),
    Quota(String),
    ExpireEvents,
    Heat,
}

/// Longest delay: what an object asks for may be any number.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// Work without repetition, timers, and deadlines that are met once.
#[derive(Debug, Default)]
pub struct Queue {
    now: BTreeSet<Work>,
    later: BinaryHeap<Reverse<(Instant, Work)>>,
    deadlines: HashMap<(String, &'static str), Instant>,
}

impl Queue {
    pub fn push(&mut self, work: Work) {
        self.now.insert(work);
    }

    pub fn push_later(&mut self, work: Work, delay: Duration) {
        self.later.push(Reverse((Instant::now() + delay.min(LONGEST), work)));
    }

    /// The next work, due timers included.
    pub fn pop(&mut self) -> Option<Work> {
        self.take_due();
        self.now.pop_first()
    }

    pub fn is_idle(&mut self) -> bool {
        self.take_due();
        self.now.is_empty()
    }

    fn take_due(&mut self) {
        let now = Instant::now();
        while self.later.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            if let Some(Reverse((_, work))) = self.later.pop() {
                self.now.insert(work);
            }
        }
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.later.peek().map(|Reverse((at, _))| *at)
    }

    /// Whether `delay` has passed since the first call for this stage of this object. The first call also sets the timer.
    pub fn has_passed(&mut self, uid: &str, stage: &'static str, delay: Duration, work: &Work) -> bool {
        let at = Instant::now() + delay.min(LONGEST);
        if let Some(deadline) = self.deadlines.get(&(uid.to_owned(), stage)) {
            return *deadline <= Instant::now();
        }
        self.deadlines.insert((uid.to_owned(), stage), at);
        if !delay.is_zero() {
            self.later.push(Reverse((at, work.clone())));
        }
        delay.is_zero()
    }

    /// Whether this is the first call for this stage of this object.
    pub fn is_first(&mut self, uid: &str, stage: &'static str) -> bool {
        self.deadlines.insert((uid.to_owned(), stage), Instant::now()).is_none()
    }

    /// Forgets one stage, so that its delay counts anew.
    pub fn forget_stage(&mut self, uid: &str, stage: &'static str) {
        self.deadlines.remove(&(uid.to_owned(), stage));
    }

    /// Forgets an object that is gone.
    pub fn forget(&mut self, uid: &str) {
        self.deadlines.retain(|(known, _), _| known != uid);
    }
}
