//! Access to the metrics.

use std::path::Path;

use server::{config::Config, state::AppState};
use services::testing::TestWorld;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::Portal;

async fn scrape(url: &str, token: Option<&str>) -> (u16, String) {
    let request = reqwest::Client::new().get(url);
    let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_asked_for_where_one_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "secret-1\n").unwrap();
    let portal = Portal::configured(TestWorld::college().await, |config| config.metrics.token_file = Some(file.clone())).await;
    let url = portal.url("/metrics");
    for wrong in [None, Some(""), Some("secret-2"), Some("secret")] {
        let (status, body) = scrape(&url, wrong).await;
        assert_eq!(status, 401, "{wrong:?}");
        assert!(!body.contains("lectern_"), "{body}");
    }
    let (status, body) = scrape(&url, Some("secret-1")).await;
    assert!(status == 200 && body.contains("lectern_http_requests"), "{body}");
    assert!(body.contains("lectern_lab_visits_open 0"), "{body}");
    for (sent, status) in [("bearer secret-1", 200), ("BEARER secret-1", 200), ("Bearer secret-2", 401), ("Basic secret-1", 401), ("bear", 401)] {
        let answer = reqwest::Client::new().get(&url).header("authorization", sent).send().await.unwrap();
        assert_eq!(answer.status(), status, "{sent}");
    }
    // The file may be replaced at any time; without it the metrics are not shown at all.
    std::fs::write(&file, "secret-2\n").unwrap();
    assert_eq!((scrape(&url, Some("secret-1")).await.0, scrape(&url, Some("secret-2")).await.0), (401, 200));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(scrape(&url, Some("secret-2")).await.0, 503);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_of_their_own_shows_the_metrics_and_nothing_else() {
    let world = TestWorld::college().await;
    let own = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = own.local_addr().unwrap();
    let portal = Portal::configured(world, |config| config.metrics.listen = Some(address)).await;
    assert_eq!(scrape(&portal.url("/metrics"), None).await.0, 404);

    let mut config = Config::for_testing(Path::new("unused"));
    config.metrics.listen = Some(address);
    let stopping = CancellationToken::new();
    let state = AppState::new(portal.world.services.clone(), config, stopping.clone());
    let serving = tokio::spawn(server::commands::serve::serve_metrics(own, state));
    let (status, body) = scrape(&format!("http://{address}/metrics"), None).await;
    assert!(status == 200 && body.contains("lectern_jobs_waiting"), "{body}");
    for other in ["/", "/healthz", "/api/v1/openapi.json"] {
        let answer = reqwest::Client::new().get(format!("http://{address}{other}")).header("host", "localhost").send().await.unwrap();
        assert_eq!(answer.status(), 404, "{other}");
    }
    stopping.cancel();
    serving.await.unwrap();
}
