//! Requests, their answers and streams on their way.

use std::sync::atomic::Ordering;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{
    app::App,
    fixtures::{COOKIE, Site, closed, in_time, read_until, until},
};

#[tokio::test]
async fn the_lab_gets_the_request_and_nothing_of_ours() {
    let site = Site::before(App::start().await.1).await;
    let (origin, port) = (site.origin(), site.port);
    let headers = [
        ("origin", origin.as_str()),
        ("cookie", "own=1; lectern=s; __Host-lectern-device=d"),
        ("forwarded", "for=6.6.6.6"),
        ("x-forwarded-for", "6.6.6.6"),
        ("x-real-ip", "6.6.6.6"),
        ("authorization", "Bearer of-the-application"),
        ("te", "trailers"),
    ];
    let answer = site.use_lab("POST /api/%2Fa//b?x=%20&y", &headers, "the body").await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    for sent in [
        "POST /api/%2Fa//b?x=%20&y\n",
        &format!("host: lab-7.localhost:{port}\n"),
        &format!("origin: {origin}\n"),
        "cookie: own=1\n",
        "x-forwarded-for: 127.0.0.1\n",
        "x-real-ip: 127.0.0.1\n",
        &format!("x-forwarded-host: lab-7.localhost:{port}\n"),
        "x-forwarded-proto: http\n",
        "authorization: Bearer of-the-application\n",
        "content-length: 8\n",
        "\n\nthe body",
    ] {
        assert!(answer.body().contains(sent), "{sent} is not in {answer:?}");
    }
    for kept in ["6.6.6.6", COOKIE, "device", "forwarded:", "\nte:", "connection:"] {
        assert!(!answer.body().contains(kept), "{kept} is in {answer:?}");
    }
    let token = format!("lct_{}", "x".repeat(43));
    let (query, cookie) = (format!("GET /a?x=1&token={token}"), format!("a=1; key={token}"));
    let headers = [("authorization", "Bearer lct_0123456789"), ("x-api-key", token.as_str()), ("cookie", cookie.as_str())];
    let answer = site.use_lab(&query, &headers, "").await;
    assert!(answer.status() == 200 && !answer.body().contains("lct_"), "{answer:?}");
    assert!(answer.body().starts_with("GET /a?x=1\n") && answer.body().contains("cookie: a=1\n"), "{answer:?}");
    let pass = &site.world.pass;
    assert!(pass.bytes_in.load(Ordering::SeqCst) > 8 && pass.bytes_out.load(Ordering::SeqCst) > 8, "bytes are counted");
}

#[tokio::test]
async fn behind_a_proxy_the_lab_is_told_of_the_client_that_it_saw() {
    let site = Site::with(App::start().await.1, |settings| settings.behind_proxy = true).await;
    let answer = site.use_lab("GET /", &[("x-forwarded-for", "6.6.6.6, 10.0.0.7")], "").await;
    assert!(answer.body().contains("x-forwarded-for: 10.0.0.7\n"), "{answer:?}");
}

#[tokio::test]
async fn an_answer_passes_as_it_is_but_for_what_binds_other_sites() {
    let site = Site::before(App::start().await.1).await;
    let answer = site.use_lab("GET /headers", &[("accept-encoding", "gzip, br")], "").await;
    assert_eq!((answer.status(), answer.body()), (200, "packed"));
    assert_eq!((answer.header("content-encoding"), answer.header("set-cookie")), (Some("gzip"), Some("own=1; Path=/")));
    assert_eq!(answer.header("content-security-policy"), Some("frame-ancestors 'self'"));
    for gone in ["strict-transport-security", "alt-svc", "clear-site-data", "service-worker-allowed", "stolen", "Domain", "x-content-type-options"] {
        assert!(!answer.0.contains(gone), "{gone} is in {answer:?}");
    }
}

