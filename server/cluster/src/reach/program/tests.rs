use super::*;
use crate::reach::fake_socket::{Server, pair};

const SUCCESS: &[u8] = br#"{"metadata":{},"status":"Success"}"#;

fn started(output: Output) -> (Exec, Server) {
    let (socket, server) = pair();
    (attach(socket, Input::Ends, output), server)
}

fn say(server: &Server, channel: u8, bytes: &[u8]) {
    server.say(&[&[channel][..], bytes].concat());
}

#[tokio::test]
async fn output_and_errors_come_apart_and_the_exit_code_at_the_end() {
    let (mut exec, server) = started(Output::Separate);
    say(&server, STDOUT, b"hi\n");
    say(&server, STDERR, b"oh\n");
    say(&server, STATUS, br#"{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}"#);
    let (mut out, mut errors) = (String::new(), String::new());
    exec.stdout.read_to_string(&mut out).await.expect("output");
    exec.stderr.expect("no terminal").read_to_string(&mut errors).await.expect("errors");
    assert_eq!((out.as_str(), errors.as_str()), ("hi\n", "oh\n"));
    assert_eq!(exec.exit.await.expect("a code"), 3);
    assert!(exec.resize.is_none(), "no terminal");
}

#[test]
fn a_program_that_was_not_started_has_no_exit_code() {
    for nonsense in [&b""[..], b"{", b"\xff\x00", b"[]", b"\"Success\"", b"{}", br#"{"details":{"causes":[{"reason":"ExitCode","message":"x"}]}}"#] {
        assert!(exit_code(nonsense).is_err(), "{nonsense:?}");
    }
    assert_eq!(exit_code(SUCCESS).expect("a code"), 0);
    let error = exit_code(br#"{"status":"Failure","reason":"InternalError","message":"exec: \"foo\": not found","code":500}"#);
    let expected = r#"exec: "foo": not found"#;
    assert!(matches!(&error, Err(ClusterError::Refused { reason, message }) if reason == "InternalError" && message == expected), "{error:?}");
}

#[tokio::test]
async fn keys_get_through_while_output_waits_for_its_reader() {
    let (mut exec, mut server) = started(Output::Terminal);
    let line = vec![b'y'; BUFFER];
    for _ in 0..4 {
        say(&server, STDOUT, &line);
    }
    exec.stdin.write_all(b"\x03").await.expect("sent");
    assert_eq!(server.hears().await, Some(vec![STDIN, 3]));
    say(&server, STATUS, SUCCESS);
    let mut out = Vec::new();
    exec.stdout.read_to_end(&mut out).await.expect("output");
    assert_eq!(out.len(), 4 * BUFFER, "nothing is lost");
    assert_eq!(exec.exit.await.expect("a code"), 0);
}

#[tokio::test]
async fn the_output_of_a_terminal_is_not_read_far_ahead_of_its_reader() {
    let (mut exec, server) = started(Output::Terminal);
    let line = vec![b'y'; 1_024];
    let said = 100;
    for _ in 0..said {
        say(&server, STDOUT, &line);
    }
    // The tasks run until they wait for the reader.
    while server.unread() > said - TERMINAL_BUFFER / line.len() {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(server.unread() + 1 >= said - TERMINAL_BUFFER / line.len(), "{} messages wait", server.unread());
    say(&server, STATUS, SUCCESS);
    let mut out = Vec::new();
    exec.stdout.read_to_end(&mut out).await.expect("output");
    assert_eq!(out.len(), said * line.len(), "nothing is lost");
}

#[tokio::test]
async fn the_end_of_the_input_and_the_size_are_sent() {
    let (exec, mut server) = started(Output::Terminal);
    let Exec { stdin, stdout, stderr, resize, exit } = exec;
    let resize = resize.expect("a terminal");
    resize.send(TerminalSize { columns: 80, rows: 24 }).await.expect("sent");
    let size = server.hears().await.expect("a size");
    assert_eq!(size[0], RESIZE);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&size[1..]).expect("JSON"), json!({ "Width": 80, "Height": 24 }));
    drop((stdin, resize));
    assert_eq!(server.hears().await, Some(vec![CLOSE, STDIN]));
    drop((stdout, stderr, exit));
    assert_eq!(server.hears().await, None, "the connection is closed with the last stream");
}

#[tokio::test]
async fn a_connection_that_ends_before_the_program_gives_no_code() {
    let (exec, server) = started(Output::Separate);
    server.close();
    assert!(matches!(exec.exit.await, Err(ClusterError::Away(_))));
    let (exec, server) = started(Output::Separate);
    server.fail();
    assert!(matches!(exec.exit.await, Err(ClusterError::Away(_))));
}

#[tokio::test(start_paused = true)]
async fn a_connection_on_which_a_ping_stays_unanswered_is_given_up() {
    let (exec, _server) = started(Output::Terminal);
    assert!(matches!(exec.exit.await, Err(ClusterError::Away(_))));
}
