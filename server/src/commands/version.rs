//! `lectern version`.

use std::process::ExitCode;

use anyhow::Result;

#[expect(clippy::unnecessary_wraps, reason = "as every command")]
pub fn show() -> Result<ExitCode> {
    super::say(&format!("lectern {}", env!("CARGO_PKG_VERSION")));
    Ok(ExitCode::SUCCESS)
}
