//! What every page and answer carries, whatever it is about.

use services::testing::TestWorld;

use crate::support::{Portal, location};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_guarded() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let browser = portal.browser_of(&people.teacher).await;
    for path in ["/", "/sign-in", "/nowhere", "/api/v1/offerings", "/healthz", "/api/session/viewer"] {
        let answer = browser.page(path).await;
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert!(header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("x-request-id").len(), 32, "{path}");
        assert!(!answer.headers().contains_key("strict-transport-security"), "{path}: there is no https here");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_of_a_page_run_by_its_nonce_alone() {
    let portal = Portal::college().await;
    let page = portal.browser().page("/sign-in").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned();
    assert!(!policy.contains("unsafe-eval'") || policy.contains("'wasm-unsafe-eval'"), "{policy}");
    let html = page.text().await.unwrap();
    for script in html.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap_or_default();
        assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "a script without the nonce: {tag}");
    }
    let other = portal.browser().page("/sign-in").await;
    assert!(!other.headers()["content-security-policy"].to_str().unwrap().contains(&nonce), "a nonce is used once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_a_page_of_ours_with_its_status() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    for browser in [portal.browser(), portal.browser_of(&people.teacher).await] {
        let page = browser.page("/no/such/page").await;
        assert_eq!(page.status(), 404);
        assert!(page.text().await.unwrap().contains("<html lang=\"en\""));
    }
    let call = portal.browser().client.get(portal.url("/api/no/such")).send().await.unwrap();
    assert_eq!((call.status().as_u16(), call.text().await.unwrap().as_str()), (404, "\"not_found\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_with_a_slash_at_its_end_is_the_page() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let browser = portal.browser_of(&people.teacher).await;
    let checked = ["/catalogue", "/labs?state=running", "/orders", "/sign-in", "/courses"];
    for page in checked {
        let (path, query) = page.split_once('?').map_or((page, String::new()), |(path, query)| (path, format!("?{query}")));
        let answer = browser.page(&format!("{path}/{query}")).await;
        assert_eq!((answer.status().as_u16(), location(&answer)), (308, page));
        assert!(browser.page(page).await.status().as_u16() < 400, "{page}");
    }
    let call = browser.client.get(portal.url("/catalogue/")).send().await.unwrap();
    assert_eq!(call.status(), 404, "a script reads the error");
    let posted = browser.form("/catalogue/", "/catalogue", &[]).send().await.unwrap();
    assert_eq!(posted.status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn language_and_theme_are_remembered_without_an_account() {
    let portal = Portal::college().await;
    let browser = portal.browser();
    let form = browser.form("/preferences", "/sign-in", &[("language", "en"), ("theme", "dark"), ("back", "/sign-in")]);
    let saved = form.send().await.unwrap();
    assert_eq!((saved.status().as_u16(), location(&saved)), (303, "/sign-in"));
    let page = browser.client.get(portal.url("/sign-in")).header("accept-language", "zh-CN").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("<html lang=\"en\" data-theme=\"dark\""), "{}", &page[..200]);

    let nonsense = browser.form("/preferences", "/sign-in", &[("language", "xx\r\nset-cookie: a=b"), ("back", "https://evil.example")]);
    let ignored = nonsense.send().await.unwrap();
    assert_eq!((ignored.status().as_u16(), location(&ignored)), (303, "/"));
    assert!(!ignored.headers().contains_key("set-cookie"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_over_the_limit_is_refused_in_the_readers_words() {
    let portal = Portal::configured(TestWorld::college().await, |config| config.server.max_body_bytes = 1_000).await;
    let people = portal.people().await;
    let long = "x".repeat(2_000);
    let form = portal.browser_of(&people.teacher).await.form("/api/orders/submit", "/catalogue", &[("purpose", &long)]);
    let page = form.send().await.unwrap();
    assert_eq!(page.status(), 413);
    assert!(page.text().await.unwrap().starts_with("<!DOCTYPE html>"));
    let api = portal.api(&people.teacher).await.post("/orders").body(long).send().await.unwrap();
    assert_eq!((api.status().as_u16(), api.headers()["content-type"].to_str().unwrap()), (413, "application/problem+json"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_a_form_refuses_is_not_kept_in_the_session() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (teacher, page) = (portal.browser_of(&people.teacher).await, "/catalogue/jupyterlab-slice/order");
    let typed = [
        ("offering", "jupyterlab-slice"),
        ("course", "CV2402"),
        ("duration_minutes", "90"),
        ("purpose", "Lesson seven"),
        ("parameters[git_url]", "https://li:ghp_abc123def456@git.example.edu/a.git"),
        ("idempotency_key", "secret-1"),
    ];
    let refused = teacher.form("/api/orders/submit", page, &typed).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), location(&refused)), (303, page));
    let kept = storage::testing::texts(&portal.world.services.db, "SELECT data FROM sessions").await;
    assert!(kept.iter().any(|data| data.contains("Lesson seven")) && !kept.iter().any(|data| data.contains("ghp_")), "{kept:?}");
    let shown = teacher.page(page).await.text().await.unwrap();
    assert!(shown.contains("Lesson seven") && !shown.contains("ghp_"), "what was typed beside it comes back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_count_requests_by_pattern_and_say_how_things_stand() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let api = portal.api(&people.teacher).await;
    let _ = api.get("/orders/01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e").send().await.unwrap();
    let text = portal.browser().client.get(portal.url("/metrics")).send().await.unwrap().text().await.unwrap();
    let line = "lectern_http_requests_total{method=\"GET\",route=\"/api/v1/orders/{id}\",status=\"404\"} 1";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("lectern_cluster_reachable 1"), "{text}");
    assert!(text.ends_with("# EOF\n"));
}

#[cfg(feature = "design")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_component_has_its_specimen() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    for language in ["en", "zh-CN"] {
        let browser = portal.browser_of(&people.teacher).await;
        let ask = browser.client.get(portal.url("/design")).header("accept", "text/html").header("accept-language", language);
        let page = ask.send().await.unwrap();
        assert_eq!(page.status(), 200);
        let html = page.text().await.unwrap();
        // The components are those that the module gives out.
        let exported = include_str!("../../../app/src/components/mod.rs");
        let names = exported
            .lines()
            .filter_map(|line| line.strip_prefix("pub use ")?.split_once("::"))
            .flat_map(|(_, names)| names.split([',', '{', '}', ';']));
        let sources = sources_of_components();
        let is_component = |name: &&str| sources.contains(&format!("#[component]\npub fn {name}("));
        for name in names.map(str::trim).filter(is_component) {
            // Parts of others, the sprite of the document, and the one place of toasts.
            if ["Cell", "DocumentTitle", "Fact", "IconSprite", "PageHead", "Toasts", "Card", "Section", "Row", "TimelineItem", "Icon"].contains(&name)
            {
                continue;
            }
            assert!(html.contains(&format!("class=\"fine mono\">{name}")), "{name} has no specimen on /design");
        }
    }
}

/// The source of all components.
#[cfg(feature = "design")]
fn sources_of_components() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../app/src/components");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}
