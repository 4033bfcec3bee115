//! What the command line can do; one file for each command.

pub mod audit;
pub mod client;
pub mod offering;
pub mod secret_key;
pub mod serve;
pub mod simulator;
pub mod ssh;
pub mod token;
pub mod user;
pub mod version;

/// Output that is the purpose of a command, as against what is logged.
#[expect(clippy::print_stdout, reason = "the output of a command line tool")]
fn say(line: &str) {
    println!("{line}");
}
