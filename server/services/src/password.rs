//! Hashing passwords: argon2id with the library's parameters (19 MiB, 2 passes), off the async threads, a few at a time,
//! so that a class that signs in together takes neither all cores nor all memory.

use std::sync::OnceLock;

use argon2::{
    Argon2, PasswordHash, PasswordHasher as _, PasswordVerifier as _,
    password_hash::{Salt, SaltString},
};
use domain::{Error, Result};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{Services, error::internal};

/// Hashes at once in one process: half the cores, one at least.
static SLOTS: OnceLock<Semaphore> = OnceLock::new();

fn slots() -> &'static Semaphore {
    SLOTS.get_or_init(|| Semaphore::new(std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))))
}

/// The right to hash; others wait in order.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held for its drop")] SemaphorePermit<'static>);

/// Waits for one's turn.
pub async fn turn() -> Result<Turn> {
    slots().acquire().await.map(Turn).map_err(|error| internal(&error))
}

/// No letter or digit that is easily taken for another; 32 of them, so that five random bits choose one evenly.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// `kzmt-3hqf-w9xp-a7rd`: 80 random bits that can be typed from a screen.
pub fn random(services: &Services) -> String {
    let mut bytes = [0; 16];
    services.entropy.fill(&mut bytes);
    let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
}

/// A PHC string of the password under a new salt.
pub async fn hash(services: &Services, password: &str) -> Result<String> {
    let mut salt = [0; Salt::RECOMMENDED_LENGTH];
    services.entropy.fill(&mut salt);
    let password = password.to_owned();
    let _turn = turn().await?;
    off_thread(move || {
        let salt = SaltString::encode_b64(&salt)?;
        Ok(Argon2::default().hash_password(password.as_bytes(), &salt)?.to_string())
    })
    .await
}

/// Whether the password is the one behind `hash`. Without a hash it takes the same time and says no.
pub async fn verify(_turn: &Turn, password: &str, hash: Option<&str>) -> Result<bool> {
    let known = hash.is_some();
    // Asked for in either case, so that not even the first unknown login of a process takes longer.
    let dummy = dummy_hash().await?;
    let hash = hash.map_or(dummy, ToOwned::to_owned);
    let password = password.to_owned();
    let matches = off_thread(move || {
        let hash = PasswordHash::new(&hash)?;
        match Argon2::default().verify_password(password.as_bytes(), &hash) {
            Ok(()) => Ok(true),
            Err(argon2::password_hash::Error::Password) => Ok(false),
            Err(other) => Err(other),
        }
    })
    .await?;
    Ok(known && matches)
}

/// Same parameters as [`hash`], nobody's password.
async fn dummy_hash() -> Result<String> {
    static DUMMY: OnceLock<String> = OnceLock::new();
    if let Some(hash) = DUMMY.get() {
        return Ok(hash.clone());
    }
    let hash = off_thread(|| {
        let salt = SaltString::encode_b64(b"nobody's account")?;
        Ok(Argon2::default().hash_password(b"", &salt)?.to_string())
    })
    .await?;
    Ok(DUMMY.get_or_init(|| hash).clone())
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> argon2::password_hash::Result<T> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(internal(&error)),
        Err(error) => Err(internal(&error)),
    }
}

/// A hash that takes microseconds, for accounts of tests.
#[cfg(any(test, feature = "testing"))]
pub fn cheap_hash_for_tests(password: &str) -> String {
    let params = argon2::Params::new(argon2::Params::MIN_M_COST, 1, 1, None).expect("smallest parameters");
    let salt = SaltString::encode_b64(b"salt for testing").expect("a salt");
    let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    argon2.hash_password(password.as_bytes(), &salt).expect("hashed").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestWorld;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let world = TestWorld::empty().await;
        let first = hash(&world.services, "correct horse").await.expect("hashed");
        let second = hash(&world.services, "correct horse").await.expect("hashed");
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{first}");
        assert_ne!(first, second, "a salt of its own");
        let turn = turn().await.expect("a turn");
        assert_eq!(verify(&turn, "correct horse", Some(&first)).await, Ok(true));
        assert_eq!(verify(&turn, "correct house", Some(&first)).await, Ok(false));
        assert_eq!(verify(&turn, "", None).await, Ok(false), "the dummy's own password opens nothing");
    }
}
