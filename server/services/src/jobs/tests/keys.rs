//! SSH keys of an account in its running labs: the file and the time of its writing, and failures to write it.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use domain::{
    ids::LabId,
    labs::LabState,
    orders::OrderForm,
    ssh_keys::{KeysProblem, SshKey, SshKeyForm},
};
use storage::testing::{for_each_engine, texts};
use tempfile::TempDir;
use tokio::process::Command;

use super::{Scene, fixtures};
use crate::{
    Caller, cluster_status,
    jobs::{reconcile, renew_keys},
    labs, orders, ssh_keys,
    testing::{FakeProgram, shell_order},
};

const DESK: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkqJQz67Fz7AMAY/mC0VMP9qFFndLTJTEhAwJFce4To";
const LAPTOP: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkqJQz67Fz7AMAY/mC0VMP9qFFndLTJTEhAwJFce5To";
const BY_HAND: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkqJQz67Fz7AMAY/mC0VMP9qFFndLTJTEhAwJFce6To";
/// Tries in a row, as documented.
const TRIES: usize = 10;

/// The inside of a lab: its programs are run by the shell of this machine, with a file of keys in a folder of its own.
struct Inside {
    folder: TempDir,
    runs: Arc<AtomicU32>,
}

impl Inside {
    fn of(scene: &Scene, lab: LabId) -> Self {
        let inside = Self { folder: tempfile::tempdir().expect("a folder"), runs: Arc::default() };
        inside.begin_anew();
        let mut programs = scene.world.cluster.host(lab);
        let (folder, file, runs) = (inside.folder.path().to_owned(), inside.file(), Arc::clone(&inside.runs));
        tokio::spawn(async move {
            while let Some(FakeProgram { request, mut stdin, exit, .. }) = programs.recv().await {
                runs.fetch_add(1, Ordering::SeqCst);
                let (program, rest) = request.command.split_first().expect("a program");
                assert!(rest.iter().all(|word| !word.contains("AAAA")), "no key is in a command: {rest:?}");
                let mut command = Command::new(program);
                command.args(rest).env_clear().env("PATH", "/usr/bin:/bin").env("LECTERN_AUTHORIZED_KEYS_FILE", &file).current_dir(&folder);
                let mut child = command.stdin(Stdio::piped()).kill_on_drop(true).spawn().expect("a shell");
                let mut input = child.stdin.take().expect("a pipe");
                let feed = async {
                    // The shell may end before it has read all.
                    let _ = tokio::io::copy(&mut stdin, &mut input).await;
                    std::future::pending::<()>().await;
                };
                let status = tokio::select! {
                    status = child.wait() => status.expect("it ends"),
                    () = feed => unreachable!("that never ends"),
                };
                // The caller may be gone.
                let _ = exit.send(status.code().unwrap_or(-1));
            }
        });
        inside
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("authorized_keys")
    }

    /// As the lab's command writes the file at each start.
    fn begin_anew(&self) {
        std::fs::write(self.file(), "of the order\n").expect("written");
    }

    fn keys(&self) -> Vec<String> {
        std::fs::read_to_string(self.file()).expect("the file").lines().map(str::to_owned).collect()
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}

impl Scene {
    /// A lab with an SSH server, which the cluster is not told of yet.
    async fn shell(&self, public_key: &str) -> LabId {
        let form = OrderForm { duration_minutes: "240".into(), ..shell_order(&self.course, public_key) };
        orders::submit(&self.world.services, &self.teacher, &form, &fixtures::key(self)).await.expect("an order").labs[0]
    }

    async fn add_key(&self, caller: &Caller, public_key: &str) -> SshKey {
        self.world.clock.advance(1);
        let form = SshKeyForm { name: "laptop $(touch hacked)".into(), public_key: public_key.into() };
        let key = ssh_keys::add(&self.world.services, caller, &form).await.expect("added");
        self.settle().await;
        key
    }

