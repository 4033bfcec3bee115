//! What each course may use and what is left.

use domain::{Result, courses::CourseRef, quotas::QuotaStatus};

use crate::{Caller, Services};

/// Every course that the caller may see, in order of its code. A fixed number of statements, whatever the number of courses.
pub async fn list(_services: &Services, _caller: &Caller) -> Result<Vec<(CourseRef, QuotaStatus)>> {
    todo!()
}
