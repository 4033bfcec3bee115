//! What runs in the pod. A program that was started there outlives its connection, and a terminal does not tell a program that nobody holds
//! its other end any more. So each shell has a keeper: a second program without a terminal, whose input ends with its connection, also when
//! the portal is killed. It hangs up the shell then, which takes along what runs in the foreground, and leaves a multiplexer in peace.

use crate::ports::{ExecRequest, TerminalSize};

/// In the command line of the first process of each shell, before a mark of its own.
const NAME: &str = "lectern-shell-";

/// `sh` stays: it leads the session, so that its end hangs up the terminal. The size is set before the shell starts, since the message with it
/// may come later than the first prompt.
const SHELL: &str = "stty cols $1 rows $2 2>/dev/null; export TERM=xterm-256color; [ -n \"$LANG\" ] || export LANG=C.UTF-8; \
     command -v bash >/dev/null 2>&1 && shell=bash || shell=sh; $shell; exit $?";

/// The name of the shell is put together here, so that the keeper does not find itself.
const KEEPER: &str = "cat >/dev/null; for process in /proc/[0-9]*; do \
     grep -q \"lectern-shell-$1\" \"$process/cmdline\" 2>/dev/null && kill -HUP \"${process#/proc/}\" 2>/dev/null; done; exit 0";

fn sh(script: &str, arguments: [String; 3]) -> Vec<String> {
    ["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()].into_iter().chain(arguments).filter(|word| !word.is_empty()).collect()
}

/// The best shell that the container has.
pub(super) fn shell(mark: &str, size: TerminalSize) -> ExecRequest {
    let arguments = [format!("{NAME}{mark}"), size.columns.to_string(), size.rows.to_string()];
    ExecRequest { container: None, command: sh(SHELL, arguments), terminal: true }
}

/// Hangs up the shell with this mark when its own input ends.
pub(super) fn keeper(mark: &str) -> ExecRequest {
    ExecRequest { container: None, command: sh(KEEPER, ["keeper".to_owned(), mark.to_owned(), String::new()]), terminal: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keeper_finds_the_shell_and_not_itself() {
        let shell = shell("0a1b", TerminalSize { columns: 100, rows: 30 });
        assert!(shell.terminal && shell.command[3..] == ["lectern-shell-0a1b", "100", "30"], "{shell:?}");
        let keeper = keeper("0a1b");
        assert!(!keeper.terminal && keeper.command[3..] == ["keeper", "0a1b"], "{keeper:?}");
        let line = keeper.command.join("\0");
        assert!(!line.contains("lectern-shell-0a1b") && line.contains(NAME), "{line}");
    }
}
