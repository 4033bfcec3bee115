//! Usage and bills (E2, E5), from the usage records that metering writes. Each is a fixed number of statements, whatever the number of labs.

mod adjust;
mod close;
mod current;
mod export;
mod overview;

pub use adjust::{adjust, adjustments};
pub use close::{close, may_close, months};
pub use current::{CurrentCost, current_cost};
pub use export::{Export, Format, MAX_SHEET_LINES, begin_export, export_courses, export_lines, export_rows};
pub use overview::{LinesOf, groups, lab_intervals, lines, overview};

use domain::{
    Error, Result,
    access::{Action, Resource},
    billing::{Bill, BillSummary},
    courses::Course,
    ids::LabId,
    metering::UsageRecord,
    money::Money,
    page::{Page, PageRequest, read_cursor, write_cursor},
    pricing::Meter,
    time::{Month, Timestamp},
};

use storage::usage::Scope;

use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
    jobs::metering,
};

/// A bill holds all its lines: more than any course of a college has in a month.
const MAX_LINES: u32 = 100_000;

/// A month's bills of every course that the caller may see.
pub async fn bills(services: &Services, caller: &Caller, month: Month) -> Result<Vec<BillSummary>> {
    let actor = &caller.actor;
    let entry = || Entry::new(audit::action(Action::BillRead), "bill", month, month.to_string());
    let courses = audit::recording(services, caller, entry, async { actor.extent(Action::BillRead) }).await?.courses();
    let mut read = services.db.read().await.or_domain()?;
    storage::usage::summaries(&mut read, actor.tenant, courses.as_ref(), month).await.or_domain()
}

/// One course (code or id), one month. Errors: `NotFound`.
///
/// Metering runs every few seconds; `counted_to` says until when the bill is complete.
pub async fn bill(services: &Services, caller: &Caller, course: &str, month: Month) -> Result<Bill> {
    let entry = || Entry::new(audit::action(Action::BillRead), "bill", format!("{} {month}", short(course)), short(course));
    let course = audit::recording(services, caller, entry, find(services, caller, Action::BillRead, course)).await?;
    // Before the sums, so that it never promises more than they hold.
    let counted_to = metering::counted_to(services).await?.unwrap_or(month.start()).clamp(month.start(), month.end());
    let mut read = services.db.read().await.or_domain()?;
    let scope = Scope { course: Some(course.id), ..Scope::month(course.tenant, month) };
    let mut lines = storage::usage::lines(&mut read, &scope, None, MAX_LINES).await.or_domain()?;
    // Not by the database: collations differ between the engines.
    lines.sort_by(|one, two| (&one.lab_name, one.meter).cmp(&(&two.lab_name, two.meter)));
    let wanted =
        storage::bills::Query { tenant: course.tenant, courses: None, course: Some(course.id), month: Some(month), after: None, limit: MAX_LINES };
    let adjustments = storage::bills::adjustments(&mut read, &wanted).await.or_domain()?;
    let closing = storage::bills::closings(&mut read, course.tenant).await.or_domain()?.into_iter().find(|closing| closing.month == month);
    let currency = lines.first().map_or(course.settings.budget.currency, |line| line.amount.currency);
    let amounts = lines.iter().map(|line| line.amount).chain(adjustments.iter().map(|each| each.amount));
    let total = amounts.fold(Money::zero(currency), Money::plus);
    Ok(Bill { course: course.brief(), month, currency, lines, adjustments, total, closing, counted_to })
}

/// Usage records, newest first; `course` by code or id, `lab` by id or name.
pub async fn usage(
    services: &Services,
    caller: &Caller,
    course: Option<&str>,
    lab: Option<&str>,
    month: Option<Month>,
    page: &PageRequest,
) -> Result<Page<UsageRecord>> {
    let entry = || Entry::new(audit::action(Action::UsageRead), "usage", course.map_or("*", short), course.map_or("", short));
    let (courses, course) = audit::recording(services, caller, entry, async {
        let courses = caller.actor.extent(Action::UsageRead)?.courses();
        let course = match course {
            Some(course) => Some(find(services, caller, Action::UsageRead, course).await?.id),
            None => None,
        };
        Ok((courses, course))
    })
    .await?;
    let rows = page.rows()?;
    let query = storage::usage::Query {
        tenant: caller.actor.tenant,
        visible_to: courses.map(|courses| (caller.actor.user, courses)),
        course,
        lab: lab.map(ToOwned::to_owned),
        month,
        after: page.cursor(cursor)?,
        limit: rows,
    };
    let mut read = services.db.read().await.or_domain()?;
    Ok(page.page(storage::usage::list(&mut read, &query).await.or_domain()?, after))
}

/// A course by its code or id, if the caller may do this to it.
async fn find(services: &Services, caller: &Caller, action: Action, course: &str) -> Result<Course> {
    let tenant = caller.actor.tenant;
    let found = {
        let mut read = services.db.read().await.or_domain()?;
        match course.parse() {
            Ok(id) => storage::courses::by_id(&mut read, id).await,
            Err(_) => storage::courses::by_code(&mut read, tenant, course).await,
        }
        .or_domain()?
    };
    let found = found.ok_or(Error::NotFound)?;
    caller.actor.can(action, &Resource::course(found.tenant, found.id))?;
    Ok(found)
}

/// As typed, but not longer than a label.
fn short(text: &str) -> &str {
    text.char_indices().nth(64).map_or(text, |(end, _)| &text[..end])
}

fn after(record: &UsageRecord) -> String {
    write_cursor("usage", &format!("{}_{}_{}", record.line.from.micros(), record.lab, record.line.meter))
}

fn cursor(text: &str) -> Option<(Timestamp, LabId, Meter)> {
    let key: String = read_cursor("usage", text)?;
    let mut parts = key.splitn(3, '_');
    let from = parts.next()?.parse().ok()?;
    Some((Timestamp::from_micros(from), parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}
