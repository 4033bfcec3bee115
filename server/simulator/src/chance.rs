//! Randomness: uids, name suffixes and the token. The simulated cluster is outside the product, as a real one is, so it draws its own.

use rand::{Rng, RngCore};

/// A new uid.
pub fn uid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Random letters and digits without vowels, as the API server draws them.
pub fn suffix(length: usize) -> String {
    let mut random = rand::rng();
    (0..length).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())])).collect()
}

/// A bearer token of 256 bits.
pub fn token() -> String {
    use std::fmt::Write;
    let mut random = [0_u8; 32];
    rand::rng().fill_bytes(&mut random);
    let mut text = String::with_capacity(64);
    for byte in random {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What generated names are made of.
pub const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
