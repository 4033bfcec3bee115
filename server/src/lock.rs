//! One server for one data folder: two would drive the same simulated cluster and share one SQLite file's jobs.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
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
        let path = data.join("server.lock");
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).open(&path).with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => bail!("another server is already using the data folder {}", data.display()),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }
}

/// A folder that others on this machine cannot look into.
pub fn make_private_folder(path: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(|| format!("cannot make the folder {}", path.display()))
}

/// Writes a file that only its owner can read, whole or not at all.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
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

    #[test]
    fn a_folder_has_one_server() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataLock::take(folder.path()).unwrap();
        assert!(DataLock::take(folder.path()).unwrap_err().to_string().contains("another server"));
        drop(first);
        DataLock::take(folder.path()).unwrap();
    }
}
