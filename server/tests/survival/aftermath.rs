//! What must hold after anything died, whatever the database.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use services::testing::recount::recount;
use storage::{
    Database,
    testing::{agreement::differences, number, texts},
};

use crate::{college::College, objects, process::Place, teacher::Teacher};

/// Nothing that was acknowledged is missing, and state and record agree.
pub async fn check(database: &Database, teachers: &[Teacher], when: &str) {
    let wrong = differences(database).await;
    assert!(wrong.is_empty(), "{when}: {}", wrong.join("; "));

    let recorded = "SELECT action || ' ' || object_id || ' ' || COALESCE(request_id, '') FROM audit_events WHERE outcome = 'success'";
    let recorded = texts(database, recorded).await;
    let by_request: BTreeSet<&str> = recorded.iter().map(String::as_str).collect();
    let by_object: BTreeSet<&str> = recorded.iter().filter_map(|text| text.rsplit_once(' ')).map(|(text, _)| text).collect();
    for heard in teachers.iter().flat_map(|teacher| &teacher.heard) {
        let what = format!("{} {}", heard.action, heard.object);
        let there = match &heard.request {
            Some(request) => by_request.contains(format!("{what} {request}").as_str()),
            None => by_object.contains(what.as_str()),
        };
        assert!(there, "{when}: acknowledged and lost: {heard:?}");
    }
    let keys: BTreeSet<_> = texts(database, "SELECT key || ' ' || order_id FROM idempotency_keys").await.into_iter().collect();
    for (key, sent) in teachers.iter().flat_map(|teacher| &teacher.sent) {
        if let Some((_, text)) = &sent.answer {
            let order: serde_json::Value = serde_json::from_str(text).unwrap();
            assert!(keys.contains(&format!("{key} {}", order["id"].as_str().unwrap())), "{when}: the order of {key} is lost");
        }
    }
}

/// Everybody clears up; the background work of the server that runs now comes to an end, and nothing is left over anywhere.
pub async fn clear_up(place: &Place, database: &Database, teachers: &mut [Teacher]) {
    for teacher in teachers.iter_mut() {
        teacher.tidy().await.unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let left = texts(database, "SELECT name || ' ' || state FROM labs WHERE state <> 'destroyed'").await;
        if left.is_empty() && number(database, "SELECT COUNT(*) FROM audit_events WHERE seq IS NULL").await == 0 {
            break;
        }
        let late = Instant::now() > deadline;
        let stuck = if late { stuck(place, database).await.join("\n") } else { String::new() };
        assert!(!late, "does not come to an end: {left:?}\n{stuck}\n{}", place.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(objects::of_labs(place).await, [""; 0], "objects that belong to no lab");
    assert_eq!(number(database, "SELECT COUNT(*) FROM reservations").await, 0, "cards that nobody uses");
    let open = "SELECT COUNT(*) FROM orders WHERE state IN ('pending_approval', 'queued', 'awaiting_requester')";
    assert_eq!(number(database, open).await, 0, "orders that hold quota");
    let sent: usize = teachers.iter().map(|teacher| teacher.sent.len()).sum();
    assert_eq!(number(database, "SELECT COUNT(*) FROM orders").await, i64::try_from(sent).unwrap(), "each key has one order");
}

/// All that is known of labs that should be gone.
async fn stuck(place: &Place, database: &Database) -> Vec<String> {
    let mut told = objects::of_labs(place).await;
    for known in [
        "SELECT name || ' ' || id || ' version ' || CAST(version AS TEXT) FROM labs WHERE state <> 'destroyed'",
        "SELECT 'change ' || c.lab_id || ' ' || CAST(c.at AS TEXT) || ' ' || c.to_state || ' by ' || c.cause FROM lab_changes c JOIN labs l ON l.id = c.lab_id \
         WHERE l.state <> 'destroyed' ORDER BY c.lab_id, c.seq",
        "SELECT 'seen ' || o.document FROM lab_observations o JOIN labs l ON l.id = o.lab_id WHERE l.state <> 'destroyed'",
        "SELECT 'waits ' || kind || ' ' || subject || ' until ' || CAST(not_before AS TEXT) || ' after ' || CAST(attempts AS TEXT) || ' tries: ' || \
         COALESCE(last_error, '') FROM outbox",
        "SELECT 'lease ' || holder || ' ' || CAST(token AS TEXT) || ' until ' || CAST(expires_at AS TEXT) FROM leases",
        "SELECT 'cluster ' || document FROM cluster_status",
    ] {
        told.extend(texts(database, known).await);
    }
    told
}

/// The chains verify and the charges are right; the server is down. Says what all of it was.
pub async fn audit(place: &Place, college: &College, database: Database, teachers: &[Teacher]) -> String {
    let verified = place.run(&["audit", "verify"]);
    let said = String::from_utf8_lossy(&verified.stdout).trim().replace('\n', "; ");
    assert!(verified.status.success() && said.contains("records verified"), "{said}{}", String::from_utf8_lossy(&verified.stderr));
    let services = college.services_on(database);
    services::jobs::metering::run(&services).await.unwrap();
    let wrong = recount(&services).await;
    assert!(wrong.is_empty(), "wrong charges: {}", wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
    let sent: usize = teachers.iter().map(|teacher| teacher.sent.len()).sum();
    let heard: usize = teachers.iter().map(|teacher| teacher.heard.len()).sum();
    format!("{sent} orders, {heard} acknowledged changes, {said}")
}
