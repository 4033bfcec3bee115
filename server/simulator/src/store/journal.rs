//! The data folder: a snapshot and the changes since, one JSON line for each transaction, so that a kill leaves all of it or nothing. A
//! thread writes them, off the request path: a request waits only until its line is with the operating system, so that a kill loses nothing
//! that was answered.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{BufRead, BufReader, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Change, Key, Store};
use crate::registry::{self, Resource};

/// The journal is folded into a snapshot when it has grown past this.
const FOLD_AT: u64 = 16 << 20;

/// Takes the folder for this server alone, making it where it is missing. A server that has just stopped may hold it a moment longer.
pub async fn lock(folder: &Path) -> Result<File> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let file = private().open(folder.join("lock"))?;
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(TryLockError::WouldBlock) => bail!("another simulated cluster uses the folder {}", folder.display()),
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the data folder"),
        }
    }
}

/// Files for their owner's eyes: Secrets are among the objects.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true).mode(0o600);
    options
}

enum Message {
    /// The changes of one transaction.
    Changes(Vec<Arc<Change>>),
    Close,
}

/// The writing end.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    sender: mpsc::Sender<Message>,
    receiver: Mutex<Option<mpsc::Receiver<Message>>>,
    written: watch::Sender<u64>,
    closed: watch::Sender<bool>,
    /// Held while the journal lives, so that two servers never share a folder.
    _lock: File,
}

/// What the folder held.
pub struct Loaded {
    pub version: u64,
    pub objects: Vec<(Resource, Value)>,
}

impl Journal {
    /// Opens a folder that `lock` has locked.
    pub fn open(folder: &Path, lock: File) -> Result<(Self, Loaded)> {
        let loaded = load(folder)?;
        let (sender, receiver) = mpsc::channel();
        let journal = Self {
            folder: folder.to_owned(),
            sender,
            receiver: Mutex::new(Some(receiver)),
            written: watch::Sender::new(loaded.version),
            closed: watch::Sender::new(false),
            _lock: lock,
        };
        Ok((journal, loaded))
    }

    /// Starts the writing thread, which begins by folding what was loaded into a fresh snapshot.
    pub fn start(&self, store: &Arc<Store>) -> Result<()> {
        let Some(receiver) = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        let mut writer =
            Writer { folder: self.folder.clone(), store: Arc::downgrade(store), file: None, size: 0, folded: 0, written: self.written.clone() };
        writer.fold()?;
        // The store goes on from a later version than it had: without this a write that changes nothing would wait for ever.
        writer.written.send_replace(writer.folded);
        let closed = self.closed.clone();
        thread::Builder::new().name("simulator-journal".to_owned()).spawn(move || {
            if let Err(error) = writer.run(&receiver) {
                tracing::error!(error = %error, "the simulated cluster can no longer write its data folder");
            }
            closed.send_replace(true);
        })?;
        Ok(())
    }

    /// Writes the changes of one transaction.
    pub fn append(&self, changes: Vec<Arc<Change>>) {
        // The thread is gone only after close or a logged failure.
        let _ = self.sender.send(Message::Changes(changes));
    }

    pub async fn written(&self, version: u64) {
        let (mut written, mut closed) = (self.written.subscribe(), self.closed.subscribe());
        tokio::select! {
            _ = written.wait_for(|done| *done >= version) => {}
            _ = closed.wait_for(|closed| *closed) => {}
        }
    }

    pub async fn close(&self) {
        let _ = self.sender.send(Message::Close);
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }
}

struct Writer {
    folder: PathBuf,
    store: Weak<Store>,
    file: Option<BufWriter<File>>,
    size: u64,
    /// The snapshot holds everything up to here.
    folded: u64,
    written: watch::Sender<u64>,
}

impl Writer {
    fn run(&mut self, receiver: &mpsc::Receiver<Message>) -> Result<()> {
        while let Ok(first) = receiver.recv() {
            let (mut version, mut closing) = (0, false);
            for message in std::iter::once(first).chain(receiver.try_iter()) {
                match message {
                    Message::Changes(changes) => {
                        self.line(&changes)?;
                        version = changes.last().map_or(version, |change| change.version);
                    }
                    Message::Close => {
                        closing = true;
                        break;
                    }
                }
            }
            if let Some(file) = &mut self.file {
                file.flush()?;
            }
            if version > 0 {
                self.written.send_replace(version);
            }
            if closing {
                return self.fold();
            }
            if self.size > FOLD_AT {
                self.fold()?;
            }
        }
        Ok(())
    }

