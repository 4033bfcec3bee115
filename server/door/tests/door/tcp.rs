//! TCP connections to a lab by an access token.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use domain::labs::LabState;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::fixtures::{Answer, COOKIE, FOREIGN, NARROW, Site, TOKEN, closed, in_time, read_until, until};

const UPGRADE: [(&str, &str); 2] = [("connection", "Upgrade"), ("upgrade", "lectern-tcp")];

/// Sends back what comes; counts the connections that are open.
async fn echo() -> (Arc<AtomicUsize>, SocketAddr) {
    let open = Arc::new(AtomicUsize::new(0));
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("an address");
    let counted = Arc::clone(&open);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            let open = Arc::clone(&counted);
            open.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
                let _ = to.shutdown().await;
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (open, address)
}

/// Asks for a connection to this port, and expects to be refused.
async fn refused(site: &Site, port: &str, headers: &[(&str, &str)]) -> Answer {
    let mut stream = site.connect().await;
    stream.write_all(site.head(&format!("GET /.lectern/tcp/{port}"), headers).as_bytes()).await.expect("sent");
    let head = read_until(&mut stream, "\r\n\r\n").await;
    assert!(!head.starts_with("HTTP/1.1 101 "), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|text| text.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    in_time(stream.read_exact(&mut body)).await.expect("the body");
    Answer(head + &String::from_utf8(body).expect("text"))
}

/// The headers of a program with this token.
fn with(bearer: &str) -> Vec<(&str, &str)> {
    [&UPGRADE[..], &[("authorization", bearer)]].concat()
}

async fn connected(site: &Site, port: u16) -> TcpStream {
    let mut stream = site.connect().await;
    let bearer = format!("Bearer {TOKEN}");
    stream.write_all(site.head(&format!("GET /.lectern/tcp/{port}"), &with(&bearer)).as_bytes()).await.expect("sent");
    let head = read_until(&mut stream, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("upgrade: lectern-tcp\r\n"), "{head}");
    stream
}

#[tokio::test]
async fn bytes_pass_both_ways_and_are_counted() {
    let (open, address) = echo().await;
    let site = Site::before(address).await;
    let mut socket = connected(&site, 2_222).await;
    let sent: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let (mut from, mut to) = socket.split();
    let mut back = vec![0; sent.len()];
    // More than all buffers on the way hold: neither side is read faster than the other takes it.
    let (read, written) = in_time(async { tokio::join!(from.read_exact(&mut back), to.write_all(&sent)) }).await;
    read.expect("all of it");
    written.expect("sent");
    assert!(back == sent, "the same bytes come back");
    let pass = &site.world.pass;
    assert_eq!((pass.bytes_in.load(Ordering::SeqCst), pass.bytes_out.load(Ordering::SeqCst)), (4_000_000, 4_000_000));
    // A side that ends is answered by the end of the other.
    socket.shutdown().await.expect("shut down");
    closed(&mut socket).await;
    until(|| open.load(Ordering::SeqCst) == 0).await;
    assert_eq!(*site.world.dialled_ports.lock().unwrap(), [2_222]);
}

#[tokio::test]
async fn a_connection_ends_with_the_pass_the_pod_and_the_server() {
    let (open, address) = echo().await;
    for end in ["pod", "server", "pass"] {
        let site = Site::before(address).await;
        let mut socket = connected(&site, 22).await;
        socket.write_all(b"x").await.expect("sent");
        assert_eq!(in_time(socket.read_u8()).await.expect("it comes back"), b'x');
        match end {
            "pod" => site.world.pass.close(LabState::Stopping),
            "pass" => site.world.pass.ended.cancel(),
            _ => site.stopping.cancel(),
        }
        closed(&mut socket).await;
        until(|| open.load(Ordering::SeqCst) == 0).await;
    }
}

#[tokio::test]
async fn no_cookie_and_no_page_makes_a_connection() {
    let (open, address) = echo().await;
    let site = Site::before(address).await;
    let (cookie, bearer, origin) = (format!("lectern-lab={COOKIE}"), format!("Bearer {TOKEN}"), site.origin());
    let by_cookie = refused(&site, "22", &[&UPGRADE[..], &[("cookie", cookie.as_str())]].concat()).await;
    assert_eq!((by_cookie.status(), by_cookie.header("www-authenticate")), (401, Some("Bearer")), "{by_cookie:?}");
    assert!(by_cookie.body().contains(r#""code":"no_token""#), "{by_cookie:?}");
    for page in [("origin", origin.as_str()), ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "websocket")] {
        let mut headers = with(&bearer);
        headers.extend([page, ("cookie", cookie.as_str())]);
        let answer = refused(&site, "22", &headers).await;
        assert_eq!(answer.status(), 403, "{page:?}: {answer:?}");
    }
    let authorization = ("authorization", bearer.as_str());
    for other in [&[("connection", "Upgrade"), ("upgrade", "websocket"), authorization][..], &[authorization]] {
        assert_eq!(refused(&site, "22", other).await.status(), 400, "{other:?}");
    }
    assert_eq!(site.ask("POST /.lectern/tcp/22", &with(&bearer), "").await.status(), 405);
    assert_eq!((open.load(Ordering::SeqCst), site.world.dialled.lock().unwrap().len()), (0, 0));
}

#[tokio::test]
async fn a_token_that_is_not_good_reaches_nothing() {
    let (_, address) = echo().await;
    let site = Site::before(address).await;
    let status = async |bearer: &str| refused(&site, "22", &with(bearer)).await.status();
    for (token, expected) in [("lct_unknown", 401), ("", 401), (NARROW, 403), (FOREIGN, 404)] {
        assert_eq!(status(&format!("Bearer {token}")).await, expected, "{token}");
    }
    assert_eq!(status(&format!("Basic {TOKEN}")).await, 401);
    site.world.away.store(true, Ordering::SeqCst);
    assert_eq!(status(&format!("Bearer {TOKEN}")).await, 503);
    site.world.away.store(false, Ordering::SeqCst);
    // As when it was revoked, its owner was disabled or left the course.
    site.world.pass.ended.cancel();
    assert_eq!(status(&format!("Bearer {TOKEN}")).await, 401);
    assert!(site.world.dialled.lock().unwrap().is_empty());
}

#[tokio::test]
async fn only_the_labs_own_port_and_those_of_ssh_are_reached() {
    let (_, address) = echo().await;
    let site = Site::before(address).await;
    let bearer = format!("Bearer {TOKEN}");
    for port in ["23", "8889", "6443", "10250"] {
        let answer = refused(&site, port, &with(&bearer)).await;
        assert!(answer.status() == 403 && answer.body().contains(r#""code":"wrong_port""#), "{port}: {answer:?}");
    }
    for path in ["0", "65536", "ssh", "22/"] {
        assert_eq!(refused(&site, path, &with(&bearer)).await.status(), 404, "{path}");
    }
    assert!(site.world.dialled.lock().unwrap().is_empty());
    for port in [22, 2_222, 8_888] {
        drop(connected(&site, port).await);
    }
    assert_eq!(*site.world.dialled_ports.lock().unwrap(), [22, 2_222, 8_888]);
}

#[tokio::test]
async fn a_lab_that_is_down_is_not_started_and_says_so() {
    let (_, address) = echo().await;
    let site = Site::before(address).await;
    let bearer = format!("Bearer {TOKEN}");
    site.world.pods.lock().unwrap().clear();
    assert_eq!(refused(&site, "22", &with(&bearer)).await.status(), 503, "nothing listens");
    site.world.pass.close(LabState::Stopped);
    let down = refused(&site, "22", &with(&bearer)).await;
    assert_eq!((down.status(), down.header("retry-after")), (503, Some("5")));
    assert!(down.body().contains(r#""state":"stopped""#), "{down:?}");
    assert_eq!(*site.world.pass.state.lock().unwrap(), LabState::Stopped);
}
