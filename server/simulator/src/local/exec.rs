//! Further programs in a container that is a process: in its folder, with its environment, and with a real terminal if one is asked for.

use std::{
    future::pending,
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    process::Child,
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

use super::{
    Local, Running,
    launch::{Launch, variable},
    plan,
    process::{self, Group, MARK},
    sockets,
};
use crate::{
    pods::process::{Channel, Exit, Wires, not_found},
    value,
};

const PIECE: usize = 8 << 10;
/// A client sends the size of its terminal first; a program should not begin without it.
const FIRST_SIZE: Duration = Duration::from_millis(300);
/// How long a terminal may be silent after its program has ended and before all is said.
const SILENCE: Duration = Duration::from_millis(100);

/// A program to run.
#[derive(Debug)]
pub struct Program {
    /// `None` if there is none of this name.
    file: Option<PathBuf>,
    command: Vec<String>,
    /// Of the container.
    launch: Arc<Launch>,
}

impl Local {
    /// A program in a running container; `None` where the container only pretends.
    pub fn program(&self, pod: &Value, container: &str, command: &[String]) -> Option<Program> {
        let Running::Process(launch) = self.running(value::uid(pod), container)? else { return None };
        let path = variable(&launch.variables, "PATH").unwrap_or_default();
        let file = command.first().and_then(|program| plan::find(program, path, &launch.folder));
        Some(Program { file, command: command.to_vec(), launch })
    }
}

/// Runs it to its end. Where this is dropped, it is killed.
pub async fn run(program: Program, wires: Wires) -> Exit {
    if !wires.streams.terminal && sockets::are_asked(&program.command) {
        return list_sockets(&program, wires).await;
    }
    let Some(file) = program.file.clone() else {
        return Exit::NotStarted(not_found(program.command.first().map(String::as_str).unwrap_or_default()));
    };
    let ended = if wires.streams.terminal { in_terminal(&file, &program, wires).await } else { with_pipes(&file, &program, wires).await };
    match ended {
        // As the low eight bits that a waiting parent sees.
        Ok(status) => Exit::Code(u8::try_from(process::code(status) & 0xff).unwrap_or(u8::MAX)),
        Err(error) => Exit::NotStarted(format!("error executing command in container: {error}")),
    }
}

/// Answers `cat /proc/net/tcp` as in a cluster, where the network is the pod's own and has its sockets alone.
async fn list_sockets(program: &Program, wires: Wires) -> Exit {
    let (files, launch) = (program.command[1..].to_vec(), Arc::clone(&program.launch));
    let list = move || sockets::listed(&files, variable(&launch.variables, MARK).unwrap_or_default(), &launch.ports);
    let text = tokio::task::spawn_blocking(list).await.unwrap_or_default();
    if wires.streams.stdout {
        for piece in text.as_bytes().chunks(PIECE) {
            if wires.pieces.send((Channel::Out, Bytes::copy_from_slice(piece))).await.is_err() {
                break;
            }
        }
    }
    Exit::Code(u8::from(text.is_empty()))
}

async fn with_pipes(file: &Path, program: &Program, wires: Wires) -> io::Result<ExitStatus> {
    let Wires { keys, pieces, streams, size: _ } = wires;
    let mut command = program.launch.command_of(file, &program.command[1..]);
    let piped = |wanted: bool| if wanted { Stdio::piped() } else { Stdio::null() };
    let mut child = command.stdin(piped(streams.stdin)).stdout(piped(streams.stdout)).stderr(piped(streams.stderr)).spawn()?;
    let group = Group::of(&child);
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(input) = input {
            typed(keys, input).await;
        }
        pending::<()>().await;
    };
    let work = async {
        let (out, err) = (pieces.clone(), pieces);
        let out = async {
            if let Some(output) = output {
                written(output, Channel::Out, &out).await;
            }
        };
        let err = async {
            if let Some(errors) = errors {
                written(errors, Channel::Err, &err).await;
            }
        };
        // Its output first: the client may be slow to take it.
        tokio::join!(out, err);
        child.wait().await
    };
    let ended = tokio::select! {
        ended = work => ended,
        () = feed => Err(io::ErrorKind::BrokenPipe.into()),
    };
    group.leave();
    ended
}

