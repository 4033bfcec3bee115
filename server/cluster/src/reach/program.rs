//! A program that runs at the other end of a WebSocket: its streams, its terminal's size and its exit code, each a channel of the socket.
//! kube's own `AttachedProcess` is not used, since one loop of it moves both ways: while the output waits for a slow reader no key press
//! gets through, and input and output that both wait for each other never go on. Here each way is a task of its own.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::{
    FutureExt, Sink, SinkExt, Stream, StreamExt,
    stream::{SplitSink, SplitStream},
};
use kube::core::{Status, response::StatusSummary};
use serde_json::json;
use services::ports::{ClusterError, Exec, TerminalSize};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex},
    sync::{mpsc, oneshot, watch},
    task::AbortHandle,
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::errors::chain;

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
/// The `Status` with which the program ended.
const STATUS: u8 = 3;
const RESIZE: u8 = 4;
/// Says that the channel in its data has ended.
const CLOSE: u8 = 255;

/// Bytes that a stream holds for a slow reader before the program has to wait.
const BUFFER: usize = 64 * 1_024;
/// The same for a terminal. Its reader waits for all of it after Ctrl-C.
const TERMINAL_BUFFER: usize = 8 * 1_024;
/// Most bytes of input in one message.
const LARGEST: usize = 16 * 1_024;
/// Proxies on the way forget a connection on which nothing passes for a minute or more.
const PING_EVERY: Duration = Duration::from_secs(30);
/// A server answers a ping within this time, or the connection is gone without a word, as when a node fails.
const ANSWER: Duration = Duration::from_secs(5);

/// Effect of the end of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The program reads to the end.
    Ends,
    /// The protocol has no word for it: the program waits for more until the connection ends.
    StaysOpen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// One stream for all output, and a size.
    Terminal,
    /// A stream for errors beside the other.
    Separate,
}

/// The tasks of a connection. They end with the last of the streams and the exit code, and the connection with them.
struct Open([AbortHandle; 2]);

