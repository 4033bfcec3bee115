//! Orders: states, transitions and what the pages and the API show of them (B5).

pub mod again;
pub mod class;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::class::{ClassForm, ClassRef};
use self::class::{Plan, Span};
use crate::{
    access::Role,
    approvals::{Facts, Outcome, Ruling},
    capacity::WaitReason,
    catalogue::{LabSpec, Localized, Offering, ParameterInput},
    courses::CourseRef,
    decisions::{Cheaper, Decision as Decided, Proposal},
    error::Error,
    ids::{ClassId, CourseId, LabId, OfferingId, OrderId, TenantId, UserId},
    money::Money,
    people::PersonRef,
    pricing::Estimate,
    quotas::{Amounts, QuotaStatus},
    time::Timestamp,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Quota and budget are held; somebody must decide.
    PendingApproval,
    /// An approver changed it so that it costs more: the requester must agree. The hold is as before.
    AwaitingRequester,
    /// Cards are reserved; the lab is on its way.
    Approved,
    /// Approved, waiting for cards.
    Queued,
    Rejected,
    Cancelled,
    /// The lab has run.
    Fulfilled,
    /// The lab did not start.
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderEvent {
    /// A stage is passed and another one waits.
    Pass,
    /// The approver proposes changes that cost more.
    Propose,
    /// The requester declined, or agreed and another stage waits.
    Resume,
    /// Approved (by policy or a person) and cards were reserved.
    Approve,
    /// Approved, no cards free.
    Queue,
    /// Cards became free.
    Promote,
    Reject,
    Cancel,
    Fulfil,
    Fail,
}

impl OrderState {
    pub const ALL: [Self; 8] = [
        Self::PendingApproval,
        Self::AwaitingRequester,
        Self::Approved,
        Self::Queued,
        Self::Rejected,
        Self::Cancelled,
        Self::Fulfilled,
        Self::Failed,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingApproval => "pending_approval",
            Self::AwaitingRequester => "awaiting_requester",
            Self::Approved => "approved",
            Self::Queued => "queued",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Fulfilled => "fulfilled",
            Self::Failed => "failed",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// The state after `event`. Errors: [`Error::InvalidTransition`].
    pub fn after(self, event: OrderEvent) -> Result<Self, Error> {
        use OrderEvent as E;
        Ok(match (self, event) {
            (Self::PendingApproval | Self::AwaitingRequester, E::Approve) | (Self::Queued, E::Promote) => Self::Approved,
            (Self::PendingApproval | Self::AwaitingRequester, E::Queue) => Self::Queued,
            (Self::PendingApproval, E::Pass) | (Self::AwaitingRequester, E::Resume) => Self::PendingApproval,
            (Self::PendingApproval, E::Propose) => Self::AwaitingRequester,
            (Self::PendingApproval, E::Reject) => Self::Rejected,
            (Self::PendingApproval | Self::AwaitingRequester | Self::Queued | Self::Approved, E::Cancel) => Self::Cancelled,
            // A lab that failed may come up on a retry.
            (Self::Approved | Self::Failed, E::Fulfil) => Self::Fulfilled,
            (Self::Approved | Self::Queued, E::Fail) => Self::Failed,
            _ => return Err(Error::InvalidTransition { state: self.as_str().into(), event: event.as_str().into() }),
        })
    }

    /// Holds quota and budget by itself, there being no lab yet.
    pub const fn waits(self) -> bool {
        matches!(self, Self::PendingApproval | Self::AwaitingRequester | Self::Queued)
    }
}

impl OrderEvent {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Propose => "propose",
            Self::Resume => "resume",
            Self::Approve => "approve",
            Self::Queue => "queue",
            Self::Promote => "promote",
            Self::Reject => "reject",
            Self::Cancel => "cancel",
            Self::Fulfil => "fulfil",
            Self::Fail => "fail",
        }
    }
}

/// What is asked for, as typed: the order form and the API body. Numbers are text here, so that an error belongs to its field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderForm {
    /// Slug or id.
    pub offering: String,
    /// Code or id of the course.
    pub course: String,
    #[serde(default)]
    pub parameters: ParameterInput,
    pub duration_minutes: String,
    /// The lesson or purpose, up to 200 characters; may be empty.
    #[serde(default)]
    pub purpose: String,
    /// Seats and lessons; empty for one lab at once.
    #[serde(default, flatten)]
    pub class: ClassForm,
}

