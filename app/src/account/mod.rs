//! One's own account: who one is here, the password, access tokens, keys for SSH.

pub mod api;
mod away;
pub mod away_api;
mod identity;
mod keys;
pub mod keys_api;
pub mod page;
mod row_action;
pub mod ssh_steps;
mod tokens;
