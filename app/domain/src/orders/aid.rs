//! Decision support: quota after it, who else waits, a cheaper equivalent (C3).

use serde::{Deserialize, Serialize};

use super::{LaterEnd, Order, OrderState, OrderView, class::Span};
use crate::{
    capacity::{NoRoom, Outlook},
    catalogue::{LabSpec, Offering},
    decisions::Cheaper,
    gpu::CardShare,
    ids::OrderId,
    money::Money,
    quotas::QuotaStatus,
    time::Timestamp,
};

/// The facts beside a decision (C3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhatIf {
    /// With this order's hold in it already.
    pub quota: QuotaStatus,
    pub cards_free: Option<u32>,
    /// Whether it would start now or wait, with those of its class at the same time; `None` when the cluster has not reported.
    #[serde(default)]
    pub outlook: Option<Outlook>,
    /// Orders that wait for the same kind of card.
    pub waiting_for_same_card: u32,
    /// Of more time for a lab that runs; only on the page of one order.
    #[serde(default)]
    pub later_end: Option<LaterEnd>,
    /// Of another size for a lab, while it is undecided; only on the page of one order.
    #[serde(default)]
    pub size_change: Option<SizeChange>,
}

/// The lab that is to get another size, and whether its cards are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeChange {
    /// Its size now.
    pub before: LabSpec,
    /// Price of an hour now; `None` without a price.
    pub per_hour_before: Option<Money>,
    /// Cards that it takes in addition with the approval. None for a lab that is stopped: it takes its cards when it starts.
    pub asked: u32,
    /// Of the kind as a whole.
    pub free: u32,
    /// Why it would not get them now.
    pub no_room: Option<NoRoom>,
}

/// One order in the inbox with what its decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalView {
    pub view: OrderView,
    pub what_if: WhatIf,
    /// The orders of its class that wait for the same decision, itself included; only on the page of one order.
    #[serde(default)]
    pub class: Option<ClassWaiting>,
    /// Only on the page of one order.
    pub aid: Option<Box<Aid>>,
}

/// Orders of a class that wait for the same decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassWaiting {
    pub orders: u32,
    /// Their estimate, each at the prices of its day.
    pub total: Money,
    /// In the order of time; one without a time where they are for at once.
    pub lessons: Vec<ClassLesson>,
}

impl ClassWaiting {
    /// Whole-card equivalents that run together in the lesson of this order, itself included.
    pub fn cards_beside(&self, order: &Order) -> CardShare {
        let same_time = self.lessons.iter().filter(|lesson| lesson.span.map(|span| span.from) == order.starts_at);
        order.spec.card.share().times(same_time.map(|lesson| i64::from(lesson.cards)).sum())
    }
}

/// The seats of one lesson that wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassLesson {
    /// From when the labs are up until they stop; `None` for at once.
    pub span: Option<Span>,
    pub seats: u32,
    /// Cards or slices of all seats.
    pub cards: u32,
    pub total: Money,
}

/// The support for one decision (C3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aid {
    /// The version that was ordered, for the changes; `None` when it is gone.
    pub offering: Option<Offering>,
    /// Who else waits for the same kind of card, those first who wait longest; of the tenant, [`WAITERS`] at most.
    pub waiters: Vec<Waiter>,
    /// More wait than are named.
    #[serde(default)]
    pub more_wait: bool,
    pub cheaper: Option<Cheaper>,
}

/// Most that [`Aid`] names.
pub const WAITERS: u32 = 8;

/// Another order, or the orders of a class, for the same kind of card that waits for a decision or for cards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// Of a class the first.
    pub order: OrderId,
    pub number: i64,
    pub owner: String,
    pub course: String,
    /// Cards or slices of all of them.
    pub cards: u32,
    /// 1 for an order by itself.
    pub orders: u32,
    pub state: OrderState,
    pub since: Timestamp,
}
