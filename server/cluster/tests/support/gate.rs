//! A network between the client and the API server that can fail: refuse, or swallow everything without a word.

use std::sync::Arc;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Connections are cut and new ones are closed at once.
    Cut,
    /// Connections stay, and nothing passes.
    Silent,
}

pub struct Gate {
    pub address: String,
    way: Arc<watch::Sender<Way>>,
    task: JoinHandle<()>,
}

impl Gate {
    /// Passes on to `target` (`127.0.0.1:6443`) from a port of its own.
    pub async fn before(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let way = Arc::new(watch::channel(Way::Open).0);
        let (ways, target) = (Arc::clone(&way), target.to_owned());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, target.clone(), ways.subscribe()));
            }
        });
        Self { address, way, task }
    }

    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut near: TcpStream, target: String, mut way: watch::Receiver<Way>) {
    if *way.borrow() == Way::Open {
        let Ok(mut far) = TcpStream::connect(target).await else { return };
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => return,
            _ = way.wait_for(|way| *way != Way::Open) => {}
        }
    }
    // A silent connection is held until the network is back; then it is as dead as one whose peer forgot it.
    let _ = way.wait_for(|way| *way != Way::Silent).await;
}
