//! What is made for each request leaves compressed where that pays.

use domain::access::Scope;

use crate::support::Portal;

/// The encoding of the answer to somebody who takes brotli, and how many bytes came.
async fn answer(request: reqwest::RequestBuilder) -> (Option<String>, usize) {
    let response = request.header("accept-encoding", "br, gzip").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let encoding = response.headers().get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
    (encoding, response.bytes().await.unwrap().len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_and_long_answers_are_compressed_and_news_is_not() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let browser = portal.browser_of(&people.teacher).await;
    let page = || browser.client.get(portal.url("/catalogue")).header("accept", "text/html");
    let whole = page().send().await.unwrap().text().await.unwrap();
    let (encoding, bytes) = answer(page()).await;
    assert_eq!(encoding.as_deref(), Some("br"));
    assert!(bytes * 3 < whole.len(), "{bytes} of {}", whole.len());

    let token = portal.token(&people.teacher, &[Scope::OrdersWrite]).await;
    let long = token.client.get(portal.url("/api/v1/openapi.json"));
    assert_eq!(answer(long).await.0.as_deref(), Some("br"));
    assert_eq!(answer(token.client.get(portal.url("/healthz"))).await.0, None, "a word is not worth it");

    let news = browser.client.get(portal.url("/events")).header("accept-encoding", "br").send().await.unwrap();
    assert_eq!(news.headers().get("content-encoding"), None, "each event must arrive at once");
}
