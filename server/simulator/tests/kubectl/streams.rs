//! kubectl's exec, attach, port-forward and logs.

use std::{
    io::{BufRead as _, BufReader, Read, Write as _},
    net::TcpStream,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Kubectl, kubectl, lossy};
use crate::common::http;

/// Long enough for a busy machine; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_mins(1);

impl Kubectl {
    /// Makes a pod and waits until it runs.
    async fn pod(&self, name: &str, annotations: &Value, mut container: Value) {
        container["name"] = json!("main");
        let pod =
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "annotations": annotations}, "spec": {"containers": [container]}});
        self.prints(&format!("create -f {}", lossy(&self.file(&format!("{name}.json"), &pod.to_string())))).await;
        self.prints(&format!("wait --for=jsonpath={{.status.phase}}=Running pod/{name} --timeout=20s")).await;
    }

    async fn web(&self) {
        self.pod("web", &json!({}), json!({"image": "jupyter:1", "ports": [{"containerPort": 8888}]})).await;
    }
}

/// Runs a command off the runtime's threads, with this input.
async fn fed(mut command: Command, input: Vec<u8>) -> Output {
    let running = tokio::task::spawn_blocking(move || {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().unwrap();
        // A program that has ended takes no more.
        let _ = writer.join().unwrap();
        output
    });
    tokio::time::timeout(PATIENCE, running).await.expect("kubectl hangs").unwrap()
}

/// Ends kubectl with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The lines of an output. It is read to its end: kubectl dies of an output that is closed.
fn lines(source: impl Read + Send + 'static) -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        for line in BufReader::new(source).lines().map_while(Result::ok) {
            // The test may have read enough.
            let _ = sender.send(line);
        }
    });
    receiver
}