impl Drop for Open {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// A stream of the program that keeps the connection open.
struct Held {
    stream: DuplexStream,
    _open: Arc<Open>,
}

/// Carries a program that was just started. Must be called in a runtime.
pub fn attach<S>(socket: S, input: Input, output: Output) -> Exec
where
    S: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin + Send + 'static,
{
    let (to_pod, from_pod) = socket.split();
    let (stdin, stdin_far) = duplex(BUFFER);
    let (most, (stderr, stderr_far)) = match output {
        Output::Terminal => (TERMINAL_BUFFER, (None, None)),
        Output::Separate => (BUFFER, Some(duplex(BUFFER)).unzip()),
    };
    let (stdout, stdout_far) = duplex(most);
    let (resize, sizes) = mpsc::channel(8);
    let sizes = (output == Output::Terminal).then_some(sizes);
    let (report, outcome) = oneshot::channel();
    let (pinged, pings) = watch::channel(());
    let sending = tokio::spawn(send(to_pod, stdin_far, sizes, input, pinged)).abort_handle();
    let receiver = Receiver { stdout: stdout_far, stderr: stderr_far, report, sending: sending.clone(), pings };
    let receiving = tokio::spawn(receiver.run(from_pod)).abort_handle();
    let open = Arc::new(Open([sending, receiving]));
    let held = |stream| Held { stream, _open: Arc::clone(&open) };
    let (stdin, stdout, stderr) = (held(stdin), held(stdout), stderr.map(held));
    Exec {
        stdin: Box::new(stdin),
        stdout: Box::new(stdout),
        stderr: stderr.map(|stderr| Box::new(stderr) as Box<dyn AsyncRead + Send + Unpin>),
        resize: (output == Output::Terminal).then_some(resize),
        exit: async move {
            let outcome = outcome.await;
            drop(open);
            outcome.unwrap_or_else(|_| Err(ClusterError::Away("the connection to the program was closed".into())))
        }
        .boxed(),
    }
}

/// Sends input and sizes until the connection ends.
async fn send<S>(
    mut socket: SplitSink<S, Message>,
    mut stdin: DuplexStream,
    mut sizes: Option<mpsc::Receiver<TerminalSize>>,
    input: Input,
    pinged: watch::Sender<()>,
) where
    S: Sink<Message, Error = Error> + Unpin,
{
    let mut pings = interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings.reset();
    let mut buffer = vec![0; LARGEST];
    let mut is_open = true;
    // A server that waits for the program to take its input reads no ping either, so a ping that follows input proves nothing.
    let mut has_typed = false;
    loop {
        let next_size = async {
            match &mut sizes {
                Some(sizes) => sizes.recv().await,
                None => None,
            }
        };
        let message = tokio::select! {
            // Sizes first: what is typed after a change is meant for the new size.
            biased;
            // If the sender of the sizes is dropped, this branch is off.
            Some(size) = next_size => framed(RESIZE, json!({ "Width": size.columns, "Height": size.rows }).to_string().as_bytes()),
            read = stdin.read(&mut buffer), if is_open => match read {
                Ok(length) if length > 0 => {
                    has_typed = true;
                    framed(STDIN, &buffer[..length])
                }
                _ => {
                    is_open = false;
                    if input == Input::StaysOpen {
                        continue;
                    }
                    framed(CLOSE, &[STDIN])
                }
            },
            _ = pings.tick() => Message::Ping(Bytes::new()),
        };
        let is_proof = matches!(message, Message::Ping(_)) && !std::mem::take(&mut has_typed);
        // The receiving task gets the error too, and reports it.
        if socket.send(message).await.is_err() {
            return;
        }
        if is_proof {
            pinged.send_replace(());
        }
    }
}

struct Receiver {
    stdout: DuplexStream,
    stderr: Option<DuplexStream>,
    report: oneshot::Sender<Result<i32, ClusterError>>,
    sending: AbortHandle,
    /// Changes with each ping that must be answered.
    pings: watch::Receiver<()>,
}

impl Receiver {
    /// Hands out what the program writes until it ends, and reports its end.
    async fn run<S>(self, mut socket: SplitStream<S>)
    where
        S: Stream<Item = Result<Message, Error>> + Unpin,
    {
        let Self { mut stdout, mut stderr, report, sending, mut pings } = self;
        let outcome = loop {
            let next = tokio::select! {
                biased;
                next = socket.next() => next,
                () = unanswered(&mut pings) => break Err(ClusterError::Away("the server does not answer any more".into())),
            };
            let message = match next {
                Some(Ok(Message::Binary(message))) => message,
                Some(Ok(Message::Close(_))) | None => break Err(ClusterError::Away("the connection ended before the program".into())),
                Some(Ok(_)) => continue,
                Some(Err(error)) => break Err(ClusterError::Away(chain(&error))),
            };
            match message.split_first() {
                // A stream that the caller dropped is read all the same, so that the program goes on.
                Some((&STDOUT, bytes)) => drop(stdout.write_all(bytes).await),
                Some((&STDERR, bytes)) => {
                    if let Some(stderr) = &mut stderr {
                        drop(stderr.write_all(bytes).await);
                    }
                }
                Some((&STATUS, status)) if !status.is_empty() => break exit_code(status),
                _ => {}
            }
        };
        // Readers come to the end of the streams, and writers get an error.
        drop((stdout, stderr));
        sending.abort();
        // The caller may not want the exit code.
        drop(report.send(outcome));
    }
}

/// Ends when a ping was not answered in time. Whatever the server says answers it, since the caller begins anew with each message.
async fn unanswered(pings: &mut watch::Receiver<()>) {
    if pings.changed().await.is_err() {
        // Nothing is sent any more, so nothing is asked.
        return std::future::pending().await;
    }
    sleep(ANSWER).await;
}

/// A message without data means something else on some servers, so `bytes` is never empty.
fn framed(channel: u8, bytes: &[u8]) -> Message {
    let mut message = Vec::with_capacity(1 + bytes.len());
    message.push(channel);
    message.extend_from_slice(bytes);
    Message::binary(message)
}

/// Errors: `Refused` with the node's reason if the program was not started.
fn exit_code(status: &[u8]) -> Result<i32, ClusterError> {
    let status: Status = serde_json::from_slice(status).map_err(|error| ClusterError::Away(format!("the exit code cannot be read: {error}")))?;
    if status.status == Some(StatusSummary::Success) {
        return Ok(0);
    }
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    let code = causes.find(|cause| cause.reason == "ExitCode").and_then(|cause| cause.message.parse().ok());
    code.ok_or(ClusterError::Refused { reason: status.reason, message: status.message })
}

impl AsyncRead for Held {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Held {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
