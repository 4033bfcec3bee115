//! `lectern serve`: starts everything, serves, and stops it in order.

use std::{fmt::Write as _, io, net::SocketAddr, path::Path, pin::pin, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use listener::{Ended, Limits, Listener};
use services::{
    Services,
    demo::{self, Account, Term},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    lab_site::LabSite,
    lock::{self, DataLock},
    progress::Progress,
    router::{metrics_router, router},
    secret_key,
    site::Site,
    state::AppState,
    telemetry, world,
};

/// Open requests are given this long when the server stops.
const PATIENCE: Duration = Duration::from_secs(8);

pub async fn run(mut config: Config) -> Result<ExitCode> {
    telemetry::start(&config.log);
    let mut stop = Box::pin(asked_to_stop()?);
    let _lock = DataLock::take(&config.storage.data)?;
    let socket = bind(config.server.listen).await?;
    let address = socket.local_addr()?;
    let labs = LabSite::bind(&mut config).await?;
    let metrics = match config.metrics.listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    Site::of(&config).install();
    let database = world::database(&config).await?;
    let keyring = secret_key::keyring(&config, &database).await?;
    let found = world::cluster(&config).await?;
    let services = world::services(&config, database, found.cluster, keyring).await?;
    secret_key::encrypt(&services).await?;
    let url = config.server.public_url.clone().unwrap_or_else(|| local_url(address));
    tokio::select! {
        greeted = greet(&config, &services, &url) => greeted?,
        // Content that was not finished is made anew by the next start.
        () = &mut stop => return Ok(ExitCode::SUCCESS),
    }
    warn_of_openness(&config, address);

    let stopping = CancellationToken::new();
    let jobs = start(services::jobs::run(services.clone()), "background jobs", &stopping);
    let visits = start(services::visits::keep(services.clone()), "the watch over passes to labs", &stopping);
    let state = AppState::new(services.clone(), config, stopping.clone());
    tracing::info!("serving {url}");
    let scraped = metrics.map(|socket| tokio::spawn(serve_metrics(socket, state.clone())));
    let entered = match labs {
        Some(labs) => {
            tracing::info!("labs are at {}", labs.url());
            Some(tokio::spawn(labs.serve(&state, &url, Descriptors::of(&state).labs, PATIENCE)?))
        }
        None => None,
    };
    serve(socket, state, stop).await?;
    for other in [scraped, entered].into_iter().flatten() {
        let _ = other.await;
    }

    tracing::info!("stopping");
    stopping.cancel();
    let _ = jobs.await;
    let _ = visits.await;
    // Logged where it failed: what was counted is lost then.
    let _ = services::audit::refusals::flush_all(&services).await;
    if let Err(error) = services::visits::flush(&services).await {
        tracing::warn!(%error, "what was counted of visits since the last 15 seconds is lost");
    }
    services.db.close().await;
    if let Some(simulator) = found.simulator {
        simulator.shutdown().await;
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// File descriptors that are reserved for other uses than connections of people: the database, the cluster, the log, other ports.
const OTHER_DESCRIPTORS: usize = 128;

/// The file descriptors that the process may have, divided.
struct Descriptors {
    /// All, and those of them that are not for the portal's connections.
    all: usize,
    others: usize,
    /// For connections to labs and their other halves: half of what is not reserved, where labs can be entered.
    labs: usize,
}

impl Descriptors {
    fn of(state: &AppState) -> Self {
        let all = listener::raise_descriptor_limit();
        let has_labs = state.services.settings.labs_url.is_some();
        let labs = if has_labs { all.saturating_sub(OTHER_DESCRIPTORS) / 2 } else { 0 };
        Self { all, others: OTHER_DESCRIPTORS + labs, labs }
    }
}

/// Most connections to the metrics port: there are few scrapers.
const SCRAPERS: usize = 64;

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// An address that a browser on this machine can open, also if the server listens on all addresses.
fn local_url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("http://localhost:{}", address.port()) } else { format!("http://{address}") }
}

/// Serves until `stop`, then lets open requests end.
pub async fn serve(socket: TcpListener, state: AppState, stop: impl Future<Output = ()>) -> Result<()> {
    let stopping = state.stopping.clone();
    let Descriptors { all, others, labs: _ } = Descriptors::of(&state);
    let limits = state.config.connections.limits().within_descriptors(all, others);
    state.streams.leave_room_in(limits.connections);
    let mut serving = pin!(Listener::new(socket, limits, stopping.clone(), PATIENCE).serve(router(state)));
    let ended = tokio::select! {
        ended = &mut serving => ended,
        () = stop => {
            stopping.cancel();
            serving.await
        }
    };
    if let Ended::CutOff(connections) = ended {
        tracing::warn!(connections, "requests that did not end were cut off");
    }
    Ok(())
}

/// Serves the metrics on a port of their own until the server stops.
pub async fn serve_metrics(socket: TcpListener, state: AppState) {
    let limits = Limits { connections: SCRAPERS, ..state.config.connections.limits() };
    Listener::new(socket, limits, state.stopping.clone(), PATIENCE).serve(metrics_router(state)).await;
}

/// Runs what never ends by itself until the server stops. It stops where it is: each is safe to kill anywhere.
fn start(work: impl Future<Output = ()> + Send + 'static, name: &'static str, stopping: &CancellationToken) -> JoinHandle<()> {
    let stopping = stopping.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = work => tracing::error!("{name} ended"),
            () = stopping.cancelled() => {}
        }
    })
}

