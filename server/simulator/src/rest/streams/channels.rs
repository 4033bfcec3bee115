//! The channels of exec and attach: the first byte of each message says which. A `Status` ends them.

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Message;

use super::{GOODBYE, close};
use crate::{
    error::{ApiError, Result},
    pods::{
        Place,
        process::{Channel, Exit, Size, Streams, Wires},
    },
    rest::Call,
    web_socket::WebSocket,
};

/// Version 5 adds the message that closes the client's input; with version 4, its end is the end of the connection.
pub const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
const RESIZE: u8 = 4;
const CLOSE: u8 = 255;

/// Messages that wait for the program.
const WAITING: usize = 16;
/// Pieces of output that wait for the client. A real terminal holds about as little: the reader gets it before the answer to Ctrl-C.
const WRITTEN: usize = 2;

/// The streams that a request asks for.
pub fn streams(call: &Call) -> Result<Streams> {
    let asked = |name: &str| call.query.flag(name);
    let terminal = asked("tty");
    let streams = Streams { stdin: asked("stdin"), stdout: asked("stdout"), stderr: asked("stderr") && !terminal, terminal };
    if streams.stdin || streams.stdout || streams.stderr {
        return Ok(streams);
    }
    Err(ApiError::bad_request("you must specify at least 1 of stdin, stdout, stderr"))
}

/// Runs a program with the client's streams, and tells the client how it ended. `command`: how messages name the program.
pub async fn serve<F>(socket: WebSocket, streams: Streams, place: &Place, command: &str, start: impl FnOnce(Wires) -> F)
where
    F: Future<Output = Exit>,
{
    let (sink, source) = socket.split();
    let (pieces, queue) = mpsc::channel(WRITTEN);
    let (input, keys) = mpsc::channel(WAITING);
    let (resize, size) = watch::channel(None);
    let program = start(Wires { keys, pieces, size, streams });
    let listening = listen(source, streams.stdin.then_some(input), resize);
    let working = async {
        let (exit, sink) = tokio::join!(program, send(sink, queue));
        if let Some(mut sink) = sink {
            let status = status(&exit, command).to_string();
            // A client that is gone needs no status.
            let _ = sink.send(message(STATUS, status.as_bytes())).await;
            close(sink).await;
        }
    };
    tokio::pin!(listening);
    tokio::select! {
        () = working => {
            let _ = tokio::time::timeout(GOODBYE, listening).await;
        }
        // The client is gone, and the program ends with it.
        () = &mut listening => {}
        () = place.cut() => {}
    }
}

fn message(channel: u8, bytes: &[u8]) -> Message {
    let mut message = BytesMut::with_capacity(bytes.len() + 1);
    message.put_u8(channel);
    message.put_slice(bytes);
    Message::Binary(message.freeze())
}

/// Sends what the program writes until it has ended; `None` if the client is gone.
async fn send(mut sink: SplitSink<WebSocket, Message>, mut queue: mpsc::Receiver<(Channel, Bytes)>) -> Option<SplitSink<WebSocket, Message>> {
    while let Some((channel, bytes)) = queue.recv().await {
        let channel = match channel {
            Channel::Out => STDOUT,
            Channel::Err => STDERR,
        };
        sink.send(message(channel, &bytes)).await.ok()?;
    }
    Some(sink)
}

/// Passes on what the client sends, until it is gone.
async fn listen(mut source: SplitStream<WebSocket>, mut input: Option<mpsc::Sender<Bytes>>, resize: watch::Sender<Option<Size>>) {
    while let Some(Ok(message)) = source.next().await {
        let Message::Binary(bytes) = message else { continue };
        let Some((channel, rest)) = bytes.split_first() else { continue };
        match *channel {
            STDIN if !rest.is_empty() => {
                let is_taken = match &input {
                    Some(input) => input.send(bytes.slice(1..)).await.is_ok(),
                    None => true,
                };
                if !is_taken {
                    input = None;
                }
            }
            RESIZE => {
                if let Ok(size) = serde_json::from_slice(rest) {
                    resize.send_replace(Some(size));
                }
            }
            CLOSE if rest == [STDIN] => input = None,
            _ => {}
        }
    }
}

/// As a kubelet writes it.
fn status(exit: &Exit, command: &str) -> Value {
    match exit {
        Exit::Code(0) => json!({"metadata": {}, "status": "Success"}),
        Exit::Code(code) => json!({
            "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
            "message": format!("command terminated with non-zero exit code: error executing command [{command}], exit code {code}"),
            "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
        }),
        Exit::NotStarted(why) => json!({
            "metadata": {}, "status": "Failure", "reason": "InternalError", "code": 500,
            "message": format!("Internal error occurred: {why}"), "details": {"causes": [{"message": why}]},
        }),
    }
}
