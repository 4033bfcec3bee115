//! Usage and bills (E2, E5), from the usage records that metering writes.

use domain::{
    Result,
    billing::{Bill, BillSummary},
    metering::UsageRecord,
    page::{Page, PageRequest},
    time::Month,
};

use crate::{Caller, Services};

/// A month's bills of every course that the caller may see.
pub async fn bills(_services: &Services, _caller: &Caller, _month: Month) -> Result<Vec<BillSummary>> {
    todo!()
}

/// One course (code or id), one month. Errors: `NotFound`.
pub async fn bill(_services: &Services, _caller: &Caller, _course: &str, _month: Month) -> Result<Bill> {
    todo!()
}

/// Usage records, newest first; `course` by code or id, `lab` by id or name.
pub async fn usage(
    _services: &Services,
    _caller: &Caller,
    _course: Option<&str>,
    _lab: Option<&str>,
    _month: Option<Month>,
    _page: &PageRequest,
) -> Result<Page<UsageRecord>> {
    todo!()
}
