//! Which edits by the owner of the database a verification finds and which not: one test for each edit in `docs/architecture.md`. For an
//! edit the triggers are dropped and put back after it, as an attacker who wants to hide it would do.

use domain::audit::{Broken, Chain, Hash};
use serde_json::json;
use storage::{
    Engine,
    audit::chain,
    testing::{TestDatabase, execute, for_each_engine, texts},
};

use super::{entry, record, sealed_world};
use crate::{
    Caller,
    audit::{runs, seal, verify, verify_around},
    testing::TestWorld,
};

const DOCUMENT: &str = include_str!("../../../../../docs/architecture.md");
const README: &str = include_str!("../../../../../README.md");

const OF_TENANT: &str = "chain <> 'system'";

const VERIFICATION: &str = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e";

struct Edited {
    world: TestWorld,
    triggers: Vec<(String, String)>,
}

impl Edited {
    async fn of(database: TestDatabase) -> Self {
        let world = sealed_world(database).await;
        let sql = match world.services.db.engine() {
            Engine::Sqlite => "SELECT name || '|' || sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_events'",
            Engine::Postgres => {
                "SELECT CAST(tgname AS TEXT) || '|' || pg_get_triggerdef(oid) FROM pg_trigger \
                 WHERE tgrelid = CAST('audit_events' AS regclass) AND NOT tgisinternal"
            }
        };
        let triggers = texts(&world.services.db, sql).await;
        let triggers = triggers.iter().filter_map(|text| text.split_once('|')).map(|(name, sql)| (name.to_owned(), sql.to_owned())).collect();
        Self { world, triggers }
    }

