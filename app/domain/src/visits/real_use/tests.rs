use super::*;

const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

const fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

/// How many of these messages of one size are use.
fn used(talk: Talk, bytes: u64, times: impl IntoIterator<Item = Duration>) -> usize {
    let mut connection = TalkUse::new(talk);
    times.into_iter().filter(|at| connection.message(None, bytes, *at).is_some()).count()
}

fn kernel(message: &[u8]) -> Option<UseKind> {
    let start = &message[..message.len().min(Talk::Kernel.peek())];
    TalkUse::new(Talk::Kernel).message(Some(start), message.len() as u64, Duration::ZERO)
}

#[test]
fn stored_names_are_read_back() {
    assert!(UseKind::ALL.into_iter().all(|kind| UseKind::parse(kind.as_str()) == Some(kind)));
    assert_eq!(UseKind::parse("Page"), None);
}

/// JupyterLab is open and nobody touches it.
#[test]
fn the_polling_of_an_open_jupyterlab_is_no_use() {
    for path in [
        "/api/kernels",
        "/api/kernels/5f1c",
        "/api/sessions",
        "/api/terminals",
        "/api/status",
        "/api/contents/course.ipynb",
        "/api/kernelspecs",
        "/user/li/api/kernels",
    ] {
        assert_eq!(of_request("GET", path, false), None, "{path}");
        assert_eq!(of_request("HEAD", path, false), None, "{path}");
    }
    for path in ["/lab/api/workspaces", "/lab/api/workspaces/default", "/user/li/lab/api/workspaces/default"] {
        assert_eq!(of_request("PUT", path, false), None, "a layout that the page saves by itself: {path}");
    }
    for (method, path) in [("PUT", "/lab/api/settings/@jupyterlab/x"), ("POST", "/api/sessions"), ("POST", "/api/contents/a.ipynb/checkpoints")] {
        assert_eq!(of_request(method, path, false), None, "a page that is loaded again: {method} {path}");
    }
    assert_eq!(of_request("POST", "/events/get_events", false), None, "RStudio polls by POST");
    // Opening a notebook again after the connection broke.
    for kind in ["kernel_info_request", "comm_info_request", "history_request", "debug_request"] {
        let message = format!(r#"{{"channel":"shell","content":{{}},"header":{{"msg_id":"a-1","msg_type":"{kind}","session":"s"}}}}"#);
        assert_eq!(kernel(message.as_bytes()), None, "{kind}");
    }
}

#[test]
fn a_page_that_is_opened_and_a_change_are_use() {
    assert_eq!(of_request("GET", "/lab", true), Some(UseKind::Page));
    assert_eq!(of_request("GET", "/api/status", true), Some(UseKind::Page), "a person looks at it");
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        assert_eq!(of_request(method, "/api/contents/course.ipynb", false), Some(UseKind::Change), "{method}");
    }
    assert_eq!(of_request("OPTIONS", "/", false), None);
    assert_eq!(of_request("POST", "/api/statuses", false), Some(UseKind::Change), "another path");
}

