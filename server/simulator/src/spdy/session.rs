//! One session of port-forwarding. For each connection to the local port, kubectl opens two streams with the same `requestID`: `error`, which
//! only the server writes, and `data`. Rules that kubectl depends on: each stream is replied to, a stream that the client has reset gets no
//! more data, and the error stream stays empty unless the port could not be reached: kubectl ends as a whole at the first text there.

use std::{collections::HashMap, time::Duration};

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    Malformed,
    frame::Frame,
    headers::{Reader, Writer},
};
use crate::{pods::Connection, pump::pump};

/// Pieces of data that wait for the pod, for each stream.
const WAITING: usize = 64;
/// A pod that does not read holds up all streams of its session. After this time its stream is reset.
const STALLED: Duration = Duration::from_secs(10);

/// `RST_STREAM`: the stream is refused; the stream is over for another reason.
const REFUSED: u32 = 3;
const INTERNAL_ERROR: u32 = 6;

/// Serves a session until `incoming` or `outgoing` ends. `dial` connects to a port, or says why it cannot.
pub async fn serve<D, F>(mut incoming: impl Stream<Item = Bytes> + Unpin, outgoing: mpsc::Sender<Bytes>, dial: D) -> Result<(), Malformed>
where
    D: Fn(u16) -> F,
    F: Future<Output = Result<Connection, String>> + Send + 'static,
{
    let mut session = Session {
        dial,
        outgoing,
        reader: Reader::new(),
        writer: Writer::new()?,
        errors: HashMap::new(),
        open: HashMap::new(),
        forwarding: JoinSet::new(),
    };
    let mut buffer = BytesMut::new();
    loop {
        tokio::select! {
            piece = incoming.next() => {
                let Some(piece) = piece else { return Ok(()) };
                buffer.extend_from_slice(&piece);
                while let Some(frame) = Frame::take(&mut buffer)? {
                    if session.take(frame).await?.is_none() {
                        return Ok(());
                    }
                }
            }
            Some(done) = session.forwarding.join_next() => {
                if let Ok(stream) = done {
                    session.open.remove(&stream);
                }
            }
        }
    }
}

struct Session<D> {
    dial: D,
    outgoing: mpsc::Sender<Bytes>,
    reader: Reader,
    writer: Writer,
    /// Error streams that wait for their data streams, by the request.
    errors: HashMap<String, u32>,
    /// Data streams.
    open: HashMap<u32, Open>,
    /// Ends with the session. Each gives its data stream when it is done.
    forwarding: JoinSet<u32>,
}

/// A data stream in use.
struct Open {
    /// `None` after the client's last piece.
    to_pod: Option<mpsc::Sender<Bytes>>,
    reset: CancellationToken,
}

