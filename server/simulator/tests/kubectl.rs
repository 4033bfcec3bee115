//! The real kubectl against the simulated cluster.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod common;
#[path = "kubectl/streams.rs"]
mod streams;

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use common::{Cluster, cluster};
use tempfile::TempDir;

struct Kubectl {
    cluster: Cluster,
    folder: TempDir,
}

/// kubectl with a cluster, or `None` (and a line in the list of skips) where it is not installed.
async fn kubectl(test: &str) -> Option<Kubectl> {
    if Command::new("kubectl").arg("version").arg("--client").output().is_err() {
        common::skip::skip(test, "kubectl is not installed");
        return None;
    }
    let cluster = cluster().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kubeconfig"), cluster.simulator.kubeconfig()).unwrap();
    Some(Kubectl { cluster, folder })
}

impl Kubectl {
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("kubectl");
        command.env("KUBECONFIG", self.folder.path().join("kubeconfig")).env("HOME", self.folder.path()).current_dir(self.folder.path());
        command.arg("--namespace=lab").args(line.split_whitespace());
        command
    }

    /// Runs kubectl off the runtime's threads, which serve it.
    async fn run(&self, line: &str) -> Output {
        let mut command = self.command(line);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// What a command that must succeed prints.
    async fn prints(&self, line: &str) -> String {
        let output = self.run(line).await;
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "kubectl {line}: {out}{err}");
        out.into_owned()
    }

    /// What a command that must fail complains about.
    async fn complains(&self, line: &str) -> String {
        let output = self.run(line).await;
        assert!(!output.status.success(), "kubectl {line} should fail: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

const SET: &str = r#"
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, labels: {app: web}}
spec:
  serviceName: web
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: main, image: "jupyter:1", resources: {limits: {nvidia.com/gpu: "1"}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 8888}]}
"#;

