//! Labs as processes of this machine: a small program of Python stands for an application.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod common;

use std::{fs, path::Path, time::Duration};

use common::{client, create, in_phase, namespace, until};
use futures::SinkExt as _;
use k8s_openapi::api::core::v1::{ContainerStatus, Event, PersistentVolumeClaim, Pod, Secret};
use kube::{
    Api, Client,
    api::{AttachParams, DeleteParams, ListParams, LogParams, TerminalSize},
};
use serde_json::{Value, json};
use simulator::{Hosts, Labs, Options, Pace, Simulator};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

/// Long enough for a busy machine; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_mins(1);

async fn within<T>(what: &str, wanted: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wanted).await.unwrap_or_else(|_| panic!("waited in vain for: {what}"))
}

struct Cluster {
    simulator: Simulator,
    client: Client,
    pods: Api<Pod>,
}

/// A cluster that keeps everything in this folder.
async fn start(folder: &Path) -> Cluster {
    let labs = Labs::Local { folder: folder.to_owned(), hosts: Hosts::default() };
    let data = folder.join("simulator");
    fs::create_dir_all(&data).unwrap();
    let simulator = simulator::start(Options { pace: Pace::fast(), data: Some(data), labs, ..Options::default() }).await.unwrap();
    let client = client(&simulator.kubeconfig()).await;
    let pods = Api::namespaced(client.clone(), "lab");
    Cluster { simulator, client, pods }
}

async fn cluster() -> (TempDir, Cluster) {
    let folder = tempfile::tempdir().unwrap();
    let cluster = start(folder.path()).await;
    namespace(&cluster.client, "lab").await;
    (folder, cluster)
}

/// A pod with the volume `home` at `/workspace`.
async fn run_pod(cluster: &Cluster, name: &str, container: Value, policy: &str) {
    let claims = Api::<PersistentVolumeClaim>::namespaced(cluster.client.clone(), "lab");
    let claim = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    if claims.get_opt(name).await.unwrap().is_none() {
        create(&claims, json!({"metadata": {"name": name}, "spec": claim})).await.unwrap();
    }
    let mut container = container;
    container["name"] = json!("main");
    container["volumeMounts"] = json!([{"name": "work", "mountPath": "/workspace"}]);
    let volumes = json!([{"name": "work", "persistentVolumeClaim": {"claimName": name}}]);
    let spec = json!({"containers": [container], "volumes": volumes, "restartPolicy": policy, "terminationGracePeriodSeconds": 20});
    create(&cluster.pods, json!({"metadata": {"name": name}, "spec": spec})).await.unwrap();
}

fn script(text: &str) -> Value {
    json!({"image": "busybox:1", "command": ["/bin/sh", "-c", text]})
}

/// A web server that shows the files of its folder.
fn web_server() -> Value {
    json!({
        "image": "python:3", "command": ["python3", "-u", "-m", "http.server", "--bind", "127.0.0.1", "$(PORT)"],
        "ports": [{"containerPort": 8888}], "env": [{"name": "COLOUR", "value": "blue"}, {"name": "MODELS", "value": "/workspace/models"}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8888}},
    })
}

async fn has_python() -> bool {
    let found = tokio::process::Command::new("python3").arg("--version").output().await.is_ok_and(|output| output.status.success());
    if !found {
        common::skip::skip("simulator local", "python3 is not installed");
    }
    found
}

fn main_of(pod: &Pod) -> Option<&ContainerStatus> {
    pod.status.as_ref()?.container_statuses.as_ref()?.first()
}

async fn ready(pods: &Api<Pod>, name: &str) {
    until(&format!("{name} to be ready"), || async { main_of(&pods.get(name).await.unwrap()).is_some_and(|main| main.ready).then_some(()) }).await;
}

async fn gone(pods: &Api<Pod>, name: &str) {
    until(&format!("{name} to go"), || async { pods.get_opt(name).await.unwrap().is_none().then_some(()) }).await;
}

async fn get(pods: &Api<Pod>, pod: &str, path: &str) -> String {
    get_with(pods, pod, path, "").await
}

