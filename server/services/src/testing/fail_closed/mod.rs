//! Fail closed: what cannot be recorded does not happen. Thousands of operations of every kind, with records that cannot be written at
//! random; after each, what was changed and what was recorded are the same things. A new kind of operation is a line in `operations`.

mod operations;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{SystemTime, UNIX_EPOCH},
};

use domain::Error;
use storage::{
    Engine,
    testing::{
        TestDatabase,
        agreement::differences,
        execute, number, texts,
        watchers::{self, Written},
    },
};

use self::operations::Play;
use crate::demo::chance::Chance;

/// Tables that change without a record of their own, each with its reason. This list only gets shorter.
const UNRECORDED: &[(&str, &str)] = &[
    ("audit_events", "the record itself"),
    ("audit_words", "the record itself"),
    ("audit_heads", "the record itself"),
    ("audit_floods", "counts what becomes a record"),
    ("sessions", "what a browser remembers; its beginning and its end are recorded of the person"),
    ("sign_in_attempts", "counts for the limit on tries"),
    ("settings", "how far metering has counted, and versions of what is cached"),
    ("order_numbers", "goes with an order"),
    ("idempotency_keys", "goes with an order"),
    ("lab_observations", "what the cluster says"),
    ("lab_logs", "what the cluster says"),
    ("card_pools", "what the cluster says"),
    ("node_cards", "what the cluster says"),
    ("lab_places", "what the cluster says"),
    ("cluster_status", "what the cluster says"),
    ("usage_records", "computed from what is recorded"),
    ("outbox", "work that follows from what is recorded"),
    ("leases", "who does the background work"),
    ("notifications", "what somebody was told and has read"),
    ("lab_warnings", "what somebody was told"),
    ("announcement_dismissals", "what somebody has read"),
    ("import_rows", "verdicts on a list; the import and what it makes are recorded"),
];

/// Tables whose rows are parts of something else, which the record is about.
const PARTS: [&str; 2] = ["order_decisions", "one_time_links"];
/// The table of the record.
const RECORD: &str = "audit_events";
/// Records of something that was read, which change nothing.
const READINGS: [&str; 1] = ["audit.read"];

#[tokio::test]
async fn what_cannot_be_recorded_on_sqlite_does_not_happen() {
    Box::pin(run(TestDatabase::sqlite().await, "fail_closed on SQLite", operations_wanted(5_000))).await;
}

/// The other half of ten thousand, at the same time.
#[tokio::test]
async fn what_cannot_be_recorded_in_another_college_does_not_happen() {
    Box::pin(run(TestDatabase::sqlite().await, "fail_closed on SQLite, another college", operations_wanted(5_000))).await;
}

#[tokio::test]
async fn what_cannot_be_recorded_on_postgresql_does_not_happen() {
    let Some(database) = TestDatabase::postgres("fail_closed on PostgreSQL").await else { return };
    Box::pin(run(database, "fail_closed on PostgreSQL", operations_wanted(2_000))).await;
}

/// `LECTERN_OPERATIONS` for another number.
fn operations_wanted(usual: u32) -> u32 {
    std::env::var("LECTERN_OPERATIONS").map_or(usual, |text| text.parse().expect("LECTERN_OPERATIONS is a number"))
}

/// `LECTERN_SEED`, or another one each time.
#[expect(clippy::disallowed_methods, reason = "any number does, and it is printed")]
fn seed(test: &str) -> u64 {
    let given = std::env::var("LECTERN_SEED").ok().map(|text| text.parse().expect("LECTERN_SEED is a number"));
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = given.unwrap_or_else(|| u64::try_from(since.as_micros()).unwrap_or(1));
    eprintln!("{test}: LECTERN_SEED={seed}");
    seed
}

#[derive(Debug, Default)]
struct Tally {
    done: u32,
    refused: u32,
    /// Failed since a record could not be written.
    failed: u32,
}

async fn run(database: TestDatabase, test: &str, operations: u32) {
    let seed = seed(test);
    let mut play = Play::begin(database, seed).await;
    let mut chance = Chance::new(seed ^ 0x5eed);
    let db = play.world.services.db.clone();

    let exempt: BTreeSet<_> = UNRECORDED.iter().map(|(name, _)| (*name).to_owned()).collect();
    let tables = watchers::tables(&db).await;
    assert!(exempt.is_subset(&tables), "no such table: {:?}", exempt.difference(&tables).collect::<Vec<_>>());
    let watched = tables.difference(&exempt).cloned().chain([RECORD.to_owned()]).collect();
    watchers::install(&db, &watched).await;

    let (mut tallies, mut wrong) = (BTreeMap::<&str, Tally>::new(), Vec::new());
    for step in 0..operations {
        let fault = if chance.percent(35) { 1 + chance.below(3) } else { 0 };
        watchers::fail_record(&db, fault).await;
        let (name, result) = play.operation().await;
        let (made, mut written) = (recorded(&db).await, watchers::written(&db).await);
        written.retain(|row| row.table != RECORD);
        let told = format!("seed {seed}, step {step}: {name}, fault at record {fault}: {result:?}; wrote {written:?}; recorded {made:?}");
        wrong.extend(disagreement(&made, &written).map(|what| format!("{what}: {told}")));
        let tally = tallies.entry(name).or_default();
        match &result {
            Ok(()) => tally.done += 1,
            Err(Error::Internal { .. }) => {
                if fault == 0 {
                    wrong.push(format!("fails without a fault: {told}"));
                }
                tally.failed += 1;
            }
            Err(_) => tally.refused += 1,
        }
        if step % 500 == 499 {
            assert_eq!(differences(&db).await, [""; 0], "seed {seed}, step {step}");
        }
    }

    assert!(wrong.is_empty(), "{} times\n{}", wrong.len(), wrong.iter().take(12).cloned().collect::<Vec<_>>().join("\n"));
    watchers::fail_record(&db, 0).await;
    play.settle().await;
    assert_eq!(differences(&db).await, [""; 0], "seed {seed}, in the end");
    while crate::audit::seal(&play.world.services).await.expect("sealed") > 0 {}
    for report in crate::audit::verify(&db).await.expect("verified") {
        assert!(report.result.is_ok() && report.unsealed == 0, "seed {seed}: {report:?}");
    }
    let failed: u32 = tallies.values().map(|tally| tally.failed).sum();
    assert!(failed > operations / 20, "only {failed} of {operations} met a record that could not be written");
    for (name, Tally { done, refused, failed }) in &tallies {
        eprintln!("{test}: {name}: {done} done, {refused} refused, {failed} without a record and so not done");
    }
    let never: Vec<_> = tallies.iter().filter(|(_, tally)| tally.done == 0).map(|(name, _)| name).collect();
    assert!(operations < 5_000 || never.is_empty(), "never done, so they show nothing: {never:?}");
}

