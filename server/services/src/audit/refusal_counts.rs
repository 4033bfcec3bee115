//! Refusals, counted in the process for each kind and source; those of changes also for each object. The first of a window has a record of
//! its own. Use cases write theirs; of what no use case records a task writes it, and no request waits for it. The others of the window are counted in memory and become one record when the window is over. Whatever asks and
//! however often, the windows and the records that wait for the writer stay few. A record of several objects says how often each was asked for.
//! A process that is killed loses the counts of open windows.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{
    Result,
    audit::{Event, Object},
    ids::{AuditEventId, UserId},
    time::Timestamp,
};
use serde_json::json;
use tracing::instrument::WithSubscriber as _;

use crate::{Services, error::OrDomain};

/// Windows that are open at a time. Further sources share one window for each kind of refusal.
const MOST_WINDOWS: usize = 4_096;
/// Records that wait for the writer. While there are as many, further refusals are only counted.
const MOST_WAITING: usize = 256;
/// Objects of a kind of change and a person that have windows of their own at a time. Further ones share one.
const MOST_OBJECTS: usize = 16;
/// Objects of one record that are counted by themselves.
const MOST_NAMED: usize = 8;
/// Most characters of a label that stands for several objects.
const LABEL_MAX: usize = 200;
/// Records of one transaction, so that others do not wait for the writer.
const BATCH: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// See [`domain::network::source`]; empty when unknown.
    Address(String),
    Person(UserId),
    /// Those that found no window of their own.
    Others,
}

/// How long refusals of one kind and source are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    Minute,
    Hour,
}

impl Span {
    const fn seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3_600,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    action: String,
    code: Option<String>,
    via: &'static str,
    source: Source,
    /// Object of the refused change; empty where objects are counted together.
    object: String,
}

impl Key {
    fn of(event: &Event, source: Source) -> Self {
        Self { action: event.action.clone(), code: event.code.clone(), via: event.via.as_str(), source, object: String::new() }
    }

    /// Of a use case. A person who reads what they may not is counted as a whole; a change says what it was to change.
    fn of_use_case(event: &Event, source: Source) -> Self {
        let key = Self::of(event, source);
        if event.action.rsplit('.').next() == Some("read") {
            return key;
        }
        let course = event.course.map(|course| course.to_string()).unwrap_or_default();
        Self { object: [event.object.id.as_str(), &event.object.label, &course].join("\n"), ..key }
    }

    fn is_alike_with_object(&self, other: &Self) -> bool {
        (&self.action, &self.code, self.via, &self.source) == (&other.action, &other.code, other.via, &other.source) && !other.object.is_empty()
    }

    /// The window that there is room for.
    fn within(self, windows: &HashMap<Self, Window>, now: Timestamp) -> Self {
        if windows.contains_key(&self) {
            return self;
        }
        if windows.len() >= MOST_WINDOWS {
            return Self { source: Source::Others, object: String::new(), ..self };
        }
        let is_full = !self.object.is_empty()
            && windows.iter().filter(|(key, window)| self.is_alike_with_object(key) && !window.is_over(now)).count() >= MOST_OBJECTS;
        if is_full { Self { object: String::new(), ..self } } else { self }
    }
}

#[derive(Debug)]
struct Window {
    began: Timestamp,
    span: Span,
    /// Refusals that have no record yet.
    more: u32,
    /// How many of them each object had, in the order in which they came; only the first objects.
    of: Vec<(Object, u32)>,
    last: Event,
}

impl Window {
    /// `event`: the first of it, which has a record of its own.
    const fn new(began: Timestamp, span: Span, event: Event) -> Self {
        Self { began, span, more: 0, of: Vec::new(), last: event }
    }

    const fn is_over(&self, now: Timestamp) -> bool {
        now.seconds_since(self.began) >= self.span.seconds()
    }

    fn add(&mut self, event: Event) {
        self.more = self.more.saturating_add(1);
        if let Some((_, count)) = self.of.iter_mut().find(|(object, _)| *object == event.object) {
            *count = count.saturating_add(1);
        } else if self.of.len() < MOST_NAMED {
            self.of.push((event.object.clone(), 1));
        }
        self.last = event;
    }

