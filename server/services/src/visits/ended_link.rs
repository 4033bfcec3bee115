//! The end of a link, as those learn of it who came in by it: the cookie of their pass proves it, nobody else is told.

use domain::{
    Error, Result,
    ids::UserId,
    labs::host::{host_label, port_label},
    visits::{PassEnd, VisitRole},
};
use storage::visits::Facts;

use super::is_secret;
use crate::{Services, digest::hex_sha256, error::OrDomain};

/// The name of the lab's owner if the cookie was that of a pass by a link which has ended since, or whose lab is destroyed. At most two
/// statements a minute for one cookie. Errors: `Unavailable`.
pub async fn ended_link(services: &Services, label: &str, cookie: &str) -> Result<Option<String>> {
    if !is_secret(cookie) {
        return Ok(None);
    }
    let cookie_hash = hex_sha256(cookie);
    let key = (cookie_hash.clone(), label.to_ascii_lowercase());
    let load = Box::pin(load(services, &cookie_hash, label));
    let owner = services.cache.ended_links.get_or_load(key, services.clock.now(), load).await?;
    Ok((*owner).clone())
}

async fn load(services: &Services, cookie_hash: &str, label: &str) -> Result<Option<String>> {
    if services.visits.is_database_away() {
        return Err(Error::Unavailable { retry_after_seconds: 5 });
    }
    // Its end is in memory before it is in the database.
    let known = services.visits.get(cookie_hash);
    let mut read = services.db.read().await.or_domain()?;
    let owner = if let Some(entry) = known {
        entry.owner_of_ended_link(label)
    } else {
        let facts = storage::visits::by_cookie(&mut read, cookie_hash).await.or_domain()?;
        facts.as_ref().and_then(|facts| owner(facts, label))
    };
    let Some(owner) = owner else { return Ok(None) };
    Ok(storage::visits::actors(&mut read, &[owner]).await.or_domain()?.remove(&owner).map(|owner| owner.name))
}

fn owner(facts: &Facts, label: &str) -> Option<UserId> {
    let own = port_label(&host_label(&facts.lab.name, facts.lab.id), facts.port);
    (own.eq_ignore_ascii_case(label) && is_end(facts.role, facts.ended)).then_some(facts.lab.owner)
}

/// Whether a pass came by a link and ended with it.
pub(super) const fn is_end(role: VisitRole, end: Option<PassEnd>) -> bool {
    matches!((role, end), (VisitRole::Share, Some(PassEnd::ShareEnded | PassEnd::LabDestroyed)))
}
