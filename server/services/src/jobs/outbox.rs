//! Work that waits: rows written in the transaction of the change, taken in order, retried with growing pauses.
//! A row goes when its work is done and nobody wanted it again meanwhile, so a kill at any point only repeats work.

use std::{
    collections::{HashMap, VecDeque},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use domain::{
    Result,
    ids::{CourseId, LabId},
};
use futures::{StreamExt, stream};
use storage::outbox::{self, Work};
use tokio::{task::JoinSet, time::Instant};

use super::{
    lease,
    rounds::{Trouble, guarded},
    step::{self, Next, Trouble as StepTrouble},
};
use crate::{Services, cluster_status, error::OrDomain, ports::ClusterError};

/// Pieces that are done at the same time: the cluster answers many at once, SQLite writes one at a time.
const AT_ONCE: usize = 8;
/// A piece that takes longer than this (an admission webhook may take half a minute) no longer counts against [`AT_ONCE`].
const SLOW: Duration = Duration::from_secs(2);
/// Most pieces in progress, slow ones included.
const MOST: usize = 64;
const BATCH: u32 = 128;
/// Pieces that are tried at once while the cluster is away.
const PROBES: u32 = 4;
/// Steps of one lab before others have their turn.
const STEPS: u32 = 10;
/// Longest pause between two tries.
const LONGEST_PAUSE: i64 = 30;

/// Does due work whenever it is woken, and checks every second. A slow piece does not delay the others. Never ends.
pub(super) async fn run(services: Services) {
    let mut trouble = Trouble::new("outbox");
    let mut flight = Flight::default();
    let mut is_tick = true;
    loop {
        trouble.note(guarded(flight.start_due(&services, is_tick)).await.as_ref().err());
        is_tick = tokio::select! {
            Some(outcome) = flight.next() => {
                trouble.note(outcome.as_ref().err());
                false
            }
            () = services.hub.woken() => true,
            () = tokio::time::sleep(Duration::from_secs(1)) => true,
        };
    }
}

/// The pieces in progress.
#[derive(Default)]
struct Flight {
    /// Each is a task: a connection that it holds or waits for must not be held up while this task waits for one itself.
    pieces: JoinSet<(String, Result<(), String>)>,
    /// Kind and subject of each: one that is due again while it is being done waits until that is over.
    subjects: HashMap<String, Instant>,
    /// Due pieces that have not begun.
    queue: VecDeque<Work>,
}

impl Flight {
    /// Begins due work while there is room. `is_tick`: `false` if it is called because a piece has just ended.
    async fn start_due(&mut self, services: &Services, is_tick: bool) -> Result<()> {
        // An unreachable cluster is tried by few pieces, with a pause in between, not by hundreds that all wait for a timeout.
        let away = cluster_status::current(services).await?.away_since.is_some();
        if away && !(is_tick && self.subjects.is_empty()) {
            self.queue.clear();
            return Ok(());
        }
        let mut room = self.room(if away { PROBES as usize } else { AT_ONCE }, Instant::now());
        if room == 0 {
            return Ok(());
        }
        if self.queue.is_empty() {
            let mut read = services.db.read().await.or_domain()?;
            self.queue = outbox::due(&mut read, services.clock.now(), BATCH).await.or_domain()?.into();
        }
        while room > 0
            && let Some(work) = self.queue.pop_front()
        {
            if !self.subjects.contains_key(&subject_of(&work)) {
                self.add(services, work);
                room -= 1;
            }
        }
        Ok(())
    }

    /// How many pieces may be added: slow ones are not counted, up to [`MOST`] in total.
    fn room(&self, at_once: usize, now: Instant) -> usize {
        let quick = self.subjects.values().filter(|since| now - **since < SLOW).count();
        at_once.saturating_sub(quick).min(MOST.saturating_sub(self.subjects.len()))
    }

    fn add(&mut self, services: &Services, work: Work) {
        let services = services.clone();
        self.begin(subject_of(&work), async move { one(&services, work).await });
    }

    fn begin(&mut self, subject: String, piece: impl Future<Output = Result<()>> + Send + 'static) {
        self.subjects.insert(subject.clone(), Instant::now());
        lease::spawn(&mut self.pieces, async move { (subject, Box::pin(guarded(piece)).await) });
    }

    /// Result of the next piece that ends; `None` if none is in progress.
    async fn next(&mut self) -> Option<Result<(), String>> {
        match self.pieces.join_next().await? {
            Ok((subject, outcome)) => {
                self.subjects.remove(&subject);
                Some(outcome)
            }
            // A panic is an outcome: a task goes without one only when the process does.
            Err(error) => Some(Err(error.to_string())),
        }
    }
}

fn subject_of(work: &Work) -> String {
    format!("{} {}", work.kind, work.subject)
}

/// Does all work that is due; returns how many pieces. Errors: only when the database fails; then what is left stays due.
pub async fn due(services: &Services) -> Result<u32> {
    // A cluster that is away is asked by few, not by hundreds that all wait for its silence.
    let away = cluster_status::current(services).await?.away_since.is_some();
    let due = {
        let mut read = services.db.read().await.or_domain()?;
        outbox::due(&mut read, services.clock.now(), if away { PROBES } else { BATCH }).await.or_domain()?
    };
    let done = AtomicU32::new(0);
    let failed = stream::iter(due)
        .map(|work| async {
            let result = one(services, work).await;
            if result.is_ok() {
                done.fetch_add(1, Ordering::Relaxed);
            }
            result
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(|result| async { result.err() })
        .collect::<Vec<_>>()
        .await;
    failed.into_iter().next().map_or_else(|| Ok(done.into_inner()), Err)
}

/// Does one piece and writes down how it went.
async fn one(services: &Services, work: Work) -> Result<()> {
    let result = match (work.kind.as_str(), work.subject.parse::<LabId>(), work.subject.parse::<CourseId>()) {
        (outbox::RECONCILE_LAB, Ok(lab), _) => steps(services, lab).await,
        (outbox::SET_QUOTA, _, Ok(course)) => step::quota(services, course).await,
        (outbox::WRITE_KEYS, Ok(lab), _) => step::keys::write(services, lab, work.attempts).await,
        _ => {
            tracing::error!(outbox.kind = %work.kind, outbox.subject = %work.subject, "nobody knows how to do this work");
            Ok(Next::Done)
        }
    };
    let now = services.clock.now();
    let mut write = lease::begin_write(services).await?;
    match result {
        Ok(Next::Done) => {
            outbox::finish(&mut write, &work).await.or_domain()?;
        }
        Ok(Next::Again) => outbox::postpone(&mut write, &work, now, None).await.or_domain()?,
        Ok(Next::Soon(seconds)) => outbox::postpone(&mut write, &work, now.plus_seconds(seconds), None).await.or_domain()?,
        Err(trouble) => {
            let pause = match &trouble {
                StepTrouble::Cluster(ClusterError::Busy(_)) => 1 + i64::from(work.attempts.min(4)),
                _ => pause(work.attempts),
            };
            let text = trouble.to_string();
            if work.attempts == 0 {
                tracing::warn!(outbox.kind = %work.kind, outbox.subject = %work.subject, "tried in vain, will be tried again: {text}");
            }
            outbox::postpone(&mut write, &work, now.plus_seconds(pause), Some(&text)).await.or_domain()?;
        }
    }
    write.commit().await.or_domain()
}

/// As many steps as follow each other without waiting.
async fn steps(services: &Services, lab: LabId) -> Result<Next, StepTrouble> {
    for _ in 0..STEPS {
        match step::lab(services, lab).await {
            Ok(Next::Again) => {}
            Err(StepTrouble::Cluster(ClusterError::Away(reason))) => {
                cluster_status::away(services, &reason).await?;
                return Err(ClusterError::Away(reason).into());
            }
            other => return other,
        }
    }
    Ok(Next::Again)
}

/// 1, 2, 4, … 30 seconds.
fn pause(attempts: u32) -> i64 {
    1_i64.checked_shl(attempts.min(16)).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute() {
        assert_eq!([0, 1, 4, 5, 60].map(pause), [1, 2, 16, 30, 30]);
    }

    #[tokio::test]
    async fn a_piece_goes_on_while_nobody_asks_for_it() {
        let mut flight = Flight::default();
        let (tell, told) = tokio::sync::oneshot::channel();
        flight.begin("lab 1".into(), async move {
            // As it gives back a connection that somebody waits for before they ask again.
            tell.send(()).expect("somebody waits");
            Ok(())
        });
        told.await.expect("it went on");
        assert_eq!(flight.next().await, Some(Ok(())));
        assert!(flight.subjects.is_empty());
        assert_eq!(flight.next().await, None);
    }

    #[test]
    fn slow_pieces_make_room_for_others_up_to_a_point() {
        let (begun, mut flight) = (Instant::now(), Flight::default());
        flight.subjects.extend((0..AT_ONCE).map(|number| (format!("lab {number}"), begun)));
        assert_eq!(flight.room(AT_ONCE, begun), 0);
        assert_eq!(flight.room(AT_ONCE, begun + SLOW), AT_ONCE, "eight that wait for a webhook hold up nobody");
        flight.subjects.extend((AT_ONCE..MOST).map(|number| (format!("lab {number}"), begun)));
        assert_eq!(flight.room(AT_ONCE, begun + SLOW), 0, "there is an end to it");
    }
}
