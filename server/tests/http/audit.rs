//! Around the audit record over HTTP: exports that verify offline, saved searches, verification; and one's own notifications.

use std::process::Command;

use domain::{ids::LabId, notifications::Notice, time::Timestamp};
use serde_json::json;

use crate::support::{Portal, location};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_a_file_that_the_command_line_verifies_without_a_database() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let auditor = portal.browser_of(&people.auditor).await;
    assert_eq!(auditor.page("/audit?text=x").await.status(), 200, "the reading is a record");
    services::audit::seal(&portal.world.services).await.unwrap();
    let answer = auditor.page("/audit/export?format=jsonl&own_reads=true").await;
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
    let name = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(name.contains("lectern-audit-2026-11-21.jsonl"), "{name}");
    let text = answer.text().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    std::fs::write(&file, &text).unwrap();
    let run = || Command::new(env!("CARGO_BIN_EXE_lectern")).args(["audit", "verify"]).arg(&file).env_clear().output().unwrap();
    let good = run();
    let said = String::from_utf8_lossy(&good.stdout).into_owned();
    assert!(good.status.success() && said.contains("records verified") && said.contains("by auditor"), "{said}");
    std::fs::write(&file, text.replacen("\"auditor\"", "\"another\"", 2)).unwrap();
    let bad = run();
    let said = String::from_utf8_lossy(&bad.stdout).into_owned();
    assert!(!bad.status.success() && said.contains("BROKEN"), "{said}");

    let csv = auditor.page("/audit/export?format=csv&outcome=success").await;
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8");
    assert!(!csv.text().await.unwrap().contains(",audit.read,"), "one's own reading is left out");
    let csv = auditor.page("/audit/export?format=csv&outcome=success&own_reads=true").await;
    assert!(csv.text().await.unwrap().contains(",audit.read,"));
    let teacher = portal.browser_of(&people.teacher).await;
    assert_eq!(teacher.page("/audit/export?format=csv").await.status(), 403);
    assert_eq!(auditor.page("/audit/export?from=yesterday").await.status(), 422);
    assert_eq!(location(&portal.browser().page("/audit/export").await).split('?').next(), Some("/sign-in"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_is_kept_and_the_chains_are_verified_over_the_api() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let api = portal.api(&people.auditor).await;
    let made =
        api.post("/audit/searches?action=order.&outcome=refused&range=week").json(&json!({"name": "被拒", "shared": true})).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let made: serde_json::Value = made.json().await.unwrap();
    assert_eq!((made["filter"]["range"].as_str(), made["shared"].as_bool()), (Some("week"), Some(true)));
    let listed = api.read("/audit/searches").await;
    assert_eq!(listed["items"][0]["id"], made["id"]);
    let gone = api.post(&format!("/audit/searches/{}/delete", made["id"].as_str().unwrap())).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(api.get("/audit/events?range=ever").send().await.unwrap().status(), 422);
    assert_eq!(api.get("/audit/events?via=api&range=today").send().await.unwrap().status(), 200);

    services::audit::seal(&portal.world.services).await.unwrap();
    let asked = api.post("/audit/verify").send().await.unwrap();
    assert_eq!(asked.status(), 202);
    services::audit::runs::work(&portal.world.services).await.unwrap();
    let chain = api.read("/audit/chain").await;
    assert_eq!((chain["last"]["state"].as_str(), chain["current"].is_null()), (Some("good"), true));
    let file = api.get("/audit/export").send().await.unwrap().text().await.unwrap();
    assert!(file.starts_with("{\"format\":\"lectern-audit-export-1\"") && file.ends_with("}}\n"), "{file}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_reads_and_marks_ones_own_notifications_with_and_without_scripts() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let services = &portal.world.services;
    for number in 1..=3 {
        let lab = LabId::from_uuid(uuid::Uuid::from_u128(number));
        let notice = Notice::LabFailed { lab, name: format!("lab-{number}"), at: Timestamp::from_seconds(1) };
        let mut write = services.db.begin_write().await.unwrap();
        let _ = services::notifications::notify(services, &mut write, &[people.teacher.actor.user].into(), &notice).await.unwrap();
        write.commit().await.unwrap();
    }
    let api = portal.token(&people.teacher, &[domain::access::Scope::OfferingsRead]).await;
    let all = api.read("/notifications?limit=2").await;
    assert_eq!((all["items"].as_array().unwrap().len(), all["next"].is_string()), (2, true));
    assert_eq!(all["items"][0]["notice"]["kind"], "lab_failed");
    let id = all["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(api.act(&format!("/notifications/{id}/read")).await["unread"], 2);
    let other = portal.api(&people.colleague).await;
    assert_eq!(other.post(&format!("/notifications/{id}/read")).send().await.unwrap().status(), 404);

    let browser = portal.browser_of(&people.teacher).await;
    let page = browser.page("/notifications?filter=unread").await.text().await.unwrap();
    assert!(page.contains("lab-1 did not start") && page.contains("lab-2 did not start") && !page.contains("lab-3 did not start"));
    assert!(page.contains("Notifications, 2 unread"), "the bell in the bar");
    let read = browser.form("/api/notifications/read", "/notifications", &[("id", "")]).send().await.unwrap();
    assert_eq!((read.status().as_u16(), location(&read)), (303, "/notifications"));
    assert_eq!(api.read("/notifications?unread=true").await["items"].as_array().unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_search_page_finds_without_scripts_what_the_api_finds() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let api = portal.api(&people.teacher).await;
    let found = api.read("/search?q=CV2402").await;
    assert_eq!(found["items"][0]["kind"], "course");
    let page = portal.browser_of(&people.teacher).await.page("/search?q=CV2402").await.text().await.unwrap();
    assert!(page.contains("/billing?course=CV2402"), "a link that a teacher may follow");
    let nothing = portal.browser_of(&people.teacher).await.page("/search?q=nothing-like-it").await.text().await.unwrap();
    assert!(nothing.contains("Nothing found for"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_for_nothing_finds_nothing_and_leads_to_ones_own_readings() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (browser, api) = (portal.browser_of(&people.auditor).await, portal.api(&people.auditor).await);
    for _ in 0..2 {
        let page = browser.page("/audit?text=nothing-at-all").await.text().await.unwrap();
        assert!(
            page.contains("No record fits all of this")
                && page.contains("Your own readings (searches and opened records) are left out; exports are not."),
            "{page}"
        );
        assert!(page.contains("/audit?text=nothing-at-all&amp;own_reads=true"), "{page}");
    }
    let page = browser.page("/audit?text=nothing-at-all&own_reads=true").await.text().await.unwrap();
    assert!(
        page.contains("Your own readings (searches and opened records) are shown too.") && !page.contains("No record fits all of this"),
        "{page}"
    );
    let page = browser.page("/audit?action=audit.").await.text().await.unwrap();
    assert!(!page.contains("Your own readings"), "the search asks for it");
    let found = async |query: &str| api.read(&format!("/audit/events?{query}")).await["items"].as_array().unwrap().len();
    assert_eq!(found("text=nothing-at-all").await, 0);
    assert!(found("text=nothing-at-all&own_reads=true").await > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_auditor_saves_and_drops_a_search_by_plain_forms() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let browser = portal.browser_of(&people.auditor).await;
    let form = |fields: &[(&str, &str)]| browser.form("/api/audit/save-search", "/audit?outcome=refused", fields);
    let saved = form(&[("name", "refusals"), ("shared", "on"), ("query[outcome]", "refused"), ("query[range]", "week")]).send().await.unwrap();
    assert_eq!((saved.status().as_u16(), location(&saved)), (303, "/audit?outcome=refused&range=week"));
    let again = form(&[("name", "refusals")]).send().await.unwrap();
    assert_eq!(location(&again), "/audit?outcome=refused", "back where it came from");
    let page = browser.page("/audit?outcome=refused").await.text().await.unwrap();
    assert!(page.contains("refusals") && page.contains("value=\"refusals\""), "what was typed is kept");
    let home = browser.page("/").await.text().await.unwrap();
    assert!(home.contains("/audit?outcome=refused&amp;range=week"), "on the first page too");
}

/// Where a link of the pager leads.
fn pager(page: &str, rel: &str) -> Option<String> {
    let before = page.split_once(&format!("rel=\"{rel}\""))?.0;
    let link = before.rsplit("href=\"").next()?.split('"').next()?;
    Some(link.replace("&amp;", "&"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_the_record_lead_both_ways() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    for _ in 0..120 {
        // More than a minute apart: what is refused again within one is counted.
        portal.world.clock.advance(61);
        teacher.post("/orders/01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e/cancel").send().await.unwrap();
    }
    let auditor = portal.browser_of(&people.auditor).await;
    let read = async |path: &str| auditor.page(path).await.text().await.unwrap();
    let newest = read("/audit?action=order.cancel").await;
    assert_eq!(pager(&newest, "prev"), None);
    let second = read(&pager(&newest, "next").expect("older ones")).await;
    let last = read(&pager(&second, "next").expect("older ones")).await;
    assert_eq!(pager(&last, "next"), None);
    let back = read(&pager(&last, "prev").expect("newer ones")).await;
    let records = |page: &str| {
        page.split("href=\"/audit/").skip(1).filter_map(|rest| rest.get(..36)?.parse::<domain::ids::AuditEventId>().ok()).collect::<Vec<_>>()
    };
    assert_eq!((records(&back).len(), records(&back)), (50, records(&second)));
    let first = read(&pager(&back, "prev").expect("newer ones")).await;
    assert_eq!((records(&first), pager(&first, "prev")), (records(&newest), None));
}
