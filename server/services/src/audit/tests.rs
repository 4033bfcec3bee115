use std::collections::BTreeSet;

use domain::{
    Error, Problem,
    audit::{Broken, Chain, Filter, Outcome, Range, Via},
    ids::AuditEventId,
    page::PageRequest,
    time::Timestamp,
};
use serde_json::json;
use storage::testing::{execute, for_each_engine};

use super::{ChainReport, Entry, browse, get, seal, search, success, verify};
use crate::{Caller, testing::TestWorld};

/// Records a success of `caller` now.
async fn record(world: &TestWorld, caller: &Caller, entry: Entry) {
    let mut write = world.services.db.begin_write().await.expect("a transaction");
    success(&world.services, &mut write, caller, entry).await.expect("recorded");
    write.commit().await.expect("committed");
}

fn entry(action: &str, label: &str) -> Entry {
    Entry::new(action, "lab", format!("id of {label}"), label)
}

async fn find(world: &TestWorld, auditor: &Caller, filter: Filter) -> Vec<String> {
    let page = search(&world.services, auditor, &filter, &PageRequest::default()).await.expect("found");
    // Readings of the test itself are left out.
    page.items.into_iter().filter(|listed| listed.event.action != "audit.read").map(|listed| listed.event.object.label).collect()
}

