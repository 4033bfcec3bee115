//! Getting in, and staying out.

use std::sync::atomic::Ordering;

use crate::{
    app::App,
    fixtures::{COOKIE, PORTAL, Site, TICKET},
};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const PAGE: [(&str, &str); 2] = [("sec-fetch-mode", "navigate"), ("accept-language", "en")];

async fn site() -> Site {
    Site::before(App::start().await.1).await
}

fn ticket() -> String {
    format!("ticket={TICKET}&next=%2Felsewhere")
}

#[tokio::test]
async fn a_ticket_of_the_portal_becomes_a_cookie_of_this_host_once() {
    let site = site().await;
    let entered = site.ask("POST /.lectern/enter", &[FORM, ("origin", PORTAL)], &ticket()).await;
    assert_eq!((entered.status(), entered.header("location")), (303, Some("/lab/tree?a=1")), "{entered:?}");
    let cookie = format!("lectern-lab={COOKIE}; Path=/; HttpOnly; SameSite=Lax");
    assert_eq!((entered.header("set-cookie"), entered.header("cache-control")), (Some(cookie.as_str()), Some("no-store")));
    // Reload sends the form again, from the portal's site and so without the cookie.
    let again = site.ask("POST /.lectern/enter", &[FORM, ("origin", PORTAL)], &ticket()).await;
    assert_eq!((again.status(), again.header("location"), again.header("set-cookie")), (303, Some("/.lectern/enter"), None));
}

#[tokio::test]
async fn a_ticket_of_another_site_gives_no_cookie() {
    let site = site().await;
    for origin in [Some("null"), Some("http://evil.example"), None] {
        let headers: Vec<_> = [FORM].into_iter().chain(origin.map(|origin| ("origin", origin))).chain(PAGE).collect();
        let refused = site.ask("POST /.lectern/enter", &headers, &ticket()).await;
        assert_eq!((refused.status(), refused.header("set-cookie")), (403, None), "{origin:?}");
        assert!(refused.body().contains("This was not opened from Lectern") && !refused.0.contains(TICKET), "{refused:?}");
    }
    let twice = site.ask("POST /.lectern/enter", &[FORM, ("origin", PORTAL), ("origin", "null")], &ticket()).await;
    assert_eq!(twice.status(), 403);
    assert_eq!(site.ask("POST /.lectern/enter", &[FORM, ("origin", PORTAL)], &ticket()).await.status(), 303, "it is still good");
}

#[tokio::test]
async fn only_a_small_form_is_read() {
    let site = site().await;
    let large = format!("{}&x={}", ticket(), "x".repeat(4_096));
    assert_eq!(site.ask("POST /.lectern/enter", &[FORM, ("origin", PORTAL)], &large).await.status(), 400);
    assert_eq!(site.ask("POST /.lectern/enter", &[("content-type", "text/plain"), ("origin", PORTAL)], &ticket()).await.status(), 400);
    assert_eq!(site.ask("PUT /.lectern/enter", &[FORM, ("origin", PORTAL)], &ticket()).await.status(), 405);
    assert_eq!(site.ask("GET /.lectern/other", &[], "").await.status(), 404);
}

#[tokio::test]
async fn coming_to_the_entrance_again_leads_in_with_the_cookie_and_else_to_open() {
    let site = site().await;
    let inside = site.use_lab("GET /.lectern/enter", &PAGE, "").await;
    assert_eq!((inside.status(), inside.header("location")), (303, Some("/")));
    let outside = site.ask("GET /.lectern/enter", &PAGE, "").await;
    assert_eq!(outside.status(), 403);
    assert!(outside.body().contains("/labs/00000000-0000-0000-0000-000000000007/open?next=%2F\">Open</a>"), "{outside:?}");
}

