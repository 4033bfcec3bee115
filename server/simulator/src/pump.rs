//! Copies between a pod's connection and messages to a client.

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
};

use crate::pods::Connection;

const PIECE: usize = 16 << 10;

/// Copies both ways until the pod closes its side. `wrap` makes a message of a piece.
pub async fn pump(pod: Connection, mut from_client: mpsc::Receiver<Bytes>, to_client: &mpsc::Sender<Bytes>, wrap: impl Fn(&[u8]) -> Bytes) {
    let (mut from_pod, mut to_pod) = tokio::io::split(pod);
    let up = async {
        while let Some(bytes) = from_client.recv().await {
            if to_pod.write_all(&bytes).await.is_err() {
                return;
            }
        }
        // The pod may still answer.
        let _ = to_pod.shutdown().await;
    };
    let down = async {
        let mut piece = vec![0; PIECE];
        while let Ok(length @ 1..) = from_pod.read(&mut piece).await {
            if to_client.send(wrap(&piece[..length])).await.is_err() {
                return;
            }
        }
    };
    tokio::pin!(down);
    tokio::select! {
        () = &mut down => return,
        () = up => {}
    }
    down.await;
}