fn lossy(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn apply_get_describe_scale_and_delete_work_as_on_a_real_cluster() {
    let Some(kubectl) = kubectl("apply_get_describe_scale_and_delete_work_as_on_a_real_cluster").await else { return };
    let file = lossy(&kubectl.file("set.yaml", SET));
    let made = kubectl.prints(&format!("apply -f {file}")).await;
    assert_eq!(made, "statefulset.apps/web created\nservice/web created\n");
    kubectl.prints("rollout status sts/web --timeout=20s").await;
    kubectl.prints("wait --for=condition=Ready pod/web-0 --timeout=20s").await;
    let pods = kubectl.prints("get pods").await;
    let row: Vec<&str> = pods.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(
        (pods.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(), &row[..4]),
        (vec!["NAME", "READY", "STATUS", "RESTARTS", "AGE"], &["web-0", "1/1", "Running", "0"][..])
    );
    assert!(kubectl.prints("get sts,svc -o wide").await.contains("statefulset.apps/web"));
    let described = kubectl.prints("describe pod web-0").await;
    for wanted in ["Controlled By:  StatefulSet/web", "nvidia.com/gpu:  1", "Successfully assigned lab/web-0", "Started container main"] {
        assert!(described.contains(wanted), "{wanted} in {described}");
    }
    assert!(kubectl.prints("describe node dell-pro-max-aipc-01").await.contains("Allocated resources"));
    assert_eq!(kubectl.prints(&format!("apply -f {file}")).await, "statefulset.apps/web unchanged\nservice/web unchanged\n");
    kubectl.prints("scale sts web --replicas=2").await;
    kubectl.prints("wait --for=jsonpath={.status.readyReplicas}=2 sts/web --timeout=20s").await;
    kubectl.prints("label pod web-0 tier=gold").await;
    assert_eq!(kubectl.prints("get pods -l tier=gold -o name").await, "pod/web-0\n");
    assert_eq!(kubectl.prints("delete sts web").await, "statefulset.apps \"web\" deleted\n");
    kubectl.prints("wait --for=delete pod/web-0 --timeout=20s").await;
    let gone = kubectl.complains("get sts web").await;
    assert_eq!(gone, "Error from server (NotFound): statefulsets.apps \"web\" not found\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_read_and_followed_to_the_end() {
    let Some(kubectl) = kubectl("logs_are_read_and_followed_to_the_end").await else { return };
    let pod = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "train", "annotations": {"fake-kubelet/succeed-after": "2"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "pytorch:2"}]}}"#;
    kubectl.prints(&format!("create -f {}", lossy(&kubectl.file("pod.json", pod)))).await;
    kubectl.prints("wait --for=jsonpath={.status.phase}=Running pod/train --timeout=20s").await;
    let followed = kubectl.prints("logs -f train").await;
    assert!(followed.contains("dataset ready") && followed.trim_end().ends_with("checkpoint saved to /workspace/checkpoints/last.pt"), "{followed}");
    let again = kubectl.prints("logs train").await;
    assert_eq!(again.lines().collect::<Vec<_>>(), followed.lines().collect::<Vec<_>>(), "a log reads the same twice");
    assert_eq!(kubectl.prints("logs train --tail=1").await.lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_rehearses_a_fault() {
    let Some(kubectl) = kubectl("an_operator_rehearses_a_fault").await else { return };
    let fault = lossy(&kubectl.file("fault.json", r#"{"fault": "Conflict", "verbs": ["patch"], "requests": 1}"#));
    let made = kubectl.prints(&format!("create --raw /simulator/faults -f {fault}")).await;
    assert!(made.contains(r#""fault":"Conflict""#), "{made}");
    kubectl.prints("create configmap one").await;
    let refused = kubectl.complains("patch configmap one --type=merge -p {\"data\":{\"a\":\"1\"}}").await;
    assert!(refused.starts_with("Error from server (Conflict): Operation cannot be fulfilled on configmaps \"one\""), "{refused}");
    kubectl.prints("patch configmap one --type=merge -p {\"data\":{\"a\":\"1\"}}").await;
    assert!(kubectl.prints("get --raw /simulator/faults").await.contains(r#""struck":1"#));
    kubectl.prints("delete --raw /simulator/faults/1").await;
    kubectl.prints("delete --raw /simulator/faults").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn get_w_shows_changes_as_they_come() {
    let Some(kubectl) = kubectl("get_w_shows_changes_as_they_come").await else { return };
    let mut child = kubectl.command("get configmaps -w -l of=watch").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let reader = tokio::task::spawn_blocking(move || {
        let seen: Vec<String> = lines.by_ref().take(3).map_while(Result::ok).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        seen
    });
    let map = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "seen", "labels": {"of": "watch"}}}"#;
    kubectl.prints(&format!("create -f {}", lossy(&kubectl.file("map.json", map)))).await;
    // kubectl may begin to watch before or after the object is made; a change reaches it either way.
    kubectl.prints("patch configmap seen --type=merge -p {\"data\":{\"a\":\"1\"}}").await;
    kubectl.prints("annotate configmap seen again=1").await;
    kubectl.prints("annotate configmap seen again=2 --overwrite").await;
    let seen = reader.await.unwrap();
    assert!(seen[0].starts_with("NAME"), "{seen:?}");
    assert!(seen[1..].iter().all(|line| line.starts_with("seen")), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_create_generators_quotas_and_server_side_apply_work() {
    let Some(kubectl) = kubectl("the_create_generators_quotas_and_server_side_apply_work").await else { return };
    assert_eq!(kubectl.prints("create namespace other").await, "namespace/other created\n");
    kubectl.prints("create quota limits --hard=pods=1,requests.nvidia.com/gpu=4").await;
    kubectl.prints("create configmap settings --from-literal=a=b").await;
    kubectl.prints("create secret generic key --from-literal=token=x").await;
    kubectl.prints("create serviceaccount robot").await;
    assert_eq!(kubectl.prints("get quota limits -o jsonpath={.status.hard.pods}").await, "1");
    assert_eq!(kubectl.prints("auth can-i create pods").await, "yes\n");
    let file = lossy(&kubectl.file("set.yaml", SET));
    assert!(kubectl.prints(&format!("apply --server-side -f {file}")).await.contains("serverside-applied"));
    let managers = kubectl.prints("get sts web -o jsonpath={.metadata.managedFields[*].manager} --show-managed-fields").await;
    assert!(managers.contains("kubectl"), "{managers}");
    kubectl.prints("delete namespace other --timeout=20s").await;
    assert!(kubectl.prints("get events").await.contains("SuccessfulCreate"));
    assert!(kubectl.prints("version").await.contains("Server Version: v1."));
    assert!(kubectl.prints("get all").await.contains("pod/web-0"));
    drop(kubectl.cluster);
}
