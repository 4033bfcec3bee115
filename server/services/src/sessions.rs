//! Rows behind the session cookie, for the store in the server.

use domain::{Result, ids::UserId, time::Timestamp};

use crate::Services;

/// `id_hash`: hexadecimal SHA-256 of the cookie's value.
pub async fn load(_services: &Services, _id_hash: &str) -> Result<Option<(String, Timestamp)>> {
    todo!()
}

/// Makes or replaces; `user` is set once somebody is signed in.
pub async fn save(_services: &Services, _id_hash: &str, _user: Option<UserId>, _data: &str, _expires_at: Timestamp) -> Result<()> {
    todo!()
}

/// Makes only; `false` when the id is taken.
pub async fn create(_services: &Services, _id_hash: &str, _user: Option<UserId>, _data: &str, _expires_at: Timestamp) -> Result<bool> {
    todo!()
}

pub async fn delete(_services: &Services, _id_hash: &str) -> Result<()> {
    todo!()
}

/// Deletes what has expired; returns how many.
pub async fn sweep(_services: &Services) -> Result<u64> {
    todo!()
}
