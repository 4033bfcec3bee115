//! From storage's errors to those a caller may see: an away database is a 503, everything else internal is logged under a reference.

use domain::Error;

/// Turns a storage error into what the caller sees. Log once: here.
pub fn from_storage(error: storage::Error) -> Error {
    match error {
        storage::Error::Away(source) => {
            tracing::warn!(error = %source, "the database is away");
            Error::Unavailable { retry_after_seconds: 5 }
        }
        storage::Error::Full { room } => {
            tracing::warn!(disk.room = room, "the disk of the database is full");
            Error::Unavailable { retry_after_seconds: 5 }
        }
        storage::Error::Text(_) => Error::Malformed { reason: "a text holds a character that cannot be kept".into() },
        other => internal(&other),
    }
}

/// Logs a fault of ours and gives the reference by which the log finds it.
pub fn internal(error: &(dyn std::error::Error + 'static)) -> Error {
    let reference = format!("{:08x}", rand::random::<u32>());
    let mut causes = String::new();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push_str(": ");
        causes.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::error!(error.reference = %reference, "internal error: {error}{causes}");
    Error::Internal { reference }
}

/// `.map_err(storage)?` without the ceremony.
pub trait OrDomain<T> {
    fn or_domain(self) -> Result<T, Error>;
}

impl<T> OrDomain<T> for Result<T, storage::Error> {
    fn or_domain(self) -> Result<T, Error> {
        self.map_err(from_storage)
    }
}
