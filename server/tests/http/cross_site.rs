//! Forms of other sites change nothing.

use crate::support::Portal;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_of_another_site_is_refused_before_anything_runs() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let browser = portal.browser_of(&people.teacher).await;
    for path in ["/sign-out", "/preferences", "/api/orders/submit", "/api/session/sign-in"] {
        for site in ["cross-site", "same-site"] {
            let form = browser.client.post(portal.url(path)).header("sec-fetch-site", site).header("accept", "application/json");
            let answer = form.form(&[("language", "en")]).send().await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (403, "\"cross_site\""), "{path} from {site}");
        }
    }
    assert_eq!(browser.page("/orders").await.status(), 200, "still signed in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_says_nothing_must_send_our_origin() {
    let portal = Portal::college().await;
    portal.people().await;
    let post = || portal.browser().client.post(portal.url("/preferences")).form(&[("language", "en"), ("back", "/sign-in")]);
    assert_eq!(post().send().await.unwrap().status(), 403);
    assert_eq!(post().header("origin", "http://evil.example").send().await.unwrap().status(), 403);
    assert_eq!(post().header("origin", &portal.base).send().await.unwrap().status(), 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_sees_the_refusal_as_a_page() {
    let portal = Portal::college().await;
    let form = portal.browser().client.post(portal.url("/preferences")).header("accept", "text/html").header("accept-language", "en");
    let answer = form.form(&[("language", "en")]).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(answer.text().await.unwrap().contains("<html lang=\"en\""));
}
