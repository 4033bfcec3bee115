//! Makes the [`Services`] from a configuration: opens the database, finds the cluster.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context as _, Result, bail};
use cluster::Kubernetes;
use domain::{labs::host::host_label, ssh_keys::USER};
use openidconnect::url::Url;
use services::{
    IdentityProvider, Services, Settings,
    encryption::Keyring,
    ports::{NoCluster, SharedCluster},
};
use storage::Database;

use crate::{
    config::{Config, Oidc, PLACEHOLDER, SimulatedLabs, Source},
    lock,
    outside::{GuardedClock, SystemEntropy},
};

/// A cluster, and the simulator behind it where it is one.
pub struct Found {
    pub cluster: SharedCluster,
    pub simulator: Option<simulator::Simulator>,
}

/// Opens the database and brings its schema up to date.
pub async fn database(config: &Config) -> Result<Database> {
    lock::make_private_folder(&config.storage.data)?;
    let url = config.database_url();
    let database = Database::open(&url).await.with_context(|| format!("the database {} cannot be opened", storage::database::redacted(&url)))?;
    database.migrate().await?;
    Ok(database)
}

/// The services of a server. Its clock continues a jump that the process before it had not followed.
pub async fn services(config: &Config, database: Database, cluster: SharedCluster, keyring: Keyring) -> Result<Services> {
    let clock = GuardedClock::resuming(services::clock::pending_jump(&database).await?);
    let settings = Settings {
        simulated_cluster: config.cluster.source == Source::Simulator,
        labs_are_processes: config.cluster.simulator_labs == SimulatedLabs::Local,
        ssh_user: ssh_user(config.cluster.simulator_labs),
        hold_days: config.orders.hold_days,
        keep_stopped_days: config.labs.keep_stopped_days,
        idle_minutes: config.labs.idle_minutes,
        session_hours: config.sessions.hours,
        longest_session_hours: config.sessions.longest_hours(),
        public_url: config.server.public_url.clone(),
        labs_url: config.labs.url.clone(),
        identity_provider: config.oidc.as_ref().map(identity_provider),
        keyring,
        pod_annotations: BTreeMap::new(),
    };
    Ok(Services::new(database, Arc::new(clock), Arc::new(SystemEntropy), cluster, settings))
}

/// The user by whom labs with an SSH server are entered: where they are processes of this machine, the account that runs this one.
fn ssh_user(labs: SimulatedLabs) -> String {
    let own = match labs {
        SimulatedLabs::Local => own_account(),
        SimulatedLabs::Pretend => None,
    };
    own.unwrap_or_else(|| USER.to_owned())
}

fn own_account() -> Option<String> {
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let id = rustix::process::getuid().as_raw();
    // Accounts of a directory are not in the file.
    account(&accounts, id).or_else(|| std::env::var("USER").ok().filter(|name| !name.is_empty()))
}

/// The name of an account, `name:x:id:…`.
fn account(accounts: &str, id: u32) -> Option<String> {
    let named = |line: &str| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(id)).then(|| name.to_owned())
    };
    accounts.lines().find_map(named)
}

fn identity_provider(oidc: &Oidc) -> IdentityProvider {
    let Oidc { issuer, name, link_accounts, create_accounts, .. } = oidc.clone();
    IdentityProvider { issuer, name, link_accounts, create_accounts }
}

/// The services for a command that runs beside a server: the same database, no cluster, and no key for its secrets. Errors: there is no
/// data.
pub async fn beside(config: &Config) -> Result<Services> {
    if config.storage.database.is_none() && !config.storage.data.join("lectern.db").is_file() {
        bail!("there is no Lectern data in {}: name the folder by --data or LECTERN_DATA", config.storage.data.display());
    }
    services(config, database(config).await?, Arc::new(NoCluster), Keyring::default()).await
}