    async fn remove_key(&self, key: &SshKey) {
        ssh_keys::remove(&self.world.services, &self.teacher, key.id).await.expect("removed");
    }

    async fn problem(&self, id: LabId) -> Option<KeysProblem> {
        labs::get(&self.world.services, &self.teacher, id).await.expect("the lab").keys_problem
    }

    /// Labs whose keys wait to be written.
    async fn waiting_keys(&self) -> Vec<String> {
        texts(&self.world.services.db, "SELECT subject FROM outbox WHERE kind = 'write_keys'").await
    }

    /// Programs that were started in pods.
    fn programs(&self) -> usize {
        self.world.cluster.calls().iter().filter(|call| call.starts_with("exec ")).count()
    }

    /// Goes on for some minutes.
    async fn wait(&self) {
        for _ in 0..12 {
            self.world.clock.advance(31);
            self.settle().await;
        }
    }
}

#[tokio::test]
async fn a_change_of_the_keys_reaches_the_running_labs_of_their_owner() {
    for_each_engine("a_change_of_the_keys_reaches_the_running_labs_of_their_owner", async |database| {
        let scene = Scene::on(database).await;
        let desk = scene.add_key(&scene.teacher, DESK).await;
        // Nothing in it is for a shell.
        let typed = format!("{BY_HAND} $(touch hacked) `touch hacked`; \"touch\" 'hacked' \\ %s . ~ * && exit 0 #");
        let id = scene.shell(&typed).await;
        let inside = Inside::of(&scene, id);
        scene.settle().await;
        assert_eq!(inside.keys(), [DESK, typed.as_str()], "as soon as it runs");
        let laptop = scene.add_key(&scene.teacher, LAPTOP).await;
        assert_eq!(inside.keys(), [LAPTOP, DESK, typed.as_str()]);
        scene.remove_key(&desk).await;
        scene.settle().await;
        assert_eq!(inside.keys(), [LAPTOP, typed.as_str()]);
        let mode = std::fs::metadata(inside.file()).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "sshd takes no file that others can write");
        assert_eq!(std::fs::read_dir(inside.folder.path()).expect("the folder").count(), 1, "nothing else was made");

        // A key that was typed by hand belongs to the account from when it is added.
        let by_hand = scene.add_key(&scene.teacher, BY_HAND).await;
        assert_eq!(inside.keys(), [BY_HAND, LAPTOP]);
        scene.remove_key(&by_hand).await;
        scene.remove_key(&laptop).await;
        scene.settle().await;
        assert_eq!(inside.keys(), [""; 0], "nobody may enter");
        scene.add_key(&scene.teacher, DESK).await;
        assert_eq!(inside.keys(), [DESK], "also if it was removed before");

        let runs = inside.runs();
        let wang = scene.world.person("wang").add().await;
        scene.add_key(&wang, LAPTOP).await;
        assert_eq!(inside.runs(), runs, "other people's keys are nothing to it");
        labs::stop(&scene.world.services, &scene.teacher, id).await.expect("stops");
        scene.settle().await;
        scene.add_key(&scene.teacher, LAPTOP).await;
        assert_eq!((inside.runs(), scene.waiting_keys().await.len()), (runs, 0), "nothing runs there");
        inside.begin_anew();
        labs::start(&scene.world.services, &scene.teacher, id).await.expect("starts");
        scene.settle().await;
        assert_eq!(inside.keys(), [LAPTOP, DESK], "a removed key of the order does not come back");
        assert_eq!(scene.problem(id).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_change_survives_the_portal_and_a_cluster_that_is_away() {
    for_each_engine("a_change_survives_the_portal_and_a_cluster_that_is_away", async |database| {
        let scene = Scene::on(database).await;
        let desk = scene.add_key(&scene.teacher, DESK).await;
        let id = scene.shell(DESK).await;
        let inside = Inside::of(&scene, id);
        scene.settle().await;
        assert_eq!(inside.keys(), [DESK]);
        scene.remove_key(&desk).await;
        // The portal is killed now; another one finds the work.
        assert_eq!(scene.waiting_keys().await, [id.to_string()]);
        scene.world.cluster.go_away();
        let replica = scene.world.replica();
        reconcile::due(&replica).await.expect("tried");
        assert_eq!((inside.keys(), scene.waiting_keys().await.len()), (vec![DESK.to_owned()], 1));
        scene.world.cluster.come_back();
        cluster_status::refresh(&replica).await.expect("it answers");
        while reconcile::due(&replica).await.expect("tried") > 0 {}
        assert_eq!((inside.keys(), scene.waiting_keys().await.len()), (Vec::new(), 0));
    })
    .await;
}

#[tokio::test]
async fn a_lab_that_cannot_be_written_shows_it_and_is_tried_so_often_only() {
    for_each_engine("a_lab_that_cannot_be_written_shows_it_and_is_tried_so_often_only", async |database| {
        let scene = Scene::on(database).await;
        let id = scene.shell(BY_HAND).await;
        // No program can be started there.
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Running);
        assert_eq!((scene.programs(), scene.problem(id).await), (1, None), "it may be on its way out");
        scene.wait().await;
        assert_eq!((scene.programs(), scene.problem(id).await), (TRIES, Some(KeysProblem::NotWritten)));
        assert_eq!(scene.waiting_keys().await, [""; 0]);
        scene.add_key(&scene.teacher, DESK).await;
        scene.wait().await;
        assert_eq!(scene.programs(), 2 * TRIES, "another change is another try");
        let inside = Inside::of(&scene, id);
        scene.world.clock.advance(11 * 60);
        renew_keys(&scene.world.services).await.expect("a round");
        scene.settle().await;
        assert_eq!((inside.keys(), scene.problem(id).await), (vec![DESK.to_owned(), BY_HAND.to_owned()], None));
        // A container that was started again by itself has the keys of its order; nobody tells the portal.
        inside.begin_anew();
        renew_keys(&scene.world.services).await.expect("a round");
        assert_eq!(scene.waiting_keys().await, [""; 0], "it was written a moment ago");
        scene.world.clock.advance(11 * 60);
        renew_keys(&scene.world.services).await.expect("a round");
        scene.settle().await;
        assert_eq!(inside.keys(), [DESK, BY_HAND]);
    })
    .await;
}

#[tokio::test]
async fn a_program_whose_connection_breaks_is_tried_again_and_no_cluster_is_away() {
    let scene = Scene::on(storage::testing::TestDatabase::sqlite().await).await;
    let id = scene.shell(BY_HAND).await;
    let mut programs = scene.world.cluster.host(id);
    // The pod goes under it.
    let breaking = tokio::spawn(async move { drop(programs.recv().await) });
    scene.settle().await;
    breaking.await.expect("one program");
    assert_eq!(scene.waiting_keys().await, [id.to_string()]);
    assert!(cluster_status::current(&scene.world.services).await.expect("read").away_since.is_none());
    let inside = Inside::of(&scene, id);
    scene.wait().await;
    assert_eq!((inside.keys(), scene.problem(id).await), (vec![BY_HAND.to_owned()], None));
}

#[tokio::test]
async fn a_lab_without_a_file_of_keys_is_left_alone() {
    let scene = Scene::on(storage::testing::TestDatabase::sqlite().await).await;
    let id = scene.shell(BY_HAND).await;
    let inside = Inside::of(&scene, id);
    std::fs::remove_file(inside.file()).expect("removed");
    scene.settle().await;
    scene.wait().await;
    assert_eq!((inside.runs(), scene.problem(id).await), (1, Some(KeysProblem::NoFile)));
    renew_keys(&scene.world.services).await.expect("a round");
    assert_eq!(scene.waiting_keys().await, [""; 0]);
    assert!(!inside.file().exists());
    // A lab without an SSH server is never asked.
    scene.running().await;
    scene.add_key(&scene.teacher, DESK).await;
    assert_eq!(scene.programs(), 2, "once more in the first one");
}
