//! Courses of a tenant with their quotas and budgets.

use domain::{
    Result,
    courses::{Course, CourseForm, CourseRef},
};

use crate::{Caller, Services};

/// Those that the caller may see.
pub async fn list(_services: &Services, _caller: &Caller) -> Result<Vec<CourseRef>> {
    todo!()
}

pub async fn create(_services: &Services, _caller: &Caller, _form: &CourseForm) -> Result<Course> {
    todo!()
}
