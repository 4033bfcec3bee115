//! Secrets that nobody chooses: of tokens, one-time links, and questions to an identity provider.

use crate::ports::Entropy;

/// 256 random bits as 43 characters that no URL or shell changes, behind a mark that tells what it is.
pub fn random(entropy: &dyn Entropy, mark: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // 43 characters of 6 bits: each takes a byte of its own, of which 6 bits are used.
    let mut bytes = [0; 43];
    entropy.fill(&mut bytes);
    let mut secret = String::from(mark);
    secret.extend(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])));
    secret
}
