//! Alone in its process, since it counts the descriptors of all of it.

#[path = "door/app.rs"]
mod app;
#[path = "door/fixtures.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod fixtures;

use app::App;
use fixtures::{Site, until};

/// Linux alone says it; elsewhere the test sees that every request is answered.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[tokio::test]
async fn a_thousand_refused_handshakes_leave_no_descriptor_behind() {
    let site = Site::before(App::start().await.1).await;
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    let refused = async |status: u16| {
        let answer = site.use_lab(&format!("GET /refuse/{status}"), &upgrade, "").await;
        assert_eq!((answer.status(), answer.body()), (status, "no socket here"));
    };
    refused(403).await;
    let mut before = usize::MAX;
    // The descriptors of the first request are closed a moment after it.
    until(|| std::mem::replace(&mut before, descriptors()) == descriptors()).await;
    for status in [200, 403, 503].into_iter().cycle().take(1_000) {
        refused(status).await;
    }
    until(|| descriptors() <= before).await;
}
