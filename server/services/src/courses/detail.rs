//! A course with all that its page shows.

use domain::{
    Error, Result,
    access::{Action, Resource},
    courses::{Course, CourseDetail},
    ids::CourseId,
};
use storage::{AnyConnection, courses::Place};

use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
};

/// Six statements. Errors: `NotFound` also for what the caller may not see.
pub async fn get(services: &Services, caller: &Caller, id: CourseId) -> Result<CourseDetail> {
    let entry = || Entry::new(audit::action(Action::CourseRead), "course", id, "").course(id);
    audit::recording(services, caller, entry, async {
        let mut connection = services.db.read().await.or_domain()?;
        let (course, place) = load(&mut connection, caller, Action::CourseRead, id).await?;
        let quota = storage::quotas::of_course(&mut connection, id, services.clock.now()).await.or_domain()?.ok_or(Error::NotFound)?.status;
        let department = match place.department {
            Some(department) => storage::departments::by_id(&mut connection, department).await.or_domain()?.map(|department| department.brief()),
            None => None,
        };
        let on = Resource::course(course.tenant, course.id);
        Ok(CourseDetail {
            students: storage::rosters::of_course(&mut connection, id).await.or_domain()?,
            may_set_roster: caller.actor.can(Action::RosterWrite, &on).is_ok(),
            members: storage::accounts::members::of_course(&mut connection, id).await.or_domain()?,
            may_write: caller.actor.can(Action::CourseWrite, &on).is_ok(),
            may_set_quota: caller.actor.can(Action::QuotaWrite, &on).is_ok(),
            course,
            department,
            archived_at: place.archived_at,
            quota,
        })
    })
    .await
}

/// The course if the caller may do this to it. Two statements. Errors: as [`domain::access::Actor::can`].
pub(super) async fn load(connection: &mut AnyConnection, caller: &Caller, action: Action, id: CourseId) -> Result<(Course, Place)> {
    let course = storage::courses::by_id(connection, id).await.or_domain()?.ok_or(Error::NotFound)?;
    caller.actor.can(action, &Resource::course(course.tenant, course.id))?;
    let place = storage::courses::place(connection, id).await.or_domain()?.ok_or(Error::NotFound)?;
    Ok((course, place))
}
