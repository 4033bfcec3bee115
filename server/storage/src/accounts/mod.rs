//! Accounts: users, their identities at a provider, their roles, the courses that they belong to and left, sign-in tries, and known
//! browsers. One table a file.

pub mod attempts;
pub mod devices;
pub mod identities;
pub mod members;
pub mod roles;
pub mod standing;
pub mod users;

#[cfg(test)]
mod tests;