    /// A snapshot is taken between transactions: it holds all of one or nothing.
    fn line(&mut self, changes: &[Arc<Change>]) -> Result<()> {
        let Some(version) = changes.last().map(|change| change.version).filter(|version| *version > self.folded) else { return Ok(()) };
        let Some(file) = &mut self.file else { return Ok(()) };
        let changes: Vec<_> = changes.iter().map(|change| written(change)).collect();
        let mut line = json!({"v": version, "changes": changes}).to_string();
        line.push('\n');
        self.size += line.len() as u64;
        file.write_all(line.as_bytes())?;
        Ok(())
    }

    /// Writes a snapshot beside the old one, renames it into place and starts the journal afresh. A crash in between only
    /// leaves journal lines that the snapshot already holds, which loading skips by their version.
    fn fold(&mut self) -> Result<()> {
        let Some(store) = self.store.upgrade() else { return Ok(()) };
        let (version, objects) = store.snapshot();
        let target = self.folder.join("snapshot.jsonl");
        let draft = self.folder.join("snapshot.new");
        let mut out = BufWriter::new(private().open(&draft)?);
        writeln!(out, "{}", json!({"version": version}))?;
        for (_, object) in &objects {
            writeln!(out, "{object}")?;
        }
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&draft, &target)?;
        let file = private().open(self.folder.join("journal.jsonl"))?;
        File::open(&self.folder)?.sync_all()?;
        (self.file, self.size, self.folded) = (Some(BufWriter::new(file)), 0, version);
        Ok(())
    }
}

fn load(folder: &Path) -> Result<Loaded> {
    let mut version = 0;
    let mut objects: BTreeMap<Key, Value> = BTreeMap::new();
    let snapshot = folder.join("snapshot.jsonl");
    if snapshot.exists() {
        for (at, line) in BufReader::new(File::open(&snapshot)?).lines().enumerate() {
            let read: Value = serde_json::from_str(&line?).with_context(|| format!("{}: line {}", snapshot.display(), at + 1))?;
            if at == 0 {
                version = read["version"].as_u64().context("the snapshot has no version")?;
            } else if let Some(resource) = resource_of(&read) {
                objects.insert(Key::of(resource, &read), read);
            }
        }
    }
    let journal = folder.join("journal.jsonl");
    if journal.exists() {
        for line in BufReader::new(File::open(&journal)?).split(b'\n') {
            // A kill may cut the last line: what was not whole was not answered either.
            let Ok(read) = serde_json::from_slice::<Value>(&line?) else { break };
            let at = read["v"].as_u64().unwrap_or_default();
            if at <= version {
                continue;
            }
            version = at;
            match read["changes"].as_array() {
                Some(changes) => changes.iter().for_each(|change| replay(&mut objects, change)),
                // Earlier versions wrote a line for each change.
                None => replay(&mut objects, &read),
            }
        }
    }
    Ok(Loaded { version, objects: objects.into_iter().map(|(key, object)| (key.resource, object)).collect() })
}

fn written(change: &Change) -> Value {
    let kind = change.key.resource.kind();
    match &change.new {
        Some(object) => json!({"put": **object}),
        None => json!({"del": [kind.api_version(), kind.kind, change.key.namespace, change.key.name]}),
    }
}

fn replay(objects: &mut BTreeMap<Key, Value>, change: &Value) {
    if let Some(resource) = resource_of(&change["put"]) {
        objects.insert(Key::of(resource, &change["put"]), change["put"].clone());
    } else if let Some([api, kind, namespace, name]) = change["del"].as_array().map(Vec::as_slice)
        && let Some(kind) = registry::by_kind(api.as_str().unwrap_or_default(), kind.as_str().unwrap_or_default())
    {
        objects.remove(&Key::new(kind.resource, namespace.as_str().unwrap_or_default(), name.as_str().unwrap_or_default()));
    }
}

fn resource_of(object: &Value) -> Option<Resource> {
    registry::by_kind(object["apiVersion"].as_str()?, object["kind"].as_str()?).map(|kind| kind.resource)
}
