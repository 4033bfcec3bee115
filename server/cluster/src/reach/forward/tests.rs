use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::reach::fake_socket::{Server, pair};

/// Port 8888, little-endian, on both channels.
fn begin(server: &Server) {
    server.say(&[0, 0xb8, 0x22]);
    server.say(&[1, 0xb8, 0x22]);
}

#[tokio::test]
async fn data_goes_both_ways_in_messages_of_the_first_channel() {
    let (socket, mut server) = pair();
    begin(&server);
    let mut forward = Forward::open(socket).await.expect("a connection");
    forward.write_all(b"GET /").await.expect("written");
    assert_eq!(server.hears().await.as_deref(), Some(&b"\0GET /"[..]));
    server.say(b"\0half");
    server.say(b"\0 and half");
    server.close();
    let mut answer = String::new();
    forward.read_to_string(&mut answer).await.expect("an answer");
    assert_eq!(answer, "half and half");
}

#[tokio::test]
async fn a_large_write_is_cut_into_messages() {
    let (socket, mut server) = pair();
    begin(&server);
    let mut forward = Forward::open(socket).await.expect("a connection");
    let large = vec![7_u8; LARGEST + 1];
    forward.write_all(&large).await.expect("written");
    assert_eq!(server.hears().await.map(|message| message.len()), Some(LARGEST + 1));
    assert_eq!(server.hears().await, Some(vec![0, 7]));
}

#[tokio::test]
async fn a_refused_connection_is_an_error_and_no_empty_answer() {
    let (socket, server) = pair();
    begin(&server);
    server.say(b"\x01error forwarding port 8888: connection refused\n");
    server.close();
    let error = Forward::open(socket).await.err().expect("refused");
    assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::ConnectionRefused, "error forwarding port 8888: connection refused"));
}

#[tokio::test]
async fn a_refusal_that_comes_late_is_the_error_of_the_first_read() {
    let (socket, server) = pair();
    begin(&server);
    let mut forward = Forward::open(socket).await.expect("nothing is known against it yet");
    server.say(b"\x01connection refused");
    server.close();
    let error = forward.read_u8().await.expect_err("refused");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_connection_that_is_cut_off_is_not_an_end() {
    let (socket, server) = pair();
    begin(&server);
    server.say(b"\0part");
    let mut forward = Forward::open(socket).await.expect("a connection");
    server.fail();
    let mut answer = Vec::new();
    assert!(forward.read_to_end(&mut answer).await.is_err());
    assert_eq!(answer, b"part");
    let (socket, server) = pair();
    drop(server);
    assert!(Forward::open(socket).await.is_err(), "it never began");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_vanished_ends_the_connection_within_a_minute() {
    for writes in [false, true] {
        let (socket, mut server) = pair();
        begin(&server);
        let mut forward = Forward::open(socket).await.expect("a connection");
        if writes {
            forward.write_all(b"typed").await.expect("written");
            server.hears().await.expect("it was sent");
        }
        let began = Instant::now();
        let error = forward.read_u8().await.expect_err("nobody answers");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() <= Duration::from_mins(1), "{:?}", began.elapsed());
        assert_eq!(server.hears().await, Some(Vec::new()), "a ping was sent");
        assert!(forward.read_u8().await.is_err(), "it stays ended");
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_connection_lives_as_long_as_its_pings_are_answered() {
    let (socket, mut server) = pair();
    begin(&server);
    let mut forward = Forward::open(socket).await.expect("a connection");
    let answering = async {
        for _ in 0..100 {
            assert_eq!(server.hears().await, Some(Vec::new()));
            server.answer_ping();
        }
        server.say(b"\0x");
    };
    let (read, ()) = tokio::join!(forward.read_u8(), answering);
    assert_eq!(read.expect("data"), b'x');
}
