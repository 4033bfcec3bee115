//! The database is away: everybody is told so and when to come back; nothing falls over, nothing is half written.

use serde_json::json;

use crate::support::{Portal, shown};

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
