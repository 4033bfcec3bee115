//! What becomes of jumps of the machine's clock that it was followed in: the time that was skipped is nobody's usage.

use domain::Result;

use crate::{Services, error::OrDomain, jobs::lease};

/// Keeps the jump that the clock has made, if it is one ahead that is believed by now.
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
