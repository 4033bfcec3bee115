//! A real control plane that is killed and started again in the middle of fifty starts.
//!
//! `LECTERN_TEST_KUBECONFIG` names its kubeconfig, `LECTERN_TEST_RESTART` a shell command that kills it and starts it again with the data
//! that it had. It needs fifty free A100.

use cluster::Kubernetes;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use storage::testing::{TestDatabase, for_each_engine, skip};
use tokio::process::Command;

use crate::portal::Portal;

const STARTS: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_killed_and_restarted_in_the_middle_of_fifty_starts() {
    let test = "on_a_real_control_plane::it_is_killed_and_restarted_in_the_middle_of_fifty_starts";
    let given = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let Some(kubeconfig) = given("LECTERN_TEST_KUBECONFIG") else { return skip(test, "LECTERN_TEST_KUBECONFIG names no control plane") };
    let Some(restart) = given("LECTERN_TEST_RESTART") else {
        return skip(test, "LECTERN_TEST_RESTART names no command that restarts the control plane");
    };
    for_each_engine(test, |database| fifty_starts(database, &kubeconfig, &restart)).await;
}

async fn fifty_starts(database: TestDatabase, kubeconfig: &str, restart: &str) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cluster = Kubernetes::from_kubeconfig(kubeconfig).await.expect("a cluster");
    let parsed = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(parsed, &KubeConfigOptions::default()).await.expect("a configuration");
    let client = Client::try_from(config).expect("a client");
    let code = format!("CV{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
    let portal = Portal::open(database, cluster, client, &code).await;
    let labs = portal.order(STARTS).await;
    portal.provide_volumes(&labs).await;
    portal.until("some have a pod, and not all", || async { portal.pods().await.len() }, |pods| *pods >= 5).await;
    let killed = Command::new("sh").args(["-c", restart]).output().await.expect("a shell");
    assert!(killed.status.success(), "{restart}: {}{}", String::from_utf8_lossy(&killed.stdout), String::from_utf8_lossy(&killed.stderr));
    let (running, stopped) = labs.split_at(STARTS - 10);
    portal.stop(stopped).await;
    portal.converged(running, stopped, &[]).await;
    portal.ends_empty(&labs).await;
    portal.forget_volumes().await;
}