/// An order as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub id: OrderId,
    /// For people: `#2047`. Counted from 1001 per installation.
    pub number: i64,
    pub tenant: TenantId,
    pub course: CourseId,
    pub owner: UserId,
    pub offering: OfferingId,
    pub offering_version: u32,
    pub offering_name: Localized,
    pub parameters: ParameterInput,
    pub spec: LabSpec,
    pub minutes: u32,
    pub purpose: String,
    pub state: OrderState,
    pub ruling: Ruling,
    pub estimate: Estimate,
    pub submitted_at: Timestamp,
    /// When an undecided order is cancelled by itself and its hold released.
    pub expires_at: Timestamp,
    pub decided_at: Option<Timestamp>,
    /// `None` when the policy decided.
    pub decided_by: Option<UserId>,
    /// Of a rejection or a failure, as somebody wrote it.
    pub reason: Option<String>,
    /// Since when it waits for cards.
    pub queued_at: Option<Timestamp>,
    /// How many stages of the ruling are passed.
    pub stage: u32,
    /// Who passed a stage and may therefore not decide another one.
    pub barred: BTreeSet<UserId>,
    /// Only while the requester must agree.
    pub proposal: Option<Proposal>,
    /// When its lab comes up; `None` for at once. It ends `minutes` later, whenever it came up.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// Whose it is in a class: a student, or `3/30` without names.
    #[serde(default)]
    pub seat: Option<String>,
    /// What it was made together with.
    #[serde(default)]
    pub class: Option<ClassRef>,
    /// Counts changes, for `Stale`.
    pub version: i64,
}

impl Order {
    /// What the order takes while its lab runs.
    pub fn amounts(&self) -> Amounts {
        Amounts::running(&self.spec)
    }

    /// What it is estimated at together with those that were made with it, each at the price of this one's day.
    pub fn in_all(&self) -> Money {
        let Money { micros, currency } = self.estimate.total;
        Money::new(micros.saturating_mul(self.class.map_or(1, ClassRef::orders).into()), currency)
    }

    /// The role whose decision it waits for now.
    pub fn awaits(&self) -> Option<Role> {
        self.decider().filter(|_| self.state == OrderState::PendingApproval)
    }

    /// The role of the stage that is open, also while the requester must agree to changes of it.
    pub fn decider(&self) -> Option<Role> {
        let stage = self.ruling.outcome.stages().get(self.stage as usize).copied();
        // A ruling without stages is automatic: what waits nevertheless waits for a manager.
        matches!(self.state, OrderState::PendingApproval | OrderState::AwaitingRequester).then(|| stage.unwrap_or(Role::Manager))
    }

    /// Whether the stage that waits is the last one.
    pub fn is_last_stage(&self) -> bool {
        self.stage as usize + 1 >= self.ruling.outcome.stages().len()
    }
}

/// An order as its readers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "one for each thing that the reader may do, independent of each other")]
pub struct OrderView {
    pub order: Order,
    pub owner: PersonRef,
    pub course: CourseRef,
    pub decided_by: Option<PersonRef>,
    pub labs: Vec<LabId>,
    /// 1 is next; only while queued.
    pub queue_position: Option<u32>,
    /// Why it still waits for cards; only in the view of one order while it is queued.
    pub wait: Option<WaitReason>,
    /// What was decided, asked and answered, the oldest first; empty in lists.
    pub steps: Vec<Decided>,
    /// What the reader may do now.
    pub may_cancel: bool,
    pub may_decide: bool,
    /// Answer, and accept or decline changes: the requester, while it waits.
    pub may_reply: bool,
    /// Take back the changes that the requester was asked about.
    #[serde(default)]
    pub may_withdraw: bool,
}

/// The reason of an order that expired, as the API gives it; pages word it themselves.
pub const EXPIRED: &str = "expired";

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
    /// What all seats take at one lesson.
    pub asked: Amounts,
    /// Before the order; at the lesson that leaves least where it is too much for one.
    pub quota: QuotaStatus,
    /// `None` when it fits; otherwise what submitting would answer.
    pub refusal: Option<Error>,
    /// Cards of the kind free now; `None` when the cluster has not reported.
    pub cards_free: Option<u32>,
    /// Most of them on one node.
    pub largest_free_node: Option<u32>,
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
    pub pools: Vec<crate::capacity::Pool>,
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
        let (offering, book, policy, pools) = (&self.offering, &self.book, &self.policy, &self.pools);
        preview(&Decision { offering, quota, students, book, policy, pools, requester, now: self.now }, form)
    }
}

/// What the decision on an order rests on.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    pub offering: &'a Offering,
    /// `None` when the form names no course that the caller may order for.
    pub quota: Option<&'a QuotaStatus>,
    /// How many students its roster has.
    pub students: u32,
    pub book: &'a crate::pricing::PriceBook,
    pub policy: &'a crate::approvals::Policy,
    pub pools: &'a [crate::capacity::Pool],
    pub requester: &'a BTreeSet<Role>,
    pub now: Timestamp,
}

/// Longest purpose, in characters.
pub const PURPOSE_MAX: u32 = 200;

