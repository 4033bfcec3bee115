//! Labs by stock OpenSSH: the real binary with labs that are processes, Debian's `sshd` in one of them, and `ssh`, `scp` and `rsync` outside.
//! All go by `lectern login` and the block that `lectern ssh-config` prints, as people use them.

mod client;
mod place;
mod scene;

use std::{fs, process::Stdio};

use tokio::io::{AsyncBufReadExt as _, BufReader};

use self::{
    client::{Said, ended},
    place::until,
    scene::{Scene, process_lists},
};

/// Bytes of a file that are no text, and more than fits into any buffer.
fn bytes() -> Vec<u8> {
    (0..3_000_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_and_files_pass_by_stock_openssh() {
    let Some(scene) = Scene::start("commands_and_files_pass_by_stock_openssh").await else { return };
    let client = &scene.client;
    let said = client.ssh(&["echo out; echo err >&2; exit 7"]).await;
    assert_eq!((said.code, said.out.as_str()), (Some(7), "out\n"), "{said:?}");
    assert!(said.err.contains("err\n"), "{said:?}");
    // Each session begins in the lab's own folder, which is its volume.
    let said = client.ssh(&["touch here && pwd"]).await;
    assert!(said.out.contains(&scene.name) && scene.volume().join("here").is_file(), "{said:?}");

    let (sent, back) = (client.file("sent.bin"), client.file("back.bin"));
    fs::write(&sent, bytes()).expect("written");
    let ways: [&[&str]; 2] = [&[], &["-O"]];
    for way in ways {
        let there = format!("{}:copied.bin", client.host);
        client.scp(way, &sent, &there).await.is_good();
        assert!(fs::read(scene.volume().join("copied.bin")).expect("the copy") == bytes(), "scp {way:?} to the lab: other bytes");
        client.scp(way, &there, &back).await.is_good();
        assert!(fs::read(&back).expect("the copy") == bytes(), "scp {way:?} from the lab: other bytes");
        for copy in [scene.volume().join("copied.bin"), back.clone().into()] {
            fs::remove_file(copy).expect("removed");
        }
    }

    let project = client.file("project");
    fs::create_dir_all(format!("{project}/src")).expect("a folder");
    fs::write(format!("{project}/src/train.py"), "print('hello')\n").expect("written");
    fs::write(format!("{project}/data.bin"), bytes()).expect("written");
    client.rsync(&format!("{project}/"), &format!("{}:project/", client.host)).await.is_good();
    let there = scene.volume().join("project");
    assert!(fs::read(there.join("data.bin")).expect("the file") == bytes(), "rsync: other bytes");
    assert_eq!(fs::read_to_string(there.join("src/train.py")).expect("the file"), "print('hello')\n");
    client.rsync(&format!("{}:project/", client.host), &client.file("again/")).await.is_good();
    assert!(fs::read(client.file("again/data.bin")).expect("the file") == bytes(), "rsync: other bytes came back");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_key_stays_and_a_stopped_lab_is_not_started() {
    let Some(scene) = Scene::start("the_host_key_stays_and_a_stopped_lab_is_not_started").await else { return };
    let client = &scene.client;
    assert_eq!(client.ssh(&["echo first"]).await.out, "first\n");
    let known = client.known_hosts();
    assert!(known.contains(&client.host), "{known}");
    let strict = ["-o", "StrictHostKeyChecking=yes"];
    scene.act("restart").await;
    scene.until_it_is("running").await;
    let said = client.ssh_with(&strict, "echo again").await;
    assert_eq!(said.out, "again\n", "{said:?}");

    scene.act("stop").await;
    scene.until_it_is("stopped").await;
    // An editor that lost its lab comes again and again.
    for _ in 0..3 {
        let said = client.ssh(&["echo there"]).await;
        assert!(said.code != Some(0) && said.out.is_empty(), "{said:?}");
        assert!(said.err.contains("is not running, it is stopped"), "{said:?}");
    }
    let said = client.scp(&[], &format!("{}:here", client.host), &client.file("none")).await;
    assert!(said.code != Some(0) && said.err.contains("is not running"), "{said:?}");
    assert_eq!(scene.state().await, "stopped");
    scene.act("start").await;
    scene.until_it_is("running").await;
    let said = client.ssh_with(&strict, "echo back").await;
    assert_eq!(said.out, "back\n", "{said:?}");
    assert_eq!(client.known_hosts(), known);
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_works_until_it_is_removed_from_the_account() {
    let Some(scene) = Scene::start("a_key_works_until_it_is_removed_from_the_account").await else { return };
    let client = &scene.client;
    assert_eq!(client.ssh(&["echo in"]).await.out, "in\n");
    let other = client.make_key("other");
    scene.add_key("other", &other).await;
    // Tries in vain would make a new sshd refuse this address for a while.
    until("the new key in the lab", async || scene.keys().contains(&other).then_some(())).await;
    assert_eq!(client.ssh_as("other", "echo both").await.out, "both\n");

    // It is the key of the order too.
    scene.remove_key("key").await;
    let refused = until("the removed key to be refused", async || {
        let said = client.ssh(&["echo in"]).await;
        (said.code != Some(0)).then_some(said)
    })
    .await;
    assert!(refused.err.contains("Permission denied") && refused.out.is_empty(), "{refused:?}");
    assert_eq!(client.ssh_as("other", "echo still").await.out, "still\n");

    scene.act("restart").await;
    scene.until_it_is("running").await;
    until("the keys in the new process", async || (scene.keys().trim() == other).then_some(())).await;
    let refused = client.ssh(&["echo in"]).await;
    assert!(refused.err.contains("Permission denied") && refused.out.is_empty(), "the order brings it back: {refused:?}");
    assert_eq!(client.ssh_as("other", "echo still").await.out, "still\n");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_is_in_no_process_list_and_its_end_ends_connections() {
    let Some(scene) = Scene::start("the_token_is_in_no_process_list_and_its_end_ends_connections").await else { return };
    let client = &scene.client;
    let mut command = client.command("ssh", &[client.host.as_str(), "echo ready; exec sleep 600"]);
    let mut open = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("ssh runs");
    let mut lines = BufReader::new(open.stdout.take().expect("a pipe")).lines();
    let first = until("the session", async || Some(lines.next_line().await.expect("read"))).await;
    assert_eq!(first.as_deref(), Some("ready"));

    let lists = process_lists();
    let proxy = lists.iter().find(|line| line.contains("lectern ssh ") && line.contains(&scene.name));
    assert!(proxy.is_some(), "the ProxyCommand runs: {lists:#?}");
    for line in &lists {
        assert!(!line.contains(&scene.token), "the token is an argument: {}", line.replace(&scene.token, "…"));
    }

    scene.revoke_token().await;
    let Said { code, out, err } = ended(open.wait_with_output()).await;
    assert!(code != Some(0) && out.is_empty(), "the connection ends: {code:?} {err}");
    let refused = client.ssh(&["echo in"]).await;
    assert!(refused.code != Some(0) && refused.out.is_empty() && refused.err.contains("401"), "{refused:?}");
    assert!(!refused.err.contains(&scene.token), "{refused:?}");
    scene.stop().await;
}
