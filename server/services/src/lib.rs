//! Use cases: authorise, load, decide in `domain`, save, audit. Nothing else changes state.
//! A new use case is a function in the file of its feature; it takes the [`Services`] and a [`Caller`].

pub mod accounts;
pub mod announcements;
mod answers;
pub mod audit;
pub mod billing;
pub mod cache;
pub mod caller;
mod capacity;
pub mod catalogue;
pub mod clock;
pub mod cluster_status;
pub mod courses;
#[cfg(test)]
mod crashes;
pub mod dashboard;
pub mod delegations;
pub mod demo;
pub mod departments;
pub mod digest;
pub mod encryption;
pub mod error;
pub mod figures;
pub mod hub;
pub mod imports;
pub mod jobs;
pub mod labs;
pub mod logins;
pub mod news;
pub mod nodes;
pub mod notifications;
pub mod offerings;
pub mod once;
pub mod orders;
pub mod password;
pub mod people;
pub mod policies;
pub mod ports;
pub mod prices;
pub mod quotas;
pub mod reach;
pub mod readiness;
pub mod reading;
pub mod search;
pub mod secret;
pub mod secrets;
pub mod sessions;
pub mod setup;
pub mod shares;
pub mod ssh_keys;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tokens;
pub mod visits;

use std::{ops::Deref, sync::Arc};

pub use caller::{Caller, Origin};
pub use domain::{Error, Result};
use domain::{catalogue::Localized, ids::UserId};
use hub::News;
use ports::{Clock, Entropy, SharedCluster};
use storage::Database;

/// The dependencies of every use case. Cheap to clone: one `Arc`.
#[derive(Clone)]
pub struct Services(Arc<Parts>);

pub struct Parts {
    pub db: Database,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub cluster: SharedCluster,
    pub hub: hub::Hub,
    pub cache: cache::Cache,
    pub(crate) line: orders::Line,
    pub(crate) hashing: password::Pool,
    pub(crate) slowed: accounts::Slowed,
    pub(crate) visits: visits::Live,
    pub(crate) shells: labs::terminal::Shells,
    pub(crate) looks: labs::idle::Looks,
    pub(crate) own_root: secrets::own::Root,
    pub settings: Settings,
}

/// Settings from the operator's configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The cluster is the built-in simulator.
    pub simulated_cluster: bool,
    /// Labs are processes of the server's machine, without isolation.
    pub labs_are_processes: bool,
    /// The user by whom labs with an SSH server are entered.
    pub ssh_user: String,
    /// Days that an undecided order holds its quota.
    pub hold_days: i64,
    /// Days that a lab which is down is kept before it is destroyed; its owner is warned a day before.
    pub keep_stopped_days: i64,
    /// Minutes without use after which a lab is stopped whose owner chose none; `None` to stop no such lab.
    pub idle_minutes: Option<u32>,
    /// Hours that a session lives without use.
    pub session_hours: i64,
    /// Hours after which a session ends, even if it is in use.
    pub longest_session_hours: i64,
    /// `https://lectern.example.edu`, for links that are passed on; `None` where only the reader's browser knows it.
    pub public_url: Option<String>,
    /// The sites of labs, `http://{lab}.localhost:3001` with the place of a lab's label; `None` where labs cannot be entered.
    pub labs_url: Option<String>,
    /// The identity provider that people may sign in through.
    pub identity_provider: Option<IdentityProvider>,
    /// The keys of the secret store. Without a key, secrets can be neither stored nor read.
    pub keyring: encryption::Keyring,
    /// Added to every pod; tests steer simulated kubelets by it.
    pub pod_annotations: std::collections::BTreeMap<String, String>,
}

/// An identity provider, as far as accounts go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityProvider {
    /// Its own name for itself, a URL.
    pub issuer: String,
    /// What people call it.
    pub name: Localized,
    /// The first sign-in is joined to the account with the login that the provider gives.
    pub link_accounts: bool,
    /// Somebody unknown gets an account without roles.
    pub create_accounts: bool,
}

/// Whether people come by https, so that cookies travel by nothing else.
pub fn is_https(public_url: Option<&str>) -> bool {
    public_url.is_some_and(|url| url.starts_with("https://"))
}

impl Settings {
    pub fn is_https(&self) -> bool {
        is_https(self.public_url.as_deref())
    }

    /// What people call the provider with this issuer; the issuer itself where it is no longer the one that is set.
    pub fn provider_name(&self, issuer: &str) -> Localized {
        let current = self.identity_provider.as_ref().filter(|provider| provider.issuer == issuer);
        current.map_or_else(|| Localized { zh: issuer.to_owned(), en: issuer.to_owned() }, |provider| provider.name.clone())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            simulated_cluster: false,
            labs_are_processes: false,
            ssh_user: domain::ssh_keys::USER.to_owned(),
            hold_days: 7,
            keep_stopped_days: 14,
            idle_minutes: None,
            session_hours: 12,
            longest_session_hours: 168,
            public_url: None,
            labs_url: None,
            identity_provider: None,
            keyring: encryption::Keyring::default(),
            pod_annotations: std::collections::BTreeMap::new(),
        }
    }
}

impl Services {
    pub fn new(db: Database, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, cluster: SharedCluster, settings: Settings) -> Self {
        Self(Arc::new(Parts {
            db,
            clock,
            entropy,
            cluster,
            hub: hub::Hub::default(),
            cache: cache::Cache::default(),
            line: orders::Line::default(),
            hashing: password::Pool::default(),
            slowed: accounts::Slowed::default(),
            visits: visits::Live::default(),
            shells: labs::terminal::Shells::default(),
            looks: labs::idle::Looks::default(),
            own_root: secrets::own::Root::default(),
            settings,
        }))
    }

    /// Publishes that a person's rights changed or a session of theirs ended. Call it after the commit.
    pub(crate) fn access_changed(&self, user: UserId) {
        self.cache.actors.forget(&user);
        self.hub.tell(News::Access(Some(user)));
    }

    /// The same where it may be anybody.
    pub(crate) fn access_of_many_changed(&self) {
        self.cache.actors.forget_all();
        self.hub.tell(News::Access(None));
    }
}

impl Deref for Services {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
