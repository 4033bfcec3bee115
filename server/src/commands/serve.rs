//! `lectern serve`: starts everything, serves, and stops it in order.

use std::{fmt::Write as _, io, net::SocketAddr, path::Path, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use axum::serve::ListenerExt as _;
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
    lock::{self, DataLock},
    progress::Progress,
    router::router,
    site::Site,
    state::AppState,
    telemetry, world,
};

/// Open requests are given this long when the server stops.
const PATIENCE: Duration = Duration::from_secs(8);

pub async fn run(config: Config) -> Result<ExitCode> {
    telemetry::start(&config.log);
    let mut stop = Box::pin(asked_to_stop()?);
    let _lock = DataLock::take(&config.storage.data)?;
    let listener = TcpListener::bind(config.server.listen).await.with_context(|| format!("cannot listen on {}", config.server.listen))?;
    let address = listener.local_addr()?;
    Site::of(&config).install();
    let database = world::database(&config).await?;
    let found = world::cluster(&config).await?;
    let services = world::services(&config, database, found.cluster);
    let url = config.server.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    tokio::select! {
        greeted = greet(&config, &services, &url) => greeted?,
        // Content that was not finished is made anew by the next start.
        () = &mut stop => return Ok(ExitCode::SUCCESS),
    }
    warn_without_https(&config, address);

    let stopping = CancellationToken::new();
    let jobs = start_jobs(&services, &stopping);
    let state = AppState::new(services.clone(), config, stopping.clone());
    tracing::info!("serving {url}");
    serve(listener, state, stop).await?;

    tracing::info!("stopping");
    stopping.cancel();
    let _ = jobs.await;
    services.db.close().await;
    if let Some(simulator) = found.simulator {
        simulator.shutdown().await;
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Serves until `stop`, then lets open requests end.
pub async fn serve(listener: TcpListener, state: AppState, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
    let stopping = state.stopping.clone();
    let app = router(state).into_make_service_with_connect_info::<SocketAddr>();
    // Pages are streamed in pieces; each would wait 40 ms for the one before it to be acknowledged.
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    let asked = stopping.clone();
    let serving = axum::serve(listener, app).with_graceful_shutdown(async move {
        stop.await;
        asked.cancel();
    });
    let late = async {
        stopping.cancelled().await;
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        served = serving => served.context("serving failed"),
        () = late => {
            tracing::warn!("requests that did not end were cut off");
            Ok(())
        }
    }
}

/// Jobs stop where they are: each is safe to kill anywhere.
fn start_jobs(services: &Services, stopping: &CancellationToken) -> JoinHandle<()> {
    let (services, stopping) = (services.clone(), stopping.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = services::jobs::run(services) => tracing::error!("background jobs ended by themselves"),
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

fn warn_without_https(config: &Config, address: SocketAddr) {
    if !config.is_https() && !address.ip().is_loopback() {
        tracing::warn!(
            "NO HTTPS: passwords and sessions can be read on the way to {address}. Put a TLS proxy in front and set --public-url https://…"
        );
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
