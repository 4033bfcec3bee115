//! Entering: the lab's site takes a ticket and gives the browser a cookie of its own.

use domain::{Error, audit::Via, labs::host, secret::Secret};
use storage::visits::Taken;

use super::{
    admit::{self, lab_of},
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
    write.commit().await.or_domain()?;
    // Looked at outside of the transaction, for which everybody else waits. The cookie is known to nobody before the pass is found good.
    if !admit::taken(services, pass, &cookie_hash).await? {
        return Err(EnterError::NoTicket);
    }
    Ok(Entered { cookie: Secret::new(cookie), next })
}
