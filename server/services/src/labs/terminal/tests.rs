//! Shells against a real database and a cluster in memory, whose programs the tests play.

use std::time::Duration;

use bytes::Bytes;
use domain::{orders::OrderForm, terminal::WINDOW};
use serde_json::json;
use storage::testing::{TestDatabase, for_each_engine, texts};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::yield_now,
    time,
};

use super::*;
use crate::{
    Settings, cluster_status,
    jobs::{reconcile, watch},
    orders,
    ports::Change,
    sessions,
    testing::{FakeProgram, TestWorld},
    visits,
};

/// A running lab of a teacher's, and the programs that are started in it.
struct Scene {
    world: TestWorld,
    teacher: Caller,
    lab: LabId,
    session: String,
    programs: mpsc::Receiver<FakeProgram>,
}

/// A shell and its keeper, as the lab sees them.
struct Inside {
    shell: FakeProgram,
    keeper: FakeProgram,
}

async fn settle(world: &TestWorld) {
    for _ in 0..50 {
        if reconcile::due(&world.services).await.expect("the database answers") == 0 {
            return;
        }
    }
    panic!("the work does not come to an end");
}

impl Scene {
    async fn on(database: TestDatabase) -> Self {
        // On the heap: the setup holds a whole world.
        Box::pin(async {
            let world = TestWorld::college_with(database, Settings { simulated_cluster: true, ..Settings::default() }).await;
            let course = world.course("CV2402").add().await;
            let teacher = world.teacher("li.hua", &[&course]).await;
            cluster_status::refresh(&world.services).await.expect("the cluster tells its nodes");
            let form =
                OrderForm { offering: "jupyterlab-slice".into(), course: course.code.clone(), duration_minutes: "90".into(), ..OrderForm::default() };
            let key = orders::IdempotencyKey::parse(&world.services.entropy.uuid().to_string()).expect("a key");
            let lab = orders::submit(&world.services, &teacher, &form, &key).await.expect("an order").labs[0];
            settle(&world).await;
            let session = session(&world, &teacher).await;
            let programs = world.cluster.host(lab);
            Self { world, teacher, lab, session, programs }
        })
        .await
    }

    async fn connect(&self, token: Option<&Secret>, seen: Option<u64>) -> Result<Line, NoShell> {
        let wanted = Wanted { columns: 100, rows: 30, token: token.cloned(), seen, reason: None };
        connect(&self.world.services, &self.teacher, &self.session, self.lab, wanted).await
    }

    async fn started(&mut self) -> Inside {
        let shell = self.programs.recv().await.expect("a shell");
        Inside { shell, keeper: self.programs.recv().await.expect("its keeper") }
    }

    fn shells(&self) -> usize {
        self.world.services.shells.count()
    }
}

/// A new session of the caller: its stored id.
async fn session(world: &TestWorld, caller: &Caller) -> String {
    let now = world.services.clock.now();
    let id = format!("session {}", world.services.entropy.uuid());
    let data = json!({"user": caller.actor.user, "credentials_version": 1, "began": now}).to_string();
    let made = sessions::create(&world.services, &id, Some(caller.actor.user), &data, now.plus_seconds(3_600)).await;
    assert!(made.expect("a session"));
    id
}

/// The token and the count that come first.
async fn attached(line: &mut Line) -> (Secret, u64, u64) {
    match line.heard.recv().await {
        Some(Heard::Attached { token, from, live }) => (token, from, live),
        _ => panic!("the first word is another one"),
    }
}

