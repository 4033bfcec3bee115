//! `lectern ssh` and its company, as a process of its own, against the whole portal with a lab site beside it.

use std::{
    io::{self, Write as _},
    process::{Output, Stdio},
    time::Duration,
};

use domain::{access::Scope, ids::LabId};
use door::{Door, DoorSettings};
use listener::{Limits, Listener};
use serde_json::json;
use services::{Settings, jobs::reconcile, testing::TestWorld, visits};
use storage::testing::TestDatabase;
use tokio::{
    io::{AsyncWriteExt as _, copy, split},
    net::TcpListener,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    command_line::{lectern, text},
    support::{Api, People, Portal},
};

const BANNER: &str = "SSH-2.0-test\r\n";

struct Scene {
    portal: Portal,
    people: People,
    /// The teacher's, with every scope.
    api: Api,
    lab: LabId,
    name: String,
    _site: DropGuard,
}

impl Scene {
    async fn new() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let labs_url = format!("http://{{lab}}.localhost:{}", socket.local_addr().expect("an address").port());
        let settings = Settings { simulated_cluster: true, labs_url: Some(labs_url.clone()), ..Settings::default() };
        let portal = Portal::of(TestWorld::college_with(TestDatabase::sqlite().await, settings).await).await;
        let stopping = CancellationToken::new();
        let settings = DoorSettings { labs_url, portal_url: Some(portal.base.clone()), behind_proxy: false, per_lab: 64, per_person: 64 };
        let door = Door::new(portal.world.services.clone(), settings, stopping.clone()).expect("an address of labs");
        tokio::spawn(Listener::new(socket, Limits::default(), stopping.clone(), Duration::from_secs(1)).serve(door));
        let people = portal.people().await;
        let api = portal.api(&people.teacher).await;
        let body = json!({"offering": "jupyterlab-slice", "course": "CV2402", "parameters": {}, "duration_minutes": 60});
        let lab = api.order("ssh", &body).await["labs"][0].as_str().expect("a lab").to_owned();
        settle(&portal).await;
        let shown = api.read(&format!("/labs/{lab}")).await;
        assert_eq!(shown["state"], "running", "{shown}");
        let name = shown["name"].as_str().expect("a name").to_owned();
        let lab = lab.parse().expect("an id");
        Self { portal, people, api, lab, name, _site: stopping.drop_guard() }
    }

    /// An SSH server on this port of the lab, as far as its banner; then it sends back what comes.
    fn listen(&self, port: u16) {
        let mut connections = self.portal.world.cluster.listen(self.lab, port);
        tokio::spawn(async move {
            while let Some(mut connection) = connections.recv().await {
                tokio::spawn(async move {
                    connection.write_all(BANNER.as_bytes()).await.expect("sent");
                    let (mut from, mut to) = split(connection);
                    let _ = copy(&mut from, &mut to).await;
                    let _ = to.shutdown().await;
                });
            }
        });
    }

    /// Runs `lectern ssh` with this token and input.
    async fn ssh(&self, arguments: &[&str], token: &str, input: Vec<u8>) -> Output {
        let mut command = lectern(&[&["ssh"][..], arguments].concat());
        command.env("LECTERN_URL", &self.portal.base).env("LECTERN_TOKEN", token);
        with_input(command, input).await
    }

    /// Runs it in vain: what it says.
    async fn refused(&self, arguments: &[&str], token: &str) -> String {
        let output = self.ssh(arguments, token, Vec::new()).await;
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}: {output:?}");
        text(&output.stderr)
    }

    fn token(&self) -> &str {
        self.api.secret.as_deref().expect("a token")
    }
}

/// Does all work until nothing is due, and looks at the passes.
async fn settle(portal: &Portal) {
    for _ in 0..50 {
        if reconcile::due(&portal.world.services).await.expect("the database answers") == 0 {
            break;
        }
    }
    visits::round(&portal.world.services).await.expect("a round");
}

