//! Somebody who came by a link for looking only.

use std::sync::atomic::Ordering;

use domain::shares::ViewOnly;

use crate::{
    app::App,
    fixtures::{COOKIE, Site},
};

const PAGE: [(&str, &str); 2] = [("sec-fetch-mode", "navigate"), ("accept-language", "en")];

async fn looking(limit: ViewOnly) -> (std::sync::Arc<App>, Site) {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    *site.world.pass.view_only.lock().expect("no panic") = Some(limit);
    (app, site)
}

/// Asks for a WebSocket as the lab's own pages do; the status of the answer.
async fn handshake(site: &Site, path: &str) -> u16 {
    let upgrade = [("connection", "upgrade, close"), ("upgrade", "websocket"), ("sec-websocket-key", "a2V5")];
    let (cookie, origin) = (format!("lectern-lab={COOKIE}"), site.origin());
    let headers = [&[("cookie", cookie.as_str()), ("origin", origin.as_str())][..], &upgrade].concat();
    site.ask_raw(&site.head(&format!("GET {path}"), &headers)).await.status()
}

#[tokio::test]
async fn a_notebook_is_read_and_neither_its_kernels_nor_its_terminals_are_reached() {
    let (app, site) = looking(ViewOnly::Notebook).await;
    for line in ["GET /lab/tree/a.ipynb", "HEAD /lab", "GET /api/contents/a.ipynb"] {
        assert_eq!(site.use_lab(line, &[], "").await.status(), 200, "{line}");
    }
    let reached = app.requests.load(Ordering::SeqCst);
    for path in ["/api/kernels/x/channels", "/terminals/websocket/1", "/terminals/%77ebsocket/1", "/api/collaboration/room/a", "/lsp/ws/python"] {
        assert_eq!(handshake(&site, path).await, 403, "{path}");
    }
    for line in ["POST /api/sessions", "PUT /api/contents/a.ipynb", "PATCH /api/contents/a", "DELETE /api/kernels/x", "OPTIONS /api"] {
        assert_eq!(site.use_lab(line, &[], "{}").await.status(), 403, "{line}");
    }
    assert_eq!(site.use_lab("GET /terminals/new", &[], "").await.status(), 403, "reading it makes a terminal");
    for pretended in ["x-http-method-override", "x_http_method_override", "X-HTTP_Method"] {
        assert_eq!(site.use_lab("GET /api/contents/a", &[(pretended, "DELETE")], "").await.status(), 403, "{pretended}");
    }
    assert_eq!(app.requests.load(Ordering::SeqCst), reached, "nothing of it reached the lab");
    // The application of the test answers no WebSocket there, but it is asked.
    assert_eq!(handshake(&site, "/api/events/subscribe").await, 200);
}

#[tokio::test]
async fn another_application_is_read_without_any_socket() {
    let (app, site) = looking(ViewOnly::Other).await;
    assert_eq!(site.use_lab("GET /", &[], "").await.status(), 200);
    let reached = app.requests.load(Ordering::SeqCst);
    for path in ["/socket", "/api/events/subscribe"] {
        assert_eq!(handshake(&site, path).await, 403, "{path}");
    }
    let page = site.use_lab("POST /form", &PAGE, "a=1").await;
    assert_eq!(page.status(), 403);
    assert!(page.body().contains("Your link is for looking only"), "{page:?}");
    let program = site.use_lab("POST /api", &[("accept", "application/json")], "{}").await;
    assert!(program.status() == 403 && program.body().contains(r#""code":"view_only""#), "{program:?}");
    assert_eq!(app.requests.load(Ordering::SeqCst), reached);
}
