//! Who may speak to the simulated cluster, and from where.

mod common;

use std::{net::SocketAddr, os::unix::fs::PermissionsExt};

use common::{cluster, http};
use reqwest::StatusCode;
use serde_json::Value;
use simulator::Options;

#[tokio::test]
async fn without_the_token_there_is_no_answer_but_health() {
    let cluster = cluster().await;
    let (http, base) = (http(&cluster.simulator), format!("https://{}", cluster.simulator.addr()));
    let refused = http.get(format!("{base}/api/v1/pods")).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let status: Value = refused.json().await.unwrap();
    assert_eq!(
        (status["kind"].as_str(), status["reason"].as_str(), status["message"].as_str()),
        (Some("Status"), Some("Unauthorized"), Some("Unauthorized"))
    );
    for wrong in ["", "wrong", &cluster.simulator.token()[1..]] {
        let refused = http.get(format!("{base}/api/v1/pods")).bearer_auth(wrong).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(http.get(format!("{base}/readyz")).send().await.unwrap().text().await.unwrap(), "ok");
    let allowed = http.get(format!("{base}/api/v1/pods")).bearer_auth(cluster.simulator.token()).send().await.unwrap();
    assert_eq!(allowed.status(), StatusCode::OK);
}

#[tokio::test]
async fn another_host_name_is_turned_away_even_with_the_token() {
    let cluster = cluster().await;
    let (http, base) = (http(&cluster.simulator), format!("https://{}", cluster.simulator.addr()));
    let ask = |host: &'static str| {
        http.get(format!("{base}/api/v1/pods")).version(reqwest::Version::HTTP_11).bearer_auth(cluster.simulator.token()).header("host", host).send()
    };
    assert_eq!(ask("evil.example").await.unwrap().status(), StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(ask("127.0.0.1.evil.example:443").await.unwrap().status(), StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(ask("localhost:1234").await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn an_address_that_others_reach_is_refused() {
    for listen in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let options = Options { listen: listen.parse::<SocketAddr>().unwrap(), ..Options::default() };
        let refused = simulator::start(options).await.unwrap_err();
        assert!(refused.to_string().contains("loopback addresses only"), "{refused:#}");
    }
}

#[tokio::test]
async fn the_kubeconfig_and_the_key_are_the_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    let options = Options { kubeconfig_out: Some(file.clone()), data: Some(folder.path().join("data")), ..Options::default() };
    let simulator = simulator::start(options).await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), simulator.kubeconfig());
    for path in [file, folder.path().join("data/token"), folder.path().join("data/server.key"), folder.path().join("data/journal.jsonl")] {
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist_say_so() {
    let cluster = cluster().await;
    let (http, base) = (http(&cluster.simulator), format!("https://{}", cluster.simulator.addr()));
    let token = cluster.simulator.token();
    for (path, expected) in [
        ("/api/v1/unicorns", 404),
        ("/apis/apps/v1/statefulsets/x", 404),
        ("/apis/none/v1", 404),
        ("/api/v1/pods?fieldSelector=a%3Db", 400),
        ("/api/v1/namespaces/lab/pods/x/exec", 404),
    ] {
        assert_eq!(http.get(format!("{base}{path}")).bearer_auth(token).send().await.unwrap().status(), expected, "{path}");
    }
    let put = http.put(format!("{base}/api/v1/namespaces/lab/pods")).bearer_auth(token).body("{}").send().await.unwrap();
    assert_eq!(put.status(), 405);
    let large = vec![b' '; 4 << 20];
    let posted = http.post(format!("{base}/api/v1/namespaces/lab/configmaps")).bearer_auth(token).body(large).send().await.unwrap();
    assert_eq!(posted.status(), 413);
}