/// Reads until the output ends with `end`, and says what was drawn.
async fn until(line: &mut Line, drawn: &mut u64, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        match line.heard.recv().await {
            Some(Heard::Data(bytes)) => {
                *drawn += bytes.len() as u64;
                text.extend_from_slice(&bytes);
                line.said.send(Said::Seen(*drawn)).await.expect("the shell listens");
            }
            _ => panic!("the output ends before {end:?}: {}", String::from_utf8_lossy(&text)),
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

async fn notice(line: &mut Line) -> Option<Notice> {
    loop {
        match line.heard.recv().await? {
            Heard::Notice(notice) => return Some(notice),
            Heard::Attached { .. } | Heard::Data(_) => {}
        }
    }
}

#[tokio::test]
async fn keys_sizes_and_output_pass_and_a_reload_comes_back_to_the_same_shell() {
    for_each_engine("keys_sizes_and_output_pass_and_a_reload_comes_back_to_the_same_shell", async |database| {
        let mut scene = Scene::on(database).await;
        let mut line = scene.connect(None, None).await.expect("a shell");
        let mut inside = scene.started().await;
        assert!(inside.shell.request.command[2].contains("LANG=C.UTF-8"), "{:?}", inside.shell.request);
        let size = inside.shell.sizes.recv().await.expect("the size comes before anything else");
        assert_eq!((size.columns, size.rows), (100, 30));
        let (token, from, _) = attached(&mut line).await;
        assert_eq!(from, 0);
        inside.shell.stdout.write_all("lab$ 深".as_bytes()).await.expect("written");
        let mut drawn = 0;
        assert_eq!(until(&mut line, &mut drawn, "深").await, "lab$ 深");
        line.said.send(Said::Data(Bytes::from_static(b"ls\r"))).await.expect("sent");
        line.said.send(Said::Size(TerminalSize { columns: 90, rows: 20 })).await.expect("sent");
        let mut keys = [0; 3];
        inside.shell.stdin.read_exact(&mut keys).await.expect("read");
        assert_eq!(&keys, b"ls\r");
        assert_eq!(inside.shell.sizes.recv().await.map(|size| size.columns), Some(90));
        drop(line);
        // What is written meanwhile is there for the browser that comes back, with or without its screen.
        inside.shell.stdout.write_all(b"\r\nfile").await.expect("written");
        let mut again = scene.connect(Some(&token), Some(drawn)).await.expect("the same shell");
        assert_eq!(attached(&mut again).await.1, drawn);
        assert_eq!(until(&mut again, &mut drawn, "file").await, "\r\nfile");
        let mut fresh = scene.connect(Some(&token), None).await.expect("the same shell");
        assert_eq!(notice(&mut again).await, Some(Notice::Taken));
        let (_, begins, answered) = attached(&mut fresh).await;
        assert_eq!((begins, answered), (0, drawn), "questions in a repetition are not answered again");
        let mut repeated = 0;
        assert_eq!(until(&mut fresh, &mut repeated, "file").await, "lab$ 深\r\nfile");
        assert_eq!(scene.shells(), 1);
        // The shell ends by itself, and its keeper with it.
        let FakeProgram { exit, stdout, .. } = inside.shell;
        exit.send(0).expect("it waits");
        drop(stdout);
        assert_eq!(notice(&mut fresh).await, Some(Notice::Ended));
        assert_eq!(inside.keeper.stdin.read(&mut keys).await.expect("read"), 0, "its input ends");
        inside.keeper.exit.send(0).expect("it waits");
    })
    .await;
}

#[tokio::test]
async fn the_visit_is_in_the_connection_log() {
    for_each_engine("the_visit_is_in_the_connection_log", async |database| {
        let mut scene = Scene::on(database).await;
        let mut line = scene.connect(None, None).await.expect("a shell");
        let mut inside = scene.started().await;
        attached(&mut line).await;
        inside.shell.stdout.write_all(b"hello").await.expect("written");
        until(&mut line, &mut 0, "hello").await;
        visits::flush(&scene.world.services).await.expect("written");
        let here = visits::present(&scene.world.services, &scene.teacher, scene.lab).await.expect("read");
        assert_eq!(here.iter().map(|visit| (visit.role.as_str(), visit.bytes_out)).collect::<Vec<_>>(), [("owner", 5)]);
        let sql = "SELECT action || ' ' || outcome FROM audit_events WHERE action = 'lab.open'";
        assert_eq!(texts(&scene.world.services.db, sql).await, ["lab.open success"]);
    })
    .await;
}

#[tokio::test]
async fn keys_get_through_while_the_browser_draws_nothing() {
    let mut scene = Scene::on(TestDatabase::sqlite().await).await;
    let mut line = scene.connect(None, None).await.expect("a shell");
    let inside = scene.started().await;
    attached(&mut line).await;
    let FakeProgram { mut stdin, mut stdout, .. } = inside.shell;
    // Much more than is kept.
    let yes = tokio::spawn(async move {
        let lines = b"y\r\n".repeat(1_000);
        let mut interrupted = [0];
        loop {
            tokio::select! {
                biased;
                read = stdin.read_exact(&mut interrupted) => {
                    read.expect("read");
                    stdout.write_all(b"^C\r\nlab$ ").await.expect("written");
                    return (interrupted, stdin, stdout);
                }
                written = stdout.write_all(&lines) => written.expect("written"),
            }
        }
    });
    // The browser takes messages in without drawing them, until none comes.
    let mut got = 0_u64;
    while got < WINDOW {
        match line.heard.recv().await {
            Some(Heard::Data(bytes)) => got += bytes.len() as u64,
            _ => panic!("it goes on"),
        }
    }
    line.said.send(Said::Data(Bytes::from_static(b"\x03"))).await.expect("sent");
    line.said.send(Said::Seen(got)).await.expect("sent");
    let ahead = until(&mut line, &mut got, "lab$ ").await.len();
    assert_eq!(yes.await.expect("it ends").0, [3]);
    // So much is in the connection in memory and in the piece that was read already.
    let most = 64 * 1_024 + 2 * usize::try_from(WINDOW).expect("it fits");
    assert!(ahead <= most, "{ahead} bytes come before the answer to Ctrl-C");
}

#[tokio::test]
async fn output_that_no_browser_takes_is_read_as_far_as_it_is_kept() {
    let mut scene = Scene::on(TestDatabase::sqlite().await).await;
    let mut line = scene.connect(None, None).await.expect("a shell");
    let inside = scene.started().await;
    let (token, ..) = attached(&mut line).await;
    drop(line);
    let FakeProgram { mut stdout, .. } = inside.shell;
    // More than the window: it is taken although nobody is there.
    let long = b"y\r\n".repeat(60_000);
    stdout.write_all(&long).await.expect("it is taken");
    stdout.write_all(b"lab$ ").await.expect("it is taken");
    let mut again = scene.connect(Some(&token), Some(0)).await.expect("the same shell");
    assert_eq!(attached(&mut again).await.1, 0);
    assert_eq!(until(&mut again, &mut 0, "lab$ ").await.len(), long.len() + 5, "nothing is lost");
}

#[tokio::test]
async fn a_shell_ends_with_the_right_and_with_the_pod() {
    for_each_engine("a_shell_ends_with_the_right_and_with_the_pod", async |database| {
        let mut scene = Scene::on(database).await;
        let mut line = scene.connect(None, None).await.expect("a shell");
        let mut inside = scene.started().await;
        attached(&mut line).await;
        sessions::delete(&scene.world.services, &scene.session).await.expect("signed out");
        visits::round(&scene.world.services).await.expect("a round");
        assert_eq!(notice(&mut line).await, Some(Notice::AccessOver));
        assert_eq!(inside.keeper.stdin.read(&mut [0]).await.expect("read"), 0, "the keeper hangs the shell up");
        drop(inside);
        scene.session = session(&scene.world, &scene.teacher).await;
        let mut line = scene.connect(None, None).await.expect("a shell");
        let _inside = scene.started().await;
        attached(&mut line).await;
        crate::labs::stop(&scene.world.services, &scene.teacher, scene.lab).await.expect("they may");
        settle(&scene.world).await;
        visits::round(&scene.world.services).await.expect("a round");
        assert_eq!(notice(&mut line).await, Some(Notice::LabStopped));
        let none = scene.connect(None, None).await.err();
        assert_eq!(none, Some(NoShell::Notice(Notice::Stopped)), "no browser waits for a lab that does not start by itself");
    })
    .await;
}

#[tokio::test]
async fn a_shell_that_is_left_for_a_minute_is_hung_up() {
    let mut scene = Scene::on(TestDatabase::sqlite().await).await;
    let mut line = scene.connect(None, None).await.expect("a shell");
    let mut inside = scene.started().await;
    let (token, ..) = attached(&mut line).await;
    drop(line);
    // The shell notices that it is left, before the time passes.
    for _ in 0..10 {
        yield_now().await;
    }
    time::pause();
    time::advance(Duration::from_secs(domain::terminal::KEPT_SECONDS + 1)).await;
    time::resume();
    assert_eq!(inside.keeper.stdin.read(&mut [0]).await.expect("read"), 0, "the keeper hangs the shell up");
    inside.keeper.exit.send(0).expect("it waits");
    while scene.shells() > 0 {
        yield_now().await;
    }
    let mut other = scene.connect(Some(&token), None).await.expect("another shell");
    assert_eq!(notice(&mut other).await, Some(Notice::NewShell));
}

#[tokio::test]
async fn others_get_no_shell_and_nobody_gets_more_than_eight() {
    let mut scene = Scene::on(TestDatabase::sqlite().await).await;
    let services = &scene.world.services;
    let operator = scene.world.operator("operator").await;
    let of_operator = session(&scene.world, &operator).await;
    let wanted = |reason: Option<&str>| Wanted { columns: 80, rows: 24, reason: reason.map(ToOwned::to_owned), ..Wanted::default() };
    let refused = connect(services, &operator, &of_operator, scene.lab, wanted(None)).await.err();
    assert_eq!(refused, Some(NoShell::Refused(Error::Forbidden)));
    let broken = connect(services, &operator, &of_operator, scene.lab, wanted(Some("the disk is full"))).await;
    let visiting = broken.expect("an emergency");
    let auditor = scene.world.auditor("auditor").await;
    let refused = connect(services, &auditor, "none", scene.lab, wanted(None)).await.err();
    assert!(matches!(refused, Some(NoShell::Refused(_))), "{refused:?}");
    let mut lines = Vec::new();
    for _ in 0..shells::OF_PERSON {
        lines.push(scene.connect(None, None).await.expect("a shell"));
    }
    assert_eq!(scene.connect(None, None).await.err(), Some(NoShell::Notice(Notice::TooManyOfPerson)));
    // The token of another person's shell is none.
    let (token, ..) = attached(&mut lines[0]).await;
    let theirs = Wanted { token: Some(token), ..wanted(Some("the disk is full")) };
    let mut other = connect(services, &operator, &of_operator, scene.lab, theirs).await.expect("a shell of their own");
    assert_eq!(notice(&mut other).await, Some(Notice::NewShell));
    drop(visiting);
    assert_eq!(scene.shells(), shells::OF_PERSON + 2);
    // Without a shell in the container there is none.
    scene.programs.close();
    drop(lines);
    let manager = scene.world.manager("manager").await;
    let of_manager = session(&scene.world, &manager).await;
    let none = connect(&scene.world.services, &manager, &of_manager, scene.lab, wanted(None)).await.err();
    assert_eq!(none, Some(NoShell::Notice(Notice::NoShell)));
}

#[tokio::test]
async fn a_lab_that_does_not_run_has_no_shell() {
    let scene = Scene::on(TestDatabase::sqlite().await).await;
    scene.world.cluster.lose_pod(scene.lab);
    watch::take(&scene.world.services, &[Change::Lab(scene.lab)]).await.expect("work");
    settle(&scene.world).await;
    assert_eq!(scene.connect(None, None).await.err(), Some(NoShell::Notice(Notice::NotRunning)));
}
