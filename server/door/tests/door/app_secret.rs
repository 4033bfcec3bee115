//! The lab's own secret: the application in the pod gets it, and nobody else.

use std::sync::atomic::Ordering;

use crate::{
    app::App,
    fixtures::{COOKIE, Site},
};

const OWN: &str = "authorization: token hush-1\n";

async fn site() -> Site {
    let site = Site::before(App::start().await.1).await;
    site.world.pass.takes("pod-1", "authorization", "token hush-1");
    site
}

#[tokio::test]
async fn the_application_gets_it_with_every_request_and_every_handshake() {
    let site = site().await;
    for line in ["GET /a", "POST /api/kernels", "GET /lab?token=of-the-page"] {
        let answer = site.use_lab(line, &[], "").await;
        assert!(answer.status() == 200 && answer.body().contains(OWN), "{line}: {answer:?}");
    }
    let (cookie, origin) = (format!("lectern-lab={COOKIE}"), site.origin());
    let handshake = [("cookie", cookie.as_str()), ("origin", origin.as_str()), ("connection", "Upgrade"), ("upgrade", "websocket")];
    // This page of the application is no socket: it shows what it got.
    let answer = site.ask_raw(&site.head("GET /a", &handshake)).await;
    assert!(answer.status() == 200 && answer.body().contains(OWN) && answer.body().contains("upgrade: websocket\n"), "{answer:?}");
    let answer = site.use_lab("GET /headers", &[], "").await;
    assert!(answer.status() == 200 && !answer.0.contains("hush"), "the browser is told nothing: {answer:?}");
}

#[tokio::test]
async fn what_a_page_of_the_application_sends_itself_passes_and_lecterns_tokens_do_not() {
    let site = site().await;
    let own = site.use_lab("GET /v1/models", &[("authorization", "Bearer of-the-page")], "").await;
    assert!(own.body().contains("authorization: Bearer of-the-page\n") && !own.body().contains("hush"), "{own:?}");
    let ours = site.use_lab("GET /a", &[("authorization", "Bearer lct_0123456789")], "").await;
    assert!(ours.body().contains(OWN) && !ours.body().contains("lct_"), "{ours:?}");
}

#[tokio::test]
async fn another_header_cannot_be_forged() {
    let site = Site::before(App::start().await.1).await;
    site.world.pass.takes("pod-1", "x-app-key", "hush-1");
    let answer = site.use_lab("GET /a", &[("x-app-key", "forged"), ("authorization", "Bearer of-the-page")], "").await;
    assert!(answer.body().contains("x-app-key: hush-1\n") && !answer.body().contains("forged"), "{answer:?}");
    assert!(answer.body().contains("authorization: Bearer of-the-page\n"), "{answer:?}");
}

#[tokio::test]
async fn it_goes_to_the_pod_that_it_was_made_for_and_to_no_other() {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    site.world.pass.takes("pod-1", "authorization", "token hush-1");
    assert!(site.use_lab("GET /a", &[], "").await.body().contains(OWN));
    // The address is the next pod's by now.
    site.world.pods.lock().expect("no panic").insert("pod-2".into(), address);
    site.world.pass.serve_by("pod-2");
    let next = site.use_lab("GET /a", &[], "").await;
    assert!(next.status() == 200 && !next.body().contains("authorization:"), "{next:?}");
    site.world.pass.takes("pod-2", "authorization", "token hush-2");
    let next = site.use_lab("GET /a", &[], "").await;
    assert!(next.body().contains("authorization: token hush-2\n"), "{next:?}");
    let before = app.requests.load(Ordering::SeqCst);
    for stranger in ["GET /a", "GET /.lectern/status", "GET /.lectern/enter"] {
        let answer = site.ask(stranger, &[], "").await;
        assert!(!answer.0.contains("hush"), "{stranger}: {answer:?}");
    }
    // With a token by header JupyterLab does not look at the origin: the door does.
    let cookie = format!("lectern-lab={COOKIE}");
    for foreign in [("origin", "http://lab-8.localhost:3001"), ("sec-fetch-site", "same-site"), ("sec-fetch-site", "cross-site")] {
        let answer = site.ask("POST /api/terminals", &[("cookie", cookie.as_str()), foreign, ("content-type", "text/plain")], "{}").await;
        assert_eq!(answer.status(), 403, "{foreign:?}");
    }
    assert_eq!(app.requests.load(Ordering::SeqCst), before, "nothing of it reached the application");
}
