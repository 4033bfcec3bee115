//! The simulated shell.

use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::sync::{mpsc, watch};

use super::{
    base_name,
    console::{Closed, Console, Input, Output, Size},
    programs,
    words::{self, Piece, When},
};
use crate::pods::Environment;

/// Codes of programs that a signal ended.
const INTERRUPTED: u8 = 130;
pub const BROKEN_PIPE: u8 = 141;

#[derive(Debug)]
pub struct Shell {
    pub environment: Environment,
    input: Input,
    pub output: Output,
    pub size: watch::Receiver<Option<Size>>,
    /// `None` without a terminal, and while a program in the foreground has it.
    interrupts: Option<mpsc::Receiver<()>>,
    pub is_terminal: bool,
    /// The exit code of the last command.
    pub last: u8,
    /// `exit` was called.
    pub exit: Option<u8>,
    is_interrupted: bool,
}

impl Shell {
    pub fn new(environment: Environment, console: Console) -> Self {
        let Console { input, output, interrupts, size } = console;
        let is_terminal = interrupts.is_some();
        Self { environment, input, output, size, interrupts, is_terminal, last: 0, exit: None, is_interrupted: false }
    }

    /// Runs a command until it ends or Ctrl-C is pressed. A shell takes Ctrl-C itself.
    pub async fn foreground(&mut self, command: Vec<String>) -> u8 {
        let program = command.iter().find(|word| !matches!(base_name(word), "exec" | "env") && !word.contains('='));
        let is_shell = program.is_some_and(|program| matches!(base_name(program), "sh" | "bash"));
        let Some(mut interrupts) = self.interrupts.take_if(|_| !is_shell) else { return self.program(command).await };
        let ended = tokio::select! {
            code = self.program(command) => Some(code),
            Some(()) = interrupts.recv() => None,
        };
        self.interrupts = Some(interrupts);
        self.is_interrupted = ended.is_none();
        ended.unwrap_or(INTERRUPTED)
    }

    /// Boxed, since shells run programs that may be shells.
    pub fn program(&mut self, command: Vec<String>) -> BoxFuture<'_, u8> {
        Box::pin(programs::run(self, command))
    }

    /// Runs a text, and gives the code of its end.
    pub async fn script(&mut self, text: &str) -> u8 {
        let commands = match words::parse(text) {
            Ok(commands) => commands,
            Err(why) => {
                self.last = 2;
                return self.complain(&format!("sh: {why}"), 2).await;
            }
        };
        for command in commands {
            let is_due = match command.when {
                When::Always => true,
                When::IfOk => self.last == 0,
                When::IfFailed => self.last != 0,
            };
            if !is_due {
                continue;
            }
            let words = command.words.iter().filter_map(|word| self.expanded(word)).collect();
            let before = self.output.mute(command.muted);
            self.last = self.foreground(words).await;
            self.output = before;
            if self.exit.is_some() || self.is_interrupted {
                break;
            }
        }
        self.exit.unwrap_or(self.last)
    }

    /// `None` for a variable that is empty and not quoted.
    fn expanded(&self, word: &[Piece]) -> Option<String> {
        let text: String = word
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Variable(name) if name == "?" => self.last.to_string(),
                Piece::Variable(name) => self.environment.get(name).unwrap_or_default().to_owned(),
            })
            .collect();
        let is_quoted = word.iter().any(|piece| matches!(piece, Piece::Text(_)));
        (is_quoted || !text.is_empty()).then_some(text)
    }

    /// Reads commands until the end of the input or `exit`; with a terminal it prompts.
    pub async fn interactive(&mut self) -> u8 {
        loop {
            if self.is_terminal && self.output.out(self.prompt().as_bytes()).await.is_err() {
                return BROKEN_PIPE;
            }
            let (input, interrupts) = (&mut self.input, &mut self.interrupts);
            let line = tokio::select! {
                // Ctrl-C typed after a line is for the command in that line.
                biased;
                line = input.line() => line,
                () = pressed(interrupts) => {
                    self.last = INTERRUPTED;
                    continue;
                }
            };
            self.is_interrupted = false;
            if let Some(line) = &line {
                self.script(&String::from_utf8_lossy(line)).await;
            }
            if line.is_none() || self.exit.is_some() {
                if self.is_terminal {
                    // If the client is gone, there is no one to tell.
                    let _ = self.output.out(b"exit\n").await;
                }
                return self.exit.take().unwrap_or(self.last);
            }
        }
    }

    fn prompt(&self) -> String {
        format!("lab@{}:~$ ", self.environment.hostname)
    }

    /// Prints a line.
    pub async fn say(&self, line: &str) -> u8 {
        match self.output.out(format!("{line}\n").as_bytes()).await {
            Ok(()) => 0,
            Err(Closed) => BROKEN_PIPE,
        }
    }

    /// Prints a line of an error, and gives the code back.
    pub async fn complain(&self, line: &str, code: u8) -> u8 {
        match self.output.err(format!("{line}\n").as_bytes()).await {
            Ok(()) => code,
            Err(Closed) => BROKEN_PIPE,
        }
    }

    /// Copies the input to the output.
    pub async fn copy(&mut self) -> u8 {
        loop {
            let bytes: Bytes = self.input.read().await;
            if bytes.is_empty() {
                return 0;
            }
            if self.output.out(&bytes).await.is_err() {
                return BROKEN_PIPE;
            }
        }
    }
}

/// Ends when Ctrl-C is pressed; never without a terminal.
async fn pressed(interrupts: &mut Option<mpsc::Receiver<()>>) {
    if let Some(interrupts) = interrupts
        && interrupts.recv().await.is_some()
    {
        return;
    }
    std::future::pending::<()>().await;
}
