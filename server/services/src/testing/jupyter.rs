//! A Jupyter server in a lab of the cluster in memory. It has one kernel and says what that does, as the stop of unused labs asks it.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use domain::ids::LabId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::FakeCluster;

/// The port on which notebooks listen.
const PORT: u16 = 8_888;

/// State of the one kernel.
#[derive(Debug, Clone, Copy)]
pub enum Kernel {
    Busy,
    Idle,
}

/// Answers as long as the cluster lasts, and only with the lab's own secret if the lab was started with one.
#[derive(Debug)]
pub struct FakeJupyter(Arc<Mutex<Kernel>>);

impl FakeJupyter {
    pub fn start(cluster: &FakeCluster, lab: LabId, kernel: Kernel) -> Self {
        let mut connections = cluster.listen(lab, PORT);
        let kernel = Arc::new(Mutex::new(kernel));
        let served = Arc::clone(&kernel);
        let own = cluster.own_secret(lab).map(|secret| format!("\r\nauthorization: token {}\r\n", secret.expose()));
        tokio::spawn(async move {
            while let Some(mut connection) = connections.recv().await {
                let kernel = *served.lock().unwrap_or_else(PoisonError::into_inner);
                // A caller that is cut off asks again.
                let _ = answer(&mut connection, own.as_deref(), kernel).await;
            }
        });
        Self(kernel)
    }

    pub fn turn(&self, kernel: Kernel) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = kernel;
    }
}

/// `own`: the line of the request that shows the lab's own secret.
async fn answer(connection: &mut DuplexStream, own: Option<&str>, kernel: Kernel) -> io::Result<()> {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        asked.push(connection.read_u8().await?);
    }
    assert!(asked.starts_with(b"GET /api/kernels HTTP/1.0\r\n"), "another question");
    if own.is_some_and(|shown| !String::from_utf8_lossy(&asked).contains(shown)) {
        return connection.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await;
    }
    let state = match kernel {
        Kernel::Busy => "busy",
        Kernel::Idle => "idle",
    };
    let kernels = format!(r#"[{{"id":"a","execution_state":"{state}"}}]"#);
    connection.write_all(format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{kernels}").as_bytes()).await
}
