//! `lectern secret-key`: a new key file.

use std::process::ExitCode;

use anyhow::Result;

/// Prints a new key file. It is not stored anywhere; the operator has to keep it.
pub fn show() -> Result<ExitCode> {
    super::say(crate::secret_key::new_file().expose().trim_end());
    Ok(ExitCode::SUCCESS)
}
