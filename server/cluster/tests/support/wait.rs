//! Waiting for what a cluster does in its own time.

use std::{fmt::Debug, future::Future, time::Duration};

use tokio::time::Instant;

/// Two cores that run a whole control plane and the tests: nothing here takes as long unless it never comes.
const PATIENCE: Duration = Duration::from_mins(2);

/// Asks again until the answer is good and gives it; panics with the last answer when it never is.
pub async fn until<T: Debug, F: Future<Output = T>>(what: &str, mut ask: impl FnMut() -> F, good: impl Fn(&T) -> bool) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = ask().await;
        if good(&answer) {
            return answer;
        }
        assert!(Instant::now() < end, "{what}: not within {} s, last {answer:#?}", PATIENCE.as_secs());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
