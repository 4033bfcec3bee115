//! Offerings as operators write them: drafts, publishing, retiring, and what a version would cost and make. `catalogue` reads the offerings
//! on sale. An offering belongs to one college, whose operators alone see its drafts and edit it; its audience may order it.

mod audited;
mod change;
mod sample;
pub mod yaml;

pub use change::{publish, restore, retire, save};

use domain::{
    Error, Result,
    access::{Action, Resource},
    catalogue::Offering,
    courses::Tenant,
    ids::OfferingId,
    offerings::{ManagedOffering, OfferingHistory, OfferingPreview, VersionState},
};
use storage::AnyConnection;

use crate::{
    Caller, Services,
    audit::{self, Entry},
    catalogue::shelf,
    error::OrDomain,
};

/// Errors: `Forbidden`, `ScopeMissing`.
fn authorise(caller: &Caller) -> Result<()> {
    caller.actor.can(Action::OfferingWrite, &Resource::tenant(caller.actor.tenant))
}

fn reading() -> Entry {
    Entry::new(audit::action(Action::OfferingWrite), "offering", "", "")
}

/// Whether the caller may write offerings at all, before anything of theirs is read. Errors: `Forbidden`, `ScopeMissing`.
pub async fn allowed(services: &Services, caller: &Caller) -> Result<()> {
    audit::recording(services, caller, reading, async { authorise(caller) }).await
}

/// Every offering of the caller's college with its state, price and labs, in the catalogue's order. Three statements.
///
/// Errors: `Forbidden`, `ScopeMissing`.
pub async fn list(services: &Services, caller: &Caller) -> Result<Vec<ManagedOffering>> {
    audit::recording(services, caller, reading, async {
        authorise(caller)?;
        let mut connection = services.db.read().await.or_domain()?;
        let versions = storage::offerings::versions::overview(&mut connection, caller.actor.tenant).await.or_domain()?;
        let labs = storage::offerings::versions::labs(&mut connection).await.or_domain()?;
        let shelf = shelf(services, &mut connection).await?;
        let (book, now) = (shelf.book(caller.actor.tenant), services.clock.now());
        let mut all: Vec<ManagedOffering> = Vec::new();
        for version in versions {
            let id = version.offering.id;
            if let Some(known) = all.last_mut().filter(|known| known.current.offering.id == id) {
                // The newest came first; what is on sale is what counts.
                known.draft = (known.current.state == VersionState::Draft).then_some(known.current.offering.version);
                known.current = version;
                continue;
            }
            let count = labs.iter().filter(|((offering, _), _)| *offering == id).map(|(_, count)| count).sum();
            all.push(ManagedOffering { current: version, draft: None, labs: count, per_hour: None });
        }
        for row in &mut all {
            row.per_hour = book.estimate(&row.current.offering.defaults(), 60, now).ok().map(|estimate| estimate.per_hour);
        }
        Ok(all)
    })
    .await
}

/// All versions of the offering with this slug. Four statements. Errors: `NotFound`, `Forbidden`, `ScopeMissing`.
pub async fn history(services: &Services, caller: &Caller, slug: &str) -> Result<OfferingHistory> {
    audit::recording(services, caller, reading, async {
        authorise(caller)?;
        let mut connection = services.db.read().await.or_domain()?;
        let id = own(&mut connection, caller, slug).await?;
        read(&mut connection, id).await
    })
    .await
}

/// The offering with this slug, when it belongs to the caller's college. Errors: `NotFound`.
async fn own(connection: &mut AnyConnection, caller: &Caller, slug: &str) -> Result<OfferingId> {
    let id = id_of(connection, slug).await?;
    let owner = storage::offerings::versions::owner(connection, id).await.or_domain()?.ok_or(Error::NotFound)?;
    caller.actor.can(Action::OfferingWrite, &Resource::tenant(owner))?;
    Ok(id)
}

/// By slug, or by id as the catalogue's links have it.
async fn id_of(connection: &mut AnyConnection, slug: &str) -> Result<OfferingId> {
    match slug.parse() {
        Ok(id) => Ok(id),
        Err(_) => storage::offerings::versions::id_of(connection, slug).await.or_domain()?.ok_or(Error::NotFound),
    }
}

async fn read(connection: &mut AnyConnection, id: OfferingId) -> Result<OfferingHistory> {
    let versions = storage::offerings::versions::history(connection, id).await.or_domain()?;
    if versions.is_empty() {
        return Err(Error::NotFound);
    }
    let labs = storage::offerings::versions::labs(connection).await.or_domain()?;
    let labs = labs.into_iter().filter(|((offering, _), _)| *offering == id).map(|((_, version), count)| (version, count)).collect();
    Ok(OfferingHistory { versions, labs })
}

/// Tenants that an offering may be shown to. One statement. Errors: `Forbidden`, `ScopeMissing`.
pub async fn tenants(services: &Services, caller: &Caller) -> Result<Vec<Tenant>> {
    authorise(caller)?;
    let mut connection = services.db.read().await.or_domain()?;
    storage::courses::tenants(&mut connection).await.or_domain()
}

/// What it would cost and make with its defaults; nothing is stored. One statement.
///
/// Errors: `Forbidden`, `ScopeMissing`; what is wrong with the offering is in `problems`.
pub async fn preview(services: &Services, caller: &Caller, offering: &Offering) -> Result<OfferingPreview> {
    audit::recording(services, caller, reading, async {
        authorise(caller)?;
        let mut offering = offering.clone();
        offering.base.separate_secrets();
        if let Err(error) = offering.check() {
            return match error {
                Error::Invalid(problems) => Ok(OfferingPreview { problems, ..OfferingPreview::default() }),
                other => Err(other),
            };
        }
        let spec = offering.defaults();
        let mut connection = services.db.read().await.or_domain()?;
        let shelf = shelf(services, &mut connection).await?;
        let (estimate, price_missing) = match shelf.book(caller.actor.tenant).estimate(&spec, offering.duration.default, services.clock.now()) {
            Ok(estimate) => (Some(estimate), None),
            Err(Error::PriceMissing { meter }) => (None, Some(meter)),
            Err(other) => return Err(other),
        };
        let order = sample::order(&offering, spec, services.clock.now());
        let objects = services.cluster.manifests(&order).split("---\n").map(|text| (kind_of(text), text.to_owned())).collect();
        Ok(OfferingPreview { problems: Vec::new(), estimate, price_missing, objects })
    })
    .await
}

/// The kind that a YAML document names.
fn kind_of(document: &str) -> String {
    document.lines().find_map(|line| line.strip_prefix("kind: ")).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests;
