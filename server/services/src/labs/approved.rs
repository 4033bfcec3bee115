//! More time or another size that somebody had to approve: given to the lab in the transaction of the last approval.

use domain::{
    Result,
    money::Money,
    orders::{ChangeTo, LabChange},
};
use storage::Write;

use super::{basis, extend, resize};
use crate::Services;

/// Comes after the course's lock. `cost`: what the order holds for it, which from here on the lab's own order holds.
///
/// Errors: `InvalidTransition` when the lab is gone or on its way; for a size those of [`super::resize()`].
pub(crate) async fn apply(services: &Services, write: &mut Write, change: &LabChange, cost: Money) -> Result<()> {
    let listed = basis::listed(write, change.lab).await?;
    match &change.to {
        ChangeTo::Extend { minutes, until, seen } => {
            let given = seen.map_or(0, |seen| listed.lab.minutes.saturating_sub(seen));
            let asked = extend::Asked { minutes: *minutes, until: *until, given };
            extend::apply(services, write, listed, asked, cost).await
        }
        ChangeTo::Resize { parameters, seen } => resize::apply(services, write, listed, parameters, seen, cost).await,
    }
}
