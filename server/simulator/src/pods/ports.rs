//! The ports of a simulated pod: those that its running containers declare. Where a container is a process of this machine, its port leads to
//! the one that the process was given on loopback, and other ports to servers that its programs started.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use super::{Place, is_running, site};
use crate::{local::Reach, value};

/// Bytes on their way in each direction of a connection.
const PIPE: usize = 64 << 10;
/// Loopback answers at once, unless a program has too many connections that it has not accepted.
const DIALLING: Duration = Duration::from_secs(5);

/// A pipe in memory or a socket.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection to a port of a pod.
pub type Connection = Box<dyn Stream>;

/// Connects to a port of the pod. Errors: nothing listens there.
pub async fn dial(place: Place, port: u16) -> Result<Connection, String> {
    let refused = refusal(&place.uid, port);
    let Some(pod) = place.pod() else { return Err(refused) };
    let Some(container) = listening(&pod, port) else { return undeclared(&place, &pod, port).await.ok_or(refused) };
    let reach = place.local.as_ref().map_or(Reach::Page, |local| local.reach(&pod, &container, port));
    match reach {
        Reach::Page => {
            let (near, far) = tokio::io::duplex(PIPE);
            tokio::spawn(site::serve(far, place, container, port));
            Ok(Box::new(near))
        }
        Reach::Nothing => Err(refused),
        Reach::Process(chosen) => connect(SocketAddr::from((Ipv4Addr::LOCALHOST, chosen))).await.ok_or(refused),
    }
}

/// A server that a program in the pod started on a port of its own. The port may be another lab's, or the portal's: these are not reached.
async fn undeclared(place: &Place, pod: &Value, port: u16) -> Option<Connection> {
    for address in place.local.as_ref()?.own_addresses(pod, port).await {
        if let Some(connection) = connect(address).await {
            return Some(connection);
        }
    }
    None
}

async fn connect(address: SocketAddr) -> Option<Connection> {
    let socket = tokio::time::timeout(DIALLING, TcpStream::connect(address)).await.ok()?.ok()?;
    // A key press is a packet of its own and should not wait for the next one.
    socket.set_nodelay(true).ok()?;
    Some(Box::new(socket))
}

/// The running container that declares this port.
fn listening(pod: &Value, port: u16) -> Option<String> {
    let containers = value::items(pod, "/spec/containers").iter().chain(value::items(pod, "/spec/initContainers"));
    let declares = |container: &&Value| {
        value::items(container, "/ports")
            .iter()
            .any(|one| value::int(one, "/containerPort") == Some(port.into()) && matches!(value::text(one, "/protocol"), "" | "TCP"))
    };
    containers.filter(declares).map(|container| value::text(container, "/name")).find(|name| is_running(pod, name)).map(str::to_owned)
}

/// As kubelet and containerd word it.
fn refusal(uid: &str, port: u16) -> String {
    let sandbox = uid.replace('-', "").repeat(2);
    format!(
        "error forwarding port {port} to pod {sandbox}, uid : failed to execute portforward in network namespace \"/var/run/netns/cni-{uid}\": failed to connect to localhost:{port} inside namespace {sandbox:?}, IPv4: dial tcp4 127.0.0.1:{port}: connect: connection refused IPv6 dial tcp6 [::1]:{port}: connect: connection refused "
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::listening;

    #[test]
    fn only_declared_tcp_ports_of_running_containers_listen() {
        let pod = json!({
            "spec": {"containers": [
                {"name": "main", "ports": [{"containerPort": 8888, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]},
                {"name": "side", "ports": [{"containerPort": 22}]},
            ]},
            "status": {"containerStatuses": [{"name": "main", "state": {"running": {}}}, {"name": "side", "state": {"waiting": {}}}]},
        });
        assert_eq!(listening(&pod, 8888).as_deref(), Some("main"));
        for port in [53, 22, 80] {
            assert_eq!(listening(&pod, port), None, "{port}");
        }
    }
}
