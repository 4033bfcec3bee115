//! Hosts of ports: each is a site of its own, without the cookie of the lab's own host.

use std::sync::atomic::Ordering;

use crate::{
    app::App,
    fixtures::{COOKIE, PORT_COOKIE, PORTAL, Site},
};

async fn ask(site: &Site, label: &str, more: &str) -> crate::fixtures::Answer {
    site.ask_raw(&format!("GET /a HTTP/1.1\r\nhost: {label}.localhost:{}\r\nconnection: close\r\n{more}\r\n", site.port)).await
}

#[tokio::test]
async fn without_a_pass_of_its_own_a_port_leads_to_the_portal() {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    let cookie = format!("cookie: lectern-lab={COOKIE}\r\nsec-fetch-mode: navigate\r\n");
    let sent = ask(&site, "8501--lab-7", &cookie).await;
    let open = format!("{PORTAL}/labs/00000000-0000-0000-0000-000000000007/open?next=%2Fa&port=8501");
    assert_eq!((sent.status(), sent.header("location")), (303, Some(open.as_str())), "{sent:?}");
    let own = ask(&site, "lab-7", "sec-fetch-mode: navigate\r\n").await;
    assert!(own.header("location").is_some_and(|to| to.ends_with("/open?next=%2Fa")), "{own:?}");
    for none in ["22--lab-7", "08501--lab-7", "29500--lab-7", "2222--lab-7", "8501--lab-8"] {
        let missing = ask(&site, none, &cookie).await;
        assert!(missing.status() == 404 && missing.body().contains(&format!("href=\"{PORTAL}\"")), "{none}: {missing:?}");
    }
    assert_eq!(app.requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_page_of_one_port_uses_no_pass_of_the_lab() {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    let cookie = format!("lectern-lab={COOKIE}");
    let other = format!("http://8501--lab-7.localhost:{}", site.port);
    for foreign in [("origin", other.as_str()), ("sec-fetch-site", "same-site")] {
        let post = site.ask("POST /api/terminals", &[("cookie", cookie.as_str()), foreign], "x").await;
        assert_eq!(post.status(), 403, "{foreign:?}");
    }
    assert_eq!(app.requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_lab_without_pages_is_never_asked_for_one() {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    let pass = &site.world.pass;
    pass.pageless.store(true, Ordering::SeqCst);
    let page = site.use_lab("GET /", &[("sec-fetch-mode", "navigate"), ("accept-language", "en")], "").await;
    assert_eq!((page.status(), page.header("retry-after")), (404, None));
    for shown in ["This lab has no page", "lab-7 &lt;b&gt;", "/labs/00000000-0000-0000-0000-000000000007\""] {
        assert!(page.body().contains(shown), "{shown}: {page:?}");
    }
    pass.guest.store(true, Ordering::SeqCst);
    let guest = site.use_lab("GET /", &[("sec-fetch-mode", "navigate")], "").await;
    assert!(guest.status() == 404 && !guest.body().contains("/labs/"), "{guest:?}");
    let program = site.use_lab("POST /api", &[], "x").await;
    assert!(program.status() == 404 && program.body().contains("no_page"), "{program:?}");
    assert_eq!((app.requests.load(Ordering::SeqCst), site.world.dialled.lock().unwrap().len()), (0, 0));
    assert!(pass.bytes_in.load(Ordering::SeqCst) == 0 && pass.used.lock().unwrap().is_empty(), "no use of the lab");
}

#[tokio::test]
async fn the_page_about_a_port_that_nothing_listens_on_names_it() {
    let site = Site::before(App::start().await.1).await;
    site.world.pods.lock().unwrap().clear();
    let more = format!("cookie: lectern-lab={PORT_COOKIE}\r\nsec-fetch-mode: navigate\r\naccept-language: en\r\n");
    let page = ask(&site, "9000--lab-7", &more).await;
    assert_eq!(page.status(), 503);
    assert!(page.body().contains("Nothing answers on port 9000") && page.body().contains("<dt>Port</dt><dd>9000</dd>"), "{page:?}");
}