/// The cluster that the configuration names. A cluster that is away stops nothing; a configuration that cannot be used does.
pub async fn cluster(config: &Config) -> Result<Found> {
    let found = match &config.cluster.source {
        Source::Simulator => {
            let simulator = start_simulator(config).await?;
            let cluster = Kubernetes::from_kubeconfig_text(&simulator.kubeconfig()).await?;
            return Ok(Found { cluster: Arc::new(cluster), simulator: Some(simulator) });
        }
        Source::Kubeconfig(path) => {
            let path = path.clone().or_else(default_kubeconfig).context("there is no kubeconfig: name one by --cluster kubeconfig:PATH")?;
            Kubernetes::from_kubeconfig(&path).await.with_context(|| format!("with {}", path.display()))?
        }
        Source::InCluster => Kubernetes::in_cluster().await?,
    };
    Ok(Found { cluster: Arc::new(found), simulator: None })
}

fn default_kubeconfig() -> Option<std::path::PathBuf> {
    std::env::var_os("KUBECONFIG")
        .and_then(|list| std::env::split_paths(&list).next())
        .or_else(|| std::env::home_dir().map(|home| home.join(".kube/config")))
        .filter(|path| path.is_file())
}

/// Its objects, its identity and its address survive a restart, so that a kubeconfig stays good.
async fn start_simulator(config: &Config) -> Result<simulator::Simulator> {
    let folder = config.storage.data.join("simulator");
    lock::make_private_folder(&folder)?;
    let kept = folder.join("address");
    let options = |listen: SocketAddr| simulator::Options {
        listen,
        data: Some(folder.clone()),
        pace: if config.cluster.simulator_fast { simulator::Pace::fast() } else { simulator::Pace::believable() },
        labs: labs(config),
        ..simulator::Options::default()
    };
    let wanted = config.cluster.simulator_listen;
    let before = if wanted.port() == 0 { read_address(&kept) } else { None };
    let running = match before {
        Some(address) => match simulator::start(options(address)).await {
            Ok(running) => running,
            Err(error) => {
                tracing::warn!("the simulated cluster moves, since its port {} cannot be had: {error:#}", address.port());
                simulator::start(options(wanted)).await?
            }
        },
        None => simulator::start(options(wanted)).await?,
    };
    lock::write_private(&kept, &running.addr().to_string())?;
    lock::write_private(&folder.join("kubeconfig"), &running.kubeconfig())?;
    tracing::info!("the simulated cluster is at https://{}; its kubeconfig is {}", running.addr(), folder.join("kubeconfig").display());
    Ok(running)
}

/// What runs in the pods. Labs that are processes answer to their hosts on the lab site only.
fn labs(config: &Config) -> simulator::Labs {
    match config.cluster.simulator_labs {
        SimulatedLabs::Pretend => simulator::Labs::Pretend,
        SimulatedLabs::Local => {
            let site = config.labs.url_at(0);
            let hosts = simulator::Hosts::new(move |pod| host_of(&site, &pod["metadata"]["labels"]));
            simulator::Labs::Local { folder: config.storage.data.clone(), hosts }
        }
    }
}

/// The host of a lab, from the labels of its pod; `None` for a pod of no lab.
fn host_of(site: &str, labels: &serde_json::Value) -> Option<String> {
    let id = labels["lectern.dev/lab"].as_str()?.parse().ok()?;
    let name = labels["app.kubernetes.io/instance"].as_str()?;
    let url = site.replace(PLACEHOLDER, &host_label(name, id));
    Url::parse(&url).ok()?.host_str().map(str::to_owned)
}

fn read_address(path: &Path) -> Option<SocketAddr> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_number() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\nli:x:1000:1000::/home/li:/bin/sh\nodd\n";
        assert_eq!((account(accounts, 1_000).as_deref(), account(accounts, 0).as_deref()), (Some("li"), Some("root")));
        assert_eq!(account(accounts, 7), None);
    }

    #[test]
    fn a_pod_is_known_by_the_host_of_its_lab() {
        let id = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e";
        let labels = serde_json::json!({"lectern.dev/lab": id, "app.kubernetes.io/instance": "lab-7"});
        let label = host_label("lab-7", id.parse().unwrap());
        assert_eq!(host_of("http://{lab}.localhost:3001", &labels), Some(format!("{label}.localhost")));
        assert_eq!(host_of("https://{lab}.labs.example.edu", &labels), Some(format!("{label}.labs.example.edu")));
        assert_eq!(host_of("http://{lab}.localhost:3001", &serde_json::json!({})), None);
    }
}
