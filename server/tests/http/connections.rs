//! The portal's own port uses the limits of `[connections]`; the tests of the listener's crate show their effect.

use std::{net::SocketAddr, time::Duration};

use server::config::Config;
use services::testing::TestWorld;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
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
async fn rest(stream: &mut TcpStream) -> String {
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
