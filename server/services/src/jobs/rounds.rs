//! A job as a loop of rounds that nothing ends: an error or a panic is logged, once for as long as it stays the same.

use std::{panic::AssertUnwindSafe, time::Duration};

use domain::{Error, Result};
use futures::FutureExt;

use crate::Services;

/// Shortest pause after a round that failed.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);

/// Does a round, waits `period`, and so on for ever.
pub(crate) async fn every<F>(name: &'static str, period: Duration, services: Services, round: impl Fn(Services) -> F + Send)
where
    F: Future<Output = Result<()>> + Send,
{
    every_growing(name, period, AFTER_TROUBLE, services, round).await;
}

/// The same, with pauses that double with each failed round, up to `longest`.
pub(super) async fn every_growing<F>(
    name: &'static str,
    period: Duration,
    longest: Duration,
    services: Services,
    round: impl Fn(Services) -> F + Send,
) where
    F: Future<Output = Result<()>> + Send,
{
    let mut trouble = Trouble::new(name);
    let mut failed = 0_u32;
    loop {
        let done = guarded(round(services.clone())).await;
        trouble.note(done.as_ref().err());
        failed = if done.is_ok() { 0 } else { failed.saturating_add(1) };
        tokio::time::sleep(pause(period, longest, failed)).await;
    }
}

/// `failed`: rounds in a row that failed.
fn pause(period: Duration, longest: Duration, failed: u32) -> Duration {
    let Some(doubled) = failed.checked_sub(1) else { return period };
    AFTER_TROUBLE.saturating_mul(2_u32.saturating_pow(doubled)).min(longest).max(period)
}

/// The round's result; a panic in it becomes an error.
pub(super) async fn guarded(round: impl Future<Output = Result<()>>) -> Result<(), String> {
    match AssertUnwindSafe(round).catch_unwind().await {
        Ok(Ok(())) => Ok(()),
        // Logged with its cause under its reference where it was met; the reference would make each the first of its kind here.
        Ok(Err(Error::Internal { .. })) => Err("internal error".into()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
            Err(format!("panicked: {}", text.unwrap_or_default()))
        }
    }
}

/// Remembers what was logged last, so that a fault that lasts does not fill the log.
pub(super) struct Trouble {
    job: &'static str,
    last: Option<String>,
}

impl Trouble {
    pub(super) const fn new(job: &'static str) -> Self {
        Self { job, last: None }
    }
    pub(super) fn note(&mut self, error: Option<&String>) {
        match (error, &self.last) {
            (Some(error), last) if last.as_ref() != Some(error) => {
                tracing::error!(job.name = self.job, "background job: {error}");
                self.last = Some(error.clone());
            }
            (None, Some(_)) => {
                tracing::info!(job.name = self.job, "background job works again");
                self.last = None;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_while_rounds_fail() {
        let seconds =
            |period, longest| [0, 1, 2, 3, 99].map(|failed| pause(Duration::from_secs(period), Duration::from_secs(longest), failed).as_secs());
        assert_eq!(seconds(1, 60), [1, 5, 10, 20, 60]);
        assert_eq!(seconds(1, 5), [1, 5, 5, 5, 5]);
        assert_eq!(seconds(600, 5), [600; 5]);
    }
}
