//! A month to take away. That it was taken is on record before the first byte leaves.

use domain::{
    Error, Result,
    access::Action,
    billing::{Adjustment, BillLine, Dimension, Group},
    courses::{CourseRef, Tenant},
    ids::LabId,
    pricing::Meter,
    time::{Month, Timestamp},
};
use serde_json::json;
use storage::usage::{ExportRow, Scope};

use super::{LinesOf, find, overview::scope};
use crate::{
    Caller, Services, accounts,
    audit::{self, Entry},
    error::OrDomain,
};

/// A workbook is made in memory: it takes at most this many lines of one lab and meter. CSV is a stream and has no limit.
pub const MAX_SHEET_LINES: u32 = 50_000;
const BATCH: u32 = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Every interval, one a row.
    Csv,
    /// The same in the columns of FOCUS 1.2.
    Focus,
    /// Sums, the lines of one course, adjustments, to print.
    Pdf,
    /// A summary, a sheet for each breakdown, and lines.
    Xlsx,
}

impl Format {
    pub const ALL: [Self; 4] = [Self::Csv, Self::Focus, Self::Pdf, Self::Xlsx];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Focus => "focus",
            Self::Pdf => "pdf",
            Self::Xlsx => "xlsx",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == text)
    }
}

/// What the caller may take of a month, and what is on its first sheet.
#[derive(Debug, Clone)]
pub struct Export {
    pub college: Tenant,
    pub month: Month,
    pub course: Option<CourseRef>,
    pub closed: bool,
    pub adjustments: Vec<Adjustment>,
    scope: Scope,
}

/// Records the export and gives what it holds besides rows. Errors: `Forbidden`; `NotFound` for the course.
pub async fn begin_export(services: &Services, caller: &Caller, month: Month, course: Option<&str>, format: Format) -> Result<Export> {
    let of = LinesOf { month, course: course.map(Into::into), by: Dimension::Course, key: String::new() };
    let scope = scope(services, caller, Action::BillRead, &of).await?;
    let course = match course {
        Some(course) => Some(find(services, caller, Action::BillRead, course).await?.brief()),
        None => None,
    };
    let college = accounts::tenant(services, caller.actor.tenant).await?;
    let mut write = services.db.begin_write().await.or_domain()?;
    let wanted = storage::bills::Query {
        tenant: scope.tenant,
        courses: scope.courses.clone(),
        course: scope.course,
        month: Some(month),
        after: None,
        limit: MAX_SHEET_LINES,
    };
    let adjustments = storage::bills::adjustments(&mut write, &wanted).await.or_domain()?;
    let closed = storage::bills::closings(&mut write, scope.tenant).await.or_domain()?.iter().any(|closing| closing.month == month);
    let mut entry = Entry::new("billing.export", "bill", month, month.to_string())
        .after(json!({ "format": format.as_str(), "course": course.as_ref().map(|course| &course.code) }));
    if let Some(course) = &course {
        entry = entry.course(course.id);
    }
    audit::success(services, &mut write, caller, entry).await?;
    write.commit().await.or_domain()?;
    Ok(Export { college, month, course, closed, adjustments, scope })
}

/// The next intervals after a row, by lab, meter and begin; none at the end.
pub async fn export_rows(services: &Services, export: &Export, after: Option<(LabId, Meter, Timestamp)>) -> Result<Vec<ExportRow>> {
    let mut read = services.db.read().await.or_domain()?;
    storage::usage::export(&mut read, &export.scope, after, BATCH).await.or_domain()
}

/// Sums by course, and the lines where one course was asked for. Errors: `Invalid` on `format` when there are too many lines for one file.
pub async fn export_courses(services: &Services, export: &Export) -> Result<(Vec<Group>, Vec<BillLine>)> {
    let mut read = services.db.read().await.or_domain()?;
    let groups = storage::usage::groups(&mut read, &export.scope, Dimension::Course).await.or_domain()?;
    if export.course.is_none() {
        return Ok((groups, Vec::new()));
    }
    let lines = storage::usage::lines(&mut read, &export.scope, None, MAX_SHEET_LINES + 1).await.or_domain()?;
    if lines.len() > MAX_SHEET_LINES as usize {
        return Err(Error::field("format", domain::Problem::TooLong { max: MAX_SHEET_LINES }));
    }
    Ok((groups, lines))
}

/// Breakdowns and lines for a workbook. Errors: `Invalid` on `course` when there are too many lines for one.
pub async fn export_lines(services: &Services, export: &Export) -> Result<(Vec<(Dimension, Vec<Group>)>, Vec<BillLine>)> {
    let mut read = services.db.read().await.or_domain()?;
    let lines = storage::usage::lines(&mut read, &export.scope, None, MAX_SHEET_LINES + 1).await.or_domain()?;
    if lines.len() > MAX_SHEET_LINES as usize {
        return Err(Error::field("format", domain::Problem::TooLong { max: MAX_SHEET_LINES }));
    }
    let mut groups = Vec::new();
    for by in Dimension::ALL {
        groups.push((by, storage::usage::groups(&mut read, &export.scope, by).await.or_domain()?));
    }
    Ok((groups, lines))
}