    /// The record of those that have none: as the last of them was. One of several objects names none as its own, but says how often each
    /// was asked for.
    fn record(self, services: &Services) -> Option<Event> {
        let Self { began, span, more, of, last } = self;
        if more == 0 {
            return None;
        }
        let mut since = match span {
            Span::Minute => json!({"minute": began.to_rfc3339()}),
            Span::Hour => json!({"hour": began.to_rfc3339()}),
        };
        let named = of.iter().fold(0_u32, |sum, (_, count)| sum.saturating_add(*count));
        let are_several = of.len() > 1 || named < more;
        let object = if are_several { several(&of, named < more, &last.object.kind) } else { last.object };
        if are_several {
            let name = |object: &Object| if object.label.is_empty() { object.id.clone() } else { object.label.clone() };
            let mut each: Vec<_> = of.iter().map(|(object, count)| format!("{} \u{d7}{count}", name(object))).collect();
            if named < more {
                each.push(format!("… \u{d7}{}", more.saturating_sub(named)));
            }
            since["each"] = json!(each);
        }
        Some(Event {
            id: AuditEventId::from_uuid(services.entropy.uuid()),
            at: services.clock.now(),
            request_id: None,
            after: if more > 1 { Some(since) } else { last.after },
            count: more,
            object,
            course: last.course.filter(|_| !are_several),
            ..last
        })
    }
}

/// What stands for several objects: their labels, as far as there is room. `are_more`: further ones are not named.
fn several(of: &[(Object, u32)], are_more: bool, kind: &str) -> Object {
    let labels: Vec<_> = of.iter().map(|(object, _)| object.label.as_str()).filter(|label| !label.is_empty()).collect();
    let mut label = labels.join(", ");
    if label.chars().count() > LABEL_MAX || are_more && !label.is_empty() {
        label = label.chars().take(LABEL_MAX).chain(['…']).collect();
    }
    let is_alike = of.iter().all(|(object, _)| object.kind == kind);
    Object { kind: if is_alike { kind.to_owned() } else { String::new() }, id: String::new(), label }
}

#[derive(Debug, Default)]
pub struct RefusalCounts {
    counted: Mutex<Counted>,
    /// Held while records are written: whoever flushes waits for those that another task has taken.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Counted {
    windows: HashMap<Key, Window>,
    waiting: VecDeque<Event>,
    /// A task writes what waits.
    has_writer: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    Over,
    All,
}

impl RefusalCounts {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        // A panic under the lock leaves at worst a count too few.
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a writer must be started.
    fn note(&self, services: &Services, key: Key, span: Span, event: Event) -> bool {
        let now = services.clock.now();
        let mut counted = self.counted();
        let Counted { windows, waiting, has_writer } = &mut *counted;
        let key = key.within(windows, now);
        let is_full = waiting.len() >= MOST_WAITING;
        if let Some(window) = windows.get_mut(&key)
            && (is_full || !window.is_over(now))
        {
            window.add(event);
            return false;
        }
        waiting.extend(windows.remove(&key).and_then(|over| over.record(services)));
        let mut window = Window::new(now, span, event.clone());
        if is_full {
            window.add(event);
        } else {
            waiting.push_back(event);
        }
        windows.insert(key, window);
        !is_full && !std::mem::replace(has_writer, true)
    }

    /// Gives the event back if it is the first of its window, so that the caller records it.
    fn first(&self, services: &Services, key: Key, event: Event) -> Option<Event> {
        let now = services.clock.now();
        let mut counted = self.counted();
        let Counted { windows, waiting, .. } = &mut *counted;
        let key = key.within(windows, now);
        if let Some(window) = windows.get_mut(&key)
            && !window.is_over(now)
        {
            window.add(event);
            return None;
        }
        waiting.extend(windows.remove(&key).and_then(|over| over.record(services)));
        windows.insert(key, Window::new(now, Span::Minute, event.clone()));
        Some(event)
    }

    /// Moves the counts of windows to the records that wait.
    fn close(&self, services: &Services, closing: Closing) {
        let now = services.clock.now();
        let mut counted = self.counted();
        let Counted { windows, waiting, .. } = &mut *counted;
        let over = windows.extract_if(|_, window| closing == Closing::All || window.is_over(now));
        waiting.extend(over.filter_map(|(_, window)| window.record(services)));
    }

    /// Takes the next records to write; without any, there is no writer from here on.
    fn take_batch(&self) -> Vec<Event> {
        let mut counted = self.counted();
        let many = counted.waiting.len().min(BATCH);
        counted.has_writer = many > 0;
        counted.waiting.drain(..many).collect()
    }
}

/// Counts a refusal and never waits. `event`: its record, which is written if it is the first of its window.
pub(super) fn count(services: &Services, source: Source, span: Span, event: Event) {
    services.cache.recorded.note(event.request_id.as_deref());
    let key = Key::of(&event, source);
    if services.cache.refusals.note(services, key, span, event) {
        tokio::spawn(write_in_background(services.clone()).with_current_subscriber());
    }
}

/// Counts what a use case refused a person. Gives the event back if it is the first of its window and has to be recorded now.
pub(super) fn first_of_use_case(services: &Services, person: UserId, event: Event) -> Option<Event> {
    services.cache.recorded.note(event.request_id.as_deref());
    let key = Key::of_use_case(&event, Source::Person(person));
    services.cache.refusals.first(services, key, event)
}

