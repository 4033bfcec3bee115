//! What submitting a form would do: the price, the quota that is left, who decides (B2). The browser and the server compute it by the same code.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    OrderForm,
    class::{Plan, Span},
};
use crate::{
    access::Role,
    approvals::{Facts, Outcome, Ruling},
    capacity::{Outlook, Supply},
    catalogue::{LabSpec, Offering},
    courses::CourseRef,
    error::{Error, FieldErrors, Problem},
    ids::CourseId,
    money::Money,
    pricing::Estimate,
    quotas::{Amounts, QuotaStatus},
    texts,
    time::Timestamp,
};

/// What the form shows beside itself, computed by the code that decides on submit (B2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    pub spec: LabSpec,
    /// Seats and lessons.
    pub plan: Plan,
    /// Of one seat, lesson by lesson; prices are those of the day. Never empty.
    pub runs: Vec<Run>,
    /// Of one seat at the first lesson, or at once.
    pub estimate: Estimate,
    /// Of all seats at all lessons.
    pub total: Money,
    pub ruling: Ruling,
    /// The quota that all seats take at one lesson.
    pub asked: Amounts,
    /// Before the order; at the lesson that leaves least where it is too much for one.
    pub quota: QuotaStatus,
    /// When the lab of that lesson comes up; `None` for at once.
    #[serde(default)]
    pub quota_at: Option<Timestamp>,
    /// `None` when it fits; otherwise what submitting would answer.
    pub refusal: Option<Error>,
    /// Cards of the kind free now; `None` when the cluster has not reported.
    pub cards_free: Option<u32>,
    /// Whether the seats would start now or wait, by the queue as it is; `None` when the cluster has not reported.
    pub outlook: Option<Outlook>,
}

/// One seat's lab at one lesson.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When its lab comes up; `None` for at once.
    pub starts_at: Option<Timestamp>,
    pub estimate: Estimate,
}

/// All that the order page needs to compute a [`Preview`] in the browser as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderContext {
    pub offering: Offering,
    /// Courses that the caller may order for, with their quotas.
    pub courses: Vec<(CourseRef, QuotaStatus)>,
    pub book: crate::pricing::PriceBook,
    pub policy: crate::approvals::Policy,
    /// Cards of every kind with those who wait for them.
    pub supplies: Vec<Supply>,
    /// The caller's roles at the college.
    pub requester: BTreeSet<Role>,
    /// Their roles in courses where one at a department adds to those.
    pub requester_in: BTreeMap<CourseId, BTreeSet<Role>>,
    /// How many students the rosters of these courses have; none for those that are not here.
    #[serde(default)]
    pub students: BTreeMap<CourseId, u32>,
    pub now: Timestamp,
}

impl OrderContext {
    /// What submitting this form would do. The browser shows it; the server decides by the same function.
    ///
    /// Errors: [`Error::Invalid`] for the form, [`Error::PriceMissing`]. Over quota or budget is in `refusal`, so that the page can still show the price.
    pub fn preview(&self, form: &OrderForm) -> Result<Preview, Error> {
        let course = self.courses.iter().find(|(course, _)| course.code == form.course || course.id.to_string() == form.course);
        let quota = course.map(|(_, quota)| quota);
        let requester = course.and_then(|(course, _)| self.requester_in.get(&course.id)).unwrap_or(&self.requester);
        let students = course.and_then(|(course, _)| self.students.get(&course.id)).copied().unwrap_or_default();
        let (offering, book, policy, supplies) = (&self.offering, &self.book, &self.policy, &self.supplies);
        preview(&Decision { offering, quota, students, book, policy, supplies, requester, now: self.now }, form)
    }
}

/// The facts by which an order is decided.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    pub offering: &'a Offering,
    /// `None` when the form names no course that the caller may order for.
    pub quota: Option<&'a QuotaStatus>,
    /// How many students its roster has.
    pub students: u32,
    pub book: &'a crate::pricing::PriceBook,
    pub policy: &'a crate::approvals::Policy,
    /// Empty where nothing is forecast.
    pub supplies: &'a [Supply],
    pub requester: &'a BTreeSet<Role>,
    pub now: Timestamp,
}

/// Longest purpose, in characters.
pub const PURPOSE_MAX: u32 = 200;

/// The parsed content of a form.
struct Understood {
    minutes: u32,
    spec: LabSpec,
    plan: Plan,
}

