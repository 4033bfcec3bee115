//! Accounts: users, who they are at an identity provider, their roles, the courses they belong to and left, and tries to sign in. One table a file.

pub mod attempts;
pub mod identities;
pub mod members;
pub mod roles;
pub mod standing;
pub mod users;

#[cfg(test)]
mod tests;