/// Waits for a line with this text.
async fn line_with(source: impl Read + Send + 'static, text: &str) -> String {
    let mut lines = lines(source);
    let found = async {
        loop {
            let line = lines.recv().await.unwrap_or_else(|| panic!("it ended before a line with {text:?}"));
            if line.contains(text) {
                return line;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("no line has {text:?}"))
}

/// Forwards a free local port to a port of the pod.
async fn forward(kubectl: &Kubectl, port: u16) -> (Running, u16) {
    let mut command = kubectl.command(&format!("port-forward pod/web :{port}"));
    let mut child = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let line = line_with(child.0.stdout.take().unwrap(), "Forwarding from 127.0.0.1:").await;
    let local = line.trim_start_matches("Forwarding from 127.0.0.1:").split(' ').next().unwrap().parse().unwrap();
    (child, local)
}

#[tokio::test(flavor = "multi_thread")]
async fn exec_gives_the_exit_code_and_all_bytes_of_the_input_back() {
    let Some(kubectl) = kubectl("exec_gives_the_exit_code_and_all_bytes_of_the_input_back").await else { return };
    kubectl.web().await;
    let mut command = kubectl.command("exec web -- sh -c");
    command.arg("echo out; echo $HOSTNAME; exit 3");
    let ended = fed(command, Vec::new()).await;
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stdout).as_ref()), (Some(3), "out\nweb\n"), "{said}");
    assert!(said.contains("command terminated with exit code 3"), "{said}");

    let input: Vec<u8> = (0..10 << 20).map(|at: u32| at.to_le_bytes()[usize::from(at.is_multiple_of(3))]).collect();
    let ended = fed(kubectl.command("exec -i web -- cat"), input.clone()).await;
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(ended.stdout == input, "{} of {} bytes came back", ended.stdout.len(), input.len());

    let refused = kubectl.complains("exec web -- nonsense").await;
    assert!(refused.contains("executable file not found in $PATH"), "{refused}");
    let refused = kubectl.complains("exec web -c other -- true").await;
    assert!(refused.contains("container other is not valid for pod web"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn attach_shows_what_the_container_prints_from_now_on() {
    let Some(kubectl) = kubectl("attach_shows_what_the_container_prints_from_now_on").await else { return };
    kubectl.pod("train", &json!({}), json!({"image": "pytorch:2"})).await;
    let mut child = Running(kubectl.command("attach train").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let line = line_with(child.0.stdout.take().unwrap(), "loss").await;
    assert!(line.starts_with("[rank 0] epoch 1 step"), "{line}");
    kubectl.pod("typed", &json!({}), json!({"image": "shell:1", "stdin": true})).await;
    let ended = fed(kubectl.command("attach -i typed"), b"echo hello\nexit 4\n".to_vec()).await;
    assert!(String::from_utf8_lossy(&ended.stdout).contains("hello"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_is_forwarded_for_twenty_downloads_and_outlives_a_client_that_is_killed() {
    let Some(kubectl) = kubectl("a_port_is_forwarded_for_twenty_downloads_and_outlives_a_client_that_is_killed").await else { return };
    kubectl.web().await;
    let (_child, local) = forward(&kubectl, 8888).await;
    let client = http(&kubectl.cluster.simulator);
    let page = client.get(format!("http://127.0.0.1:{local}/")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Simulated lab") && page.contains("lab/web"), "{page}");

    let killed = tokio::task::spawn_blocking(move || {
        let mut socket = TcpStream::connect(("127.0.0.1", local)).unwrap();
        socket.write_all(b"GET /download?bytes=50000000 HTTP/1.1\r\nHost: lab\r\n\r\n").unwrap();
        socket.read_exact(&mut vec![0; 100_000]).unwrap();
    });
    let download = |bytes: usize| {
        let (client, url) = (client.clone(), format!("http://127.0.0.1:{local}/download?bytes={bytes}"));
        async move { client.get(url).send().await.unwrap().bytes().await.unwrap().len() }
    };
    let all = futures::future::join_all((0..19).map(|_| download(1_000_000)));
    let (all, killed) = tokio::time::timeout(PATIENCE, async { tokio::join!(all, killed) }).await.expect("downloads hang");
    killed.unwrap();
    assert_eq!(all, [1_000_000; 19]);
    let again = tokio::time::timeout(PATIENCE, download(10)).await.expect("a new connection hangs");
    assert_eq!(again, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_nothing_listens_on_is_refused_as_a_kubelet_does() {
    let Some(kubectl) = kubectl("a_port_that_nothing_listens_on_is_refused_as_a_kubelet_does").await else { return };
    kubectl.web().await;
    let (mut child, local) = forward(&kubectl, 22).await;
    let connection = tokio::task::spawn_blocking(move || {
        let mut socket = TcpStream::connect(("127.0.0.1", local)).unwrap();
        // Closed or reset: nothing comes.
        socket.read_to_end(&mut Vec::new()).unwrap_or_default()
    });
    let line = line_with(child.0.stderr.take().unwrap(), "connection refused").await;
    assert!(line.contains("error forwarding port 22 to pod"), "{line}");
    assert_eq!(tokio::time::timeout(PATIENCE, connection).await.expect("the connection stays open").unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_of_earlier_runs_and_parts_of_logs_are_read() {
    let Some(kubectl) = kubectl("logs_of_earlier_runs_and_parts_of_logs_are_read").await else { return };
    kubectl.web().await;
    kubectl.pod("again", &json!({"fake-kubelet/restarts": "2"}), json!({"image": "plain:1"})).await;
    let before = kubectl.prints("logs --previous again").await;
    assert!(before.ends_with("error: process exited with code 1\n"), "{before}");
    assert!(!kubectl.prints("logs again").await.contains("exited"));
    let refused = kubectl.complains("logs --previous web").await;
    assert!(refused.contains("previous terminated container \"main\" in pod \"web\" not found"), "{refused}");
    assert_eq!(kubectl.prints("logs web --limit-bytes=10").await.len(), 10);
    assert_eq!(kubectl.prints("logs web --since-time=2126-01-01T00:00:00Z").await, "");
    let stamped = kubectl.prints("logs web --timestamps --tail=1").await;
    assert!(stamped.starts_with("20") && stamped.lines().count() == 1, "{stamped}");
}
