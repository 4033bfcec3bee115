//! What nobody needs to sign in for, in one short list; everything else on the pages' half does. A test holds the list against
//! the routes that exist.

/// Pages.
pub const PAGES: [&str; 2] = [app::routes::SIGN_IN, app::routes::SETUP];

/// Server functions, by path.
pub const FUNCTIONS: [&str; 4] = ["/api/session/viewer", "/api/session/sign-in", "/api/setup/needed", "/api/setup/complete"];

/// Whether a path may be asked for by anybody.
pub fn is_public(path: &str) -> bool {
    PAGES.contains(&path) || FUNCTIONS.contains(&path) || path == app::preferences::PATH
}
