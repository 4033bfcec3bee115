//! Secrets that nobody chooses: of tokens, one-time links, browsers, and questions to an identity provider. A new kind of secret gets a mark
//! in [`MARKS`], by which logs and kept forms leave it out.

use crate::ports::Entropy;

/// Mark of one-time links.
pub const LINK: &str = "lnk_";
/// Mark of access tokens.
pub const TOKEN: &str = "lct_";
/// Mark of browsers in which somebody has signed in.
pub const DEVICE: &str = "dev_";
/// Mark of links to labs.
pub const SHARE: &str = "shr_";
pub const MARKS: [&str; 4] = [LINK, TOKEN, DEVICE, SHARE];

/// Characters after the mark.
pub const LENGTH: usize = 43;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// 256 random bits as 43 characters that no URL or shell changes, behind a mark of [`MARKS`]; without one for what is neither kept nor shown.
pub fn random(entropy: &dyn Entropy, mark: &str) -> String {
    debug_assert!(mark.is_empty() || MARKS.contains(&mark), "{mark} is not among the marks of secrets");
    // 43 characters of 6 bits: each takes a byte of its own, of which 6 bits are used.
    let mut bytes = [0; LENGTH];
    entropy.fill(&mut bytes);
    let mut secret = String::from(mark);
    secret.extend(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])));
    secret
}

/// Whether the text holds a whole secret.
pub fn is_in(text: &str) -> bool {
    let begins = |mark: &str, at: usize| text.as_bytes()[at + mark.len()..].iter().take_while(|byte| ALPHABET.contains(byte)).count() >= LENGTH;
    MARKS.iter().any(|mark| text.match_indices(mark).any(|(at, _)| begins(mark, at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_secret_is_found_anywhere_in_a_text() {
        for mark in MARKS {
            let secret = format!("{mark}{}", "aB3-_".repeat(9).split_at(LENGTH).0);
            assert!(is_in(&secret) && is_in(&format!("see {mark} https://lectern.example/join/{secret}.")), "{secret}");
            assert!(!is_in(&secret[..secret.len() - 1]) && !is_in(mark) && !is_in(&secret.replace(mark, "")), "{secret}");
        }
    }
}
