//! Exec, attach and port-forward with the client that Lectern uses.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod common;

use std::time::Duration;

use common::{Cluster, cluster, create, in_phase, refusal, until};
use futures::SinkExt as _;
use k8s_openapi::{
    api::{
        core::v1::Pod,
        rbac::v1::{Role, RoleBinding},
    },
    apimachinery::pkg::apis::meta::v1::Status,
};
use kube::{
    Api, Client, Config,
    api::{AttachParams, AttachedProcess, DeleteParams, TerminalSize},
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::{Value, json};
use simulator::faults::{Fault, Rule};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

/// Long enough for a busy machine; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_mins(1);

const PROMPT: &str = "lab@web:~$ ";

async fn within<T>(what: &str, wanted: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wanted).await.unwrap_or_else(|_| panic!("waited in vain for: {what}"))
}

/// A cluster with the running pod `web`, which listens on 8888.
async fn with_pod() -> (Cluster, Api<Pod>) {
    let cluster = cluster().await;
    let pods = Api::<Pod>::namespaced(cluster.client.clone(), "lab");
    let container = json!({"name": "main", "image": "jupyter:1", "ports": [{"containerPort": 8888}], "env": [{"name": "COLOUR", "value": "blue"}]});
    run_pod(&pods, "web", json!([container])).await;
    (cluster, pods)
}

async fn run_pod(pods: &Api<Pod>, name: &str, containers: Value) {
    create(pods, json!({"metadata": {"name": name}, "spec": {"containers": containers}})).await.unwrap();
    in_phase(pods, name, "Running").await;
}

async fn all(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut text = String::new();
    stream.unwrap().read_to_string(&mut text).await.unwrap();
    text
}

/// Reads until the text has come, and gives everything.
async fn until_text(stream: &mut (impl AsyncRead + Unpin), wanted: &str) -> String {
    let mut seen = Vec::new();
    within(wanted, async {
        loop {
            // What was searched before is not searched again.
            let from = seen.len().saturating_sub(wanted.len());
            let length = stream.read_buf(&mut seen).await.unwrap();
            assert!(length > 0, "it ended before {wanted:?}: {}", String::from_utf8_lossy(&seen));
            if seen[from..].windows(wanted.len()).any(|part| part == wanted.as_bytes()) {
                break;
            }
        }
    })
    .await;
    String::from_utf8_lossy(&seen).into_owned()
}

fn code(status: &Status) -> (Option<&str>, Option<&str>) {
    let cause = status.details.as_ref().and_then(|details| details.causes.as_ref()?.first());
    (status.reason.as_deref(), cause.and_then(|cause| cause.message.as_deref()))
}

/// Runs a command without input: its output, its errors and how it ended.
async fn run(pods: &Api<Pod>, command: &[&str]) -> (String, String, Status) {
    let mut process = pods.exec("web", command.to_vec(), &AttachParams::default()).await.unwrap();
    let (out, err, status) = (process.stdout(), process.stderr(), process.take_status().unwrap());
    let (out, err, status) = within("the program's end", async { tokio::join!(all(out), all(err), status) }).await;
    (out, err, status.unwrap())
}

#[tokio::test]
async fn programs_run_with_their_own_output_errors_and_exit_codes() {
    let (_cluster, pods) = with_pod().await;
    let (out, err, status) = run(&pods, &["sh", "-c", "echo $COLOUR; nonsense; false || echo 'not ok'; exit 3"]).await;
    assert_eq!((out.as_str(), err.as_str()), ("blue\nnot ok\n", "sh: nonsense: command not found\n"));
    assert_eq!(code(&status), (Some("NonZeroExitCode"), Some("3")));
    let (out, _, status) = run(&pods, &["/bin/echo", "a", "b"]).await;
    assert_eq!((out.as_str(), status.status.as_deref()), ("a b\n", Some("Success")));
    let (out, ..) = run(&pods, &["env"]).await;
    assert!(out.contains("HOSTNAME=web\n") && out.contains("COLOUR=blue\n"), "{out}");
    let (_, _, status) = run(&pods, &["nonsense"]).await;
    assert_eq!((status.reason.as_deref(), status.code), (Some("InternalError"), Some(500)));
    assert!(status.message.as_ref().unwrap().contains("exec: \"nonsense\": executable file not found in $PATH"), "{status:?}");
}

