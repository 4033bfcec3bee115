//! Telling people: a notice is written in the transaction of the change it tells of, and heard of after the commit.

use std::collections::BTreeSet;

use domain::{
    Result,
    ids::{NotificationId, UserId},
    notifications::Notice,
};
use storage::Write;

use crate::{Services, digest::hex_sha256, error::OrDomain, hub::News};

/// Who was told something new. Call [`Told::tell`] once the transaction is committed.
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
    let text = serde_json::to_vec(notice).unwrap_or_else(|error| unreachable!("a notice must serialise: {error}"));
    let digest = hex_sha256(text);
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

#[cfg(test)]
mod tests;
