//! WebSockets that do nothing, as open notebooks have them most of the time: what each costs the server in front.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    Measured, middle,
    stands::{Front, Kind, Stand},
};
use crate::{load::Target, report::Section};

/// Bytes of memory that an idle socket may take.
const MOST: f64 = 20_000.0;
/// Sockets that are opened before, so that what the first ones need is there.
const BEFORE: u32 = 20;
/// Until memory is as it stays.
const SETTLE: Duration = Duration::from_secs(2);
/// Of the handshake's example in RFC 6455; the upstream knows its answer.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

pub async fn measure(front: &Front<'_>, section: &mut Section) -> Result<()> {
    let number = front.settings.size(1_000, 100);
    let kinds = front.kinds.iter().filter(|kind| **kind != Kind::Bare);
    let mut measured: Vec<_> = kinds.map(|kind| Measured { kind: *kind, runs: Vec::new() }).collect();
    for _ in 0..super::runs(front.settings) {
        for Measured { kind, runs } in &mut measured {
            // A new process each time: memory of earlier sockets would be used again.
            let stand = front.stand(*kind).await?;
            runs.push(each(front, &stand, number).await?);
            stand.stop().await?;
        }
    }
    for Measured { kind, .. } in &measured {
        let size = middle(&measured, *kind, |size| f64::from(*size)).unwrap_or(f64::NAN);
        let (what, shown) = (format!("{kind}: memory of each of {number} idle WebSockets"), format!("{:.1} kB", size / 1e3));
        if *kind == Kind::Door {
            section.aim(what, "under 20 kB", shown, size < MOST);
        } else {
            section.row(what, "", shown, "");
        }
    }
    Ok(())
}

/// Bytes of memory by which the process grows with each socket.
async fn each(front: &Front<'_>, stand: &Stand, number: u32) -> Result<u32> {
    drop(open(front, stand, BEFORE).await?);
    tokio::time::sleep(SETTLE).await;
    let before = stand.memory()?.now;
    let mut sockets = open(front, stand, number).await?;
    tokio::time::sleep(SETTLE).await;
    let now = stand.memory()?.now;
    for socket in &mut sockets {
        talk(socket).await?;
    }
    Ok(u32::try_from(now.saturating_sub(before) / u64::from(number))?)
}

async fn open(front: &Front<'_>, stand: &Stand, number: u32) -> Result<Vec<TcpStream>> {
    let mut sockets = Vec::new();
    for place in 0..number {
        sockets.push(shake_hands(&front.target(stand, "/socket", place as usize)).await?);
    }
    Ok(sockets)
}

/// Opens a socket and sends a few bytes there and back.
async fn shake_hands(target: &Target) -> Result<TcpStream> {
    let (host, path, cookie) = (target.name(), &target.path, target.cookie.as_deref().unwrap_or("none=1"));
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: {KEY}\r\norigin: http://{host}\r\nsec-fetch-site: same-origin\r\ncookie: {cookie}\r\n\r\n"
    );
    let mut socket = TcpStream::connect(&target.host).await?;
    socket.set_nodelay(true)?;
    socket.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await?);
    }
    ensure!(head.starts_with(b"HTTP/1.1 101 "), "no socket: {}", String::from_utf8_lossy(&head));
    talk(&mut socket).await?;
    Ok(socket)
}

async fn talk(socket: &mut TcpStream) -> Result<()> {
    let mut heard = [0; 5];
    socket.write_all(b"hello").await?;
    socket.read_exact(&mut heard).await?;
    ensure!(&heard == b"hello", "the socket gave back something else");
    Ok(())
}