/// An empty installation gets demonstration content, or a code for whoever sets it up.
async fn greet(config: &Config, services: &Services, url: &str) -> Result<()> {
    let kept = config.storage.data.join("demo-accounts.txt");
    if config.server.demo {
        let accounts = demonstrate(config, services, &kept).await.context("demonstration content could not be made")?;
        if !accounts.is_empty() {
            super::say(&format!("\nDemonstration accounts (kept in {}):\n\n{}", kept.display(), table(&accounts)));
        } else if kept.is_file() {
            tracing::info!("demonstration accounts are in {}", kept.display());
        }
    }
    if services::setup::needed(services).await? {
        let code = services::setup::issue_code(services).await?;
        tracing::warn!("nobody has an account yet: open {url}{} and give the set-up code {code}", app::routes::SETUP);
    }
    Ok(())
}

/// The accounts of new content, which are kept in this file first; none where there is content.
async fn demonstrate(config: &Config, services: &Services, kept: &Path) -> Result<Vec<Account>, domain::Error> {
    let keep = |accounts: &[Account]| lock::write_private(kept, &table(accounts)).map_err(io::Error::other);
    if !config.demo.history {
        return demo::seed(services, &keep).await;
    }
    let bar = Progress::new("Living through a term of the demonstration college");
    let term = Term { workshop: &config.storage.data, weeks: demo::WEEKS, progress: &|percent| bar.done(percent) };
    demo::seed_term(services, &term, &keep).await
}

fn table(accounts: &[Account]) -> String {
    let width = accounts.iter().map(|(login, _)| login.len()).max().unwrap_or_default();
    accounts.iter().fold(String::new(), |mut table, (login, password)| {
        let _ = writeln!(table, "  {login:width$}  {password}");
        table
    })
}

fn warn_of_openness(config: &Config, address: SocketAddr) {
    if let Some(open) = config.metrics.open_at(address) {
        tracing::warn!("/metrics is shown to everybody who reaches {open}: set metrics.token_file, or have metrics.listen on a loopback address");
    }
    if config.is_https() && config.labs.url.as_deref().is_some_and(|url| url.starts_with("http://")) {
        tracing::warn!("labs are opened without https although the portal has it: what people do in labs can be read on the way. Set labs.url");
    }
    if config.labs.url.is_none() {
        tracing::warn!("labs cannot be opened: set labs.listen and labs.url (docs/operations.md, The lab site)");
    }
    if address.ip().is_loopback() {
        return;
    }
    if !config.is_https() {
        tracing::warn!(
            "NO HTTPS: passwords and sessions can be read on the way to {address}. Put a TLS proxy in front and set --public-url https://…"
        );
    }
    if config.server.public_url.is_none() && config.server.hosts.is_empty() && address.ip().is_unspecified() {
        tracing::warn!("requests to localhost only are answered: set --public-url, or server.hosts, to the name that people use");
    }
}

/// Listens to Ctrl-C and SIGTERM from now on; the future ends with the first of them.
pub fn asked_to_stop() -> Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
