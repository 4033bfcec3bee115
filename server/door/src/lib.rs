//! Serves the sites of labs, each under a host of its own: a browser with a pass reaches the application in the lab, all others are told
//! how to get one. Paths under `/.lectern/` are the door's own; every other path is the lab's.
//!
//! [`Door`] is the service of a `listener::Listener`. What it needs of the rest of Lectern is in [`ports`].

mod app_secret;
mod body;
mod client;
mod cookie;
mod counts;
mod enter;
mod frames;
mod guard;
mod headers;
mod host;
mod lab_words;
mod limits;
mod own_tokens;
mod page;
pub mod ports;
mod proxy;
mod relay;
mod state;
mod tcp;
mod timeline;
mod upgrade;
mod upstream;
mod watch;
mod words;

use std::{
    convert::Infallible,
    net::IpAddr,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{body::Body, extract::Request, response::Response};
use domain::Error;
use futures::future::BoxFuture;
use http::{HeaderMap, StatusCode, request::Parts};
use services::Services;
use tokio_util::sync::CancellationToken;
use tower::Service;

use app_secret::AppSecret;
pub use counts::Counts;
use host::{HostError, Site, Sites};
use limits::Limits;
use page::{Extras, Reader};
use ports::{Dial, Passes, SharedPass};
use proxy::Line;
use upstream::Upstream;
use words::Matter;

#[derive(Debug, Clone)]
pub struct DoorSettings {
    /// `http://{lab}.localhost:3001`
    pub labs_url: String,
    /// The portal's public URL, if it is known.
    pub portal_url: Option<String>,
    /// A proxy of ours is in front and tells the client's address.
    pub behind_proxy: bool,
    /// Most requests and sockets of one lab at a time.
    pub per_lab: usize,
    /// Most requests and sockets of one person at a time.
    pub per_person: usize,
}

/// The setting is no URL with `{lab}` as the first part of its host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address of labs: it must read like https://{{lab}}.labs.example.edu")]
pub struct InvalidLabsUrl(pub String);

/// The service behind the port of the labs. Cheap to clone.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

pub(crate) struct Inner {
    passes: Arc<dyn Passes>,
    upstream: Upstream,
    sites: Sites,
    portal: Option<String>,
    behind_proxy: bool,
    limits: Arc<Limits>,
    counts: Arc<Counts>,
    stopping: CancellationToken,
}

/// Facts of a request that need no pass.
pub(crate) struct Asked {
    site: Site,
    reader: Reader,
    address: Option<IpAddr>,
}

impl Door {
    /// `stopping` ends upgraded connections, which the listener does not know any more.
    pub fn new(services: Services, settings: DoorSettings, stopping: CancellationToken) -> Result<Self, InvalidLabsUrl> {
        let services = Arc::new(services);
        Self::with(Arc::clone(&services) as _, services, settings, stopping)
    }

    /// The same over other ports.
    pub fn with(passes: Arc<dyn Passes>, dial: Arc<dyn Dial>, settings: DoorSettings, stopping: CancellationToken) -> Result<Self, InvalidLabsUrl> {
        let DoorSettings { labs_url, portal_url, behind_proxy, per_lab, per_person } = settings;
        let Some(sites) = Sites::parse(&labs_url) else { return Err(InvalidLabsUrl(labs_url)) };
        let portal = portal_url.map(|url| url.trim_end_matches('/').to_owned());
        let (upstream, limits) = (Upstream::new(dial), Limits::new(per_lab, per_person));
        Ok(Self(Arc::new(Inner { passes, upstream, sites, portal, behind_proxy, limits, counts: Arc::default(), stopping })))
    }

    /// Its counts since it was made, for the metrics.
    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.0.counts)
    }
}

impl Service<Request> for Door {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { Ok::<_, Infallible>(inner.answer(request).await) })
    }
}

impl Inner {
    async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let reader = Reader::of(&parts);
        let site = match self.sites.site(&parts) {
            Ok(site) => site,
            Err(HostError::Malformed) => return self.about(reader, Matter::Malformed),
            Err(HostError::Misdirected) => return self.about(reader, Matter::WrongHost),
        };
        if guard::is_refused(&parts.method) {
            return self.about(reader, Matter::Method);
        }
        let asked = Asked { site, reader, address: client::address(&parts, self.behind_proxy) };
        match parts.uri.path() {
            enter::PATH => enter::answer(self, &asked, &parts, body).await,
            state::STATUS => self.status(&asked, &parts).await,
            path if path.starts_with(tcp::PATH) => tcp::answer(self, &asked, parts).await,
            path if path == "/.lectern" || path.starts_with("/.lectern/") => self.about(reader, Matter::NotFound),
            path if !path.starts_with('/') => self.about(reader, Matter::Malformed),
            _ => self.lab(&asked, parts, body).await,
        }
    }

    /// A request for the lab itself.
    async fn lab(&self, asked: &Asked, parts: Parts, body: Body) -> Response {
        let pass = match self.admit(asked, &parts.headers).await {
            Ok(Some(pass)) => pass,
            Ok(None) => return self.without_pass(asked, &parts).await,
            Err(_) => return self.about(asked.reader, Matter::Unavailable),
        };
        let protocol = upgrade::wanted(&parts);
        if !guard::allows(&parts, &asked.site.origin, protocol.is_some()) {
            return self.about(asked.reader, Matter::CrossSite);
        }
        if pass.view_only().is_some_and(|limit| !guard::only_looks(&parts, protocol.is_some(), limit)) {
            return self.about(asked.reader, Matter::ViewOnly);
        }
        if guard::is_worker_of_site(&parts) {
            return self.about(asked.reader, Matter::Worker);
        }
        // What reaches the lab is a visit with its bytes. Nobody asked for this yet, so it goes no further: the browser asks again when it is needed.
        if page::is_prefetch(&parts) {
            return page::plain(StatusCode::SERVICE_UNAVAILABLE);
        }
        if !pass.has_pages() {
            return self.no_page(asked.reader, &pass);
        }
        // Before the pod: the token of a pod that was replaced meanwhile is cancelled.
        let gone = pass.pod_gone();
        let Some((pod, port)) = pass.target() else { return self.not_ready(asked.reader, &pass).await };
        let Some(place) = self.limits.take(pass.lab(), pass.person()) else { return self.about(asked.reader, Matter::TooMany) };
        let secret = AppSecret::of(&*pass, &pod);
        let line = Line { pass: self.counts.counting(pass), pod, port, secret, gone, place };
        match protocol {
            Some(protocol) => upgrade::forward(self, asked, parts, body, &protocol, line).await,
            None => proxy::forward(self, asked, parts, body, line).await,
        }
    }

    /// The pass of a request. A wrong cookie beside the right one does no harm, even if it cannot be checked at the moment.
    async fn admit(&self, asked: &Asked, headers: &HeaderMap) -> Result<Option<SharedPass>, Error> {
        let mut unchecked = None;
        for cookie in cookie::candidates(headers, self.sites.is_https()) {
            match self.passes.admit(&asked.site.label, &cookie).await {
                Ok(Some(pass)) if !pass.ended().is_cancelled() => return Ok(Some(pass)),
                Ok(_) => {}
                Err(error) => unchecked = Some(error),
            }
        }
        unchecked.map_or(Ok(None), Err)
    }

    fn about(&self, reader: Reader, matter: Matter) -> Response {
        self.say(reader, matter, &Extras::default())
    }

    fn say(&self, reader: Reader, matter: Matter, extras: &Extras) -> Response {
        self.counts.outcome(matter.code());
        page::answer(reader, matter, extras, || self.passes.nonce())
    }
}
