//! What the price page shows: the book as it is, and what a change would have meant.

use serde::{Deserialize, Serialize};

use super::{Price, PriceBook};
use crate::{
    billing::PriceEffect,
    money::Money,
    time::{Month, Timestamp},
};

/// A tenant's prices as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceList {
    pub book: PriceBook,
    pub now: Timestamp,
    /// Before this instant nothing changes any more.
    pub counted_to: Timestamp,
}

/// What changes, and what it would have meant for the last full month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricePreview {
    pub month: Month,
    /// The price that holds when the new one begins; `None` for a discount.
    pub before: Option<Price>,
    pub after: Option<Price>,
    /// By course, the meters it touches.
    pub effects: Vec<PriceEffect>,
    /// Of all courses and all meters.
    pub was: Money,
    pub would_be: Money,
}