impl<D, F> Session<D>
where
    D: Fn(u16) -> F,
    F: Future<Output = Result<Connection, String>> + Send + 'static,
{
    /// `None` when the client is gone.
    async fn take(&mut self, frame: Frame) -> Result<Option<()>, Malformed> {
        Ok(match frame {
            Frame::SynStream { stream, block, .. } => self.begin(stream, &block).await?,
            Frame::SynReply { block, .. } | Frame::Headers { block } => {
                self.reader.read(&block)?;
                Some(())
            }
            Frame::Data { stream, is_last, bytes } => self.pass_on(stream, is_last, bytes).await,
            Frame::Reset { stream, .. } => {
                if let Some(open) = self.open.remove(&stream) {
                    open.reset.cancel();
                }
                Some(())
            }
            // The numbers of clients are odd; an even one would answer a ping of ours.
            Frame::Ping(number) if number % 2 == 1 => self.send(&Frame::Ping(number)).await,
            Frame::Ping(_) | Frame::GoAway { .. } | Frame::Ignored => Some(()),
        })
    }

    async fn send(&self, frame: &Frame) -> Option<()> {
        self.outgoing.send(frame.encode()).await.ok()
    }

    async fn begin(&mut self, stream: u32, block: &[u8]) -> Result<Option<()>, Malformed> {
        let headers = self.reader.read(block)?;
        let header = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str()).unwrap_or_default();
        let (kind, request, port) =
            (header("streamtype"), header("requestid").to_owned(), header("port").parse::<u16>().ok().filter(|port| *port > 0));
        let is_data = kind == "data";
        let (true, Some(port)) = (is_data || kind == "error", port) else {
            return Ok(self.send(&Frame::Reset { stream, status: REFUSED }).await);
        };
        if is_data && !self.errors.contains_key(&request) {
            return Ok(self.send(&Frame::Reset { stream, status: REFUSED }).await);
        }
        let block = self.writer.write(&[])?;
        if self.send(&Frame::SynReply { stream, block }).await.is_none() {
            return Ok(None);
        }
        if !is_data {
            self.errors.insert(request, stream);
        } else if let Some(error) = self.errors.remove(&request) {
            self.connect(Pair { data: stream, error }, port);
        }
        Ok(Some(()))
    }

    fn connect(&mut self, pair: Pair, port: u16) {
        let (to_pod, from_client) = mpsc::channel(WAITING);
        let reset = CancellationToken::new();
        self.open.insert(pair.data, Open { to_pod: Some(to_pod), reset: reset.clone() });
        self.forwarding.spawn(forward(pair, (self.dial)(port), from_client, self.outgoing.clone(), reset));
    }

    async fn pass_on(&mut self, stream: u32, is_last: bool, bytes: Bytes) -> Option<()> {
        // Data of a stream that is over may still be on its way, and error streams are closed by the client at once.
        let Some(open) = self.open.get_mut(&stream) else { return Some(()) };
        let mut is_stalled = false;
        if let Some(to_pod) = &open.to_pod
            && !bytes.is_empty()
        {
            is_stalled = to_pod.send_timeout(bytes, STALLED).await.is_err_and(|error| matches!(error, mpsc::error::SendTimeoutError::Timeout(_)));
        }
        if is_last {
            open.to_pod = None;
        }
        if is_stalled {
            open.reset.cancel();
            self.open.remove(&stream);
            return self.send(&Frame::Reset { stream, status: INTERNAL_ERROR }).await;
        }
        Some(())
    }
}

/// The two streams of a connection.
#[derive(Debug, Clone, Copy)]
struct Pair {
    data: u32,
    error: u32,
}