#[tokio::test]
async fn a_service_worker_cannot_stand_before_the_door() {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    let worker = ("service-worker", "script");
    let whole = site.use_lab("GET /sw.js?v=1", &[worker, ("sec-fetch-dest", "serviceworker")], "").await;
    assert!(whole.status() == 403 && whole.body().contains(r#""code":"worker_of_site""#), "{whole:?}");
    assert_eq!(app.requests.load(Ordering::SeqCst), 0);
    // One in a folder may, and a page's own script too, which no browser keeps for a worker.
    assert_eq!(site.use_lab("GET /static/sw.js", &[worker], "").await.status(), 200);
    let script = site.use_lab("GET /sw.js", &[], "").await;
    assert_eq!((script.status(), script.header("vary")), (200, Some("service-worker")));
    assert_eq!(site.use_lab("GET /static/a.js", &[], "").await.header("vary"), None);
}

#[tokio::test]
async fn a_body_has_one_length_whatever_the_client_says_of_it() {
    let site = Site::before(App::start().await.1).await;
    let own = format!("cookie: lectern-lab={COOKIE}\r\nsec-fetch-site: same-origin\r\nconnection: close\r\n");
    let head = format!("POST / HTTP/1.1\r\nhost: lab-7.localhost:{}\r\n{own}", site.port);
    let chunks = "5\r\nhello\r\n0\r\n\r\n";
    for lengths in ["transfer-encoding: chunked\r\ncontent-length: 3\r\n", "content-length: 3\r\ntransfer-encoding: chunked\r\n"] {
        let answer = site.ask_raw(&format!("{head}{lengths}\r\n{chunks}")).await;
        assert_eq!(answer.status(), 200, "{answer:?}");
        assert!(answer.body().contains("transfer-encoding: chunked\n") && !answer.body().contains("content-length"), "{answer:?}");
        assert!(answer.body().contains("\n\nhello"), "{answer:?}");
    }
    for refused in [
        "content-length: 3\r\ncontent-length: 5\r\n\r\nhello",
        "content-length: 3, 5\r\n\r\nhello",
        "content-length: +5\r\n\r\nhello",
        "transfer-encoding: chunked, identity\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "transfer-encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "content-length : 5\r\n\r\nhello",
    ] {
        let answer = site.ask_raw(&format!("{head}{refused}")).await;
        assert!([0, 400].contains(&answer.status()), "{refused}: {answer:?}");
    }
    let malformed = site.ask_raw(&format!("{head}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\nnonsense\r\n")).await;
    assert!(malformed.status() == 400 && malformed.body().contains(r#""code":"malformed""#), "{malformed:?}");
    // A GET with a body of unknown length keeps it.
    let get = format!("GET / HTTP/1.1\r\nhost: lab-7.localhost:{}\r\n{own}transfer-encoding: chunked\r\n\r\n{chunks}", site.port);
    assert!(site.ask_raw(&get).await.body().contains("\n\nhello"));
}

#[tokio::test]
async fn pieces_pass_as_they_come_and_a_cut_answer_is_not_a_whole_one() {
    let site = Site::before(App::start().await.1).await;
    let whole = site.use_lab("GET /bytes", &[], "").await;
    let letters: String = whole.body().lines().skip(1).step_by(2).collect();
    assert_eq!(letters, "one by one", "{whole:?}");
    let cut = site.use_lab("GET /cut", &[], "").await;
    assert!(cut.body().contains("half") && !cut.body().contains("\r\n0\r\n"), "{cut:?}");
}

#[tokio::test]
async fn an_answer_has_one_length_whatever_the_lab_says_of_it() {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            read_until(&mut stream, "\r\n\r\n").await;
            let both = "content-length: 4\r\ntransfer-encoding: chunked\r\n";
            let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{both}\r\n5\r\nhello\r\n0\r\n\r\n").as_bytes()).await;
        }
    });
    let site = Site::before(address).await;
    let answer = site.use_lab("GET /", &[], "").await;
    assert!(answer.status() == 200 && answer.header("content-length").is_none(), "{answer:?}");
    assert!(answer.body().contains("hello") && answer.body().ends_with("0\r\n\r\n"), "{answer:?}");
}

/// Sends a GET with the pass and leaves the connection open.
async fn begin(site: &Site, path: &str) -> TcpStream {
    let mut stream = site.connect().await;
    let cookie = format!("lectern-lab={COOKIE}");
    let head = site.head(&format!("GET {path}"), &[("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")]);
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream
}

#[tokio::test]
async fn a_stream_ends_with_the_pass_and_with_the_pod() {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    let mut stream = begin(&site, "/stream").await;
    read_until(&mut stream, "first\r\n").await;
    site.world.pods.lock().unwrap().insert("pod-2".to_owned(), address);
    std::mem::take(&mut *site.world.pass.gone.lock().unwrap()).cancel();
    site.world.pass.serve_by("pod-2");
    closed(&mut stream).await;
    let mut stream = begin(&site, "/stream").await;
    read_until(&mut stream, "first\r\n").await;
    site.world.pass.ended.cancel();
    closed(&mut stream).await;
    until(|| app.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn a_browser_that_leaves_ends_the_request_in_the_lab() {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    let waiting = begin(&site, "/silent").await;
    until(|| app.requests.load(Ordering::SeqCst) == 1).await;
    drop(waiting);
    until(|| app.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn the_lab_is_read_as_fast_as_the_browser_reads() {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    let mut stream = begin(&site, "/flood").await;
    read_until(&mut stream, "\r\n\r\n").await;
    // The browser reads no more: the buffers of the sockets fill up, and then nothing more is taken.
    let mut before = 0;
    in_time(async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            let now = app.flooded.load(Ordering::SeqCst);
            if now == before {
                break;
            }
            before = now;
        }
    })
    .await;
    let mut piece = vec![0; 8 * 1_024 * 1_024];
    in_time(stream.read_exact(&mut piece)).await.expect("more");
    until(|| app.flooded.load(Ordering::SeqCst) > before).await;
    drop(stream);
    until(|| app.open.load(Ordering::SeqCst) == 0).await;
}

/// An application that answers one request of a connection and then closes it, as Node does with idle ones.
async fn closes_idle_connections() -> (std::net::SocketAddr, tokio::sync::mpsc::UnboundedReceiver<()>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("an address");
    let (done, closed) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            read_until(&mut stream, "\r\n\r\n").await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            let _ = stream.shutdown().await;
            // Until the door has closed it too.
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            let _ = done.send(());
        }
    });
    (address, closed)
}