#[tokio::test]
async fn ten_megabytes_of_input_come_back() {
    let (_cluster, pods) = with_pod().await;
    let params = AttachParams::default().stdin(true).stderr(false).max_stdin_buf_size(1 << 16).max_stdout_buf_size(1 << 16);
    let mut process = pods.exec("web", ["cat"], &params).await.unwrap();
    let (mut stdin, mut stdout) = (process.stdin().unwrap(), process.stdout().unwrap());
    let sent: Vec<u8> = (0..10 << 20).map(|at: u32| at.to_le_bytes()[usize::from(at.is_multiple_of(3))]).collect();
    let write = async {
        stdin.write_all(&sent).await.unwrap();
        stdin.shutdown().await.unwrap();
    };
    let mut back = Vec::new();
    let ((), read) = within("all bytes", async { tokio::join!(write, stdout.read_to_end(&mut back)) }).await;
    read.unwrap();
    assert!(back == sent, "{} of {} bytes came back", back.len(), sent.len());
    assert_eq!(within("the status", process.take_status().unwrap()).await.unwrap().status.as_deref(), Some("Success"));
}

#[tokio::test]
async fn a_terminal_has_a_prompt_a_size_and_the_usual_keys() {
    let (_cluster, pods) = with_pod().await;
    let mut process: AttachedProcess = pods.exec("web", ["bash"], &AttachParams::interactive_tty()).await.unwrap();
    let (mut keys, mut screen) = (process.stdin().unwrap(), process.stdout().unwrap());
    until_text(&mut screen, PROMPT).await;
    process.terminal_size().unwrap().send(TerminalSize { width: 100, height: 30 }).await.unwrap();
    // kube may send the keys before the size.
    within("the size", async {
        loop {
            keys.write_all(b"stty size\r").await.unwrap();
            if until_text(&mut screen, PROMPT).await.contains("\r\n30 100\r\n") {
                break;
            }
        }
    })
    .await;
    keys.write_all("echo 中\u{7f}文\r".as_bytes()).await.unwrap();
    assert!(until_text(&mut screen, PROMPT).await.contains("\r\n文\r\n"));
    for endless in ["sleep 1000\r", "yes\r", "cat\r"] {
        keys.write_all(endless.as_bytes()).await.unwrap();
        until_text(&mut screen, "\r\n").await;
        keys.write_all(b"\x03").await.unwrap();
        until_text(&mut screen, PROMPT).await;
    }
    keys.write_all(b"echo $?\r").await.unwrap();
    assert!(until_text(&mut screen, PROMPT).await.contains("\r\n130\r\n"));
    keys.write_all(b"exit 4\r").await.unwrap();
    let status = within("the status", process.take_status().unwrap()).await.unwrap();
    assert_eq!(code(&status), (Some("NonZeroExitCode"), Some("4")));
}

#[tokio::test]
async fn a_program_ends_with_its_pod_and_with_the_cluster() {
    let (cluster, pods) = with_pod().await;
    let mut process = pods.exec("web", ["sh", "-c", "echo ready; sleep 1000"], &AttachParams::default()).await.unwrap();
    until_text(&mut process.stdout().unwrap(), "ready").await;
    pods.delete("web", &DeleteParams::default()).await.unwrap();
    let status = within("the pod's end", process.take_status().unwrap()).await.unwrap();
    assert_eq!(code(&status), (Some("NonZeroExitCode"), Some("137")));

    run_pod(&pods, "other", json!([{"name": "main", "image": "i"}])).await;
    let mut process = pods.exec("other", ["sleep", "1000"], &AttachParams::default()).await.unwrap();
    let status = process.take_status().unwrap();
    cluster.simulator.faults().switch_on(Rule::new(Fault::Away));
    assert!(within("the cut", status).await.is_none(), "a connection that is cut has no status");
}

#[tokio::test]
async fn containers_are_chosen_and_refused_in_the_servers_words() {
    let (_cluster, pods) = with_pod().await;
    run_pod(&pods, "two", json!([{"name": "a", "image": "i"}, {"name": "b", "image": "i"}])).await;
    let exec = async |name: &str, params: AttachParams| refusal(pods.exec(name, ["true"], &params).await.map(|_| ()));
    let (status, message) = exec("two", AttachParams::default()).await;
    assert_eq!((status, message.as_str()), (400, "a container name must be specified for pod two, choose one of: [a b]"));
    let (status, message) = exec("web", AttachParams::default().container("x")).await;
    assert_eq!((status, message.as_str()), (400, "container x is not valid for pod web"));
    assert_eq!(exec("none", AttachParams::default()).await, (404, "pods \"none\" not found".to_owned()));
    let waiting = json!({"metadata": {"name": "waits", "annotations": {"fake-kubelet/start-after": "1000"}}, "spec": {"containers": [{"name": "main", "image": "i"}]}});
    create(&pods, waiting).await.unwrap();
    until("a node", || async { pods.get("waits").await.unwrap().spec?.node_name }).await;
    let mut process = pods.exec("waits", ["true"], &AttachParams::default()).await.unwrap();
    let status = within("the status", process.take_status().unwrap()).await.unwrap();
    assert_eq!(status.message.as_deref(), Some("Internal error occurred: unable to upgrade connection: container not found (\"main\")"));
}

