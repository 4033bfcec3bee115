//! One replica at a time: a lease row with a fencing token. Jobs begin their transactions by [`begin_write`], which fails
//! for a replica that lost the lease without noticing, so that two never write side by side.

use std::time::{Duration, Instant};

use domain::{Error, Result};
use storage::{Write, leases};
use tokio::task::JoinSet;

use super::rounds::Trouble;
use crate::{Services, error::OrDomain};

/// The one lease of the background jobs.
pub const NAME: &str = "jobs";
/// How long a holder that fell silent keeps the others waiting.
pub const LIFE_SECONDS: i64 = 6;
const LIFE: Duration = Duration::from_secs(6);
const RENEWAL: Duration = Duration::from_secs(2);
const RETRY: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// The token under which this task works; not set in tests that call single steps, which need no lease.
    static TOKEN: i64;
}

/// Takes or renews the lease: its fencing token, or `None` while another holder has it.
pub async fn take(services: &Services, holder: &str) -> Result<Option<i64>> {
    let now = services.clock.now();
    let mut write = services.db.begin_write().await.or_domain()?;
    let token = leases::take(&mut write, NAME, holder, now, now.plus_seconds(LIFE_SECONDS)).await.or_domain()?;
    write.commit().await.or_domain()?;
    Ok(token)
}

/// Gives the lease up, so that another replica need not wait for its end.
pub async fn release(services: &Services, token: i64) -> Result<()> {
    let mut write = services.db.begin_write().await.or_domain()?;
    leases::release(&mut write, NAME, token).await.or_domain()?;
    write.commit().await.or_domain()
}

/// Runs `work` as the holder of this token.
pub async fn under<T>(token: i64, work: impl Future<Output = T>) -> T {
    TOKEN.scope(token, work).await
}

/// A write transaction of a job. Errors: `Unavailable` for a task whose lease another replica has taken over; nothing is written then.
#[track_caller]
pub(crate) fn begin_write(services: &Services) -> impl Future<Output = Result<Write>> + Send {
    let begun = services.db.begin_write_behind();
    async move {
        let mut write = begun.await.or_domain()?;
        if let Ok(token) = TOKEN.try_with(|token| *token)
            && !leases::is_newest(&mut write, NAME, token).await.or_domain()?
        {
            return Err(Error::Unavailable { retry_after_seconds: 1 });
        }
        Ok(write)
    }
}

/// Spawns a task that works under the lease of this one.
pub(super) fn spawn<T: Send + 'static>(tasks: &mut JoinSet<T>, work: impl Future<Output = T> + Send + 'static) {
    match TOKEN.try_with(|token| *token) {
        Ok(token) => tasks.spawn(TOKEN.scope(token, work)),
        Err(_) => tasks.spawn(work),
    };
}

/// Waits for the lease, runs `work` while it is held, drops it when it is lost, and waits again; for ever.
pub(super) async fn whenever_held<F>(services: &Services, holder: &str, work: impl Fn() -> F)
where
    F: Future<Output = ()>,
{
    let mut trouble = Trouble::new("lease");
    loop {
        match take(services, holder).await {
            Ok(Some(token)) => {
                trouble.note(None);
                tracing::info!(lease.token = token, "this replica does the background work");
                // Dropped with this future too: then the next holder need not wait.
                let _given_up = GivesUp { services, token };
                tokio::select! {
                    () = under(token, work()) => {}
                    () = until_lost(services, holder, token) => tracing::warn!(lease.token = token, "another replica took the background work over"),
                }
            }
            Ok(None) => trouble.note(None),
            Err(error) => trouble.note(Some(&error.to_string())),
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Renews the lease until that fails for as long as it lives.
async fn until_lost(services: &Services, holder: &str, token: i64) {
    let mut good_until = Instant::now() + LIFE;
    loop {
        tokio::time::sleep(RENEWAL).await;
        let asked = Instant::now();
        match take(services, holder).await {
            Ok(Some(same)) if same == token => good_until = asked + LIFE,
            Ok(_) => return,
            // The database is away: nobody else can take the lease either, and fencing guards what is written.
            Err(_) if Instant::now() < good_until => {}
            Err(_) => return,
        }
    }
}

struct GivesUp<'s> {
    services: &'s Services,
    token: i64,
}

impl Drop for GivesUp<'_> {
    fn drop(&mut self) {
        // Best effort: at the end of the process the runtime may be gone before this runs, and then the lease ends by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (services, token) = (self.services.clone(), self.token);
            runtime.spawn(async move {
                let _ = release(&services, token).await;
            });
        }
    }
}
