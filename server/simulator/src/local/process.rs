//! Processes of this machine: each container is a group of them, all with a mark in their environment by which they are found again. A record
//! of each lets the next start end what a killed server left.

use std::{
    fs, io,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::folders::{self, Folders};

/// The variable with the mark. What a program starts inherits it, also what leaves its group.
pub const MARK: &str = "LECTERN_PROCESS";

/// How long leftovers get to end by themselves.
const PATIENCE: Duration = Duration::from_secs(2);
const BETWEEN: Duration = Duration::from_millis(50);

/// A group of processes. Where it is dropped, it is killed.
#[derive(Debug)]
pub struct Group {
    leader: Option<Pid>,
    is_over: bool,
}

impl Group {
    pub fn of(child: &tokio::process::Child) -> Self {
        Self { leader: child.id().and_then(pid), is_over: false }
    }

    pub fn signal(&self, signal: Signal) {
        if let Some(leader) = self.leader {
            // It may have ended already.
            let _ = kill_process_group(leader, signal);
        }
    }

    /// The leader has ended: kills the rest of its group. Until the last of them is gone, no other group has its number.
    pub fn end(mut self) {
        self.signal(Signal::KILL);
        self.is_over = true;
    }

    /// The leader has ended, and what it left in the background goes on.
    pub fn leave(mut self) {
        self.is_over = true;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_over {
            self.signal(Signal::KILL);
        }
    }
}

fn pid(number: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(number).ok()?)
}

/// As a shell and a kubelet count: 128 and the signal, for a program that a signal ended.
pub fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// Kills all processes with the mark. What is started meanwhile has it too, so it looks until there are none.
pub async fn sweep(mark: &str) {
    for _ in 0..40 {
        let found = marked(mark);
        if found.is_empty() {
            return;
        }
        for process in found {
            let _ = kill_process(process, Signal::KILL);
        }
        tokio::time::sleep(BETWEEN).await;
    }
    tracing::warn!(mark, "processes of a lab do not end");
}

/// The processes with the mark that can be looked into; none where there is no `/proc`.
fn marked(mark: &str) -> Vec<Pid> {
    let wanted = format!("{MARK}={mark}");
    let is_marked = |process: &PathBuf| {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    let marked = processes.filter(|path| number(path).is_some()).filter(is_marked);
    marked.filter_map(|path| number(&path).and_then(pid)).filter(|found| found.as_raw_pid().unsigned_abs() != std::process::id()).collect()
}

/// The folders in `/proc` of all processes of containers that can be looked into, with their marks.
pub fn marks() -> Vec<(PathBuf, String)> {
    let mark = |process: &Path| {
        let environment = fs::read(process.join("environ")).ok()?;
        let mut texts = environment.split(|byte| *byte == 0).filter_map(|variable| std::str::from_utf8(variable).ok());
        texts.find_map(|text| text.strip_prefix(MARK)?.strip_prefix('=').map(str::to_owned))
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    let numbered = processes.filter(|path| number(path).is_some_and(|number| number != std::process::id()));
    numbered.filter_map(|path| mark(&path).map(|mark| (path, mark))).collect()
}

fn number(process: &Path) -> Option<u32> {
    process.file_name()?.to_str()?.parse().ok()
}

/// The file that says that a process runs.
#[derive(Debug)]
pub struct Record(PathBuf);

impl Record {
    /// `name` is unique among what runs.
    pub fn keep(folders: &Folders, name: &str, mark: &str, child: &tokio::process::Child) -> io::Result<Self> {
        folders::make(&folders.records())?;
        let path = folders.records().join(name);
        let leader = child.id().unwrap_or_default();
        fs::write(&path, format!("{leader} {} {mark}\n", started(leader).unwrap_or_else(|| "-".to_owned())))?;
        Ok(Self(path))
    }

    /// It has ended, and so has all that it started.
    pub fn forget(self) {
        let _ = fs::remove_file(self.0);
    }
}

/// When a process started, in a form that no other process with its number has: the boot, and the ticks since. `None` where it is gone, and
/// where there is no `/proc`.
fn started(process: u32) -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let status = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, in brackets, may hold anything.
    let (_, rest) = status.rsplit_once(')')?;
    let ticks = rest.split_ascii_whitespace().nth(19)?;
    Some(format!("{}/{ticks}", boot.trim()))
}

/// Ends processes that an earlier server started and did not end.
pub async fn end_leftovers(folders: &Folders) {
    let mut marks = Vec::new();
    for entry in fs::read_dir(folders.records()).into_iter().flatten().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let mut words = text.split_ascii_whitespace();
        let (Some(leader), Some(start), Some(mark)) = (words.next().and_then(|word| word.parse().ok()), words.next(), words.next()) else {
            let _ = fs::remove_file(entry.path());
            continue;
        };
        // Another process may have its number by now.
        let is_same = started(leader).as_deref() == Some(start);
        if let Some(leader) = pid(leader).filter(|_| is_same) {
            let _ = kill_process_group(leader, Signal::TERM);
        }
        marks.push((mark.to_owned(), entry.path()));
    }
    if marks.is_empty() {
        return;
    }
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline && marks.iter().any(|(mark, _)| !marked(mark).is_empty()) {
        tokio::time::sleep(BETWEEN).await;
    }
    for (mark, record) in marks {
        sweep(&mark).await;
        let _ = fs::remove_file(record);
    }
    tracing::info!("processes of labs that an earlier server left running have been ended");
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    fn sleeping(mark: &str) -> tokio::process::Child {
        let mut command = tokio::process::Command::new("sleep");
        command.arg("1000").env(MARK, mark).stdout(Stdio::null()).process_group(0).kill_on_drop(true).spawn().unwrap()
    }

    #[tokio::test]
    async fn the_next_start_ends_what_a_killed_server_left_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let folders = Folders::open(root.path()).unwrap();
        let mark = format!("test-{}/main", std::process::id());
        let (mut left, mut other) = (sleeping(&mark), sleeping("of another server"));
        Record::keep(&folders, "left", &mark, &left).unwrap();
        // The number of a process that is gone has come to another one.
        fs::write(folders.records().join("old"), format!("{} boot/1 test-gone/main\n", other.id().unwrap())).unwrap();
        fs::write(folders.records().join("torn"), "12").unwrap();
        end_leftovers(&folders).await;
        assert_eq!(left.wait().await.map(code).unwrap(), 128 + 15);
        assert!(other.try_wait().unwrap().is_none(), "it still runs");
        assert_eq!(fs::read_dir(folders.records()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn all_that_a_program_starts_ends_with_it() {
        let mark = format!("test-{}/sweep", std::process::id());
        let mut command = tokio::process::Command::new("sh");
        command.args(["-c", "nohup sleep 1000 >/dev/null 2>&1 & exit 3"]).env(MARK, &mark).process_group(0);
        let mut child = command.spawn().unwrap();
        let group = Group::of(&child);
        assert_eq!(child.wait().await.map(code).unwrap(), 3);
        group.end();
        sweep(&mark).await;
        assert!(marked(&mark).is_empty());
    }
}
