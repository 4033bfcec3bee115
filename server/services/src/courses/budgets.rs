//! Telling people that a part of a budget is spent or held: teachers of the course and its managers, once for each amount and term.

use domain::{Result, access::Role, notifications::Notice};
use storage::{
    accounts::{members, roles},
    quotas::CourseQuota,
};

use crate::{
    Services,
    error::OrDomain,
    jobs::lease,
    notifications::{self, Told},
};

/// Looks at every budget; returns how many thresholds are reached. Whom was told before is not told again.
pub async fn tell_thresholds(services: &Services) -> Result<u32> {
    let now = services.clock.now();
    let mut reached = Vec::new();
    {
        let mut read = services.db.read().await.or_domain()?;
        for tenant in storage::courses::tenants(&mut read).await.or_domain()? {
            let quotas = storage::quotas::of_tenant(&mut read, tenant.id, now).await.or_domain()?;
            let quotas = quotas.into_iter().filter(|quota| !quota.archived && quota.status.budget.terms.holds_at(now));
            reached.extend(quotas.flat_map(|quota| quota.status.budget.reached().into_iter().map(move |percent| (quota.clone(), percent))));
        }
    }
    for (quota, percent) in &reached {
        tell(services, quota, *percent).await?.tell(services);
    }
    Ok(u32::try_from(reached.len()).unwrap_or(u32::MAX))
}

async fn tell(services: &Services, quota: &CourseQuota, percent: u32) -> Result<Told> {
    let budget = &quota.status.budget;
    // Nothing in it moves while the budget is the same, so that it is told once.
    let notice = Notice::BudgetReached {
        course: quota.course.id,
        code: quota.course.code.clone(),
        percent,
        amount: budget.limit,
        term_from: budget.terms.from,
    };
    let mut write = lease::begin_write(services).await?;
    let mut people = roles::holders_for_course(&mut write, quota.course.id, Role::Manager).await.or_domain()?;
    people.extend(members::of_course(&mut write, quota.course.id).await.or_domain()?.into_iter().map(|person| person.id));
    let told = notifications::notify(services, &mut write, &people, &notice).await?;
    write.commit().await.or_domain()?;
    Ok(told)
}
