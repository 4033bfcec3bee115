//! Labs as processes of this machine: with [`Labs::Local`] the pods run their containers' commands, without isolation, for whoever tries
//! Lectern on a laptop. `worker` is the life of one pod, `plan` decides what a container runs (another program that needs a port or a
//! folder of its own: a variant there and a file like `jupyter`), `exec` runs further programs in it, and `log` keeps what it writes.

mod exec;
mod folders;
mod jupyter;
mod launch;
pub mod log;
mod loopback;
mod plan;
mod probe;
mod process;
mod report;
mod sockets;
mod sshd;
mod stop;
mod usage;
mod worker;

use std::{
    collections::HashMap,
    fmt,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::exec::run as exec;
use self::{folders::Folders, jupyter::Jupyter, launch::Launch, stop::Stop, usage::Meter};
use crate::{
    admission::usage::has_ended,
    faults::Switchboard,
    pace::Pace,
    registry::Resource,
    store::{Key, Object, Store},
    value,
};

/// What runs in the pods.
#[derive(Debug, Clone, Default)]
pub enum Labs {
    /// Nothing: pods answer with a page and a small shell of their own.
    #[default]
    Pretend,
    /// The containers' commands, as processes of this machine without isolation.
    Local {
        /// Volumes are in `labs`, programs that are installed once in `tools`, logs in `lab-pods`.
        folder: PathBuf,
        hosts: Hosts,
    },
}

type HostOf = dyn Fn(&Value) -> Option<String> + Send + Sync;

/// The host that browsers call the lab of a pod by. By default it is known of none.
#[derive(Clone)]
pub struct Hosts(Arc<HostOf>);

impl Hosts {
    /// `host`: of a pod; `None` if it is no lab's.
    pub fn new(host: impl Fn(&Value) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(host))
    }

    pub fn of(&self, pod: &Value) -> Option<String> {
        (self.0)(pod)
    }
}

impl Default for Hosts {
    fn default() -> Self {
        Self::new(|_| None)
    }
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hosts").finish_non_exhaustive()
    }
}

/// What a port of a running container leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The page of a simulated lab.
    Page,
    Nothing,
    /// This port on loopback.
    Process(u16),
}

/// The pods whose containers are processes of this machine.
#[derive(Debug)]
pub struct Local {
    store: Arc<Store>,
    faults: Arc<Switchboard>,
    stopping: CancellationToken,
    pace: Pace,
    folders: Folders,
    hosts: Hosts,
    jupyter: Jupyter,
    tracker: TaskTracker,
    /// Those that have a worker, by their uid.
    pods: Mutex<HashMap<String, Pod>>,
    meter: Mutex<Meter>,
}

#[derive(Debug)]
struct Pod {
    /// The time that its processes get to end; `None` while they are to run.
    stop: watch::Sender<Option<Duration>>,
    /// Containers that run now.
    running: HashMap<String, Running>,
}

/// How a container runs.
#[derive(Debug, Clone)]
enum Running {
    Page,
    Process(Arc<Launch>),
}

impl Local {
    /// `None` where pods only pretend. Ends what a killed server left running first.
    pub async fn open(
        labs: &Labs,
        store: &Arc<Store>,
        faults: &Arc<Switchboard>,
        pace: Pace,
        stopping: &CancellationToken,
    ) -> Result<Option<Arc<Self>>> {
        let Labs::Local { folder, hosts } = labs else { return Ok(None) };
        let folders = Folders::open(folder)?;
        process::end_leftovers(&folders).await;
        folders.forget_pods(|uid| store.write().by_uid(uid).is_some());
        let jupyter = Jupyter::new(&folders);
        tracing::warn!(folder = %folder.display(), "labs run as processes of this machine, without isolation");
        let local = Arc::new(Self {
            store: Arc::clone(store),
            faults: Arc::clone(faults),
            stopping: stopping.clone(),
            pace,
            folders,
            hosts: hosts.clone(),
            jupyter,
            tracker: TaskTracker::new(),
            pods: Mutex::default(),
            meter: Mutex::default(),
        });
        local.tracker.spawn(usage::measure(Arc::clone(&local), pace.measure));
        Ok(Some(local))
    }

    /// Whether the containers of this pod are processes: not if annotations say how it is to pretend.
    pub fn takes(pod: &Value) -> bool {
        value::entries(pod, "/metadata/annotations").all(|(name, _)| !name.starts_with("fake-kubelet/"))
    }

