//! What somebody without an account can leave in the database.

use domain::Error;
use services::{accounts::visits::MOST, testing::TestWorld};
use storage::testing::number;

use crate::{
    campus::{Campus, Says},
    support::{Portal, set_cookie},
};

const JOIN: &str = "/api/join/complete";
const SESSIONS: &str = "SELECT COUNT(*) FROM sessions";

/// As after so many visits within this minute.
fn visit_often(portal: &Portal) {
    let services = &portal.world.services;
    let here = TestWorld::origin_at("127.0.0.1");
    for _ in 0..MOST {
        let _ = services.cache.visits.admit(&here, services.clock.now());
    }
    let refused = services.cache.visits.admit(&here, services.clock.now());
    assert!(matches!(refused, Err(Error::RateLimited { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stranger_types_is_kept_shortened() {
    let portal = Portal::college().await;
    portal.people().await;
    let name = "n".repeat(30_000);
    let sent = portal.browser().form(JOIN, "/join", &[("token", "lnk_none"), ("name", &name)]).send().await.unwrap();
    assert_eq!(sent.status(), 303);
    let longest = number(&portal.world.services.db, "SELECT MAX(LENGTH(data)) FROM sessions").await;
    assert!((4_000..5_000).contains(&longest), "{longest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_begins_too_many_sessions_gets_an_error_page_and_no_row() {
    let portal = Portal::college().await;
    portal.people().await;
    let known = portal.browser();
    let fields = [("token", "lnk_none"), ("name", "Li")];
    assert_eq!(known.form(JOIN, "/join", &fields).send().await.unwrap().status(), 303);
    visit_often(&portal);
    let sent = portal.browser().form(JOIN, "/join", &fields).send().await.unwrap();
    assert_eq!(sent.status(), 429);
    assert!(set_cookie(&sent).is_none() && sent.headers().contains_key("retry-after") && !sent.headers().contains_key("location"));
    assert!(sent.text().await.unwrap().contains("<main class=\"landing\">"));
    assert_eq!(number(&portal.world.services.db, SESSIONS).await, 1);
    // A browser with a session goes on, and so does a right password.
    assert_eq!(known.form(JOIN, "/join", &fields).send().await.unwrap().status(), 303);
    let right = [("login", "teacher"), ("password", TestWorld::PASSWORD)];
    let signed_in = portal.browser().form("/api/session/sign-in", "/sign-in", &right).send().await.unwrap();
    assert!(signed_in.status() == 303 && set_cookie(&signed_in).is_some(), "{}", signed_in.status());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_to_the_identity_provider_writes_nothing_and_a_failure_is_limited_likewise() {
    let campus = Campus::start().await;
    let portal = campus.portal(|_| {}).await;
    portal.people().await;
    campus.sends(&portal, Says::default()).await;
    let before = number(&portal.world.services.db, SESSIONS).await;
    visit_often(&portal);
    for _ in 0..3 {
        let begun = portal.browser().page("/sign-in/oidc?back=/orders").await;
        assert!(begun.status() == 303 && set_cookie(&begun).is_none(), "no session: {}", begun.status());
        assert!(begun.headers().contains_key("set-cookie"), "the browser keeps it");
    }
    let answer = portal.browser().page("/sign-in/oidc/callback?state=none&code=c").await;
    assert!(answer.status() == 429 && set_cookie(&answer).is_none(), "{}", answer.status());
    assert_eq!(number(&portal.world.services.db, SESSIONS).await, before);
}
