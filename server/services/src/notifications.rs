//! Telling people: a notice is written in the transaction of the change it tells of, and heard of after the commit.
//! Reading them needs no permission: they are one's own, whoever one is. What one has read is no deed and is not audited.

use std::collections::BTreeSet;

use domain::{
    Error, Result,
    ids::{NotificationId, UserId},
    notifications::{Inbox, Notice, Notification, UNREAD_MOST},
    page::{Page, PageRequest, read_cursor, write_cursor},
};
use storage::Write;

use crate::{Caller, Services, digest::hex_sha256, error::OrDomain, hub::News, jobs::lease};

/// Older ones are swept.
const KEPT_DAYS: i64 = 90;
/// A sweep's transaction stays short.
const SWEPT: u32 = 500;
/// How many the bell shows.
const LATEST: i64 = 10;

/// People with a new notice. Call [`Told::tell`] once the transaction is committed.
#[must_use = "open pages hear of it by `told.tell(services)` after the commit"]
#[derive(Debug, Default)]
pub struct Told(Vec<UserId>);

impl Told {
    pub fn tell(self, services: &Services) {
        for user in self.0 {
            services.hub.tell(News::Notice(user));
        }
    }
    /// Both, where one change tells several things.
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

/// Gives `notice` to each of `users` who was not told the same before. A loop of statements: those told are few.
pub async fn notify(services: &Services, write: &mut Write, users: &BTreeSet<UserId>, notice: &Notice) -> Result<Told> {
    let digest = digest(notice);
    let now = services.clock.now();
    let mut told = Told::default();
    for user in users {
        let id = NotificationId::from_uuid(services.entropy.uuid());
        if storage::notifications::insert(write, id, *user, (notice, &digest), now).await.or_domain()? {
            told.0.push(*user);
        }
    }
    Ok(told)
}

/// Dismisses `notice` for everybody who received it, and returns them, so that their bells are updated. One statement.
pub async fn settle(services: &Services, write: &mut Write, notice: &Notice) -> Result<Told> {
    storage::notifications::settle(write, &digest(notice), services.clock.now()).await.or_domain().map(Told)
}

fn digest(notice: &Notice) -> String {
    hex_sha256(serde_json::to_vec(notice).unwrap_or_else(|error| unreachable!("a notice must serialise: {error}")))
}

/// The content of the bell: the number of unread notices, and the newest. Two statements.
pub async fn inbox(services: &Services, caller: &Caller) -> Result<Inbox> {
    let mut connection = services.db.read().await.or_domain()?;
    let unread = storage::notifications::unread(&mut connection, caller.actor.user, UNREAD_MOST).await.or_domain()?;
    let latest = storage::notifications::latest(&mut connection, caller.actor.user, LATEST).await.or_domain()?;
    Ok(Inbox { unread, latest })
}

/// How many are unread, counted to [`UNREAD_MOST`].
pub async fn unread(services: &Services, caller: &Caller) -> Result<u32> {
    let mut connection = services.db.read().await.or_domain()?;
    storage::notifications::unread(&mut connection, caller.actor.user, UNREAD_MOST).await.or_domain()
}

/// Which notifications are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    All,
    Unread,
}

/// One's own, newest first. One statement. Errors: `Invalid` on `limit` or `after`.
pub async fn list(services: &Services, caller: &Caller, wanted: Wanted, page: &PageRequest) -> Result<Page<Notification>> {
    let rows = page.rows()?;
    let before = page.cursor(|text| read_cursor("notifications", text))?;
    let mut connection = services.db.read().await.or_domain()?;
    let unread = wanted == Wanted::Unread;
    let read = storage::notifications::page(&mut connection, caller.actor.user, unread, before, rows).await.or_domain()?;
    Ok(page.page(read, |last| write_cursor("notifications", &last.id)))
}

/// Marks one as read, or all; other open pages of the person hear of it. Doing it twice is no error.
/// Errors: `NotFound` for one that is not the caller's.
pub async fn mark_read(services: &Services, caller: &Caller, id: Option<NotificationId>) -> Result<()> {
    let user = caller.actor.user;
    let mut write = services.db.begin_write().await.or_domain()?;
    let marked = storage::notifications::set_read(&mut write, user, id, services.clock.now()).await.or_domain()?;
    if let Some(id) = id
        && marked == 0
        && !storage::notifications::is_of(&mut write, user, id).await.or_domain()?
    {
        return Err(Error::NotFound);
    }
    write.commit().await.or_domain()?;
    if marked > 0 {
        services.hub.tell(News::Notice(user));
    }
    Ok(())
}

/// Deletes what is older than 90 days: how many.
pub(crate) async fn sweep(services: &Services) -> Result<u64> {
    let before = services.clock.now().plus_seconds(-KEPT_DAYS * 86_400);
    let mut swept = 0;
    loop {
        let mut write = lease::begin_write(services).await?;
        let batch = storage::notifications::sweep(&mut write, before, SWEPT).await.or_domain()?;
        write.commit().await.or_domain()?;
        swept += batch;
        if batch < u64::from(SWEPT) {
            return Ok(swept);
        }
    }
}

#[cfg(test)]
mod tests;
