//! Stores jumps of the machine's clock. The time that a followed jump skipped is not charged. A jump ahead that is not followed yet is
//! stored too, so that a restart does not follow it at once.

use domain::{Result, steady_clock::ClockJump};
use storage::{Database, clock_jumps, settings};

use crate::{Services, error::OrDomain, jobs::lease};

/// The setting that holds the jump ahead that is not followed yet.
const PENDING: &str = "clock.pending_jump";

/// The jump ahead that the portal had not followed when it was last asked; for the clock of a process that starts.
pub async fn pending_jump(database: &Database) -> Result<Option<ClockJump>> {
    let mut read = database.read().await.or_domain()?;
    Ok(settings::get::<ClockJump>(&mut read, PENDING).await.or_domain()?.map(|(jump, _)| jump))
}

/// Stores the clock's jump if it was ahead: as pending, or as skipped once it is followed. Writes only if that is new.
pub(crate) async fn note_jump(services: &Services) -> Result<()> {
    let jump = services.clock.jump();
    let pending = jump.filter(|jump| !jump.believed && jump.seconds > 0);
    let skipped = jump.and_then(|jump| jump.skipped());
    let is_stored = match skipped {
        Some(period) => {
            let mut read = services.db.read().await.or_domain()?;
            clock_jumps::all(&mut read).await.or_domain()?.contains(&period)
        }
        None => true,
    };
    if is_stored && pending_jump(&services.db).await? == pending {
        return Ok(());
    }
    let mut write = lease::begin_write(services).await?;
    match &pending {
        Some(jump) => _ = settings::set(&mut write, PENDING, jump).await.or_domain()?,
        None => settings::delete(&mut write, PENDING).await.or_domain()?,
    }
    let mut is_new = false;
    if let Some((from, to)) = skipped {
        is_new = clock_jumps::add(&mut write, from, to).await.or_domain()?;
    }
    write.commit().await.or_domain()?;
    if let Some((from, to)) = skipped.filter(|_| is_new) {
        let seconds = to.seconds_since(from);
        tracing::warn!(clock.seconds = seconds, "the clock was moved ahead; the time that was skipped is charged to nobody");
    }
    Ok(())
}