#[tokio::test]
async fn without_a_pass_people_go_to_the_portal_and_programs_are_told_so() {
    let site = site().await;
    let sent = site.ask("GET /lab/tree?x=1&y", &PAGE, "").await;
    let open = format!("{PORTAL}/labs/00000000-0000-0000-0000-000000000007/open?next=%2Flab%2Ftree%3Fx%3D1%26y");
    assert_eq!((sent.status(), sent.header("location")), (303, Some(open.as_str())));
    let posted = site.ask("POST /form", &PAGE, "a=1").await;
    assert_eq!((posted.status(), posted.header("location")), (401, None));
    let program = site.ask("GET /api/status", &[("accept", "*/*"), ("sec-fetch-mode", "cors")], "").await;
    assert_eq!((program.status(), program.header("content-type")), (401, Some("application/json")));
    assert!(program.body().contains(r#""code":"no_pass""#), "{program:?}");
    let socket = site.ask_raw(&site.head("GET /socket", &[("connection", "upgrade, close"), ("upgrade", "websocket")])).await;
    assert_eq!(socket.status(), 401);
}

#[tokio::test]
async fn where_the_portal_has_no_known_address_a_page_says_what_to_do() {
    let site = Site::with(App::start().await.1, |settings| settings.portal_url = None).await;
    let page = site.ask("GET /", &PAGE, "").await;
    assert_eq!((page.status(), page.header("location")), (401, None));
    assert!(page.body().contains("Press Open on the page of the lab in Lectern") && !page.body().contains("<a "), "{page:?}");
}

#[tokio::test]
async fn nothing_happens_for_those_who_only_look() {
    let site = site().await;
    let head = site.ask("HEAD /", &[("accept", "text/html")], "").await;
    assert_eq!((head.status(), head.body()), (401, ""));
    for purpose in ["sec-purpose", "purpose"] {
        let ahead = site.ask("GET /", &[(purpose, "prefetch"), ("sec-fetch-mode", "navigate")], "").await;
        assert_eq!((ahead.status(), ahead.header("location"), ahead.body()), (204, None, ""), "{purpose}");
    }
    assert_eq!(site.world.named.load(Ordering::SeqCst), 0, "nobody was looked up");
}

#[tokio::test]
async fn what_a_browser_fetches_ahead_reaches_no_lab_and_all_that_reaches_it_is_counted() {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    let bytes = || (site.world.pass.bytes_in.load(Ordering::SeqCst), site.world.pass.bytes_out.load(Ordering::SeqCst));
    for purpose in [("sec-purpose", "prefetch"), ("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch"), ("x-moz", "prefetch")] {
        for line in ["GET /", "HEAD /"] {
            let ahead = site.use_lab(line, &[purpose, ("sec-fetch-mode", "navigate")], "").await;
            assert_eq!((ahead.status(), ahead.header("cache-control"), ahead.body()), (503, Some("no-store"), ""), "{line} {purpose:?}");
        }
    }
    assert_eq!((bytes(), app.requests.load(Ordering::SeqCst)), ((0, 0), 0));
    // The header of the others says nothing: they are counted with their bodies.
    let purpose = ("sec-purpose", "prefetch");
    for line in ["PUT /api/contents/a", "POST /api/terminals", "PATCH /api", "DELETE /api/contents/a", "OPTIONS /api"] {
        let before = bytes();
        assert_eq!(site.use_lab(line, &[purpose], "four").await.status(), 200, "{line}");
        assert!(bytes().0 > before.0 + 4 && bytes().1 > before.1 + 4, "{line}");
    }
    let before = bytes();
    assert_eq!(site.use_lab("HEAD /", &[], "").await.status(), 200);
    assert!(bytes().0 > before.0, "a head is read from the lab too");
}

#[tokio::test]
async fn other_hosts_and_odd_requests_reach_no_lab() {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    let port = site.port;
    let cookie = format!("cookie: lectern-lab={COOKIE}\r\nconnection: close\r\n");
    for (request, status) in [
        (format!("GET / HTTP/1.1\r\nhost: localhost:{port}\r\n{cookie}\r\n"), 421),
        (format!("GET / HTTP/1.1\r\nhost: lab-7.localhost\r\n{cookie}\r\n"), 421),
        (format!("GET / HTTP/1.1\r\n{cookie}\r\n"), 400),
        (format!("GET / HTTP/1.1\r\nhost: lab-7.localhost:{port}\r\nhost: lab-8.localhost:{port}\r\n{cookie}\r\n"), 400),
        (format!("GET http://lab-8.localhost:{port}/ HTTP/1.1\r\nhost: lab-7.localhost:{port}\r\n{cookie}\r\n"), 400),
        (format!("GET / HTTP/1.1\r\nhost: lab-8.localhost:{port}\r\n{cookie}\r\n"), 401),
        (format!("TRACE / HTTP/1.1\r\nhost: lab-7.localhost:{port}\r\n{cookie}\r\n"), 405),
        (format!("CONNECT lab-7.localhost:{port} HTTP/1.1\r\nhost: lab-7.localhost:{port}\r\n{cookie}\r\n"), 405),
        (format!("OPTIONS * HTTP/1.1\r\nhost: lab-7.localhost:{port}\r\n{cookie}\r\n"), 400),
        (format!("GET / HTTP/1.0\r\n{cookie}\r\n"), 400),
    ] {
        let answer = site.ask_raw(&request).await;
        assert_eq!(answer.status(), status, "{request}{answer:?}");
    }
    assert_eq!(app.requests.load(Ordering::SeqCst), 0);
    let unknown = site.ask_raw(&format!("GET / HTTP/1.1\r\nhost: lab-8.localhost:{port}\r\naccept: text/html\r\nconnection: close\r\n\r\n")).await;
    assert_eq!(unknown.status(), 404);
}

#[tokio::test]
async fn wrong_cookies_of_the_name_neither_win_nor_stand_in_the_way() {
    let site = site().await;
    let cookies = format!("lectern-lab=wrong; lectern-lab=worse; lectern-lab={COOKIE}; own=1");
    let own = ("sec-fetch-site", "same-origin");
    let answer = site.ask("GET /", &[own, ("cookie", cookies.as_str())], "").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.body().contains("cookie: own=1\n") && !answer.body().contains("lectern-lab"), "{answer:?}");
    // Also while those that are not known cannot be checked.
    site.world.away.store(true, Ordering::SeqCst);
    assert_eq!(site.ask("GET /", &[own, ("cookie", cookies.as_str())], "").await.status(), 200);
    assert_eq!(site.ask("GET /", &[own, ("cookie", "lectern-lab=wrong")], "").await.status(), 503);
    let flood: Vec<String> = (0..300).map(|number| format!("lectern-lab=v{number}")).collect();
    let before = site.world.admitted.load(Ordering::SeqCst);
    site.ask("GET /", &[("cookie", flood.join("; ").as_str())], "").await;
    assert_eq!(site.world.admitted.load(Ordering::SeqCst) - before, 8);
    // Browsers send those for longer paths first.
    let flooded = format!("{}; lectern-lab={COOKIE}; lectern-lab=of-the-domain", flood.join("; "));
    assert_eq!(site.ask("GET /a/b", &[own, ("cookie", flooded.as_str())], "").await.status(), 200);
}

#[tokio::test]
async fn pages_of_another_lab_use_no_pass_of_this_one() {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    let cookie = format!("lectern-lab={COOKIE}");
    let other = format!("http://lab-8.localhost:{}", site.port);
    for foreign in [("sec-fetch-site", "same-site"), ("sec-fetch-site", "cross-site"), ("origin", other.as_str()), ("origin", "null")] {
        let post = site.ask("POST /api/terminals", &[("cookie", cookie.as_str()), ("content-type", "text/plain"), foreign], "x").await;
        assert_eq!(post.status(), 403, "{foreign:?}");
        let headers = [("cookie", cookie.as_str()), foreign, ("connection", "upgrade"), ("upgrade", "websocket")];
        let socket = site.ask_raw(&site.head("GET /socket", &[&headers[..], &[("connection", "close")]].concat())).await;
        assert_eq!(socket.status(), 403, "{foreign:?}");
    }
    assert_eq!(site.ask("POST /api/terminals", &[("cookie", cookie.as_str())], "x").await.status(), 403, "a program with a stolen cookie");
    assert_eq!(app.requests.load(Ordering::SeqCst), 0);
    let link = [("cookie", cookie.as_str()), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    assert_eq!(site.ask("GET /lab", &link, "").await.status(), 200, "a link in a mail");
}
