//! Entering: the lab's site takes a ticket and gives the browser a cookie of its own.

use domain::{Error, audit::Via, ids::PassId, labs::host, secret::Secret, time::Timestamp, visits::PassEnd};
use storage::{Write, visits::Taken};

use super::{
    admit::{self, lab_of},
    check::{self, Standing},
    is_secret,
};
use crate::{Origin, Services, audit, digest::hex_sha256, error::OrDomain, secret};

/// The action by which the audit record knows forms that another site sent.
const CROSS_SITE: &str = "session.cross_site";

/// A browser that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    pub cookie: Secret,
    /// Path on the lab's site that is shown first.
    pub next: String,
}

/// Why a browser does not come in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnterError {
    /// Another page than the portal's posted the ticket: somebody may want to sign the reader in to a lab of their own.
    #[error("the ticket was not posted by the portal")]
    WrongOrigin,
    /// The ticket is unknown, used, late or of another lab, or its person may not enter any more.
    #[error("the ticket is not good")]
    NoTicket,
    #[error("not now: {0}")]
    Unavailable(#[from] Error),
}

/// Takes the ticket. `label`: of the request's host; `origin`: its Origin header; `address`: of the browser. A ticket that another page than
/// the portal's posted is counted as any form from another site is.
pub async fn enter(services: &Services, label: &str, ticket: &str, origin: Option<&str>, address: Option<&str>) -> Result<Entered, EnterError> {
    let entered = take(services, label, ticket, origin, address).await;
    if entered == Err(EnterError::WrongOrigin) {
        let from = Origin { via: Via::Web, address: address.map(ToOwned::to_owned), request_id: None, device: None };
        audit::unauthenticated(services, &from, CROSS_SITE, None, Error::CrossSite.code());
    }
    entered
}

async fn take(services: &Services, label: &str, ticket: &str, origin: Option<&str>, address: Option<&str>) -> Result<Entered, EnterError> {
    // A page that has no origin, or hides it, says `null`.
    let origin = origin.filter(|origin| *origin != "null").ok_or(EnterError::WrongOrigin)?;
    let lab = lab_of(services, label).await?.filter(|_| is_secret(ticket)).ok_or(EnterError::NoTicket)?;
    let (port, _) = host::split_port(label).ok_or(EnterError::NoTicket)?;
    let cookie = secret::random(&*services.entropy, "");
    let (ticket_hash, cookie_hash) = (hex_sha256(ticket), hex_sha256(&cookie));
    let now = services.clock.now();
    let taken = Taken { ticket_hash: &ticket_hash, lab, port, origin, cookie_hash: &cookie_hash, address, at: now };
    let mut write = services.db.begin_write().await.or_domain()?;
    let Some((pass, next)) = storage::visits::take_ticket(&mut write, &taken).await.or_domain()? else {
        let elsewhere = storage::visits::ticket_origin(&mut write, &ticket_hash, (lab, port), now).await.or_domain()?;
        return Err(if elsewhere.is_some() { EnterError::WrongOrigin } else { EnterError::NoTicket });
    };
    let may = may_enter(&mut write, pass, now).await?;
    write.commit().await.or_domain()?;
    if !may {
        return Err(EnterError::NoTicket);
    }
    // The first request after this one finds the pass in memory. If this fails, it loads the pass itself.
    if let Err(error) = admit::load(services, &cookie_hash).await {
        tracing::debug!(%error, "a pass that was just taken could not be loaded");
    }
    Ok(Entered { cookie: Secret::new(cookie), next })
}

/// Whether the person of the pass may still enter. Ends the pass if not.
async fn may_enter(write: &mut Write, pass: PassId, now: Timestamp) -> Result<bool, Error> {
    let Some(facts) = storage::visits::of_passes(write, &[pass]).await.or_domain()?.pop() else { return Ok(false) };
    let people: Vec<_> = check::concerned(&facts).collect();
    let actors = storage::visits::actors(write, &people).await.or_domain()?;
    let end = match check::standing(&facts, &actors, None, now) {
        Standing::Good => return Ok(true),
        Standing::Doubtful => PassEnd::AccessLost,
        Standing::Over(end) => end,
    };
    storage::visits::end(write, pass, now, end).await.or_domain()?;
    Ok(false)
}