/// The command's output for this input; its standard output is read meanwhile.
async fn with_input(mut command: std::process::Command, input: Vec<u8>) -> Output {
    let run = move || {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        let writing = std::thread::spawn(move || -> io::Result<()> { stdin.write_all(&input) });
        let output = child.wait_with_output().expect("it ends");
        // A command that refuses reads nothing.
        let _ = writing.join();
        output
    };
    tokio::task::spawn_blocking(run).await.expect("no panic")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_go_to_the_lab_and_back_and_nothing_else_is_printed() {
    let scene = Box::pin(Scene::new()).await;
    scene.listen(2_222);
    let sent: Vec<u8> = (0..500_000_u32).flat_map(u32::to_le_bytes).collect();
    for name in [scene.name.clone(), format!("{}.lectern", scene.name), scene.lab.to_string()] {
        let output = scene.ssh(&[&name], scene.token(), sent.clone()).await;
        assert!(output.status.success() && output.stderr.is_empty(), "{name}: {}", text(&output.stderr));
        assert!(output.stdout == [BANNER.as_bytes(), &sent[..]].concat(), "{name}: the banner, then the same bytes");
    }
    settle(&scene.portal).await;
    let visits = scene.api.read(&format!("/labs/{}/visits", scene.lab)).await;
    let visit = &visits["items"][0];
    assert_eq!((visit["role"].as_str(), visit["address"].as_str()), (Some("owner"), Some("127.0.0.1")), "{visits}");
    assert_eq!(visit["bytes_in"], 6_000_000, "{visits}");
    assert_eq!(visits["items"].as_array().map(Vec::len), Some(1), "one visit: {visits}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reasons_go_to_standard_error_and_no_lab_is_started() {
    let scene = Box::pin(Scene::new()).await;
    let (name, token) = (scene.name.as_str(), scene.token());
    assert!(scene.refused(&["lab-1x"], token).await.contains("there is no lab \"lab-1x\""));
    assert!(scene.refused(&[name], "").await.contains("lectern login"));
    let unknown = format!("lct_{}", "a".repeat(43));
    let said = scene.refused(&[name], &unknown).await;
    assert!(said.contains("this access token is not good (401)") && said.contains("/account") && !said.contains(&unknown), "{said}");
    let reader = scene.portal.token(&scene.people.teacher, &[Scope::LabsRead]).await.secret.expect("a token");
    assert!(scene.refused(&[name], &reader).await.contains("labs:write"));
    assert!(scene.refused(&[name, "--port", "2222"], token).await.contains("nothing answers on port 2222"));
    assert!(scene.refused(&[name, "--port", "9100"], token).await.contains("2222 can be reached"));

    scene.portal.world.clock.advance(1);
    scene.api.act(&format!("/labs/{}/stop", scene.lab)).await;
    settle(&scene.portal).await;
    // An editor that lost its lab comes again and again.
    for _ in 0..3 {
        let said = scene.refused(&[name], token).await;
        assert!(said.contains("starts no labs") && said.contains(&format!("/labs/{}", scene.lab)), "{said}");
        settle(&scene.portal).await;
    }
    assert_ne!(scene.api.read(&format!("/labs/{}", scene.lab)).await["state"], "running");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_stored_for_its_owner_only_and_used_from_there() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Box::pin(Scene::new()).await;
    scene.listen(2_222);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lectern").join("config.toml");
    let path = file.to_str().unwrap();
    let login = async |token: String| with_input(lectern(&["login", "--config", path, &scene.portal.base]), token.into_bytes()).await;
    let wrong = login(format!("lct_{}\n", "a".repeat(43))).await;
    assert!(!wrong.status.success() && !file.exists(), "{}", text(&wrong.stderr));
    let none = login("password\n".into()).await;
    assert!(!none.status.success() && !text(&none.stderr).contains("password"), "{}", text(&none.stderr));
    let stored = login(format!("{}\n", scene.token())).await;
    assert!(stored.status.success(), "{}", text(&stored.stderr));
    assert!(!text(&stored.stdout).contains(scene.token()));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let with_file = async || with_input(lectern(&["ssh", "--config", path, &scene.name]), b"hello".to_vec()).await;
    let output = with_file().await;
    assert!(output.status.success() && output.stdout == [BANNER.as_bytes(), &b"hello"[..]].concat(), "{}", text(&output.stderr));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = with_file().await;
    assert!(!open.status.success() && open.stdout.is_empty() && text(&open.stderr).contains("chmod 600"), "{}", text(&open.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_block_for_openssh_calls_this_program() {
    let output = lectern(&["ssh-config", "--user", "student"]).output().expect("the binary runs");
    let block = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(block.contains("\nHost *.lectern\n") && block.contains("/lectern' ssh %n\n") && block.contains("    User student\n"), "{block}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lab_whose_keys_could_not_be_changed_says_so_until_they_are() {
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkqJQz67Fz7AMAY/mC0VMP9qFFndLTJTEhAwJFce4To";
    let scene = Box::pin(Scene::new()).await;
    let parameters = json!({"public_key": KEY, "card": "a100-80g-1g.10gb", "cards": 1, "cpu_cores": 1, "memory_gib": 4, "storage_gib": 10});
    let body = json!({"offering": "linux-ssh", "course": "CV2402", "parameters": parameters, "duration_minutes": 60});
    let lab = scene.api.order("keys", &body).await["labs"][0].as_str().expect("a lab").to_owned();
    let path = format!("/labs/{lab}");
    // No program can be started there.
    for _ in 0..4 {
        settle(&scene.portal).await;
        scene.portal.world.clock.advance(31);
    }
    let shown = scene.api.read(&path).await;
    assert_eq!((&shown["state"], &shown["ssh_keys_problem"]), (&json!("running"), &json!("not_written")), "{shown}");
    let browser = scene.portal.browser_of(&scene.people.teacher).await;
    let page = async || browser.page(&path).await.text().await.expect("a page");
    let says = "The SSH keys have not reached this lab";
    assert!(page().await.contains(says));
    scene.portal.world.cluster.answer_programs(0);
    scene.api.say("/ssh-keys", &json!({"name": "laptop", "public_key": KEY})).await;
    settle(&scene.portal).await;
    assert!(scene.api.read(&path).await["ssh_keys_problem"].is_null());
    let page = page().await;
    assert!(!page.contains(says) && page.contains("It takes the SSH keys of the owner"), "{page}");
}