/// Passes on the client's input until it ends; then the program's input ends.
async fn typed(mut keys: mpsc::Receiver<Bytes>, mut input: impl AsyncWrite + Unpin) {
    while let Some(bytes) = keys.recv().await {
        if input.write_all(&bytes).await.is_err() {
            return;
        }
    }
    let _ = input.shutdown().await;
}

/// Sends what a program writes, until it closes its end.
async fn written(mut output: impl AsyncRead + Unpin, channel: Channel, pieces: &mpsc::Sender<(Channel, Bytes)>) {
    let mut piece = vec![0; PIECE];
    while let Ok(length @ 1..) = output.read(&mut piece).await {
        if pieces.send((channel, Bytes::copy_from_slice(&piece[..length]))).await.is_err() {
            return;
        }
    }
}

async fn in_terminal(file: &Path, program: &Program, wires: Wires) -> io::Result<ExitStatus> {
    let Wires { mut keys, pieces, mut size, streams: _ } = wires;
    let (terminal, inside) = pty_process::open().map_err(io::Error::other)?;
    let first = async { size.wait_for(Option::is_some).await.ok().and_then(|size| *size) };
    if let Ok(Some(size)) = tokio::time::timeout(FIRST_SIZE, first).await {
        terminal.resize(pty_process::Size::new(size.height, size.width)).map_err(io::Error::other)?;
    }
    let variables = program.launch.variables.iter().map(|(name, text)| (name, text));
    let command = pty_process::Command::new(file).args(&program.command[1..]).env_clear().envs(variables).env("TERM", "xterm-256color");
    let child = command.current_dir(&program.launch.folder).kill_on_drop(true).spawn(inside).map_err(io::Error::other)?;
    // A program with a terminal leads a session, and so a group.
    let group = Group::of(&child);
    let (screen, mut keyboard) = terminal.into_split();
    let feed = async {
        loop {
            tokio::select! {
                bytes = keys.recv() => {
                    let Some(bytes) = bytes else { break };
                    if keyboard.write_all(&bytes).await.is_err() {
                        break;
                    }
                }
                Ok(()) = size.changed() => {
                    let now = *size.borrow_and_update();
                    if let Some(now) = now {
                        // The program may have ended.
                        let _ = keyboard.resize(pty_process::Size::new(now.height, now.width));
                    }
                }
            }
        }
        pending::<()>().await;
    };
    let exited = CancellationToken::new();
    let ended = tokio::select! {
        (ended, ()) = async { tokio::join!(waited(child, &exited), shown(screen, &pieces, &exited)) } => ended,
        () = feed => Err(io::ErrorKind::BrokenPipe.into()),
    };
    group.leave();
    ended
}

async fn waited(mut child: Child, exited: &CancellationToken) -> io::Result<ExitStatus> {
    let ended = child.wait().await;
    exited.cancel();
    ended
}

/// Sends what appears in a terminal. A program in the background may keep it open, so after the end of the main one silence ends it too.
async fn shown(mut screen: impl AsyncRead + Unpin, pieces: &mpsc::Sender<(Channel, Bytes)>, exited: &CancellationToken) {
    let mut piece = vec![0; PIECE];
    loop {
        let silence = async {
            exited.cancelled().await;
            tokio::time::sleep(SILENCE).await;
        };
        let read = tokio::select! {
            biased;
            read = screen.read(&mut piece) => read,
            () = silence => return,
        };
        // The system says by an error that no program has the terminal any more.
        let Ok(length @ 1..) = read else { return };
        if pieces.send((Channel::Out, Bytes::copy_from_slice(&piece[..length]))).await.is_err() {
            return;
        }
    }
}
