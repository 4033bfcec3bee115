//! What the tests share: a simulator in memory at a quick pace, a client, and waiting with a deadline.
#![allow(dead_code, clippy::allow_attributes, reason = "each test file uses its own part")]
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

pub mod skip;

use std::{
    fmt::Debug,
    future::Future,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::{
    Api, Client, Config,
    api::{Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use simulator::{Options, Pace, Simulator};

/// The field manager of the tests.
pub const MANAGER: &str = "tests";

pub struct Cluster {
    pub simulator: Simulator,
    pub client: Client,
}

/// A simulator in memory, with a client and a namespace `lab`.
pub async fn cluster() -> Cluster {
    let cluster = start(None, 0).await;
    namespace(&cluster.client, "lab").await;
    cluster
}

pub async fn start(data: Option<&Path>, port: u16) -> Cluster {
    let options =
        Options { listen: SocketAddr::from(([127, 0, 0, 1], port)), data: data.map(Path::to_owned), pace: Pace::fast(), ..Options::default() };
    let simulator = simulator::start(options).await.unwrap();
    let client = client(&simulator.kubeconfig()).await;
    Cluster { simulator, client }
}

pub async fn client(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

pub async fn namespace(client: &Client, name: &str) {
    create(&Api::<Namespace>::all(client.clone()), json!({"metadata": {"name": name}})).await.unwrap();
}

/// Creates an object from JSON.
pub async fn create<K>(api: &Api<K>, body: Value) -> kube::Result<K>
where
    K: Clone + DeserializeOwned + Serialize + Debug,
{
    api.create(&PostParams::default(), &serde_json::from_value(body).unwrap()).await
}

/// Applies an object from JSON by the tests' manager.
pub async fn apply<K>(api: &Api<K>, body: Value) -> kube::Result<K>
where
    K: Clone + DeserializeOwned + Debug,
{
    let name = body["metadata"]["name"].as_str().unwrap().to_owned();
    api.patch(&name, &PatchParams::apply(MANAGER), &Patch::Apply(body)).await
}

/// Asks until the answer is there; fails after twenty seconds.
pub async fn until<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The code and the message of a refusal.
pub fn refusal<T: Debug>(result: kube::Result<T>) -> (u16, String) {
    match result {
        Err(kube::Error::Api(status)) => (status.code, status.message),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// A pod's specification with one container that asks for cards.
pub fn pod_spec(cards: u32) -> Value {
    let mut container = json!({"name": "main", "image": "jupyter:1"});
    if cards > 0 {
        container["resources"] = json!({"limits": {"nvidia.com/gpu": cards.to_string()}});
    }
    json!({"containers": [container]})
}

/// Waits until a pod is in a phase.
pub async fn in_phase(pods: &Api<Pod>, name: &str, phase: &str) -> Pod {
    until(&format!("pod {name} {phase}"), || async {
        let pod = pods.get_opt(name).await.unwrap()?;
        (pod.status.as_ref()?.phase.as_deref() == Some(phase)).then_some(pod)
    })
    .await
}

/// A plain HTTP client that trusts the cluster's authority.
pub fn http(simulator: &Simulator) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config: Value = serde_yaml_ng::from_str(&simulator.kubeconfig()).unwrap();
    let authority = config["clusters"][0]["cluster"]["certificate-authority-data"].as_str().unwrap().to_owned();
    let pem = String::from_utf8(unbase64(&authority)).unwrap();
    reqwest::Client::builder().tls_certs_only([reqwest::Certificate::from_pem(pem.as_bytes()).unwrap()]).build().unwrap()
}

fn unbase64(text: &str) -> Vec<u8> {
    let digit = |c: u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".iter().position(|one| *one == c);
    let mut bits = (0_u32, 0_u32);
    let mut out = Vec::new();
    for value in text.bytes().filter_map(digit) {
        bits = (bits.0 << 6 | u32::try_from(value).unwrap(), bits.1 + 6);
        if bits.1 >= 8 {
            bits.1 -= 8;
            out.push(u8::try_from(bits.0 >> bits.1 & 0xff).unwrap());
        }
    }
    out
}
