//! One's own account: who one is here, the password, access tokens.

pub mod api;
mod away;
pub mod away_api;
mod identity;
pub mod page;
mod tokens;