    async fn run(&self, sql: &str) {
        let changed = execute(&self.world.services.db, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert!(changed > 0 || sql.starts_with("CREATE") || sql.starts_with("DROP"), "{sql} changed nothing");
    }

    async fn drop_triggers(&self) {
        for (name, _) in &self.triggers {
            let on = if self.world.services.db.engine() == Engine::Postgres { " ON audit_events" } else { "" };
            self.run(&format!("DROP TRIGGER {name}{on}")).await;
        }
    }

    async fn restore_triggers(&self) {
        for (_, sql) in &self.triggers {
            self.run(sql).await;
        }
    }

    /// Makes the edit with the triggers dropped, and puts them back.
    async fn quietly(&self, statements: &[&str]) {
        self.drop_triggers().await;
        for sql in statements {
            self.run(sql).await;
        }
        self.restore_triggers().await;
    }

    /// Makes the edit and recomputes every hash of the tenant's chain, with the triggers dropped.
    async fn rewrite(&self, sql: &str) {
        self.drop_triggers().await;
        self.run(sql).await;
        self.rehash().await;
        self.restore_triggers().await;
    }

    /// Stores a good verification that never ran.
    async fn invent_verification(&self, auditor: &Caller) {
        self.run(&format!(
            "INSERT INTO audit_runs (id, tenant_id, asked_by, asked_at, state, checked, total, finished_at, chains) \
             VALUES ('{VERIFICATION}', '{}', '{}', 1, 'good', 12, 12, 2, '[]')",
            self.world.tenant, auditor.actor.user
        ))
        .await;
    }

    /// Has an auditor verify the chains from the page; two more records are sealed.
    async fn verify_once(&self) {
        let (services, auditor) = (&self.world.services, self.world.auditor("shen").await);
        runs::ask(services, &auditor).await.expect("asked");
        seal(services).await.expect("sealed");
        runs::work(services).await.expect("verified");
        seal(services).await.expect("sealed");
        assert_eq!(self.found().await, [], "whole after a verification");
    }

    async fn found(&self) -> Vec<Broken> {
        let db = &self.world.services.db;
        let chains = verify(db).await.expect("read").into_iter().filter_map(|report| report.result.err());
        let around = verify_around(db).await.expect("read").into_iter().map(|(_, broken)| broken);
        chains.chain(around).collect()
    }

    fn chain(&self) -> Chain {
        Chain::Tenant(self.world.tenant)
    }

    /// Appends a sealed record to the chain, with a right hash, and moves the head on. `words`: whether to add it to the word index too.
    async fn append(&self, words: Words) {
        let li = self.world.person("forger").add().await;
        record(&self.world, &li, entry("lab.stop", "never happened")).await;
        seal(&self.world.services).await.expect("sealed");
        if matches!(words, Words::Left) {
            let last = format!("(SELECT id FROM audit_events WHERE {OF_TENANT} AND seq = 13)");
            self.run(&format!("DELETE FROM audit_words WHERE id = {last}")).await;
        }
    }

    /// Recomputes every hash of the tenant's chain from the current rows.
    async fn rehash(&self) {
        let (db, name) = (&self.world.services.db, self.chain().to_string());
        let sealed = {
            let mut connection = db.read().await.expect("a connection");
            chain::sealed(&mut connection, &name, 0, 100).await.expect("read")
        };
        let mut prev = Hash::ZERO;
        for (seq, sealed) in sealed {
            let event = sealed.expect("readable").event;
            let hash = event.hash(seq, &prev);
            self.run(&format!("UPDATE audit_events SET prev = '{prev}', hash = '{hash}' WHERE id = '{}'", event.id)).await;
            prev = hash;
        }
        self.run(&format!("UPDATE audit_heads SET hash = '{prev}' WHERE {OF_TENANT}")).await;
    }
}

#[derive(Clone, Copy)]
enum Words {
    /// The word index is not edited.
    Left,
    /// The word index is edited too.
    Edited,
}

/// Asserts that the document says whether this edit is found, in the same words.
fn documented(edit: &str, found: &[Broken]) {
    let verdict = if found.is_empty() { "no" } else { "yes" };
    let line = format!("| {edit} | {verdict} |");
    assert!(DOCUMENT.contains(&line), "docs/architecture.md does not say: {line}\n{found:?}");
}

macro_rules! edits {
    ($($test:ident: $edit:literal, $body:expr;)+) => {$(
        #[tokio::test]
        async fn $test() {
            for_each_engine(stringify!($test), async |database| {
                let edited = Edited::of(database).await;
                assert_eq!(edited.found().await, [], "whole before");
                let body: fn(&Edited) -> futures::future::BoxFuture<'_, ()> = $body;
                body(&edited).await;
                documented($edit, &edited.found().await);
            })
            .await;
        }
    )+};
}

const CUT: &str =
    "UPDATE audit_heads SET seq = 11, hash = (SELECT hash FROM audit_events WHERE chain <> 'system' AND seq = 11) WHERE chain <> 'system'";
const LAST: &str = "DELETE FROM audit_events WHERE chain <> 'system' AND seq = 12";
const LAST_WORDS: &str = "DELETE FROM audit_words WHERE id = (SELECT id FROM audit_events WHERE chain <> 'system' AND seq = 12)";
const FORGED: &str = "INSERT INTO audit_events (id, chain, at, who_kind, who_label, who_name, via, action, object_kind, object_id, object_label, outcome, attempts) \
     SELECT '01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e', chain, at, 'system', 'lectern', '', 'job', 'x', 'x', '', '', 'success', 1 \
     FROM audit_events WHERE chain <> 'system' AND seq = 12";
const FORGED_WORDS: &str = "INSERT INTO audit_words (id, words) VALUES ('01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e', 'lectern x')";

const CHAIN: [&str; 3] = [
    "DELETE FROM audit_words WHERE id IN (SELECT id FROM audit_events WHERE chain <> 'system')",
    "DELETE FROM audit_events WHERE chain <> 'system'",
    "DELETE FROM audit_heads WHERE chain <> 'system'",
];
const SYSTEM: [&str; 3] = [
    "DELETE FROM audit_words WHERE id IN (SELECT id FROM audit_events WHERE chain = 'system')",
    "DELETE FROM audit_events WHERE chain = 'system'",
    "DELETE FROM audit_heads WHERE chain = 'system'",
];

edits! {
    the_tail_is_cut: "The newest records removed, and the head moved back to fit",
        |edited| Box::pin(async { edited.quietly(&[LAST, CUT]).await });
    the_tail_is_cut_with_its_words: "The same, with their words removed from the index",
        |edited| Box::pin(async { edited.quietly(&[LAST_WORDS, LAST, CUT]).await });
    the_tail_is_cut_after_a_verification: "The same, after a verification from the page that counted them",
        |edited| Box::pin(async {
            edited.verify_once().await;
            let keep = "seq <= 11 AND chain <> 'system'";
            let gone = format!("chain <> 'system' AND NOT ({keep}) AND action <> 'audit.verified'");
            // The record of the verification is moved to the place of the removed ones, so only the number of records that it counted
            // reveals the edit.
            edited.quietly(&[
                &format!("DELETE FROM audit_words WHERE id IN (SELECT id FROM audit_events WHERE {gone})"),
                &format!("DELETE FROM audit_events WHERE {gone}"),
                "UPDATE audit_events SET seq = 12, prev = (SELECT hash FROM audit_events WHERE chain <> 'system' AND seq = 11) \
                 WHERE action = 'audit.verified'",
                "UPDATE audit_heads SET seq = 12 WHERE chain <> 'system'",
            ]).await;
            edited.drop_triggers().await;
            edited.rehash().await;
            edited.restore_triggers().await;
        });
    a_record_is_appended: "A record appended with a right hash, and the head moved on to fit",
        |edited| Box::pin(edited.append(Words::Left));
    a_record_is_appended_with_its_words: "The same, with its words in the index",
        |edited| Box::pin(edited.append(Words::Edited));
    an_unsealed_record_is_invented: "A record invented that is not sealed yet",
        |edited| Box::pin(async { edited.quietly(&[FORGED]).await });
    an_unsealed_record_is_invented_with_its_words: "The same with its words",
        |edited| Box::pin(async { edited.quietly(&[FORGED, FORGED_WORDS]).await });
    an_unsealed_record_is_removed: "A record removed before it is sealed (within a second)",
        |edited| Box::pin(async {
            let li = edited.world.person("wang").add().await;
            record(&edited.world, &li, entry("lab.stop", "lab-1")).await;
            edited.quietly(&["DELETE FROM audit_events WHERE seq IS NULL"]).await;
        });
    an_unsealed_record_is_removed_with_its_words: "The same with its words, of something that leaves no other row",
        |edited| Box::pin(async {
            let li = edited.world.person("wang").add().await;
            record(&edited.world, &li, entry("lab.stop", "lab-1")).await;
            edited.quietly(&["DELETE FROM audit_words WHERE id IN (SELECT id FROM audit_events WHERE seq IS NULL)", "DELETE FROM audit_events WHERE seq IS NULL"]).await;
        });
    a_chain_is_written_anew: "A record's words changed (who, action, name of the object, address, code, state after), and the chain written anew from there on",
        |edited| Box::pin(edited.rewrite("UPDATE audit_events SET object_label = 'lab-0' WHERE chain <> 'system' AND seq = 3"));
    a_chain_is_written_anew_with_its_words: "The same, with the words to fit",
        // `before` is not indexed, so the words still match.
        |edited| Box::pin(edited.rewrite("UPDATE audit_events SET before_json = '{\"a\":1}' WHERE chain <> 'system' AND seq = 3"));
    a_record_is_changed_beside_its_words: "What is not in the words changed (time, outcome, count, ids, state before), and the records from there on sealed anew by the portal",
        |edited| Box::pin(async {
            // No hash has to be computed for it.
            edited.quietly(&[
                "UPDATE audit_events SET at = at - 3600000000, outcome = 'refused', attempts = attempts + 41, object_id = 'another' \
                 WHERE chain <> 'system' AND seq = 5",
                "UPDATE audit_heads SET seq = 4, hash = (SELECT hash FROM audit_events WHERE chain <> 'system' AND seq = 4) \
                 WHERE chain <> 'system'",
                "UPDATE audit_events SET seq = NULL, prev = NULL, hash = NULL WHERE chain <> 'system' AND seq >= 5",
            ]).await;
            assert_eq!(seal(&edited.world.services).await, Ok(8));
        });
    a_chain_is_removed: "A chain removed with its head",
        |edited| Box::pin(async { edited.quietly(&["DELETE FROM audit_events WHERE chain <> 'system'", "DELETE FROM audit_heads WHERE chain <> 'system'"]).await });
    a_chain_is_removed_with_its_words: "A chain removed with its head and words", |edited| Box::pin(edited.quietly(&CHAIN));
    a_chain_is_removed_and_begins_anew: "The same, after the portal began the chain anew",
        |edited| Box::pin(async {
            edited.quietly(&CHAIN).await;
            edited.append(Words::Edited).await;
        });
    a_chain_is_removed_with_all_that_names_it: "The same with the note of its first record, of a college without orders and without a verification",
        |edited| Box::pin(async {
            edited.quietly(&CHAIN).await;
            edited.run("DELETE FROM settings WHERE key = 'audit_begun'").await;
        });
    the_systems_chain_is_removed: "The chain of the system removed with its head and words", |edited| Box::pin(edited.quietly(&SYSTEM));
    all_is_removed: "All records, heads and words removed",
        |edited| Box::pin(async { edited.quietly(&["DELETE FROM audit_events", "DELETE FROM audit_heads", "DELETE FROM audit_words"]).await });
    the_word_index_is_edited: "The word index changed, so that a search finds a record no more",
        |edited| Box::pin(async { edited.run("UPDATE audit_words SET words = 'nothing'").await });
    the_triggers_are_dropped: "The triggers that protect the records dropped or changed",
        |edited| Box::pin(edited.drop_triggers());
    counted_attempts_are_edited: "Refused attempts changed while they are counted (within a minute)",
        |edited| Box::pin(async { edited.run("UPDATE audit_floods SET attempts = 7").await });
    a_verification_is_removed: "A verification removed",
        |edited| Box::pin(async {
            edited.verify_once().await;
            edited.run("DELETE FROM audit_runs").await;
        });
    a_verification_is_lowered: "The number of records that the last verification counted lowered",
        |edited| Box::pin(async {
            edited.verify_once().await;
            edited.run("UPDATE audit_runs SET checked = 12, chains = REPLACE(chains, '\"checked\":13', '\"checked\":11')").await;
        });
    a_verification_is_removed_with_its_records: "A verification removed with its records and their words, and the head moved back to fit",
        |edited| Box::pin(async {
            edited.verify_once().await;
            edited.run("DELETE FROM audit_runs").await;
            edited.quietly(&[
                "DELETE FROM audit_words WHERE id IN (SELECT id FROM audit_events WHERE chain <> 'system' AND seq > 12)",
                "DELETE FROM audit_events WHERE chain <> 'system' AND seq > 12",
                "UPDATE audit_heads SET seq = 12, hash = (SELECT hash FROM audit_events WHERE chain <> 'system' AND seq = 12) \
                 WHERE chain <> 'system'",
            ]).await;
        });
    a_verification_is_invented: "A verification invented",
        |edited| Box::pin(async {
            let shen = edited.world.auditor("shen").await;
            edited.invent_verification(&shen).await;
        });
    a_verification_is_invented_with_its_record: "The same with its record, sealed by the portal itself",
        |edited| Box::pin(async {
            let shen = edited.world.auditor("shen").await;
            edited.invent_verification(&shen).await;
            record(&edited.world, &shen, crate::audit::Entry::new("audit.verified", "audit_run", VERIFICATION, "").after(json!({}))).await;
        });
}

/// Makes room for a record behind the fifth, puts an invented one there, and says so in the head and in the words.
const INSERTED: [&str; 6] = [
    FORGED,
    FORGED_WORDS,
    "UPDATE audit_events SET seq = seq + 100 WHERE chain <> 'system' AND seq > 5",
    "UPDATE audit_events SET seq = seq - 99 WHERE chain <> 'system' AND seq > 100",
    "UPDATE audit_events SET seq = 6, prev = (SELECT hash FROM audit_events WHERE chain <> 'system' AND seq = 5), \
     hash = (SELECT hash FROM audit_events WHERE chain <> 'system' AND seq = 5) WHERE seq IS NULL",
    "UPDATE audit_heads SET seq = 13 WHERE chain <> 'system'",
];

#[tokio::test]
async fn a_sealed_record_changed_removed_or_inserted_is_named_as_the_readme_says() {
    let said = "a changed, removed or inserted entry is found, unless the owner of the database rewrites the chain consistently";
    assert!(README.contains(said), "README.md does not say: {said}");
    assert!(README.contains("It fails at the first bad record, or if there is no record at all."));
    let changed: &[&str] = &["UPDATE audit_events SET before_json = '{\"a\":1}' WHERE chain <> 'system' AND seq IN (5, 9)"];
    let removed: &[&str] = &["DELETE FROM audit_events WHERE chain <> 'system' AND seq = 5"];
    let inserted: &[&str] = &INSERTED;
    for (edit, statements) in [("changed", changed), ("removed", removed), ("inserted", inserted)] {
        for_each_engine(&format!("a_sealed_record_is_{edit}"), move |database| async move {
            let edited = Edited::of(database).await;
            edited.quietly(statements).await;
            let reports = verify(&edited.world.services.db).await.expect("read");
            let first: Vec<_> = reports.into_iter().filter_map(|report| report.result.err()).collect();
            let is_named = match (edit, first.as_slice()) {
                // The ninth was changed too: the first is named.
                ("changed", [Broken::Changed { seq, .. }]) => *seq == 5,
                ("removed", [Broken::Gap { expected, found }]) => (*expected, *found) == (5, 6),
                ("inserted", [Broken::Changed { seq, .. }]) => *seq == 6,
                _ => false,
            };
            assert!(is_named, "{edit}: {first:?}");
        })
        .await;
    }
    for_each_engine("a_sealed_record_is_rewritten", move |database| async move {
        let edited = Edited::of(database).await;
        edited.rewrite(changed[0]).await;
        assert_eq!(edited.found().await, [], "rewritten consistently");
    })
    .await;
}

#[tokio::test]
async fn a_trigger_that_is_there_and_lets_everything_pass_is_found() {
    for_each_engine("a_trigger_that_is_there_and_lets_everything_pass_is_found", async |database| {
        let edited = Edited::of(database).await;
        let idle: &[&str] = match edited.world.services.db.engine() {
            Engine::Sqlite => {
                &["CREATE TRIGGER audit_events_fixed BEFORE UPDATE ON audit_events WHEN 0 BEGIN SELECT RAISE(ABORT, 'audit records are only added'); END"]
            }
            Engine::Postgres => &[
                "CREATE TRIGGER audit_events_fixed BEFORE UPDATE OR DELETE ON audit_events FOR EACH ROW WHEN (false) \
                 EXECUTE FUNCTION audit_events_only_added()",
                "CREATE TRIGGER audit_events_fixed BEFORE UPDATE OF attempts OR DELETE ON audit_events FOR EACH ROW \
                 EXECUTE FUNCTION audit_events_only_added()",
                "CREATE TRIGGER audit_events_fixed BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION audit_events_only_added()",
            ],
        };
        for idle in idle {
            edited.drop_triggers().await;
            for (name, sql) in &edited.triggers {
                edited.run(if name == "audit_events_fixed" { idle } else { sql.as_str() }).await;
            }
            assert_eq!(edited.found().await, [Broken::Unguarded { trigger: "audit_events_fixed".into() }], "{idle}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_order_whose_records_are_gone_is_found() {
    for_each_engine("an_order_whose_records_are_gone_is_found", async |database| {
        let edited = Edited::of(database).await;
        let world = &edited.world;
        let course = world.course("AI2301").add().await;
        let teacher = world.teacher("wang", &[&course]).await;
        let form = domain::orders::OrderForm {
            offering: "vscode".into(),
            course: "AI2301".into(),
            duration_minutes: "90".into(),
            ..domain::orders::OrderForm::default()
        };
        let key = crate::orders::IdempotencyKey::parse("one").expect("a key");
        let order = crate::orders::submit(&world.services, &teacher, &form, &key).await.expect("ordered").order;
        assert_eq!(edited.found().await, [], "whole before");
        let records = format!("SELECT id FROM audit_events WHERE object_id = '{}'", order.id);
        edited
            .quietly(&[
                &format!("DELETE FROM audit_words WHERE id IN ({records})"),
                &format!("DELETE FROM audit_events WHERE object_id = '{}'", order.id),
            ])
            .await;
        let found = edited.found().await;
        assert!(found.contains(&Broken::Unrecorded { kind: "order".into(), id: order.id.to_string() }), "{found:?}");
    })
    .await;
}
