//! When a container is ready: its readiness probe is met, or its first port takes connections. It is asked until it is, and not again, since
//! a process that ends says so by itself.

use std::{net::Ipv4Addr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::value;

const BETWEEN: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// A process that exists is ready.
    Running,
    Connects(u16),
    /// The path answers without an error.
    Answers(u16, String),
}

impl Probe {
    /// `ports`: the container's, and those on loopback that they lead to.
    pub fn of(container: &Value, ports: &[(u16, u16)]) -> Self {
        let chosen = |declared: i64| ports.iter().find(|(port, _)| i64::from(*port) == declared).map(|(_, chosen)| *chosen);
        let named = |port: &Value| match port.as_str() {
            Some(name) => value::items(container, "/ports").iter().find(|one| one["name"] == name).and_then(|one| value::int(one, "/containerPort")),
            None => port.as_i64(),
        };
        let port = |pointer: &str| container.pointer(pointer).and_then(named).and_then(chosen);
        if let Some(port) = port("/readinessProbe/httpGet/port") {
            let path = Some(value::text(container, "/readinessProbe/httpGet/path")).filter(|path| !path.is_empty()).unwrap_or("/");
            return Self::Answers(port, path.to_owned());
        }
        let first = || ports.first().map(|(_, chosen)| *chosen);
        port("/readinessProbe/tcpSocket/port").or_else(first).map_or(Self::Running, Self::Connects)
    }

    /// Ends when the container is ready.
    pub async fn met(&self) {
        while !self.is_met().await {
            tokio::time::sleep(BETWEEN).await;
        }
    }

    async fn is_met(&self) -> bool {
        match self {
            Self::Running => true,
            Self::Connects(port) => matches!(tokio::time::timeout(PATIENCE, connect(*port)).await, Ok(Some(_))),
            Self::Answers(port, path) => matches!(tokio::time::timeout(PATIENCE, status(*port, path)).await, Ok(Some(200..400))),
        }
    }
}

async fn connect(port: u16) -> Option<TcpStream> {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()
}

async fn status(port: u16, path: &str) -> Option<u16> {
    let mut socket = connect(port).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: kube-probe/1.33\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.ok()?;
    let mut head = Vec::new();
    while !head.contains(&b'\n') && head.len() < 1_024 {
        if socket.read_buf(&mut head).await.ok()? == 0 {
            break;
        }
    }
    let line = head.split(|byte| *byte == b'\n').next()?;
    std::str::from_utf8(line).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Probe;

    #[test]
    fn probes_name_the_containers_ports() {
        let ports = [(8888, 40_001), (22, 40_002)];
        let of = |probe: serde_json::Value| {
            let container = json!({"ports": [{"name": "http", "containerPort": 8888}, {"containerPort": 22}], "readinessProbe": probe});
            Probe::of(&container, &ports)
        };
        assert_eq!(of(json!({"httpGet": {"path": "/health", "port": "http"}})), Probe::Answers(40_001, "/health".to_owned()));
        assert_eq!(of(json!({"tcpSocket": {"port": 22}})), Probe::Connects(40_002));
        assert_eq!(of(json!({"exec": {"command": ["true"]}})), Probe::Connects(40_001));
        assert_eq!(Probe::of(&json!({}), &[]), Probe::Running);
    }
}
