//! Texts whose reading may take long are read off the async threads, a few at a time, so that everybody else is answered meanwhile.

use domain::Result;
use tokio::sync::Semaphore;

use crate::error::internal;

/// Texts that are read at once in one process.
static SLOTS: Semaphore = Semaphore::const_new(2);

/// Runs `read` on a thread of its own when its turn has come. Errors: those of `read`.
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
        // On the one async thread of this test it would wait for ever.
        let long = tokio::spawn(apart(move || waits.recv().map_err(|_| Error::NotFound)));
        tokio::task::yield_now().await;
        go_on.send(()).expect("it waits");
        assert_eq!(long.await.expect("ended"), Ok(()));
    }
}
