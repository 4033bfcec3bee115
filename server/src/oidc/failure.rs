//! Why a sign-in through the identity provider did not work out: in full for the log, without secrets; in a word for the person.

use std::error::Error as StdError;

use domain::Error;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It does not answer, or cannot be asked.
    #[error("the identity provider is away: {0}")]
    Away(String),
    /// It answers what cannot be believed or understood.
    #[error("what the identity provider says cannot be used: {0}")]
    Unusable(String),
    /// The ID token is signed by a key that is not known.
    #[error("the identity provider signed with a key that it does not publish")]
    UnknownKey,
    /// The ID token is signed by another key than the one that is known by this id.
    #[error("what the identity provider says cannot be used: {0}")]
    BadSignature(String),
    /// It says no: what it calls that.
    #[error("the identity provider refused: {0}")]
    Refused(String),
    /// The code was used before, or is too old.
    #[error("the identity provider takes this code no more")]
    CodeOver,
    /// Nothing like this was begun in this session, or too long ago.
    #[error("no such sign-in was begun here")]
    NotBegun,
}

impl From<&Failure> for Error {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Away(_) | Failure::Unusable(_) | Failure::UnknownKey | Failure::BadSignature(_) => Self::ProviderAway,
            Failure::Refused(_) => Self::ProviderRefused,
            Failure::CodeOver | Failure::NotBegun => Self::SignInOver,
        }
    }
}

/// An error with what caused it.
pub fn words(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
