//! What can go wrong in a cluster, as switches: for tests, and for operators who rehearse. Another fault: a variant of [`Fault`], and what it
//! answers in `rest::faulty`, or what it does to the cluster in the controller that asks the [`Switchboard`] for it.

mod asked;
mod switchboard;

use std::{num::NonZeroU32, time::Duration};

pub use self::{
    asked::{Order, Wrong},
    switchboard::{Listed, Switch, Switchboard},
};

/// What goes wrong. The first group answers requests as a real API server in trouble does, the second is a state of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// 429 with `Retry-After`: more requests at once than the server takes. Nothing was done.
    TooManyRequests { retry_after_seconds: u32 },
    /// 409: another change came first. Only changes of an object that is named.
    Conflict,
    /// 500: etcd has just lost its leader. Nothing was done.
    InternalError,
    /// 503 with `Retry-After`: the server starts and does not know all its paths yet. Nothing was done.
    Unavailable,
    /// 504: it took too long. It **was** done, which is the worse of the two that a real 504 may mean.
    Timeout,
    /// 410: a watch, or the next page of a list, begins at a version that is forgotten. Watches that run end so too.
    Expired,
    /// The connection is closed in the middle: a watch after half a line, anything else when it was done and before it is answered.
    Dropped,
    /// The answer takes this much longer.
    Slow(Duration),
    /// 500: the admission webhook of this name, with `failurePolicy: Fail`, does not answer. For changes only; nothing was changed.
    WebhookDown(String),
    /// 403: an admission webhook refuses the change with this message. For changes only; nothing was changed.
    WebhookDenies(String),
    /// 401: the credentials are no longer valid.
    Unauthorized,
    /// The server is away, as between a kill and the next start: connections are cut, new ones are closed, no controller works. What was
    /// stored is there afterwards; what watchers could resume from is forgotten.
    Away,
    /// The node's kubelet fell silent: not ready, its pods are lost until it is back or the node is deleted.
    NodeLost(String),
    /// Namespaces that are deleted become empty and stay `Terminating`, as with an aggregated API that does not answer.
    NamespacesStuck,
}

impl Fault {
    /// Whether requests meet it; else it is a state of the cluster.
    pub fn strikes(&self) -> bool {
        !matches!(self, Self::Away | Self::NodeLost(_) | Self::NamespacesStuck)
    }

    /// Whether a watch that runs is ended by it.
    pub(crate) fn ends_watches(&self) -> bool {
        matches!(self, Self::Dropped | Self::Expired)
    }

    /// Whether a real server would ever answer such a request so.
    fn fits(&self, met: &Met<'_>) -> bool {
        match self {
            Self::Conflict => matches!(met.verb, "update" | "patch" | "delete"),
            Self::WebhookDown(_) | Self::WebhookDenies(_) => matches!(met.verb, "create" | "update" | "patch" | "delete"),
            Self::Expired => met.verb == "watch" || met.verb == "list" && met.continues,
            _ => true,
        }
    }
}

/// How long a fault lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    UntilSwitchedOff,
    /// It strikes so many requests.
    Requests(u32),
    For(Duration),
}

/// A fault with its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub fault: Fault,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; none for all.
    pub verbs: Vec<String>,
    /// Plurals: `statefulsets`. None for all, discovery and the version included.
    pub resources: Vec<String>,
    /// Strikes each so-manieth request that it could.
    pub every: NonZeroU32,
    pub extent: Extent,
}

impl Rule {
    /// Strikes everything until it is switched off.
    pub fn new(fault: Fault) -> Self {
        Self { fault, verbs: Vec::new(), resources: Vec::new(), every: NonZeroU32::MIN, extent: Extent::UntilSwitchedOff }
    }

    #[must_use]
    pub fn on_verbs(mut self, verbs: &[&str]) -> Self {
        self.verbs = verbs.iter().map(|verb| (*verb).to_owned()).collect();
        self
    }

    #[must_use]
    pub fn on_resources(mut self, plurals: &[&str]) -> Self {
        self.resources = plurals.iter().map(|plural| (*plural).to_owned()).collect();
        self
    }

    /// Each `count`th request that it could strike.
    #[must_use]
    pub fn one_in(mut self, count: NonZeroU32) -> Self {
        self.every = count;
        self
    }

    #[must_use]
    pub fn requests(mut self, count: u32) -> Self {
        self.extent = Extent::Requests(count);
        self
    }

    #[must_use]
    pub fn lasting(mut self, time: Duration) -> Self {
        self.extent = Extent::For(time);
        self
    }

    fn covers(&self, met: &Met<'_>) -> bool {
        let names = |all: &[String], one: &str| all.is_empty() || all.iter().any(|name| name == one);
        self.fault.strikes() && names(&self.verbs, met.verb) && names(&self.resources, met.resource) && self.fault.fits(met)
    }
}

/// A request, as far as a rule looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Met<'a> {
    pub verb: &'a str,
    /// Its plural; `""` where the path names no resource.
    pub resource: &'a str,
    /// It asks for the next page.
    pub continues: bool,
}
