//! Copies between two sockets, both ways. A way that carries nothing at the moment holds no buffer: sockets of labs are idle most of the time,
//! and the buffers of `tokio::io::copy_bidirectional` would be most of the memory that each takes.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most bytes that are read at once.
const PIECE: usize = 16 * 1_024;

/// Copies until both sides have ended. The end of one is passed on to the other. Errors: the first one of either side.
pub async fn both(near: &mut (impl AsyncRead + AsyncWrite + Unpin), far: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    let (mut out, mut back) = (Way::default(), Way::default());
    poll_fn(|cx| {
        let is_out_done = out.poll(cx, near, far)?.is_ready();
        let is_back_done = back.poll(cx, far, near)?.is_ready();
        if is_out_done && is_back_done { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await
}

/// One of the two ways.
#[derive(Default)]
struct Way {
    /// Bytes that were read and that the other side did not take yet.
    waiting: Bytes,
    /// Something was written since the last flush.
    is_unflushed: bool,
    stage: Stage,
}

#[derive(Default, Clone, Copy)]
enum Stage {
    #[default]
    Open,
    /// The one side has ended, and the other is to be told.
    Ending,
    Ended,
}

impl Way {
    /// Ready when this way has ended.
    fn poll(&mut self, cx: &mut Context<'_>, from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) -> Poll<io::Result<()>> {
        loop {
            while !self.waiting.is_empty() {
                let written = ready!(Pin::new(&mut *to).poll_write(cx, &self.waiting))?;
                self.took(written)?;
                self.waiting.advance(written);
            }
            match self.stage {
                Stage::Open => ready!(self.poll_piece(cx, from, to))?,
                Stage::Ending => {
                    ready!(Pin::new(&mut *to).poll_shutdown(cx))?;
                    self.stage = Stage::Ended;
                }
                Stage::Ended => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Passes on what can be read now. The piece is on the stack; only what the other side does not take at once is kept.
    fn poll_piece(&mut self, cx: &mut Context<'_>, from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) -> Poll<io::Result<()>> {
        let mut piece = [MaybeUninit::<u8>::uninit(); PIECE];
        let mut buffer = ReadBuf::uninit(&mut piece);
        if Pin::new(from).poll_read(cx, &mut buffer)?.is_pending() {
            if self.is_unflushed {
                ready!(Pin::new(to).poll_flush(cx))?;
                self.is_unflushed = false;
            }
            return Poll::Pending;
        }
        let read = buffer.filled();
        if read.is_empty() {
            self.stage = Stage::Ending;
            return Poll::Ready(Ok(()));
        }
        let written = match Pin::new(to).poll_write(cx, read)? {
            Poll::Ready(written) => {
                self.took(written)?;
                written
            }
            Poll::Pending => 0,
        };
        self.waiting = Bytes::copy_from_slice(&read[written..]);
        Poll::Ready(Ok(()))
    }

    /// Errors: the other side takes nothing any more.
    fn took(&mut self, written: usize) -> io::Result<()> {
        self.is_unflushed = true;
        if written == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn bytes_and_ends_pass_both_ways_however_slowly_they_are_taken() {
        let (mut browser, mut near) = duplex(64);
        let (mut lab, mut far) = duplex(7);
        let relaying = tokio::spawn(async move { both(&mut near, &mut far).await });
        let sent: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let asking = async {
            browser.write_all(&sent).await.unwrap();
            browser.shutdown().await.unwrap();
        };
        let mut heard = Vec::new();
        let ((), length) = tokio::join!(asking, lab.read_to_end(&mut heard));
        assert_eq!((length.unwrap(), &heard), (sent.len(), &sent), "the end came after the last byte");
        // The other way is open still.
        lab.write_all(b"good bye").await.unwrap();
        drop(lab);
        let mut answer = String::new();
        browser.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "good bye");
        relaying.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn both_ways_are_carried_at_the_same_time() {
        let (mut browser, mut near) = duplex(16);
        let (mut lab, mut far) = duplex(16);
        let relaying = tokio::spawn(async move { both(&mut near, &mut far).await });
        for round in 0..100_u8 {
            browser.write_all(&[round, 1]).await.unwrap();
            lab.write_all(&[round, 2]).await.unwrap();
            let (mut at_lab, mut at_browser) = ([0; 2], [0; 2]);
            lab.read_exact(&mut at_lab).await.unwrap();
            browser.read_exact(&mut at_browser).await.unwrap();
            assert_eq!((at_lab, at_browser), ([round, 1], [round, 2]));
        }
        drop((browser, lab));
        relaying.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_side_that_breaks_ends_the_copy() {
        let (mut browser, mut near) = duplex(64);
        let (lab, mut far) = duplex(64);
        drop(lab);
        browser.write_all(b"anybody there?").await.unwrap();
        let error = both(&mut near, &mut far).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