/// The same with more lines of the head, each with its end.
async fn get_with(pods: &Api<Pod>, pod: &str, path: &str, lines: &str) -> String {
    let mut forwarder = pods.portforward(pod, &[8888]).await.unwrap();
    let mut stream = forwarder.take_stream(8888).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n{lines}\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within(path, stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn all(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut text = String::new();
    stream.unwrap().read_to_string(&mut text).await.unwrap();
    text
}

/// Runs a command: its output, its errors, and its code.
async fn exec(pods: &Api<Pod>, pod: &str, command: &str) -> (String, String, String) {
    let mut process = pods.exec(pod, ["/bin/sh", "-c", command], &AttachParams::default()).await.unwrap();
    let (out, err, status) = (process.stdout(), process.stderr(), process.take_status().unwrap());
    let (out, err, status) = within("the program's end", async { tokio::join!(all(out), all(err), status) }).await;
    let causes = status.unwrap().details.and_then(|details| details.causes).unwrap_or_default();
    (out, err, causes.into_iter().next().and_then(|cause| cause.message).unwrap_or_default())
}

async fn log(pods: &Api<Pod>, pod: &str) -> String {
    pods.logs(pod, &LogParams::default()).await.unwrap()
}

/// Whether a process runs. One that has ended may wait for its parent to notice.
fn runs(process: &str) -> bool {
    let status = fs::read_to_string(Path::new("/proc").join(process.trim()).join("stat")).unwrap_or_default();
    status.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

/// A line that a program writes into a file.
async fn line(file: &Path) -> String {
    until(&file.display().to_string(), || async { fs::read_to_string(file).ok().filter(|text| text.ends_with('\n')) }).await
}

#[tokio::test]
async fn labs_on_one_port_answer_from_their_own_folders() {
    if !has_python().await {
        return;
    }
    let (folder, cluster) = cluster().await;
    for name in ["one", "two"] {
        fs::create_dir_all(folder.path().join("labs").join(name)).unwrap();
        fs::write(folder.path().join("labs").join(name).join("hello.txt"), format!("hello from {name}")).unwrap();
        run_pod(&cluster, name, web_server(), "Always").await;
    }
    for name in ["one", "two"] {
        ready(&cluster.pods, name).await;
        assert!(get(&cluster.pods, name, "/hello.txt").await.ends_with(&format!("hello from {name}")));
        let log = log(&cluster.pods, name).await;
        assert!(log.contains("lectern: port 8888 is ") && log.contains("GET /hello.txt"), "{log}");
    }
    let (out, err, code) = exec(&cluster.pods, "one", "cat hello.txt; echo \" $COLOUR $MODELS\"; echo wrong >&2; exit 3").await;
    let models = folder.path().join("labs/one/models");
    assert_eq!((out, err.as_str(), code.as_str()), (format!("hello from one blue {}\n", models.display()), "wrong\n", "3"));
    // An undeclared port leads nowhere, whatever listens on this machine.
    let mut forwarder = cluster.pods.portforward("one", &[22]).await.unwrap();
    let refusal = within("the refusal", forwarder.take_error(22).unwrap()).await.unwrap();
    assert!(refusal.contains("connection refused"), "{refusal}");

    let claims = Api::<PersistentVolumeClaim>::namespaced(cluster.client.clone(), "lab");
    claims.delete("one", &DeleteParams::default()).await.unwrap();
    cluster.pods.delete("one", &DeleteParams::default()).await.unwrap();
    gone(&cluster.pods, "one").await;
    until("the files to go", || async { (!folder.path().join("labs/one").exists()).then_some(()) }).await;
    assert!(get(&cluster.pods, "two", "/hello.txt").await.ends_with("hello from two"), "the other goes on");
    cluster.simulator.shutdown().await;
}

/// A web server on a port of its own, which a person starts in a lab.
const OWN_SERVER: &str = r#"nohup python3 -c "
import http.server
server = http.server.HTTPServer(('0.0.0.0', 0), http.server.SimpleHTTPRequestHandler)
open('own-port', 'w').write('%d\n' % server.server_port)
server.serve_forever()
" >/dev/null 2>&1 &"#;

/// The start of the answer of a port, or why there is none.
async fn knock(pods: &Api<Pod>, pod: &str, port: u16) -> Result<String, String> {
    let mut forwarder = pods.portforward(pod, &[port]).await.unwrap();
    let mut stream = forwarder.take_stream(port).unwrap();
    let refused = forwarder.take_error(port).unwrap();
    let asking = async {
        // Where nothing answers, the refusal says why.
        let _ = stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answer = within("an answer", asking).await;
    if answer.is_empty() { Err(within("the refusal", refused).await.unwrap_or_default()) } else { Ok(answer) }
}

#[tokio::test]
async fn servers_that_a_person_starts_are_found_and_reached_and_nothing_else_of_the_machine() {
    if !has_python().await {
        return;
    }
    let (folder, cluster) = cluster().await;
    for name in ["one", "two"] {
        run_pod(&cluster, name, web_server(), "Always").await;
        ready(&cluster.pods, name).await;
        exec(&cluster.pods, name, OWN_SERVER).await;
    }
    let mut own = Vec::new();
    for name in ["one", "two"] {
        own.push(line(&folder.path().join("labs").join(name).join("own-port")).await.trim().parse::<u16>().unwrap());
    }
    // As the portal.
    let portal = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let portal = portal.local_addr().unwrap().port();
    let mut process = cluster.pods.exec("one", ["cat", "/proc/net/tcp", "/proc/net/tcp6"], &AttachParams::default()).await.unwrap();
    let list = within("the list", all(process.stdout())).await;
    let mut ports: Vec<u16> =
        list.lines().filter_map(|line| u16::from_str_radix(line.split_ascii_whitespace().nth(1)?.split_once(':')?.1, 16).ok()).collect();
    ports.sort_unstable();
    let mut wanted = [8_888, own[0]];
    wanted.sort_unstable();
    assert_eq!(ports, wanted, "the declared one and the lab's own: {list}");
    let answer = knock(&cluster.pods, "one", own[0]).await;
    assert!(answer.as_ref().is_ok_and(|answer| answer.contains("200 OK")), "{answer:?}");
    for port in [own[1], portal] {
        let answer = knock(&cluster.pods, "one", port).await;
        assert!(answer.as_ref().is_err_and(|why| why.contains("connection refused")), "{port}: {answer:?}");
    }
    cluster.simulator.shutdown().await;
}

#[tokio::test]
async fn the_cpu_of_a_lab_is_measured() {
    let (_folder, cluster) = cluster().await;
    run_pod(&cluster, "busy", script("while :; do :; done"), "Always").await;
    run_pod(&cluster, "calm", script("exec sleep 1000"), "Always").await;
    let cpu = async |name: &str| {
        let path = format!("/apis/metrics.k8s.io/v1beta1/namespaces/lab/pods/{name}");
        let metrics = cluster.client.request::<Value>(http::Request::get(path).body(Vec::new()).unwrap()).await.ok()?;
        let usage = &metrics["containers"][0]["usage"];
        assert!(usage["memory"].as_str().is_some_and(|memory| memory.ends_with('i')), "{metrics}");
        Some(usage["cpu"].as_str()?.to_owned())
    };
    until("work to show", || async { cpu("busy").await.filter(|cpu| cpu != "0") }).await;
    until("rest to show", || async { cpu("calm").await.filter(|cpu| cpu == "0") }).await;
    cluster.simulator.shutdown().await;
}

#[tokio::test]
async fn a_program_is_asked_to_end_and_takes_all_that_it_started_with_it() {
    let (folder, cluster) = cluster().await;
    let text = "trap 'echo bye > bye.txt; exit 0' TERM; sleep 1000 & echo $! > child; echo $$$$ > self; while :; do sleep 0.1; done";
    run_pod(&cluster, "polite", script(text), "Always").await;
    ready(&cluster.pods, "polite").await;
    let home = folder.path().join("labs/polite");
    let (child, own) = (line(&home.join("child")).await, line(&home.join("self")).await);
    // A program that somebody left behind in a terminal.
    exec(&cluster.pods, "polite", "nohup sleep 1000 >/dev/null 2>&1 & echo $! > left").await;
    let left = line(&home.join("left")).await;
    for process in [&child, &own, &left] {
        assert!(runs(process), "{process}");
    }
    cluster.pods.delete("polite", &DeleteParams::default()).await.unwrap();
    gone(&cluster.pods, "polite").await;
    assert_eq!(fs::read_to_string(home.join("bye.txt")).unwrap(), "bye\n");
    for process in [&child, &own, &left] {
        assert!(!runs(process), "{process}");
    }
    cluster.simulator.shutdown().await;
}

#[tokio::test]
async fn a_program_that_does_not_end_is_killed() {
    let (_folder, cluster) = cluster().await;
    run_pod(&cluster, "stubborn", script("trap '' TERM; echo begun; while :; do sleep 0.1; done"), "Always").await;
    until("its output", || async { cluster.pods.logs("stubborn", &LogParams::default()).await.ok().filter(|log| log.contains("begun")) }).await;
    cluster.pods.delete("stubborn", &DeleteParams::default().grace_period(1)).await.unwrap();
    gone(&cluster.pods, "stubborn").await;
    cluster.simulator.shutdown().await;
}

#[tokio::test]
async fn an_exit_is_told_with_its_code_and_its_last_words() {
    let (_folder, cluster) = cluster().await;
    run_pod(&cluster, "once", script("echo out; echo err >&2; exit 3"), "Never").await;
    let ended = in_phase(&cluster.pods, "once", "Failed").await;
    let state = main_of(&ended).unwrap().state.clone().unwrap().terminated.unwrap();
    assert_eq!(state.exit_code, 3);
    let mut lines: Vec<String> = log(&cluster.pods, "once").await.lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["err", "out"]);
    run_pod(&cluster, "good", script("exit 0"), "OnFailure").await;
    in_phase(&cluster.pods, "good", "Succeeded").await;
    cluster.simulator.shutdown().await;
}

#[tokio::test]
async fn a_program_that_fails_is_started_again_and_its_earlier_log_is_kept() {
    let (_folder, cluster) = cluster().await;
    run_pod(&cluster, "loop", script("echo run >> runs; echo this is run $(wc -l < runs); exit 1"), "Always").await;
    let again = until("another run", || async {
        let pod = cluster.pods.get("loop").await.unwrap();
        main_of(&pod).filter(|main| main.restart_count > 0).cloned()
    })
    .await;
    assert_eq!(again.last_state.unwrap().terminated.unwrap().exit_code, 1);
    let previous =
        until("the earlier log", || async { cluster.pods.logs("loop", &LogParams { previous: true, ..LogParams::default() }).await.ok() }).await;
    assert!(previous.starts_with("this is run "), "{previous}");
    let events = Api::<Event>::namespaced(cluster.client.clone(), "lab");
    until("the event", || async {
        let found = events.list(&ListParams::default().fields("involvedObject.name=loop")).await.unwrap().items;
        found.iter().any(|event| event.reason.as_deref() == Some("BackOff")).then_some(())
    })
    .await;
    cluster.simulator.shutdown().await;
}

#[tokio::test]
async fn what_is_not_on_this_machine_is_a_page_that_says_so() {
    let (_folder, cluster) = cluster().await;
    let mut container = json!({"image": "vllm:1", "command": ["no-such-program"], "ports": [{"containerPort": 8888}]});
    run_pod(&cluster, "absent", container.clone(), "Always").await;
    container["command"] = json!(["/bin/sh", "-c", "set -eu; no-such-program serve"]);
    run_pod(&cluster, "inside", container, "Always").await;
    for name in ["absent", "inside"] {
        ready(&cluster.pods, name).await;
        assert!(get(&cluster.pods, name, "/").await.contains("Simulated lab"));
        let log = log(&cluster.pods, name).await;
        assert!(log.contains("lectern: nothing runs here: ") && log.contains("not installed on this machine"), "{log}");
        let (out, ..) = exec(&cluster.pods, name, "echo $HOSTNAME").await;
        assert_eq!(out, format!("{name}\n"));
    }
    cluster.simulator.shutdown().await;
}

#[tokio::test]
async fn a_terminal_is_a_real_one() {
    let (_folder, cluster) = cluster().await;
    run_pod(&cluster, "term", script("exec sleep 1000"), "Always").await;
    ready(&cluster.pods, "term").await;
    let mut process = cluster.pods.exec("term", ["/bin/sh"], &AttachParams::interactive_tty()).await.unwrap();
    let (mut keys, mut screen) = (process.stdin().unwrap(), process.stdout().unwrap());
    process.terminal_size().unwrap().send(TerminalSize { width: 100, height: 30 }).await.unwrap();
    let mut seen = Vec::new();
    let mut read_until = async |wanted: &str| {
        within(wanted, async {
            while !String::from_utf8_lossy(&seen).contains(wanted) {
                assert!(screen.read_buf(&mut seen).await.unwrap() > 0, "it ended before {wanted:?}: {}", String::from_utf8_lossy(&seen));
            }
        })
        .await;
        seen.clear();
    };
    // kube may send the keys before the size; the program sees the size when it asks again.
    keys.write_all(b"until [ \"$(stty size)\" = '30 100' ]; do sleep 0.1; done; echo si''ze; [ -t 0 ] && echo ter''minal\r").await.unwrap();
    read_until("terminal\r\n").await;
    // Endless output does not keep Ctrl-C from arriving.
    keys.write_all(b"yes\r").await.unwrap();
    read_until("y\r\ny\r\n").await;
    keys.write_all(b"\x03").await.unwrap();
    // A terminal that is interrupted may drop what was typed at that moment, so it is typed until it is answered.
    within("an answer after Ctrl-C", async {
        loop {
            keys.write_all(b"echo ba''ck\r").await.unwrap();
            if tokio::time::timeout(Duration::from_secs(2), read_until("back\r\n")).await.is_ok() {
                return;
            }
        }
    })
    .await;
    keys.write_all(b"exit 4\r").await.unwrap();
    let rest = async {
        let mut rest = Vec::new();
        screen.read_to_end(&mut rest).await
    };
    let (_, status) = within("the status", async { tokio::join!(rest, process.take_status().unwrap()) }).await;
    let cause = status.unwrap().details.unwrap().causes.unwrap()[0].message.clone();
    assert_eq!(cause.as_deref(), Some("4"));
    cluster.simulator.shutdown().await;
}

#[tokio::test]
async fn a_program_ends_with_the_client_that_runs_it() {
    let (folder, cluster) = cluster().await;
    run_pod(&cluster, "left", script("exec sleep 1000"), "Always").await;
    ready(&cluster.pods, "left").await;
    for (name, params) in [("plain", AttachParams::default()), ("terminal", AttachParams::interactive_tty())] {
        let text = format!("echo $$ > {name}; exec sleep 1000");
        let process = cluster.pods.exec("left", ["/bin/sh", "-c", text.as_str()], &params).await.unwrap();
        let own = line(&folder.path().join("labs/left").join(name)).await;
        assert!(runs(&own));
        process.abort();
        drop(process);
        until("its end", || async { (!runs(&own)).then_some(()) }).await;
    }
    cluster.simulator.shutdown().await;
}

#[tokio::test]
async fn ten_megabytes_of_input_come_back() {
    let (_folder, cluster) = cluster().await;
    run_pod(&cluster, "cat", script("exec sleep 1000"), "Always").await;
    ready(&cluster.pods, "cat").await;
    let params = AttachParams::default().stdin(true).stderr(false).max_stdin_buf_size(1 << 16).max_stdout_buf_size(1 << 16);
    let mut process = cluster.pods.exec("cat", ["cat"], &params).await.unwrap();
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
    cluster.simulator.shutdown().await;
}

#[tokio::test]
async fn a_followed_log_shows_a_line_that_is_not_ended_yet_and_ends_with_the_program() {
    let (folder, cluster) = cluster().await;
    let text = "printf '10%%\\r'; until [ -e go ]; do sleep 0.1; done; printf '100%%\\ndone\\n'";
    run_pod(&cluster, "bar", script(text), "Never").await;
    until("its output", || async { cluster.pods.logs("bar", &LogParams::default()).await.ok().filter(|log| log.contains("10%\r")) }).await;
    let follow = LogParams { follow: true, ..LogParams::default() };
    let lines = cluster.pods.log_stream("bar", &follow).await.unwrap();
    fs::write(folder.path().join("labs/bar/go"), "").unwrap();
    let mut text = String::new();
    let mut lines = std::pin::pin!(lines);
    within("the end", futures::AsyncReadExt::read_to_string(&mut lines, &mut text)).await.unwrap();
    assert_eq!(text, "10%\r100%\ndone\n");
    let tail = cluster.pods.logs("bar", &LogParams { tail_lines: Some(1), ..LogParams::default() }).await.unwrap();
    assert_eq!(tail, "done\n");
    cluster.simulator.shutdown().await;
}

#[tokio::test]
async fn processes_end_with_the_server_and_start_again_with_it() {
    let (folder, cluster) = cluster().await;
    run_pod(&cluster, "stays", script("echo $$$$ > self; echo again >> runs; exec sleep 1000"), "Always").await;
    ready(&cluster.pods, "stays").await;
    let own = line(&folder.path().join("labs/stays/self")).await;
    assert!(runs(&own));
    cluster.simulator.shutdown().await;
    assert!(!runs(&own), "it ended with the server");
    let cluster = start(folder.path()).await;
    until("the next run", || async {
        let pod = cluster.pods.get("stays").await.unwrap();
        main_of(&pod).is_some_and(|main| main.ready && main.restart_count == 1).then_some(())
    })
    .await;
    until("the next line", || async { (fs::read_to_string(folder.path().join("labs/stays/runs")).unwrap() == "again\nagain\n").then_some(()) }).await;
    cluster.simulator.shutdown().await;
}

#[tokio::test]
async fn a_pod_that_is_told_how_to_pretend_pretends() {
    let (_folder, cluster) = cluster().await;
    let container = json!({"name": "main", "image": "i", "command": ["/bin/sh", "-c", "exit 3"]});
    let pod = json!({"metadata": {"name": "told", "annotations": {"fake-kubelet/succeed-after": "0"}}, "spec": {"containers": [container], "restartPolicy": "Never"}});
    create(&cluster.pods, pod).await.unwrap();
    in_phase(&cluster.pods, "told", "Succeeded").await;
    cluster.simulator.shutdown().await;
}

/// A web server that lets in those who show its token, as JupyterLab does.
const GUARDED: &str = r#"
import http.server, os

class Guarded(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        shown = self.headers.get("Authorization") == "token " + os.environ["JUPYTER_TOKEN"]
        self.send_response(200 if shown else 403)
        self.end_headers()

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Guarded).serve_forever()
"#;

#[tokio::test]
async fn a_program_gets_the_secret_of_its_start_and_lets_in_nobody_else() {
    if !has_python().await {
        return;
    }
    let (_folder, cluster) = cluster().await;
    let secrets = Api::<Secret>::namespaced(cluster.client.clone(), "lab");
    // The third is the first in Base64.
    for (own, other, stored) in [("lab-secret-1", "lab-secret-2", "bGFiLXNlY3JldC0x"), ("lab-secret-2", "lab-secret-1", "bGFiLXNlY3JldC0y")] {
        create(&secrets, json!({"metadata": {"name": "guarded-door"}, "data": {"JUPYTER_TOKEN": stored}})).await.unwrap();
        let source = json!({"secretKeyRef": {"name": "guarded-door", "key": "JUPYTER_TOKEN"}});
        let container = json!({
            "image": "python:3", "command": ["python3", "-u", "-c", GUARDED], "ports": [{"containerPort": 8888}],
            "env": [{"name": "JUPYTER_TOKEN", "valueFrom": source}],
        });
        run_pod(&cluster, "guarded", container, "Always").await;
        ready(&cluster.pods, "guarded").await;
        let status = async |token: &str| {
            let line = if token.is_empty() { String::new() } else { format!("Authorization: token {token}\r\n") };
            get_with(&cluster.pods, "guarded", "/", &line).await.get(9..12).map(str::to_owned).unwrap_or_default()
        };
        assert_eq!([status(own).await, status(other).await, status("").await], ["200", "403", "403"]);
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut listed = processes.filter_map(|process| fs::read_to_string(process.path().join("cmdline")).ok());
        assert!(listed.all(|words| !words.contains(own)), "no process list shows it");
        cluster.pods.delete("guarded", &DeleteParams::default()).await.unwrap();
        gone(&cluster.pods, "guarded").await;
        secrets.delete("guarded-door", &DeleteParams::default()).await.unwrap();
    }
    cluster.simulator.shutdown().await;
}
