//! The portal's own port uses the limits of `[connections]`; the tests of the listener's crate show their effect.

use std::{net::SocketAddr, time::Duration};

use server::{bodies::OF_SOURCE, config::Config, forms::WITHOUT_SESSION};
use services::testing::TestWorld;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use crate::support::Portal;

/// A test that hangs fails after this time.
const PATIENCE: Duration = Duration::from_mins(2);

async fn portal(change: impl FnOnce(&mut Config)) -> (Portal, SocketAddr) {
    let portal = Portal::configured(TestWorld::college().await, change).await;
    let address = portal.base.trim_start_matches("http://").parse().unwrap();
    (portal, address)
}

async fn connect(address: SocketAddr, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    stream
}

/// Everything that arrives until the server closes the connection.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut text)).await.expect("closed");
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_that_never_end_are_given_up_and_events_are_not() {
    let (portal, address) = portal(|config| config.connections.head_seconds = 1).await;
    let people = portal.people().await;
    let browser = portal.browser_of(&people.teacher).await;
    let mut events = browser.client.get(portal.url("/events")).send().await.unwrap();
    events.chunk().await.unwrap().expect("a greeting");
    let mut dripping = Vec::new();
    for _ in 0..20 {
        dripping.push(connect(address, "GET / HTTP/1.1\r\nhost: local").await);
    }
    for stream in &mut dripping {
        assert_eq!(rest(stream).await, "");
    }
    portal.world.services.hub.tell(services::hub::News::Cluster);
    tokio::time::timeout(PATIENCE, events.chunk()).await.expect("in time").unwrap().expect("the stream goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_never_ends_is_given_up_with_a_word() {
    let (_portal, address) = portal(|config| config.connections.body_seconds = 1).await;
    let head = "host: localhost\r\nsec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 5000\r\n";
    let mut page = connect(address, &format!("POST /preferences HTTP/1.1\r\n{head}accept: text/html\r\naccept-language: en\r\n\r\nlang")).await;
    let answer = rest(&mut page).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("too slowly"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_say_nothing_leave_room_for_others() {
    let (portal, address) = portal(|config| config.connections.max = 16).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(connect(address, "GET /").await);
    }
    for _ in 0..20 {
        let answer = reqwest::get(portal.url("/healthz")).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}

/// Long enough that no answer comes of waiting.
fn patient(config: &mut Config) {
    config.connections.body_seconds = 600;
    config.connections.slow_per_address = 1_000;
    config.server.timeout_seconds = 600;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_refused_anyway_is_refused_without_its_body() {
    let (_portal, address) = portal(patient).await;
    let (ours, scripts) = ("sec-fetch-site: same-origin", "accept: application/json");
    for (line, header, length, status, code) in [
        ("POST /api/orders/submit", ours, 5_000, 401, "unauthenticated"),
        ("POST /imports/upload", ours, 200_000, 401, "unauthenticated"),
        ("POST /api/session/sign-in", "sec-fetch-site: cross-site", 5_000, 403, "cross_site"),
        ("POST /api/session/sign-in", ours, WITHOUT_SESSION + 1, 413, "too_large"),
        ("POST /api/join/complete", ours, 200_000, 413, "too_large"),
        ("PUT /api/session/sign-in", ours, 5_000, 405, "method_not_allowed"),
        ("POST /sign-in", ours, 5_000, 405, "method_not_allowed"),
        ("POST /no/such/page", ours, 5_000, 404, "not_found"),
        ("POST /api/v1/orders", "x: y", 5_000, 401, "unauthenticated"),
        ("POST /api/v1/orders", "x: y", 300_000, 413, "too_large"),
        ("PATCH /api/v1/orders", "x: y", 5_000, 405, "method_not_allowed"),
    ] {
        let head = format!("host: localhost\r\n{header}\r\n{scripts}\r\ncontent-length: {length}");
        let mut stream = connect(address, &format!("{line} HTTP/1.1\r\n{head}\r\n\r\nlang")).await;
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(code), "{line}, {length}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_without_a_session_must_be_small_and_says_so() {
    let (portal, _) = portal(patient).await;
    let people = portal.people().await;
    let long = "x".repeat(WITHOUT_SESSION);
    let fields = [("language", "en"), ("back", long.as_str())];
    let sent = portal.browser().form("/preferences", "/sign-in", &fields).send().await.unwrap();
    assert_eq!(sent.status(), 413);
    let known = portal.browser_of(&people.teacher).await;
    assert_eq!(known.form("/preferences", "/orders", &fields).send().await.unwrap().status(), 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_in_broken_chunks_is_malformed_and_a_long_one_too_large() {
    let (_portal, address) = portal(patient).await;
    let head = "host: localhost\r\nsec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\naccept: application/json\r\n\
                connection: close\r\ntransfer-encoding: chunked";
    let long = format!("{:x}\r\n{}\r\n0\r\n\r\n", WITHOUT_SESSION + 1, "x".repeat(WITHOUT_SESSION + 1));
    for (chunks, status, code) in [("zz\r\n", 400, "malformed"), ("4\r\nlangXX", 400, "malformed"), (long.as_str(), 413, "too_large")] {
        let mut stream = connect(address, &format!("POST /preferences HTTP/1.1\r\n{head}\r\n\r\n{chunks}")).await;
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(code), "{status}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bodies_of_one_address_are_bounded_together() {
    const PIECE: usize = 4_000;
    let largest = PIECE + 96;
    let (portal, address) = portal(|config| {
        patient(config);
        config.server.max_body_bytes = largest;
    })
    .await;
    let head = "host: localhost\r\nsec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\nconnection: close";
    let begun = format!("POST /preferences HTTP/1.1\r\n{head}\r\ncontent-length: {largest}\r\n\r\nback={}", "x".repeat(PIECE - 5));
    let (mut answers, mut writers) = (JoinSet::new(), Vec::new());
    let most = OF_SOURCE * largest / PIECE;
    for _ in 0..most + 8 {
        let (mut reading, writing) = connect(address, &begun).await.into_split();
        answers.spawn(async move { rest(&mut reading).await });
        writers.push(writing);
    }
    for _ in 0..8 {
        let answer = answers.join_next().await.expect("one of them").unwrap();
        assert!(answer.starts_with("HTTP/1.1 429") && answer.to_lowercase().contains("retry-after: 5"), "{answer}");
    }
    // The others are not affected, and what they held is free again afterwards.
    for writing in &mut writers {
        let _ = writing.write_all(&[b'x'; 96]).await;
    }
    while let Some(answer) = answers.join_next().await {
        let answer = answer.unwrap();
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    }
    let sent = portal.browser().form("/preferences", "/sign-in", &[("back", &"x".repeat(PIECE))]).send().await.unwrap();
    assert_eq!(sent.status(), 303);
}
