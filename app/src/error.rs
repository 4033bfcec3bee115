//! The wire form of `domain::Error`: what a server function answers when it refuses or fails. Making one on the server
//! also sets the HTTP status of the answer.

use std::fmt;

use leptos::{
    prelude::FromServerFnError,
    server_fn::{codec::JsonEncoding, error::ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

/// Every server function's error. `?` makes one from a `domain::Error`; `.0` gives it back to match on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AppError(pub domain::Error);

/// How long a browser waits before it tries again when the server did not answer at all.
const UNREACHABLE_RETRY_SECONDS: u32 = 10;

impl AppError {
    /// The reader may not see this: trying again does not help.
    pub const fn is_refusal(&self) -> bool {
        matches!(self.0, domain::Error::Forbidden | domain::Error::ScopeMissing { .. })
    }
}

impl From<domain::Error> for AppError {
    fn from(error: domain::Error) -> Self {
        #[cfg(feature = "ssr")]
        status::set(&error);
        Self(error)
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for AppError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(failure: ServerFnErrorErr) -> Self {
        // On the server this also sets the status.
        Self::from(match failure {
            // The request never reached the server, or its answer never came back.
            ServerFnErrorErr::Request(_) => domain::Error::Unavailable { retry_after_seconds: UNREACHABLE_RETRY_SECONDS },
            ServerFnErrorErr::Args(reason) | ServerFnErrorErr::MissingArg(reason) => domain::Error::Malformed { reason },
            // On the server it is the body that cannot be read; in the browser it is our own answer.
            #[cfg(feature = "ssr")]
            ServerFnErrorErr::Deserialization(reason) => domain::Error::Malformed { reason },
            _ => domain::Error::Internal { reference: String::new() },
        })
    }
}

#[cfg(feature = "ssr")]
mod status {
    use http::{HeaderValue, Method, StatusCode, header, request::Parts};
    use leptos::prelude::use_context;
    use leptos_axum::ResponseOptions;

    /// Puts the error's status (and `Retry-After`) on the answer, except on the redirect that a form without scripts
    /// gets: a browser follows a redirect only when its status says so.
    pub fn set(error: &domain::Error) {
        let (Some(options), Some(parts)) = (use_context::<ResponseOptions>(), use_context::<Parts>()) else {
            return;
        };
        let wants_page = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"));
        if parts.method != Method::GET && wants_page {
            return;
        }
        if let Ok(status) = StatusCode::from_u16(error.status()) {
            options.set_status(status);
        }
        if let Some(seconds) = error.retry_after_seconds() {
            options.insert_header(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
}
