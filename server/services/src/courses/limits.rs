//! Limits of a course: quota and budget. A new quota also reaches the course's namespace (D2, D4).

use domain::{
    Error, Result,
    access::Action,
    ids::{CourseId, OutboxId},
    quotas::{BudgetAction, BudgetForm, QuotaForm, check_limits},
};
use serde_json::json;
use storage::outbox;

use super::detail::load;
use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
    jobs::lease,
};

/// How to treat a limit below the amount that is used or held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Below {
    Refuse,
    /// Running labs continue; nothing new starts until less is used.
    Accept,
}

/// Errors: `Forbidden`, `NotFound`; `Invalid` per field; `LimitBelowUse`.
pub async fn set_quota(services: &Services, caller: &Caller, id: CourseId, form: &QuotaForm, below: Below) -> Result<()> {
    let entry = || Entry::new("quota.set", "course", id, "").course(id);
    audit::recording(services, caller, entry, async {
        let now = services.clock.now();
        let mut write = services.db.begin_write().await.or_domain()?;
        let (course, _) = load(&mut write, caller, Action::QuotaWrite, id).await?;
        let settings = form.check(course.settings.budget)?;
        storage::quotas::lock(&mut write, id).await.or_domain()?;
        let status = storage::quotas::of_course(&mut write, id, now).await.or_domain()?.ok_or(Error::NotFound)?.status;
        if below == Below::Refuse {
            check_limits(&settings.limits, &status.in_use())?;
        }
        if settings != course.settings {
            storage::courses::set_quota(&mut write, id, &settings).await.or_domain()?;
            want(services, &mut write, id).await?;
            let entry = Entry::new("quota.set", "course", id, course.code.as_str()).course(id);
            let entry = entry.before(json!({"settings": course.settings})).after(json!({"settings": settings}));
            audit::success(services, &mut write, caller, entry).await?;
        }
        write.commit().await.or_domain()
    })
    .await?;
    services.hub.wake();
    Ok(())
}

/// `kept`: actions whose thresholds stay as they are, whatever the form says. Errors: `Forbidden`, `NotFound`; `Invalid` per field.
pub async fn set_budget(services: &Services, caller: &Caller, id: CourseId, form: &BudgetForm, kept: &[BudgetAction]) -> Result<()> {
    let entry = || Entry::new("budget.set", "course", id, "").course(id);
    audit::recording(services, caller, entry, async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let (course, _) = load(&mut write, caller, Action::QuotaWrite, id).await?;
        let (amount, terms) = form.check(course.settings.budget.currency)?;
        storage::quotas::lock(&mut write, id).await.or_domain()?;
        let quota = storage::quotas::of_course(&mut write, id, services.clock.now()).await.or_domain()?.ok_or(Error::NotFound)?;
        let before = quota.status.budget;
        let terms = terms.keeping(kept, &before.terms);
        if (amount, &terms) != (before.limit, &before.terms) {
            storage::courses::set_budget(&mut write, id, amount, &terms).await.or_domain()?;
            let entry = Entry::new("budget.set", "course", id, course.code.as_str()).course(id);
            let entry = entry.before(json!({"budget": before.limit, "terms": before.terms})).after(json!({"budget": amount, "terms": terms}));
            audit::success(services, &mut write, caller, entry).await?;
        }
        write.commit().await.or_domain()
    })
    .await
}

/// Has every namespace's ResourceQuota and LimitRange looked at again: somebody may have changed them. Returns how many.
pub async fn refresh_quotas(services: &Services) -> Result<u32> {
    let courses = {
        let mut read = services.db.read().await.or_domain()?;
        storage::courses::with_namespaces(&mut read).await.or_domain()?
    };
    let mut write = lease::begin_write(services).await?;
    // One statement each, all short; there are as many as courses that have labs.
    for course in &courses {
        want(services, &mut write, *course).await?;
    }
    write.commit().await.or_domain()?;
    services.hub.wake();
    Ok(u32::try_from(courses.len()).unwrap_or(u32::MAX))
}

async fn want(services: &Services, write: &mut storage::Write, course: CourseId) -> Result<()> {
    let id = OutboxId::from_uuid(services.entropy.uuid());
    outbox::want(id, outbox::SET_QUOTA, &course.to_string(), services.clock.now()).run(write).await.or_domain().map(drop)
}
