//! The binary as a process of its own, as people and scripts run it.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use services::testing::TestWorld;
use storage::testing::{execute, texts};

use crate::support::Portal;

pub fn lectern(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lectern"));
    // Tests are about the server, not about a term.
    command.args(arguments).env_clear().env("LECTERN_DEMO_HISTORY", "0");
    command
}

fn run(arguments: &[&str]) -> Output {
    lectern(arguments).output().expect("the binary runs")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_printed_alone_and_works_beside_a_running_server() {
    let portal = Portal::college().await;
    portal.people().await;
    let url = portal.world.url().to_owned();
    let output = run(&["token", "create", "--database", &url, "--user", "teacher", "--scope", "offerings:read", "--scope", "orders:read"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let stdout = text(&output.stdout);
    let token = stdout.strip_suffix('\n').expect("one line");
    assert!(token.starts_with("lct_") && token.len() == 47 && !token.contains(char::is_whitespace), "{stdout:?}");
    let mut api = portal.api_without_token();
    api.secret = Some(token.to_owned());
    assert_eq!(api.read("/offerings").await["items"].as_array().unwrap().len(), 8);
    assert_eq!(api.get("/labs").send().await.unwrap().status(), 403, "no more than its scopes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_token_command_cannot_do_it_says_in_a_sentence() {
    let portal = Portal::college().await;
    let url = portal.world.url().to_owned();
    let refused = |arguments: &[&str]| {
        let output = run(arguments);
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}");
        text(&output.stderr)
    };
    let unknown = refused(&["token", "create", "--database", &url, "--user", "nobody", "--scope", "orders:read"]);
    assert!(unknown.contains("no account \"nobody\""), "{unknown}");
    let scope = refused(&["token", "create", "--database", &url, "--user", "teacher", "--scope", "everything"]);
    assert!(scope.contains("everything") && scope.contains("orders:read"), "{scope}");
    let nowhere = refused(&["token", "create", "--data", "/nonexistent/lectern", "--user", "teacher", "--scope", "orders:read"]);
    assert!(nowhere.contains("/nonexistent/lectern") && nowhere.contains("--data"), "{nowhere}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_password_is_replaced_and_an_account_is_shut() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let url = portal.world.url().to_owned();
    let browser = portal.browser_of(&people.teacher).await;
    let reset = run(&["user", "reset-password", "--database", &url, "teacher"]);
    assert!(reset.status.success(), "{}", text(&reset.stderr));
    let password = text(&reset.stdout).trim_end().to_owned();
    assert_eq!(browser.page("/orders").await.status(), 303, "the session is over");
    let sign_in = || portal.browser().call("/api/session/sign-in", &[("login", "teacher"), ("password", password.as_str())]).send();
    assert_eq!(sign_in().await.unwrap().status(), 200);
    let shut = run(&["user", "disable", "--database", &url, "teacher"]);
    assert!(shut.status.success(), "{}", text(&shut.stderr));
    assert_eq!(sign_in().await.unwrap().status(), 401);
    assert!(text(&run(&["user", "disable", "--database", &url, "nobody"]).stderr).contains("no account \"nobody\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verify_counts_good_records_and_names_the_first_bad_one() {
    let world = TestWorld::college().await;
    world.teacher("teacher", &[]).await;
    for _ in 0..3 {
        let _ = services::accounts::sign_in(&world.services, &TestWorld::origin(), "teacher", TestWorld::PASSWORD).await.unwrap();
        world.clock.advance(1);
    }
    services::audit::seal(&world.services).await.unwrap();
    let verify = || run(&["audit", "verify", "--database", world.url()]);
    let good = verify();
    assert!(good.status.success(), "{}", text(&good.stderr));
    assert!(text(&good.stdout).contains("3 records verified"), "{}", text(&good.stdout));

    // Somebody with the database's password takes the guard away and rewrites history.
    let mut write = world.services.db.begin_write().await.unwrap();
    for statement in ["DROP TRIGGER audit_events_fixed", "UPDATE audit_events SET address = '10.9.9.9' WHERE seq = 2"] {
        sqlx::query(statement).execute(&mut *write).await.unwrap();
    }
    write.commit().await.unwrap();
    let bad = verify();
    assert_eq!(bad.status.code(), Some(1));
    assert!(text(&bad.stdout).contains("record 2 (") && text(&bad.stdout).contains("was changed"), "{}", text(&bad.stdout));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verify_fails_for_an_emptied_record_a_chain_that_is_gone_and_a_head_that_is_missing() {
    const RECORDS: &str = "DELETE FROM audit_events";
    const HEADS: &str = "DELETE FROM audit_heads";
    const WORDS: &str = "DELETE FROM audit_words";
    const CHAIN: &str = "DELETE FROM audit_events WHERE chain <> 'system'";
    const HEAD: &str = "DELETE FROM audit_heads WHERE chain <> 'system'";
    const CHAIN_WORDS: &str = "DELETE FROM audit_words WHERE id IN (SELECT id FROM audit_events WHERE chain <> 'system')";
    const SYSTEM: &str = "DELETE FROM audit_events WHERE chain = 'system'";
    const SYSTEM_HEAD: &str = "DELETE FROM audit_heads WHERE chain = 'system'";
    const SYSTEM_WORDS: &str = "DELETE FROM audit_words WHERE id IN (SELECT id FROM audit_events WHERE chain = 'system')";
    for (edit, said) in [
        (&[RECORDS, HEADS, WORDS][..], "there is no record"),
        (&[RECORDS][..], "there is no record"),
        (&[CHAIN][..], "the newest records are missing"),
        (&[CHAIN, HEAD][..], "the word index does not agree"),
        (&[HEAD][..], "records are missing or were added"),
        (&[CHAIN_WORDS, CHAIN, HEAD][..], "does not begin with the record that was its first"),
        (&[SYSTEM_WORDS, SYSTEM, SYSTEM_HEAD][..], "chain system: BROKEN: the chain does not begin with the record that was its first"),
    ] {
        let world = TestWorld::college().await;
        world.teacher("teacher", &[]).await;
        for login in ["teacher", "nobody"] {
            let _ = services::accounts::sign_in(&world.services, &TestWorld::origin(), login, TestWorld::PASSWORD).await;
        }
        services::audit::seal(&world.services).await.unwrap();
        let verify = || run(&["audit", "verify", "--database", world.url()]);
        let good = verify();
        assert_eq!(good.status.code(), Some(0), "{}", text(&good.stdout));

        // The triggers are put back, so that only the edit can be found.
        let db = &world.services.db;
        let triggers = texts(db, "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_events'").await;
        for trigger in ["audit_events_fixed", "audit_events_stay"] {
            execute(db, &format!("DROP TRIGGER {trigger}")).await.unwrap();
        }
        for sql in edit.iter().copied().chain(triggers.iter().map(String::as_str)) {
            execute(db, sql).await.unwrap();
        }
        let bad = verify();
        let (code, printed) = (bad.status.code(), text(&bad.stdout));
        assert_eq!(code, Some(1), "{edit:?}: {printed}");
        assert!(printed.contains("BROKEN") && printed.contains(said), "{edit:?}: {printed}");
        assert!(!printed.contains("the trigger"), "{edit:?}: {printed}");
    }
}

#[test]
fn an_unknown_key_stops_the_start_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lectern.toml");
    std::fs::write(&file, "[server]\nlisen = \"127.0.0.1:3000\"\n").unwrap();
    let output = run(&["serve", "--config", file.to_str().unwrap(), "--data", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("lisen"), "{}", text(&output.stderr));
}

#[test]
fn demonstration_content_is_refused_where_others_can_reach_it() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["serve", "--listen", "0.0.0.0:0", "--demo", "--data", folder.path().join("data").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("loopback"), "{}", text(&output.stderr));
    assert!(!folder.path().join("data").exists(), "nothing was made");
}

/// A server of its own, stopped by SIGTERM at the end.
struct Running {
    child: Child,
    log: BufReader<std::process::ChildStderr>,
    base: String,
}

impl Running {
    /// Started, with what was logged until it served.
    fn start(data: &Path, extra: &[&str]) -> (Self, String) {
        let data = data.to_str().unwrap();
        let mut command = lectern(extra);
        command.args(["--listen", "127.0.0.1:0", "--data", data, "--site-root", "/nonexistent"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the server starts");
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        let base = loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "the server ended before it served:\n{seen}");
            if let Some((_, rest)) = line.split_once("serving ") {
                break rest.trim().to_owned();
            }
            seen.push_str(&line);
        };
        (Self { child, log, base }, seen)
    }

    /// Ends it as `kill` does: its exit code, what it printed and the rest of its log.
    fn stop(mut self) -> (Option<i32>, String, String) {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill");
        assert!(killed.success());
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut log = String::new();
        std::io::Read::read_to_string(&mut self.log, &mut log).unwrap();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if Instant::now() > deadline => panic!("the server does not end:\n{log}"),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        let mut printed = String::new();
        std::io::Read::read_to_string(&mut self.child.stdout.take().unwrap(), &mut printed).unwrap();
        (status.code(), printed, log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_starts_with_accounts_stops_cleanly_and_comes_back_as_it_was() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (first, _) = Running::start(&data, &["serve", "--demo"]);
    let second = run(&["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
    assert!(text(&second.stderr).contains("another server"), "{}", text(&second.stderr));
    let ready = reqwest::get(format!("{}/readyz", first.base)).await.unwrap();
    assert_eq!(ready.status(), 200);
    let token = lectern(&["token", "create", "--user", "teacher", "--scope", "offerings:read"]).env("LECTERN_DATA", &data).output().unwrap();
    assert!(text(&token.stdout).starts_with("lct_"), "{}", text(&token.stderr));
    let (code, printed, log) = first.stop();
    assert_eq!(code, Some(0), "{log}");
    let accounts = std::fs::read_to_string(data.join("demo-accounts.txt")).unwrap();
    for login in ["teacher", "teacher2", "manager", "auditor", "operator", "administrator"] {
        let password = accounts.lines().find_map(|line| line.trim().strip_prefix(&format!("{login} "))).map(str::trim);
        assert!(password.is_some_and(|password| printed.contains(password)), "{login} is not in\n{printed}");
    }
    let private = |name: &str| std::fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((private("demo-accounts.txt"), private("simulator/kubeconfig"), private("")), (0o600, 0o600, 0o700));
    let cluster = || std::fs::read_to_string(data.join("simulator/kubeconfig")).unwrap();
    let before = cluster();

    let (again, _) = Running::start(&data, &["serve", "--demo"]);
    let (code, printed, log) = again.stop();
    assert_eq!((code, printed.as_str()), (Some(0), ""), "passwords are printed once\n{log}");
    assert_eq!(cluster(), before, "the simulated cluster is where it was");
}

#[test]
fn an_empty_installation_shows_its_set_up_code_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let (running, log) = Running::start(folder.path(), &[]);
    assert!(log.contains("set-up code"), "{log}");
    running.stop();
}

#[test]
fn offerings_are_checked_from_files_and_from_standard_input() {
    let built_in = concat!(env!("CARGO_MANIFEST_DIR"), "/services/offerings/vscode.yaml");
    let good = run(&["offering", "check", built_in]);
    assert!(good.status.success());
    assert_eq!(text(&good.stdout), format!("{built_in}: vscode, ¥1.52 / hour\n"));
    let mut child = lectern(&["offering", "check", "-", built_in]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary runs");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), b"slug: [").expect("written");
    let bad = child.wait_with_output().expect("it ends");
    assert_eq!(bad.status.code(), Some(1));
    let told = text(&bad.stdout);
    assert!(told.starts_with("-: line ") && told.contains("vscode, ¥1.52"), "{told}");
    let missing = run(&["offering", "check", "/nonexistent/x.yaml"]);
    assert!(!missing.status.success() && text(&missing.stderr).contains("/nonexistent/x.yaml cannot be read"));
}