fn understand(offering: &Offering, form: &OrderForm, course: Option<Problem>, students: u32, now: Timestamp) -> Result<Understood, Error> {
    let mut errors = FieldErrors::default();
    if let Some(problem) = course {
        errors.push("course", problem);
    }
    let typed = form.duration_minutes.trim();
    let minutes = if typed.is_empty() {
        errors.push("duration_minutes", Problem::Missing);
        None
    } else if let Ok(minutes) = typed.parse::<u32>() {
        errors.take(offering.check_duration(minutes))?
    } else {
        errors.push("duration_minutes", Problem::NotANumber);
        None
    };
    let spec = errors.take(offering.resolve(&form.parameters))?;
    if let Err(problem) = texts::check(&form.purpose, PURPOSE_MAX) {
        errors.push("purpose", problem);
    }
    let plan = errors.take(form.class.plan(students, now))?;
    errors.finish()?;
    match (minutes, spec, plan) {
        (Some(minutes), Some(spec), Some(plan)) => Ok(Understood { minutes, spec, plan }),
        // Unreachable: each `None` has pushed a problem.
        _ => Err(Error::Invalid(Vec::new())),
    }
}

/// What is wrong with a form for a course that the caller may order for, whatever its quota. Errors: [`Error::Invalid`].
pub fn check_form(offering: &Offering, form: &OrderForm, students: u32, now: Timestamp) -> Result<(), Error> {
    understand(offering, form, None, students, now).map(drop)
}

/// The one function that form, API and submission decide by.
pub fn preview(on: &Decision<'_>, form: &OrderForm) -> Result<Preview, Error> {
    let course = match on.quota {
        _ if form.course.trim().is_empty() => Some(Problem::Missing),
        None => Some(Problem::NoSuch),
        Some(_) => None,
    };
    let Understood { minutes, spec, plan } = understand(on.offering, form, course, on.students, on.now)?;
    // Without one the form has just been refused.
    let Some(quota) = on.quota else { return Err(Error::Invalid(Vec::new())) };
    let runs = runs(on, &spec, &plan, minutes)?;
    let estimate = runs.first().map(|run| run.estimate.clone()).ok_or(Error::Invalid(Vec::new()))?;
    let total = in_all(&runs, plan.seats).unwrap_or(estimate.total);
    let asked = Amounts::running(&spec).times(plan.seats);
    let least = least(on, quota, &runs, &asked);
    let facts = Facts { cards: asked.cards, ..Facts::of(&spec, estimate.minutes, total, &least.quota, on.requester) };
    let ruling = on.policy.decide(&facts);
    let allowed = match &ruling.outcome {
        Outcome::Refuse(reason) => Err(Error::RefusedByPolicy { rule: ruling.rule.clone(), reason: reason.clone() }),
        Outcome::Automatic | Outcome::Stages(_) => Ok(()),
    };
    let refusal = allowed.and(least.fits).and_then(|()| quota.check_budget(total, on.now)).err();
    let supply = on.supplies.iter().find(|supply| supply.card == spec.card);
    let (cards_free, outlook) = (supply.map(|supply| supply.free), supply.and_then(|supply| supply.outlook(&spec, plan.seats, on.now)));
    Ok(Preview { spec, plan, runs, estimate, total, ruling, asked, quota: least.quota, quota_at: least.at, refusal, cards_free, outlook })
}

/// What one seat costs at each lesson, at the prices of that day.
fn runs(on: &Decision<'_>, spec: &LabSpec, plan: &Plan, minutes: u32) -> Result<Vec<Run>, Error> {
    let run = |starts_at: Option<Timestamp>| {
        let at = starts_at.map_or(on.now, |at| at.max(on.now));
        Ok(Run { starts_at, estimate: on.book.estimate(spec, plan.ordered(minutes), at)? })
    };
    plan.starts().into_iter().map(run).collect()
}

/// What all seats cost at all lessons; `None` without a lesson.
fn in_all(runs: &[Run], seats: u32) -> Option<Money> {
    let one = runs.iter().map(|run| run.estimate.total).reduce(Money::plus)?;
    Some(Money::new(one.micros.saturating_mul(seats.into()), one.currency))
}

/// The course at one lesson.
struct Least {
    quota: QuotaStatus,
    at: Option<Timestamp>,
    fits: Result<(), Error>,
}

/// The first lesson at which it is too much, else the first of those that leave fewest cards to start that day.
fn least(on: &Decision<'_>, quota: &QuotaStatus, runs: &[Run], asked: &Amounts) -> Least {
    let spans: Vec<_> = runs.iter().map(|run| Span::of(run.starts_at, run.estimate.minutes, on.now)).collect();
    let mut shown: Option<(QuotaStatus, Option<Timestamp>)> = None;
    for (run, span) in runs.iter().zip(&spans) {
        let then = quota.during(*span, on.now);
        // Lessons longer than a week run into each other.
        let own = u32::try_from(spans.iter().filter(|other| other.overlaps(span)).count()).unwrap_or(u32::MAX);
        if let Err(over) = then.check_amounts(&asked.times(own.max(1))) {
            return Least { quota: then, at: run.starts_at, fits: Err(over) };
        }
        if shown.as_ref().is_none_or(|(shown, _)| then.started_today > shown.started_today) {
            shown = Some((then, run.starts_at));
        }
    }
    let (quota, at) = shown.unwrap_or_else(|| (quota.clone(), None));
    Least { quota, at, fits: Ok(()) }
}