#[tokio::test]
async fn a_kept_connection_that_the_lab_has_closed_costs_no_request() {
    let (address, mut closed) = closes_idle_connections().await;
    let site = Site::before(address).await;
    for _ in 0..20 {
        let answer = site.use_lab("DELETE /x", &[], "").await;
        assert_eq!((answer.status(), answer.body()), (200, "ok"), "{answer:?}");
        in_time(closed.recv()).await.expect("closed");
    }
}

#[tokio::test]
async fn a_kept_connection_serves_its_own_pod_alone() {
    let (first, (second, address)) = (App::start().await, App::start().await);
    let site = Site::before(first.1).await;
    for _ in 0..3 {
        assert_eq!(site.use_lab("GET /", &[], "").await.status(), 200);
    }
    let dialled = || site.world.dialled.lock().unwrap().clone();
    assert!(dialled().iter().all(|uid| uid == "pod-1"), "{:?}", dialled());
    // The pod is replaced; its name is the same, and its address is another lab's by now.
    site.world.pods.lock().unwrap().insert("pod-2".to_owned(), address);
    site.world.pass.serve_by("pod-2");
    assert_eq!(site.use_lab("GET /", &[], "").await.status(), 200);
    assert_eq!((first.0.requests.load(Ordering::SeqCst), second.requests.load(Ordering::SeqCst)), (3, 1));
    assert_eq!(dialled().iter().filter(|uid| *uid == "pod-2").count(), 1, "{:?}", dialled());
}

#[tokio::test]
async fn one_lab_takes_no_more_than_its_places() {
    let (app, address) = App::start().await;
    let site = Site::with(address, |settings| settings.per_lab = 2).await;
    let first = begin(&site, "/silent").await;
    let _second = begin(&site, "/silent").await;
    until(|| app.requests.load(Ordering::SeqCst) == 2).await;
    let refused = site.use_lab("GET /", &[], "").await;
    assert_eq!((refused.status(), refused.header("retry-after")), (429, Some("5")), "{refused:?}");
    drop(first);
    until(|| app.open.load(Ordering::SeqCst) == 1).await;
    assert_eq!(site.use_lab("GET /", &[], "").await.status(), 200);
}
