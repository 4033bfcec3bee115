//! Signing in and out, and one's own account.

use domain::{Result, access::Actor, ids::UserId, people::Viewer};

use crate::{Caller, Origin, Services};

#[derive(Debug, Clone)]
pub struct SignedIn {
    pub actor: Actor,
    /// A session remembers it; another number ends the session.
    pub credentials_version: i64,
}

/// Local account (argon2id). Same time and same answer for every failure; at most 10 tries a minute per account and per address (L1).
///
/// Errors: `SignInFailed`, `RateLimited`, `Unavailable`.
pub async fn sign_in(_services: &Services, _origin: &Origin, _login: &str, _password: &str) -> Result<SignedIn> {
    todo!()
}

pub async fn sign_out(_services: &Services, _caller: &Caller) -> Result<()> {
    todo!()
}

/// The person behind a session; `None` when disabled, gone, or the password was changed since. Cached for a few seconds at most,
/// and dropped from the cache at once by a change in this process.
pub async fn actor(_services: &Services, _user: UserId, _credentials_version: i64) -> Result<Option<Actor>> {
    todo!()
}

/// Ends every session of the person but gives the new credentials version for the one that asked.
///
/// Errors: `Invalid` on `current` (`WrongPassword`) or `new`.
pub async fn change_password(_services: &Services, _caller: &Caller, _current: &str, _new: &str) -> Result<i64> {
    todo!()
}

/// For the page's frame.
pub async fn viewer(_services: &Services, _caller: &Caller) -> Result<Viewer> {
    todo!()
}
