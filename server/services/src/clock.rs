//! Stores jumps of the machine's clock that Lectern has followed: the skipped time is not charged.

use domain::Result;

use crate::{Services, error::OrDomain, jobs::lease};

/// Stores the clock's jump if it was ahead and is followed by now.
pub(crate) async fn note_jump(services: &Services) -> Result<()> {
    let Some((from, to)) = services.clock.jump().and_then(|jump| jump.skipped()) else { return Ok(()) };
    let mut write = lease::begin_write(services).await?;
    if storage::clock_jumps::add(&mut write, from, to).await.or_domain()? {
        write.commit().await.or_domain()?;
        let seconds = to.seconds_since(from);
        tracing::warn!(clock.seconds = seconds, "the clock was moved ahead; the time that was skipped is charged to nobody");
    }
    Ok(())
}
