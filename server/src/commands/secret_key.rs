//! `lectern secret-key`: a new key file.

use std::process::ExitCode;

use anyhow::Result;

/// Prints the file, which nobody keeps but who asked for it.
pub fn show() -> Result<ExitCode> {
    super::say(crate::secret_key::new_file().expose().trim_end());
    Ok(ExitCode::SUCCESS)
}
