//! Changing prices and discounts: from an instant on that nobody has been billed for.

use domain::{
    Error, Problem, Result,
    access::{Action, Resource},
    ids::{DiscountId, PriceBookId, TenantId},
    pricing::{Discount, DiscountForm, Meter, Price, PriceBook, PriceForm},
    time::Timestamp,
};
use serde_json::{Value, json};
use storage::{Write, prices};

use super::{books, floor};
use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
};

/// Sets a price from a date on, in place of one planned for the same date. The same again changes nothing.
///
/// Errors: `Forbidden`; `Invalid` per field, `AlreadyMetered` on `from`.
pub async fn set_price(services: &Services, caller: &Caller, form: &PriceForm) -> Result<Price> {
    let meter = form.meter.chars().take(64).collect::<String>();
    audit::recording(services, caller, || Entry::new("price.set", "price", &meter, &meter), async {
        may_write(caller)?;
        let mut write = begin(services).await?;
        let floor = floor(services, &mut write).await?;
        let book = own_book(services, &mut write, caller.actor.tenant).await?;
        // A price that holds already and is written back as it was read.
        if let Ok(price) = form.check(services.clock.now(), Timestamp::from_seconds(0))
            && book.row(price.meter, price.from) == Some(&price)
        {
            return Ok(price);
        }
        let price = form.check(services.clock.now(), floor)?;
        let before = book.row(price.meter, price.from).cloned();
        if before.as_ref() == Some(&price) {
            return Ok(price);
        }
        prices::insert_price(&mut write, book.id, &price).await.or_domain()?;
        let mut entry = Entry::new("price.set", "price", price.meter, price.meter.to_string()).after(shown(&price, &book));
        if let Some(before) = &before {
            entry = entry.before(shown(before, &book));
        }
        finish(services, write, caller, entry).await?;
        Ok(price)
    })
    .await
}

/// Takes back a price that is planned and has not begun. Errors: `NotFound`; `Invalid` with `AlreadyMetered` on `from`.
pub async fn withdraw_price(services: &Services, caller: &Caller, meter: Meter, from: Timestamp) -> Result<()> {
    audit::recording(services, caller, || Entry::new("price.withdraw", "price", meter, meter.to_string()), async {
        may_write(caller)?;
        let mut write = begin(services).await?;
        let floor = floor(services, &mut write).await?;
        let book = own_book(services, &mut write, caller.actor.tenant).await?;
        let price = book.prices.iter().find(|price| price.meter == meter && price.from == from).ok_or(Error::NotFound)?;
        if from <= floor {
            return Err(Error::field("from", Problem::AlreadyMetered { to: floor }));
        }
        prices::delete_price(&mut write, book.id, meter, from).await.or_domain()?;
        let entry = Entry::new("price.withdraw", "price", meter, meter.to_string()).before(shown(price, &book));
        finish(services, write, caller, entry).await
    })
    .await
}

/// A share off every price of the caller's tenant. Errors: `Forbidden`; `Invalid` per field, `Taken` on `from` where another holds.
pub async fn grant_discount(services: &Services, caller: &Caller, form: &DiscountForm) -> Result<Discount> {
    audit::recording(services, caller, || Entry::new("discount.grant", "discount", "", ""), async {
        may_write(caller)?;
        let mut write = begin(services).await?;
        let new = form.check(services.clock.now(), floor(services, &mut write).await?)?;
        let id = DiscountId::from_uuid(services.entropy.uuid());
        let discount = Discount { id, off: new.off, from: new.from, to: new.to, reason: new.reason };
        if of_tenant(&mut write, caller.actor.tenant).await?.iter().any(|other| other.overlaps(&discount)) {
            return Err(Error::field("from", Problem::Taken));
        }
        prices::insert_discount(&mut write, caller.actor.tenant, &discount).await.or_domain()?;
        let entry = Entry::new("discount.grant", "discount", id, label(&discount)).after(shown_discount(&discount));
        finish(services, write, caller, entry).await?;
        Ok(discount)
    })
    .await
}

/// Ends a discount now, or takes it back when it has not begun; one that is over is left as it is. Errors: `NotFound`.
pub async fn end_discount(services: &Services, caller: &Caller, id: DiscountId) -> Result<Discount> {
    audit::recording(services, caller, || Entry::new("discount.end", "discount", id, ""), async {
        may_write(caller)?;
        let mut write = begin(services).await?;
        let floor = floor(services, &mut write).await?;
        let before = of_tenant(&mut write, caller.actor.tenant).await?.into_iter().find(|each| each.id == id).ok_or(Error::NotFound)?;
        let end = floor.max(before.from);
        if before.to.is_some_and(|to| to <= end) {
            return Ok(before);
        }
        let after = Discount { to: Some(end), ..before.clone() };
        prices::end_discount(&mut write, id, end).await.or_domain()?;
        let entry = Entry::new("discount.end", "discount", id, label(&after)).before(shown_discount(&before)).after(shown_discount(&after));
        finish(services, write, caller, entry).await?;
        Ok(after)
    })
    .await
}

/// Errors: `Forbidden`, `ScopeMissing`.
pub fn may_write(caller: &Caller) -> Result<()> {
    caller.actor.can(Action::PriceWrite, &Resource::tenant(caller.actor.tenant))
}

/// Nobody meters from here to the commit, so that `floor` stays true.
async fn begin(services: &Services) -> Result<Write> {
    let mut write = services.db.begin_write().await.or_domain()?;
    storage::bills::lock(&mut write).await.or_domain()?;
    Ok(write)
}

async fn finish(services: &Services, mut write: Write, caller: &Caller, entry: Entry) -> Result<()> {
    storage::offerings::raise_version(&mut write).await.or_domain()?;
    audit::success(services, &mut write, caller, entry).await?;
    write.commit().await.or_domain()
}

async fn of_tenant(write: &mut Write, tenant: TenantId) -> Result<Vec<Discount>> {
    let all = prices::discounts(write).await.or_domain()?;
    Ok(all.into_iter().filter(|(owner, _)| *owner == tenant).map(|(_, discount)| discount).collect())
}

/// The tenant's own book, made as a copy of everybody's when there is none yet. Another tenant's bills then do not change.
async fn own_book(services: &Services, write: &mut Write, tenant: TenantId) -> Result<PriceBook> {
    if prices::own_book(write, tenant).await.or_domain()?.is_none() {
        let currency = books(write).await?.of(tenant).map_or(domain::money::Currency::Cny, |book| book.currency);
        let id = PriceBookId::from_uuid(services.entropy.uuid());
        prices::insert_book(write, id, Some(tenant), currency).await.or_domain()?;
        prices::copy_default(write, id).await.or_domain()?;
    }
    books(write).await?.of(tenant).cloned().ok_or(Error::NotFound)
}

fn shown(price: &Price, book: &PriceBook) -> Value {
    // Without `..`: a new field must be classed before this compiles.
    let Price { meter, unit_micros, from, quoted } = price;
    json!({ "meter": meter, "unit_micros": unit_micros, "currency": book.currency, "from": from.to_rfc3339(), "quoted": quoted.as_str() })
}

fn label(discount: &Discount) -> String {
    format!("{} %", discount.off)
}

fn shown_discount(discount: &Discount) -> Value {
    let Discount { id: _, off, from, to, reason } = discount;
    json!({ "basis_points": off.get(), "from": from.to_rfc3339(), "to": to.map(Timestamp::to_rfc3339), "reason": reason })
}
