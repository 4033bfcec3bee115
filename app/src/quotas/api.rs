//! Quotas of the courses that the reader may see.

use domain::{courses::CourseRef, quotas::QuotaStatus};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// In order of the course's code.
#[server(ListQuotas, endpoint = "quotas/list", input = GetUrl)]
pub async fn list_quotas() -> Result<Vec<(CourseRef, QuotaStatus)>, AppError> {
    use crate::caller::{caller, services};
    Ok(services::quotas::list(&services()?, &caller()?).await?)
}
