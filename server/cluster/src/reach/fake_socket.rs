//! A WebSocket without a network: the test says what the server sends, and sees what is sent to it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{Sink, Stream, StreamExt, channel::mpsc};
use tokio_tungstenite::tungstenite::{Error, Message};

pub struct Socket {
    messages: mpsc::UnboundedReceiver<Result<Message, Error>>,
    sent: mpsc::UnboundedSender<Message>,
}

/// The server's side of it.
pub struct Server {
    tell: mpsc::UnboundedSender<Result<Message, Error>>,
    received: mpsc::UnboundedReceiver<Message>,
}

pub fn pair() -> (Socket, Server) {
    let (tell, messages) = mpsc::unbounded();
    let (sent, received) = mpsc::unbounded();
    (Socket { messages, sent }, Server { tell, received })
}

impl Server {
    pub fn say(&self, message: &[u8]) {
        self.tell.unbounded_send(Ok(Message::binary(message.to_vec()))).expect("it listens");
    }

    /// Messages to the client that it has not read yet.
    pub fn unread(&self) -> usize {
        self.tell.len()
    }

    pub fn answer_ping(&self) {
        self.tell.unbounded_send(Ok(Message::Pong(Bytes::new()))).expect("it listens");
    }

    pub fn close(&self) {
        self.tell.unbounded_send(Ok(Message::Close(None))).expect("it listens");
    }

    pub fn fail(&self) {
        self.tell.unbounded_send(Err(Error::Io(std::io::ErrorKind::ConnectionReset.into()))).expect("it listens");
    }

    /// The next message that was sent to it; `None` once the socket is dropped.
    pub async fn hears(&mut self) -> Option<Vec<u8>> {
        self.received.next().await.map(|message| message.into_data().to_vec())
    }
}

impl Stream for Socket {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.messages.poll_next_unpin(context)
    }
}

impl Sink<Message> for Socket {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.sent.unbounded_send(message).map_err(|_| Error::ConnectionClosed)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }
}
