//! Connections to a port of a pod. Inside the cluster they go to the pod's address. From elsewhere that address leads nowhere, so each goes
//! through the API server as a WebSocket of its own; such a connection also reaches a program that listens on the pod's loopback only.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use rustix::net::sockopt;
use services::ports::{ClusterError, Connection, PodTarget};
use tokio::net::TcpStream;

use super::{Found, forward::Forward, meaning, request};
use crate::{
    client::Kubernetes,
    connector::KEEPALIVE,
    errors::{DEADLINE, chain},
};

/// Way to the pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dial {
    /// By their addresses.
    Address,
    /// Through the API server.
    PortForward,
}

impl Kubernetes {
    pub(crate) async fn connect_to_pod(&self, target: &PodTarget, port: u16) -> Result<Connection, ClusterError> {
        let Found::Alive(address) = self.pod(target).await? else {
            return Err(ClusterError::Busy(format!("pod {} ran to its end", target.name)));
        };
        let connection: Connection = match (self.dial, address) {
            (Dial::Address, Some(address)) => Box::new(dial(address, port).await?),
            (Dial::Address, None) => return Err(ClusterError::Busy(format!("pod {} has no address yet", target.name))),
            (Dial::PortForward, _) => self.forward(target, port).await?,
        };
        self.unchanged(target)?;
        Ok(connection)
    }

    async fn forward(&self, target: &PodTarget, port: u16) -> Result<Connection, ClusterError> {
        self.in_time(target, async {
            let mut call = request(target).portforward(&target.name, &[port]).map_err(|error| meaning::of_call(&kube::Error::BuildRequest(error)))?;
            call.extensions_mut().insert("portforward");
            let socket = self.client.connect(call).await.map_err(|error| meaning::of_call(&error))?;
            match Forward::open(socket.into_stream()).await {
                Ok(forward) => Ok(Box::new(forward) as Connection),
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Err(ClusterError::Busy(error.to_string())),
                Err(error) => Err(ClusterError::Away(chain(&error))),
            }
        })
        .await
    }
}

/// Finds within a minute that the other side is gone.
fn keep_alive(stream: &TcpStream) -> rustix::io::Result<()> {
    sockopt::set_tcp_keepidle(stream, KEEPALIVE.idle)?;
    sockopt::set_tcp_keepintvl(stream, KEEPALIVE.interval)?;
    sockopt::set_tcp_keepcnt(stream, KEEPALIVE.probes)?;
    sockopt::set_socket_keepalive(stream, true)
}

/// Errors: always `Busy`. Whatever is wrong is about this pod or its network.
async fn dial(address: IpAddr, port: u16) -> Result<TcpStream, ClusterError> {
    let address = SocketAddr::new(address, port);
    let stream = match tokio::time::timeout(DEADLINE, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(ClusterError::Busy(format!("{address}: {error}"))),
        Err(_) => return Err(ClusterError::Busy(format!("{address} did not answer within {} s", DEADLINE.as_secs()))),
    };
    // A key press is a packet of its own and should not wait for the next one.
    stream.set_nodelay(true).map_err(|error| ClusterError::Busy(format!("{address}: {error}")))?;
    // A pod whose node fails says no more, not even that it is gone.
    keep_alive(&stream).map_err(|error| ClusterError::Busy(format!("{address}: {error}")))?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn an_address_is_dialled_and_a_port_that_nothing_listens_on_asks_to_wait() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let mut near = dial(Ipv4Addr::LOCALHOST.into(), port).await.expect("a connection");
        let (mut far, _) = listener.accept().await.expect("a connection");
        near.write_all(b"hello").await.expect("written");
        let mut heard = [0; 5];
        far.read_exact(&mut heard).await.expect("read");
        assert_eq!(&heard, b"hello");
        assert!(sockopt::socket_keepalive(&near).expect("an option"));
        drop((listener, far));
        let refused = dial(Ipv4Addr::LOCALHOST.into(), port).await.expect_err("nothing listens");
        assert!(matches!(refused, ClusterError::Busy(_)), "{refused:?}");
    }
}
