//! The catalogue: offerings with the price of their defaults, and all that an order form needs.
//! A built-in offering is a file in `offerings/` and a line in `catalogue/defaults.rs`.

mod defaults;
mod shelf;

#[cfg(test)]
pub(crate) use defaults::OFFERINGS as BUILT_IN;
pub use defaults::{install_defaults, price_book};
pub use shelf::{Shelf, ShelfCache, shelf};

use domain::{
    Error, Result,
    access::{Action, Resource},
    capacity::Pool,
    catalogue::{Offering, OfferingCard, Parameter},
    orders::OrderContext,
    pricing::PriceBook,
    ssh_keys::VARIABLE,
    time::Timestamp,
};

use storage::quotas::CourseQuota;

use crate::{Caller, Services, error::OrDomain, ssh_keys};

/// What is on sale. Two statements.
pub async fn list(services: &Services, caller: &Caller) -> Result<Vec<OfferingCard>> {
    let (shelf, pools) = read(services, caller).await?;
    let now = services.clock.now();
    Ok(shelf.visible(&caller.actor).map(|offering| card(offering, shelf.book(caller.actor.tenant), &pools, now)).collect())
}

/// One offering by slug or id. Errors: `NotFound`.
pub async fn get(services: &Services, caller: &Caller, offering: &str) -> Result<OfferingCard> {
    let (shelf, pools) = read(services, caller).await?;
    let offering = shelf.offering(&caller.actor, offering).ok_or(Error::NotFound)?;
    Ok(card(offering, shelf.book(caller.actor.tenant), &pools, services.clock.now()))
}

/// What the order form decides by: offering, the caller's courses with quotas, prices, policy, cards and who waits for
/// them. Three statements, one more for an offering that takes a public key.
///
/// Errors: `NotFound` for the offering; `Forbidden` for those who order nothing.
pub async fn context(services: &Services, caller: &Caller, offering: &str) -> Result<OrderContext> {
    caller.actor.can(Action::CatalogueRead, &Resource::tenant(caller.actor.tenant))?;
    let now = services.clock.now();
    let (shelf, supplies) = {
        let mut connection = services.db.read().await.or_domain()?;
        let shelf = shelf(services, &mut connection).await?;
        (shelf, storage::supplies::all(&mut connection, now).await.or_domain()?)
    };
    let mut offering = public(shelf.offering(&caller.actor, offering).ok_or(Error::NotFound)?);
    offer_key(services, caller, &mut offering).await?;
    let quotas = orderable(services, caller, now).await?;
    let students = quotas.iter().filter(|quota| quota.students > 0).map(|quota| (quota.course.id, quota.students)).collect();
    let courses: Vec<_> = quotas.into_iter().map(|quota| (quota.course, quota.status)).collect();
    let at_college = &caller.actor.roles;
    let requester_in =
        courses.iter().map(|(course, _)| (course.id, caller.actor.roles_in(course.id))).filter(|(_, roles)| roles != at_college).collect();
    Ok(OrderContext {
        offering,
        courses,
        book: shelf.book(caller.actor.tenant).clone(),
        policy: shelf.policy(caller.actor.tenant).clone(),
        supplies,
        requester: at_college.clone(),
        requester_in,
        students,
        now,
    })
}

/// Puts the caller's newest public key into the form of an offering that asks for one.
async fn offer_key(services: &Services, caller: &Caller, offering: &mut Offering) -> Result<()> {
    let takes_key = |parameter: &&mut Parameter| parameter.default.is_none() && parameter.typed_variable() == Some(VARIABLE);
    if let Some(parameter) = offering.parameters.iter_mut().find(takes_key) {
        let newest = ssh_keys::newest(services, caller.actor.user).await?.map(|key| key.public_key);
        parameter.default = newest.filter(|text| parameter.check(text).is_ok());
    }
    Ok(())
}

/// Courses that the caller may order for. Errors: `Forbidden` or `ScopeMissing` for those who may order for none, whatever the course.
async fn orderable(services: &Services, caller: &Caller, now: Timestamp) -> Result<Vec<CourseQuota>> {
    let tenant = caller.actor.tenant;
    caller.actor.can(Action::OrderPreview, &caller.own())?;
    let mut connection = services.db.read().await.or_domain()?;
    let all = storage::quotas::of_tenant_ahead(&mut connection, tenant, now).await.or_domain()?;
    let may = |id| caller.actor.can(Action::OrderPreview, &Resource::course(tenant, id)).is_ok();
    Ok(all.into_iter().filter(|quota| !quota.archived && may(quota.course.id)).collect())
}

async fn read(services: &Services, caller: &Caller) -> Result<(std::sync::Arc<Shelf>, Vec<Pool>)> {
    caller.actor.can(Action::CatalogueRead, &Resource::tenant(caller.actor.tenant))?;
    let mut connection = services.db.read().await.or_domain()?;
    let shelf = shelf(services, &mut connection).await?;
    let pools = storage::pools::all(&mut connection).await.or_domain()?;
    Ok((shelf, pools))
}

fn card(offering: &Offering, book: &PriceBook, pools: &[Pool], now: Timestamp) -> OfferingCard {
    let spec = offering.defaults();
    let estimate = book.estimate(&spec, 60, now).ok();
    OfferingCard {
        offering: public(offering),
        per_hour: estimate.as_ref().map(|estimate| estimate.per_hour),
        parts: estimate.map(|estimate| estimate.lines).unwrap_or_default(),
        cards_free: pools.iter().find(|pool| pool.card == spec.card).map(Pool::free),
    }
}

/// Without who else may see it.
fn public(offering: &Offering) -> Offering {
    Offering { audience: domain::offerings::Audience::default(), ..offering.clone() }
}

#[cfg(test)]
mod tests;
