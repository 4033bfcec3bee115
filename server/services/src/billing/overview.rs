//! A month at a glance, and the ways down from it: a part of a breakdown, its lines, a lab's intervals.

use domain::{
    Error, Result,
    access::{Action, Resource},
    billing::{self, BillLine, BurnDown, CourseMonth, Dimension, Group, Overview},
    catalogue::Localized,
    ids::LabId,
    labs::Lab,
    metering::UsageLine,
    money::{Currency, Money},
    page::{Page, PageRequest, read_cursor, write_cursor},
    pricing::Meter,
    time::{Month, Timestamp},
};
use storage::{AnyConnection, usage::Scope};

use super::{find, short};
use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
    jobs::metering,
};

/// Full days that the pace of spending is averaged over.
const PACE_DAYS: i64 = 7;

/// A month of all courses that the caller may see, or of one (code or id). Six statements at most, whatever the number of courses.
///
/// Errors: `Forbidden`; `NotFound` for the course.
pub async fn overview(services: &Services, caller: &Caller, month: Month, course: Option<&str>, by: Dimension) -> Result<Overview> {
    let actor = &caller.actor;
    let entry = || Entry::new(audit::action(Action::BillRead), "bill", month, month.to_string());
    let seen = audit::recording(services, caller, entry, async { actor.extent(Action::BillRead) }).await?.courses();
    let now = services.clock.now();
    let this_month = now.campus_month();
    let mut read = services.db.read().await.or_domain()?;
    // Before the sums, so that it never promises more than they hold.
    let counted_to = metering::counted_to_in(&mut read).await?.unwrap_or(month.start()).clamp(month.start(), month.end());
    let closing = storage::bills::closings(&mut read, actor.tenant).await.or_domain()?.into_iter().find(|closing| closing.month == month);
    let courses = storage::usage::courses(&mut read, actor.tenant, seen.as_ref(), month).await.or_domain()?;
    let only = match course {
        None => None,
        // Those that the caller sees are all here; for another the refusal is recorded.
        Some(name) => {
            let seen = courses.iter().map(|each| &each.course).find(|each| each.code == name || each.id.to_string() == name);
            if let Some(course) = seen {
                Some(course.id)
            } else {
                let entry = || Entry::new(audit::action(Action::BillRead), "bill", format!("{} {month}", short(name)), short(name));
                Some(audit::recording(services, caller, entry, find(services, caller, Action::BillRead, name)).await?.id)
            }
        }
    };
    // The pace reaches back into the month before while this one is young.
    let pace_from = Timestamp::of_campus_day(now.campus_day() - PACE_DAYS);
    let since = if month == this_month { month.start().min(pace_from) } else { month.start() };
    let mut days = storage::usage::days(&mut read, actor.tenant, seen.as_ref(), only, month, since).await.or_domain()?;

    let counted = |each: &&CourseMonth| only.is_none_or(|id| each.course.id == id);
    let currency = courses.iter().find(counted).map_or(Currency::Cny, |each| each.budget.currency);
    let sum = |part: fn(&CourseMonth) -> Money| courses.iter().filter(counted).fold(Money::zero(currency), |sum, each| sum.plus(part(each)));
    let (total, adjustments, previous) = (sum(CourseMonth::total), sum(|each| each.adjustments), sum(|each| each.previous));
    let by_day: Vec<_> = days.iter().map(|each| (each.day, each.micros)).collect();
    let forecast = (month == this_month).then(|| billing::forecast(total, &by_day, now, month)).flatten();

    let groups = if by == Dimension::Course {
        of_courses(courses.iter().filter(counted))
    } else {
        let scope = Scope { courses: seen.clone(), course: only, ..Scope::month(actor.tenant, month) };
        storage::usage::groups(&mut read, &scope, by).await.or_domain()?
    };
    let burning = match only {
        Some(id) => courses.iter().find(|each| each.course.id == id),
        None => courses.iter().filter(|each| each.budget.micros > 0).max_by_key(|each| each.total().micros),
    };
    let burn_down = match burning {
        Some(each) => Some(burn_down(&mut read, each, now, month).await?),
        None => None,
    };
    let first_day = month.start().campus_day();
    days.retain(|each| each.day >= first_day);
    Ok(Overview { month, this_month, closing, counted_to, total, adjustments, previous, forecast, courses, by, groups, days, burn_down })
}

/// The courses with anything on their bill, the dearest first.
fn of_courses<'c>(courses: impl Iterator<Item = &'c CourseMonth>) -> Vec<Group> {
    let mut groups: Vec<_> = courses
        .filter(|each| each.labs > 0 || each.total().micros != 0)
        .map(|each| {
            let name = format!("{} {}", each.course.code, each.course.name);
            let name = Localized { zh: name.clone(), en: name };
            Group { key: each.course.code.clone(), name, labs: each.labs, card_seconds: each.card_seconds, amount: each.total() }
        })
        .collect();
    groups.sort_by(|one, two| two.amount.micros.cmp(&one.amount.micros).then_with(|| one.key.cmp(&two.key)));
    groups
}

