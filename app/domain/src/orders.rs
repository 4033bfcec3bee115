//! Orders: states, transitions and what the pages and the API show of them (B5).

pub mod again;
mod aid;
pub mod class;
mod lab_change;
mod preview;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::{
    aid::{Aid, ApprovalView, ClassLesson, ClassWaiting, SizeChange, WAITERS, Waiter, WhatIf},
    class::{ClassForm, ClassRef},
    lab_change::{ChangeTo, LabChange, LaterEnd},
    preview::{Decision, OrderContext, PURPOSE_MAX, Preview, Run, check_form, preview},
};
use crate::{
    access::Role,
    approvals::Ruling,
    capacity::WaitReason,
    catalogue::{LabSpec, Localized, ParameterInput},
    courses::{CourseKey, CourseRef},
    decisions::{Decision as Decided, Proposal},
    error::Error,
    ids::{ClassId, CourseId, LabId, OfferingId, OrderId, TenantId, UserId},
    money::Money,
    people::PersonRef,
    pricing::Estimate,
    quotas::Amounts,
    time::Timestamp,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Quota and budget are held; an approver must decide.
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

/// The request as typed: the order form and the API body. Numbers are text here, so that an error belongs to its field.
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
    /// When an undecided order is cancelled automatically and its hold released.
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
    /// People who passed a stage and may therefore not decide another one.
    pub barred: BTreeSet<UserId>,
    /// Only while the requester must agree.
    pub proposal: Option<Proposal>,
    /// When its lab starts; `None` for at once. The lab ends `minutes` later, even if it started late.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// Its seat in a class: a student, or `3/30` without names.
    #[serde(default)]
    pub seat: Option<String>,
    /// The class order that it belongs to.
    #[serde(default)]
    pub class: Option<ClassRef>,
    /// The change of an existing lab; `None` for an order that makes a lab.
    #[serde(default)]
    pub change: Option<LabChange>,
    /// Counts changes, for `Stale`.
    pub version: i64,
}

impl Order {
    /// The quota that the order takes while its lab runs. A change takes none: its lab is counted itself.
    pub fn amounts(&self) -> Amounts {
        if self.change.is_some() { Amounts::default() } else { Amounts::running(&self.spec) }
    }

    /// The estimate of its whole class order, with each lab at the price of this one's day.
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
    /// The requester may not order for the course any more: the order cannot be approved, and is cancelled soon.
    #[serde(default)]
    pub owner_left: bool,
    /// Why it still waits for cards; only in the view of one order while it is queued.
    pub wait: Option<WaitReason>,
    /// Decisions, questions and answers, the oldest first; empty in lists.
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

/// Reason in the API of an order that was cancelled because its requester left the course; pages show their own text.
pub const REQUESTER_LEFT: &str = "requester_left";

/// The reason of an order that was cancelled because the lab that it was to change is gone, as the API gives it; pages word it themselves.
pub const LAB_GONE: &str = "lab_gone";

/// Which orders are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFilter {
    pub state: Option<OrderState>,
    pub course: Option<CourseKey>,
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
