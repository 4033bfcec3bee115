//! The files of a SQLite database: readable by their owner only, on a disk with enough room.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// Opens a file for writing; creates it if it does not exist.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
}

/// Creates the database file if it does not exist, and removes the permissions of other users from it and from the files that SQLite keeps
/// beside it. SQLite gives new ones the mode of the database file.
pub(crate) fn make_private(database: &Path) {
    if database.as_os_str().is_empty() || database == Path::new(":memory:") {
        return;
    }
    if !database.exists() {
        // If it cannot be created, SQLite reports the error, since it knows the rest of the URL.
        let _ = open_private(database);
    }
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut path = database.as_os_str().to_owned();
        path.push(suffix);
        close_off(&PathBuf::from(path));
    }
    close_off(&database.with_extension("lock"));
}

fn close_off(path: &Path) {
    let is_open = fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
    if is_open && let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(0o600)) {
        tracing::warn!(file = %path.display(), %error, "others on this machine may read this file: it is not ours to close");
    }
}

/// Free bytes on the disk of this file.
pub(crate) fn room_beside(file: &Path) -> io::Result<u64> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_says_how_much_room_it_has() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(room_beside(&folder.path().join("test.db")).expect("known") > 0);
        assert!(room_beside(Path::new("/no/such/folder/test.db")).is_err());
    }
}
