//! A connection to a port of a pod through the API server: a WebSocket with a channel for the data and one for a failure. kube's own
//! `Portforwarder` is not used, since its stream simply ends where the connection was refused, and since each takes a task and a buffer of
//! up to a megabyte. The protocol has no half-closed connection: a shutdown sends what is left and does not end the other way. A peer that
//! vanished without a word is found by pings, which the reading side sends while it waits.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures::{Sink, SinkExt, Stream, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};
use tokio_tungstenite::tungstenite::{Error, Message};

const DATA: u8 = 0;
/// The other channel of the port is 1, on which the node says why the connection failed.
const CHANNELS: usize = 2;
/// Most bytes in one message.
const LARGEST: usize = 16 * 1_024;
/// The node connects to the program after both channels have begun, and says only if that failed. A refusal that takes longer than this
/// comes as the error of the first read.
const SETTLE: Duration = Duration::from_millis(20);

/// Silence after which a ping is sent. Proxies on the way forget a connection on which nothing passes for a minute or more.
const PING_AFTER: Duration = Duration::from_secs(20);
/// A server answers a ping within this time.
const ANSWER: Duration = Duration::from_secs(5);
/// The same if data went out before the ping: while the program takes none, the server may read nothing, so not even the ping.
const LATE_ANSWER: Duration = Duration::from_secs(35);

/// Time in which the server said nothing.
struct Silence {
    /// The time of the next ping, or by which the last one must be answered.
    end: Pin<Box<Sleep>>,
    is_pinged: bool,
    /// Data went out since the server was last heard.
    has_written: bool,
}

impl Silence {
    fn begin() -> Self {
        Self { end: Box::pin(sleep(PING_AFTER)), is_pinged: false, has_written: false }
    }

    /// The server was heard.
    fn broken(&mut self) {
        (self.is_pinged, self.has_written) = (false, false);
        self.lasts(PING_AFTER);
    }

    fn lasts(&mut self, time: Duration) {
        self.end.as_mut().reset(Instant::now() + time);
    }
}

pub struct Forward<S> {
    socket: S,
    silence: Silence,
    /// Data from the pod that was not read yet.
    unread: Bytes,
    /// Channels whose first message, the number of the port, has come.
    begun: [bool; CHANNELS],
    /// Whether the program has answered anything.
    answered: bool,
    ended: bool,
}

impl<S> Forward<S>
where
    S: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin,
{
    /// Waits until the node has taken the connection. Errors: `ConnectionRefused` if nothing listens on the port, else those of the socket.
    pub async fn open(socket: S) -> io::Result<Self> {
        let silence = Silence::begin();
        let mut forward = Self { socket, silence, unread: Bytes::new(), begun: [false; CHANNELS], answered: false, ended: false };
        while forward.begun != [true; CHANNELS] && forward.unread.is_empty() {
            if forward.ended {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed before it began"));
            }
            forward.receive().await?;
        }
        if forward.unread.is_empty()
            && let Ok(outcome) = tokio::time::timeout(SETTLE, forward.receive()).await
        {
            outcome?;
        }
        Ok(forward)
    }

    async fn receive(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll_receive(context)).await
    }

    /// Takes one message in, or finds that none will come.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Messages that have come are taken first: a reader may have been away for longer than the silence.
        let Poll::Ready(next) = self.socket.poll_next_unpin(context) else { return self.poll_silence(context) };
        self.silence.broken();
        let outcome = match next {
            Some(Ok(Message::Binary(message))) => self.take(message),
            Some(Ok(Message::Close(_))) | None => {
                self.ended = true;
                Ok(())
            }
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(broken(error)),
        };
        self.ended |= outcome.is_err();
        Poll::Ready(outcome)
    }

    /// Sends a ping when the server is silent. Errors: `TimedOut` if it did not answer the last one.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.silence.end.as_mut().poll(context).is_ready() {
            if self.silence.is_pinged {
                self.ended = true;
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the server does not answer any more")));
            }
            // A socket that takes nothing now has data to send, whose loss the network notices.
            if let Poll::Ready(is_ready) = self.socket.poll_ready_unpin(context) {
                is_ready.map_err(broken)?;
                self.socket.start_send_unpin(Message::Ping(Bytes::new())).map_err(broken)?;
                if let Poll::Ready(Err(error)) = self.socket.poll_flush_unpin(context) {
                    return Poll::Ready(Err(broken(error)));
                }
                self.silence.is_pinged = true;
            }
            self.silence.lasts(match (self.silence.is_pinged, self.silence.has_written) {
                (false, _) => PING_AFTER,
                (true, false) => ANSWER,
                (true, true) => LATE_ANSWER,
            });
        }
        Poll::Pending
    }

    fn take(&mut self, mut message: Bytes) -> io::Result<()> {
        if message.is_empty() {
            return Ok(());
        }
        let channel = message.split_to(1)[0];
        let Some(begun) = self.begun.get_mut(usize::from(channel)) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a message on channel {channel}")));
        };
        if !*begun {
            *begun = true;
            return Ok(());
        }
        if channel == DATA {
            self.answered |= !message.is_empty();
            self.unread = message;
            return Ok(());
        }
        let kind = if self.answered { io::ErrorKind::ConnectionReset } else { io::ErrorKind::ConnectionRefused };
        Err(io::Error::new(kind, String::from_utf8_lossy(&message).trim().to_owned()))
    }
}

impl<S> AsyncRead for Forward<S>
where
    S: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin,
{
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.unread.is_empty() {
            if this.ended {
                return Poll::Ready(Ok(()));
            }
            ready!(this.poll_receive(context))?;
        }
        let length = this.unread.len().min(buffer.remaining());
        buffer.put_slice(&this.unread.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl<S> AsyncWrite for Forward<S>
where
    S: Sink<Message, Error = Error> + Unpin,
{
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let length = bytes.len().min(LARGEST);
        // A message without data means something else on some servers.
        if length == 0 {
            return Poll::Ready(Ok(0));
        }
        ready!(this.socket.poll_ready_unpin(context)).map_err(broken)?;
        let mut message = Vec::with_capacity(1 + length);
        message.push(DATA);
        message.extend_from_slice(&bytes[..length]);
        this.socket.start_send_unpin(Message::binary(message)).map_err(broken)?;
        this.silence.has_written = true;
        // Sent at once, as by a socket: not every caller flushes. If the network is busy, the next call sends it.
        if let Poll::Ready(Err(error)) = this.socket.poll_flush_unpin(context) {
            return Poll::Ready(Err(broken(error)));
        }
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().socket.poll_flush_unpin(context).map_err(broken)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

fn broken(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::new(io::ErrorKind::ConnectionReset, other),
    }
}

#[cfg(test)]
mod tests;
