//! One's own account: who one is here, the password, access tokens.

pub mod api;
mod identity;
pub mod page;
mod tokens;
