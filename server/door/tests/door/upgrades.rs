//! WebSockets and other connections that stop being HTTP.

use std::sync::atomic::Ordering;

use domain::labs::LabState;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    app::App,
    fixtures::{COOKIE, Site, closed, in_time, until},
};

#[tokio::test]
async fn bytes_of_a_socket_pass_both_ways_and_are_counted() {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    let mut socket = site.upgraded("/socket").await;
    let sent: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let (mut from, mut to) = socket.split();
    let mut back = vec![0; sent.len()];
    let (read, written) = in_time(async { tokio::join!(from.read_exact(&mut back), to.write_all(&sent)) }).await;
    read.expect("all of it");
    written.expect("sent");
    assert!(back == sent, "the same bytes come back");
    let pass = &site.world.pass;
    assert!(pass.bytes_in.load(Ordering::SeqCst) >= 4_000_000 && pass.bytes_out.load(Ordering::SeqCst) >= 4_000_000);
    // A side that ends is answered by the end of the other.
    socket.shutdown().await.expect("shut down");
    closed(&mut socket).await;
    until(|| app.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn a_socket_ends_with_the_pass_the_pod_and_the_server() {
    let (app, address) = App::start().await;
    for end in ["pod", "server", "pass"] {
        let site = Site::before(address).await;
        let mut socket = site.upgraded("/socket").await;
        match end {
            "pod" => site.world.pass.close(LabState::Stopping),
            "pass" => site.world.pass.ended.cancel(),
            _ => site.stopping.cancel(),
        }
        closed(&mut socket).await;
        until(|| app.open.load(Ordering::SeqCst) == 0).await;
    }
}

#[tokio::test]
async fn a_refused_handshake_passes_with_its_body() {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "a2V5")];
    for status in [200, 403, 503] {
        let answer = site.use_lab(&format!("GET /refuse/{status}"), &upgrade, "").await;
        assert_eq!((answer.status(), answer.body(), answer.header("x-own")), (status, "no socket here", Some("kept")), "{answer:?}");
        assert_eq!(answer.header("connection"), Some("close"));
    }
    until(|| app.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn a_protocol_that_nobody_asked_for_is_no_answer() {
    let site = Site::before(App::start().await.1).await;
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    assert_eq!(site.use_lab("GET /other-protocol", &upgrade, "").await.status(), 502);
    assert_eq!(site.use_lab("GET /socket", &[], "").await.status(), 502, "without a question");
    // HTTP/2 inside would go around the door: the request passes as an ordinary one.
    let plain = site.use_lab("GET /", &[("connection", "upgrade, http2-settings"), ("upgrade", "h2c"), ("http2-settings", "AA")], "").await;
    assert!(plain.status() == 200 && !plain.body().contains("h2c") && !plain.body().contains("http2"), "{plain:?}");
}

#[tokio::test]
async fn the_lab_gets_the_handshake_without_our_cookie() {
    let site = Site::before(App::start().await.1).await;
    let upgrade = [("connection", "keep-alive, Upgrade"), ("upgrade", "websocket"), ("sec-websocket-protocol", "v1.kernel")];
    let seen = site.use_lab("GET /lab", &upgrade, "").await;
    for sent in ["connection: upgrade\n", "upgrade: websocket\n", "sec-websocket-protocol: v1.kernel\n"] {
        assert!(seen.body().contains(sent), "{sent} is not in {seen:?}");
    }
    assert!(!seen.body().contains(COOKIE), "{seen:?}");
}

#[tokio::test]
async fn what_the_door_does_is_counted() {
    let site = Site::before(App::start().await.1).await;
    let counts = &site.counts;
    assert_eq!(site.use_lab("GET /", &[], "").await.status(), 200);
    assert_eq!(site.use_lab("GET /refuse/403", &[], "").await.status(), 403);
    assert_eq!(site.ask("GET /api", &[], "").await.status(), 401);
    assert_eq!(counts.outcomes(), [("no_pass", 1), ("passed", 2)], "an answer of the lab is no refusal of the door");
    let (to_lab, from_lab) = counts.bytes();
    assert!(to_lab > 0 && from_lab > 0, "{counts:?}");
    let socket = site.upgraded("/socket").await;
    assert_eq!(counts.sockets(), 1);
    drop(socket);
    until(|| counts.sockets() == 0).await;
    assert!(counts.outcomes().contains(&("socket", 1)), "{counts:?}");
    let form = [("content-type", "application/x-www-form-urlencoded"), ("origin", "http://evil.example")];
    assert_eq!(site.ask("POST /.lectern/enter", &form, "ticket=x").await.status(), 403);
    assert_eq!(counts.refused_tickets(), (0, 1));
}