/// A record of something that was done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Record {
    action: String,
    object: String,
}

/// Those that were made since the watchers began to note, without refusals and failed attempts.
async fn recorded(db: &storage::Database) -> BTreeSet<Record> {
    let made = texts(
        db,
        "SELECT action || ' ' || object_id FROM audit_events WHERE id IN (SELECT id FROM watched_writes WHERE name = 'audit_events') \
         AND outcome <> 'refused' AND code IS NULL",
    );
    let record = |row: &String| row.split_once(' ').map(|(action, object)| Record { action: action.to_owned(), object: object.to_owned() });
    made.await.iter().filter_map(record).collect()
}

/// Something that was changed without a record of it, or recorded without a change.
fn disagreement(made: &BTreeSet<Record>, written: &BTreeSet<Written>) -> Option<String> {
    let made: Vec<_> = made.iter().filter(|record| !READINGS.contains(&record.action.as_str())).collect();
    let ids: BTreeSet<_> = written.iter().map(|row| row.id.as_str()).collect();
    // Members, roles, prices and versions have no id, and what was said of an order has its own.
    let parts = written.iter().any(|row| row.id.is_empty() || PARTS.contains(&row.table.as_str()));
    if let Some(record) = made.iter().find(|record| !ids.contains(record.object.as_str()) && !parts) {
        return Some(format!("recorded and not changed: {record:?}"));
    }
    let is_recorded = |row: &&Written| {
        let about = |kind: &str| made.iter().any(|record| record.action.starts_with(kind));
        let itself = made.iter().any(|record| record.object == row.id);
        match row.table.as_str() {
            "labs" => itself || about("order."),
            // A lab that costs more than its order asked for holds more of the budget.
            "orders" => itself || about("lab."),
            "users" | "courses" | "tokens" | "announcements" | "adjustments" | "discounts" | "audit_searches" => itself,
            _ => !made.is_empty(),
        }
    };
    written.iter().find(|row| !is_recorded(row)).map(|row| format!("changed and not recorded: {row:?}"))
}

/// A count for the tests of this test.
async fn count(db: &storage::Database, table: &str) -> i64 {
    number(db, &format!("SELECT COUNT(*) FROM {table}")).await
}

#[tokio::test]
async fn the_watchers_see_a_change_and_break_a_record() {
    storage::testing::for_each_engine("the_watchers_see_a_change_and_break_a_record", |database| async move {
        let mut play = Play::begin(database, 1).await;
        let db = play.world.services.db.clone();
        watchers::install(&db, &["orders".to_owned(), RECORD.to_owned()].into()).await;
        watchers::fail_record(&db, 1).await;
        assert!(matches!(play.submit().await, Err(Error::Internal { .. })));
        assert_eq!((watchers::written(&db).await.len(), count(&db, "orders").await, count(&db, RECORD).await), (0, 0, 0));
        watchers::fail_record(&db, 0).await;
        play.submit().await.expect("an order");
        assert_eq!((watchers::written(&db).await.len(), count(&db, "orders").await, count(&db, RECORD).await), (2, 1, 1));
        assert_eq!(differences(&db).await, [""; 0]);

        // Records that get lost without an error of the database: the product notices and does nothing.
        let lose = match db.engine() {
            Engine::Sqlite => "CREATE TRIGGER lost BEFORE INSERT ON audit_events BEGIN SELECT RAISE(IGNORE); END",
            Engine::Postgres => "CREATE RULE lost AS ON INSERT TO audit_events DO INSTEAD NOTHING",
        };
        execute(&db, lose).await.expect("a trigger is made");
        play.submit().await.expect_err("no record, no order");
        assert_eq!((watchers::written(&db).await.len(), count(&db, "orders").await, count(&db, RECORD).await), (2, 1, 1));
        assert_eq!(differences(&db).await, [""; 0]);

        // A change without a record: this is what the play looks for.
        watchers::fail_record(&db, 0).await;
        execute(&db, "UPDATE orders SET purpose = 'another', version = version + 1").await.expect("changed");
        let (made, written) = (recorded(&db).await, watchers::written(&db).await);
        assert!(disagreement(&made, &written).is_some_and(|what| what.starts_with("changed and not recorded")), "{written:?}");
        assert_eq!(differences(&db).await.len(), 1, "the order has a version and no record");
        // And a record of what did not happen.
        let invented = [Record { action: "order.submit".into(), object: "x".into() }].into();
        assert!(disagreement(&invented, &BTreeSet::new()).is_some_and(|what| what.starts_with("recorded and not changed")));
    })
    .await;
}
