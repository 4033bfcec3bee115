//! What Lectern tells one person about. A notice carries data, never sentences: the page words it in the reader's language.
//! A new kind is a variant of [`Notice`], its [`Target`], and its words in `app/src/notifications/words.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{DecisionId, LabId, NotificationId, OrderId},
    money::Money,
    time::Timestamp,
};

/// One message. Two equal notices to the same person are one: whatever tells them apart must be in the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// An order waits for the reader's decision.
    OrderWaits { order: OrderId, number: i64, owner: String },
    /// The reader's order was decided.
    OrderDecided { order: OrderId, number: i64, verdict: Verdict },
    /// Nobody decided the order yet, and it expires at `expires_at`.
    OrderExpiresSoon { order: OrderId, number: i64, expires_at: Timestamp },
    /// The reader's order was approved with changes that cost no more.
    OrderChanged { order: OrderId, number: i64, version: i64 },
    /// The changes cost more: the reader must agree.
    OrderProposed { order: OrderId, number: i64, version: i64, cost: Money },
    /// The requester did or did not agree to the changes.
    ProposalAnswered { order: OrderId, number: i64, version: i64, agreed: bool },
    /// The approver asks the reader about their order.
    OrderAsked { order: OrderId, number: i64, decision: DecisionId },
    /// The requester answered the reader.
    OrderAnswered { order: OrderId, number: i64, decision: DecisionId },
    /// Nobody decided the reader's order in time.
    OrderExpired { order: OrderId, number: i64 },
    /// The reader's lab stops at `ends_at`, which is `minutes` away.
    LabEndsSoon { lab: LabId, name: String, ends_at: Timestamp, minutes: u32 },
    /// The reader's lab did not start or broke.
    LabFailed { lab: LabId, name: String, at: Timestamp },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Approved,
    Rejected,
}

/// Where a notice leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Order(OrderId),
    /// The order as its approver sees it.
    Approval(OrderId),
    Lab(LabId),
}

impl Notice {
    pub const fn target(&self) -> Target {
        match self {
            Self::OrderWaits { order, .. }
            | Self::OrderExpiresSoon { order, .. }
            | Self::ProposalAnswered { order, .. }
            | Self::OrderAnswered { order, .. } => Target::Approval(*order),
            Self::OrderDecided { order, .. }
            | Self::OrderChanged { order, .. }
            | Self::OrderProposed { order, .. }
            | Self::OrderAsked { order, .. }
            | Self::OrderExpired { order, .. } => Target::Order(*order),
            Self::LabEndsSoon { lab, .. } | Self::LabFailed { lab, .. } => Target::Lab(*lab),
        }
    }
}

/// A notice as it was given to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    pub id: NotificationId,
    pub notice: Notice,
    pub created_at: Timestamp,
    pub read_at: Option<Timestamp>,
}
