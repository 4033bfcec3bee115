//! A folder that nobody else may change, and the server that lives there.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::client::{lectern, search_path};

/// How long something may take that takes seconds: a bound against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(2);

const CONFIG: &str = "[cluster]\nsimulator_fast = true\n[labs]\nlisten = \"127.0.0.1:0\"\n";

/// Asks until there is an answer.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("waited in vain for: {what}"))
}

/// A folder in which sshd takes files of keys: with StrictModes it wants every folder above them closed to others, and `/tmp` is not. `None`
/// where there is none.
pub fn closed_folder() -> Option<TempDir> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let base = [Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR"))), home].into_iter().flatten().find(|folder| is_closed(folder))?;
    let folder = tempfile::Builder::new().prefix("lectern-ssh-").permissions(fs::Permissions::from_mode(0o700)).tempdir_in(base);
    Some(folder.expect("a folder"))
}

fn is_closed(folder: &Path) -> bool {
    let Ok(folder) = fs::canonicalize(folder) else { return false };
    let Ok(own) = fs::metadata("/proc/self").map(|process| process.uid()) else { return false };
    let is_ours = |folder: &Path| fs::metadata(folder).is_ok_and(|about| about.mode() & 0o022 == 0 && [0, own].contains(&about.uid()));
    folder.ancestors().all(is_ours)
}

pub struct Server {
    child: Child,
    log: PathBuf,
    pub url: String,
}

impl Server {
    /// A server on this database with its labs in `data`.
    pub async fn start(data: &Path, database: &str) -> Self {
        fs::create_dir_all(data).expect("a folder");
        // The account's umask may be another one.
        fs::set_permissions(data, fs::Permissions::from_mode(0o700)).expect("closed");
        let (config, log) = (data.join("lectern.toml"), data.join("log"));
        fs::write(&config, CONFIG).expect("written");
        let to_log = || OpenOptions::new().create(true).append(true).open(&log).expect("a log");
        let mut command = Command::new(lectern());
        command.args(["serve", "--listen", "127.0.0.1:0", "--site-root", "/nonexistent", "--labs", "local", "--database", database]);
        command.arg("--data").arg(data).arg("--config").arg(&config).env_clear().env("PATH", search_path());
        let child = command.stdin(Stdio::null()).stdout(to_log()).stderr(to_log()).spawn().expect("the server starts");
        let mut server = Self { child, log, url: String::new() };
        server.url = until("the server", async || {
            if let Some(status) = server.child.try_wait().expect("asked") {
                panic!("the server ended by itself, {status}:\n{}", server.said());
            }
            server.serving()
        })
        .await;
        server
    }

    /// The portal's URL, once it says so.
    fn serving(&self) -> Option<String> {
        let said = self.said();
        let (_, after) = said.split_once("serving http://127.0.0.1:")?;
        let port: String = after.chars().take_while(char::is_ascii_digit).collect();
        Some(format!("http://127.0.0.1:{port}"))
    }

    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    /// Asked to end, it ends its labs too.
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
