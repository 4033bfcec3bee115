//! "What would last month have cost": the effect of a price or a discount before it is saved.

use std::collections::BTreeMap;

use domain::{
    Result,
    billing::PriceEffect,
    courses::CourseRef,
    money::Money,
    pricing::{DiscountForm, Meter, NewDiscount, PriceBook, PriceForm, PricePreview, Rate},
};
use storage::AnyConnection;

use super::{change::may_write, floor};
use crate::{Caller, Services, error::OrDomain};

/// Errors: `Forbidden`; `Invalid` per field, as when it is saved.
pub async fn preview_price(services: &Services, caller: &Caller, form: &PriceForm) -> Result<PricePreview> {
    may_write(caller)?;
    let mut read = services.db.read().await.or_domain()?;
    let price = form.check(services.clock.now(), floor(services, &mut read).await?)?;
    let book = crate::catalogue::shelf(services, &mut read).await?.book(caller.actor.tenant).clone();
    let unit_price = Money::new(price.unit_micros, book.currency);
    let before = book.row(price.meter, price.from).cloned();
    let rated = |meter: Meter, discount| (meter == price.meter).then_some(Rate { unit_price, discount });
    let mut preview = effects(services, caller, &mut read, &book, rated).await?;
    preview.before = before;
    preview.after = Some(price.clone());
    Ok(preview)
}

/// The same for a discount on last month's prices.
pub async fn preview_discount(services: &Services, caller: &Caller, form: &DiscountForm) -> Result<(NewDiscount, PricePreview)> {
    may_write(caller)?;
    let mut read = services.db.read().await.or_domain()?;
    let new = form.check(services.clock.now(), floor(services, &mut read).await?)?;
    let book = crate::catalogue::shelf(services, &mut read).await?.book(caller.actor.tenant).clone();
    let at = services.clock.now();
    let rated = |meter: Meter, _| book.price(meter, at).ok().map(|unit_price| Rate { unit_price, discount: new.off });
    let preview = effects(services, caller, &mut read, &book, rated).await?;
    Ok((new, preview))
}

async fn effects(
    services: &Services,
    caller: &Caller,
    read: &mut AnyConnection,
    book: &PriceBook,
    rated: impl Fn(Meter, domain::pricing::BasisPoints) -> Option<Rate>,
) -> Result<PricePreview> {
    let tenant = caller.actor.tenant;
    let month = services.clock.now().campus_month().previous();
    let courses: BTreeMap<_, CourseRef> =
        storage::courses::list(read, tenant).await.or_domain()?.iter().map(|course| (course.id, course.brief())).collect();
    let zero = Money::zero(book.currency);
    let mut preview = PricePreview { month, before: None, after: None, effects: Vec::new(), was: zero, would_be: zero };
    for (course, meter, discount, unit_seconds, micros) in storage::usage::meters(read, tenant, month).await.or_domain()? {
        let was = Money::new(micros, book.currency);
        preview.was = preview.was.plus(was);
        let Some(rate) = rated(meter, discount) else {
            preview.would_be = preview.would_be.plus(was);
            continue;
        };
        let would_be = rate.amount(meter, unit_seconds, 1);
        preview.would_be = preview.would_be.plus(would_be);
        let Some(course) = courses.get(&course) else { continue };
        match preview.effects.iter_mut().find(|effect| effect.course.id == course.id && effect.meter == meter) {
            Some(effect) => {
                effect.unit_seconds += unit_seconds;
                effect.was = effect.was.plus(was);
                effect.would_be = effect.would_be.plus(would_be);
            }
            None => preview.effects.push(PriceEffect { course: course.clone(), meter, unit_seconds, was, would_be }),
        }
    }
    Ok(preview)
}
