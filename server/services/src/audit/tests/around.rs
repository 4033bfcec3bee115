//! Saved searches, exports, and verifying in the background.

use domain::{
    Error, Problem,
    audit::{
        Broken, Chain, Filter, Outcome, Range,
        export::{Bad, FileVerifier},
        run::RunState,
    },
    ids::AuditSearchId,
    page::PageRequest,
};
use futures::TryStreamExt as _;
use serde_json::json;
use storage::testing::{execute, for_each_engine};
use uuid::Uuid;

use super::{entry, find_id, record, sealed_world};
use crate::{
    Caller,
    audit::{Format, export, get, runs, seal, search, searches, verify},
    hub::News,
    testing::TestWorld,
};

/// Outcomes of the records of an action, newest first.
async fn outcomes(world: &TestWorld, action: &str) -> Vec<Outcome> {
    let auditor = world.auditor(&format!("reader-{}", world.services.entropy.uuid())).await;
    let filter = Filter { action: Some(action.into()), ..Filter::default() };
    let page = search(&world.services, &auditor, &filter, &PageRequest::default()).await.expect("found");
    page.items.into_iter().map(|listed| listed.event.outcome).collect()
}

#[tokio::test]
async fn a_search_is_kept_shared_and_dropped_and_each_is_recorded() {
    for_each_engine("a_search_is_kept_shared_and_dropped_and_each_is_recorded", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let (shen, he) = (world.auditor("shen").await, world.auditor("he").await);
        let filter = Filter { text: Some(" 深度学习 ".into()), range: Some(Range::Week), ..Filter::default() };
        let saved = searches::save(services, &shen, " 被拒的操作 ", &filter, true).await.expect("kept");
        assert_eq!((saved.name.as_str(), saved.filter.text.as_deref()), ("被拒的操作", Some("深度学习")));
        let private = searches::save(services, &shen, "mine", &filter, false).await.expect("kept");
        assert_eq!(searches::save(services, &shen, "mine", &filter, false).await, Err(Error::field("name", Problem::Taken)));
        assert_eq!(searches::save(services, &shen, " ", &filter, false).await, Err(Error::field("name", Problem::Missing)));
        assert_eq!(searches::list(services, &shen).await.expect("read").len(), 2);
        assert_eq!(searches::list(services, &he).await.expect("read"), std::slice::from_ref(&saved));
        assert_eq!(searches::delete(services, &he, private.id).await, Err(Error::NotFound));
        assert_eq!(searches::delete(services, &he, saved.id).await, Err(Error::Forbidden));
        for _ in 0..2 {
            searches::delete(services, &shen, saved.id).await.expect("dropped");
        }
        searches::delete(services, &shen, AuditSearchId::from_uuid(Uuid::nil())).await.expect("nothing to drop");
        assert_eq!(searches::list(services, &he).await.expect("read"), []);
        let li = world.teacher("li.hua", &[]).await;
        assert_eq!(searches::list(services, &li).await, Err(Error::Forbidden));
        assert_eq!(searches::save(services, &li, "x", &filter, false).await, Err(Error::Forbidden));
        let (yes, no) = (Outcome::Success, Outcome::Refused);
        assert_eq!(outcomes(&world, "audit.search_save").await, [no, yes, yes]);
        assert_eq!(outcomes(&world, "audit.search_delete").await, [yes, no, no]);
    })
    .await;
}

async fn exported(world: &TestWorld, auditor: &Caller, filter: Filter, format: Format) -> String {
    let pieces = export(&world.services, auditor, &filter, format).await.expect("begun");
    let pieces: Vec<String> = pieces.try_collect().await.expect("whole");
    pieces.concat()
}

fn verified(file: &str) -> Result<Vec<(i64, i64)>, Bad> {
    let mut lines = file.lines();
    let mut verifier = FileVerifier::begin(lines.next().unwrap_or_default())?;
    for line in lines {
        verifier.take(line)?;
    }
    Ok(verifier.finish()?.into_iter().map(|proved| (proved.records, proved.missing)).collect())
}

#[tokio::test]
async fn an_export_verifies_offline_and_says_what_the_filter_left_out() {
    for_each_engine("an_export_verifies_offline_and_says_what_the_filter_left_out", async |database| {
        let world = sealed_world(database).await;
        let auditor = world.auditor("shen").await;
        let all = exported(&world, &auditor, Filter::default(), Format::Jsonl).await;
        assert_eq!(verified(&all), Ok(vec![(12, 0), (1, 0)]));
        let one = exported(&world, &auditor, Filter { object: Some("lab-3".into()), ..Filter::default() }, Format::Jsonl).await;
        assert_eq!(verified(&one), Ok(vec![(1, 11), (0, 1)]));
        assert!(matches!(verified(&all.replace("lab-7", "lab-8")), Err(Bad::Record { .. })));
        assert_eq!(verified(all.trim_end().rsplit_once('\n').expect("lines").0), Err(Bad::CutOff));
        let li = world.teacher("teacher", &[]).await;
        assert!(matches!(export(&world.services, &li, &Filter::default(), Format::Csv).await, Err(Error::Forbidden)));
        exported(&world, &auditor, Filter::default(), Format::Jsonl).await;
        assert_eq!(outcomes(&world, "audit.export").await, [Outcome::Refused, Outcome::Success, Outcome::Success], "the same twice is one");
    })
    .await;
}