    /// Brings a bound pod to life, or to its end if it is deleted.
    pub fn see(self: &Arc<Self>, key: &Key, pod: &Object) {
        let is_terminating = value::is_terminating(pod);
        let grace = value::int(pod, "/metadata/deletionGracePeriodSeconds").unwrap_or(30);
        let grace = is_terminating.then(|| Duration::from_secs(grace.max(0).unsigned_abs()));
        let uid = value::uid(pod).to_owned();
        let mut pods = self.pods();
        if let Some(known) = pods.get(&uid) {
            if let Some(grace) = grace {
                shorten(&known.stop, grace);
            }
            return;
        }
        if has_ended(pod) && !is_terminating || self.stopping.is_cancelled() {
            return;
        }
        let (sender, asked) = watch::channel(grace);
        let stop = Stop::new(asked, self.stopping.clone());
        pods.insert(uid, Pod { stop: sender, running: HashMap::new() });
        self.tracker.spawn(worker::run(Arc::clone(self), key.clone(), Arc::clone(pod), stop));
    }

    /// The pod is gone, so its processes end at once.
    pub fn forget(&self, uid: &str) {
        if let Some(pod) = self.pods().get(uid) {
            shorten(&pod.stop, Duration::ZERO);
        }
    }

    /// Removes the files of a claim that is gone.
    pub fn remove_volume(&self, claim: &str) {
        let folder = self.folders.volume(claim);
        self.tracker.spawn_blocking(move || folders::remove(&folder));
    }

    pub fn reach(&self, pod: &Value, container: &str, port: u16) -> Reach {
        if !Self::takes(pod) {
            return Reach::Page;
        }
        match self.running(value::uid(pod), container) {
            None => Reach::Nothing,
            Some(Running::Page) => Reach::Page,
            Some(Running::Process(launch)) => {
                launch.ports.iter().find(|(declared, _)| *declared == port).map_or(Reach::Nothing, |(_, chosen)| Reach::Process(*chosen))
            }
        }
    }

    /// The addresses of a port that no container of the pod declares, if programs in it take connections there: theirs, and no others.
    pub async fn own_addresses(&self, pod: &Value, port: u16) -> Vec<SocketAddr> {
        if !Self::takes(pod) {
            return Vec::new();
        }
        let uid = value::uid(pod);
        let marks: Vec<String> = match self.pods().get(uid) {
            Some(known) => known.running.keys().map(|container| launch::mark(uid, container)).collect(),
            None => return Vec::new(),
        };
        tokio::task::spawn_blocking(move || sockets::addresses(&marks, port)).await.unwrap_or_default()
    }

    /// The file with the output of a run of a container. The first run has the number 0.
    pub fn log(&self, pod: &Value, container: &str, run: i64) -> PathBuf {
        self.folders.log(value::uid(pod), container, run)
    }

    /// Ends all processes, and waits for their end.
    pub async fn shutdown(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    fn running(&self, uid: &str, container: &str) -> Option<Running> {
        self.pods().get(uid)?.running.get(container).cloned()
    }

    /// Says how a container runs now; `None` if it does not.
    fn set_running(&self, uid: &str, container: &str, running: Option<Running>) {
        let mut pods = self.pods();
        let Some(pod) = pods.get_mut(uid) else { return };
        match running {
            Some(running) => pod.running.insert(container.to_owned(), running),
            None => pod.running.remove(container),
        };
    }

    fn meter(&self) -> MutexGuard<'_, Meter> {
        // As for the pods.
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pods(&self) -> MutexGuard<'_, HashMap<String, Pod>> {
        // A panic in one worker must not end the others: the map is valid between two statements.
        self.pods.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pod now; `None` if it is gone, also if another one has its name.
    fn pod(&self, key: &Key, uid: &str) -> Option<Object> {
        debug_assert!(key.resource == Resource::Pods, "the key of a pod");
        self.store.write().get(key).filter(|pod| value::uid(pod) == uid)
    }
}

/// Asks to stop, or to stop sooner.
fn shorten(stop: &watch::Sender<Option<Duration>>, grace: Duration) {
    stop.send_if_modified(|asked| {
        let is_sooner = asked.is_none_or(|before| grace < before);
        if is_sooner {
            *asked = Some(grace);
        }
        is_sooner
    });
}
