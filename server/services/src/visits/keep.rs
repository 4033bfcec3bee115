//! The work beside the server, on every replica: passes are looked at every two seconds and at once when something changed here, counters
//! are written every 15 seconds, what is left over is swept every hour.

use std::time::Duration;

use domain::{Result, time::Timestamp};

use super::{
    check::check,
    close::end_abandoned,
    live::Times,
    write::{Counters, write},
};
use crate::{
    Services,
    error::OrDomain,
    hub::{Heard, News},
    jobs::rounds,
};

/// Time between two looks at all passes.
const PERIOD: Duration = Duration::from_secs(2);
const COUNTERS_SECONDS: i64 = 15;
const SWEEP_SECONDS: i64 = 3_600;
/// Seconds that a ticket which was not used is kept.
const UNUSED_TICKET_SECONDS: i64 = 24 * 3_600;
/// Changes that come together are looked at together.
const TOGETHER: Duration = Duration::from_millis(20);

/// Runs for ever.
pub async fn keep(services: Services) {
    let work = |services: Services| async move { round(&services).await };
    tokio::join!(rounds::every("visits", PERIOD, services.clone(), work), follow(&services));
}

/// Looks at the passes when this process changed a right, a session or a lab that they depend on; other replicas' changes are found by
/// the next round.
async fn follow(services: &Services) {
    let mut news = services.hub.listen(Duration::ZERO, |news| matches!(news, News::Access(_) | News::Lab(..)));
    while let Some(heard) = news.next().await {
        let concerns = match heard {
            Heard::News(News::Access(user)) => services.visits.has_person(user),
            Heard::News(News::Lab(_, lab)) => services.visits.has_lab(lab),
            Heard::News(_) => false,
            Heard::TooMuch => true,
        };
        if concerns {
            tokio::time::sleep(TOGETHER).await;
            news.skip();
            // The next round looks again, and logs what is wrong.
            let _ = check(services).await;
        }
    }
}

/// One round, by the services' clock: what is due is done. Errors: `Unavailable` while the database is away; nothing is lost then.
pub async fn round(services: &Services) -> Result<()> {
    check(services).await?;
    let now = services.clock.now();
    let Times { counters, sweep } = services.visits.times();
    let counters_due = is_due(counters, now, COUNTERS_SECONDS);
    write(services, if counters_due { Counters::All } else { Counters::Changed }).await?;
    services.visits.tidy(now);
    services.visits.uses.tidy(now);
    if counters_due {
        end_abandoned(services).await?;
        services.visits.set_times(Times { counters: Some(now), sweep });
    }
    if is_due(sweep, now, SWEEP_SECONDS) {
        let mut write = services.db.begin_write_behind().await.or_domain()?;
        storage::visits::sweep(&mut write, now.plus_seconds(-UNUSED_TICKET_SECONDS), now).await.or_domain()?;
        write.commit().await.or_domain()?;
        let counters = services.visits.times().counters;
        services.visits.set_times(Times { counters, sweep: Some(now) });
    }
    Ok(())
}

/// Also when the clock went back.
fn is_due(last: Option<Timestamp>, now: Timestamp, seconds: i64) -> bool {
    last.is_none_or(|last| !(0..seconds).contains(&now.seconds_since(last)))
}
