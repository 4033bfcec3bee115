//! What every page reads, kept in the process: people's roles, catalogue, price book, policy. Each entry carries a version or a short life.

#[derive(Debug, Default)]
pub struct Cache {}
