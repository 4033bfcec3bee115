//! What of the traffic through the door is real use. The rules have tests of their own; here they meet real requests and sockets.

use domain::visits::UseKind;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    app::App,
    fixtures::{Site, in_time},
};

fn used(site: &Site) -> Vec<UseKind> {
    site.world.pass.used.lock().expect("no panic").clone()
}

/// A text message as a browser sends it.
fn message(text: &str) -> Vec<u8> {
    const MASK: [u8; 4] = [1, 2, 3, 4];
    let length = u16::try_from(text.len()).expect("short");
    let mut frame = vec![0x81, 0xfe];
    frame.extend(length.to_be_bytes());
    frame.extend(MASK);
    frame.extend(text.bytes().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Sends bytes, and waits until they came back: then the door has seen them.
async fn exchange(socket: &mut TcpStream, bytes: &[u8]) {
    socket.write_all(bytes).await.expect("sent");
    let mut back = vec![0; bytes.len()];
    in_time(socket.read_exact(&mut back)).await.expect("all of it");
    assert_eq!(back, bytes, "they pass as they are");
}

#[tokio::test]
async fn pages_and_changes_are_use_and_polling_is_not() {
    let site = Site::before(App::start().await.1).await;
    for path in ["/api/kernels", "/api/sessions?1", "/api/terminals", "/api/status", "/api/contents/a.ipynb", "/static/lab.js"] {
        site.use_lab(&format!("GET {path}"), &[("sec-fetch-mode", "cors")], "").await;
    }
    site.use_lab("PUT /lab/api/workspaces/default", &[("sec-fetch-mode", "cors")], "{}").await;
    assert!(used(&site).is_empty());
    let page = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    site.use_lab("GET /lab", &page, "").await;
    site.use_lab("HEAD /lab", &page, "").await;
    site.use_lab("GET /lab", &[("sec-fetch-mode", "navigate"), ("sec-purpose", "prefetch")], "").await;
    site.use_lab("PUT /api/contents/a.ipynb", &[("sec-fetch-mode", "cors")], "{}").await;
    assert_eq!(used(&site), [UseKind::Page, UseKind::Change]);
}

#[tokio::test]
async fn a_cell_that_is_run_is_use_and_opening_a_notebook_again_is_not() {
    let site = Site::before(App::start().await.1).await;
    let mut socket = site.upgraded("/api/kernels/5f1c/channels").await;
    exchange(&mut socket, &message(r#"{"header":{"msg_type":"kernel_info_request"},"content":{}}"#)).await;
    assert!(used(&site).is_empty());
    let cell = message(r#"{"header":{"msg_type":"execute_request"},"content":{"code":"1 + 1"}}"#);
    for byte in &cell {
        exchange(&mut socket, &[*byte]).await;
    }
    assert_eq!(used(&site), [UseKind::Cell]);
}

#[tokio::test]
async fn keys_in_a_terminal_and_other_streams_are_use_by_their_own_rules() {
    let site = Site::before(App::start().await.1).await;
    let mut terminal = site.upgraded("/terminals/websocket/1").await;
    exchange(&mut terminal, &message(r#"["set_size",24,80,480,640]"#)).await;
    exchange(&mut terminal, &message(r#"["stdin","ls\r"]"#)).await;
    assert_eq!(used(&site), [UseKind::Terminal]);
    // An upgraded stream without frames, although it says that it has some.
    let mut socket = site.upgraded("/socket").await;
    exchange(&mut socket, b"SSH-2.0-OpenSSH_9.7\r\n").await;
    exchange(&mut socket, &[7; 1_000]).await;
    let seen = used(&site);
    assert!(seen.len() > 1 && seen[1..].iter().all(|kind| *kind == UseKind::Connection), "{seen:?}");
    let mut editor = site.upgraded("/socket").await;
    exchange(&mut editor, &message("beat")).await;
    assert_eq!(used(&site), seen, "one short message");
    exchange(&mut editor, &message(&"x".repeat(200))).await;
    assert_eq!(used(&site).last(), Some(&UseKind::Input));
}
