//! The preview of a submission. It stores nothing.

use domain::{
    Result,
    access::Action,
    orders::{self, Decision, OrderForm, Preview},
};

use super::basis::{self, Named};
use crate::{Caller, Services, catalogue::shelf, error::OrDomain};

/// Four statements. Errors: `Invalid` per field, `PriceMissing`, `Forbidden`; over quota or budget is in `Preview::refusal`.
pub async fn preview(services: &Services, caller: &Caller, form: &OrderForm) -> Result<Preview> {
    let now = services.clock.now();
    let tenant = caller.actor.tenant;
    let mut connection = services.db.read().await.or_domain()?;
    let course = basis::course(&mut connection, caller, Action::OrderPreview, form).await?;
    let shelf = shelf(services, &mut connection).await?;
    let offering = basis::offering(&shelf, caller, form)?;
    let quota = match course {
        Named::Course(course) => storage::quotas::of_course_ahead(&mut connection, course.id, now).await.or_domain()?,
        Named::Nothing | Named::Hidden(_) => None,
    };
    let supplies = storage::supplies::all(&mut connection, now).await.or_domain()?;
    orders::preview(
        &Decision {
            offering,
            quota: quota.as_ref().map(|quota| &quota.status),
            students: quota.as_ref().map_or(0, |quota| quota.students),
            book: shelf.book(tenant),
            policy: shelf.policy(tenant),
            supplies: &supplies,
            requester: &quota.as_ref().map_or_else(|| caller.actor.roles.clone(), |quota| caller.actor.roles_in(quota.course.id)),
            now,
        },
        form,
    )
}
