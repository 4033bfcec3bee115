//! The ways into a pod, which a control plane without kubelets does not have.

use std::io::ErrorKind;

use domain::labs::ObservedPhase;
use futures::{StreamExt, TryStreamExt, future::join_all};
use services::ports::{ClusterError, Connection, Exec, ExecRequest, LogRequest, LogStream, PodLoad, PodTarget, TerminalSize, Workloads};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    scenarios::{
        observed, phase,
        reach::{command, log, target},
    },
    support::{Orders, orders::annotated, rig::Rig},
};

/// A notebook that runs, and its pod.
async fn notebook(rig: &Rig) -> PodTarget {
    let order = Orders::new().plain();
    rig.start(&order).await;
    let seen = phase(rig, &order, ObservedPhase::Ready).await;
    target(&order, &seen.members[0])
}

/// Reads the page behind a connection.
async fn page(mut connection: Connection) -> String {
    connection.write_all(b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n").await.expect("sent");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

/// What the program wrote to its output, and its exit code.
async fn outcome(exec: Exec) -> (String, i32) {
    let Exec { mut stdout, exit, .. } = exec;
    let mut output = String::new();
    stdout.read_to_string(&mut output).await.expect("output");
    (output, exit.await.expect("an exit code"))
}

async fn text(log: LogStream) -> String {
    let pieces: Vec<_> = log.try_collect().await.expect("a log");
    String::from_utf8(pieces.concat()).expect("text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_load_of_a_pod_is_known_where_it_is_measured() {
    let rig = Rig::simulated().await;
    let order = annotated(Orders::new().plain(), "cpu", "1500m");
    rig.start(&order).await;
    let seen = phase(&rig, &order, ObservedPhase::Ready).await;
    let pod = target(&order, &seen.members[0]);
    assert_eq!(rig.cluster.load(&pod).await.expect("an answer"), Some(PodLoad { cpu_millicores: 1_500 }));
    let another = PodTarget { uid: "00000000-0000-0000-0000-000000000000".into(), ..pod };
    assert!(matches!(rig.cluster.load(&another).await, Err(ClusterError::Busy(_))));
    let rig = Rig::simulated().await;
    let unmeasured = notebook(&rig).await;
    assert_eq!(rig.cluster.load(&unmeasured).await.expect("an answer"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_read_over_a_connection_and_a_port_that_nothing_listens_on_is_refused() {
    let rig = Rig::simulated().await;
    let pod = notebook(&rig).await;
    let answer = page(rig.cluster.connect(&pod, 8_888).await.expect("a connection")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // The refusal comes from the pod's node, usually before the connection is given out.
    match rig.cluster.connect(&pod, 9).await {
        Err(ClusterError::Busy(message)) => assert!(message.contains("connection refused"), "{message}"),
        Err(other) => panic!("{other:?}"),
        Ok(mut connection) => assert_eq!(connection.read_u8().await.expect_err("refused").kind(), ErrorKind::ConnectionRefused),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_connections_stand_side_by_side_and_one_that_is_dropped_disturbs_none() {
    let rig = Rig::simulated().await;
    let pod = notebook(&rig).await;
    let opened = join_all((0..20).map(|_| rig.cluster.connect(&pod, 8_888))).await;
    let mut connections: Vec<_> = opened.into_iter().map(|opened| opened.expect("a connection")).collect();
    drop(connections.pop());
    for answer in join_all(connections.into_iter().map(page)).await {
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let answer = page(rig.cluster.connect(&pod, 8_888).await.expect("a new connection")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_gives_its_output_and_its_exit_code() {
    let rig = Rig::simulated().await;
    let pod = notebook(&rig).await;
    let echo = rig.cluster.exec(&pod, &command(&["echo", "hi"])).await.expect("a program");
    assert_eq!(outcome(echo).await, ("hi\n".to_owned(), 0));
    let failing = rig.cluster.exec(&pod, &command(&["sh", "-c", "exit 3"])).await.expect("a program");
    assert_eq!(outcome(failing).await, (String::new(), 3));
    let elsewhere = ExecRequest { container: Some("none".into()), ..command(&["echo", "hi"]) };
    let refused = rig.cluster.exec(&pod, &elsewhere).await.expect_err("no such container");
    assert!(matches!(&refused, ClusterError::Refused { reason, .. } if reason == "BadRequest"), "{refused:?}");
}

/// Both ways are full at once: a client that did one after the other would hang.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_megabytes_go_through_a_program_and_come_back() {
    let rig = Rig::simulated().await;
    let pod = notebook(&rig).await;
    let exec = rig.cluster.exec(&pod, &command(&["cat"])).await.expect("a program");
    let Exec { mut stdin, mut stdout, exit, .. } = exec;
    let input = vec![b'x'; 10 << 20];
    let mut output = Vec::new();
    let feed = async {
        stdin.write_all(&input).await.expect("sent");
        stdin.shutdown().await.expect("the end");
    };
    let ((), read) = tokio::join!(feed, stdout.read_to_end(&mut output));
    read.expect("output");
    assert!(output == input, "{} bytes came back", output.len());
    assert_eq!(exit.await.expect("an exit code"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_knows_its_size_and_takes_keys() {
    let rig = Rig::simulated().await;
    let pod = notebook(&rig).await;
    let shell = ExecRequest { terminal: true, ..command(&["sh"]) };
    let Exec { mut stdin, mut stdout, stderr, resize, exit } = rig.cluster.exec(&pod, &shell).await.expect("a shell");
    assert!(stderr.is_none(), "a terminal has one stream");
    resize.expect("a terminal").send(TerminalSize { columns: 132, rows: 43 }).await.expect("sent");
    stdin.write_all(b"stty size\r").await.expect("sent");
    let mut shown = String::new();
    while !shown.contains("43 132") {
        let mut piece = [0; 256];
        let length = stdout.read(&mut piece).await.expect("output");
        assert!(length > 0, "it ended after {shown}");
        shown.push_str(&String::from_utf8_lossy(&piece[..length]));
    }
    stdin.write_all(b"exit 4\r").await.expect("sent");
    assert_eq!(exit.await.expect("an exit code"), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_read_in_part_and_followed_until_its_container_ends() {
    let rig = Rig::simulated().await;
    let order = annotated(Orders::new().batch(), "succeed-after", "3");
    rig.start(&order).await;
    let seen = observed(&rig, &order, "a pod that runs", |seen| seen.members.iter().any(|pod| pod.ready)).await;
    let pod = target(&order, &seen.members[0]);
    let following = rig.cluster.logs(&pod, &LogRequest { follow: true, ..log() }).await.expect("a log");
    let followed = text(following).await;
    let whole = text(rig.cluster.logs(&pod, &log()).await.expect("a log")).await;
    assert!(!whole.is_empty());
    assert_eq!(followed.lines().last(), whole.lines().last(), "it was followed to the end");
    let tail = text(rig.cluster.logs(&pod, &LogRequest { tail: Some(1), ..log() }).await.expect("a log")).await;
    assert_eq!(Some(tail.trim_end()), whole.lines().last());
    let stamped = text(rig.cluster.logs(&pod, &LogRequest { tail: Some(1), timestamps: true, ..log() }).await.expect("a log")).await;
    assert!(stamped.starts_with("20") && stamped.ends_with(&tail), "{stamped}");
    let refused = rig.cluster.logs(&pod, &LogRequest { container: "none".into(), ..log() }).await.err().expect("no such container");
    assert!(matches!(&refused, ClusterError::Refused { reason, .. } if reason == "BadRequest"), "{refused:?}");
    // Its address is another pod's by now, perhaps.
    let over = rig.cluster.connect(&pod, 8_888).await.err().expect("it ran to its end");
    assert!(matches!(over, ClusterError::Busy(_)), "{over:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_a_container_that_has_not_started_asks_to_wait() {
    let rig = Rig::simulated().await;
    let order = annotated(Orders::new().plain(), "waiting", "ImagePullBackOff");
    rig.start(&order).await;
    let seen = observed(&rig, &order, "a pod on a node", |seen| !seen.nodes.is_empty() && !seen.members.is_empty()).await;
    let pod = target(&order, &seen.members[0]);
    for follow in [false, true] {
        let log = match rig.cluster.logs(&pod, &LogRequest { follow, ..log() }).await {
            Ok(mut log) => log.next().await.and_then(Result::err),
            Err(error) => Some(error),
        };
        assert!(matches!(log, Some(ClusterError::Busy(_))), "{log:?}");
    }
}