#[test]
fn a_cell_that_is_run_is_use_in_both_protocols_of_jupyter() {
    let header = r#"{"date":"2026-11-30T05:00:00.000Z","msg_id":"0b6f5a1e-8c5e-4f2a-9a57-2f1f3f0c9f11","msg_type":"execute_request","session":"s"}"#;
    let text = format!(r#"{{"buffers":[],"channel":"shell","content":{{"code":"1"}},"header":{header}}}"#);
    assert_eq!(kernel(text.as_bytes()), Some(UseKind::Cell));
    let mut binary = Vec::new();
    for number in [7_u64, 64, 69, 300, 302, 304, 400, 400] {
        binary.extend(number.to_le_bytes());
    }
    binary.extend(b"shell");
    binary.extend(header.as_bytes());
    assert_eq!(kernel(&binary), Some(UseKind::Cell));
    let input = br#"{"header":{"msg_type" : "input_reply"}}"#;
    assert_eq!(kernel(input), Some(UseKind::Input));
    let long = format!(r#"{{"channel":"shell","content":{{"code":"{}"}},"header":{header}}}"#, "x".repeat(2_000));
    assert_eq!(kernel(long.as_bytes()), Some(UseKind::Cell), "its type comes after the code");
    for nonsense in [&b"\"msg_type\""[..], b"\"msg_type\":", b"\"msg_type\":\"execute_request", b"", b"\xff\xfe"] {
        assert_eq!(kernel(nonsense), None, "{nonsense:?}");
    }
}

#[test]
fn keys_in_a_terminal_are_use_and_its_size_is_not() {
    let mut terminal = TalkUse::new(Talk::of_socket("/terminals/websocket/1"));
    let mut message = |text: &str| {
        let start = &text.as_bytes()[..text.len().min(terminal.talk().peek())];
        terminal.message(Some(start), text.len() as u64, Duration::ZERO)
    };
    assert_eq!(message(r#"["stdin","l"]"#), Some(UseKind::Terminal));
    assert_eq!(message(r#"["set_size",24,80,480,640]"#), None);
    assert_eq!(message(""), None);
}

#[test]
fn a_socket_is_known_by_its_path() {
    assert_eq!(Talk::of_socket("/api/kernels/5f1c/channels"), Talk::Kernel);
    assert_eq!(Talk::of_socket("/user/li/api/kernels/5f1c/channels"), Talk::Kernel);
    assert_eq!(Talk::of_socket("/terminals/websocket/1"), Talk::JupyterTerminal);
    assert_eq!(Talk::of_socket("/stable-0f0d/"), Talk::Messages);
    assert_eq!(Talk::of_socket("/api/events/subscribe"), Talk::Messages);
}

/// VS Code is open and nobody touches it. It keeps each connection alive every 5 s, and acknowledges what it gets every 2 s.
#[test]
fn the_heartbeat_of_an_editor_is_no_use() {
    assert_eq!(used(Talk::Messages, 13, (0..720).map(|beat| seconds(5 * beat))), 0);
    let mut both: Vec<_> = (0..720).map(|beat| seconds(5 * beat)).chain((0..1_800).map(|beat| seconds(2 * beat) + millis(40))).collect();
    both.sort_unstable();
    assert_eq!(used(Talk::Messages, 13, both), 0, "with output that it acknowledges");
    assert_eq!(used(Talk::Messages, 0, (0..100).map(millis)), 0, "empty messages");
}

/// `ServerAliveInterval 30`.
#[test]
fn keepalives_of_ssh_are_no_use_and_typing_is() {
    assert_eq!(used(Talk::Bytes, 64, (0..240).map(|beat| seconds(30 * beat))), 0);
    assert_eq!(used(Talk::Bytes, 64, (0..3_600).map(seconds)), 0, "every second too");
    let typed = [0, 180, 390, 520, 810].map(millis);
    assert!(used(Talk::Bytes, 64, typed) > 0);
    assert_eq!(used(Talk::Bytes, 1_400, [seconds(7)]), 1, "a file");
}

#[test]
fn keys_and_clicks_are_bursts() {
    let typed = [0, 210, 350, 600, 790, 1_300].map(millis);
    assert_eq!(used(Talk::Messages, 60, typed), 3);
    assert_eq!(used(Talk::Messages, 60, (0..30).map(|key| millis(33 * key))), 27, "a key that is held down is steady, and fast");
    assert_eq!(used(Talk::Messages, 129, [seconds(0), seconds(60)]), 2, "a long message");
    let amid_beats = (0..20).map(|beat| seconds(5 * beat)).chain(typed.map(|at| at + seconds(100)));
    assert!(used(Talk::Messages, 13, amid_beats) > 0);
}

#[test]
fn a_fast_heartbeat_is_known_after_some_beats() {
    let beats = used(Talk::Messages, 8, (0..1_000).map(|beat| millis(500 * beat)));
    assert!(beats < REMEMBERED, "{beats}");
}
