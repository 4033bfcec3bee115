//! The door's needs of the rest of Lectern, as traits: passes, connections to pods, random text. `Services` is the real one; the tests
//! of the door have their own, so that they need no database and no cluster.

use std::sync::Arc;

use domain::{
    Error,
    ids::{LabId, UserId},
    labs::LabState,
    secret::Secret,
    shares::ViewOnly,
    time::Timestamp,
    visits::{UseKind, VisitRole},
};
use futures::future::BoxFuture;
use services::{
    Services,
    ports::{ClusterError, Connection, PodTarget},
    reach,
    visits::{self, EnterError, Entered, Look, Waiting},
};
use tokio_util::sync::CancellationToken;

/// A person's right to enter one lab from one browser, or by one token, while it is good.
pub trait Pass: Send + Sync + 'static {
    fn person(&self) -> UserId;
    fn lab(&self) -> LabId;
    fn lab_name(&self) -> &str;
    fn lab_state(&self) -> LabState;
    /// When the cluster last reported on the lab.
    fn observed_at(&self) -> Option<Timestamp> {
        None
    }
    /// Whether the person came by a link, and so has no page of the lab on the portal.
    fn is_guest(&self) -> bool {
        false
    }
    /// What the person is limited to, if they may only look.
    fn view_only(&self) -> Option<ViewOnly> {
        None
    }
    /// Whether the port that the pass is for may be asked for pages.
    fn has_pages(&self) -> bool {
        true
    }
    /// The pod and the port that serve the lab; `None` while the lab is not ready.
    fn target(&self) -> Option<(PodTarget, u16)>;
    /// The header by which the application in this pod takes the lab's own secret: its name in lower case and its value. `None` for one that takes
    /// none, and for a pass to another port of the pod.
    fn secret_header(&self, _pod: &PodTarget) -> Option<(String, Secret)> {
        None
    }
    /// Cancelled when the pass ends.
    fn ended(&self) -> &CancellationToken;
    /// Cancelled when the pod that serves the lab now is gone.
    fn pod_gone(&self) -> CancellationToken;
    /// Notes bytes to the lab and from it.
    fn count(&self, bytes_in: u64, bytes_out: u64);
    /// Notes real use of the lab.
    fn used(&self, kind: UseKind);
}

pub type SharedPass = Arc<dyn Pass>;

/// Gives passes and checks them. `label` is that of the lab's host.
pub trait Passes: Send + Sync + 'static {
    fn enter<'a>(
        &'a self,
        label: &'a str,
        ticket: &'a str,
        origin: Option<&'a str>,
        address: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Entered, EnterError>>;

    /// The pass behind a cookie; `None` if it is none, or is over.
    fn admit<'a>(&'a self, label: &'a str, cookie: &'a str) -> BoxFuture<'a, Result<Option<SharedPass>, Error>>;

    /// The pass of an access token for one more connection. Errors: `Unauthenticated`, `NotFound`, `Forbidden`, `ScopeMissing`.
    fn enter_by_token<'a>(&'a self, label: &'a str, token: &'a str, address: Option<&'a str>) -> BoxFuture<'a, Result<SharedPass, Error>>;

    /// The lab of a host, if there is one.
    fn lab_of<'a>(&'a self, label: &'a str) -> BoxFuture<'a, Result<Option<LabId>, Error>>;

    /// The progress of a lab that is not ready, and the time now. Cheap: it is asked for by every poll of a waiting page.
    fn waiting(&self, look: Look) -> BoxFuture<'_, Result<(Arc<Waiting>, Timestamp), Error>>;

    /// The name of the lab's owner, if the cookie was that of somebody who came by a link that has ended.
    fn ended_link<'a>(&'a self, label: &'a str, cookie: &'a str) -> BoxFuture<'a, Result<Option<String>, Error>>;

    /// Random text for one page's Content-Security-Policy.
    fn nonce(&self) -> String;
}

/// Connects to a port of a pod.
pub trait Dial: Send + Sync + 'static {
    fn dial(&self, pod: PodTarget, port: u16) -> BoxFuture<'static, Result<Connection, ClusterError>>;
}

impl Pass for visits::Entry {
    fn person(&self) -> UserId {
        self.person
    }
    fn lab(&self) -> LabId {
        self.lab
    }
    fn lab_name(&self) -> &str {
        &self.lab_name
    }
    fn lab_state(&self) -> LabState {
        Self::lab_state(self)
    }
    fn observed_at(&self) -> Option<Timestamp> {
        Self::observed_at(self)
    }
    fn is_guest(&self) -> bool {
        self.role == VisitRole::Share
    }
    fn view_only(&self) -> Option<ViewOnly> {
        self.view_only
    }
    fn has_pages(&self) -> bool {
        Self::has_pages(self)
    }
    fn target(&self) -> Option<(PodTarget, u16)> {
        Self::target(self)
    }
    fn secret_header(&self, pod: &PodTarget) -> Option<(String, Secret)> {
        Self::secret_header(self, &pod.uid)
    }
    fn ended(&self) -> &CancellationToken {
        Self::ended(self)
    }
    fn pod_gone(&self) -> CancellationToken {
        Self::pod_gone(self)
    }
    fn count(&self, bytes_in: u64, bytes_out: u64) {
        Self::count(self, bytes_in, bytes_out);
    }
    fn used(&self, kind: UseKind) {
        Self::used(self, kind);
    }
}

impl Passes for Services {
    fn enter<'a>(
        &'a self,
        label: &'a str,
        ticket: &'a str,
        origin: Option<&'a str>,
        address: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Entered, EnterError>> {
        Box::pin(visits::enter(self, label, ticket, origin, address))
    }

    fn admit<'a>(&'a self, label: &'a str, cookie: &'a str) -> BoxFuture<'a, Result<Option<SharedPass>, Error>> {
        Box::pin(async move { Ok::<_, Error>(visits::admit(self, label, cookie).await?.map(|entry| entry as SharedPass)) })
    }

    fn enter_by_token<'a>(&'a self, label: &'a str, token: &'a str, address: Option<&'a str>) -> BoxFuture<'a, Result<SharedPass, Error>> {
        Box::pin(async move { Ok::<_, Error>(visits::enter_by_token(self, label, token, address).await? as SharedPass) })
    }

    fn lab_of<'a>(&'a self, label: &'a str) -> BoxFuture<'a, Result<Option<LabId>, Error>> {
        Box::pin(visits::lab_of(self, label))
    }

    fn waiting(&self, look: Look) -> BoxFuture<'_, Result<(Arc<Waiting>, Timestamp), Error>> {
        Box::pin(visits::waiting(self, look))
    }

    fn ended_link<'a>(&'a self, label: &'a str, cookie: &'a str) -> BoxFuture<'a, Result<Option<String>, Error>> {
        Box::pin(visits::ended_link(self, label, cookie))
    }

    fn nonce(&self) -> String {
        services::secret::random(&*self.entropy, "")
    }
}

impl Dial for Services {
    fn dial(&self, pod: PodTarget, port: u16) -> BoxFuture<'static, Result<Connection, ClusterError>> {
        let services = self.clone();
        Box::pin(async move { reach::connect(&services, &pod, port).await })
    }
}