async fn get(pods: &Api<Pod>, path: &str) -> String {
    let mut forwarder = pods.portforward("web", &[8888]).await.unwrap();
    let mut stream = forwarder.take_stream(8888).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: lab.example\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within(path, stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_declared_port_answers_and_another_is_refused() {
    let (_cluster, pods) = with_pod().await;
    let page = get(&pods, "/lab/tree").await;
    assert!(page.starts_with("HTTP/1.1 200 OK") && page.contains("Simulated lab") && page.contains("lab/web"), "{page}");
    assert!(get(&pods, "/echo?a=b").await.contains("\"target\":\"/echo?a=b\""));
    let download = get(&pods, "/download?bytes=100000").await;
    assert_eq!(download.split_once("\r\n\r\n").unwrap().1.len(), 100_000);
    assert!(get(&pods, "/close").await.len() < 10_000);

    let mut forwarder = pods.portforward("web", &[8888, 22]).await.unwrap();
    let (open, refused) = (forwarder.take_stream(8888).unwrap(), forwarder.take_error(22).unwrap());
    let message = within("the refusal", refused).await.unwrap();
    assert!(message.starts_with("error forwarding port 22 to pod") && message.contains("connect: connection refused"), "{message}");
    // The other port goes on.
    let (mut read, mut write) = tokio::io::split(open);
    write.write_all(b"GET /echo HTTP/1.1\r\nHost: lab\r\n\r\n").await.unwrap();
    until_text(&mut read, "\"method\":\"GET\"").await;
}

#[tokio::test]
async fn connections_end_with_their_pod() {
    let (_cluster, pods) = with_pod().await;
    let mut forwarder = pods.portforward("web", &[8888]).await.unwrap();
    let mut stream = forwarder.take_stream(8888).unwrap();
    stream.write_all(b"GET /events HTTP/1.1\r\nHost: lab\r\n\r\n").await.unwrap();
    until_text(&mut stream, "id: 0").await;
    pods.delete("web", &DeleteParams::default()).await.unwrap();
    // It may end by an error, and it does end.
    let _ = within("the end of the stream", stream.read_to_end(&mut Vec::new())).await;
    let (status, message) = refusal(pods.portforward("web", &[8888]).await.map(|_| ()));
    assert!(status == 404 || message.contains("pod not found"), "{status} {message}");
}

#[tokio::test]
async fn attach_reads_the_log_as_it_grows() {
    let (_cluster, pods) = with_pod().await;
    run_pod(&pods, "train", json!([{"name": "main", "image": "pytorch:2"}])).await;
    let mut process = pods.attach("train", &AttachParams::default()).await.unwrap();
    until_text(&mut process.stdout().unwrap(), "loss").await;
}

/// The pods as a user without an administrator's rights.
async fn acting_as(cluster: &Cluster, user: &str) -> Api<Pod> {
    let kubeconfig = Kubeconfig::from_yaml(&cluster.simulator.kubeconfig()).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    config.headers.push((http::HeaderName::from_static("impersonate-user"), user.parse().unwrap()));
    Api::namespaced(Client::try_from(config).unwrap(), "lab")
}

#[tokio::test]
async fn each_kind_of_stream_is_a_right_of_its_own() {
    let (cluster, _pods) = with_pod().await;
    let rules = json!([{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get"]}]);
    create(&Api::<Role>::namespaced(cluster.client.clone(), "lab"), json!({"metadata": {"name": "exec"}, "rules": rules})).await.unwrap();
    let binding = json!({
        "metadata": {"name": "exec"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "exec"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "robot"}],
    });
    create(&Api::<RoleBinding>::namespaced(cluster.client.clone(), "lab"), binding).await.unwrap();
    let robot = acting_as(&cluster, "robot").await;
    robot.exec("web", ["true"], &AttachParams::default()).await.unwrap();
    let (status, message) = refusal(robot.portforward("web", &[8888]).await.map(|_| ()));
    assert_eq!((status, message.contains("cannot get resource \"pods/portforward\"")), (403, true), "{message}");
    let stranger = acting_as(&cluster, "stranger").await;
    let (status, message) = refusal(stranger.exec("web", ["true"], &AttachParams::default()).await.map(|_| ()));
    assert_eq!((status, message.contains("cannot get resource \"pods/exec\"")), (403, true), "{message}");
}
