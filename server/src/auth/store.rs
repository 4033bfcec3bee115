//! Sessions in the database, under the SHA-256 of the cookie's value: who can read the table can open no session by it.

use async_trait::async_trait;
use domain::{ids::UserId, time::Timestamp};
use services::{Services, accounts::sessions, digest::hex_sha256};
use tower_sessions::{
    SessionStore,
    cookie::time::{Duration, OffsetDateTime},
    session::{Id, Record},
    session_store::{Error, Result},
};

#[derive(Clone)]
pub struct Store {
    services: Services,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    pub const fn new(services: Services) -> Self {
        Self { services }
    }
}

fn hashed(id: &Id) -> String {
    hex_sha256(id.to_string())
}

fn backend(error: domain::Error) -> Error {
    match error {
        domain::Error::Unavailable { .. } => Error::Backend(app::caller::STORE_AWAY.to_owned()),
        other => Error::Backend(other.to_string()),
    }
}

/// The columns of a row: the person, the data as JSON, the end by the services' clock. Each use moves the end, but not beyond the longest
/// life of a session.
fn row(services: &Services, record: &Record) -> Result<(Option<UserId>, String, Timestamp)> {
    let moved = services.clock.now().plus_seconds((record.expiry_date - OffsetDateTime::now_utc()).whole_seconds());
    let began = record.data.get(sessions::BEGAN).and_then(|value| serde_json::from_value::<Timestamp>(value.clone()).ok());
    let expires_at = began.map_or(moved, |began| moved.min(sessions::last_moment(services, began)));
    let user = record.data.get(app::caller::USER).and_then(|value| serde_json::from_value(value.clone()).ok());
    let data = serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
    Ok((user, data, expires_at))
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let (user, data, expires_at) = row(&self.services, record)?;
        while !services::sessions::create(&self.services, &hashed(&record.id), user, &data, expires_at).await.map_err(backend)? {
            record.id = Id::default();
        }
        Ok(())
    }

    /// Only what is still there: a request that overlaps a sign-out must not bring the session back.
    async fn save(&self, record: &Record) -> Result<()> {
        let id = hashed(&record.id);
        if services::sessions::load(&self.services, &id).await.map_err(backend)?.is_none() {
            return Ok(());
        }
        let (user, data, expires_at) = row(&self.services, record)?;
        services::sessions::save(&self.services, &id, user, &data, expires_at).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some((data, expires_at)) = services::sessions::load(&self.services, &hashed(id)).await.map_err(backend)? else {
            return Ok(None);
        };
        let data = serde_json::from_str(&data).map_err(|error| Error::Decode(error.to_string()))?;
        let left = expires_at.seconds_since(self.services.clock.now());
        let expiry_date = OffsetDateTime::now_utc().saturating_add(Duration::seconds(left));
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        services::sessions::delete(&self.services, &hashed(id)).await.map_err(backend)
    }
}
