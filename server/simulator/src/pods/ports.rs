//! The ports of a simulated pod: those that its running containers declare.

use serde_json::Value;
use tokio::io::DuplexStream;

use super::{Place, is_running, site};
use crate::value;

/// Bytes on their way in each direction of a connection.
const PIPE: usize = 64 << 10;

/// Connects to a port of the pod. Errors: nothing listens there.
pub fn dial(place: &Place, port: u16) -> Result<DuplexStream, String> {
    let container = place.pod().and_then(|pod| listening(&pod, port)).ok_or_else(|| refusal(&place.uid, port))?;
    let (near, far) = tokio::io::duplex(PIPE);
    tokio::spawn(site::serve(far, place.clone(), container, port));
    Ok(near)
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
