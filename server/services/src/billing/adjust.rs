//! Credits and charges with a reason, always on the bill of the month that it is.

use domain::{
    Error, Problem, Result,
    access::{Action, Resource},
    billing::{Adjustment, AdjustmentForm},
    ids::AdjustmentId,
    page::{Page, PageRequest, read_cursor, write_cursor},
    time::Month,
};
use serde_json::json;

use super::{find, short};
use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
};

/// The latest first. Errors: `Forbidden`; `NotFound` for the course.
pub async fn adjustments(
    services: &Services,
    caller: &Caller,
    course: Option<&str>,
    month: Option<Month>,
    page: &PageRequest,
) -> Result<Page<Adjustment>> {
    let entry = || Entry::new(audit::action(Action::BillRead), "bill", course.map_or("*", short), course.map_or("", short));
    let (courses, course) = audit::recording(services, caller, entry, async {
        let courses = caller.actor.extent(Action::BillRead)?.courses();
        let course = match course {
            Some(course) => Some(find(services, caller, Action::BillRead, course).await?.id),
            None => None,
        };
        Ok((courses, course))
    })
    .await?;
    let rows = page.rows()?;
    let query = storage::bills::Query {
        tenant: caller.actor.tenant,
        courses,
        course,
        month,
        after: page.cursor(|text| read_cursor("adjustments", text))?,
        limit: rows,
    };
    let mut read = services.db.read().await.or_domain()?;
    let read = storage::bills::adjustments(&mut read, &query).await.or_domain()?;
    Ok(page.page(read, |last| write_cursor("adjustments", &last.id)))
}

/// Adds a credit or a charge. `id` is made by the form, so that sending it twice adds one: the second gives the first.
///
/// Errors: `Forbidden`; `Invalid` per field, `NoSuch` on `course`.
pub async fn adjust(services: &Services, caller: &Caller, form: &AdjustmentForm, id: Option<AdjustmentId>) -> Result<Adjustment> {
    let label = short(form.course.trim()).to_owned();
    audit::recording(services, caller, || Entry::new("billing.adjust", "adjustment", "", &label), async {
        let tenant = caller.actor.tenant;
        caller.actor.can(Action::BillWrite, &Resource::tenant(tenant))?;
        let mut write = services.db.begin_write().await.or_domain()?;
        let currency = crate::catalogue::shelf(services, &mut write).await?.book(tenant).currency;
        let new = form.check(currency)?;
        let course = match form.course.trim().parse() {
            Ok(id) => storage::courses::by_id(&mut write, id).await,
            Err(_) => storage::courses::by_code(&mut write, tenant, form.course.trim()).await,
        }
        .or_domain()?
        .filter(|course| course.tenant == tenant)
        .ok_or_else(|| Error::field("course", Problem::NoSuch))?;
        let now = services.clock.now();
        let row = storage::bills::NewRow {
            tenant,
            course: course.id,
            month: now.campus_month(),
            kind: new.kind,
            amount: new.amount,
            reason: new.reason,
            lab: None,
            of_month: None,
            by: Some(caller.actor.user),
        };
        let adjustment = |id| Adjustment {
            id,
            course: course.brief(),
            month: row.month,
            kind: row.kind,
            amount: row.amount,
            reason: row.reason.clone(),
            lab: None,
            of_month: None,
            at: now,
            by: Some(caller.actor.name.clone()),
        };
        let given = id;
        let id = given.unwrap_or_else(|| AdjustmentId::from_uuid(services.entropy.uuid()));
        match storage::bills::insert_adjustment(&mut write, id, &row, now).await {
            Ok(()) => {}
            Err(error) if given.is_some() && error.is_not_unique("adjustments", "id") => return Ok(adjustment(id)),
            Err(error) => return Err(crate::error::from_storage(error)),
        }
        let entry = Entry::new("billing.adjust", "adjustment", id, course.code.clone()).course(course.id).after(json!({
            "course": course.code, "month": row.month, "kind": row.kind, "amount": row.amount, "reason": row.reason,
        }));
        audit::success(services, &mut write, caller, entry).await?;
        write.commit().await.or_domain()?;
        Ok(adjustment(id))
    })
    .await
}