/// Writes what waits and the counts of windows that are over: a job of every process.
pub async fn flush(services: &Services) -> Result<()> {
    services.cache.refusals.close(services, Closing::Over);
    write(services).await
}

/// Writes what waits and all counts: the process ends.
pub async fn flush_all(services: &Services) -> Result<()> {
    services.cache.refusals.close(services, Closing::All);
    write(services).await
}

async fn write_in_background(services: Services) {
    // Logged where it failed.
    let _ = write(&services).await;
}

/// Writes the records that wait. A batch that cannot be written is lost, which is logged; the rest waits for the next call.
async fn write(services: &Services) -> Result<()> {
    let counts = &services.cache.refusals;
    let _turn = counts.writing.lock().await;
    loop {
        let batch = counts.take_batch();
        if batch.is_empty() {
            return Ok(());
        }
        if let Err(error) = insert(services, &batch).await {
            counts.counted().has_writer = false;
            let attempts: u64 = batch.iter().map(|event| u64::from(event.count)).sum();
            tracing::error!(attempts, %error, "refusals could not be recorded");
            return Err(error);
        }
    }
}

async fn insert(services: &Services, batch: &[Event]) -> Result<()> {
    let mut write = services.db.begin_write_behind().await.or_domain()?;
    for event in batch {
        storage::audit::insert(&mut write, event).await.or_domain()?;
    }
    write.commit().await.or_domain()
}

#[cfg(test)]
mod tests {
    use domain::Error;
    use storage::testing::{for_each_engine, number, texts};

    use super::*;
    use crate::{
        Caller,
        audit::{
            Entry,
            refusals::{request_refused, unauthenticated},
            refused,
        },
        testing::TestWorld,
    };

    const REFUSED: &str = "SELECT attempts || ' ' || action || ' ' || code FROM audit_events WHERE outcome = 'refused' ORDER BY at, id";

    #[tokio::test]
    async fn the_first_refusal_of_a_window_has_a_record_and_the_others_are_one_when_it_is_over() {
        for_each_engine("the_first_refusal_of_a_window_has_a_record_and_the_others_are_one_when_it_is_over", async |database| {
            let world = TestWorld::college_on(database).await;
            let (services, li) = (&world.services, world.person("li.hua").add().await);
            // Somebody else has the only writer of SQLite: nobody who is refused waits for it.
            let writer = services.db.begin_write().await.expect("a transaction");
            for path in 0..25 {
                unauthenticated(services, &TestWorld::origin(), "token.authenticate", None, "unauthenticated");
                request_refused(services, &li, &format!("GET /orders/{path}"), "not_found");
                request_refused(services, &li, "GET /policies", "forbidden");
            }
            drop(writer);
            flush(services).await.expect("written");
            let first = ["1 token.authenticate unauthenticated", "1 request.refuse not_found", "1 request.refuse forbidden"];
            assert_eq!(texts(&services.db, REFUSED).await, first);
            world.clock.advance(59);
            flush(services).await.expect("nothing to write");
            assert_eq!(texts(&services.db, REFUSED).await, first, "the minute is not over");
            world.clock.advance(1);
            flush(services).await.expect("written");
            flush(services).await.expect("written once");
            let mut counted = texts(&services.db, REFUSED).await.split_off(3);
            counted.sort();
            assert_eq!(counted, ["24 request.refuse forbidden", "24 request.refuse not_found", "24 token.authenticate unauthenticated"]);
            // The next window begins with a record again.
            unauthenticated(services, &TestWorld::origin(), "token.authenticate", None, "unauthenticated");
            flush(services).await.expect("written");
            assert_eq!(texts(&services.db, REFUSED).await.len(), 7);
        })
        .await;
    }

    async fn refused_at(world: &TestWorld, caller: &Caller, action: &str, object: u32) {
        let entry = Entry::new(action, "lab", object, "");
        assert_eq!(refused(&world.services, caller, entry, Error::NotFound).await, Error::NotFound);
    }

    #[tokio::test]
    async fn what_use_cases_refuse_a_person_is_counted_and_each_object_of_a_change_is_named() {
        for_each_engine("what_use_cases_refuse_a_person_is_counted_and_each_object_of_a_change_is_named", async |database| {
            const NAMED: &str = "SELECT attempts || ' ' || action || ' ' || object_id FROM audit_events WHERE outcome = 'refused'";
            let world = TestWorld::college_on(database).await;
            let (services, li) = (&world.services, world.person("li.hua").add().await);
            for turn in 0..100 {
                refused_at(&world, &li, "lab.read", turn).await;
                refused_at(&world, &li, "lab.stop", turn % 3).await;
            }
            let mut first = texts(&services.db, NAMED).await;
            first.sort();
            assert_eq!(first, ["1 lab.read 0", "1 lab.stop 0", "1 lab.stop 1", "1 lab.stop 2"], "at once");
            world.clock.advance(60);
            flush(services).await.expect("written");
            let mut all = texts(&services.db, NAMED).await;
            all.retain(|record| !first.contains(record));
            all.sort();
            assert_eq!(all, ["32 lab.stop 1", "32 lab.stop 2", "33 lab.stop 0", "99 lab.read "], "none of the 99 labs is named as if it were all");
        })
        .await;
    }

