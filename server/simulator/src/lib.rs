//! An API server for laptops and tests: Kubernetes as far as Lectern and kubectl go, spoken to over the wire.
//!
//! It listens on loopback only, with TLS and a bearer token. Objects live in `store`, requests come in by `rest` and go through
//! `ops` (with `admission`, `validate` and `apply`), and `controllers` bring pods to a simulated life. What runs inside them is in `pods`, or,
//! where they are processes of this machine, in `local`.
//! To add a kind, see `registry`; what can go wrong is in `faults`.

mod admission;
mod apply;
mod chance;
mod controllers;
mod error;
pub mod faults;
mod furnish;
mod kubeconfig;
mod local;
mod nodes;
mod ops;
mod pace;
mod pods;
mod pump;
mod quantity;
mod registry;
mod rest;
mod selector;
mod server;
mod spdy;
mod stamp;
mod store;
mod table;
mod tls;
mod validate;
mod value;
mod web_socket;
mod workload_text;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

pub use crate::{
    local::{Hosts, Labs},
    nodes::{NodeSpec, default_nodes},
    pace::Pace,
};

/// How to run a simulated cluster.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen: a loopback address, anything else is an error. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The folder of the objects, the certificates and the token. `None` keeps all in memory, with a new token at each start.
    pub data: Option<PathBuf>,
    /// Where to write a kubeconfig, readable by its owner only.
    pub kubeconfig_out: Option<PathBuf>,
    /// Nodes to make where they are not there yet.
    pub nodes: Vec<NodeSpec>,
    pub pace: Pace,
    /// What runs in the pods.
    pub labs: Labs,
}

impl Default for Options {
    /// Any free port, in memory, the default nodes, a believable pace, pods that pretend.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: None,
            kubeconfig_out: None,
            nodes: default_nodes(),
            pace: Pace::believable(),
            labs: Labs::Pretend,
        }
    }
}

/// A running simulated cluster. Dropping it stops it without waiting; `shutdown` also writes everything out.
#[derive(Debug)]
pub struct Simulator {
    addr: SocketAddr,
    identity: tls::Identity,
    store: Arc<store::Store>,
    faults: Arc<faults::Switchboard>,
    local: Option<Arc<local::Local>>,
    stopping: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts a simulated cluster. Errors: an address that is not loopback or is taken, a data folder that cannot be used or is in use.
pub async fn start(options: Options) -> Result<Simulator> {
    ensure!(options.listen.ip().is_loopback(), "the simulated cluster listens on loopback addresses only, not on {}", options.listen);
    let store = store::Store::open(options.data.as_deref()).await?;
    let identity = tls::Identity::open(options.data.as_deref())?;
    let listener = bind(options.listen).await?;
    let addr = listener.local_addr()?;
    if let Some(path) = &options.kubeconfig_out {
        tls::write_private(path, &kubeconfig::render(addr, &identity))?;
    }
    furnish::furnish(&store, &options.nodes);
    let stopping = CancellationToken::new();
    let faults = Arc::<faults::Switchboard>::default();
    let local = local::Local::open(&options.labs, &store, &faults, options.pace, &stopping).await?;
    let token = identity.token.clone();
    let api = rest::Api { store: Arc::clone(&store), token, faults: Arc::clone(&faults), local: local.clone(), stopping: stopping.clone() };
    let api = Arc::new(api);
    let tasks = vec![
        tokio::spawn(controllers::run(Arc::clone(&store), options.pace, Arc::clone(&faults), local.clone(), stopping.clone())),
        tokio::spawn(server::serve(listener, identity.acceptor()?, rest::router(api), Arc::clone(&faults), stopping.clone())),
    ];
    tracing::info!(address = %addr, "the simulated cluster is up");
    Ok(Simulator { addr, identity, store, faults, local, stopping, tasks })
}

/// Bytes that the system keeps for a client that reads slowly. On loopback it keeps megabytes by default, which no network does: so much of
/// the output of a program would come after Ctrl-C.
const SEND_BUFFER: u32 = 64 << 10;
/// Connections that wait to be accepted, as of `TcpListener::bind`.
const BACKLOG: u32 = 1_024;

/// Its connections have the buffer of the listener.
fn listen_on(listen: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As `TcpListener::bind` does it.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(listen)?;
    socket.listen(BACKLOG)
}

/// Binds the port, for a moment also while a simulator that just stopped lets go of it.
async fn bind(listen: SocketAddr) -> Result<TcpListener> {
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        match listen_on(listen) {
            Ok(listener) => return Ok(listener),
            Err(error) if listen.port() != 0 && error.kind() == std::io::ErrorKind::AddrInUse && Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => return Err(error).with_context(|| format!("the simulated cluster cannot listen on {listen}")),
        }
    }
}

impl Simulator {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The YAML of a kubeconfig: the address, the authority's certificate and the token.
    pub fn kubeconfig(&self) -> String {
        kubeconfig::render(self.addr, &self.identity)
    }

    /// The bearer token that may do everything.
    pub fn token(&self) -> &str {
        &self.identity.token
    }

    /// The switches of what can go wrong.
    pub fn faults(&self) -> &Arc<faults::Switchboard> {
        &self.faults
    }

    /// Stops answering, ends the processes of labs, writes everything out and lets go of the port and the data folder.
    pub async fn shutdown(mut self) {
        self.stopping.cancel();
        for task in self.tasks.drain(..) {
            // A task that panicked has been reported by the runtime already.
            let _ = task.await;
        }
        if let Some(local) = &self.local {
            local.shutdown().await;
        }
        self.store.close().await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}
