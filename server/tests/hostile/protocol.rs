//! What is hardly HTTP: the next request is answered all the same.

use crate::{
    judge::{Judge, listen},
    nasty::Chance,
    wire::{Ask, raw},
    world::World,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_hardly_http_is_refused_and_the_next_request_answered() {
    listen();
    let world = World::on(storage::testing::TestDatabase::sqlite().await).await;
    let (mut chance, mut judge) = (Chance::new(), Judge::default());
    let host = "host: x\r\nconnection: close\r\n";
    let long = "a".repeat(70_000);
    let mut all: Vec<Vec<u8>> = vec![
        b"\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\0\x01\0".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        format!("GET / HTTP/1.1\r\n{host}\r\n").into(),
        b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n".to_vec(),
        format!("get / HTTP/1.1\r\n{host}\r\n").into(),
        format!("TRACE / HTTP/1.1\r\n{host}\r\n").into(),
        format!("CONNECT evil.example:443 HTTP/1.1\r\n{host}\r\n").into(),
        format!("GET http://evil.example/ HTTP/1.1\r\n{host}\r\n").into(),
        format!("GET * HTTP/1.1\r\n{host}\r\n").into(),
        format!("OPTIONS * HTTP/1.1\r\n{host}\r\n").into(),
        format!("GET //evil.example/%2e%2e HTTP/1.1\r\n{host}\r\n").into(),
        format!("GET /{long} HTTP/1.1\r\n{host}\r\n").into(),
        format!("GET /?{} HTTP/1.1\r\n{host}\r\n", &long[..60_000]).into(),
        format!("GET / HTTP/1.1\r\n{host}x: {}\r\n\r\n", long.repeat(8)).into(),
        format!("GET / HTTP/1.1\r\n{host}{}\r\n", "x: y\r\n".repeat(500)).into(),
        format!("GET / HTTP/1.1\r\n{host}content-length: -1\r\n\r\n").into(),
        format!("POST /preferences HTTP/1.1\r\n{host}sec-fetch-site: same-origin\r\ncontent-length: 999999999999\r\n\r\n").into(),
        format!("POST /preferences HTTP/1.1\r\n{host}content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef").into(),
        format!("POST /preferences HTTP/1.1\r\n{host}sec-fetch-site: same-origin\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n").into(),
        format!("POST /preferences HTTP/1.1\r\n{host}sec-fetch-site: same-origin\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\na").into(),
    ];
    // A body over the limit that does not say so beforehand.
    let chunk = format!("{:x}\r\n{}\r\n", long.len(), long).repeat(8);
    for (path, media) in [
        ("/preferences", "application/x-www-form-urlencoded"),
        ("/api/v1/orders", "application/json"),
        ("/imports/upload", "multipart/form-data; boundary=x"),
    ] {
        let authorization = format!("authorization: {}\r\ncookie: {}", world.administrator, world.cookie(&world.people.administrator).await);
        let head = format!(
            "POST {path} HTTP/1.1\r\n{host}sec-fetch-site: same-origin\r\n{authorization}\r\ncontent-type: {media}\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        all.push(format!("{head}{chunk}0\r\n\r\n").into());
    }
    all.extend((0..40).map(|_| [chance.bytes(300), b"\r\n\r\n".to_vec()].concat()));
    for bytes in all {
        let shown = Ask::new("raw", bytes.clone());
        // Some of it has no end that the server could see: the test closes its half by itself.
        match raw(world.address, &bytes).await {
            Some(answer) => judge.any(&shown, Some(&answer)),
            None => println!("closed without a word: {}", shown.shown()),
        }
        let next = Ask::get("/healthz");
        let answer = next.send(world.address).await;
        if answer.as_ref().is_none_or(|answer| answer.status != 200) {
            judge.blame(&shown, "after it the portal does not answer");
        }
    }
    judge.end("protocol");
}
