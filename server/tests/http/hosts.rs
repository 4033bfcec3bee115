//! Requests that name a foreign host.

use reqwest::Method;
use server::{rest, router::page_routes};
use services::testing::TestWorld;

use crate::support::{Portal, good};

const EVIL: &str = "evil.example:3000";
/// A kubelet or Prometheus uses a pod's address as the host.
const BY_ADDRESS: &str = "10.244.0.5:3000";

/// A path that fits this pattern; the values do not matter.
fn filled(pattern: &str) -> String {
    let segments = pattern.split('/').map(|segment| if segment.starts_with(['{', ':', '*']) { "x" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_and_operation_refuses_the_name_of_another_host() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (browser, api) = (portal.browser_of(&people.administrator).await, portal.api(&people.administrator).await);
    let pages = page_routes().iter().map(|route| (Method::GET, filled(route.path())));
    let operations = rest::operations().into_iter().map(|operation| (operation.method, filled(&format!("{}{}", rest::PREFIX, operation.path))));
    let others = ["/", "/events", "/favicon.svg", "/nowhere", "/api/session/viewer"].map(|path| (Method::GET, path.to_owned()));
    let mut asked = 0;
    for (method, path) in pages.chain(operations).chain(others) {
        let request = browser.client.request(method.clone(), portal.url(&path)).bearer_auth(api.secret.as_deref().unwrap());
        let answer = request.header("host", EVIL).header("accept", "text/html").send().await.unwrap();
        assert_eq!(answer.status(), 421, "{method} {path}");
        asked += 1;
    }
    assert!(asked > 100, "pages and operations: {asked}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_refusal_says_what_to_do() {
    let portal = Portal::college().await;
    let ask = |path: &str, accept: &str| portal.browser().client.get(portal.url(path)).header("host", EVIL).header("accept", accept.to_owned());
    let page = ask("/", "text/html").header("accept-language", "en").send().await.unwrap();
    assert_eq!(page.status(), 421);
    assert!(page.text().await.unwrap().contains("server.hosts"));
    let page = ask("/", "text/html").header("accept-language", "zh-CN").send().await.unwrap();
    assert!(page.text().await.unwrap().contains("主机名"));
    let problem = good(ask("/api/v1/orders", "*/*").send().await.unwrap(), 421).await;
    assert_eq!(problem["code"], "wrong_host");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_and_scrapers_ask_by_any_name() {
    let portal = Portal::college().await;
    for host in [BY_ADDRESS, EVIL, "localhost"] {
        for path in ["/healthz", "/readyz", "/metrics"] {
            let answer = portal.browser().client.get(portal.url(path)).header("host", host).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{host} {path}");
        }
    }
    let page = portal.browser().client.get(portal.url("/sign-in")).header("host", BY_ADDRESS).send().await.unwrap();
    assert_eq!(page.status(), 421);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_name_loopback_and_the_settings_names_are_answered() {
    let portal = Portal::configured(TestWorld::college().await, |config| {
        config.server.public_url = Some("https://lectern.example.edu".into());
        config.server.hosts = vec!["gpu.example.edu".into()];
    })
    .await;
    for host in ["lectern.example.edu", "gpu.example.edu:8443", "127.0.0.1:3000", "localhost:8080", "[::1]:3000"] {
        let answer = portal.browser().client.get(portal.url("/sign-in")).header("host", host).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{host}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_passed_on_never_leads_to_another_host() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let api = portal.api(&people.administrator).await;
    let reset = format!("/people/{}/reset", people.teacher.actor.user);
    let forged = api.post(&reset).header("host", EVIL).send().await.unwrap();
    assert_eq!(forged.status(), 421);
    let made = good(api.post(&reset).header("host", "localhost:8080").send().await.unwrap(), 200).await;
    assert!(made.to_string().contains("http://localhost:8080/join/"), "{made}");
}
