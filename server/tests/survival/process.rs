//! The binary as a process that can be killed at any moment and started again in the same place.

use std::{
    fs::OpenOptions,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{
        Once,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long a server may take until it serves, or ends: a bound against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(1);

/// The lab site is on any free port: the next one after the portal's may be that of another place.
const CONFIG: &str = "[cluster]\nsimulator_fast = true\n[labs]\nlisten = \"127.0.0.1:0\"\n[log]\nfilter = \"warn\"\n";

/// Where a server lives: its data folder, its database and its port stay the same from one process to the next.
pub struct Place {
    data: TempDir,
    /// The URL of the database; `None` for the one in the data folder.
    database: Option<String>,
    port: u16,
}

impl Place {
    pub fn on(database: &str) -> Self {
        Self::with(Some(database.to_owned()))
    }

    /// A place whose database is in its data folder; `fill` fills the folder first.
    pub fn in_its_folder(fill: impl FnOnce(&Path)) -> Self {
        let place = Self::with(None);
        fill(place.data());
        place
    }

    fn with(database: Option<String>) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("lectern.toml"), CONFIG).unwrap();
        Self { data, database, port: free_port() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn address(&self) -> (&'static str, u16) {
        ("127.0.0.1", self.port)
    }

    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Starts a process; it serves in a while.
    pub fn spawn(&self) -> Running {
        let log = OpenOptions::new().create(true).append(true).open(self.data().join("log")).unwrap();
        let mut command = self.lectern(&["serve", "--site-root", "/nonexistent"]);
        command.args(["--listen", &format!("127.0.0.1:{}", self.port), "--config"]).arg(self.data().join("lectern.toml"));
        Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("the server starts"))
    }

    /// Starts a process that serves now.
    pub async fn start(&self) -> Running {
        let mut running = self.spawn();
        let (client, deadline) = (reqwest::Client::new(), Instant::now() + PATIENCE);
        loop {
            if let Some(status) = running.0.try_wait().unwrap() {
                panic!("the server ended by itself, {status}:\n{}", self.log());
            }
            if client.get(self.url("/readyz")).send().await.is_ok_and(|answer| answer.status() == 200) {
                return running;
            }
            assert!(Instant::now() < deadline, "the server does not become ready:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Another command beside the server, on the same database.
    pub fn run(&self, words: &[&str]) -> Output {
        self.lectern(words).output().expect("the binary runs")
    }

    fn lectern(&self, words: &[&str]) -> Command {
        // `LECTERN` names another build, as for the browser tests.
        let mut command = Command::new(std::env::var_os("LECTERN").unwrap_or_else(|| env!("CARGO_BIN_EXE_lectern").into()));
        command.args(words).arg("--data").arg(self.data()).env_clear();
        if let Some(database) = &self.database {
            command.args(["--database", database]);
        }
        command
    }

    /// What all processes logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data().join("log")).unwrap_or_default()
    }
}

/// A process; it does not outlive the test.
pub struct Running(Child);

impl Running {
    /// As a power button does: nothing of the process runs after it.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// As an operator does; it must end well.
    pub fn stop(mut self, place: &Place) {
        let asked = Command::new("kill").arg(self.0.id().to_string()).status().expect("kill");
        assert!(asked.success());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.0.try_wait().unwrap() {
                assert!(status.success(), "{status}:\n{}", place.log());
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server does not end:\n{}", place.log());
    }

    pub fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port below those that the system gives to clients: one of these could take it while the server is down.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let mine = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    loop {
        let port = mine + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
