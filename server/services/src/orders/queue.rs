//! The queue: orders (and restarted labs) that wait for cards, first come first served per kind of card.

use domain::Result;

use crate::Services;

/// Reserves cards for as many waiting orders and labs as fit; returns how many. A big one at the head is not overtaken for ever.
pub async fn promote(_services: &Services) -> Result<u32> {
    todo!()
}
