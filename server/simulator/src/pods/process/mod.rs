//! Simulated programs: what exec and attach talk to. Another program: an arm in `programs`, and its name in `KNOWN`.

mod console;
mod line_editor;
mod programs;
mod shell;
mod words;

pub use self::{
    console::{Channel, Console, Size, Streams, Wires},
    shell::Shell,
};

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    Code(u8),
    /// It did not start, as the kubelet words it.
    NotStarted(String),
}

/// The folders of `PATH` in a simulated container.
fn base_name(program: &str) -> &str {
    ["/usr/local/bin/", "/usr/bin/", "/bin/"].iter().find_map(|folder| program.strip_prefix(folder)).unwrap_or(program)
}

/// Runs a command as a kubelet does: the program itself, without a shell.
pub async fn run(environment: super::Environment, command: Vec<String>, console: Console) -> Exit {
    let program = command.first().map(String::as_str).unwrap_or_default();
    if !programs::KNOWN.contains(&base_name(program)) {
        return Exit::NotStarted(not_found(program));
    }
    Exit::Code(Shell::new(environment, console).foreground(command).await)
}

/// Why a program that is not there cannot be run, as the kubelet words it.
pub fn not_found(program: &str) -> String {
    let why = if program.contains('/') {
        format!("stat {program}: no such file or directory")
    } else {
        format!("exec: {program:?}: executable file not found in $PATH")
    };
    format!(
        "error executing command in container: failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: {why}: unknown"
    )
}
