//! The output of a container, in a file for each run: lines as a container runtime keeps them, `2026-01-02T03:04:05Z F text`, with `P` for a
//! piece of a line that goes on. So progress that redraws itself with `\r` is there before its line ends.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::folders;
use crate::stamp;

/// Most bytes of a file; then it begins anew, so that a program that prints without end does not fill the disk.
const LARGEST: u64 = 10 << 20;
const PIECE: usize = 8 << 10;
/// Most bytes that are read at once.
const READ: u64 = 1 << 20;

/// Writes the log of one run.
#[derive(Debug, Clone)]
pub struct Log(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Log {
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            folders::make(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let length = file.metadata()?.len();
        Ok(Self(Arc::new(Mutex::new(Inner { path: path.to_owned(), file, length }))))
    }

    /// Writes a line of the simulator's own.
    pub fn say(&self, text: &str) {
        self.write(format!("lectern: {text}\n").as_bytes());
    }

    /// Writes what a program writes, until it closes its end.
    pub async fn take(&self, mut output: impl AsyncRead + Unpin) {
        let mut piece = vec![0; PIECE];
        while let Ok(length @ 1..) = output.read(&mut piece).await {
            self.write(&piece[..length]);
        }
    }

    fn write(&self, bytes: &[u8]) {
        let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        let mut entries = Vec::with_capacity(bytes.len() + 64);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (tag, text) = line.strip_suffix(b"\n").map_or(('P', line), |text| ('F', text));
            entries.extend_from_slice(format!("{now} {tag} ").as_bytes());
            entries.extend_from_slice(text);
            entries.push(b'\n');
        }
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = inner.append(&entries) {
            tracing::warn!(log = %inner.path.display(), %error, "what a lab writes cannot be kept");
        }
    }
}

impl Inner {
    fn append(&mut self, entries: &[u8]) -> io::Result<()> {
        if self.length > LARGEST {
            // Readers notice that it is another file.
            fs::rename(&self.path, self.path.with_extension("old"))?;
            self.file = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path)?;
            self.length = 0;
        }
        self.file.write_all(entries)?;
        self.length += entries.len() as u64;
        Ok(())
    }
}

/// One line of the file: a line of output, or a piece of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    at: &'a str,
    /// Whether the line of output ends here.
    pub is_last: bool,
    text: &'a [u8],
}

/// The entries in these bytes, which end with the end of an entry.
pub fn entries(bytes: &[u8]) -> Vec<Entry<'_>> {
    bytes.split(|byte| *byte == b'\n').filter_map(Entry::read).collect()
}

impl<'a> Entry<'a> {
    fn read(line: &'a [u8]) -> Option<Self> {
        let mut parts = line.splitn(3, |byte| *byte == b' ');
        let (at, tag, text) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { at: std::str::from_utf8(at).ok()?, is_last: tag == b"F", text })
    }

    /// When it was written.
    pub fn time(&self) -> Option<OffsetDateTime> {
        stamp::parse(self.at)
    }
}

/// The last so many lines.
pub fn tail<'a, 'b>(entries: &'b [Entry<'a>], lines: usize) -> &'b [Entry<'a>] {
    let mut start = entries.len();
    let mut seen = 0;
    for (at, entry) in entries.iter().enumerate().rev() {
        if entry.is_last || at + 1 == entries.len() {
            if seen == lines {
                break;
            }
            seen += 1;
        }
        start = at;
    }
    &entries[start..]
}

/// Makes output of entries again.
#[derive(Debug)]
pub struct Text {
    stamps: bool,
    is_new_line: bool,
}

impl Text {
    pub fn new(stamps: bool) -> Self {
        Self { stamps, is_new_line: true }
    }

    pub fn of(&mut self, entries: &[Entry<'_>]) -> Vec<u8> {
        let mut output = Vec::new();
        for entry in entries {
            if self.stamps && self.is_new_line {
                output.extend_from_slice(entry.at.as_bytes());
                output.push(b' ');
            }
            output.extend_from_slice(entry.text);
            if entry.is_last {
                output.push(b'\n');
            }
            self.is_new_line = entry.is_last;
        }
        output
    }
}

/// Reads a log from a place on.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    /// Which file it was, and how much of it has been read.
    read: Option<(u64, u64)>,
}

impl Reader {
    pub fn from_start(path: PathBuf) -> Self {
        Self { path, read: None }
    }

    /// Only what is still to come.
    pub fn from_end(path: PathBuf) -> Self {
        let read = fs::metadata(&path).ok().map(|found| (found.ino(), found.len()));
        Self { path, read }
    }

    /// What has come since; empty if nothing has. Errors: there is no such log.
    pub fn more(&mut self) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        let found = file.metadata()?;
        let start = self.read.filter(|(inode, start)| *inode == found.ino() && *start <= found.len()).map_or(0, |(_, start)| start);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(READ.min(found.len() - start)).read_to_end(&mut bytes)?;
        // An entry that is being written is for the next time.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        bytes.truncate(whole);
        self.read = Some((found.ino(), start + whole as u64));
        Ok(bytes)
    }

    /// All that there is now.
    pub fn all(&mut self) -> io::Result<Vec<u8>> {
        let mut all = self.more()?;
        loop {
            let more = self.more()?;
            if more.is_empty() || all.len() as u64 > 2 * LARGEST {
                return Ok(all);
            }
            all.extend_from_slice(&more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_pieces_and_torn_letters_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pod/0.log");
        let log = Log::open(&path).unwrap();
        let mut reader = Reader::from_start(path.clone());
        let written: [&[u8]; 4] = [b"first\n10%\r", b"20%\r\xe4\xb8", b"\xad done\n", b"last"];
        for piece in written {
            log.write(piece);
        }
        let bytes = reader.all().unwrap();
        let all = entries(&bytes);
        assert_eq!(Text::new(false).of(&all), written.concat());
        assert_eq!(Text::new(false).of(tail(&all, 1)), b"last");
        assert_eq!(Text::new(false).of(tail(&all, 2)), "10%\r20%\r中 done\nlast".as_bytes());
        assert_eq!(tail(&all, 9).len(), all.len());
        assert!(tail(&all, 0).is_empty());
        let stamped = String::from_utf8(Text::new(true).of(&all)).unwrap();
        assert!(stamped.lines().all(|line| line.split_once(' ').is_some_and(|(at, _)| stamp::parse(at).is_some())), "{stamped}");
        assert!(reader.more().unwrap().is_empty());
        log.say("more");
        assert_eq!(Text::new(false).of(&entries(&reader.more().unwrap())), b"lectern: more\n");
    }

    #[test]
    fn a_log_that_is_full_begins_anew_and_a_reader_goes_on_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.log");
        let log = Log::open(&path).unwrap();
        let line = [b"x".repeat(usize::try_from(LARGEST).unwrap()), b"\n".to_vec()].concat();
        log.write(&line);
        let mut reader = Reader::from_end(path.clone());
        log.write(b"anew\n");
        assert!(fs::metadata(&path).unwrap().len() < 100);
        assert_eq!(Text::new(false).of(&entries(&reader.more().unwrap())), b"anew\n");
    }
}
