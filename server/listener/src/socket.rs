//! A connection's socket: it notifies the meter when bytes arrive, when there are none, and when the client accepts none.

use std::{
    io::{self, ErrorKind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use rustix::net::Shutdown;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

use crate::table::{Entry, Place};

/// Frees its place when the socket is closed.
#[derive(Debug)]
pub(crate) struct Socket {
    /// The table looks at it too: see [`Place::watch`].
    stream: Arc<TcpStream>,
    entry: Entry,
    /// For this time the client's end is kept from the connection that answers a request; `ended` is the time once it has begun.
    half_close: Duration,
    ended: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, entry: Entry, half_close: Duration) -> Self {
        let stream = Arc::new(stream);
        entry.place.watch(&stream);
        Self { stream, entry, half_close, ended: None }
    }

    pub(crate) fn place(&self) -> Arc<Place> {
        Arc::clone(&self.entry.place)
    }

    /// The client sends no more, and may wait for its answer.
    fn may_wait(&mut self, cx: &mut Context<'_>) -> bool {
        if self.half_close.is_zero() || !self.entry.place.meter.is_answering() {
            return false;
        }
        let time = self.half_close;
        self.ended.get_or_insert_with(|| Box::pin(sleep(time))).as_mut().poll(cx).is_pending()
    }

    fn write(&self, cx: &mut Context<'_>, attempt: impl Fn(&TcpStream) -> io::Result<usize>) -> Poll<io::Result<usize>> {
        let meter = &self.entry.place.meter;
        loop {
            let Poll::Ready(can_write) = self.stream.poll_write_ready(cx) else {
                meter.blocked(Instant::now());
                return Poll::Pending;
            };
            match can_write.and_then(|()| attempt(&self.stream)) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                written => {
                    meter.wrote(Instant::now(), *written.as_ref().unwrap_or(&0) as u64);
                    return Poll::Ready(written);
                }
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let Poll::Ready(can_read) = self.stream.poll_read_ready(cx) else {
                self.entry.place.meter.read_nothing(Instant::now());
                return Poll::Pending;
            };
            // Into uninitialised memory: the buffer for a body grows to hundreds of kB, and zeroing it would cost more than the read.
            match can_read.and_then(|()| self.stream.try_read_buf(buffer)) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // The connection is woken by the answer, and reads again when it is sent.
                Ok(0) if buffer.remaining() > 0 && self.may_wait(cx) => return Poll::Pending,
                Ok(bytes) => {
                    if bytes > 0 {
                        self.entry.place.meter.read(Instant::now());
                    }
                    return Poll::Ready(Ok(()));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write(cx, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.write(cx, |stream| stream.try_write_vectored(bytes))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The system holds what was written.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(rustix::net::shutdown(&*self.stream, Shutdown::Write).map_err(Into::into))
    }
}