/// The one function that form, API and submission decide by.
pub fn preview(on: &Decision<'_>, form: &OrderForm) -> Result<Preview, Error> {
    use crate::error::{FieldErrors, Problem};
    let mut errors = FieldErrors::default();
    if form.course.trim().is_empty() {
        errors.push("course", Problem::Missing);
    } else if on.quota.is_none() {
        errors.push("course", Problem::NoSuch);
    }
    let typed = form.duration_minutes.trim();
    let minutes = if typed.is_empty() {
        errors.push("duration_minutes", Problem::Missing);
        None
    } else if let Ok(minutes) = typed.parse::<u32>() {
        errors.take(on.offering.check_duration(minutes))?
    } else {
        errors.push("duration_minutes", Problem::NotANumber);
        None
    };
    let spec = errors.take(on.offering.resolve(&form.parameters))?;
    if form.purpose.chars().count() > PURPOSE_MAX as usize {
        errors.push("purpose", Problem::TooLong { max: PURPOSE_MAX });
    }
    let plan = errors.take(form.class.plan(on.students, on.now))?;
    errors.finish()?;
    let (Some(quota), Some(minutes), Some(spec), Some(plan)) = (on.quota, minutes, spec, plan) else {
        // Unreachable: each `None` has pushed a problem.
        return Err(Error::Invalid(Vec::new()));
    };
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
    let pool = on.pools.iter().find(|pool| pool.card == spec.card);
    let (cards_free, largest_free_node) = (pool.map(crate::capacity::Pool::free), pool.map(|pool| pool.largest_node));
    Ok(Preview { spec, plan, runs, estimate, total, ruling, asked, quota: least.quota, refusal, cards_free, largest_free_node })
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
    fits: Result<(), Error>,
}

/// The first lesson at which it is too much, else the first of those that leave fewest cards to start that day.
fn least(on: &Decision<'_>, quota: &QuotaStatus, runs: &[Run], asked: &Amounts) -> Least {
    let spans: Vec<_> = runs.iter().map(|run| Span::of(run.starts_at, run.estimate.minutes, on.now)).collect();
    let mut shown: Option<QuotaStatus> = None;
    for span in &spans {
        let then = quota.during(*span, on.now);
        // Lessons longer than a week run into each other.
        let own = u32::try_from(spans.iter().filter(|other| other.overlaps(span)).count()).unwrap_or(u32::MAX);
        if let Err(over) = then.check_amounts(&asked.times(own.max(1))) {
            return Least { quota: then, fits: Err(over) };
        }
        if shown.as_ref().is_none_or(|shown| then.started_today > shown.started_today) {
            shown = Some(then);
        }
    }
    Least { quota: shown.unwrap_or_else(|| quota.clone()), fits: Ok(()) }
}

/// The facts beside a decision (C3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhatIf {
    /// With this order's hold in it already.
    pub quota: QuotaStatus,
    pub cards_free: Option<u32>,
    /// Most of them on one node.
    pub largest_free_node: Option<u32>,
    /// Orders that wait for the same kind of card.
    pub waiting_for_same_card: u32,
}

/// One order in the inbox with what its decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalView {
    pub view: OrderView,
    pub what_if: WhatIf,
    /// Only on the page of one order.
    pub aid: Option<Box<Aid>>,
}

/// What helps with one decision (C3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aid {
    /// The version that was ordered, for the changes; `None` when it is gone.
    pub offering: Option<Offering>,
    /// Who else waits for the same kind of card, those first who wait longest; of the tenant, [`WAITERS`] at most.
    pub waiters: Vec<Waiter>,
    /// When enough cards become free by the planned ends of the labs that have them; `None` when they are free now or no end is planned.
    pub free_at: Option<Timestamp>,
    pub cheaper: Option<Cheaper>,
}

/// Most that [`Aid`] names.
pub const WAITERS: u32 = 8;

/// Somebody who waits for the same kind of card: for a decision or for cards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    pub order: OrderId,
    pub number: i64,
    pub owner: String,
    pub course: String,
    pub cards: u32,
    pub state: OrderState,
    pub since: Timestamp,
}

/// Which orders are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFilter {
    pub state: Option<OrderState>,
    pub course: Option<CourseId>,
    /// Only the caller's own.
    pub mine: bool,
    /// Made together.
    pub class: Option<ClassId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transition_table_allows_these_and_nothing_else() {
        const EVENTS: [OrderEvent; 10] = [
            OrderEvent::Pass,
            OrderEvent::Propose,
            OrderEvent::Resume,
            OrderEvent::Approve,
            OrderEvent::Queue,
            OrderEvent::Promote,
            OrderEvent::Reject,
            OrderEvent::Cancel,
            OrderEvent::Fulfil,
            OrderEvent::Fail,
        ];
        let mut table = Vec::new();
        for state in OrderState::ALL {
            for event in EVENTS {
                if let Ok(next) = state.after(event) {
                    table.push(format!("{} --{}--> {}", state.as_str(), event.as_str(), next.as_str()));
                }
            }
        }
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn state_names_read_back() {
        for state in OrderState::ALL {
            assert_eq!(OrderState::parse(state.as_str()), Some(state));
        }
    }
}
