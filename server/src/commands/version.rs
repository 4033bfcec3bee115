//! `lectern version`.

use std::process::ExitCode;

use anyhow::Result;

pub fn show() -> Result<ExitCode> {
    super::say(&format!("lectern {}", env!("CARGO_PKG_VERSION")));
    Ok(ExitCode::SUCCESS)
}
