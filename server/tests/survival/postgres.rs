//! A PostgreSQL server of the test's own, which it may stop.

use std::process::Command;

use storage::testing::skip;
use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/postgres");

/// Gone when the value is.
pub struct Postgres {
    folder: TempDir,
    pub url: String,
}

impl Postgres {
    /// `None`, with the reason in the skip log, where tests have no PostgreSQL.
    pub fn start(test: &str) -> Option<Self> {
        if std::env::var_os("LECTERN_TEST_POSTGRES").is_none() {
            skip(test, "LECTERN_TEST_POSTGRES is not set: no PostgreSQL for tests");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        // It runs as another user where this one is root.
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), readable).unwrap();
        let mut postgres = Self { folder, url: String::new() };
        postgres.url = postgres.run("start", None);
        Some(postgres)
    }

    /// `fast` lets nobody finish, `immediate` is as a crash: the next start recovers from the log.
    pub fn halt(&self, mode: &str) {
        self.run("halt", Some(mode));
    }

    pub fn resume(&self) {
        self.run("resume", None);
    }

    fn run(&self, command: &str, mode: Option<&str>) -> String {
        let output = Command::new(SCRIPT).arg(command).arg(self.folder.path()).args(mode).output().expect("the script runs");
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = Command::new(SCRIPT).arg("stop").arg(self.folder.path()).output();
    }
}
