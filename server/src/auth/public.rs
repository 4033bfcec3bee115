//! What nobody needs to sign in for, in one short list; everything else on the pages' half does. A test holds the list against
//! the routes that exist.

/// Pages. What stands behind a one-time link asks for no more than the link.
pub const PAGES: [&str; 3] = [app::routes::SIGN_IN, app::routes::SETUP, "/join/{token}"];

/// Routes of the server's own: on the way to the identity provider and back.
pub const ROUTES: [&str; 2] = [app::routes::SIGN_IN_OIDC, app::routes::SIGN_IN_OIDC_CALLBACK];

/// Server functions, by path.
pub const FUNCTIONS: [&str; 7] = [
    "/api/session/viewer",
    "/api/session/sign-in",
    "/api/setup/needed",
    "/api/setup/complete",
    "/api/join/show",
    "/api/join/complete",
    "/api/announcements/public",
];

/// Whether a path may be asked for by anybody.
pub fn is_public(path: &str) -> bool {
    PAGES.contains(&path)
        || ROUTES.contains(&path)
        || path.starts_with(app::routes::JOIN_PREFIX)
        || FUNCTIONS.contains(&path)
        || path == app::preferences::PATH
}
