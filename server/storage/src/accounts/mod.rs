//! Accounts: users, who they are at an identity provider, their roles, the courses they belong to and left, tries to sign in, and browsers
//! that are known. One table a file.

pub mod attempts;
pub mod devices;
pub mod identities;
pub mod members;
pub mod roles;
pub mod standing;
pub mod users;

#[cfg(test)]
mod tests;
