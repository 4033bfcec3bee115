//! What each course may use and what is left.

use domain::{
    Result,
    access::{Action, Resource},
    courses::CourseRef,
    quotas::QuotaStatus,
};

use crate::{Caller, Services, error::OrDomain};

/// Every course that the caller may see, in order of its code. One statement, whatever the number of courses.
pub async fn list(services: &Services, caller: &Caller) -> Result<Vec<(CourseRef, QuotaStatus)>> {
    let actor = &caller.actor;
    actor.can(Action::QuotaRead, &caller.own())?;
    let mut connection = services.db.read().await.or_domain()?;
    let all = storage::quotas::of_tenant(&mut connection, actor.tenant, services.clock.now()).await.or_domain()?;
    let may = |id| actor.can(Action::QuotaRead, &Resource::course(actor.tenant, id)).is_ok();
    Ok(all.into_iter().filter(|quota| !quota.archived && may(quota.course.id)).map(|quota| (quota.course, quota.status)).collect())
}
