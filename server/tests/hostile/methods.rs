//! Unknown HTTP methods: they are refused before any other layer, and leave no trace in metrics, logs or records.

use sqlx::Row as _;

use crate::{
    judge::{Judge, listen},
    wire::Ask,
    world::World,
};

const KNOWN: [&str; 10] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "other"];

async fn metrics(world: &World) -> String {
    let answer = Ask::get("/metrics").send(world.address).await.expect("an answer");
    assert_eq!(answer.status, 200);
    answer.text()
}

/// The values of a label in all series.
fn values<'a>(metrics: &'a str, label: &str) -> Vec<&'a str> {
    let start = format!("{label}=\"");
    metrics.lines().filter_map(|line| line.split_once(&start)?.1.split('"').next()).collect()
}

/// Refusals that have a record or are counted for one.
async fn floods(world: &World) -> i64 {
    let services = &world.portal.world.services;
    services::audit::refusals::flush_all(services).await.expect("what was counted is written");
    let mut connection = services.db.read().await.expect("a connection");
    let sql = "SELECT COUNT(*) + (SELECT COUNT(*) FROM audit_floods) AS rows FROM audit_events WHERE outcome = 'refused'";
    let row = sqlx::query(sql).fetch_one(&mut *connection).await.expect("a count");
    row.get("rows")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_method_is_refused_before_anything_else_and_leaves_nothing_behind() {
    listen();
    let world = World::on(storage::testing::TestDatabase::sqlite().await).await;
    let mut judge = Judge::default();
    let before = floods(&world).await;
    for number in 0..30 {
        let method = format!("X{number}{}", "Y".repeat(if number % 2 == 0 { 5 } else { 40_000 }));
        for target in ["/orders", "/api/v1/orders", "/api/session/sign-in", "/healthz", "/pkg/lectern.js", "/nowhere"] {
            let ask = Ask::new(&method, target).header("accept", if number % 3 == 0 { "text/html" } else { "*/*" });
            let answer = ask.send(world.address).await;
            judge.any(&ask, answer.as_ref());
            let answer = answer.expect("an answer");
            assert_eq!(answer.status, 405, "{target}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH"), "{target}");
        }
    }
    assert_eq!(floods(&world).await, before, "nothing is counted of them");
    let text = metrics(&world).await;
    let unknown: Vec<_> =
        values(&text, "method").into_iter().filter(|method| !KNOWN.contains(method)).map(|method| &method[..20.min(method.len())]).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(text.contains("method=\"other\""), "they are counted together");
    judge.end("methods");
}

/// TRACE would show a page's scripts the session cookie that they cannot read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trace_is_refused_everywhere_and_echoes_nothing() {
    listen();
    let world = World::on(storage::testing::TestDatabase::sqlite().await).await;
    let cookie = world.cookie(&world.people.administrator).await;
    for target in ["/", "/orders", "/events", "/sign-out", "/api/session/viewer", "/api/v1/orders", "/healthz", "/pkg/lectern.js", "/nowhere"] {
        let ask = Ask::new("TRACE", target)
            .header("cookie", cookie.clone())
            .header("authorization", world.administrator.clone())
            .header("sec-fetch-site", "same-origin")
            .header("x-marker", "echoed-marker");
        let answer = ask.send(world.address).await.expect("an answer");
        assert!((400..500).contains(&answer.status), "{target}: {}", answer.status);
        let headers: Vec<_> = answer.headers.iter().map(|(_, value)| value.as_str()).collect();
        assert!(!answer.text().contains("echoed-marker") && !headers.concat().contains("echoed-marker"), "{target}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_label_of_a_metric_is_what_a_client_wrote() {
    listen();
    let world = World::on(storage::testing::TestDatabase::sqlite().await).await;
    for method in ["GET", "POST", "marker-method", "OPTIONS", "DELETE"] {
        for prefix in ["/", "/api/v1/", "/api/", "/orders/", "/api/v1/orders/", "/pkg/", "/join/", "/courses/"] {
            let ask = Ask::new(method, format!("{prefix}marker-path?marker-query=1"))
                .header("user-agent", "marker-agent")
                .header("x-forwarded-for", "marker");
            ask.send(world.address).await.expect("an answer");
        }
    }
    let text = metrics(&world).await;
    assert!(!text.contains("marker"), "{text}");
}