#[tokio::test]
async fn every_filter_finds_what_it_should_and_nothing_else() {
    for_each_engine("every_filter_finds_what_it_should_and_nothing_else", async |database| {
        let world = TestWorld::college_on(database).await;
        let (li, wang, auditor) = (world.person("li.hua").named("李华").add().await, world.person("wang").add().await, world.auditor("shen").await);
        record(&world, &li, entry("order.submit", "#2047").after(json!({"purpose": "深度学习 课程实验"}))).await;
        world.clock.advance(60);
        record(&world, &wang, entry("order.approve", "#2047")).await;
        world.clock.advance(60);
        let noon = world.services.clock.now();
        record(&world, &wang, entry("orders_of.lab", "lab_1")).await;
        super::refused(&world.services, &li, entry("lab.stop", "lab-2047").after(json!({"reason": "GPU, idle, ＣＵＤＡ"})), Error::Forbidden).await;

        let by = |filter: Filter| find(&world, &auditor, filter);
        let all = Filter::default;
        assert_eq!(by(all()).await, ["lab-2047", "lab_1", "#2047", "#2047"]);
        assert_eq!(by(Filter { person: Some(" Li.Hua ".into()), ..all() }).await, ["lab-2047", "#2047"]);
        assert_eq!(by(Filter { action: Some("order.approve".into()), ..all() }).await, ["#2047"]);
        assert_eq!(by(Filter { action: Some("order.".into()), ..all() }).await, ["#2047", "#2047"], "not orders_of.lab");
        assert_eq!(by(Filter { action: Some("order".into()), ..all() }).await, [""; 0]);
        assert_eq!(by(Filter { object: Some("#2047".into()), ..all() }).await.len(), 2);
        assert_eq!(by(Filter { object: Some("id of lab_1".into()), ..all() }).await, ["lab_1"]);
        assert_eq!(by(Filter { object: Some("lab%".into()), ..all() }).await, [""; 0]);
        assert_eq!(by(Filter { outcome: Some(Outcome::Refused), ..all() }).await, ["lab-2047"]);
        assert_eq!(by(Filter { via: Some(Via::Web), ..all() }).await.len(), 4);
        assert_eq!(by(Filter { via: Some(Via::Api), ..all() }).await, [""; 0]);
        assert_eq!(by(Filter { address: Some(" 10.1.1.1 ".into()), ..all() }).await.len(), 4);
        assert_eq!(by(Filter { address: Some("10.1.1.2".into()), ..all() }).await, [""; 0]);
        assert_eq!(by(Filter { range: Some(Range::Today), ..all() }).await.len(), 4);
        assert_eq!(by(Filter { from: Some(noon), ..all() }).await, ["lab-2047", "lab_1"]);
        assert_eq!(by(Filter { to: Some(noon), ..all() }).await, ["#2047", "#2047"], "to is not in it");
        assert_eq!(by(Filter { from: Some(noon.plus_seconds(-60)), to: Some(noon), person: Some("wang".into()), ..all() }).await, ["#2047"]);

        for (text, found) in [
            ("学习", vec!["#2047"]),
            ("度学", vec!["#2047"]),
            ("李华", vec!["lab-2047", "#2047"]),
            ("李", vec!["lab-2047", "#2047"]),
            ("习课", vec![]),
            ("学习 实验", vec!["#2047"]),
            ("学习 idle", vec![]),
            ("gpu", vec!["lab-2047"]),
            ("ｇｐｕ", vec!["lab-2047"]),
            ("ＬＡＢ－２０４７", vec!["lab-2047"]),
            ("cuda", vec!["lab-2047"]),
            ("ＣＵＤＡ idle", vec!["lab-2047"]),
            ("lab-2047", vec!["lab-2047"]),
            ("forbidden", vec!["lab-2047"]),
            ("  ", vec!["lab-2047", "lab_1", "#2047", "#2047"]),
            ("--", vec![]),
            ("' OR 1=1 \" ) NEAR(", vec![]),
            ("* & | ! :", vec![]),
        ] {
            assert_eq!(by(Filter { text: Some(text.into()), ..all() }).await, found, "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn pages_are_complete_and_do_not_overlap() {
    for_each_engine("pages_are_complete_and_do_not_overlap", async |database| {
        let world = TestWorld::college_on(database).await;
        let (li, auditor) = (world.person("li.hua").add().await, world.auditor("shen").await);
        for number in 0..23 {
            // Several within one microsecond, and some of the system chain between them.
            if number % 3 == 0 {
                world.clock.advance(1);
            }
            record(&world, &li, entry("lab.start", &format!("lab-{number}"))).await;
            super::unauthenticated(&world.services, &TestWorld::origin_at(&format!("10.0.0.{number}")), "lab.start", Some("x"), "unauthenticated");
        }
        super::refusals::flush(&world.services).await.expect("written");
        let filter = Filter { action: Some("lab.start".into()), ..Filter::default() };
        let mut request = PageRequest { limit: 5, after: None };
        let (mut ids, mut times, mut pages) = (Vec::new(), Vec::new(), 0);
        loop {
            let page = search(&world.services, &auditor, &filter, &request).await.expect("a page");
            pages += 1;
            assert!(page.items.len() == 5 || page.next.is_none());
            ids.extend(page.items.iter().map(|listed| listed.event.id));
            times.extend(page.items.iter().map(|listed| listed.event.at));
            // What comes in meanwhile does not move the pages.
            world.clock.advance(1);
            record(&world, &li, entry("lab.start", "later")).await;
            match page.next {
                Some(next) => request.after = Some(next),
                None => break,
            }
        }
        assert_eq!((pages, ids.len()), (10, 46));
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 46, "nothing twice");
        assert!(times.is_sorted_by(|a, b| a >= b), "newest first");

        // Back again from the last page: the same records, then those that came in meanwhile, then the newest page whole.
        let request = PageRequest { limit: 5, after: None };
        let of = |page: &domain::page::Window<domain::audit::Listed>| page.items.iter().map(|listed| listed.event.id).collect::<Vec<_>>();
        let last = PageRequest { limit: 5, after: Some(cursor(&world, &auditor, ids[44]).await) };
        let mut page = browse(&world.services, &auditor, &filter, &last, None).await.expect("the last page");
        assert_eq!((of(&page), page.older.clone()), (ids[45..].to_vec(), None));
        let (mut back, mut steps) = (Vec::new(), 0);
        while let Some(newer) = page.newer.clone() {
            page = browse(&world.services, &auditor, &filter, &request, Some(&newer)).await.expect("a page");
            assert_eq!((page.items.len(), page.older.is_some()), (5, true));
            assert!(page.items.is_sorted_by(|a, b| a.event.at >= b.event.at), "newest first");
            steps += 1;
            back.push(of(&page));
        }
        // 45 older ones and 10 that came in meanwhile; the way back ends with the newest page.
        assert_eq!(back[0], ids[40..45]);
        let all: BTreeSet<_> = back.iter().flatten().collect();
        assert_eq!((steps, all.len()), (11, 55), "nothing is left out");
        let newest = browse(&world.services, &auditor, &filter, &request, None).await.expect("the newest page");
        assert_eq!((of(&newest), newest.newer), (back[10].clone(), None));
        let bad = browse(&world.services, &auditor, &filter, &request, Some("x")).await.expect_err("no place");
        assert_eq!(bad, Error::field("before", Problem::NoSuch));
    })
    .await;
}

/// Where a page that ends with this record ends.
async fn cursor(world: &TestWorld, auditor: &Caller, id: AuditEventId) -> String {
    let at = super::get(&world.services, auditor, id).await.expect("a record").listed.event.at;
    storage::audit::read::Cursor { at, id }.to_string()
}

#[tokio::test]
async fn a_page_request_that_cannot_be_is_named() {
    let world = TestWorld::college().await;
    let auditor = world.auditor("shen").await;
    for (limit, after, field) in [(0, None, "limit"), (201, None, "limit"), (50, Some("nonsense"), "after"), (50, Some("1.x"), "after")] {
        let request = PageRequest { limit, after: after.map(ToOwned::to_owned) };
        let error = search(&world.services, &auditor, &Filter::default(), &request).await.expect_err("refused");
        assert!(matches!(&error, Error::Invalid(problems) if problems[0].field == field), "{error:?}");
    }
    let error = search(&world.services, &auditor, &Filter::default(), &PageRequest { limit: 201, after: None }).await.expect_err("refused");
    assert_eq!(error, Error::field("limit", Problem::OutOfRange { min: 1, max: 200 }));
}

#[tokio::test]
async fn only_auditors_read_and_reading_is_recorded_once_in_ten_minutes() {
    let world = TestWorld::college().await;
    let services = &world.services;
    let (li, auditor) = (world.teacher("li.hua", &[]).await, world.auditor("shen").await);
    record(&world, &li, entry("lab.start", "lab-1")).await;
    assert_eq!(search(services, &li, &Filter::default(), &PageRequest::default()).await.expect_err("refused"), Error::Forbidden);
    assert_eq!(
        search(services, &world.administrator("root").await, &Filter::default(), &PageRequest::default()).await.expect_err("no"),
        Error::Forbidden
    );

    let filter = Filter { person: Some("li.hua".into()), ..Filter::default() };
    for _ in 0..3 {
        search(services, &auditor, &filter, &PageRequest::default()).await.expect("found");
    }
    let readings = || async {
        let filter = Filter { action: Some("audit.read".into()), outcome: Some(Outcome::Success), ..Filter::default() };
        search(services, &auditor, &filter, &PageRequest::default()).await.expect("found").items
    };
    let read = readings().await;
    assert_eq!(read.len(), 2, "the search for a person, and this one");
    assert_eq!(read[1].event.after, Some(json!({"person": "li.hua"})));
    let id = find_id(&world, &auditor, "lab.start").await;
    assert_eq!(get(services, &auditor, id).await.expect("there").listed.event.object.label, "lab-1");
    assert!(readings().await.iter().any(|listed| listed.event.object.id == id.to_string()), "the detail view as well");
    let before = readings().await.len();
    world.clock.advance(599);
    search(services, &auditor, &filter, &PageRequest::default()).await.expect("found");
    assert_eq!(readings().await.len(), before);
    world.clock.advance(1);
    search(services, &auditor, &filter, &PageRequest::default()).await.expect("found");
    assert_eq!(readings().await.len(), before + 2);
    assert_eq!(find(&world, &auditor, Filter { outcome: Some(Outcome::Refused), ..Filter::default() }).await.len(), 0, "left out by find");
}

#[tokio::test]
async fn a_search_does_not_find_itself() {
    for_each_engine("a_search_does_not_find_itself", async |database| {
        let world = TestWorld::college_on(database).await;
        let (shen, he) = (world.auditor("shen").await, world.auditor("he").await);
        let words = || Filter { text: Some("nowhere".into()), ..Filter::default() };
        // How many readings of shen this search finds.
        let found = async |reader: &Caller, filter: Filter| {
            let page = search(&world.services, reader, &filter, &PageRequest::default()).await.expect("found");
            page.items.iter().filter(|listed| listed.event.action == "audit.read" && listed.event.who.label() == "shen").count()
        };
        for _ in 0..2 {
            assert_eq!(found(&shen, words()).await, 0, "not its own record, nor that of the search before");
            world.clock.advance(600);
        }
        assert_eq!(found(&he, words()).await, 2, "another auditor sees both");
        assert_eq!(found(&shen, Filter { own_reads: true, ..words() }).await, 3, "both and this one");
        assert_eq!(found(&shen, Filter { action: Some("audit.".into()), ..words() }).await, 4);
        assert_eq!(found(&shen, Filter { person: Some("Shen".into()), ..words() }).await, 5);
        // A reading that was refused is no search of one's own that was answered.
        super::refused(&world.services, &shen, entry("audit.read", "x"), Error::Forbidden).await;
        assert_eq!(found(&shen, Filter { outcome: Some(Outcome::Refused), ..Filter::default() }).await, 1);
        // Pages hold as many as were asked for: the condition counts before the cut.
        let li = world.person("li.hua").add().await;
        for number in 0..3 {
            record(&world, &li, entry("lab.start", &format!("lab-{number}"))).await;
            world.clock.advance(601);
            let _ = found(&shen, words()).await;
        }
        let first = search(&world.services, &shen, &Filter::default(), &PageRequest { limit: 2, after: None }).await.expect("a page");
        let labels: Vec<_> = first.items.iter().map(|listed| listed.event.object.label.as_str()).collect();
        assert_eq!((labels, first.next.is_some()), (vec!["lab-2", "lab-1"], true));
    })
    .await;
}

async fn find_id(world: &TestWorld, auditor: &Caller, action: &str) -> AuditEventId {
    let filter = Filter { action: Some(action.into()), ..Filter::default() };
    search(&world.services, auditor, &filter, &PageRequest::default()).await.expect("found").items[0].event.id
}

#[tokio::test]
async fn another_tenants_records_do_not_exist() {
    let world = TestWorld::college().await;
    let elsewhere = world.other_tenant("law").await;
    let judge = world.person("judge").in_tenant(elsewhere).role(domain::access::Role::Auditor).add().await;
    let (li, auditor) = (world.person("li.hua").add().await, world.auditor("shen").await);
    record(&world, &li, entry("lab.start", "lab-1")).await;
    assert_eq!(find(&world, &judge, Filter::default()).await, [""; 0]);
    let id = find_id(&world, &auditor, "lab.start").await;
    assert_eq!(get(&world.services, &judge, id).await.expect_err("hidden"), Error::NotFound);
    assert_eq!(get(&world.services, &auditor, id).await.expect("there").listed.event.id, id);
}

fn report(reports: &[ChainReport], chain: Chain) -> &ChainReport {
    reports.iter().find(|report| report.chain == chain).expect("the chain is there")
}

/// Twelve records of a tenant and one of the system, sealed in two goes.
async fn sealed_world(database: storage::testing::TestDatabase) -> TestWorld {
    let world = TestWorld::college_on(database).await;
    let li = world.person("li.hua").add().await;
    for number in 1..=12 {
        record(&world, &li, entry("lab.start", &format!("lab-{number}")).after(json!({"b": 1, "a": "引"}))).await;
        if number == 5 {
            let mut write = world.services.db.begin_write().await.expect("a transaction");
            let origin = TestWorld::origin();
            super::count_refusal(&world.services, &mut write, &origin, "token.use", None, "unauthenticated").await.expect("counted");
            write.commit().await.expect("committed");
            assert_eq!(seal(&world.services).await, Ok(6));
        }
    }
    assert_eq!(seal(&world.services).await, Ok(7));
    assert_eq!(seal(&world.services).await, Ok(0));
    world
}

#[tokio::test]
async fn a_sealed_record_verifies_while_it_grows() {
    for_each_engine("a_sealed_record_verifies_while_it_grows", async |database| {
        let world = sealed_world(database).await;
        let li = world.person("wang").add().await;
        record(&world, &li, entry("lab.stop", "lab-1")).await;
        let reports = verify(&world.services.db).await.expect("read");
        assert_eq!(reports.len(), 2);
        let tenant = report(&reports, Chain::Tenant(world.tenant));
        assert_eq!((&tenant.result, tenant.unsealed), (&Ok(12), 1));
        assert_eq!(report(&reports, Chain::System).result, Ok(1));
        let (one, other) = tokio::join!(seal(&world.services), seal(&world.services));
        assert_eq!(one.expect("sealed") + other.expect("sealed"), 1, "two sealers at once seal once");
        assert_eq!(report(&verify(&world.services.db).await.expect("read"), Chain::Tenant(world.tenant)).result, Ok(13));
    })
    .await;
}

#[tokio::test]
async fn more_records_than_a_batch_are_sealed_and_verified() {
    let world = TestWorld::college().await;
    let li = world.person("li.hua").add().await;
    let mut write = world.services.db.begin_write().await.expect("a transaction");
    for number in 0..1_100 {
        success(&world.services, &mut write, &li, entry("lab.start", &format!("lab-{number}"))).await.expect("recorded");
    }
    write.commit().await.expect("committed");
    assert_eq!(seal(&world.services).await, Ok(1_100));
    assert_eq!(report(&verify(&world.services.db).await.expect("read"), Chain::Tenant(world.tenant)).result, Ok(1_100));
}

#[tokio::test]
async fn the_schema_refuses_to_change_or_delete_a_record() {
    for_each_engine("the_schema_refuses_to_change_or_delete_a_record", async |database| {
        let world = sealed_world(database).await;
        let li = world.person("wang").add().await;
        record(&world, &li, entry("lab.stop", "fresh")).await;
        for sql in [
            "DELETE FROM audit_events",
            "DELETE FROM audit_events WHERE seq IS NULL",
            "UPDATE audit_events SET object_label = 'lab-0' WHERE seq = 3",
            "UPDATE audit_events SET seq = NULL, prev = NULL, hash = NULL",
            "UPDATE audit_events SET hash = 'x' WHERE seq = 3",
            "UPDATE audit_events SET object_label = 'lab-0' WHERE seq IS NULL",
            "UPDATE audit_events SET object_label = 'lab-0', seq = 99 WHERE seq IS NULL",
        ] {
            let error = execute(&world.services.db, sql).await.expect_err(sql);
            assert!(error.to_string().contains("audit records are only added"), "{sql}: {error}");
        }
    })
    .await;
}

#[tokio::test]
async fn tampering_is_found_at_the_right_record() {
    type Found = fn(&Broken) -> bool;
    // Who owns the database can take the triggers away; the chain still tells.
    let cases: [(&str, Found); 9] = [
        ("UPDATE audit_events SET object_label = 'lab-0' WHERE chain <> 'system' AND seq = 3", |broken| {
            matches!(broken, Broken::Changed { seq: 3, .. })
        }),
        ("UPDATE audit_events SET at = at + 1 WHERE chain <> 'system' AND seq = 1", |broken| matches!(broken, Broken::Changed { seq: 1, .. })),
        ("UPDATE audit_events SET after_json = '{\"a\":\"x\"}' WHERE chain <> 'system' AND seq = 12", |broken| {
            matches!(broken, Broken::Changed { seq: 12, .. })
        }),
        (
            "UPDATE audit_events SET after_json = 'no json' WHERE chain <> 'system' AND seq = 4",
            |broken| matches!(broken, Broken::Unreadable { seq: 4, reason } if reason.contains("after_json")),
        ),
        ("UPDATE audit_events SET hash = 'no hash' WHERE chain <> 'system' AND seq = 7", |broken| {
            matches!(broken, Broken::Unreadable { seq: 7, .. })
        }),
        ("DELETE FROM audit_events WHERE chain <> 'system' AND seq = 6", |broken| matches!(broken, Broken::Gap { expected: 6, found: 7 })),
        ("DELETE FROM audit_events WHERE chain <> 'system' AND seq = 12", |broken| matches!(broken, Broken::Truncated { expected: 12, found: 11 })),
        ("DELETE FROM audit_heads WHERE chain <> 'system'", |broken| matches!(broken, Broken::Gap { .. })),
        ("UPDATE audit_heads SET hash = 'no hash' WHERE chain <> 'system'", |broken| matches!(broken, Broken::Unreadable { .. })),
    ];
    for (sql, found) in cases {
        for_each_engine("tampering_is_found_at_the_right_record", async |database| {
            let engine = database.engine();
            let world = sealed_world(database).await;
            let off: &[&str] = match engine {
                storage::Engine::Sqlite => &["DROP TRIGGER audit_events_stay", "DROP TRIGGER audit_events_fixed"],
                storage::Engine::Postgres => &["DROP TRIGGER audit_events_fixed ON audit_events"],
            };
            for sql in off {
                execute(&world.services.db, sql).await.expect("the triggers go");
            }
            assert_eq!(execute(&world.services.db, sql).await.expect(sql), 1, "{sql}");
            let reports = verify(&world.services.db).await.expect("read");
            let broken = report(&reports, Chain::Tenant(world.tenant)).result.clone().expect_err(sql);
            assert!(found(&broken), "{sql}: {broken:?}");
            assert_eq!(report(&reports, Chain::System).result, Ok(1), "the other chain is whole");
        })
        .await;
    }
}

#[tokio::test]
async fn one_record_that_cannot_be_read_does_not_stop_the_sealer() {
    let world = TestWorld::college().await;
    let li = world.person("li.hua").add().await;
    record(&world, &li, entry("lab.start", "lab-1")).await;
    let bad = "INSERT INTO audit_events (id, chain, at, who_kind, who_label, who_name, via, action, object_kind, object_id, object_label, outcome, attempts) \
               VALUES ('0', 'nonsense', 1, 'person', '', '', 'web', 'x', 'x', '', '', 'success', 1)";
    execute(&world.services.db, bad).await.expect("inserted");
    assert_eq!(seal(&world.services).await, Ok(1));
    let reports = verify(&world.services.db).await.expect("read");
    assert_eq!(report(&reports, Chain::Tenant(world.tenant)).result, Ok(1));
    let odd = report(&reports, Chain::System);
    assert!(matches!(&odd.result, Err(Broken::Unreadable { reason, .. }) if reason.contains("nonsense")), "{odd:?}");
    assert_eq!(odd.unsealed, 1);
}

#[test]
fn a_cursor_reads_what_it_writes() {
    use storage::audit::read::Cursor;
    let cursor = Cursor { at: Timestamp::from_micros(-5), id: AuditEventId::from_uuid(uuid::Uuid::from_u128(7)) };
    assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
    assert_eq!(Cursor::parse(""), None);
}

mod around;
mod owner;
