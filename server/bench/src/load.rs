//! Load on one page: so many connections that ask again as soon as they were answered, for a fixed time. Plain HTTP/1.1 on hyper, so
//! that little of the two cores goes to the client.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

use crate::stats::{Times, milliseconds};

/// A page to ask for.
#[derive(Debug, Clone)]
pub struct Target {
    /// `127.0.0.1:PORT`
    pub host: String,
    pub path: String,
    pub cookie: Option<String>,
    /// `Host` where it is not the address.
    pub site: Option<String>,
}

#[derive(Debug)]
pub struct Load {
    pub per_second: f64,
    pub times: Times,
    /// Of one answer's body.
    pub bytes: usize,
}

impl Target {
    pub fn new(base: &str, path: &str, cookie: Option<&str>) -> Self {
        Self { host: base.trim_start_matches("http://").to_owned(), path: path.to_owned(), cookie: cookie.map(ToOwned::to_owned), site: None }
    }

    pub fn name(&self) -> &str {
        self.site.as_deref().unwrap_or(&self.host)
    }

    async fn connect(&self) -> Result<SendRequest<Empty<Bytes>>> {
        let stream = TcpStream::connect(&self.host).await.with_context(|| format!("cannot connect to {}", self.host))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Ends with the sender.
        tokio::spawn(connection);
        Ok(sender)
    }

    /// Errors: an answer that is not 200.
    async fn send(&self, sender: &mut SendRequest<Empty<Bytes>>) -> Result<http::Response<Incoming>> {
        let mut request = http::Request::get(&self.path).header("host", self.name()).header("accept", "text/html").header("accept-language", "zh-CN");
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        sender.ready().await?;
        let answer = sender.send_request(request.body(Empty::new())?).await?;
        ensure!(answer.status() == 200, "{} answered {}", self.path, answer.status());
        Ok(answer)
    }

    async fn ask(&self, sender: &mut SendRequest<Empty<Bytes>>) -> Result<Bytes> {
        Ok(self.send(sender).await?.into_body().collect().await?.to_bytes())
    }

    /// The page's body.
    pub async fn once(&self) -> Result<Bytes> {
        self.ask(&mut self.connect().await?).await
    }

    /// Asks one after the other on one connection; times in milliseconds.
    pub async fn in_turn(&self, count: usize) -> Result<Times> {
        let mut sender = self.connect().await?;
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let started = Instant::now();
            self.ask(&mut sender).await?;
            times.push(milliseconds(started.elapsed()));
        }
        Ok(Times::of(times))
    }

    /// Asks one after the other on one connection, each time when its moment has come; times in milliseconds. One request goes before, so that
    /// connections are made.
    pub async fn paced(&self, every: Duration, count: usize) -> Result<Times> {
        let mut sender = self.connect().await?;
        self.ask(&mut sender).await?;
        let mut moments = tokio::time::interval(every);
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            moments.tick().await;
            let started = Instant::now();
            self.ask(&mut sender).await?;
            times.push(milliseconds(started.elapsed()));
        }
        Ok(Times::of(times))
    }

    /// Takes a body of any length and keeps nothing of it: its bytes, and the time from the request to the last of them.
    pub async fn drain(&self) -> Result<(u64, Duration)> {
        let mut sender = self.connect().await?;
        let started = Instant::now();
        let mut body = self.send(&mut sender).await?.into_body();
        let mut bytes = 0;
        while let Some(frame) = body.frame().await {
            bytes += frame?.data_ref().map_or(0, |data| data.len() as u64);
        }
        Ok((bytes, started.elapsed()))
    }

    /// Errors: the first answer that is not 200, or a connection that broke.
    pub async fn load(&self, connections: usize, duration: Duration) -> Result<Load> {
        let mut tasks = JoinSet::new();
        let started = Instant::now();
        for _ in 0..connections {
            let (target, mut sender) = (self.clone(), self.connect().await?);
            tasks.spawn(async move {
                let (mut times, mut bytes) = (Vec::new(), 0);
                while started.elapsed() < duration {
                    let asked = Instant::now();
                    bytes = target.ask(&mut sender).await?.len();
                    times.push(milliseconds(asked.elapsed()));
                }
                Ok::<_, anyhow::Error>((times, bytes))
            });
        }
        let (mut times, mut bytes) = (Vec::new(), 0);
        while let Some(done) = tasks.join_next().await {
            let (more, last) = done??;
            times.extend(more);
            bytes = last;
        }
        let seconds = started.elapsed().as_secs_f64();
        let times = Times::of(times);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let per_second = times.len() as f64 / seconds;
        Ok(Load { per_second, times, bytes })
    }
}

impl Load {
    /// Two loads that ran at the same time, as one.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self { per_second: self.per_second + other.per_second, times: self.times.with(other.times), bytes: self.bytes }
    }
}
