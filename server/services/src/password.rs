//! Passwords: which ones may be chosen, and hashing them with argon2id and the library's parameters (19 MiB, 2 passes). Hashing runs
//! outside the async threads, a few at a time (see `turns`), so that a class that signs in together uses neither all cores nor all memory.

mod turns;

use std::sync::OnceLock;

use argon2::{
    Argon2, PasswordHash, PasswordHasher as _, PasswordVerifier as _,
    password_hash::{Salt, SaltString},
};
use domain::{Error, Problem, Result, people::check_password};
pub use turns::{Lane, Pool, Turn};
use zxcvbn::{Score, zxcvbn};

use crate::{Services, error::internal};

/// No letter or digit that is easily taken for another; 32 of them, so that five random bits choose one evenly.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// `kzmt-3hqf-w9xp-a7rd`: 80 random bits that can be typed from a screen, and their hash.
pub async fn random(services: &Services) -> Result<(String, String)> {
    let mut bytes = [0; 16];
    services.entropy.fill(&mut bytes);
    let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    let password = letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-");
    let hash = hash(services, &password).await?;
    Ok((password, hash))
}

/// The hash of a password that a person chose. `about`: what an attacker may know about the person, such as login and name.
///
/// Errors: `Invalid` on `password` if it is too short, too long, or easy to guess.
pub async fn hash_chosen(services: &Services, password: &str, about: &[&str]) -> Result<String> {
    check_password(password).map_err(|problem| Error::field("password", problem))?;
    let chosen = password.to_owned();
    let known: Vec<String> = about
        .iter()
        .flat_map(|text| [*text].into_iter().chain(text.split(|c: char| !c.is_alphanumeric())))
        .filter(|text| text.chars().count() > 2)
        .map(ToOwned::to_owned)
        .collect();
    let common = tokio::task::spawn_blocking(move || is_common(&chosen, &known)).await.map_err(|error| internal(&error))?;
    if common { Err(Error::field("password", Problem::CommonPassword)) } else { hash(services, password).await }
}

/// Whether it can be guessed within a million tries: a common password or word, a sequence, a repetition, a date, or something known about
/// the person.
fn is_common(password: &str, known: &[String]) -> bool {
    let mut known: Vec<&str> = known.iter().map(String::as_str).collect();
    known.push("lectern");
    zxcvbn(password, &known).score() < Score::Two || is_made_of(password, &known)
}

/// Whether little is left of it without the known words: `li.hua.li.hua`.
fn is_made_of(password: &str, known: &[&str]) -> bool {
    const OWN: usize = 4;
    let whole = password.to_lowercase();
    let rest = known.iter().fold(whole.clone(), |rest, word| rest.replace(&word.to_lowercase(), ""));
    rest != whole && rest.chars().filter(|c| c.is_alphanumeric()).count() < OWN
}

/// A PHC string of the password under a new salt.
async fn hash(services: &Services, password: &str) -> Result<String> {
    let mut salt = [0; Salt::RECOMMENDED_LENGTH];
    services.entropy.fill(&mut salt);
    let password = password.to_owned();
    let _turn = services.hashing.turn(Lane::Known).await?;
    off_thread(move || {
        let salt = SaltString::encode_b64(&salt)?;
        Ok(Argon2::default().hash_password(password.as_bytes(), &salt)?.to_string())
    })
    .await
}

/// Whether the password is the one behind `hash`. Without a hash it takes the same time and says no.
pub async fn verify(_turn: &Turn<'_>, password: &str, hash: Option<&str>) -> Result<bool> {
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
        let turn = world.services.hashing.turn(Lane::Known).await.expect("a turn");
        assert_eq!(verify(&turn, "correct horse", Some(&first)).await, Ok(true));
        assert_eq!(verify(&turn, "correct house", Some(&first)).await, Ok(false));
        assert_eq!(verify(&turn, "", None).await, Ok(false), "the dummy's own password opens nothing");
    }

    #[tokio::test]
    async fn a_password_that_is_guessed_first_is_refused() {
        let world = TestWorld::empty().await;
        let about = ["zhang.wei", "张伟 Zhang"];
        for common in [
            "1234567890",
            "0987654321",
            "password123",
            "Password123!",
            "qwertyuiop",
            "1q2w3e4r5t",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "abcdefghij",
            "zhang.wei1",
            "zhang.wei.zhang.wei",
            "lecternlectern",
            "iloveyou1234",
        ] {
            let refused = hash_chosen(&world.services, common, &about).await.expect_err(common);
            assert_eq!(refused, Error::field("password", Problem::CommonPassword), "{common}");
        }
        let short = hash_chosen(&world.services, "k7#pQ", &about).await.expect_err("too short");
        assert_eq!(short, Error::field("password", Problem::TooShort { min: 10 }));
        for good in ["a long password", "correct horse battery", "梅园春色关不住墙外一枝", "kzmt-3hqf-w9xp"] {
            hash_chosen(&world.services, good, &about).await.expect(good);
        }
        let long: String = "长".repeat(200);
        assert!(hash_chosen(&world.services, &long, &about).await.is_err(), "one character again and again");
    }
}