async fn burn_down(read: &mut AnyConnection, of: &CourseMonth, now: Timestamp, month: Month) -> Result<BurnDown> {
    let term = billing::budget_term(month, of.budget_from, of.budget_to);
    let (before, days) = storage::usage::course_days(read, of.course.id, Timestamp::of_campus_day(term.first)).await.or_domain()?;
    // A budget that counts from its own term on does not count usage from before.
    let before = if of.budget_from.is_some() { 0 } else { before };
    let today = now.campus_day();
    let money = |micros| Money::new(micros, of.budget.currency);
    // The same seven full days as the forecast of the month.
    let pace = billing::forecast(money(0), &days, now, now.campus_month()).map(|pace| pace.per_day);
    Ok(BurnDown {
        course: of.course.clone(),
        budget: of.budget,
        first: term.first,
        last: term.last,
        today,
        before: money(before),
        days: days.into_iter().map(|(day, micros)| (day, money(micros))).collect(),
        per_day: pace.filter(|_| today <= term.last),
    })
}

/// A month's usage by one dimension. Errors: `Forbidden`; `NotFound` for the course.
pub async fn groups(services: &Services, caller: &Caller, month: Month, course: Option<&str>, by: Dimension) -> Result<Vec<Group>> {
    let scope = scope(services, caller, Action::UsageRead, &LinesOf { month, course: course.map(Into::into), by, key: String::new() }).await?;
    let mut read = services.db.read().await.or_domain()?;
    storage::usage::groups(&mut read, &scope, by).await.or_domain()
}

/// Which lines of a month are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinesOf {
    pub month: Month,
    /// Code or id.
    pub course: Option<String>,
    pub by: Dimension,
    /// Of this part of the breakdown; empty for all.
    pub key: String,
}

/// One line for each lab and meter, in pages. Errors: `Forbidden`; `NotFound` for a course or a part that is not there.
pub async fn lines(services: &Services, caller: &Caller, of: &LinesOf, page: &PageRequest) -> Result<Page<BillLine>> {
    let rows = page.rows()?;
    let scope = scope(services, caller, Action::BillRead, of).await?;
    let after = page.cursor(cursor)?;
    let mut read = services.db.read().await.or_domain()?;
    let read = storage::usage::lines(&mut read, &scope, after, rows).await.or_domain()?;
    Ok(page.page(read, |line| write_cursor("lines", &format!("{}_{}", line.lab, line.meter))))
}

fn cursor(text: &str) -> Option<(LabId, Meter)> {
    let key: String = read_cursor("lines", text)?;
    let (lab, meter) = key.split_once('_')?;
    Some((lab.parse().ok()?, meter.parse().ok()?))
}

/// What the caller may see of it.
pub(super) async fn scope(services: &Services, caller: &Caller, action: Action, of: &LinesOf) -> Result<Scope> {
    let label = of.course.as_deref().map_or("*", short);
    let entry = || Entry::new(audit::action(action), "bill", format!("{label} {}", of.month), label);
    audit::recording(services, caller, entry, async {
        let courses = caller.actor.extent(action)?.courses();
        let mut scope = Scope { courses, ..Scope::month(caller.actor.tenant, of.month) };
        if let Some(course) = &of.course {
            scope.course = Some(find(services, caller, action, course).await?.id);
        }
        let none = |_| Error::NotFound;
        match of.by {
            _ if of.key.is_empty() => {}
            Dimension::Course => scope.course = Some(find(services, caller, action, &of.key).await?.id),
            Dimension::Offering => scope.offering = Some(of.key.parse().map_err(none)?),
            Dimension::Card => scope.card = Some(of.key.parse::<domain::gpu::Card>().map_err(|_| Error::NotFound)?.id().to_owned()),
            Dimension::Person => scope.owner = Some(of.key.parse().map_err(none)?),
        }
        Ok(scope)
    })
    .await
}

/// A lab's intervals of a month, each at one price. Errors: `NotFound`.
pub async fn lab_intervals(services: &Services, caller: &Caller, lab: LabId, month: Month) -> Result<(Lab, Vec<UsageLine>)> {
    let entry = || Entry::new(audit::action(Action::UsageRead), "lab", lab, "");
    audit::recording(services, caller, entry, async {
        let mut read = services.db.read().await.or_domain()?;
        let found = storage::labs::get(&mut read, lab).await.or_domain()?.ok_or(Error::NotFound)?;
        caller.actor.can(Action::UsageRead, &Resource::owned(found.tenant, found.course, found.owner))?;
        let lines = storage::usage::of_lab_month(&mut read, lab, month).await.or_domain()?;
        Ok((found, lines))
    })
    .await
}
