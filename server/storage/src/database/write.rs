//! How transactions begin and end. SQLite has one writer at a time, so writers queue here in order instead of polling its lock.

use std::{
    ops::{Deref, DerefMut},
    panic::Location,
    sync::Arc,
    time::Duration,
};

use sqlx::{Any, AnyConnection};
use tokio::sync::{OwnedSemaphorePermit, watch};

#[cfg(any(test, feature = "testing"))]
use super::killed;
use super::{ACQUIRE_TIMEOUT, Database, Engine};
use crate::{
    error::{Error, Result},
    read_only,
};

/// Longest that a job lets people go first.
const JOBS_YIELD: Duration = Duration::from_millis(100);

impl Database {
    /// A write transaction; it is rolled back unless [`Write::commit`] is called. Keep it short: on SQLite others wait for it.
    // No `async fn`: those do not know their caller.
    #[track_caller]
    pub fn begin_write(&self) -> impl Future<Output = Result<Write>> + Send {
        self.begin(Location::caller(), Whose::Person)
    }

    /// The same for a queue that one task serves, one transaction after the other: on PostgreSQL always on the same connection, which
    /// knows its statements.
    #[track_caller]
    pub fn begin_write_in_line(&self) -> impl Future<Output = Result<Write>> + Send {
        self.begin(Location::caller(), Whose::Line)
    }

    /// The same for work in the background, which lets people go first: it begins when nobody waits for an answer, or after a moment
    /// all the same, so that it comes forward however busy the day. Only one job (four on PostgreSQL) is in line at a time.
    #[track_caller]
    pub fn begin_write_behind(&self) -> impl Future<Output = Result<Write>> + Send {
        self.begin(Location::caller(), Whose::Job)
    }

    #[cfg_attr(not(any(test, feature = "testing")), expect(unused_variables, reason = "only tests stop a transaction by its place"))]
    async fn begin(&self, place: &'static Location<'static>, whose: Whose) -> Result<Write> {
        #[cfg(any(test, feature = "testing"))]
        if self.fuse.dead() {
            return Err(killed());
        }
        let closed = |_| Error::Away(sqlx::Error::PoolClosed);
        let turn = if matches!(whose, Whose::Job) {
            let job = Arc::clone(&self.jobs).acquire_owned().await.map_err(closed)?;
            // The sender is here: only the time can run out.
            let _ = tokio::time::timeout(JOBS_YIELD, self.people.subscribe().wait_for(|people| *people == 0)).await;
            Turn::Job(job)
        } else {
            self.people.send_modify(|people| *people += 1);
            Turn::Person(Arc::clone(&self.people))
        };
        let permit = tokio::time::timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.writers).acquire_owned())
            .await
            .map_err(|_| Error::Away(sqlx::Error::PoolTimedOut))?
            .map_err(closed)?;
        let begin = match self.engine {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN",
        };
        let transaction = match (self.engine, whose) {
            (Engine::Postgres, Whose::Line) => match self.line.begin_with(begin).await {
                // The one connection hangs: any other will do.
                Err(sqlx::Error::PoolTimedOut) => self.writing.begin_with(begin).await?,
                done => done?,
            },
            _ => self.begin_writable(begin).await?,
        };
        Ok(Write {
            transaction,
            engine: self.engine,
            _permit: permit,
            _turn: turn,
            #[cfg(any(test, feature = "testing"))]
            step: (self.fuse.clone(), crate::testing::fuse::Step::of(place)),
        })
    }

    /// SQLite opens a file that cannot be written for reading only, and the connection stays so after the file is writable again. Such
    /// connections are closed, also those for reading, with which the new one would share its memory file.
    async fn begin_writable(&self, begin: &'static str) -> Result<sqlx::Transaction<'static, Any>> {
        if self.engine == Engine::Sqlite && self.refusals.is_due() {
            tracing::warn!("the database could be read only: its connections are opened anew");
            self.close_resting().await;
        }
        match self.writing.begin_with(begin).await {
            Err(error) if self.engine == Engine::Sqlite && read_only::is_refusal(&error) => {
                // The only one for writing, which is on its way back. It is gone, whether or not it said goodbye.
                let _ = self.writing.acquire().await?.close().await;
                self.close_resting().await;
                Ok(self.writing.begin_with(begin).await?)
            }
            done => Ok(done?),
        }
    }

    /// Closes the connections that nobody uses at the moment.
    async fn close_resting(&self) {
        for pool in [&self.writing, &self.pool] {
            // All of them are taken first: one that is closed makes room for the next.
            let resting: Vec<_> = std::iter::from_fn(|| pool.try_acquire()).collect();
            for connection in resting {
                // It is gone, whether or not it said goodbye.
                let _ = connection.close().await;
            }
        }
    }
}

/// Whose transaction it is.
#[derive(Debug, Clone, Copy)]
enum Whose {
    Person,
    /// Of many people who wait together.
    Line,
    Job,
}

/// What it holds while it lasts.
#[derive(Debug)]
enum Turn {
    Job(#[expect(dead_code, reason = "held until the transaction ends")] OwnedSemaphorePermit),
    Person(Arc<watch::Sender<usize>>),
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Self::Person(people) = self {
            people.send_modify(|people| *people -= 1);
        }
    }
}

/// A write transaction, used as a connection.
#[derive(Debug)]
pub struct Write {
    transaction: sqlx::Transaction<'static, Any>,
    engine: Engine,
    _permit: OwnedSemaphorePermit,
    _turn: Turn,
    #[cfg(any(test, feature = "testing"))]
    step: (crate::testing::fuse::Fuse, crate::testing::fuse::Step),
}

impl Write {
    pub const fn engine(&self) -> Engine {
        self.engine
    }
    pub async fn commit(self) -> Result<()> {
        #[cfg(any(test, feature = "testing"))]
        {
            use crate::testing::fuse::Verdict;
            let (fuse, step) = self.step;
            match fuse.step(step) {
                Verdict::Go => {}
                Verdict::Refused => {
                    self.transaction.rollback().await?;
                    return Err(killed());
                }
                Verdict::Unheard => {
                    self.transaction.commit().await?;
                    return Err(killed());
                }
            }
        }
        Ok(self.transaction.commit().await?)
    }
    pub async fn rollback(self) -> Result<()> {
        Ok(self.transaction.rollback().await?)
    }
}

impl Deref for Write {
    type Target = AnyConnection;
    fn deref(&self) -> &AnyConnection {
        &self.transaction
    }
}
impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }
}
