//! What is left in the simulated cluster of a server, asked over the wire.

use serde_json::Value;

use crate::process::Place;

/// The label of everything that belongs to a lab.
const LAB: &str = "lectern.dev/lab";
const RESOURCES: [&str; 10] = [
    "/api/v1/pods",
    "/api/v1/services",
    "/api/v1/persistentvolumeclaims",
    "/api/v1/secrets",
    "/api/v1/configmaps",
    "/api/v1/serviceaccounts",
    "/apis/apps/v1/statefulsets",
    "/apis/apps/v1/deployments",
    "/apis/batch/v1/jobs",
    "/apis/networking.k8s.io/v1/networkpolicies",
];

/// `/api/v1/pods lab-1001-0`, for every object of any lab.
pub async fn of_labs(place: &Place) -> Vec<String> {
    let read = |name: &str| std::fs::read_to_string(place.data().join("simulator").join(name)).unwrap().trim().to_owned();
    let (address, token) = (read("address"), read("token"));
    // On loopback, and the token proves who answers.
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
    let mut found = Vec::new();
    for resource in RESOURCES {
        let answer = client.get(format!("https://{address}{resource}?labelSelector={LAB}")).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{resource}");
        let list: Value = answer.json().await.unwrap();
        found.extend(list["items"].as_array().unwrap().iter().map(|object| format!("{resource} {}", object["metadata"]["name"])));
    }
    found
}
