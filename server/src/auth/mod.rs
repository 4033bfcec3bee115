//! Who is asking: sessions behind a cookie for pages and their server functions. Bearer tokens are in `rest::bearer`.

pub mod cross_site;
pub mod late;
pub mod layer;
pub mod public;
pub mod store;

use tower_sessions::{Expiry, SessionManagerLayer, cookie::SameSite, cookie::time::Duration};

use crate::{config::Config, state::AppState};
use store::Store;

/// Name of the session cookie: with https the browser itself guarantees that no other host of the domain set it.
pub fn cookie_name(config: &Config) -> &'static str {
    if config.is_https() { "__Host-lectern" } else { "lectern" }
}

/// Reads and writes the session cookie. `Lax`: `Strict` would sign everybody out who comes by a link in a mail.
pub fn sessions(state: &AppState) -> SessionManagerLayer<Store> {
    SessionManagerLayer::new(Store::new(state.services.clone()))
        .with_name(cookie_name(&state.config))
        .with_secure(state.config.is_https())
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(Duration::hours(state.config.sessions.hours)))
}