#[tokio::test]
async fn a_damaged_record_is_shown_as_unreadable_and_hides_no_other() {
    for_each_engine("a_damaged_record_is_shown_as_unreadable_and_hides_no_other", async |database| {
        let engine = database.engine();
        let world = sealed_world(database).await;
        let auditor = world.auditor("shen").await;
        let json = "UPDATE audit_events SET before_json = '{' WHERE chain <> 'system' AND seq = 4";
        // PostgreSQL keeps no text in a column of numbers.
        let time = "UPDATE audit_events SET at = 'never' WHERE chain <> 'system' AND seq = 7";
        let (off, damages): (&[&str], &[&str]) = match engine {
            storage::Engine::Sqlite => (&["DROP TRIGGER audit_events_stay", "DROP TRIGGER audit_events_fixed"], &[json, time]),
            storage::Engine::Postgres => (&["DROP TRIGGER audit_events_fixed ON audit_events"], &[json]),
        };
        for sql in off.iter().chain(damages) {
            execute(&world.services.db, sql).await.expect(sql);
        }
        let mut page = PageRequest { limit: 5, after: None };
        let mut listed = Vec::new();
        loop {
            let found = search(&world.services, &auditor, &Filter::default(), &page).await.expect("the others are listed");
            listed.extend(found.items);
            page.after = found.next;
            if page.after.is_none() {
                break;
            }
        }
        let labels = |labs: &str| listed.iter().filter(|listed| listed.event.object.label == labs).count();
        assert!((1..=12).all(|number| labels(&format!("lab-{number}")) == 1), "each once, the damaged ones too");
        let unreadable: Vec<_> = listed.iter().filter(|listed| listed.event.action == "audit.unreadable").collect();
        assert_eq!(unreadable.len(), damages.len());
        let fourth = unreadable.iter().find(|listed| listed.event.object.label == "lab-4").expect("in its place");
        assert_eq!(fourth.event.after, Some(json!({"action": "lab.start", "unreadable": "before_json"})));
        let shown = get(&world.services, &auditor, fourth.event.id).await.expect("it has a page");
        assert_eq!((shown.listed.event.action.as_str(), shown.intact), ("audit.unreadable", Some(false)));

        let file = exported(&world, &auditor, Filter::default(), Format::Jsonl).await;
        assert!(file.contains("\"lab-12\"") && file.contains("{\"unreadable\":"), "{file}");
        let named = verified(&file);
        assert!(matches!(named, Err(Bad::Record { broken: Broken::Unreadable { seq: 4, .. }, .. })), "the file says which: {named:?}");
        let csv = exported(&world, &auditor, Filter::default(), Format::Csv).await;
        assert!(csv.matches("audit.unreadable").count() == damages.len() && csv.contains("lab-12"), "{csv}");
        let reports = verify(&world.services.db).await.expect("read");
        let named = reports.into_iter().find(|report| report.chain == Chain::Tenant(world.tenant)).expect("the chain").result;
        assert!(matches!(named, Err(Broken::Unreadable { seq: 4, .. })), "{named:?}");
    })
    .await;
}

#[tokio::test]
async fn an_export_leaves_out_what_the_search_leaves_out_and_says_so() {
    let world = TestWorld::college().await;
    let (li, auditor) = (world.person("li.hua").add().await, world.auditor("shen").await);
    record(&world, &li, entry("lab.start", "lab-1")).await;
    search(&world.services, &auditor, &Filter::default(), &PageRequest::default()).await.expect("found");
    seal(&world.services).await.expect("sealed");
    let all = exported(&world, &auditor, Filter::default(), Format::Jsonl).await;
    assert_eq!(verified(&all).expect("good")[0], (1, 1), "the reading is the gap");
    assert!(all.lines().next().is_some_and(|head| head.contains("\"not_read_by\"")), "{all}");
    let own = exported(&world, &auditor, Filter { own_reads: true, ..Filter::default() }, Format::Jsonl).await;
    assert_eq!(verified(&own).expect("good")[0], (2, 0));
}

