//! Standard input and output of a simulated program, and its terminal.

use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use tokio::sync::{mpsc, watch};

use super::line_editor::{LineEditor, Typed};

/// The output that a piece belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Out,
    Err,
}

/// Columns and rows of a terminal, as the client sends them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Size {
    pub width: u16,
    pub height: u16,
}

/// The streams that the client asked for.
#[expect(clippy::struct_excessive_bools, reason = "the options of the API")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    pub terminal: bool,
}

/// Lines that were typed and that no program has read yet. As in a real terminal, more are lost.
const TYPED_AHEAD: usize = 4096;

/// Where programs write.
#[derive(Debug, Clone)]
pub struct Output {
    pieces: mpsc::Sender<(Channel, Bytes)>,
    streams: Streams,
    muted: Muted,
}

/// Outputs that go to `/dev/null`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Muted {
    pub out: bool,
    pub err: bool,
}

/// The client no longer reads the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

impl Output {
    /// Mutes more, and returns the output as it was.
    pub fn mute(&mut self, more: Muted) -> Self {
        let before = self.clone();
        self.muted = Muted { out: self.muted.out || more.out, err: self.muted.err || more.err };
        before
    }

    pub async fn out(&self, bytes: &[u8]) -> Result<(), Closed> {
        self.write(Channel::Out, bytes).await
    }

    pub async fn err(&self, bytes: &[u8]) -> Result<(), Closed> {
        self.write(Channel::Err, bytes).await
    }

    async fn write(&self, channel: Channel, bytes: &[u8]) -> Result<(), Closed> {
        match self.piece(channel, bytes) {
            Some(piece) => self.pieces.send(piece).await.map_err(|_| Closed),
            None => Ok(()),
        }
    }

    fn piece(&self, channel: Channel, bytes: &[u8]) -> Option<(Channel, Bytes)> {
        let is_muted = match channel {
            Channel::Out => self.muted.out,
            Channel::Err => self.muted.err,
        };
        if bytes.is_empty() || is_muted {
            return None;
        }
        if self.streams.terminal {
            let mut lines = BytesMut::with_capacity(bytes.len() + 16);
            for byte in bytes {
                if *byte == b'\n' {
                    lines.extend_from_slice(b"\r\n");
                } else {
                    lines.extend_from_slice(&[*byte]);
                }
            }
            return Some((Channel::Out, lines.freeze()));
        }
        let is_wanted = match channel {
            Channel::Out => self.streams.stdout,
            Channel::Err => self.streams.stderr,
        };
        is_wanted.then(|| (channel, Bytes::copy_from_slice(bytes)))
    }

    /// Shows typed keys as they are.
    async fn echo(&self, keys: &mut BytesMut) {
        if !keys.is_empty() {
            // If the client is gone, reading ends too.
            let _ = self.pieces.send((Channel::Out, keys.split().freeze())).await;
        }
    }
}

/// Where programs read.
#[derive(Debug)]
pub struct Input {
    chunks: mpsc::Receiver<Bytes>,
    /// Read, but not yet used.
    rest: BytesMut,
}

impl Input {
    /// The next bytes; empty at the end.
    pub async fn read(&mut self) -> Bytes {
        if !self.rest.is_empty() {
            return self.rest.split().freeze();
        }
        self.chunks.recv().await.unwrap_or_default()
    }

    /// The next line without its end; `None` at the end. May be dropped and called again.
    pub async fn line(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let mut line = self.rest.split_to(end + 1);
                line.truncate(end);
                return Some(line.to_vec());
            }
            let chunk = self.chunks.recv().await.unwrap_or_default();
            if chunk.is_empty() {
                let last = self.rest.split();
                return (!last.is_empty()).then(|| last.to_vec());
            }
            self.rest.extend_from_slice(&chunk);
        }
    }
}

/// The input, the output and the terminal of a program.
#[derive(Debug)]
pub struct Console {
    pub input: Input,
    pub output: Output,
    /// Ctrl-C; `None` without a terminal.
    pub interrupts: Option<mpsc::Receiver<()>>,
    /// `None` until the client has sent it.
    pub size: watch::Receiver<Option<Size>>,
}

/// The client's ends of the streams, with nothing in between.
#[derive(Debug)]
pub struct Wires {
    /// As they are typed; ends with the client's input.
    pub keys: mpsc::Receiver<Bytes>,
    pub pieces: mpsc::Sender<(Channel, Bytes)>,
    /// `None` until the client has sent it.
    pub size: watch::Receiver<Option<Size>>,
    pub streams: Streams,
}

impl Console {
    pub fn new(wires: Wires) -> Self {
        let Wires { keys, pieces, size, streams } = wires;
        let output = Output { pieces, streams, muted: Muted::default() };
        if !streams.terminal {
            return Self { input: Input { chunks: keys, rest: BytesMut::new() }, output, interrupts: None, size };
        }
        let (lines, chunks) = mpsc::channel(TYPED_AHEAD);
        let (interrupt, interrupts) = mpsc::channel(1);
        let terminal = Terminal { editor: LineEditor::default(), lines, interrupt, pieces: output.pieces.downgrade(), streams };
        // Ends when the client sends no more keys or when the program has ended.
        tokio::spawn(terminal.run(keys));
        Self { input: Input { chunks, rest: BytesMut::new() }, output, interrupts: Some(interrupts), size }
    }
}

/// Between the client's keys and the program.
struct Terminal {
    editor: LineEditor,
    lines: mpsc::Sender<Bytes>,
    interrupt: mpsc::Sender<()>,
    /// Weak: the output ends with the program.
    pieces: mpsc::WeakSender<(Channel, Bytes)>,
    streams: Streams,
}

impl Terminal {
    async fn run(mut self, mut keys: mpsc::Receiver<Bytes>) {
        while let Some(chunk) = keys.recv().await {
            let Some(pieces) = self.pieces.upgrade() else { return };
            let output = Output { pieces, streams: self.streams, muted: Muted::default() };
            let mut echo = BytesMut::new();
            for byte in chunk {
                let typed = self.editor.feed(byte, &mut echo);
                match typed {
                    Some(Typed::Interrupt) => {
                        // Does not wait for room: the program that fills the output is what this is to end.
                        let _ = output.pieces.try_send((Channel::Out, echo.split().freeze()));
                        let _ = self.interrupt.try_send(());
                    }
                    Some(Typed::Line(line)) => {
                        output.echo(&mut echo).await;
                        let _ = self.lines.try_send(line);
                    }
                    Some(Typed::End) => {
                        let _ = self.lines.try_send(Bytes::new());
                    }
                    None => {}
                }
            }
            output.echo(&mut echo).await;
        }
    }
}