async fn forward(
    pair: Pair,
    dialling: impl Future<Output = Result<Connection, String>>,
    from_client: mpsc::Receiver<Bytes>,
    outgoing: mpsc::Sender<Bytes>,
    reset: CancellationToken,
) -> u32 {
    let Pair { data, error } = pair;
    let wrap = |bytes: &[u8]| Frame::Data { stream: data, is_last: false, bytes: Bytes::copy_from_slice(bytes) }.encode();
    let last = |stream, bytes| Frame::Data { stream, is_last: true, bytes }.encode();
    let (is_reset, complaint) = match dialling.await {
        Ok(pod) => {
            let is_reset = tokio::select! {
                () = reset.cancelled() => true,
                () = pump(pod, from_client, &outgoing, wrap) => false,
            };
            (is_reset, Bytes::new())
        }
        Err(why) => (false, Bytes::from(why)),
    };
    // If the client is gone, the session ends.
    let _ = outgoing.send(last(error, complaint)).await;
    if !is_reset {
        let _ = outgoing.send(last(data, Bytes::new())).await;
    }
    data
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// kubectl's side of a session.
    struct Client {
        to_server: mpsc::Sender<Bytes>,
        from_server: mpsc::Receiver<Bytes>,
        writer: Writer,
        buffer: BytesMut,
    }

    impl Client {
        fn start() -> Self {
            let (to_server, mut incoming) = mpsc::channel(16);
            let (outgoing, from_server) = mpsc::channel(16);
            let incoming = futures::stream::poll_fn(move |cx| incoming.poll_recv(cx));
            tokio::spawn(serve(incoming, outgoing, |port| async move {
                if port != 8888 {
                    return Err(format!("nothing on {port}"));
                }
                let (near, far) = tokio::io::duplex(1024);
                tokio::spawn(async move {
                    let (mut read, mut write) = tokio::io::split(far);
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                    let _ = write.shutdown().await;
                });
                Ok(Box::new(near) as Connection)
            }));
            Self { to_server, from_server, writer: Writer::new().unwrap(), buffer: BytesMut::new() }
        }

        async fn send(&self, frame: &Frame) {
            self.to_server.send(frame.encode()).await.unwrap();
        }

        async fn open(&mut self, stream: u32, kind: &str, port: &str, request: &str) {
            let block = self.writer.write(&[("streamtype", kind), ("port", port), ("requestid", request)]).unwrap();
            self.send(&Frame::SynStream { stream, is_last: false, block }).await;
        }

        async fn next(&mut self) -> Frame {
            loop {
                if let Some(frame) = Frame::take(&mut self.buffer).unwrap() {
                    return frame;
                }
                self.buffer.extend_from_slice(&self.from_server.recv().await.unwrap());
            }
        }
    }

    fn data(stream: u32, is_last: bool, text: &'static str) -> Frame {
        Frame::Data { stream, is_last, bytes: Bytes::from_static(text.as_bytes()) }
    }

    #[tokio::test]
    async fn a_pair_of_streams_is_a_connection() {
        let mut client = Client::start();
        client.open(1, "error", "8888", "0").await;
        client.send(&data(1, true, "")).await;
        client.open(3, "data", "8888", "0").await;
        assert!(matches!(client.next().await, Frame::SynReply { stream: 1, .. }));
        assert!(matches!(client.next().await, Frame::SynReply { stream: 3, .. }));
        client.send(&Frame::Ping(1)).await;
        assert_eq!(client.next().await, Frame::Ping(1));
        client.send(&data(3, false, "hello")).await;
        assert_eq!(client.next().await, data(3, false, "hello"));
        client.send(&data(3, true, "")).await;
        assert_eq!(client.next().await, data(1, true, ""), "the error stream ends empty");
        assert_eq!(client.next().await, data(3, true, ""));
    }

    #[tokio::test]
    async fn a_refused_port_is_told_on_the_error_stream() {
        let mut client = Client::start();
        client.open(1, "error", "22", "0").await;
        client.open(3, "data", "22", "0").await;
        let (_, _) = (client.next().await, client.next().await);
        assert_eq!(client.next().await, data(1, true, "nothing on 22"));
        assert_eq!(client.next().await, data(3, true, ""));
    }

    #[tokio::test]
    async fn a_reset_ends_one_connection_without_a_word_and_leaves_the_others() {
        let mut client = Client::start();
        for (stream, kind, request) in [(1, "error", "0"), (3, "data", "0"), (5, "error", "1"), (7, "data", "1")] {
            client.open(stream, kind, "8888", request).await;
            client.next().await;
        }
        client.send(&Frame::Reset { stream: 3, status: 5 }).await;
        assert_eq!(client.next().await, data(1, true, ""));
        client.send(&data(3, false, "late")).await;
        client.send(&data(7, false, "still here")).await;
        assert_eq!(client.next().await, data(7, false, "still here"));
    }

    #[tokio::test]
    async fn a_stream_that_names_no_port_or_no_request_is_refused() {
        let mut client = Client::start();
        for (stream, kind, port) in [(1, "error", "no"), (3, "data", "8888"), (5, "other", "8888")] {
            client.open(stream, kind, port, "9").await;
            assert_eq!(client.next().await, Frame::Reset { stream, status: REFUSED });
        }
    }
}
