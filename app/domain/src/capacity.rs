//! Cards that exist, and who holds them (C4). Quota is what a course may use; capacity is what there is.

use serde::{Deserialize, Serialize};

use crate::gpu::Card;

/// Cards of one kind over the whole cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    pub card: Card,
    /// Allocatable on nodes that are ready and not cordoned.
    pub total: u32,
    /// Held by labs.
    pub reserved: u32,
    /// Most cards of this kind on one node that no lab holds.
    pub largest_node: u32,
}

impl Pool {
    pub const fn free(&self) -> u32 {
        self.total.saturating_sub(self.reserved)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Reserve now.
    Fits,
    /// Wait for cards.
    Queue,
}

/// Whether `cards` of one kind are free. An empty cluster queues: the answer to "no cards" is a place in the queue, not a refusal.
pub fn place(pool: Option<&Pool>, cards: u32) -> Placement {
    match pool {
        Some(pool) if pool.free() >= cards => Placement::Fits,
        _ if cards == 0 => Placement::Fits,
        _ => Placement::Queue,
    }
}
