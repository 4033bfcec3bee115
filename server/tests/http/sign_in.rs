//! Signing in and out, what the cookie is like, and what strangers see.

use services::{Settings, testing::TestWorld};
use storage::testing::TestDatabase;

use crate::support::{Portal, location, set_cookie};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_whose_session_is_over_leads_to_sign_in_and_back() {
    let portal = Portal::college().await;
    // Without any people the portal would ask to be set up first.
    portal.people().await;
    let browser = portal.browser();
    // Without scripts: back to the page that the form was on, never to the address that it was sent to.
    let sent = browser.form("/api/policies/save-rule", "/policies/new?from=list", &[("rule[name_en]", "x")]).send().await.unwrap();
    assert_eq!((sent.status().as_u16(), location(&sent)), (303, "/sign-in?back=/policies/new%3Ffrom%3Dlist"));
    let elsewhere = browser.form("/api/policies/save-rule", "//evil.example/x", &[]).send().await.unwrap();
    assert_eq!(location(&elsewhere), "/sign-in");
    let nowhere = browser.client.post(portal.url("/api/policies/save-rule")).header("accept", "text/html").header("sec-fetch-site", "same-origin");
    assert_eq!(location(&nowhere.send().await.unwrap()), "/sign-in");
}

const SIGN_IN: &str = "/api/session/sign-in";
const PASSWORD: &str = TestWorld::PASSWORD;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_teacher_signs_in_and_out_with_forms_alone() {
    let portal = Portal::college().await;
    portal.people().await;
    let browser = portal.browser();
    let form = browser.form(SIGN_IN, "/sign-in?back=/orders", &[("login", "teacher"), ("password", PASSWORD), ("back", "/orders")]);
    let signed_in = form.send().await.unwrap();
    assert_eq!((signed_in.status().as_u16(), location(&signed_in)), (303, "/orders"));
    let (cookie, attributes) = set_cookie(&signed_in).expect("a session cookie");
    assert!(cookie.starts_with("lectern=") && cookie.len() > 20, "{cookie}");
    assert_eq!(attributes, ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"]);
    assert_eq!(browser.page("/orders").await.status(), 200);

    let signed_out = browser.form("/sign-out", "/orders", &[]).send().await.unwrap();
    assert_eq!((signed_out.status().as_u16(), location(&signed_out)), (303, "/sign-in"));
    // Also somebody who kept the cookie is out: the session is gone from the database.
    let kept = portal.browser().client.get(portal.url("/orders")).header("accept", "text/html").header("cookie", cookie).send().await.unwrap();
    assert_eq!((kept.status().as_u16(), location(&kept)), (303, "/sign-in?back=/orders"));
}

/// A page that asks under the old id, while its session goes on under a new one, would sign the person out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_answer_to_a_script_does_not_take_a_newer_session_away() {
    let portal = Portal::college().await;
    portal.people().await;
    let asked = async |path: &str, mode: &str| {
        let client = portal.browser().client;
        let request = client.get(portal.url(path)).header("cookie", "lectern=AAAAAAAAAAAAAAAAAAAAAA").header("sec-fetch-mode", mode);
        set_cookie(&request.send().await.unwrap()).map(|(cookie, _)| cookie)
    };
    assert_eq!(asked("/api/session/viewer", "cors").await, None);
    assert_eq!(asked("/sign-in", "navigate").await.as_deref(), Some("lectern="), "a page takes away what is over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cookie_is_secure_and_bound_to_the_host_exactly_with_https() {
    let world = TestWorld::college().await;
    let portal = Portal::configured(world, |config| config.server.public_url = Some("https://lectern.example.edu".into())).await;
    portal.people().await;
    let form = portal.browser().form(SIGN_IN, "/sign-in", &[("login", "teacher"), ("password", PASSWORD)]);
    let signed_in = form.send().await.unwrap();
    let (cookie, attributes) = set_cookie(&signed_in).expect("a session cookie");
    assert!(cookie.starts_with("__Host-lectern="), "{cookie}");
    assert!(attributes.contains(&"Secure".to_owned()) && attributes.contains(&"Path=/".to_owned()), "{attributes:?}");
    assert!(!attributes.iter().any(|attribute| attribute.starts_with("Domain")), "{attributes:?}");
    assert_eq!(signed_in.headers()["strict-transport-security"], "max-age=31536000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_gets_a_new_id_at_sign_in() {
    let portal = Portal::college().await;
    portal.people().await;
    let browser = portal.browser();
    let failed = browser.form(SIGN_IN, "/sign-in", &[("login", "teacher"), ("password", "wrong")]).send().await.unwrap();
    let (before, attributes) = set_cookie(&failed).expect("a session for what was typed");
    assert!(attributes.contains(&"Max-Age=900".to_owned()), "nobody's session is short: {attributes:?}");
    let signed_in = browser.form(SIGN_IN, "/sign-in", &[("login", "teacher"), ("password", PASSWORD)]).send().await.unwrap();
    let (after, _) = set_cookie(&signed_in).expect("a session");
    assert_ne!(before, after);
    // Who planted the first id is not signed in by it.
    let planted = portal.browser().client.get(portal.url("/orders")).header("accept", "text/html").header("cookie", before).send().await.unwrap();
    assert_eq!(planted.status(), 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_brings_the_form_back_filled_once() {
    let portal = Portal::college().await;
    portal.people().await;
    let browser = portal.browser();
    let form = browser.form(SIGN_IN, "/sign-in?back=/orders", &[("login", "li.hua-typed"), ("password", "hunter2-typed"), ("back", "/orders")]);
    let failed = form.send().await.unwrap();
    assert_eq!((failed.status().as_u16(), location(&failed)), (303, "/sign-in?back=/orders"));
    let page = browser.page("/sign-in?back=/orders").await.text().await.unwrap();
    assert!(page.contains("li.hua-typed"), "the login is still there");
    assert!(!page.contains("hunter2-typed"), "the password never comes back");
    let again = browser.page("/sign-in?back=/orders").await.text().await.unwrap();
    assert!(!again.contains("li.hua-typed"), "a second look finds the form empty");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_failure_looks_the_same_to_a_script() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let mut answers = Vec::new();
    for (login, password) in [("teacher", "wrong"), ("nobody", "wrong"), (people.manager.actor.login.as_str(), "")] {
        let answer = portal.browser().call(SIGN_IN, &[("login", login), ("password", password)]).send().await.unwrap();
        answers.push((answer.status().as_u16(), answer.text().await.unwrap()));
    }
    assert_eq!(answers[0], (401, "\"sign_in_failed\"".to_owned()));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_tries_are_told_when_to_come_back() {
    let portal = Portal::college().await;
    portal.people().await;
    let browser = portal.browser();
    for _ in 0..5 {
        let wrong = browser.call(SIGN_IN, &[("login", "teacher"), ("password", "wrong")]).send().await.unwrap();
        assert_eq!(wrong.status(), 401);
    }
    let right = browser.call(SIGN_IN, &[("login", "teacher"), ("password", PASSWORD)]).send().await.unwrap();
    assert_eq!(right.status(), 429);
    let seconds: i64 = right.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    portal.world.clock.advance(seconds);
    let later = browser.call(SIGN_IN, &[("login", "teacher"), ("password", PASSWORD)]).send().await.unwrap();
    assert_eq!(later.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_signed_in_before_is_kept_out_by_nobody_at_its_address() {
    let portal = Portal::college().await;
    portal.people().await;
    let right = [("login", "teacher"), ("password", PASSWORD)];
    let known = portal.browser();
    let first = known.call(SIGN_IN, &right).send().await.unwrap();
    let cookies: Vec<_> = first.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().to_owned()).collect();
    let device = cookies.iter().find(|cookie| cookie.starts_with("lectern-device=dev_")).unwrap_or_else(|| panic!("{cookies:?}"));
    assert!(device.contains("HttpOnly") && device.contains("SameSite=Lax"), "{device}");
    let left = known.call("/sign-out", &[]).send().await.unwrap();
    assert!(left.status().is_redirection() || left.status().is_success(), "{}", left.status());
    let stranger = portal.browser();
    while stranger.call(SIGN_IN, &[("login", "teacher"), ("password", "wrong")]).send().await.unwrap().status() != 429 {}
    assert_eq!(stranger.call(SIGN_IN, &right).send().await.unwrap().status(), 429);
    let again = known.call(SIGN_IN, &right).send().await.unwrap();
    assert_eq!(again.status(), 200);
    assert!(!again.headers().get_all("set-cookie").iter().any(|cookie| cookie.to_str().unwrap().contains("device")), "it has one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_in_leads_to_this_site_only() {
    let portal = Portal::college().await;
    portal.people().await;
    for elsewhere in ["//evil.example", "https://evil.example/", "/\\evil.example"] {
        let form = portal.browser().form(SIGN_IN, "/sign-in", &[("login", "teacher"), ("password", PASSWORD), ("back", elsewhere)]);
        let signed_in = form.send().await.unwrap();
        assert_eq!((signed_in.status().as_u16(), location(&signed_in)), (303, "/"), "{elsewhere}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_without_use_and_goes_on_with_it() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let browser = portal.browser_of(&people.teacher).await;
    // The session was made for an hour; using it gives it the full time again.
    portal.world.clock.advance(1_800);
    assert_eq!(browser.page("/orders").await.status(), 200);
    portal.world.clock.advance(3_600 * 11);
    assert_eq!(browser.page("/orders").await.status(), 200);
    portal.world.clock.advance(3_600 * 12 + 1);
    assert_eq!(browser.page("/orders").await.status(), 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_ends_every_other_session() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let here = portal.browser();
    let signed_in = here.call(SIGN_IN, &[("login", "teacher"), ("password", PASSWORD)]).send().await.unwrap();
    assert_eq!(signed_in.status(), 200);
    let elsewhere = portal.browser_of(&people.teacher).await;
    assert_eq!(elsewhere.page("/orders").await.status(), 200);
    let new = "a new and longer password";
    let changed = here.call("/api/account/password", &[("current", PASSWORD), ("new", new)]).send().await.unwrap();
    assert_eq!(changed.status(), 200, "{}", changed.text().await.unwrap());
    assert_eq!(here.page("/orders").await.status(), 200);
    assert_eq!(elsewhere.page("/orders").await.status(), 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_person_is_out_at_once() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let browser = portal.browser_of(&people.teacher).await;
    assert_eq!(browser.page("/orders").await.status(), 200);
    services::people::disable(&portal.world.services, &people.administrator, people.teacher.actor.user).await.unwrap();
    assert_eq!(browser.page("/orders").await.status(), 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_sent_to_sign_in_and_scripts_are_told() {
    let portal = Portal::college().await;
    portal.people().await;
    let browser = portal.browser();
    let page = browser.page("/orders?state=queued").await;
    assert_eq!((page.status().as_u16(), location(&page)), (303, "/sign-in?back=/orders%3Fstate%3Dqueued"));
    let call = browser.client.get(portal.url("/api/orders/list")).header("accept", "application/json").send().await.unwrap();
    assert_eq!((call.status().as_u16(), call.text().await.unwrap().as_str()), (401, "\"unauthenticated\""));
    let events = browser.client.get(portal.url("/events")).header("accept", "text/event-stream").send().await.unwrap();
    assert_eq!(events.status(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_installation_is_set_up_with_the_code_from_the_log() {
    let portal = Portal::of(TestWorld::empty().await).await;
    let browser = portal.browser();
    let page = browser.page("/orders").await;
    assert_eq!((page.status().as_u16(), location(&page)), (303, "/setup"));
    let code = services::setup::issue_code(&portal.world.services).await.unwrap();
    let fields = |code| [("code", code), ("college", "College"), ("login", "admin"), ("name", "Admin"), ("password", "a long password")];
    let refused = browser.call("/api/setup/complete", &fields("0000-0000")).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    let done = browser.form("/api/setup/complete", "/setup", &fields(&code)).send().await.unwrap();
    assert_eq!((done.status().as_u16(), location(&done)), (303, "/"));
    assert_eq!(browser.page("/people").await.status(), 200, "the first administrator is signed in");
    let second = portal.browser().call("/api/setup/complete", &fields(&code)).send().await.unwrap();
    assert_eq!(second.status(), 403, "a code is good once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_set_up_keeps_what_was_typed_without_the_code() {
    let portal = Portal::of(TestWorld::empty().await).await;
    let code = services::setup::issue_code(&portal.world.services).await.unwrap();
    let fields = [("code", code.as_str()), ("college", "Harbour"), ("login", "x"), ("name", "Admin"), ("password", "a long password")];
    let browser = portal.browser();
    let refused = browser.form("/api/setup/complete", "/setup", &fields).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), location(&refused)), (303, "/setup"));
    let kept = storage::testing::texts(&portal.world.services.db, "SELECT data FROM sessions").await;
    assert!(kept.len() == 1 && kept[0].contains("Harbour") && !kept[0].contains(&code), "{kept:?}");
    let page = browser.page("/setup").await.text().await.unwrap();
    assert!(page.contains("Harbour") && !page.contains(&code), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_after_its_longest_life_however_much_it_is_used() {
    let settings = Settings { longest_session_hours: 24, ..Settings::default() };
    let portal = Portal::of(TestWorld::college_with(TestDatabase::sqlite().await, settings).await).await;
    portal.people().await;
    let browser = portal.browser();
    let signed_in = browser.form(SIGN_IN, "/sign-in", &[("login", "teacher"), ("password", PASSWORD)]).send().await.unwrap();
    assert_eq!(signed_in.status(), 303);
    for hours in [6, 6, 6, 5] {
        portal.world.clock.advance(hours * 3_600);
        assert_eq!(browser.page("/orders").await.status(), 200, "it is used");
    }
    portal.world.clock.advance(3_600);
    let over = browser.page("/orders").await;
    assert_eq!((over.status().as_u16(), location(&over)), (303, "/sign-in?back=/orders"));
}