    #[tokio::test]
    async fn a_record_of_several_requests_says_how_often_each_was_made() {
        for_each_engine("a_record_of_several_requests_says_how_often_each_was_made", async |database| {
            const SAID: &str = "SELECT attempts || ' ' || object_label || ' ' || COALESCE(after_json, '') FROM audit_events \
                WHERE outcome = 'refused' ORDER BY at, id";
            let world = TestWorld::college_on(database).await;
            let (services, li) = (&world.services, world.person("li.hua").add().await);
            for path in ["/labs/1", "/audit/searches", "/labs/1", "/audit/searches"] {
                request_refused(services, &li, &format!("GET {path}"), "forbidden");
            }
            world.clock.advance(60);
            flush(services).await.expect("written");
            let said = texts(&services.db, SAID).await;
            assert_eq!(said[0], "1 GET /labs/1 ");
            assert!(said[1].starts_with("3 GET /audit/searches, GET /labs/1 "), "{said:?}");
            assert!(said[1].contains("GET /audit/searches ×2") && said[1].contains("GET /labs/1 ×1"), "{said:?}");
            // One path alone is named as it is.
            for _ in 0..3 {
                request_refused(services, &li, "GET /policies", "forbidden");
            }
            flush_all(services).await.expect("written");
            let said = texts(&services.db, SAID).await;
            assert!(said[3].starts_with("2 GET /policies ") && !said[3].contains("each"), "{said:?}");
            // Paths without end are counted without their names.
            world.clock.advance(60);
            for path in 0..20 {
                request_refused(services, &li, &format!("GET /labs/{path}"), "forbidden");
            }
            flush_all(services).await.expect("written");
            let said = texts(&services.db, SAID).await;
            assert!(said[5].starts_with("19 GET /labs/1, ") && said[5].contains("… ×11"), "{said:?}");
        })
        .await;
    }

    #[tokio::test]
    async fn changes_of_objects_without_end_are_few_records() {
        let world = TestWorld::college().await;
        let li = world.person("li.hua").add().await;
        for object in 0..100 {
            refused_at(&world, &li, "lab.stop", object).await;
        }
        flush_all(&world.services).await.expect("written");
        let records = texts(&world.services.db, REFUSED).await;
        assert_eq!(records.len(), MOST_OBJECTS + 2, "{records:?}");
        assert_eq!(number(&world.services.db, "SELECT CAST(SUM(attempts) AS BIGINT) FROM audit_events WHERE outcome = 'refused'").await, 100);
    }

    #[tokio::test]
    async fn a_page_that_asks_on_after_its_session_is_one_record_an_hour() {
        let world = TestWorld::college().await;
        let services = &world.services;
        for _ in 0..600 {
            unauthenticated(services, &TestWorld::origin(), "session.authenticate", None, "unauthenticated");
            flush(services).await.expect("written");
            world.clock.advance(6);
        }
        flush(services).await.expect("written");
        assert_eq!(texts(&services.db, REFUSED).await, ["1 session.authenticate unauthenticated", "599 session.authenticate unauthenticated"]);
    }

    #[tokio::test]
    async fn refusals_from_everywhere_keep_few_windows_and_few_records_waiting() {
        let world = TestWorld::college().await;
        let services = &world.services;
        // Nothing is written meanwhile: this test gives the writer no turn.
        for index in 0..10_000_u32 {
            let origin = TestWorld::origin_at(&std::net::Ipv4Addr::from(0x0a00_0000 + index).to_string());
            unauthenticated(services, &origin, "token.authenticate", None, "unauthenticated");
        }
        let counted = services.cache.refusals.counted();
        assert_eq!((counted.windows.len(), counted.waiting.len()), (MOST_WINDOWS + 1, MOST_WAITING));
        let others: u32 = counted.windows.values().map(|window| window.more).sum();
        assert_eq!(others, 10_000 - u32::try_from(MOST_WAITING).expect("small"), "none is lost");
    }

    #[tokio::test]
    async fn a_process_that_ends_writes_what_it_counted() {
        let world = TestWorld::college().await;
        for _ in 0..5 {
            unauthenticated(&world.services, &TestWorld::origin(), "session.cross_site", None, "cross_site");
        }
        flush_all(&world.services).await.expect("written");
        assert_eq!(number(&world.services.db, "SELECT CAST(SUM(attempts) AS BIGINT) FROM audit_events WHERE outcome = 'refused'").await, 5);
    }
}
