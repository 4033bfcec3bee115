//! One server for one data folder: two would drive the same simulated cluster and share one SQLite file's jobs.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use anyhow::{Context as _, Result, bail};

/// Held as long as the value lives; the system frees it when the process ends, however it ends.
#[derive(Debug)]
pub struct DataLock(#[expect(dead_code, reason = "the lock is the open file")] File);

impl DataLock {
    /// Makes the folder, for its owner only, and locks it.
    pub fn take(data: &Path) -> Result<Self> {
        make_private_folder(data)?;
        close_off(data);
        let path = data.join("server.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => bail!("another server is already using the data folder {}", data.display()),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }
}

/// A folder that others on this machine cannot look into.
pub fn make_private_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(|| format!("cannot make the folder {}", path.display()))
}

/// From now on files that this process makes can be read by their owner only, even those of libraries.
pub fn make_files_private() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// Files that Lectern makes in its data folder, by the beginning of their names. `secret.new` is a key file that was not written to its end.
const OURS: [&str; 7] = ["lectern.db", "lectern.lock", "server.lock", "secret.key", "secret.new", "demo-accounts.", "simulator"];

/// Folders of labs that are processes of this machine. What is in them is theirs.
const OF_LABS: [&str; 4] = ["lab-pods", "lab-processes", "labs", "tools"];

/// Removes the permissions of other users from files that an earlier version left in the folder, and from the folder itself if it holds
/// nothing else.
fn close_off(data: &Path) {
    if let Err(error) = close_off_ours(data) {
        tracing::warn!(folder = %data.display(), %error, "others on this machine may read the data folder: its rights are not ours to change");
    }
}

fn close_off_ours(data: &Path) -> io::Result<()> {
    let mut holds_others = false;
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        if OF_LABS.iter().any(|name| entry.file_name() == *name) {
            take_rights(&entry.path(), 0o700)?;
        } else if OURS.iter().any(|name| entry.file_name().to_string_lossy().starts_with(name)) {
            close_off_all(&entry.path())?;
        } else {
            holds_others = true;
        }
    }
    if holds_others { Ok(()) } else { take_rights(data, 0o700) }
}

fn close_off_all(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_file() {
        return take_rights(path, 0o600);
    }
    if found.is_dir() {
        for entry in fs::read_dir(path)? {
            close_off_all(&entry?.path())?;
        }
        return take_rights(path, 0o700);
    }
    Ok(())
}

fn take_rights(path: &Path, mode: u32) -> io::Result<()> {
    let open = fs::metadata(path)?.permissions().mode() & 0o077 != 0;
    if open { fs::set_permissions(path, fs::Permissions::from_mode(mode)) } else { Ok(()) }
}

/// Writes a file that only its owner can read, whole or not at all.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    let draft = path.with_extension("new");
    let _ = fs::remove_file(&draft);
    let mut file =
        OpenOptions::new().create_new(true).write(true).mode(0o600).open(&draft).with_context(|| format!("cannot write {}", draft.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_an_earlier_version_left_open_is_closed_and_what_is_not_ours_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir_all(data.join("simulator/objects")).unwrap();
        let ours =
            ["lectern.db", "lectern.db-wal", "lectern.lock", "secret.key", "demo-accounts.txt", "simulator/kubeconfig", "simulator/objects/journal"];
        for name in ours {
            fs::write(data.join(name), "").unwrap();
            fs::set_permissions(data.join(name), fs::Permissions::from_mode(0o644)).unwrap();
        }
        for name in ["", "simulator", "simulator/objects"] {
            fs::set_permissions(data.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        drop(DataLock::take(&data).unwrap());
        for name in ours.into_iter().chain(["server.lock"]) {
            assert_eq!(mode(&data.join(name)), 0o600, "{name}");
        }
        for name in ["", "simulator", "simulator/objects"] {
            assert_eq!(mode(&data.join(name)), 0o700, "{name:?}");
        }
        // If the folder also holds files of other programs, its permissions stay.
        fs::write(data.join("thesis.tex"), "").unwrap();
        for name in ["", "thesis.tex"] {
            fs::set_permissions(data.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        drop(DataLock::take(&data).unwrap());
        assert_eq!((mode(&data), mode(&data.join("thesis.tex"))), (0o755, 0o755));
    }

    #[test]
    fn a_folder_has_one_server() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataLock::take(folder.path()).unwrap();
        assert!(DataLock::take(folder.path()).unwrap_err().to_string().contains("another server"));
        drop(first);
        DataLock::take(folder.path()).unwrap();
    }
}
