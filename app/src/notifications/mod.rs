//! What Lectern tells this person about.

pub mod words;
