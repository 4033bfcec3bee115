//! Real connections to a real port, with very short limits. Nothing here measures time: each test waits for an event that must happen.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    response::Response,
    routing::{get, post},
};
use futures::{StreamExt as _, stream};
use listener::{Ended, Limits, Listener};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// A test that hangs fails after this time.
const PATIENCE: Duration = Duration::from_mins(2);

struct Port {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<Ended>,
}

impl Drop for Port {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn port(limits: Limits, router: Router) -> Port {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("an address");
    let stop = CancellationToken::new();
    let serving = tokio::spawn(Listener::new(socket, limits, stop.clone(), Duration::from_secs(1)).serve(router));
    Port { address, stop, serving }
}

/// `/` answers at once, `/ticks` never ends, `/post` answers with the length of the body.
fn router() -> Router {
    let ticks = || async {
        let ticks = stream::repeat(()).then(|()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok::<_, Infallible>(Bytes::from_static(b"tick\n"))
        });
        Response::new(Body::from_stream(ticks))
    };
    Router::new()
        .route("/", get(|| async { "here\n" }))
        .route("/ticks", get(ticks))
        .route("/post", post(|body: Bytes| async move { body.len().to_string() }))
}

impl Port {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// A connection on which one request was answered.
    async fn kept(&self) -> TcpStream {
        let mut stream = self.connect().await;
        assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"), "answered");
        stream
    }

    /// Sends a byte of a head now and then, until the server closes the connection.
    fn drip(&self) -> JoinHandle<()> {
        let address = self.address;
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx: ").await;
            let (mut reading, mut writing) = stream.split();
            let drops = async {
                while writing.write_all(b"y").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let closed = async { while reading.read(&mut [0; 64]).await.is_ok_and(|bytes| bytes > 0) {} };
            tokio::select! { () = drops => {}, () = closed => {} }
        })
    }
}

/// Sends one request on a kept connection and reads its answer.
async fn ask(stream: &mut TcpStream) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    read_until(stream, "here\n").await
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    while !text.contains(end) {
        let bytes = in_time(stream.read(&mut buffer)).await.expect("readable");
        assert!(bytes > 0, "closed after {text:?}");
        text.push_str(&String::from_utf8_lossy(&buffer[..bytes]));
    }
    text
}

async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset counts as closed too.
    let _ = in_time(stream.read_to_end(&mut rest)).await;
    assert_eq!(String::from_utf8_lossy(&rest), "", "nothing was said");
}

async fn in_time<T>(doing: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, doing).await.expect("in time")
}

/// Limits that no test reaches; a test changes one of them.
fn generous() -> Limits {
    Limits { head: PATIENCE, idle: PATIENCE, body: PATIENCE, write: PATIENCE, ..Limits::for_testing() }
}

#[tokio::test]
async fn heads_that_drip_and_connections_that_say_nothing_are_closed() {
    let port = port(Limits { head: Limits::for_testing().head, ..generous() }, router()).await;
    let dripping = [port.drip(), port.drip(), port.drip()];
    let mut silent = port.connect().await;
    for one in dripping {
        in_time(one).await.expect("closed by the server");
    }
    closed(&mut silent).await;
}

