//! News for open pages.

use domain::access::{Resource, Scope};
use serde_json::json;
use services::{hub::News, testing::TestWorld};

use crate::support::{Browser, Portal};

/// The events that have come until one named `last` does.
async fn until(response: &mut reqwest::Response, last: &str) -> Vec<(String, String)> {
    let mut text = String::new();
    loop {
        let chunk = tokio::time::timeout(std::time::Duration::from_secs(20), response.chunk()).await.expect("an event in time");
        text.push_str(&String::from_utf8_lossy(&chunk.unwrap().expect("the stream goes on")));
        if text.contains(&format!("event: {last}\n")) && text.ends_with("\n\n") {
            break;
        }
    }
    let field =
        |block: &str, name: &str| block.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(ToOwned::to_owned)).unwrap_or_default();
    let heard: Vec<_> =
        text.split("\n\n").filter(|block| block.contains("event: ")).map(|block| (field(block, "event"), field(block, "data"))).collect();
    assert!(heard.iter().all(|(_, data)| !data.is_empty()), "browsers drop an event without data: {heard:?}");
    heard
}

async fn listening(browser: &Browser, path: &str) -> reqwest::Response {
    let mut response = browser.client.get(format!("{}{path}", browser.base)).header("accept", "text/event-stream").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    until(&mut response, "hello").await;
    response
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_hears_of_what_its_reader_may_read_and_of_nothing_else() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let api = portal.token(&people.teacher, &[Scope::OrdersWrite]).await;
    let mut owner = listening(&portal.browser_of(&people.teacher).await, "/events").await;
    let mut colleague = listening(&portal.browser_of(&people.colleague).await, "/events").await;
    let mut manager = listening(&portal.browser_of(&people.manager).await, "/events").await;

    let body = json!({"offering": "jupyterlab-slice", "course": "CV2402", "duration_minutes": 60});
    let order = api.order("events", &body).await;
    let hub = &portal.world.services.hub;
    // Whatever was told comes before this, which everybody hears.
    hub.tell(News::Cluster);
    let id = order["id"].as_str().unwrap().to_owned();
    for reader in [&mut owner, &mut manager] {
        let heard = until(reader, "cluster").await;
        assert!(heard.contains(&("order".to_owned(), id.clone())), "{heard:?}");
    }
    let heard = until(&mut colleague, "cluster").await;
    assert!(heard.iter().all(|(event, _)| event != "order"), "of the lab they hear, since they teach the same course: {heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_labs_page_hears_of_that_lab_only() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let api = portal.token(&people.teacher, &[Scope::OrdersWrite]).await;
    let body = json!({"offering": "jupyterlab-slice", "course": "CV2402", "duration_minutes": 60});
    let labs = [api.order("one", &body).await, api.order("two", &body).await].map(|order| order["labs"][0].as_str().unwrap().to_owned());
    let browser = portal.browser_of(&people.teacher).await;
    let mut page = listening(&browser, &format!("/events?lab={}", labs[0])).await;
    let hub = &portal.world.services.hub;
    for lab in &labs {
        let teacher = &people.teacher.actor;
        hub.tell(News::Lab(Resource::owned(teacher.tenant, *teacher.courses.first().unwrap(), teacher.user), lab.parse().unwrap()));
    }
    hub.tell(News::Cluster);
    assert_eq!(until(&mut page, "cluster").await, [("lab".to_owned(), labs[0].clone()), ("cluster".to_owned(), "-".to_owned())]);
    assert_eq!(browser.client.get(portal.url("/events?lab=none")).send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_hears_what_happened_while_it_was_made() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let browser = portal.browser_of(&people.teacher).await;
    let api = portal.token(&people.teacher, &[Scope::OrdersWrite]).await;
    let body = json!({"offering": "jupyterlab-slice", "course": "CV2402", "duration_minutes": 60});
    let id = api.order("before", &body).await["id"].as_str().unwrap().to_owned();
    let mut late = browser.client.get(portal.url("/events?age=30000")).header("accept", "text/event-stream").send().await.unwrap();
    assert!(until(&mut late, "order").await.contains(&("order".to_owned(), id)));
    // Who was there all the time hears nothing twice.
    let mut page = listening(&browser, "/events").await;
    portal.world.services.hub.tell(News::Cluster);
    assert_eq!(until(&mut page, "cluster").await, [("cluster".to_owned(), "-".to_owned())]);
}

// One thread: nobody can read while the news is told.
#[tokio::test]
async fn who_listens_too_slowly_is_told_to_read_everything_again() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let mut page = listening(&portal.browser_of(&people.manager).await, "/events").await;
    // More than the hub keeps, all at once: nobody could have followed.
    for _ in 0..2_000 {
        portal.world.services.hub.tell(News::Cluster);
    }
    let heard = until(&mut page, "refresh").await;
    assert!(heard.iter().any(|(event, _)| event == "refresh"), "{heard:?}");
}

/// Waits until the stream ends, and ignores what still arrives.
async fn ended(mut response: reqwest::Response) {
    let end = async { while response.chunk().await.unwrap().is_some() {} };
    tokio::time::timeout(std::time::Duration::from_mins(1), end).await.expect("the stream ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_when_its_reader_may_no_longer_listen() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let services = &portal.world.services;
    let course = portal.world.course("LEAVES").add().await;
    let leaves = portal.world.teacher("leaves", &[&course]).await;
    let stays = portal.browser_of(&people.operator).await;
    let (signs_out, disabled, ended_elsewhere) =
        (portal.browser_of(&people.teacher).await, portal.browser_of(&people.colleague).await, portal.browser_of(&people.manager).await);
    let (gone, sent_away) = (portal.browser_of(&leaves).await, portal.browser_of(&people.auditor).await);
    let mut stream = listening(&stays, "/events").await;
    let mut streams = Vec::new();
    for browser in [&signs_out, &disabled, &ended_elsewhere, &gone, &sent_away] {
        streams.push(listening(browser, "/events").await);
    }

    assert_eq!(signs_out.form("/sign-out", "/", &[]).send().await.unwrap().status(), 303);
    services::people::disable(services, &people.administrator, people.colleague.actor.user).await.unwrap();
    services::accounts::sessions::end_other_sessions(services, &people.manager, "none of them").await.unwrap();
    services::courses::remove_member(services, &people.administrator, course.id, leaves.actor.user).await.unwrap();
    services::people::end_sessions(services, &people.administrator, people.auditor.actor.user).await.unwrap();
    for stream in streams {
        ended(stream).await;
    }
    portal.world.services.hub.tell(News::Cluster);
    until(&mut stream, "cluster").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_when_its_session_is_over() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let stream = listening(&portal.browser_of(&people.teacher).await, "/events").await;
    portal.world.clock.advance(24 * 3_600);
    ended(stream).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_without_end_leave_room_for_pages_and_probes() {
    let portal = Portal::configured(TestWorld::college().await, |config| config.connections.max = 20).await;
    let people = portal.people().await;
    let browser = portal.browser_of(&people.teacher).await;
    let mut streams = Vec::new();
    for _ in 0..40 {
        streams.push(listening(&browser, "/events").await);
    }
    let mut newest = streams.pop().expect("a stream");
    for path in ["/healthz", "/readyz", "/sign-in"] {
        let answered = tokio::time::timeout(std::time::Duration::from_mins(1), portal.browser().page(path)).await.expect("an answer");
        assert_eq!(answered.status(), 200, "{path}");
    }
    // The oldest has ended, the newest goes on.
    ended(streams.swap_remove(0)).await;
    portal.world.services.hub.tell(News::Cluster);
    until(&mut newest, "cluster").await;
}
