//! The binary `lectern`.

use std::process::ExitCode;

/// Half of what rendering a page cost was looking for memory in the system's allocator.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    server::cli::run()
}
