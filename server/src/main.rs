//! The binary `lectern`.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::cli::run()
}