#[tokio::test]
async fn a_kept_connection_is_closed_when_it_rests_too_long_and_a_stream_is_not() {
    let port = port(Limits { idle: Limits::for_testing().idle, ..generous() }, router()).await;
    let mut streaming = port.connect().await;
    streaming.write_all(b"GET /ticks HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    read_until(&mut streaming, "tick").await;
    let mut kept = port.kept().await;
    ask(&mut kept).await;
    closed(&mut kept).await;
    // The stream still runs, although it is older than the closed connection.
    read_until(&mut streaming, "tick\n").await;
}

#[tokio::test]
async fn a_body_that_drips_is_refused_and_one_that_comes_in_pieces_is_not() {
    let port = port(Limits { body: Limits::for_testing().body, ..generous() }, router()).await;
    // Bytes that came quickly before earn no time.
    for at_once in [0, 250_000] {
        let mut dripping = port.connect().await;
        dripping.write_all(b"POST /post HTTP/1.1\r\nhost: x\r\ncontent-length: 400000\r\n\r\n").await.expect("sent");
        dripping.write_all(&vec![b'x'; at_once]).await.expect("sent");
        let (mut reading, mut writing) = dripping.into_split();
        let drops = tokio::spawn(async move {
            while writing.write_all(b"y").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let mut answer = Vec::new();
        let _ = in_time(reading.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("too slowly"), "{at_once}: {answer}");
        in_time(drops).await.expect("the connection is closed");
    }

    let mut pieces = port.connect().await;
    pieces.write_all(b"POST /post HTTP/1.1\r\nhost: x\r\ncontent-length: 40000\r\n\r\n").await.expect("sent");
    for _ in 0..4 {
        pieces.write_all(&[b'y'; 10_000]).await.expect("sent");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let answer = read_until(&mut pieces, "40000").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_handler_that_reads_late_gets_the_whole_body() {
    let limits = Limits { body: Limits::for_testing().body, ..generous() };
    let late = post(move |body: Body| async move {
        // Longer than a body may take, and the server looks at it many times.
        tokio::time::sleep(4 * limits.body).await;
        let pieces: Vec<_> = body.into_data_stream().collect().await;
        pieces.into_iter().map(|piece| piece.map_or(0, |bytes| bytes.len())).sum::<usize>().to_string()
    });
    let port = port(limits, router().route("/late", late)).await;
    let mut stream = port.connect().await;
    stream.write_all(b"POST /late HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n").await.expect("sent");
    stream.write_all(&[b'y'; 5_000]).await.expect("sent");
    let answer = read_until(&mut stream, "5000").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up() {
    struct Told(Arc<Notify>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let given_up = Arc::new(Notify::new());
    let told = Arc::clone(&given_up);
    let endless = get(move || {
        let told = Told(Arc::clone(&told));
        let pieces = stream::repeat_with(move || {
            let _ = &told;
            Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 16_384]))
        });
        async move { Response::new(Body::from_stream(pieces)) }
    });
    let port = port(Limits { write: Limits::for_testing().write, ..generous() }, router().route("/endless", endless)).await;
    let mut stream = port.connect().await;
    stream.write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    in_time(given_up.notified()).await;
}

#[tokio::test]
async fn when_all_places_are_taken_by_dripping_connections_others_are_served_all_the_same() {
    let limits = Limits { slow_per_address: 1_000, ..generous() };
    let port = port(limits, router()).await;
    let mut streaming = port.connect().await;
    streaming.write_all(b"GET /ticks HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    read_until(&mut streaming, "tick").await;
    let dripping: Vec<_> = (0..5 * limits.connections).map(|_| port.drip()).collect();
    // Most of them are closed, only for lack of room.
    let mut open = dripping;
    in_time(async {
        while open.len() > limits.connections {
            tokio::time::sleep(Duration::from_millis(10)).await;
            open.retain(|one| !one.is_finished());
        }
    })
    .await;
    for _ in 0..2 * limits.connections {
        let mut stream = port.connect().await;
        assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"), "served");
    }
    read_until(&mut streaming, "tick\n").await;
    open.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn of_one_address_with_many_dripping_connections_only_those_are_closed() {
    // A connection is slow after an eighth of the time for a head.
    let limits = Limits { head: Duration::from_secs(8), connections: 1_000, ..generous() };
    let port = port(limits, router()).await;
    let mut kept = Vec::new();
    for _ in 0..12 {
        kept.push(port.kept().await);
    }
    let dripping: Vec<_> = (0..3 * limits.slow_per_address).map(|_| port.drip()).collect();
    in_time(async {
        while dripping.iter().filter(|one| one.is_finished()).count() < 2 * limits.slow_per_address {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    for stream in &mut kept {
        assert!(ask(stream).await.starts_with("HTTP/1.1 200"), "served on the same connection");
    }
    dripping.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn a_server_that_stops_answers_what_was_asked() {
    let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = get({
        let (asked, go_on) = (Arc::clone(&asked), Arc::clone(&go_on));
        move || {
            let (asked, go_on) = (Arc::clone(&asked), Arc::clone(&go_on));
            async move {
                asked.notify_one();
                go_on.notified().await;
                "late\n"
            }
        }
    });
    let mut port = port(generous(), router().route("/slow", slow)).await;
    let (mut kept, mut waiting) = (port.kept().await, port.connect().await);
    waiting.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    in_time(asked.notified()).await;
    port.stop.cancel();
    closed(&mut kept).await;
    go_on.notify_one();
    read_until(&mut waiting, "late\n").await;
    assert_eq!(in_time(&mut port.serving).await.expect("it ends"), Ended::Done);
}

#[tokio::test]
async fn what_does_not_end_by_itself_is_cut_off_when_the_server_stops() {
    let mut port = port(generous(), router()).await;
    let mut streaming = port.connect().await;
    streaming.write_all(b"GET /ticks HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    read_until(&mut streaming, "tick").await;
    port.stop.cancel();
    assert_eq!(in_time(&mut port.serving).await.expect("it ends"), Ended::CutOff(1));
}

#[tokio::test]
async fn while_it_is_not_open_every_connection_is_closed_at_once() {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("an address");
    let (turn, turned) = tokio::sync::watch::channel(0);
    let open = Arc::new(AtomicBool::new(true));
    let is_open = Arc::clone(&open);
    let listener = Listener::new(socket, generous(), CancellationToken::new(), Duration::from_secs(1));
    let listener = listener.open_while(turned, move || is_open.load(Ordering::SeqCst));
    let port = Port { address, stop: CancellationToken::new(), serving: tokio::spawn(listener.serve(router())) };
    let mut kept = port.kept().await;
    open.store(false, Ordering::SeqCst);
    closed(&mut port.connect().await).await;
    turn.send(1).expect("heard");
    closed(&mut kept).await;
    open.store(true, Ordering::SeqCst);
    port.kept().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let port = port(generous(), router()).await;
    let mut stream = port.connect().await;
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(200_000));
    // The server may close the connection before it has read everything.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = in_time(stream.read_to_end(&mut answer)).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn a_client_that_closes_its_side_gets_its_answer_where_it_may() {
    for (half_close, is_answered) in [(PATIENCE, true), (Duration::ZERO, false)] {
        let (asked, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let waits = {
            let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
            move || {
                let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
                async move {
                    asked.notify_one();
                    answer.notified().await;
                    "late\n"
                }
            }
        };
        let port = port(Limits { half_close, ..generous() }, Router::new().route("/", get(waits))).await;
        let mut stream = port.connect().await;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        asked.notified().await;
        stream.shutdown().await.expect("closed");
        let mut text = String::new();
        if is_answered {
            answer.notify_one();
        }
        tokio::time::timeout(PATIENCE, stream.read_to_string(&mut text)).await.expect("in time").expect("read");
        assert_eq!(text.ends_with("late\n"), is_answered, "{text}");
    }
}
