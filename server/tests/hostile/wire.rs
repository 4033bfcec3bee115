//! HTTP/1.1 written by hand: a client that sends what no client would.

use std::{fmt::Write as _, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Nothing that is asked here takes nearly so long; what hangs fails the test instead of the build.
const PATIENCE: Duration = Duration::from_mins(1);
/// Long for an answer, short for the few requests that never end.
const HANGING_UP: Duration = Duration::from_secs(5);

/// A request, byte by byte.
#[derive(Clone)]
pub struct Ask {
    pub method: String,
    pub target: Vec<u8>,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Ask {
    pub fn new(method: &str, target: impl Into<Vec<u8>>) -> Self {
        Self { method: method.to_owned(), target: target.into(), headers: Vec::new(), body: Vec::new() }
    }
    pub fn get(target: impl Into<Vec<u8>>) -> Self {
        Self::new("GET", target)
    }
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
    #[must_use]
    pub fn body(mut self, media: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", media)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = format!("{} ", self.method).into_bytes();
        out.extend(&self.target);
        out.extend(b" HTTP/1.1\r\nhost: lectern.test\r\nconnection: close\r\n");
        for (name, value) in &self.headers {
            out.extend(name.as_bytes());
            out.extend(b": ");
            out.extend(value);
            out.extend(b"\r\n");
        }
        let chunked = self.headers.iter().any(|(name, _)| name == "transfer-encoding");
        if !chunked && (!self.body.is_empty() || !matches!(self.method.as_str(), "GET" | "HEAD")) {
            out.extend(format!("content-length: {}\r\n", self.body.len()).into_bytes());
        }
        out.extend(b"\r\n");
        out.extend(&self.body);
        out
    }

    /// The answer; `None` when the server closed the connection without a word.
    pub async fn send(&self, to: SocketAddr) -> Option<Answer> {
        raw(to, &self.bytes()).await
    }

    /// For a message: short, and without bytes that a terminal minds.
    pub fn shown(&self) -> String {
        let short = |bytes: &[u8]| {
            let text: String = bytes.iter().take(300).flat_map(|byte| std::ascii::escape_default(*byte)).map(char::from).collect();
            if bytes.len() > 300 { format!("{text}… ({} bytes)", bytes.len()) } else { text }
        };
        let mut text = format!("{} {}", self.method, short(&self.target));
        for (name, value) in self.headers.iter().filter(|(name, _)| !matches!(name.as_str(), "authorization" | "accept-language")) {
            let _ = write!(text, "\n    {name}: {}", if name == "cookie" { value.len().to_string() } else { short(value) });
        }
        if !self.body.is_empty() {
            let _ = write!(text, "\n    {}", short(&self.body));
        }
        text
    }
}

/// Sends these bytes as they are.
pub async fn raw(to: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    let exchange = async {
        let mut stream = TcpStream::connect(to).await.expect("a connection");
        // The server may refuse and close before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        // What has no end that the server could see gets one: the client hangs up.
        if tokio::time::timeout(HANGING_UP, stream.read_to_end(&mut answer)).await.is_err() {
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut answer).await;
        }
        answer
    };
    let bytes = tokio::time::timeout(PATIENCE, exchange).await.expect("an answer in time");
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<_> = lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    let rest = &bytes[end + 4..];
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    Some(Answer { status, headers, body: if chunked { dechunked(rest) } else { rest.to_vec() } })
}

fn dechunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap_or_default(), 16).unwrap_or_default();
        bytes = &bytes[end + 2..];
        if length == 0 || bytes.len() < length {
            break;
        }
        out.extend(&bytes[..length]);
        bytes = bytes.get(length + 2..).unwrap_or_default();
    }
    out
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    pub fn is_json(&self) -> bool {
        self.header("content-type").is_some_and(|media| media.contains("json"))
    }
    /// Whether the router answered; what is no HTTP is refused before it.
    pub fn is_ours(&self) -> bool {
        self.header("x-request-id").is_some()
    }
}
