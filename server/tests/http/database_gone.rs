//! The database is away: everybody is told so and when to come back; nothing falls over, nothing is half written.

use std::sync::Arc;

use axum::extract::State;
use serde_json::json;
use server::{config::Config, state::AppState};
use services::{
    encryption::Keyring,
    testing::{FakeCluster, TestWorld},
};
use storage::{Database, testing::fuse::Fault};
use tokio_util::sync::CancellationToken;

use crate::support::{Log, Portal, shown};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_told_when_to_come_back() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (browser, api) = (portal.browser_of(&people.teacher).await, portal.api(&people.teacher).await);
    portal.world.services.db.close().await;

    let ready = browser.client.get(portal.url("/readyz")).send().await.unwrap();
    assert_eq!((ready.status().as_u16(), ready.headers()["retry-after"].to_str().unwrap()), (503, "5"));
    assert_eq!(browser.client.get(portal.url("/healthz")).send().await.unwrap().status(), 200);
    assert_eq!(browser.client.get(portal.url("/metrics")).send().await.unwrap().status(), 200);

    let page = browser.page("/orders").await;
    assert_eq!((page.status().as_u16(), page.headers()["retry-after"].to_str().unwrap()), (503, "5"));
    assert!(page.text().await.unwrap().contains("<html lang=\"en\""));
    let call = browser.call("/api/orders/cancel", &[("id", "x")]).send().await.unwrap();
    assert_eq!(call.status(), 503);
    assert!(call.text().await.unwrap().contains("unavailable"));

    let body = json!({"offering": "jupyterlab-slice", "course": "CV2402", "duration_minutes": 60});
    insta::assert_snapshot!("unavailable", shown(api.post("/orders").header("idempotency-key", "k").json(&body)).await);
    // Signing in is a 503 as well, not a wrong password.
    let signing_in = portal.browser().call("/api/session/sign-in", &[("login", "teacher"), ("password", "x")]).send().await.unwrap();
    assert_eq!((signing_in.status().as_u16(), signing_in.headers()["retry-after"].to_str().unwrap()), (503, "5"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_cannot_be_stored_is_an_error_that_helps() {
    let portal = Portal::college().await;
    portal.people().await;
    let fuse = portal.world.services.db.fuse();
    let fields = [("login", "teacher"), ("password", TestWorld::PASSWORD)];
    // Finds out which commit of a sign-in stores the session.
    fuse.arm(None);
    assert_eq!(portal.browser().call("/api/session/sign-in", &fields).send().await.unwrap().status(), 200);
    let stores = fuse.steps().iter().position(|step| step.to_string().contains("services/src/sessions.rs")).expect("a session is stored");
    for accept in ["application/json", "text/html"] {
        fuse.arm(Some((stores, Fault::Fail)));
        let request = portal.browser().call("/api/session/sign-in", &fields).header("accept-language", "en");
        let answer = request.header("accept", accept).send().await.unwrap();
        assert!(fuse.blown(), "the session was not stored");
        assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "5"));
        let text = answer.text().await.unwrap();
        assert!(text.contains("unavailable") || text.contains("does not answer for the moment"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_can_only_be_read_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let made = Database::open(&url).await.unwrap();
    made.migrate().await.unwrap();
    made.close().await;
    let mut config = Config::for_testing(folder.path());
    config.storage.database = Some(format!("{url}?mode=ro"));
    let database = Database::open(config.storage.database.as_deref().unwrap()).await.unwrap();
    let portal = Portal::college().await;
    let services = server::world::services(&config, database, Arc::new(FakeCluster::default()), Keyring::default()).await.unwrap();
    let state = AppState::new(services, config, CancellationToken::new());
    let answer = server::health::readyz(State(state)).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "5"));
    let ready = portal.browser().client.get(portal.url("/readyz")).send().await.unwrap();
    assert_eq!(ready.status(), 200, "one that can be written is");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_on_a_full_disk_is_not_ready() {
    use std::os::fd::AsRawFd as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.db");
    let made = Database::open(&format!("sqlite:{}", file.display())).await.unwrap();
    made.migrate().await.unwrap();
    made.close().await;
    // The links to open files are on a file system without any room, so by this path the same file is on a full disk.
    let open = std::fs::File::open(&file).unwrap();
    let full = format!("/proc/self/fd/{}", open.as_raw_fd());
    for (path, is_full) in [(file.display().to_string(), false), (full, true)] {
        let mut config = Config::for_testing(folder.path());
        config.storage.database = Some(format!("sqlite:{path}"));
        let database = Database::open(config.storage.database.as_deref().unwrap()).await.unwrap();
        storage::testing::execute(&database, &format!("CREATE TABLE small_change_{is_full} (x INTEGER)")).await.unwrap();
        assert_eq!(matches!(database.check_room(), Err(storage::Error::Full { .. })), is_full, "{path}");
        let services = server::world::services(&config, database, Arc::new(FakeCluster::default()), Keyring::default()).await.unwrap();
        let answer = server::health::readyz(State(AppState::new(services, config, CancellationToken::new()))).await;
        let expected = if is_full { (503, Some("5")) } else { (200, None) };
        let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!((answer.status().as_u16(), retry_after), expected, "{path}");
    }
}

// One thread, which is the one whose log is read.
#[tokio::test]
async fn the_log_of_a_failed_request_says_which_it_was_and_why() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (browser, api) = (portal.browser_of(&people.teacher).await, portal.api(&people.teacher).await);
    portal.world.services.db.close().await;
    let log = Log::begin();
    let page = browser.page("/orders").await;
    let called = api.post("/orders/x/cancel").send().await.unwrap();
    for (answer, method, path) in [(page, "GET", "/orders"), (called, "POST", "/api/v1/orders/x/cancel")] {
        let id = answer.headers()["x-request-id"].to_str().unwrap();
        assert_eq!(answer.status(), 503, "{path}");
        let lines = log.lines();
        let line = lines.iter().find(|line| line.contains(id) && line.contains("answered")).unwrap_or_else(|| panic!("{path} is not in\n{lines:#?}"));
        let request = format!("answered with a failure http.method=\"{method}\" http.path={path} http.status=503 milliseconds=");
        assert!(line.contains(&request), "{line}");
    }
    let lines = log.lines();
    assert!(lines.iter().any(|line| line.contains("the database is away error=") && line.contains("closed pool")), "{lines:#?}");
}
