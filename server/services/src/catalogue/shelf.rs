//! Catalogue, prices and policies in memory. Every use compares one version number with the database, so that a change by
//! another replica is seen at once and nothing else is read.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{
    Result,
    access::{Actor, Role},
    approvals::Policy,
    catalogue::Offering,
    ids::{OfferingId, PriceBookId, TenantId},
    money::Currency,
    pricing::{Books, PriceBook},
};
use storage::AnyConnection;
use uuid::Uuid;

use crate::{Services, error::OrDomain};

/// All that the catalogue, the order form and the decision read.
#[derive(Debug)]
pub struct Shelf {
    version: i64,
    /// On sale, in order.
    pub offerings: Vec<Offering>,
    books: Books,
    policies: Vec<(TenantId, Policy)>,
    /// Slugs, by which offerings name who sees them.
    tenants: Vec<(TenantId, String)>,
    no_prices: PriceBook,
    no_policy: Policy,
}

impl Shelf {
    /// Those on sale that this person may see, in order.
    pub fn visible<'s>(&'s self, actor: &'s Actor) -> impl Iterator<Item = &'s Offering> {
        let roles: BTreeSet<Role> = actor.roles.iter().chain(actor.department_roles.keys()).copied().collect();
        let tenant = self.tenants.iter().find(|(id, _)| *id == actor.tenant).map(|(_, slug)| slug.as_str());
        self.offerings.iter().filter(move |offering| offering.audience.admits(tenant, &roles))
    }

    /// By slug or id, as far as this person may see it.
    pub fn offering<'s>(&'s self, actor: &'s Actor, name: &str) -> Option<&'s Offering> {
        let id: Option<OfferingId> = name.parse().ok();
        self.visible(actor).find(|offering| offering.slug == name || Some(offering.id) == id)
    }

    /// On sale, whoever may see it: for what was ordered before.
    pub fn on_sale(&self, id: OfferingId) -> Option<&Offering> {
        self.offerings.iter().find(|offering| offering.id == id)
    }

    /// The tenant's own prices, or everybody's. An installation without prices gets an empty book: every estimate then says `PriceMissing`.
    pub fn book(&self, tenant: TenantId) -> &PriceBook {
        self.books.of(tenant).unwrap_or(&self.no_prices)
    }

    /// Without a policy a manager decides everything.
    pub fn policy(&self, tenant: TenantId) -> &Policy {
        self.policies.iter().find(|(owner, _)| *owner == tenant).map_or(&self.no_policy, |(_, policy)| policy)
    }
}

#[derive(Debug, Default)]
pub struct ShelfCache(Mutex<Option<Arc<Shelf>>>);

/// The shelf as of now. One statement while nothing has changed.
pub async fn shelf(services: &Services, connection: &mut AnyConnection) -> Result<Arc<Shelf>> {
    // Read before the content: a change in between makes the next call load again, never keep what is old.
    let version = storage::offerings::version(connection).await.or_domain()?;
    // A panic while the lock is held cannot leave half a value: it is replaced in one step.
    let kept = services.cache.shelf.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(shelf) = kept.filter(|shelf| shelf.version == version) {
        return Ok(shelf);
    }
    let shelf = Arc::new(Shelf {
        version,
        offerings: storage::offerings::on_sale(connection).await.or_domain()?,
        books: crate::prices::books(connection).await?,
        policies: storage::policies::all(connection).await.or_domain()?,
        tenants: storage::courses::tenants(connection).await.or_domain()?.into_iter().map(|tenant| (tenant.id, tenant.slug)).collect(),
        no_prices: PriceBook::empty(PriceBookId::from_uuid(Uuid::nil()), Currency::Cny),
        no_policy: Policy::default(),
    });
    *services.cache.shelf.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&shelf));
    Ok(shelf)
}
