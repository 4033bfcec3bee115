//! Connects to ports of a pod: as kubectl does it, with SPDY inside the WebSocket and many connections, or as `kube` does it, with two channels
//! for each port and one connection.

use std::{future::ready, pin::pin};

use axum::response::Response;
use bytes::{BufMut as _, Bytes, BytesMut};
use futures::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use serde_json::Value;
use tokio::{sync::mpsc, task::JoinSet};
use tokio_tungstenite::tungstenite::Message;

use super::{GOODBYE, check_node, close, upgrade};
use crate::{
    error::{ApiError, Result},
    pods::{self, Place},
    pump::pump,
    rest::Call,
    spdy, value,
    web_socket::WebSocket,
};

const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";
const CHANNELS: &str = "v4.channel.k8s.io";

/// Channels are numbered by one byte, and a port has two.
const MOST_PORTS: usize = 64;
/// Messages that wait for the client, and pieces that wait for a port.
const WAITING: usize = 32;

pub fn answer(place: Place, pod: &Value, call: &Call) -> Result<Response> {
    check_node(&place, pod)?;
    if value::text(pod, "/status/phase") != "Running" {
        let why =
            format!("Internal error occurred: unable to upgrade connection: pod not found (\"{}_{}\")", value::name(pod), value::namespace(pod));
        return Err(ApiError::new(500, "InternalError", why));
    }
    let (response, opening) = upgrade(call, &[TUNNEL, CHANNELS])?;
    let is_tunnel = opening.protocol == Some(TUNNEL);
    let ports = if is_tunnel { Vec::new() } else { ports(call)? };
    tokio::spawn(async move {
        let Some(socket) = opening.open().await else { return };
        let serving = async {
            if is_tunnel {
                tunnel(socket, &place).await;
            } else {
                channels(socket, &place, ports).await;
            }
        };
        tokio::select! {
            () = serving => {}
            () = place.all_ended() => {}
            () = place.cut() => {}
        }
    });
    Ok(response)
}

/// `ports=8888,22`, also repeated.
fn ports(call: &Call) -> Result<Vec<u16>> {
    let mut ports = Vec::new();
    for text in call.query.all("ports").flat_map(|list| list.split(',')) {
        let port = text.parse::<u16>().ok().filter(|port| *port > 0);
        ports.push(port.ok_or_else(|| ApiError::bad_request(format!("unable to parse {text:?} as a port")))?);
    }
    if ports.is_empty() || ports.len() > MOST_PORTS {
        return Err(ApiError::bad_request("query parameter \"ports\" is required"));
    }
    Ok(ports)
}

/// Sends messages until there are no more to come; `None` if the client is gone.
async fn send(mut sink: SplitSink<WebSocket, Message>, mut messages: mpsc::Receiver<Bytes>) -> Option<SplitSink<WebSocket, Message>> {
    while let Some(message) = messages.recv().await {
        sink.send(Message::Binary(message)).await.ok()?;
    }
    Some(sink)
}

async fn tunnel(socket: WebSocket, place: &Place) {
    let (sink, source) = socket.split();
    let (outgoing, messages) = mpsc::channel(WAITING);
    let incoming = source.take_while(|message| ready(message.is_ok())).filter_map(|message| {
        ready(match message {
            Ok(Message::Binary(bytes)) => Some(bytes),
            _ => None,
        })
    });
    let session = spdy::serve(incoming, outgoing, |port| pods::dial(place.clone(), port));
    let (ended, sink) = tokio::join!(session, send(sink, messages));
    if let Err(error) = ended {
        tracing::debug!(%error, "a port-forward ended");
    }
    if let Some(sink) = sink {
        close(sink).await;
    }
}

async fn channels(socket: WebSocket, place: &Place, ports: Vec<u16>) {
    let (sink, source) = socket.split();
    let (outgoing, messages) = mpsc::channel(WAITING);
    let mut inputs = Vec::new();
    let mut forwarding = JoinSet::new();
    for (channel, port) in (0_u8..).step_by(2).zip(ports) {
        let (input, from_client) = mpsc::channel(WAITING);
        inputs.push(Some(input));
        let port = Port { number: port, channel, from_client, outgoing: outgoing.clone() };
        forwarding.spawn(port.forward(place.clone()));
    }
    drop(outgoing);
    let mut listening = pin!(listen(source, inputs));
    let working = async {
        // Ends when the last port has ended: each has a clone of the sender.
        if let Some(sink) = send(sink, messages).await {
            close(sink).await;
        }
    };
    tokio::select! {
        () = working => {
            let _ = tokio::time::timeout(GOODBYE, listening).await;
        }
        () = &mut listening => {}
    }
}

async fn listen(mut source: SplitStream<WebSocket>, mut inputs: Vec<Option<mpsc::Sender<Bytes>>>) {
    while let Some(Ok(message)) = source.next().await {
        let Message::Binary(bytes) = message else { continue };
        let Some((channel, rest)) = bytes.split_first() else { continue };
        // Odd channels are for errors, which only the server has.
        let Some(slot) = inputs.get_mut(usize::from(channel / 2)).filter(|_| channel.is_multiple_of(2) && !rest.is_empty()) else { continue };
        let is_taken = match &*slot {
            Some(input) => input.send(bytes.slice(1..)).await.is_ok(),
            None => true,
        };
        if !is_taken {
            *slot = None;
        }
    }
}

/// One port of a connection with channels.
struct Port {
    number: u16,
    /// Of its data; its errors have the next one.
    channel: u8,
    from_client: mpsc::Receiver<Bytes>,
    outgoing: mpsc::Sender<Bytes>,
}

impl Port {
    async fn forward(self, place: Place) {
        let Self { number, channel, from_client, outgoing } = self;
        for of in [channel, channel + 1] {
            // If the client is gone, all ends.
            let _ = outgoing.send(message(of, &number.to_le_bytes())).await;
        }
        match pods::dial(place, number).await {
            Ok(pod) => pump(pod, from_client, &outgoing, |piece| message(channel, piece)).await,
            Err(why) => {
                let _ = outgoing.send(message(channel + 1, why.as_bytes())).await;
            }
        }
    }
}

fn message(channel: u8, bytes: &[u8]) -> Bytes {
    let mut message = BytesMut::with_capacity(bytes.len() + 1);
    message.put_u8(channel);
    message.put_slice(bytes);
    message.freeze()
}
