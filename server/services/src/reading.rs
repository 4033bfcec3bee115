//! Parses texts that may take long outside the async threads, a few at a time, so that other requests are answered meanwhile.

use domain::Result;
use tokio::sync::Semaphore;

use crate::error::internal;

/// Most texts that one process parses at a time.
static SLOTS: Semaphore = Semaphore::const_new(2);

/// Runs `read` on a blocking thread when there is a free slot. Errors: those of `read`.
pub async fn apart<T: Send + 'static>(read: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let _turn = SLOTS.acquire().await.map_err(|error| internal(&error))?;
    tokio::task::spawn_blocking(read).await.map_err(|error| internal(&error)).and_then(std::convert::identity)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use domain::Error;

    use super::*;

    #[tokio::test]
    async fn what_takes_long_holds_nobody_else_up() {
        let (go_on, waits) = mpsc::channel::<()>();
        // On the only async thread of this test it would block for ever.
        let long = tokio::spawn(apart(move || waits.recv().map_err(|_| Error::NotFound)));
        tokio::task::yield_now().await;
        go_on.send(()).expect("it waits");
        assert_eq!(long.await.expect("ended"), Ok(()));
    }
}