#[tokio::test]
async fn a_spreadsheet_gets_no_formulas() {
    let world = TestWorld::college().await;
    let (li, auditor) = (world.person("li.hua").named("=cmd|' /C calc'!A0").add().await, world.auditor("shen").await);
    record(&world, &li, entry("lab.start", "@SUM(1)").after(json!({"a": "b, \"c\""}))).await;
    seal(&world.services).await.expect("sealed");
    let csv = exported(&world, &auditor, Filter { action: Some("lab.start".into()), ..Filter::default() }, Format::Csv).await;
    let lines: Vec<_> = csv.split("\r\n").collect();
    assert!(lines[0].starts_with("\u{feff}at,chain,seq,"));
    assert!(lines[1].contains(",\"'=cmd|' /C calc'!A0\","), "{}", lines[1]);
    assert!(lines[1].contains(",\"'@SUM(1)\","), "{}", lines[1]);
    assert!(lines[1].contains("\"{\"\"a\"\":\"\"b, \\\"\"c\\\"\"\"\"}\""), "{}", lines[1]);
    assert_eq!((lines.len(), lines[2]), (3, ""));
}

#[tokio::test]
async fn a_record_shows_its_neighbours_its_bytes_and_that_it_is_as_it_was() {
    let world = TestWorld::college().await;
    let (li, auditor) = (world.person("li.hua").add().await, world.auditor("shen").await);
    for number in 1..=3 {
        record(&world, &li, entry("lab.start", &format!("lab-{number}"))).await;
        world.clock.advance(1);
    }
    let newest = find_id(&world, &auditor, "lab.start").await;
    assert_eq!(get(&world.services, &auditor, newest).await.expect("there").intact, None, "not sealed");
    seal(&world.services).await.expect("sealed");
    let last = get(&world.services, &auditor, newest).await.expect("there");
    assert!(last.after.is_some(), "the reading itself follows it");
    let before = get(&world.services, &auditor, last.before.expect("a neighbour")).await.expect("there");
    assert_eq!((before.listed.event.object.label.as_str(), before.after, before.intact), ("lab-2", Some(newest), Some(true)));
    assert!(before.canonical.starts_with("lectern-audit-1\nid:36:"), "{}", before.canonical);
}

#[tokio::test]
async fn chains_are_verified_in_the_background_and_the_result_is_kept() {
    for_each_engine("chains_are_verified_in_the_background_and_the_result_is_kept", async |database| {
        let world = sealed_world(database).await;
        let services = &world.services;
        let auditor = world.auditor("shen").await;
        let fresh = runs::chain_card(services, &auditor).await.expect("read");
        assert_eq!(fresh.chains.iter().map(|chain| (chain.sealed, chain.unsealed)).collect::<Vec<_>>(), [(12, 0), (1, 0)]);
        assert_eq!((fresh.last, fresh.current), (None, None));
        let asked = runs::ask(services, &auditor).await.expect("asked");
        assert_eq!(runs::ask(services, &auditor).await.expect("asked").id, asked.id, "one at a time");
        assert_eq!((asked.state, asked.total), (RunState::Waiting, 13));
        let mut listening = services.hub.listen(std::time::Duration::ZERO, |_| true);
        assert_eq!(runs::work(services).await, Ok(1));
        assert_eq!(runs::work(services).await, Ok(0));
        assert_eq!(listening.so_far().first(), Some(&News::Audit(world.tenant)));
        let good = runs::chain_card(services, &auditor).await.expect("read");
        assert!(!good.is_broken() && good.current.is_none());
        let last = good.last.expect("a result");
        assert_eq!((last.state, last.checked, last.asked_by.login.as_str()), (RunState::Good, 13, "shen"));
        let li = world.teacher("teacher", &[]).await;
        assert_eq!(runs::ask(services, &li).await, Err(Error::Forbidden));
        assert_eq!(runs::chain_card(services, &li).await, Err(Error::Forbidden));
        assert_eq!(outcomes(&world, "audit.verify").await, [Outcome::Refused, Outcome::Success]);
        assert_eq!(outcomes(&world, "audit.verified").await, [Outcome::Success]);
    })
    .await;
}

#[tokio::test]
async fn a_broken_chain_is_named_and_every_auditor_is_told() {
    let world = sealed_world(storage::testing::TestDatabase::sqlite().await).await;
    let services = &world.services;
    let (shen, he) = (world.auditor("shen").await, world.auditor("he").await);
    execute(&services.db, "DROP TRIGGER audit_events_fixed").await.expect("dropped");
    execute(&services.db, "UPDATE audit_events SET object_label = 'lab-0' WHERE chain <> 'system' AND seq = 3").await.expect("changed");
    runs::ask(services, &shen).await.expect("asked");
    assert_eq!(runs::work(services).await, Ok(1));
    let card = runs::chain_card(services, &shen).await.expect("read");
    assert!(card.is_broken());
    let chains = card.last.expect("a result").chains;
    assert_eq!((chains[0].chain, chains[0].checked, chains[0].broken.is_some()), (Chain::Tenant(world.tenant), 2, true));
    let unguarded = Broken::Unguarded { trigger: "audit_events_fixed".into() };
    assert_eq!((chains[1].checked, chains[1].broken.as_ref()), (1, Some(&unguarded)), "the other chain was checked all the same");
    for auditor in [&shen, &he] {
        assert_eq!(crate::notifications::unread(services, auditor).await, Ok(1));
    }
}
